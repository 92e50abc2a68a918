"""Creates, updates and deletes stacks as a user does, and waits for the end."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

POLL_SECONDS = 0.1
WAIT_SECONDS = 120

type Template = Mapping[str, Any] | str


class DidNotEnd(Exception):
    """A stack was still in progress at the end of the waiting time."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack after an operation: its final status, its outputs, and its events, oldest first."""

    name: str
    stack_id: str
    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Mapping[str, Any], ...] = ()

    def told(self) -> list[str]:
        """The events in short: `LogicalId STATUS`, oldest first."""
        return [f"{event['LogicalResourceId']} {event['ResourceStatus']}" for event in self.events]

    def reasons(self, logical_id: str | None = None) -> list[str]:
        """Why something failed: the reasons of failed events, oldest first."""
        return [
            event["ResourceStatusReason"]
            for event in self.events
            if event["ResourceStatus"].endswith("_FAILED") and logical_id in (None, event["LogicalResourceId"])
        ]


@dataclass(frozen=True, slots=True)
class Begun:
    """An operation that has begun. `already`: how many events the stack had before. `begun_by`: as for `Stacks.wait`."""

    stack_id: str
    already: int = 0
    begun_by: str = ""


class Stacks:
    """CloudFormation, for one caller. Each operation waits for its end, and returns the stack as it is then.

    `cloudformation`: a boto3 client. `more` are other parameters of CreateStack and UpdateStack, such as DisableRollback.
    """

    def __init__(
        self, cloudformation: Any, *, wait_seconds: float = WAIT_SECONDS, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self.cloudformation = cloudformation
        self._wait_seconds = wait_seconds
        self._poll_seconds = poll_seconds

    def begin(self, name: str, template: Template, parameters: Mapping[str, str] | None = None, **more: Any) -> str:
        """Begins to create a stack; returns its id."""
        made = self.cloudformation.create_stack(StackName=name, **_arguments(template, parameters), **more)
        return str(made["StackId"])

    def create(self, name: str, template: Template, parameters: Mapping[str, str] | None = None, **more: Any) -> Stack:
        return self.wait(self.begin(name, template, parameters, **more))

    def begin_update(
        self, name: str, template: Template, parameters: Mapping[str, str] | None = None, **more: Any
    ) -> Begun:
        already = len(self._events(name))
        changed = self.cloudformation.update_stack(StackName=name, **_arguments(template, parameters), **more)
        return Begun(changed["StackId"], already, begun_by="UPDATE")

    def update(self, name: str, template: Template, parameters: Mapping[str, str] | None = None, **more: Any) -> Stack:
        """Returns only this operation's events."""
        return self.end_of(self.begin_update(name, template, parameters, **more))

    def begin_delete(self, name: str) -> Begun:
        """A stack that does not exist is an error of CloudFormation's."""
        stack_id = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        already = len(self._events(stack_id))
        self.cloudformation.delete_stack(StackName=name)
        return Begun(stack_id, already, begun_by="DELETE")

    def delete(self, name: str) -> Stack:
        """Returns only this operation's events."""
        return self.end_of(self.begin_delete(name))

    def end_of(self, begun: Begun) -> Stack:
        """Waits for the end of an operation. Returns only its events."""
        return self.wait(begun.stack_id, begun.already, begun.begun_by)

    def continue_rollback(self, name: str) -> Stack:
        """Returns only this operation's events."""
        stack_id = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        already = len(self._events(stack_id))
        self.cloudformation.continue_update_rollback(StackName=name)
        return self.wait(stack_id, already, begun_by="UPDATE_ROLLBACK_COMPLETE")

    def wait(self, stack_id: str, already: int = 0, begun_by: str = "") -> Stack:
        """Waits for the end of the stack's operation. `begun_by`: what the status must begin with: others are older."""
        deadline = time.monotonic() + self._wait_seconds
        status = ""
        while time.monotonic() < deadline:
            stack = self.cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
            status = stack["StackStatus"]
            if not status.endswith("_IN_PROGRESS") and status.startswith(begun_by):
                return Stack(
                    name=stack["StackName"],
                    stack_id=stack_id,
                    status=status,
                    outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
                    events=tuple(self._events(stack_id)[already:]),
                )
            time.sleep(self._poll_seconds)
        raise DidNotEnd(f"stack {stack_id} is still {status} after {self._wait_seconds:.0f} s")

    def _events(self, name: str) -> list[dict[str, Any]]:
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def resource(self, name: str, logical_id: str) -> dict[str, Any] | None:
        """DescribeStackResource's answer; None if CloudFormation knows no such resource."""
        try:
            found = self.cloudformation.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return None
            raise
        return dict(found["StackResourceDetail"])


def _arguments(template: Template, parameters: Mapping[str, str] | None) -> dict[str, Any]:
    return {
        "TemplateBody": template if isinstance(template, str) else json.dumps(template),
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in (parameters or {}).items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }
