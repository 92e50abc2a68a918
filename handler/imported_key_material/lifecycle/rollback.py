"""Rule 6: a rollback's Update must not fail. A stack whose rollback fails is stuck.

A usable key keeps what it holds; a lost material, and the expiry, get one try. What could not be brought back is said in the
log. That an Update is a rollback's is told by the stack's status (`stack.py`), and acted on in `resource.py`.
"""

import enum
from dataclasses import dataclass, replace
from typing import Final

from imported_key_material import properties
from imported_key_material.aws import kms_reads
from imported_key_material.aws.held_materials import HeldMaterials
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
    """What an import is to bring back; the value is its name in a sentence."""

    NOTHING = ""
    EXPIRY = "expiry"
    MATERIAL = "material"


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a rollback does to a key, decided before anything is done: what it restores, and what is left, in words."""

    restore: Restore
    left: str = ""


def roll_back(job: Job) -> Answer:
    """Rule 6: a rollback must not fail. A usable key keeps what it holds; a lost material, and the expiry, get one try."""
    request, faults = job.request, Faults()
    # The old ServiceTimeout may be tiny: what the answer is made of is asked for once, however late it is.
    reading = replace(job, caller=replace(job.caller, at_least_once=True))
    declared = properties.read(request.properties, faults)
    key = KeyId.parse(declared.key_id or request.fallback_id, job.home)
    holds_it = KeyId.parse(request.fallback_id, job.home) == key
    kept_id = request.fallback_id if holds_it else _id_of_before(reading, key)
    try:
        view = kms_reads.look(key.uuid, job.clients.kms, reading.caller, waits={})
    except ImportedKeyMaterialError as error:
        unseen = attributes.of_unseen(key)
        return _answer(job, Answer(kept_id, unseen), f"The key can't be looked at. {error}")

    def seen(view: KeyView) -> Answer:
        return Answer(kept_id, attributes.of(view, declared, reading.evidence(view)))

    plan = _restoration(reading, declared, view)
    stays = _what_stays(job, declared)
    if plan.restore is Restore.NOTHING:
        return _answer(job, seen(view), plan.left, stays)
    try:
        answer = _restored(job, declared, kept_id, view, faults)
    except (Failed, ImportedKeyMaterialError) as error:
        problem = f"The key's {plan.restore.value} could not be brought back. {error}"
        # KMS may have taken it, and not have confirmed it.
        return _answer(job, seen(_looked_at_again(reading, view)), problem)
    try:  # once more: what is answered and what is logged are of one moment
        view = kms_reads.look(view.arn, job.clients.kms, reading.caller)
    except ImportedKeyMaterialError:
        return _answer(job, answer, _UNKNOWN, stays)
    left = _restoration(reading, declared, view).left if view.holds_material else ""
    # ValidForDays are content with any earlier expiry, also with one that another resource of the same key has set since.
    if not left and attributes.of(view, declared, None)["ValidTo"] != answer.data["ValidTo"]:
        left = _CHANGED
    return _answer(job, seen(view), left, stays)


def _restored(job: Job, declared: Properties, kept_id: str, view: KeyView, faults: Faults) -> Answer:
    """One import of the earlier version; nothing is waited for that only consent would give."""
    job.stack.require_wanted()  # rule 9, before anything is read for it
    importing = replace(job, consent_tags=job.impatient.consent_tags)
    return Importing(importing, declared, Purpose(kept_id, kept_id, forward=False)).bring_in(view, faults)


def _restoration(job: Job, declared: Properties, view: KeyView) -> Restoration:
    """Decides by what KMS shows, and what the old properties asked for."""
    if not view.holds_material:
        return Restoration(Restore.MATERIAL)
    pinned = declared.secret_version_id is not None  # else other bytes may be there by now
    materials = HeldMaterials()
    if pinned and view.kind is Kind.SYMMETRIC:
        # Without consent nothing could be imported, and without the tag IAM does not open the list.
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
    """What the way forward may have done for ever, in words; "" where it asked for no new material."""
    forward = job.request.old_properties
    asked = forward.get("NewMaterial", NewMaterial.REFUSE) != NewMaterial.REFUSE
    return _STAYS if asked and forward.get("SecretVersionId") != declared.secret_version_id else ""


def _looked_at_again(job: Job, view: KeyView) -> KeyView:
    try:
        return kms_reads.look(view.arn, job.clients.kms, job.caller, waits={})
    except ImportedKeyMaterialError:
        return view


def _id_of_before(job: Job, key: KeyId) -> str:
    """Rule 1, where a change of KeyId is rolled back: the form in which the resource held the key that it goes back to.

    Where that is not known, the key counts as adopted, and its material is never removed.
    """
    try:
        return job.past.held_as(key.physical_ids) or key.adopted_id
    except ImportedKeyMaterialError as error:
        job.log.warning("the stack's events can't be read", extra={"problem": str(error)})
        return key.adopted_id


def _answer(job: Job, answer: Answer, *left: str) -> Answer:
    """The answer, once the log says what is left."""
    problem = " ".join(filter(None, left))
    if problem:
        job.log.warning("rolled back, but not everything is as before", extra={"problem": problem})
    return answer
