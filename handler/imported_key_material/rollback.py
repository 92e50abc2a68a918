"""Rule 6: a rollback's Update must not fail. A stack whose rollback fails is stuck.

A usable key keeps what it holds; a lost material, and the expiry, get one try. What could not be brought back is said in the
log. That an Update is a rollback's is told by the stack's status (`stack.py`), and acted on in `resource.py`.
"""

from dataclasses import replace
from typing import Final

from imported_key_material import attributes, key_view, properties
from imported_key_material.confirming import all_expire_as_declared
from imported_key_material.errors import Faults, ImportedKeyMaterialError
from imported_key_material.importing import Importing, Purpose
from imported_key_material.key_view import KeyView
from imported_key_material.operation import Operation
from imported_key_material.properties import Properties
from imported_key_material.request import Answer, Failed
from imported_key_material.rotation import pending_of
from imported_key_material.stack import key_uuid

_UNKNOWN: Final = "The key's expiry could not be compared."
_CHANGED: Final = (
    "The key's expiry was brought back, and something else has changed it since. Two resources that hold one key must declare "
    "the same expiry."
)


def roll_back(operation: Operation) -> Answer:
    """Rule 6: a rollback must not fail. A usable key keeps what it holds; a lost material, and the expiry, get one try."""
    request, faults = operation.request, Faults()
    # The old ServiceTimeout may be tiny: what the answer is made of is asked for once, however late it is.
    reading = replace(operation, caller=replace(operation.caller, at_least_once=True))
    declared = properties.read(request.properties, faults)
    key_id = key_uuid(declared.key_id or request.fallback_id)
    kept_id = request.fallback_id if key_uuid(request.fallback_id) == key_id else _id_of_before(reading, key_id)
    try:
        view = key_view.look(key_id, operation.clients.kms, reading.caller, waits={})
    except ImportedKeyMaterialError as error:
        unseen = attributes.of_unseen(key_id, operation.home)
        return _rolled_back(operation, f"The key can't be looked at. {error}", Answer(kept_id, unseen))

    def answered(problem: str, view: KeyView) -> Answer:
        return _rolled_back(operation, problem, Answer(kept_id, attributes.of(view, declared, reading.evidence(view))))

    other_expiry, may_mend = _other_expiry(reading, declared, view) if view.holds_material else ("", True)
    not_taken_back = _not_taken_back(operation, declared)
    if view.holds_material and not (other_expiry and may_mend):
        return answered(f"{other_expiry} {not_taken_back}".strip(), view)
    try:
        operation.stack.require_wanted()  # rule 9, before anything is read for it
        importing = replace(operation, consent_tags=operation.impatient.consent_tags)
        answer = Importing(importing, declared, Purpose(kept_id, kept_id, forward=False)).bring_in(view, faults)
    except (Failed, ImportedKeyMaterialError) as error:
        lost = "expiry" if view.holds_material else "material"
        problem = f"The key's {lost} could not be brought back. {error}"
        return answered(problem, _looked_at_again(reading, view))  # KMS may have taken it, and not have confirmed it
    try:  # once more: what is answered and what is logged are of one moment
        view = key_view.look(view.arn, operation.clients.kms, reading.caller)
    except ImportedKeyMaterialError:
        return _rolled_back(operation, f"{_UNKNOWN} {not_taken_back}".strip(), answer)
    other_expiry, _ = _other_expiry(reading, declared, view)
    # ValidForDays are content with any earlier expiry, also with one that another resource of the same key has set since.
    if not other_expiry and attributes.of(view, declared, None)["ValidTo"] != answer.data["ValidTo"]:
        other_expiry = _CHANGED
    return answered(f"{other_expiry} {not_taken_back}".strip(), view)


def _looked_at_again(operation: Operation, view: KeyView) -> KeyView:
    try:
        return key_view.look(view.arn, operation.clients.kms, operation.caller, waits={})
    except ImportedKeyMaterialError:
        return view


def _id_of_before(operation: Operation, key_id: str) -> str:
    """Rule 1, where a change of KeyId is rolled back: the form in which the resource held the key that it goes back to.

    Where that is not known, the bare id: what it holds counts as adopted, and is never removed.
    """
    try:
        return operation.past.held_as({operation.home.key_arn(key_id), key_id}) or key_id
    except ImportedKeyMaterialError as error:
        operation.log.warning("the stack's events can't be read", extra={"problem": str(error)})
        return key_id


def _other_expiry(operation: Operation, declared: Properties, view: KeyView) -> tuple[str, bool]:
    """In words, that KMS shows, or may have, another expiry than the old properties asked for; "" where it is as before.

    And whether an import may mend it.
    """
    pinned = declared.secret_version_id is not None  # else other bytes may be there by now
    try:
        materials = []
        if pinned and view.spec == "SYMMETRIC_DEFAULT":
            # Without consent nothing could be imported, and without the tag IAM does not open the list.
            if not operation.consents(view):
                return _UNKNOWN, False
            materials = operation.materials(view)
    except ImportedKeyMaterialError:
        return _UNKNOWN, False
    if pending_of(materials) is not None:  # a rotation may be under way
        return "Material that is pending rotation stays so, and all material keeps its expiry.", False
    as_before = all_expire_as_declared(
        view, declared, materials, view.current_material_id, operation.caller.clock.now()
    )
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
