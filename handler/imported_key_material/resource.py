"""The life cycle: create, update, delete. Reads like the rules of docs/design.md, whose numbers stand at the code.

Truth lives in KMS. Every request looks at the key first, then does what is missing; doing it twice does no harm. A step that
fails after the import answers FAILED under the id that a Delete acts on, so that CloudFormation's own rollback removes what
was brought in; nothing here takes material out again but a Delete.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from imported_key_material import attributes, key_view, preparation, properties
from imported_key_material.attributes import is_id_of
from imported_key_material.errors import Faults, ImportedKeyMaterialError
from imported_key_material.key_view import KeyView
from imported_key_material.kms_key import ChangeAttempt, Expiry
from imported_key_material.operation import Operation, shows_expiry
from imported_key_material.proof import Proof
from imported_key_material.properties import Properties
from imported_key_material.removal import delete
from imported_key_material.request import Answer, Failed, RequestType
from imported_key_material.stack import key_uuid

_NOTHING_IMPORTED: Final = "Nothing was imported."


def handle(operation: Operation) -> Answer:
    """Raises Failed, with a sentence for the user and the id under which a Delete may come; or Leave."""
    return _HANDLERS[operation.request.type](operation)


# ------------------------------------------------------------------------------------------------------------- create


def create(operation: Operation) -> Answer:
    request, faults = operation.request, Faults()
    try:
        operation.stack.require_wanted()  # rule 9, before anything is read for it
        declared = properties.read(request.properties, faults)
        view = operation.look(declared, faults)
    except ImportedKeyMaterialError as error:
        raise _failed(error, _NOTHING_IMPORTED, request.not_imported_id) from None
    return _bring_in(operation, declared, view, faults, failed_id=request.not_imported_id)


def _bring_in(
    operation: Operation,
    declared: Properties,
    view: KeyView | None,
    faults: Faults,
    *,
    failed_id: str,
    kept_id: str | None = None,
) -> Answer:
    """Checks, wraps, imports, confirms (rules 3 and 4), and answers with `kept_id` or the id that rule 1 gives.

    Raises Failed: under `failed_id` where KMS surely took nothing, else under the id of the answer.
    """
    attempt = _Attempt(operation, kept_id)
    try:
        prepared = operation.prepare(declared, view, faults)  # rule 3: all that is wrong, at once
        proof = Proof.of(prepared.material)
        try:
            sealed = operation.seal(prepared, declared.wrapping_key_spec)  # KMS holds nothing yet
        finally:
            prepared.material.wipe()
        imported = ChangeAttempt(lambda: attempt.guard(prepared.view.arn))
        attempt.imported = imported
        material_id = operation.import_sealed(
            prepared, sealed, imported, declared.key_material_description
        )  # rule 4: FOR EVER
        view, confirmation = operation.confirm(prepared, proof, material_id)
        operation.log.info(
            "imported",
            extra={
                "key_arn": view.arn,
                "key_state": view.state,
                "key_material_id": material_id,
                "confirmed_by": str(confirmation),
                "wrapping_algorithm": prepared.wrapping_algorithm,
                "secret_version_id": prepared.secret_version_id,
                "check_value": prepared.material.check_value,
                "expiration_model": view.expiration_model,
            },
        )
        return Answer(attempt.physical_id, attributes.of(view, declared, proof.public_key))
    except ImportedKeyMaterialError as error:
        if attempt.may_have_imported:
            what_was_done = "KMS may hold the material already: a rollback or the next update sees to it."
            raise _failed(error, what_was_done, attempt.physical_id) from None
        raise _failed(error, _NOTHING_IMPORTED, failed_id) from None
    except Exception as error:
        if attempt.may_have_imported:  # a defect, and still the Delete must find what was brought in
            problem = f"The function met an error of its own after the import, {type(error).__name__}."
            raise Failed(problem, attempt.physical_id) from error
        raise


class _Attempt:
    """What is known of this execution's import: whether it may have taken effect, and the id that answers for it."""

    def __init__(self, operation: Operation, kept_id: str | None) -> None:
        self._operation = operation
        self._kept_id = kept_id
        self.imported: ChangeAttempt | None = None
        self.physical_id = kept_id or ""

    @property
    def may_have_imported(self) -> bool:
        return self.imported is not None and self.imported.may_have_taken_effect

    def guard(self, arn: str) -> None:
        """Runs right before every ImportKeyMaterial: rule 9; rule 7, on a state read again; rule 1."""
        self._operation.stack.require_wanted()
        view = self._operation.key(arn).look()
        preparation.require_importable(view)
        if not self.may_have_imported:  # what the key holds after a try may be this execution's own
            self.physical_id = self._kept_id or _id_for(self._operation, view)


def _id_for(operation: Operation, view: KeyView) -> str:
    """Rule 1: the ARN where this resource brings the material in; the bare id of a key that already holds some.

    Unless another resource of this stack holds the key in the ARN form: then a renamed logical id inherits it. Or the key was
    made in the stack's present operation, and held nothing before: then another execution of this request was here (rule 10).
    """
    if not view.holds_material or operation.stack.began_by(view.created_at):
        return view.arn
    holder = operation.stack.holder_of(view.arn)
    if holder is not None and holder.physical_id == view.arn:
        return view.arn
    operation.log.info("adopted a key that already held material", extra={"key_arn": view.arn})
    return view.id


# ------------------------------------------------------------------------------------------------------------- update


def update(operation: Operation) -> Answer:
    """Forward, or a rollback's. The status is asked again before FAILED is answered: it may have lagged (rule 6)."""
    unreadable: ImportedKeyMaterialError | None = None
    try:
        if operation.stack.rolling_back():
            return roll_back(operation)
    except ImportedKeyMaterialError as error:
        unreadable = error
    try:
        return _go_forward(operation)
    except Failed:
        if unreadable is None and _rolls_back_by_now(operation):
            return roll_back(operation)
        raise


def _go_forward(operation: Operation) -> Answer:
    """Rule 5: nothing is imported where nothing is to do; else the material is imported again, which also verifies it."""
    request, faults = operation.request, Faults()
    echoed = request.fallback_id
    try:
        declared = properties.read(request.properties, faults)
        view = operation.look(declared, faults)
        in_place = view is not None and is_id_of(echoed, view)
        if view is not None and in_place and not faults and _nothing_to_do(operation, declared, view):
            operation.log.info("nothing to do", extra={"key_arn": view.arn, "key_state": view.state})
            return Answer(echoed, attributes.of(view, declared, _public_key(operation, view)))
        operation.stack.require_wanted()
    except ImportedKeyMaterialError as error:
        raise _failed(error, _NOTHING_IMPORTED, echoed) from None
    return _bring_in(operation, declared, view, faults, failed_id=echoed, kept_id=echoed if in_place else None)


def _nothing_to_do(operation: Operation, declared: Properties, view: KeyView) -> bool:
    """What locates the material is pinned and as it was, and KMS has what the properties ask for."""
    before = properties.read(operation.request.old_properties, Faults())
    if declared.secret_version_id is None or _what_imports(declared) != _what_imports(before):
        return False
    if not view.holds_material:
        return False
    materials = operation.materials(view)
    if any(entry.get("ImportState") == "PENDING_IMPORT" for entry in materials):
        return False
    if declared.valid_for_days is None:
        return shows_expiry(view, Expiry(declared.valid_to), materials, view.current_material_id)
    latest = operation.caller.clock.now() + timedelta(days=declared.valid_for_days)
    return view.valid_to is not None and view.valid_to <= latest


def _what_imports(declared: Properties) -> tuple[object, ...]:
    """The properties whose change asks for an import. ValidTo is compared with what KMS shows instead."""
    return (
        declared.secret_id,
        declared.secret_version_id,
        declared.secret_json_key,
        declared.material_encoding,
        declared.secret_wrapping,
        declared.expected_check_value,
        declared.valid_for_days,
        declared.key_material_description,
        declared.trigger,
    )


def _rolls_back_by_now(operation: Operation) -> bool:
    try:
        return operation.stack.rolling_back()
    except ImportedKeyMaterialError:
        return False


def roll_back(operation: Operation) -> Answer:
    """Rule 6: a rollback must not fail. A usable key stays as it is; an empty one gets one try to bring its material back."""
    request, faults = operation.request, Faults()
    echoed = request.fallback_id
    declared = properties.read(request.properties, faults)
    try:
        view = key_view.look(declared.key_id or key_uuid(echoed), operation.clients.kms, operation.caller, waits={})
    except ImportedKeyMaterialError as error:
        return _rolled_back(operation, f"The key can't be looked at. {error}", Answer(echoed, attributes.NONE))
    kept_id = echoed if is_id_of(echoed, view) else None
    problem = ""
    if not view.holds_material:
        try:
            return _bring_in(operation, declared, view, faults, failed_id=echoed, kept_id=kept_id)
        except Failed as failed:
            problem = f"The key's material could not be brought back. {failed.reason}"
    elif not shows_expiry(view, Expiry(declared.valid_to), [], "") and declared.valid_for_days is None:
        problem = "The expiry stays as the update left it."
    answer = Answer(kept_id or view.id, attributes.of(view, declared, _public_key(operation, view)))
    return _rolled_back(operation, problem, answer)


def _rolled_back(operation: Operation, problem: str, answer: Answer) -> Answer:
    if problem:
        operation.log.warning("rolled back, with something left", extra={"problem": problem})
    return answer


# ------------------------------------------------------------------------------------------------------------ answers


def _public_key(operation: Operation, view: KeyView) -> bytes | None:
    """KMS's public key of an asymmetric key that holds its material; None for others, and where it can't be read."""
    if view.usage == "GENERATE_VERIFY_MAC" or view.spec == "SYMMETRIC_DEFAULT" or not view.holds_material:
        return None
    try:
        return operation.key(view.arn).public_key()
    except ImportedKeyMaterialError:
        return None


def _failed(error: ImportedKeyMaterialError, what_was_done: str, physical_id: str) -> Failed:
    return Failed(f"{error} {what_was_done}", physical_id)


_HANDLERS: Final[dict[RequestType, Callable[[Operation], Answer]]] = {
    RequestType.CREATE: create,
    RequestType.UPDATE: update,
    RequestType.DELETE: delete,
}
