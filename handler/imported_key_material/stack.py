"""What CloudFormation knows of a request: whether it still waits for it, whether it rolls back, who else holds a key.

Rule 9 (docs/design.md): the right to invoke the function must not be enough to move keys, and a request that was queued or
delivered twice may come after its stack has moved on. So before anything is changed, CloudFormation is asked. It is asked
again for a minute before a "no" is believed, since statuses may lag.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from imported_key_material.calling import Caller
from imported_key_material.errors import Leave, NotWanted, ServiceRefused
from imported_key_material.request import Request, RequestType
from imported_key_material.waiting import Backoff, Deadline, poll

BELIEVED_AFTER_SECONDS: Final = 60.0
# A resource's status is set before its request is made. One that was set this much later is a later operation's.
STATUS_LEAD: Final = timedelta(seconds=10)
# X-Amz-Date is cut to the second; the stack's times are not.
CUT_OFF: Final = timedelta(seconds=1)

STATUS_BACKOFF: Final = Backoff(first_seconds=1.0, cap_seconds=10.0)
_ROLLING_BACK: Final = frozenset({"UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"})
_GONE: Final = frozenset({"DELETE_IN_PROGRESS", "DELETE_COMPLETE"})
_OWN_STATUS: Final = {RequestType.CREATE: "CREATE_IN_PROGRESS", RequestType.UPDATE: "UPDATE_IN_PROGRESS"}


class CloudFormation(Protocol):
    """The calls used of boto3's client."""

    def describe_stacks(self, **parameters: object) -> Mapping[str, Any]: ...
    def describe_stack_resource(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_stack_resources(self, **parameters: object) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Holder:
    """A custom resource of the stack that holds a key."""

    logical_id: str
    physical_id: str


def key_uuid(key_id: str) -> str:
    """The part that the ARN and the id of a key share."""
    return key_id.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack of one request, as CloudFormation shows it at the moment of each call."""

    request: Request
    cloudformation: CloudFormation
    caller: Caller

    def rolling_back(self) -> bool:
        """Whether an Update is a rollback's. The event does not tell; the stack's status does."""
        return self._describe()["StackStatus"] in _ROLLING_BACK

    def require_wanted(self) -> None:
        """Raises NotWanted where CloudFormation does not wait for the request; Leave where it has its answer already."""
        clock = self.caller.clock
        patience = Deadline(clock, clock.now() + timedelta(seconds=BELIEVED_AFTER_SECONDS)).earlier(
            self.caller.deadline
        )
        last: list[str] = []

        def wanted() -> bool | None:
            last[:] = [self._why_not()]
            return None if last[0] else True

        if poll(patience, STATUS_BACKOFF, wanted):
            return
        if last[0] == _ANSWERED:
            raise Leave
        raise NotWanted(f"CloudFormation does not wait for this {self.request.type} request: {last[0]}")

    def holder_of(self, key_arn: str) -> Holder | None:
        """Another resource, or this one under its present id, that holds the key: in the ARN form if there is one.

        Custom resources alone: the key's own resource bears the bare id, too. What is being deleted holds nothing.
        """
        found: list[Holder] = []
        parameters = {"StackName": self.request.stack_id}
        while True:
            page = self.caller.call(
                "cloudformation:ListStackResources",
                lambda: self.cloudformation.list_stack_resources(**parameters),
                where="KeyId",
            )
            for resource in page["StackResourceSummaries"]:
                physical_id = resource.get("PhysicalResourceId", "")
                is_custom = (
                    resource["ResourceType"].startswith("Custom::")
                    or resource["ResourceType"] == "AWS::CloudFormation::CustomResource"
                )
                if (
                    is_custom
                    and physical_id in (key_arn, key_uuid(key_arn))
                    and resource["ResourceStatus"] not in _GONE
                ):
                    found.append(Holder(resource["LogicalResourceId"], physical_id))
            if "NextToken" not in page:
                return min(found, key=lambda holder: holder.physical_id != key_arn, default=None)
            parameters["NextToken"] = page["NextToken"]

    # ------------------------------------------------------------------------------------------------ what it is told

    def _describe(self) -> Mapping[str, Any]:
        answer = self.caller.call(
            "cloudformation:DescribeStacks",
            lambda: self.cloudformation.describe_stacks(StackName=self.request.stack_id),
            where="StackId",
        )
        stack: Mapping[str, Any] = answer["Stacks"][0]
        return stack

    def _why_not(self) -> str:
        """Why the request is not wanted, or ""."""
        stack, request = self._describe(), self.request
        status = stack["StackStatus"]
        if request.made_at is not None:
            age = (self.caller.clock.now() - request.made_at).total_seconds()
            if age > request.service_timeout_seconds:
                return f"it is {age:.0f} seconds old, and ServiceTimeout is {request.service_timeout_seconds}."
            begun = max(stack[name] for name in ("CreationTime", "LastUpdatedTime", "DeletionTime") if name in stack)
            if begun > request.made_at + CUT_OFF:
                return "it was made before the stack's present operation began."
        if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            return self._answered() or f"the stack is {status}."
        return self._why_not_resource()

    def _why_not_resource(self) -> str:
        resource, request = self._resource(), self.request
        status = resource.get("ResourceStatus", "not in the stack")
        if request.type is RequestType.DELETE:
            if status == "CREATE_IN_PROGRESS":
                return f"{request.logical_id} is being created."
            return ""
        if status != _OWN_STATUS[request.type]:
            return self._answered(resource) or f"{request.logical_id} is {status}."
        set_at: datetime | None = resource.get("LastUpdatedTimestamp")
        if request.made_at is not None and set_at is not None and set_at > request.made_at + STATUS_LEAD:
            return f"a later operation is at work on {request.logical_id}."
        return ""

    def _answered(self, resource: Mapping[str, Any] | None = None) -> str:
        """_ANSWERED where the resource stands complete under an id that this request would answer with."""
        if self.request.type is RequestType.DELETE:
            return ""
        resource = self._resource() if resource is None else resource
        complete = resource.get("ResourceStatus") in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        key_id = str(self.request.properties.get("KeyId", ""))
        stands = key_uuid(resource.get("PhysicalResourceId", "")) == key_uuid(key_id) != ""
        return _ANSWERED if complete and stands else ""

    def _resource(self) -> Mapping[str, Any]:
        """What the stack says of this logical id; nothing where it does not know it."""
        try:
            answer = self.caller.call(
                "cloudformation:DescribeStackResource",
                lambda: self.cloudformation.describe_stack_resource(
                    StackName=self.request.stack_id, LogicalResourceId=self.request.logical_id
                ),
                where="StackId",
            )
        except ServiceRefused as refused:
            if refused.code == "ValidationError":
                return {}
            raise
        detail: Mapping[str, Any] = answer["StackResourceDetail"]
        return detail


_ANSWERED: Final = "it has been answered already."
