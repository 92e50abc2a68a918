"""Rule 6: a rollback's Update must not fail. A stack whose rollback fails is stuck.

A usable key keeps what it holds. There is one try to restore lost material, or the expiry; the log says what could not be
restored. The stack's status shows that an Update belongs to a rollback (`stack.py`); `resource.py` then calls `roll_back`.
"""

import enum
from dataclasses import dataclass, replace
from typing import Final

from imported_key_material import properties
from imported_key_material.aws import kms_reads
from imported_key_material.aws.held_materials import NO_MATERIALS
from imported_key_material.aws.key_kind import kind_of
from imported_key_material.aws.key_view import KeyView
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.errors import Faults, ImportedKeyMaterialError
from imported_key_material.key_id import KeyId
from imported_key_material.lifecycle import attributes
from imported_key_material.lifecycle.declared_expiry import DeclaredExpiry
from imported_key_material.lifecycle.importing import Importing, Purpose
from imported_key_material.lifecycle.job import Job
from imported_key_material.material.key_specs import Kind
from imported_key_material.properties import NewMaterial, Properties

_UNKNOWN: Final = "The key's expiry could not be compared."
_OTHER_EXPIRY: Final = "The key's expiry is not the earlier one."
_PENDING_STAYS: Final = "Material that is pending stays pending, and all material keeps its expiry."
_STAYS: Final = "New material that was staged, or that a rotation has made current, stays: a key can't go back."
_CHANGED: Final = (
    "The key's expiry was brought back, and something else has changed it since. Two resources that hold one key must declare "
    "the same expiry."
)


class Restore(enum.Enum):
    """What an import restores; the value is its name in a sentence."""

    NOTHING = ""
    EXPIRY = "expiry"
    MATERIAL = "material"


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a rollback does to a key, decided before anything is done. `left`: what will differ from before, in words."""

    restore: Restore
    left: str = ""


def roll_back(job: Job) -> Answer:
    """Rule 6: never fails."""
    request, faults = job.request, Faults()
    # The old ServiceTimeout may be tiny. What the answer needs is read once, even after the deadline.
    reading = replace(job, caller=replace(job.caller, at_least_once=True))
    declared = properties.read(request.properties, faults)
    key = KeyId.parse(declared.key_id or request.fallback_id, job.home)
    holds_it = KeyId.parse(request.fallback_id, job.home) == key
    kept_id = request.fallback_id if holds_it else _earlier_id(reading, key)
    try:
        view = kms_reads.look(key.uuid, job.clients.kms, reading.caller, waits={})
    except ImportedKeyMaterialError as error:
        unseen = attributes.of_unseen(key)
        return _answer(job, Answer(kept_id, unseen), f"The key can't be looked at. {error}")

    def answer_for(view: KeyView) -> Answer:
        return Answer(kept_id, attributes.of(view, declared, reading.evidence(view)))

    plan = _restoration(reading, declared, view)
    stays = _what_stays(job, declared)
    if plan.restore is Restore.NOTHING:
        return _answer(job, answer_for(view), plan.left, stays)
    try:
        answer = _restore(job, declared, kept_id, view, faults)
    except (Failed, ImportedKeyMaterialError) as error:
        problem = f"The key's {plan.restore.value} could not be brought back. {error}"
        # KMS may have taken the import without a confirmation, so look again.
        return _answer(job, answer_for(_look_again(reading, view)), problem)
    try:  # look again: the answer and the log must show the same moment
        view = kms_reads.look(view.arn, job.clients.kms, reading.caller)
    except ImportedKeyMaterialError:
        return _answer(job, answer, _UNKNOWN, stays)
    left = _restoration(reading, declared, view).left if view.holds_material else ""
    # ValidForDays accepts any earlier expiry, even if another resource of the same key has set it since.
    if not left and attributes.of(view, declared, None)["ValidTo"] != answer.data["ValidTo"]:
        left = _CHANGED
    return _answer(job, answer_for(view), left, stays)


def _restore(job: Job, declared: Properties, kept_id: str, view: KeyView, faults: Faults) -> Answer:
    """Imports the earlier version once. Does not wait where only consent could help."""
    job.stack.require_wanted()  # rule 9, before we read anything for this request
    importing = replace(job, consent_tags=job.impatient.consent_tags)
    return Importing(importing, declared, Purpose(kept_id, kept_id, forward=False)).run(view, faults)


def _restoration(job: Job, declared: Properties, view: KeyView) -> Restoration:
    """Decides by what KMS shows, and by the properties that the rollback goes back to."""
    if not view.holds_material:
        return Restoration(Restore.MATERIAL)
    pinned = declared.secret_version_id is not None  # otherwise the secret may hold other bytes by now
    materials = NO_MATERIALS
    if pinned and kind_of(view) is Kind.SYMMETRIC:
        # Without consent we could import nothing, and without the tag IAM refuses the list.
        if not job.consents(view):
            return Restoration(Restore.NOTHING, _UNKNOWN)
        try:
            materials = job.materials(view)
        except ImportedKeyMaterialError:
            return Restoration(Restore.NOTHING, _UNKNOWN)
    if materials.pending is not None:  # a rotation may be under way
        return Restoration(Restore.NOTHING, _PENDING_STAYS)
    expiry = DeclaredExpiry(declared, job.caller.clock.now())
    if expiry.is_kept(view, materials, view.current_material_id):
        return Restoration(Restore.NOTHING)
    may_import = pinned and view.state != "Disabled"
    return Restoration(Restore.EXPIRY if may_import else Restore.NOTHING, _OTHER_EXPIRY)


def _what_stays(job: Job, declared: Properties) -> str:
    """What the forward update may have done permanently, in words; "" if it asked for no new material."""
    forward = job.request.old_properties
    asked = forward.get("NewMaterial", NewMaterial.REFUSE) != NewMaterial.REFUSE
    return _STAYS if asked and forward.get("SecretVersionId") != declared.secret_version_id else ""


def _look_again(job: Job, view: KeyView) -> KeyView:
    try:
        return kms_reads.look(view.arn, job.clients.kms, job.caller, waits={})
    except ImportedKeyMaterialError:
        return view


def _earlier_id(job: Job, key: KeyId) -> str:
    """Rule 1, if the rollback undoes a change of KeyId: the id form under which the resource held the earlier key.

    If the form is unknown, the key counts as adopted, and its material is never removed.
    """
    try:
        return job.past.held_as(key.physical_ids) or key.adopted_id
    except ImportedKeyMaterialError as error:
        job.log.warning("the stack's events can't be read", extra={"problem": str(error)})
        return key.adopted_id


def _answer(job: Job, answer: Answer, *left: str) -> Answer:
    """Logs what is left, and returns the answer."""
    problem = " ".join(filter(None, left))
    if problem:
        job.log.warning("rolled back, but not everything is as before", extra={"problem": problem})
    return answer
