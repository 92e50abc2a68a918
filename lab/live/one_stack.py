"""One stack of an act: each wait ends with the act's deadline, and at once if the run is stopped.

`lab.local.stacks` waits by itself. Acts that run side by side need waits that the stage knows of.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lab.live.stage import Stage
from lab.local.stacks import DidNotEnd, Stack

NOT_WANTED: Final = "CloudFormation does not wait for this"  # the product's rule 9


@dataclass(frozen=True, slots=True)
class OneStack:
    """`stack_id`: its ARN, so that it is found after its deletion, too."""

    stage: Stage
    stack_id: str

    @classmethod
    def begin(cls, stage: Stage, suffix: str, resources: Mapping[str, Any], **more: Any) -> "OneStack":
        """Begins to create it. `more`: other parameters of CreateStack, such as OnFailure."""
        name = stage.made.note("stack", suffix)
        made = stage.client("cloudformation").create_stack(
            StackName=name, TemplateBody=json.dumps({"Resources": dict(resources)}), **more
        )
        return cls(stage, str(made["StackId"]))

    @property
    def name(self) -> str:
        return self.stack_id.split("/")[1]

    def update(self, resources: Mapping[str, Any], seconds: float) -> Stack:
        """Only this operation's events."""
        before = self.events_so_far()
        self.stage.client("cloudformation").update_stack(
            StackName=self.stack_id, TemplateBody=json.dumps({"Resources": dict(resources)})
        )
        return self.wait(seconds, before)

    def delete(self, seconds: float) -> Stack:
        """Only this operation's events."""
        before = self.events_so_far()
        self.stage.client("cloudformation").delete_stack(StackName=self.stack_id)
        return self.wait(seconds, before)

    def wait(self, seconds: float, before: int = 0) -> Stack:
        """Waits until it is at rest, and has more than so many events. Raises DidNotEnd."""
        found = self.stage.wait_for(lambda: self.at_rest(before), seconds)
        if found is None:
            raise DidNotEnd(f"stack {self.name} is still in progress after {seconds:.0f} s")
        return found

    def events_so_far(self) -> int:
        return len(self._events())

    def at_rest(self, before: int = 0) -> Stack | None:
        """The stack, if it is at rest and has more than so many events."""
        cloudformation = self.stage.client("cloudformation")
        shown = cloudformation.describe_stacks(StackName=self.stack_id)["Stacks"][0]
        status = str(shown["StackStatus"])
        if status.endswith("_IN_PROGRESS"):
            return None
        events = self._events()
        return Stack(shown["StackName"], self.stack_id, status, {}, tuple(events[before:])) if events[before:] else None

    def _events(self) -> list[dict[str, Any]]:
        pages = self.stage.client("cloudformation").get_paginator("describe_stack_events")
        return [event for page in pages.paginate(StackName=self.stack_id) for event in page["StackEvents"]][::-1]


def seconds_of(stack: Stack, logical_id: str) -> float:
    """From the resource's first event to its last."""
    times = [event["Timestamp"] for event in stack.events if event["LogicalResourceId"] == logical_id]
    return _between(times)


def seconds_of_all(stack: Stack) -> float:
    """From the operation's first event to its last."""
    times = [event["Timestamp"] for event in stack.events]
    return _between(times)


def _between(times: Sequence[datetime]) -> float:
    return round((max(times) - min(times)).total_seconds(), 1) if times else 0.0


def reason(stack: Stack, logical_id: str = "Material") -> str:
    """The first reason of the resource's failure; "" if it did not fail."""
    return next(iter(stack.reasons(logical_id)), "")


def told_not_wanted(stacks: Sequence[Stack]) -> list[str]:
    """Every reason in which the function's rule 9 says no."""
    return [one for stack in stacks for one in stack.reasons() if NOT_WANTED in one]
