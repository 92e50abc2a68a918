"""Rule 2: Delete acts only on a key that the resource owns, and that no other resource of the stack holds.

A Delete of any other physical id (of an adopted key, of a failed Create, or made up by CloudFormation) succeeds and touches
nothing. Delete reads no property, so that properties of an older version can't block it.
"""

from typing import Final

from imported_key_material.aws import kms_reads
from imported_key_material.aws.cloudformation_reads import BELIEVED_AFTER_SECONDS
from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.kms_key import ChangeAttempt, KmsKey
from imported_key_material.clock import Seen, poll
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.cloudformation.stack import STATUS_BACKOFF
from imported_key_material.cloudformation.stack_resources import Holder
from imported_key_material.errors import ImportedKeyMaterialError, OutOfTime, ServiceRefused
from imported_key_material.key_id import KeyId, owned_key
from imported_key_material.lifecycle.job import Job

_SCHEDULED_FOR_DELETION: Final = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
# A key counts as gone once KMS has not found it for this long.
_GONE_AFTER_SECONDS: Final = 20.0

_NOTHING_REMOVED: Final = "Nothing was removed."
_MAY_BE_REMOVED: Final = "Some material may already have been removed."


def delete(job: Job) -> Answer:
    """Rule 2: acts only on an owned id, and reads no property."""
    arn = job.request.fallback_id
    owned = owned_key(arn, job.home)
    if owned is None:
        job.log.info("nothing to remove: the resource owns no material", extra={"physical_id": arn})
        return Answer(arn)
    key = job.key(arn)

    def guard() -> None:
        job.consent_tags.require(key.tags, where="KeyId", what="the KMS key")
        job.stack.require_wanted()

    attempt = ChangeAttempt(guard)
    try:
        view = _still_there(job, arn)
        if view is None or view.state in _SCHEDULED_FOR_DELETION:
            job.log.info("the key is gone, or is scheduled for deletion", extra={"key_arn": arn})
            return Answer(arn)
        if view.arn != arn:  # no answer had this spelling, and the search for another holder would miss it
            job.log.info("nothing to remove: the id is not the key's ARN", extra={"physical_id": arn})
            return Answer(arn)
        holder = _holder(job, owned)
        if holder is not None:
            job.log.info(
                "another resource holds the key: its material stays",
                extra={"key_arn": arn, "held_by": holder.logical_id, "physical_id": holder.physical_id},
            )
            return Answer(arn)
        _empty(job, key, view, attempt)
    except ImportedKeyMaterialError as error:
        what_was_done = _MAY_BE_REMOVED if attempt.may_have_taken_effect else _NOTHING_REMOVED
        raise Failed(f"{error} {what_was_done}", arn, error.failure_class) from None
    job.log.info("removed", extra={"key_arn": arn})
    return Answer(arn)


def _holder(job: Job, key: KeyId) -> Holder | None:
    """The other resource of the stack that holds the key. Statuses lag, so two results are believed only after a minute.

    "Another resource holds the key": two resources of one key may be deleted at once. Each would see that the other still
    exists, and both would leave the material. "None holds it", while a resource is being created or updated: that resource may
    hold the key by now (two resources that swap their keys).
    """
    asked = False

    def look() -> Seen[Holder | None]:
        nonlocal asked
        holder, at_rest = job.holders.holder_and_rest(key)
        is_sure = holder is None and at_rest
        if not is_sure and not asked:  # before the first wait: the Delete may already have its answer
            asked = True
            job.stack.leave_if_answered()
        return Seen(holder, enough=is_sure)

    return poll(job.caller.within(BELIEVED_AFTER_SECONDS), STATUS_BACKOFF, look).value


def _still_there(job: Job, arn: str) -> KeyView | None:
    try:
        return kms_reads.look(arn, job.clients.kms, job.caller, waits={"NotFoundException": _GONE_AFTER_SECONDS})
    except ServiceRefused as refused:
        if refused.code != "NotFoundException":
            raise
    return None


def _empty(job: Job, key: KmsKey, view: KeyView, attempt: ChangeAttempt) -> None:
    """Removes materials until KMS lists none that it holds.

    The list may lag, and KMS may carry out a rotation between two calls. A deletion without an id then removes another
    material than the list calls current. A key that is out of use shows only that it lacks one of its materials.
    """
    # None removes the current material: it is removed even if the list lags.
    for material_id in [*_earlier(job, view), None]:
        key.delete_material(material_id, attempt)

    def remove_the_rest() -> Seen[bool]:
        now = _still_there(job, key.arn)
        left = _earlier(job, now) if now is not None else []
        if now is None or (not left and not now.holds_material):
            return Seen(True, enough=True)  # noqa: FBT003  # nothing is left
        for material_id in [*left, None] if now.holds_material else left:
            key.delete_material(material_id, attempt)
        return Seen(False, enough=False)  # noqa: FBT003  # something was left

    if not job.until_consistent(remove_the_rest).enough:
        raise OutOfTime("KeyId: KMS took the deletion, and still shows the key with its material.")


def _earlier(job: Job, view: KeyView) -> list[str]:
    """The materials that the key holds, without the current one; all of them once the current one is removed."""
    current = view.current_material_id if view.holds_material else ""
    return [one.id for one in job.materials(view) if one.imported and one.id != current]
