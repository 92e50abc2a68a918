"""CloudFormation, as far as functions read stacks: DescribeStacks, DescribeStackEvents, ListImports and others.

It shows the state that tests set on `Stack` and `Resource`, and does nothing by itself: it does not create, update or roll
back. Sentences are AWS's own. A stack is found by name until it is deleted, and by id permanently.

As recorded from real CloudFormation:

- events come newest first, the stack's own among them (2017-10-20); the first of a resource that has no id yet has an empty
  PhysicalResourceId (2017-10-20 to 2025-03-11), where DescribeStackResource and ListStackResources leave the key out (2016 to
  2022);
- what a clean-up deletes is of the type AWS::CloudFormation::CustomResource in its events (2020-10-22);
- of a resource that an update has removed, and of one whose creation failed, once that is rolled back, DescribeStackResource
  says that it does not exist (2025-10-16); after a rollback to nothing ListStackResources has it as DELETE_COMPLETE all the
  same (2021-06-22, 2022-04-02).

ListImports refuses an export that no stack imports, with the sentence of many users' reports.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from lab.clock import Now
from lab.cloudformation import request_shape
from lab.wire import aws_query, constraints
from lab.wire.aws_json import service_model
from lab.wire.transport import (
    DEFAULT_ACCOUNT,
    DEFAULT_REGION,
    AwsError,
    Caller,
    Refusal,
    Request,
    Response,
    caller_of,
)

DELETED = "DELETE_COMPLETE"
STACK_TYPE = "AWS::CloudFormation::Stack"
CLEANED_UP_TYPE = "AWS::CloudFormation::CustomResource"  # of a custom resource, in the events of a clean-up
PAGE_RESOURCES = 100


@dataclass
class Resource:
    """`physical_id` None: it has none yet."""

    logical_id: str
    type: str
    status: str
    status_since: datetime
    physical_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A status at one time: a resource's, or the stack's own. The stack's own has the stack's name and id as its ids."""

    id: str
    at: datetime
    logical_id: str
    type: str
    status: str
    physical_id: str | None


@dataclass
class Stack:
    """Setting `status` directly adds no event; `enter` adds one."""

    name: str
    id: str
    account: str
    region: str
    status: str
    created_at: datetime
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    resources: dict[str, Resource] = field(default_factory=dict)  # by logical id
    gone: dict[str, Resource] = field(default_factory=dict)  # only ListStackResources shows them
    events: list[Event] = field(default_factory=list)  # the oldest first
    imports: set[str] = field(default_factory=set)  # names of exports

    def enter(self, status: str, at: datetime) -> None:
        """The stack's own new status."""
        self.status = status
        self.tell(self.name, status, at, STACK_TYPE, self.id)

    def begin(self, status: str, at: datetime) -> None:
        """Like `enter`. If the status belongs to another stack operation, the previous one has ended."""
        before = self.status.removesuffix("_IN_PROGRESS").removesuffix("_COMPLETE_CLEANUP")
        if status in ("UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS") and before in ("CREATE", "UPDATE", "UPDATE_ROLLBACK"):
            failed = any(resource.status.endswith("_FAILED") for resource in self.resources.values())
            self.enter(f"{before}_{'FAILED' if failed else 'COMPLETE'}", at)
        self.enter(status, at)

    def set(self, logical_id: str, status: str, at: datetime, **changes: Any) -> Resource:
        """Sets a resource's status and the other `changes`. Makes the resource if it does not exist (`type` is needed then)."""
        known = self.resources.get(logical_id)
        if known is None:
            known = Resource(logical_id, changes.pop("type"), status, at)
            self.resources[logical_id] = known
            self.gone.pop(logical_id, None)
        known.status, known.status_since = status, at
        for name, value in changes.items():
            setattr(known, name, value)
        self.tell(logical_id, status, at, CLEANED_UP_TYPE if self._cleans_up(status) else known.type, known.physical_id)
        return known

    def set_old(self, logical_id: str, status: str, at: datetime, physical_id: str) -> None:
        """The status of an id that the resource no longer has. Only an event shows it."""
        self.tell(logical_id, status, at, CLEANED_UP_TYPE, physical_id)

    def forget(self, logical_id: str, *, listed: bool) -> None:
        """`listed`: ListStackResources still has it."""
        forgotten = self.resources.pop(logical_id)
        if listed:
            self.gone[logical_id] = forgotten

    def tell(self, logical_id: str, status: str, at: datetime, type_: str, physical_id: str | None) -> None:
        """Adds only an event."""
        self.events.append(Event(f"{logical_id}-{len(self.events)}", at, logical_id, type_, status, physical_id))

    def _cleans_up(self, status: str) -> bool:
        return self.status.endswith("_CLEANUP_IN_PROGRESS") and status.startswith("DELETE_")


class CloudFormation:
    name = "cloudformation"
    fault_answers = aws_query.FAULT_ANSWERS

    def __init__(self, clock: Now, *, seed: int = 0, page_resources: int = PAGE_RESOURCES) -> None:
        # False: ListStackResources leaves out resources that are being created. Documented for new stacks, not recorded.
        self.lists_unfinished = True
        self._clock = clock
        self._random = Random(seed)  # noqa: S311  # stack ids that repeat
        self._page_resources = page_resources
        self._stacks: list[Stack] = []
        self._model = service_model("cloudformation")

    def stack(
        self,
        name: str,
        *,
        status: str = "CREATE_IN_PROGRESS",
        region: str = DEFAULT_REGION,
        account: str = DEFAULT_ACCOUNT,
        created_at: datetime | None = None,
    ) -> Stack:
        """A new stack, created now by default. A name may be used again once its stack is deleted."""
        made_at = created_at or self._clock.now()
        unique = request_shape.unique_part(made_at, self._random)
        id_ = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/{unique}"
        stack = Stack(name, id_, account, region, status, created_at=made_at)
        stack.enter(status, stack.created_at)
        self._stacks.append(stack)
        return stack

    # ------------------------------------------------------------------------------------------------------ protocol

    def operation(self, request: Request) -> str:
        return aws_query.parameters(request.body).get("Action", "")

    def refuse(self, refusal: Refusal) -> Response:
        return aws_query.refused(refusal)

    def handle(self, request: Request) -> Response:
        params = aws_query.parameters(request.body)
        operation = params.pop("Action", "")
        run = _OPERATIONS.get(operation)
        if run is None:
            return self.refuse(Refusal(400, "InvalidAction", f"Could not find operation {operation}"))
        try:
            violations = constraints.violations(self._model.operation_model(operation).input_shape, params)
            if violations is not None:
                raise _invalid(violations)
            answer = run(self, params, caller_of(request.headers))
        except AwsError as error:
            return self.refuse(error.refusal)
        return aws_query.ok(self._model, operation, answer)

    # ---------------------------------------------------------------------------------------------------- operations

    def _describe_stacks(self, params: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        if "StackName" in params:
            return {"Stacks": [_shown(self._find(params["StackName"], caller))]}
        own = (one for one in self._stacks if (one.account, one.region) == caller and one.status != DELETED)
        return {"Stacks": [_shown(one) for one in own]}

    def _describe_stack_resource(self, params: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        stack = self._find(params["StackName"], caller, "Stack '{}' does not exist")
        logical_id = params["LogicalResourceId"]
        resource = stack.resources.get(logical_id)
        if resource is None:
            raise _invalid(f"Resource {logical_id} does not exist for stack {params['StackName']}")
        detail = {"StackName": stack.name, "StackId": stack.id, "LastUpdatedTimestamp": resource.status_since}
        return {"StackResourceDetail": detail | _resource(resource)}

    def _describe_stack_events(self, params: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        """The newest first."""
        stack = self._find(params["StackName"], caller, "Stack [{}] does not exist")
        events = [{"StackId": stack.id, "StackName": stack.name} | _event(one) for one in reversed(stack.events)]
        return self._page("StackEvents", events, params)

    def _list_stack_resources(self, params: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        stack = self._find(params["StackName"], caller)
        resources = [*filter(lambda one: self._lists(stack, one), stack.resources.values()), *stack.gone.values()]
        shown = [{"LastUpdatedTimestamp": one.status_since} | _resource(one) for one in resources]
        return self._page("StackResourceSummaries", shown, params)

    def _list_imports(self, params: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        """By name. A stack that is being made or updated counts, too."""
        name = params["ExportName"]
        alive = (one for one in self._stacks if (one.account, one.region) == caller and one.status != DELETED)
        importers = sorted(one.name for one in alive if name in one.imports)
        if not importers:
            raise _invalid(f"Export '{name}' is not imported by any stack.")
        return self._page("Imports", importers, params)

    def _lists(self, stack: Stack, resource: Resource) -> bool:
        if self.lists_unfinished or resource.status == "CREATE_COMPLETE":
            return True
        return not (stack.status == "CREATE_IN_PROGRESS" or resource.status == "CREATE_IN_PROGRESS")

    def _page(self, name: str, items: Sequence[object], params: Mapping[str, str]) -> dict[str, Any]:
        start = _start(params.get("NextToken"))
        end = start + self._page_resources
        answer: dict[str, Any] = {name: items[start:end]}
        if end < len(items):
            answer["NextToken"] = base64.urlsafe_b64encode(f"from {end}".encode()).decode()
        return answer

    def _find(self, reference: str, caller: Caller, missing: str = "Stack with id {} does not exist") -> Stack:
        for stack in reversed(self._stacks):
            by_name = stack.name == reference and stack.status != DELETED
            if (stack.account, stack.region) == caller and (by_name or stack.id == reference):
                return stack
        raise _invalid(missing.format(reference))


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("from "))
    except (ValueError, binascii.Error):
        raise _invalid("NextToken is not valid") from None


def _shown(stack: Stack) -> dict[str, Any]:
    shown = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "StackStatus": stack.status,
        "DisableRollback": False,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _resource(resource: Resource) -> dict[str, Any]:
    shown = {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _event(event: Event) -> dict[str, Any]:
    return {
        "EventId": event.id,
        "Timestamp": event.at,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id or "",
        "ResourceType": event.type,
        "ResourceStatus": event.status,
    }


_OPERATIONS: Mapping[str, Callable[[CloudFormation, Mapping[str, str], Caller], dict[str, Any]]] = {
    "DescribeStacks": CloudFormation._describe_stacks,  # noqa: SLF001  # the table of this module's own class
    "DescribeStackResource": CloudFormation._describe_stack_resource,  # noqa: SLF001  # the same
    "DescribeStackEvents": CloudFormation._describe_stack_events,  # noqa: SLF001  # the same
    "ListStackResources": CloudFormation._list_stack_resources,  # noqa: SLF001  # the same
    "ListImports": CloudFormation._list_imports,  # noqa: SLF001  # the same
}
