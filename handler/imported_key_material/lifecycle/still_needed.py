"""Whether a request that waits for KMS's quota is still needed: a request that is not must use up no quota (rule 9).

A wait may last most of an hour. Meanwhile another delivery of the same request may have imported the material, the stack may
have rolled back, or somebody may have disabled the key. We ask KMS before every further try, which costs little. We ask
CloudFormation at once if the key has changed, and otherwise only every five minutes, since hundreds of requests wait.
"""

from datetime import timedelta
from typing import Final

from imported_key_material.aws import kms_reads
from imported_key_material.aws.key_view import KeyView
from imported_key_material.clock import Deadline, Seen, poll
from imported_key_material.cloudformation.stack import STATUS_BACKOFF
from imported_key_material.lifecycle import checks
from imported_key_material.lifecycle.job import Job

ASK_AGAIN_AFTER: Final = timedelta(minutes=5)
# Another invocation of this request may have changed the key; its answer may still be in flight.
ANSWERED_WITHIN: Final = timedelta(seconds=30)


class StillNeeded:
    """Called between two tries. Raises Refused, NotWanted or Leave if the request is no longer needed."""

    def __init__(self, job: Job, view: KeyView) -> None:
        self._job = job
        self._view = view
        self._asked_at = job.caller.clock.now()

    def __call__(self) -> None:
        job, clock = self._job, self._job.caller.clock
        view, before = kms_reads.look(self._view.arn, job.clients.kms, job.caller), self._view
        checks.require_importable(view)
        self._view = view
        if view.holds_material != before.holds_material:
            self._until_answered()
        elif clock.now() - self._asked_at >= ASK_AGAIN_AFTER:
            job.stack.require_wanted()
        else:
            return
        self._asked_at = clock.now()

    def _until_answered(self) -> None:
        """Ends the invocation once CloudFormation has its answer. Without an answer, somebody else changed the key: wait on."""

        def ask() -> Seen[None]:
            self._job.stack.require_wanted()
            return Seen(None, enough=False)

        clock = self._job.caller.clock
        poll(Deadline(clock, clock.now() + ANSWERED_WITHIN), STATUS_BACKOFF, ask)
