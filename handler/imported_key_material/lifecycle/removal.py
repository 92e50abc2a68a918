"""Rule 2: Delete acts only on a key that the resource owns, and that no other resource of the stack holds.

Every other physical id (an adopted key's, a failed Create's, one that CloudFormation made up) is a success that touches
nothing. It reads no property, so that old shapes of properties can't block it.
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
    """Rule 2: acts on an owned id only, and reads no property."""
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
        if view.arn != arn:  # another spelling was never answered, and would hide from the search for a holder
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
        what_was_done = (
            "Some material may already have been removed." if attempt.may_have_taken_effect else "Nothing was removed."
        )
        raise Failed(f"{error} {what_was_done}", arn) from None
    job.log.info("removed", extra={"key_arn": arn})
    return Answer(arn)


def _holder(job: Job, key: KeyId) -> Holder | None:
    """Who else holds the key. Statuses may lag, so that two things are believed after a minute alone.

    That somebody does: two resources of one key that are deleted at once would each see the other still stand, and both leave
    the material. That nobody does, while a resource is being made or updated: it may hold the key by now (two resources that
    have swapped their keys).
    """
    asked = False

    def look() -> Seen[Holder | None]:
        nonlocal asked
        holder, at_rest = job.holders.holder_and_rest(key)
        is_sure = holder is None and at_rest
        if not is_sure and not asked:  # before anything is waited for: the Delete may have its answer already
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
    """Takes every material out, until KMS lists none that is there.

    What is listed may lag, and a rotation may be carried out between two calls: the current material, removed by no id, is
    then another than the list's. That the key is out of use shows only that it lacks one.
    """
    # The current one by no id, so that it goes even if the list lags.
    for material_id in [*_earlier(job, view), None]:
        key.delete_material(material_id, attempt)

    def empty() -> Seen[bool]:
        now = _still_there(job, key.arn)
        left = _earlier(job, now) if now is not None else []
        if now is None or (not left and not now.holds_material):
            return Seen(True, enough=True)  # noqa: FBT003  # what was looked for
        for material_id in [*left, None] if now.holds_material else left:
            key.delete_material(material_id, attempt)
        return Seen(False, enough=False)  # noqa: FBT003  # the same

    if not job.until_consistent(empty).enough:
        raise OutOfTime("KeyId: KMS took the deletion, and still shows the key with its material.")


def _earlier(job: Job, view: KeyView) -> list[str]:
    """The materials that the key holds, besides the current one; all of them once that one is gone."""
    current = view.current_material_id if view.holds_material else ""
    return [one.id for one in job.materials(view) if one.imported and one.id != current]
