"""The life cycle: create, update, delete. Reads like the rules of docs/design.md, whose numbers stand at the code.

Truth lives in KMS. Every request looks at the key first, then does what is missing; doing it twice does no harm. A step that
fails after the import answers FAILED under the id that a Delete acts on, so that CloudFormation's own rollback removes what
was brought in; nothing here takes material out again but a Delete.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from imported_key_material import attributes, consent, key_view, properties
from imported_key_material.attributes import is_id_of
from imported_key_material.confirming import Entries, expires_as_declared, lost_of, needed_of
from imported_key_material.errors import Faults, ImportedKeyMaterialError
from imported_key_material.importing import NOTHING_IMPORTED, Importing, Purpose
from imported_key_material.key_view import KeyView
from imported_key_material.operation import Operation
from imported_key_material.properties import Properties
from imported_key_material.removal import delete
from imported_key_material.request import Answer, Failed, RequestType
from imported_key_material.rotation import pending_of
from imported_key_material.stack import STATUS_BACKOFF, STATUS_LAG_SECONDS, key_uuid
from imported_key_material.waiting import Deadline, poll


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
        raise _failed(error, NOTHING_IMPORTED, request.not_imported_id) from None
    return Importing(operation, declared, Purpose(failed_id=request.not_imported_id)).bring_in(view, faults)


# ------------------------------------------------------------------------------------------------------------- update


def update(operation: Operation) -> Answer:
    """Forward, or a rollback's. The status is asked again before FAILED is answered: it may have lagged (rule 6)."""
    try:
        if operation.stack.rolling_back():
            return roll_back(operation)
    except ImportedKeyMaterialError:
        pass  # unreadable: a key that needs no import is no reason to fail; else it is asked again below
    try:
        return _go_forward(operation)
    except Failed:
        if _rolls_back_by_now(operation):
            return roll_back(operation)
        raise


def _go_forward(operation: Operation) -> Answer:
    """Rule 5: nothing is imported where nothing is to do; else the material is imported again, which also verifies it."""
    request, faults = operation.request, Faults()
    echoed = request.fallback_id
    try:
        declared = properties.read(request.properties, faults)
        view = operation.look(declared, faults)
        before = properties.read(request.old_properties, Faults())
        in_place = view is not None and is_id_of(echoed, view)
        if view is not None and in_place and not faults and _nothing_to_do(operation, declared, before, view):
            operation.log.info("nothing to do", extra={"key_arn": view.arn, "key_state": view.state})
            return Answer(echoed, attributes.of(view, declared, _public_key(operation, view)))
        operation.stack.require_wanted()
    except ImportedKeyMaterialError as error:
        raise _failed(error, NOTHING_IMPORTED, echoed) from None
    as_before = _what_locates(declared) == _what_locates(before)
    purpose = Purpose(failed_id=echoed, kept_id=echoed if in_place else None, located_as_before=in_place and as_before)
    return Importing(operation, declared, purpose).bring_in(view, faults)


def _nothing_to_do(operation: Operation, declared: Properties, before: Properties, view: KeyView) -> bool:
    """What locates the material is pinned and as it was, and KMS has what the properties ask for.

    An Update that changes no property at all is a failed one that is tried again (--disable-rollback): it imports.
    """
    request = operation.request
    if request.properties == request.old_properties:
        return False
    if declared.secret_version_id is None or _what_imports(declared) != _what_imports(before):
        return False
    if not view.holds_material:
        return False
    materials = operation.materials(view)
    if lost_of(materials, operation.caller.clock.now()):
        return False
    pending = pending_of(materials)
    # What is pending may be what ROTATE is to make current; where nothing is, STAGE's may be gone. An import tells.
    if (declared.new_material, pending is None) in (("ROTATE", False), ("STAGE", True)):
        return False
    material_id = pending["KeyMaterialId"] if pending and declared.new_material == "STAGE" else view.current_material_id
    return _expires_as_declared(operation, declared, view, materials, material_id)


def _expires_as_declared(
    operation: Operation, declared: Properties, view: KeyView, materials: Entries, material_id: str
) -> bool:
    """The declared material, and the earlier ones where the properties name their secret versions."""
    earlier = needed_of(materials) if declared.previous_secret_version_ids else []
    now = operation.caller.clock.now()
    return all(expires_as_declared(view, declared, materials, each, now) for each in (material_id, *earlier))


def _what_locates(declared: Properties) -> tuple[object, ...]:
    return (
        declared.secret_id,
        declared.secret_version_id,
        declared.secret_version_stage,
        declared.secret_json_key,
        declared.material_encoding,
        declared.secret_wrapping,
    )


def _what_imports(declared: Properties) -> tuple[object, ...]:
    """The properties whose change asks for an import. ValidTo is compared with what KMS shows instead."""
    return (
        *_what_locates(declared),
        declared.new_material,
        declared.expected_check_value,
        declared.valid_for_days,
        declared.key_material_description,
        declared.trigger,
    )


def _rolls_back_by_now(operation: Operation) -> bool:
    """The status is asked again for a while: it may lag, and a rollback's Update must not fail."""

    def rolls_back() -> bool | None:
        return operation.stack.shows_rollback() or None

    clock = operation.caller.clock
    patience = Deadline(clock, clock.now() + timedelta(seconds=STATUS_LAG_SECONDS)).earlier(operation.caller.deadline)
    try:
        return poll(patience, STATUS_BACKOFF, rolls_back) is True
    except ImportedKeyMaterialError:
        return False


def roll_back(operation: Operation) -> Answer:
    """Rule 6: a rollback must not fail. A usable key keeps what it holds; a lost material, and the expiry, get one try."""
    request, faults = operation.request, Faults()
    # The old ServiceTimeout may be tiny: what the answer is made of is asked for once, however late it is.
    reading = replace(operation, caller=replace(operation.caller, at_least_once=True))
    declared = properties.read(request.properties, faults)
    key_id = key_uuid(declared.key_id or request.fallback_id)
    kept_id = request.fallback_id if key_uuid(request.fallback_id) == key_id else key_id
    try:
        view = key_view.look(key_id, operation.clients.kms, reading.caller, waits={})
    except ImportedKeyMaterialError as error:
        unseen = attributes.of_unseen(key_id, operation.home, declared)
        return _rolled_back(operation, f"The key can't be looked at. {error}", Answer(kept_id, unseen))
    other_expiry, may_mend = _other_expiry(reading, declared, view) if view.holds_material else ("", True)
    if view.holds_material and not (other_expiry and may_mend):
        problem = f"{other_expiry} {_not_taken_back(operation, declared)}".strip()
        return _rolled_back(
            operation, problem, Answer(kept_id, attributes.of(view, declared, _public_key(reading, view)))
        )
    try:
        operation.stack.require_wanted()  # rule 9, before anything is read for it
        answer = Importing(operation, declared, Purpose(kept_id, kept_id, forward=False)).bring_in(view, faults)
    except (Failed, ImportedKeyMaterialError) as error:
        lost = "expiry" if view.holds_material else "material"
        problem = f"The key's {lost} could not be brought back. {error}"
        return _rolled_back(
            operation, problem, Answer(kept_id, attributes.of(view, declared, _public_key(reading, view)))
        )
    other_expiry, _ = _other_expiry(reading, declared, None)
    return _rolled_back(operation, f"{other_expiry} {_not_taken_back(operation, declared)}".strip(), answer)


def _other_expiry(operation: Operation, declared: Properties, view: KeyView | None) -> tuple[str, bool]:
    """In words, that KMS shows, or may have, another expiry than the old properties asked for; "" where it is as before.

    And whether an import may mend it. `view` None: it is to be looked at again.
    """
    pinned = declared.secret_version_id is not None  # else other bytes may be there by now
    unknown = "The key's expiry could not be compared.", False
    try:
        view = view or key_view.look(declared.key_id, operation.clients.kms, operation.caller)
        materials = []
        if pinned and view.spec == "SYMMETRIC_DEFAULT":
            # Without the tag IAM does not let the function read the list, and a rollback does not wait for that.
            if consent.TAG not in operation.key(view.arn).tags():
                return unknown
            materials = operation.materials(view)
    except ImportedKeyMaterialError:
        return unknown
    if pending_of(materials) is not None:  # a rotation may be under way
        return "Material that is pending rotation stays so, and all material keeps its expiry.", False
    as_before = _expires_as_declared(operation, declared, view, materials, view.current_material_id)
    return "" if as_before else "The key's expiry is another than before.", pinned and view.state != "Disabled"


def _not_taken_back(operation: Operation, declared: Properties) -> str:
    """What the way forward may have done for ever, in words; "" where it asked for no new material."""
    forward = operation.request.old_properties
    if forward.get("NewMaterial", "REFUSE") == "REFUSE" or forward.get("SecretVersionId") == declared.secret_version_id:
        return ""
    return "New material that was staged, or that a rotation has made current, stays: a key can't go back."


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
