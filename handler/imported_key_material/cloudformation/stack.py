"""What CloudFormation knows of a request: whether it still waits for it, whether it rolls back.

Rule 9 (docs/internals/design.md): the right to invoke the function must not be enough to change keys, and a request that was
queued or delivered twice may arrive after its stack has moved on. So the function asks CloudFormation before it changes
anything. Statuses may lag, so it asks again for a minute before it believes a "no".
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from imported_key_material.aws.calls import NO_WAITS, Caller
from imported_key_material.aws.cloudformation_reads import (
    BELIEVED_AFTER_SECONDS,
    GONE,
    NOT_YET_READABLE,
    CloudFormation,
)
from imported_key_material.clock import Backoff, Seen, poll
from imported_key_material.cloudformation.request import Request, RequestType
from imported_key_material.cloudformation.shown import Shown
from imported_key_material.cloudformation.stack_events import Past
from imported_key_material.errors import ImportedKeyMaterialError, Leave, NotWanted, ServiceRefused
from imported_key_material.key_id import KeyId

# How long a status may lag behind its request, at most.
STATUS_LAG_SECONDS: Final = 20.0
# CloudFormation sets a resource's status before it makes the request. A status that is set this much later than the request
# belongs to a later stack operation.
STATUS_LEAD: Final = timedelta(seconds=10)
# A status older than this belongs to the previous stack operation.
OWN_STATUS_LEAD: Final = timedelta(seconds=2)
# X-Amz-Date is cut to the second; the stack's times are not.
CUT_OFF: Final = timedelta(seconds=1)
# CloudFormation writes the stack event of a Delete before it sends the request; how long before is not known. Reading back one
# minute costs one page at most, and admits no other request: the newest event decides.
EVENT_LEAD: Final = timedelta(seconds=60)

STATUS_BACKOFF: Final = Backoff(first_seconds=1.0, cap_seconds=10.0)
_ROLLING_BACK: Final = frozenset({"UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"})
_COMPLETE: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
OWN_STATUS: Final = {RequestType.CREATE: "CREATE_IN_PROGRESS", RequestType.UPDATE: "UPDATE_IN_PROGRESS"}


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack of one request, as CloudFormation shows it at the moment of each call."""

    request: Request
    cloudformation: CloudFormation
    caller: Caller

    def rolling_back(self) -> bool:
        """Whether an Update belongs to a rollback. The event does not say so; the stack's status does, and may lag.

        So wait until the resource shows the status of this request: CloudFormation sets it after the stack's status.
        """
        with suppress(ImportedKeyMaterialError):  # then only the stack's status decides
            poll(self.caller.within(STATUS_LAG_SECONDS), STATUS_BACKOFF, lambda: Seen(None, enough=self._is_at_work()))
        return self.shows_rollback()

    def began(self) -> datetime:
        """When the present stack operation began."""
        return _began(self._describe())

    def shows_rollback(self) -> bool:
        """Whether the stack shows the status of a rollback."""
        return self._describe()["StackStatus"] in _ROLLING_BACK

    def require_wanted(self) -> None:
        """Raises NotWanted if CloudFormation does not wait for the request; Leave if the request has its answer already.

        A "no" may be a mistake of ours: one line of the log has all that it depended on.
        """

        def look() -> Seen[tuple[str, Shown]]:
            shown = Shown(self.request, self.caller.clock.now())
            why_not = self._why_not(shown)
            if why_not and self._is_answered(surely=True):
                raise Leave
            return Seen((why_not, shown), enough=not why_not)

        why_not, shown = poll(self.caller.within(BELIEVED_AFTER_SECONDS), STATUS_BACKOFF, look).value
        if not why_not:
            return
        if self._is_answered():
            raise Leave
        self.caller.log.warning("CloudFormation does not wait for this request", extra={"why": why_not, **shown.fields})
        raise NotWanted(f"CloudFormation does not wait for this {self.request.type} request: {why_not}")

    def leave_if_answered(self) -> None:
        """Raises Leave if CloudFormation shows that a Delete has its answer. Asks once, and ignores every other "no"."""
        self._why_not(Shown(self.request, self.caller.clock.now()))

    # ------------------------------------------------------------------------------------------ what CloudFormation shows

    def _describe(self) -> Mapping[str, Any]:
        answer = self.call(
            "DescribeStacks",
            lambda: self.cloudformation.describe_stacks(StackName=self.request.stack_id),
            waits=NOT_YET_READABLE,
        )
        stack: Mapping[str, Any] = answer["Stacks"][0]
        if stack["StackId"] != self.request.stack_id:
            # Consent depends on the name in the StackId: a forged StackId could have a foreign name before a unique part
            # that exists.
            raise NotWanted("CloudFormation does not know the stack of this request under this StackId.")
        return stack

    def _resource(self) -> Mapping[str, Any]:
        """What the stack shows of this logical id; empty if the stack does not know it."""
        try:
            answer = self.call(
                "DescribeStackResource",
                lambda: self.cloudformation.describe_stack_resource(
                    StackName=self.request.stack_id, LogicalResourceId=self.request.logical_id
                ),
            )
        except ServiceRefused as refused:
            if refused.code == "ValidationError":
                return {}
            raise
        detail: Mapping[str, Any] = answer["StackResourceDetail"]
        return detail

    def call(
        self, operation: str, function: Callable[[], Mapping[str, Any]], *, waits: Mapping[str, float] = NO_WAITS
    ) -> Mapping[str, Any]:
        """Asks at least once, even after the deadline: before it answers, the function must know whether anybody waits."""
        caller = replace(self.caller, at_least_once=True)
        return caller.call(f"cloudformation:{operation}", function, where="StackId", waits=waits)

    # ---------------------------------------------------------------------------------------------- what follows from it

    def _why_not(self, shown: Shown) -> str:
        """Why the request is not wanted, or "". Notes what CloudFormation shows."""
        stack, request = self._describe(), self.request
        shown.stack(stack)
        status = stack["StackStatus"]
        if request.made_at is not None:
            age = (self.caller.clock.now() - request.made_at).total_seconds()
            if age > request.service_timeout_seconds:
                return f"it is {age:.0f} seconds old, and ServiceTimeout is {request.service_timeout_seconds}."
            if _began(stack) > request.made_at + CUT_OFF:
                return "it was made before the stack's present operation began."
        if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            return f"the stack is {status}."
        return self._why_not_resource(stack, shown)

    def _why_not_resource(self, stack: Mapping[str, Any], shown: Shown) -> str:
        resource, request = self._resource(), self.request
        shown.resource(resource)
        status = resource.get("ResourceStatus", "not in the stack")
        if request.type is RequestType.DELETE:
            return self._why_not_deleted(stack, resource, status, shown)
        if status != OWN_STATUS[request.type]:
            return f"{request.logical_id} is {status}."
        set_at: datetime | None = resource.get("LastUpdatedTimestamp")
        if request.made_at is not None and set_at is not None and set_at > request.made_at + STATUS_LEAD:
            return f"a later operation is at work on {request.logical_id}."
        return ""

    def _why_not_deleted(self, stack: Mapping[str, Any], resource: Mapping[str, Any], status: str, shown: Shown) -> str:
        """Wanted if the resource is being deleted under this id; in a clean-up only the stack's events may show that."""
        request = self.request
        cleans_up = stack["StackStatus"].endswith("_CLEANUP_IN_PROGRESS")
        shown_id = resource.get("PhysicalResourceId", "" if cleans_up else request.physical_id)
        if shown_id == request.physical_id and status in GONE:
            return self._why_not_gone(status, resource.get("LastUpdatedTimestamp"))
        if status == "CREATE_IN_PROGRESS":
            return f"{request.logical_id} is being created."
        if cleans_up:
            return self._why_not_cleaned_up(_began(stack), shown)
        if status not in GONE:
            return f"{request.logical_id} is {status}."
        return f"{request.logical_id} has another PhysicalResourceId."

    def _why_not_cleaned_up(self, began: datetime, shown: Shown) -> str:
        """A clean-up deletes ids that their resources no longer have, and resources that CloudFormation then forgets.

        Only an event shows that such an id is being deleted. Nothing else proves it: this may be a second delivery of the
        Delete, and another stack may have imported into the key since the first was answered.
        """
        request = self.request
        since = began if request.made_at is None else max(began, request.made_at - EVENT_LEAD)
        caller = replace(self.caller, at_least_once=True)
        past = Past(request.stack_id, request.logical_id, self.cloudformation, caller)
        newest = past.newest(request.fallback_id, since)
        shown.event(newest)
        if newest is None:
            return (
                f"no event of the stack shows that {request.logical_id} is being deleted under this PhysicalResourceId."
            )
        return self._why_not_gone(newest.status, newest.at)

    def _why_not_gone(self, status: str, set_at: datetime | None) -> str:
        """Why a Delete is not wanted, by the status of its own id. Raises Leave if the id was deleted since the request.

        Then the request has its answer, and what the key holds now may be another stack's.
        """
        request = self.request
        if status == "DELETE_IN_PROGRESS":
            return ""
        if status != "DELETE_COMPLETE":
            return f"{request.logical_id} is {status} under this PhysicalResourceId."
        if self._is_set_after(set_at):
            raise Leave
        return f"{request.logical_id} is {status}, and CloudFormation shows no Delete since then."

    def _is_set_since(self, resource: Mapping[str, Any]) -> bool:
        """Whether a resource's status was set since the request was made. Yes if one of the times is missing."""
        made_at = self.request.made_at
        set_at: datetime | None = resource.get("LastUpdatedTimestamp")
        return made_at is None or set_at is None or set_at >= made_at

    def _is_set_after(self, set_at: datetime | None) -> bool:
        """Whether a status was surely set after the request was made. No if one of the times is missing."""
        made_at = self.request.made_at
        return made_at is not None and set_at is not None and set_at > made_at + CUT_OFF

    def _is_at_work(self) -> bool:
        """Whether the resource shows the status that CloudFormation set for this request."""
        resource, request = self._resource(), self.request
        if resource.get("ResourceStatus") != OWN_STATUS[request.type]:
            return False
        set_at: datetime | None = resource.get("LastUpdatedTimestamp")
        if request.made_at is None or set_at is None:
            return True
        return -OWN_STATUS_LEAD <= set_at - request.made_at <= STATUS_LEAD

    def _is_answered(self, *, surely: bool = False) -> bool:
        """Whether the resource is complete since the request was made, under an id that this request would answer with.

        The time matters: before an Update the resource was complete, too. A status that lags would pass for an answer, and
        the stack would hang. `surely`: no status from before the request passes, however long it lags.
        """
        request = self.request
        if request.type is RequestType.DELETE:
            return False
        resource = self._resource()
        if resource.get("ResourceStatus") not in _COMPLETE:
            return False
        set_at = resource.get("LastUpdatedTimestamp")
        if not (self._is_set_after(set_at) if surely else self._is_set_since(resource)):
            return False
        declared = KeyId.parse(str(request.properties.get("KeyId", "")), request.home)
        return declared.uuid != "" and declared == KeyId.parse(resource.get("PhysicalResourceId", ""), request.home)


def _began(stack: Mapping[str, Any]) -> datetime:
    times: list[datetime] = [
        stack[name] for name in ("CreationTime", "LastUpdatedTime", "DeletionTime") if name in stack
    ]
    return max(times)
