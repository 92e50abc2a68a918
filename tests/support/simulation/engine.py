"""CloudFormation's engine for stacks of custom resources, with its ugly sides.

What it does, from AWS's documentation and from what people have seen (CloudFormation User Guide; aws-cdk issues 5525, 13527,
26139, 36951):

- resources of one operation are worked on at once; when one fails, those under way are cancelled: nobody waits for their
  answers any more, and a cancelled Create is followed by a Delete with an id that CloudFormation made up;
- a failed Create is followed by a Delete with the id of its FAILED answer; a failed Update by an Update with the properties
  swapped, and a FAILED answer's id is kept;
- an Update that answers another id is a replacement: the old id is deleted in the clean-up, which tries three times and then
  forgets the resource; a rollback updates back, and deletes the new id in its clean-up;
- the first answer to the current request counts; all others are ignored. No answer within ServiceTimeout is a failure;
- an answer of more than 4,096 bytes, without an id, or for another request is a failure.

`visible` is what DescribeStacks and its like show: it may lag behind.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from string import ascii_uppercase, digits
from typing import Any
from urllib.parse import quote
from uuid import UUID

from tests.support import cloudformation
from tests.support.simulation.functions import Functions
from tests.support.simulation.scheduler import Scheduler, Signal

TYPE = "Custom::ImportedKeyMaterial"
CLEAN_UP_TRIES = 3
BODY_MAX_BYTES = 4096
Template = Mapping[str, Mapping[str, Any]]  # logical id -> properties


@dataclass
class Answer:
    """What CloudFormation took for a request."""

    status: str
    physical_id: str
    reason: str = ""
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCESS"


@dataclass
class Resource:
    """A custom resource that stands, as the engine knows it."""

    logical_id: str
    properties: Mapping[str, Any]
    physical_id: str
    status: str
    retained: bool = False


@dataclass
class Pending:
    """A request that CloudFormation waits for."""

    event: Mapping[str, Any]
    answered: Signal
    rollback: bool


class Cancelled(Exception):
    """The operation goes back: nobody waits for this request any more."""

    def __init__(self, *, sent: bool) -> None:
        self.sent = sent
        super().__init__()


class Stack:
    """One stack and the operations on it; one at a time, each as a task."""

    def __init__(
        self,
        name: str,
        *,
        account: str,
        region: str,
        scheduler: Scheduler,
        random: Random,
        functions: Functions,
        service: cloudformation.CloudFormation,
        tell: Callable[[str, str], None],
        lag_seconds: float,
    ) -> None:
        self.name = name
        self.region = region
        self.status = "NONE"
        self.resources: dict[str, Resource] = {}
        self.pending: dict[str, Pending] = {}  # by request id
        self.operation_rolls_back = False
        self.on_request: Callable[[Mapping[str, Any], bool], None] = lambda *_: None
        self.on_settled: Callable[[Stack, Mapping[str, Any], Answer, bool], None] = lambda *_: None
        self._account = account
        self._scheduler = scheduler
        self._random = random
        self._functions = functions
        self._service = service
        self._tell_all = tell
        self._lag_seconds = lag_seconds
        self._shown_at = scheduler.now()
        self._cancel: Signal | None = None
        self.visible: cloudformation.Stack | None = None

    @property
    def id(self) -> str:
        return self.visible.id if self.visible else ""

    @property
    def at_rest(self) -> bool:
        return not self.status.endswith("_IN_PROGRESS")

    @property
    def stands(self) -> bool:
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")

    # --------------------------------------------------------------------------------------------------- what is shown

    def _tell(self, what: str) -> None:
        self._tell_all("cfn", f"{self.name}: {what}")

    def _show(self, change: Callable[[cloudformation.Stack], None]) -> None:
        """Makes a change visible, in order, at once or a little later."""
        stack = self.visible
        if stack is None:
            raise RuntimeError("There is no stack.")
        if self._lag_seconds == 0:
            change(stack)
            return
        lag = self._random.uniform(0, self._lag_seconds) if self._random.random() < 0.3 else 0.0
        self._shown_at = max(self._shown_at, self._scheduler.now() + timedelta(seconds=lag))
        self._scheduler.at(self._shown_at, lambda: change(stack))

    def _set_status(self, status: str, **times: Any) -> None:
        self.status = status
        self._tell(status)

        def change(stack: cloudformation.Stack) -> None:
            stack.status = status
            for name, value in times.items():
                setattr(stack, name, value)

        self._show(change)

    def _set_resource(self, logical_id: str, status: str, physical_id: str | None = None) -> None:
        at = self._scheduler.now()
        changes = {} if physical_id is None else {"physical_id": physical_id}
        if logical_id in self.resources:
            self.resources[logical_id].status = status

        def change(stack: cloudformation.Stack) -> None:
            if logical_id in stack.resources:
                stack.set(logical_id, status, at, **changes)
            else:
                stack.set(logical_id, status, at, type=TYPE, **changes)

        self._show(change)

    # -------------------------------------------------------------------------------------------------------- requests

    def _event(self, kind: str, logical_id: str, properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        request_id = str(UUID(int=self._random.getrandbits(128), version=4))
        function = f"arn:aws:lambda:{self.region}:{self._account}:function:imported-key-material"
        bucket = f"cloudformation-custom-resource-response-{self.region.replace('-', '')}"
        return {
            "RequestType": kind,
            "ServiceToken": function,
            "ResponseURL": (
                f"https://{bucket}.s3.{self.region}.amazonaws.com/"
                f"{quote(f'{self.id}|{logical_id}|{request_id}', safe='')}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                f"&X-Amz-Date={self._scheduler.now():%Y%m%dT%H%M%SZ}&X-Amz-Expires=7200&X-Amz-Signature={SIGNATURE}"
            ),
            "StackId": self.id,
            "RequestId": request_id,
            "LogicalResourceId": logical_id,
            "ResourceType": TYPE,
            "ResourceProperties": {"ServiceToken": function, **properties},
            **more,
        }

    def _request(self, event: Mapping[str, Any], *, cancellable: bool) -> Answer:
        """Sends a request and waits: for its answer, for ServiceTimeout, or until the operation is cancelled."""
        self._scheduler.sleep(self._random.uniform(0.01, 0.3))
        if cancellable and self._cancel is not None and self._cancel.is_set:
            raise Cancelled(sent=False)
        pending = Pending(event, Signal(self._scheduler), rollback=self.operation_rolls_back)
        self.pending[event["RequestId"]] = pending
        self._tell(f"{event['RequestType']} {event['LogicalResourceId']} {_short(event)}")
        self.on_request(event, pending.rollback)
        self._functions.invoke(event)
        timeout = float(event["ResourceProperties"].get("ServiceTimeout", 3600))
        try:
            if cancellable and self._cancel is not None:
                either = Signal(self._scheduler)
                for signal in (pending.answered, self._cancel):
                    self._relay(signal, either)
                either.wait(timeout)
                if not pending.answered.is_set and self._cancel.is_set:
                    raise Cancelled(sent=True)
            else:
                pending.answered.wait(timeout)
        finally:
            del self.pending[event["RequestId"]]
        if not pending.answered.is_set:
            answer = Answer("FAILED", event.get("PhysicalResourceId") or self._made_up_id(event), "no answer in time")
        else:
            answer = pending.answered.value
        self._tell(f"takes {answer.status} {event['LogicalResourceId']} {_short_id(answer.physical_id)} {answer.reason}")
        self.on_settled(self, event, answer, pending.rollback)
        return answer

    def _relay(self, signal: Signal, other: Signal) -> None:
        def run() -> None:
            signal.wait()
            other.set()

        self._scheduler.spawn(f"{self.name} relay", run)

    def _made_up_id(self, event: Mapping[str, Any]) -> str:
        return f"{self.name}-{event['LogicalResourceId']}-{''.join(self._random.choices(ascii_uppercase + digits, k=13))}"

    def take(self, event: Mapping[str, Any], body: bytes) -> None:
        """A PUT to a ResponseURL has arrived."""
        pending = self.pending.get(event["RequestId"])
        if pending is None or pending.answered.is_set:
            return
        answer = json.loads(body)
        names = ("StackId", "RequestId", "LogicalResourceId")
        if len(body) > BODY_MAX_BYTES or not answer.get("PhysicalResourceId"):
            taken = Answer("FAILED", event.get("PhysicalResourceId") or self._made_up_id(event), "an answer that is none")
        elif any(answer[name] != event[name] for name in names):
            return
        else:
            taken = Answer(
                answer["Status"], answer["PhysicalResourceId"], answer.get("Reason", ""), answer.get("Data", {})
            )
        pending.answered.set(taken)

    # ------------------------------------------------------------------------------------------------------- operations

    def _at_once(self, works: Mapping[str, Callable[[], bool]]) -> bool:
        """Runs all, each as a task; the first that fails cancels the others. Whether all succeeded."""
        self._cancel = self._cancel or Signal(self._scheduler)
        cancel = self._cancel

        def one(work: Callable[[], bool]) -> bool:
            try:
                done = work()
            except Cancelled:
                done = False
            if not done:
                cancel.set()
            return done

        tasks = []
        for name, work in works.items():
            tasks.append(self._scheduler.spawn(f"{self.name}.{name}", lambda work=work: one(work)))
        for task in tasks:
            task.done.wait()
            if task.error is not None:
                raise task.error
        self._cancel = None
        return all(task.result for task in tasks)

    def cancel(self) -> None:
        """cancel-update-stack, or whatever else makes the running operation go back."""
        if self._cancel is not None and not self._cancel.is_set:
            self._tell("is cancelled")
            self._cancel.set()

    def create(self, template: Template, *, keep_failed: bool = False, retained: frozenset[str] = frozenset()) -> None:
        """`keep_failed`: --disable-rollback."""
        self.visible = self._service.stack(self.name, region=self.region, account=self._account)
        self._set_status("CREATE_IN_PROGRESS")
        self._cancel = Signal(self._scheduler)
        made = self._at_once(
            {name: lambda name=name: self._create_one(name, template[name], name in retained) for name in template}
        )
        if made:
            self._set_status("CREATE_COMPLETE")
        elif keep_failed:
            self._set_status("CREATE_FAILED")
        else:
            self._set_status("ROLLBACK_IN_PROGRESS")
            self._delete_all()
            self._set_status("ROLLBACK_COMPLETE" if not self.resources else "ROLLBACK_FAILED")

    def delete(self) -> None:
        self._set_status("DELETE_IN_PROGRESS", deleted_at=self._scheduler.now())
        for resource in list(self.resources.values()):
            if resource.retained:
                del self.resources[resource.logical_id]
                self._set_resource(resource.logical_id, "DELETE_SKIPPED")
        self._delete_all()
        self._set_status("DELETE_COMPLETE" if not self.resources else "DELETE_FAILED")

    def _delete_all(self) -> None:
        self._cancel = None
        tasks = [
            self._scheduler.spawn(f"{self.name}.delete", lambda resource=resource: self._delete_one(resource))
            for resource in list(self.resources.values())
        ]
        for task in tasks:
            task.done.wait()
            if task.error is not None:
                raise task.error

    def _create_one(self, logical_id: str, properties: Mapping[str, Any], retained: bool) -> bool:
        self._set_resource(logical_id, "CREATE_IN_PROGRESS")
        event = self._event("Create", logical_id, properties)
        resource = Resource(logical_id, properties, "", "CREATE_IN_PROGRESS", retained)
        try:
            answer = self._request(event, cancellable=True)
        except Cancelled as cancelled:
            if not cancelled.sent:
                self._set_resource(logical_id, "CREATE_FAILED")
                return False
            resource.physical_id = self._made_up_id(event)
            self.resources[logical_id] = resource
            self._set_resource(logical_id, "CREATE_FAILED", resource.physical_id)
            return False
        resource.physical_id = answer.physical_id
        self.resources[logical_id] = resource
        self._set_resource(logical_id, "CREATE_COMPLETE" if answer.succeeded else "CREATE_FAILED", answer.physical_id)
        return answer.succeeded

    def _delete_one(self, resource: Resource) -> bool:
        self._set_resource(resource.logical_id, "DELETE_IN_PROGRESS")
        event = self._event(
            "Delete", resource.logical_id, resource.properties, PhysicalResourceId=resource.physical_id
        )
        answer = self._request(event, cancellable=False)
        self._set_resource(resource.logical_id, "DELETE_COMPLETE" if answer.succeeded else "DELETE_FAILED")
        if answer.succeeded:
            self.resources.pop(resource.logical_id, None)
        return answer.succeeded

    def update(self, template: Template, *, retained: frozenset[str] = frozenset()) -> None:
        """Added, changed, replaced and removed resources; rolls back when one fails or the operation is cancelled."""
        self._set_status("UPDATE_IN_PROGRESS", updated_at=self._scheduler.now())
        before = {name: _copy(resource) for name, resource in self.resources.items()}
        touched: list[str] = []
        self._cancel = Signal(self._scheduler)
        works: dict[str, Callable[[], bool]] = {}
        for name, properties in template.items():
            if name not in before:
                works[name] = lambda name=name, properties=properties: self._create_one(name, properties, name in retained)
            elif before[name].properties != properties:
                touched.append(name)
                works[name] = lambda name=name, properties=properties: self._update_one(name, properties)
            if name in before:
                self.resources[name].retained = name in retained
        if self._at_once(works):
            self._clean_up(before, template)
            self._set_status("UPDATE_COMPLETE")
        else:
            sent = [name for name in touched if self.resources[name].properties is not before[name].properties]
            self._roll_back(before, sent, skip=frozenset())

    def _update_one(self, logical_id: str, properties: Mapping[str, Any]) -> bool:
        resource = self.resources[logical_id]
        self._set_resource(logical_id, "UPDATE_IN_PROGRESS")
        event = self._event(
            "Update",
            logical_id,
            properties,
            PhysicalResourceId=resource.physical_id,
            OldResourceProperties={"ServiceToken": "", **resource.properties},
        )
        try:
            answer = self._request(event, cancellable=not self.operation_rolls_back)
        except Cancelled as cancelled:
            self._set_resource(logical_id, "UPDATE_FAILED")
            if cancelled.sent:
                resource.properties = properties
            return False
        resource.physical_id = answer.physical_id  # a FAILED answer's id is kept, too
        resource.properties = properties
        self._set_resource(
            logical_id, "UPDATE_COMPLETE" if answer.succeeded else "UPDATE_FAILED", answer.physical_id
        )
        return answer.succeeded

    def _clean_up(self, before: Mapping[str, Resource], template: Template) -> None:
        """After success: what was removed, and the old ids of what was replaced."""
        removed = [resource for name, resource in self.resources.items() if name not in template]
        replaced = [old for name, old in before.items() if name in template and self.resources[name].physical_id != old.physical_id]
        if not removed and not replaced:
            return
        self._set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._delete_in_clean_up(removed, replaced)

    def _delete_in_clean_up(self, removed: list[Resource], replaced: list[Resource]) -> None:
        for resource in removed:
            del self.resources[resource.logical_id]
            if resource.retained:
                self._set_resource(resource.logical_id, "DELETE_SKIPPED")
                continue
            for _ in range(CLEAN_UP_TRIES):
                self._set_resource(resource.logical_id, "DELETE_IN_PROGRESS")
                if self._delete_old(resource):
                    self._set_resource(resource.logical_id, "DELETE_COMPLETE")
                    break
                self._set_resource(resource.logical_id, "DELETE_FAILED")
        for old in replaced:
            if old.retained:
                continue
            for _ in range(CLEAN_UP_TRIES):
                if self._delete_old(old):
                    break

    def _delete_old(self, old: Resource) -> bool:
        event = self._event("Delete", old.logical_id, old.properties, PhysicalResourceId=old.physical_id)
        return self._request(event, cancellable=False).succeeded

    def _roll_back(self, before: Mapping[str, Resource], touched: list[str], skip: frozenset[str]) -> None:
        """Updates back what was touched, then deletes what was made. `continue-update-rollback` comes here again."""
        self._set_status("UPDATE_ROLLBACK_IN_PROGRESS")
        self.operation_rolls_back = True
        self._cancel = None
        replaced: list[Resource] = []
        failed: list[str] = []

        def back(name: str) -> bool:
            now = _copy(self.resources[name])
            ok = self._update_one(name, before[name].properties)
            if self.resources[name].physical_id != now.physical_id:
                replaced.append(now)
            return ok

        works = {name: lambda name=name: back(name) for name in touched if name not in skip}
        tasks = {name: self._scheduler.spawn(f"{self.name}.{name} back", work) for name, work in works.items()}
        for name, task in tasks.items():
            task.done.wait()
            if task.error is not None:
                raise task.error
            if not task.result:
                failed.append(name)
        self.operation_rolls_back = False
        if failed:
            self._set_status("UPDATE_ROLLBACK_FAILED")
            self.continue_rollback = lambda skip: self._roll_back(before, failed, skip)
            return
        for name in skip:
            self.resources[name].properties = before[name].properties
        made = [resource for name, resource in self.resources.items() if name not in before]
        if made or replaced:
            self._set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
            self._delete_in_clean_up(made, replaced)
        self._set_status("UPDATE_ROLLBACK_COMPLETE")

    continue_rollback: Callable[[frozenset[str]], None]


SIGNATURE = "c0ffee5ac1e7b09d2f4386a1c05be97d43f8126e0b9a7c5d1f2e3846b7a8c9d0"


def _copy(resource: Resource) -> Resource:
    return Resource(
        resource.logical_id, resource.properties, resource.physical_id, resource.status, resource.retained
    )


def _short_id(physical_id: str) -> str:
    kind, _, rest = physical_id.rpartition("/")
    return f"{'arn' if kind else 'id'}:{rest[:8]}"


def _short(event: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in event["ResourceProperties"].items() if name != "ServiceToken"}
    shown["KeyId"] = _short_id(str(shown.get("KeyId", "")))
    text = " ".join(f"{name}={value}" for name, value in shown.items())
    return f"{text} as {_short_id(event['PhysicalResourceId'])}" if "PhysicalResourceId" in event else text
