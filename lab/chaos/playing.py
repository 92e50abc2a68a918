"""Plays a story on the local AWS step by step, and says what is wrong with the result.

It begins an operation and waits for its end, without any help. When all stories have ended and nothing is broken any more,
`mend` does what docs/internals/design.md leaves to people: it repeats a deletion that Lambda gave up, and continues a
rollback.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lab.chaos.director import ON_FAILURE
from lab.chaos.material import EMPTY, found_in
from lab.chaos.stories import KEY, Step, Story
from lab.chaos.verdicts import Heard, Holds, heard, holds_after, statuses
from lab.local.session import LocalAws
from lab.local.stacks import DidNotEnd, Stack, Stacks

PATIENCE_SECONDS: Final = 400.0
LOOK_SECONDS: Final = 0.4
FAILED: Final = frozenset({"ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"})


class Wrong(Exception):
    """Something that must not be."""


@dataclass
class Player:
    """One stack. `statuses`: its operations' final statuses. `kept`: keys that hold what an invocation that died imported."""

    aws: LocalAws
    story: Story
    tried_again: Callable[[str], bool]  # whether a Create or an Update of a stack was tried again
    statuses: list[str] = field(default_factory=list)
    given_up: int = 0
    kept: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._stacks = Stacks(
            self.aws.client("cloudformation"), wait_seconds=PATIENCE_SECONDS, poll_seconds=LOOK_SECONDS
        )
        self._kms: Any = self.aws.client("kms")
        self._keys: dict[str, str] = dict(self.story.keys)
        self._holds: Holds = self.story.holds
        self._left = list(self.story.steps)
        self.events: list[Mapping[str, Any]] = []

    @property
    def status(self) -> str:
        return self.statuses[-1] if self.statuses else ""

    def play(self) -> None:
        """Raises Wrong, with the story so far."""
        while self._left and self.status not in FAILED:
            step = self._left.pop(0)
            if self.status == "ROLLBACK_COMPLETE" and step.verb != "DELETE":
                continue  # nothing else can be done with such a stack
            self._step(step, _OPERATIONS[step.verb])

    def mend(self) -> None:
        """Does what is left to people. Raises Wrong."""
        if self.status == "UPDATE_ROLLBACK_FAILED":
            step = Step("CONTINUE", "UPDATE_ROLLBACK_COMPLETE", self._holds)
            self._step(step, lambda stacks, name, _step: stacks.continue_rollback(name))
        elif self.status in FAILED:
            self._left = [Step("DELETE", "DELETE_COMPLETE", {})]
        while self._left and self._left[0].verb != "DELETE":
            self._left.pop(0)
        for step in self._left:
            self._step(step, _OPERATIONS["DELETE"])
        self._left = []

    def _step(self, step: Step, operation: Callable[[Stacks, str, Step], Stack]) -> None:
        begun = time.time()
        try:
            if step.before is not None:
                step.before(self._keys[KEY])
            stack = operation(self._stacks, self.story.name, step)
        except (DidNotEnd, ClientError, BotoCoreError) as error:
            raise Wrong(f"{step.verb} did not come to an end: {error}") from error
        self.events += stack.events
        self.statuses.append(stack.status)
        self._learn_key(stack)
        self._judge(step, stack, begun)

    def _learn_key(self, stack: Stack) -> None:
        for event in stack.events:
            if event["LogicalResourceId"] == KEY and event.get("PhysicalResourceId") and KEY not in self._keys:
                found = self._kms.describe_key(KeyId=event["PhysicalResourceId"])["KeyMetadata"]
                self._keys[KEY] = found["Arn"]

    def _judge(self, step: Step, stack: Stack, begun: float) -> None:
        came = heard(
            [one for one in self.aws.journal("request") if one["StackId"] == stack.stack_id and one["time"] >= begun],
            [one for one in self.aws.journal("answer") if stack.stack_id in one["to"] and one["time"] >= begun],
        )
        self.given_up += len(came.given_up)
        if came.unanswered:
            raise Wrong(f"nobody answered the {', the '.join(came.unanswered)}")
        if came.failed and not step.refused:
            raise Wrong(f"{step.verb}: the function itself said FAILED: {came.failed[0]}")
        if stack.status not in statuses(step, came):
            context = (
                f"after {', '.join(came.given_up)} had been given up"
                if came.given_up
                else "though nothing was given up"
            )
            raise Wrong(f"{step.verb} came to {stack.status} {context}: {' '.join(stack.reasons())}")
        before = self._holds
        after = holds_after(step, stack.status, before, came, self._keys)
        mine = {name: held for name, held in after.items() if name in self._keys}
        self._holds = {**mine, **self._adopted(step, came)}
        if step.verb == "DELETE" and not self.given_up:
            left = {name: held for name, held in self._holds.items() if not step.holds.get(name, held) <= held}
            if left:
                raise Wrong(f"the deletion leaves {_listed(left)}: no Delete came that would have removed it")
        self._prove(step, stack)

    def _adopted(self, step: Step, came: Heard) -> Holds:
        """Keys that should be empty and are not: their Deletes came with the bare key id, which touches nothing.

        Rule 1: if an invocation died between its import and its answer, the next try finds a key that holds material, and
        treats it as a key that was in use before. It knows better only if the stack itself made the key.
        """
        if not self.tried_again(self.story.name):
            return {}
        return {
            name: self._holds[name] | {EMPTY}
            for name, arn in self.story.keys.items()
            if arn.rpartition("/")[2] in came.deleted_ids and EMPTY in step.holds.get(name, ())
        }

    def _prove(self, step: Step, stack: Stack) -> None:
        """Proves it by cryptography. The on-failure function's log must say if a key keeps an abandoned Create's material."""
        self.prove(f"{step.verb} came to {stack.status}")
        if step.verb == "CREATE" and any(key not in self.aws.logs(ON_FAILURE) for key in self.kept):
            raise Wrong("a key keeps what a Create that was given up imported, and no log says so")
        if step.days is not None and stack.status == step.status:
            self._prove_expiry(step.days)

    def prove(self, when: str) -> None:
        """Proves that each key holds what it must or may hold. Raises Wrong."""
        self.kept = set()
        for name, may_hold in self._holds.items():
            found = found_in(self._kms, self._keys[name], self.story.materials)
            if found not in may_hold:
                raise Wrong(f"{when}; key {name} must hold {' or '.join(sorted(may_hold))}, and holds {found}")
            if found != EMPTY and EMPTY in may_hold:
                self.kept.add(self._keys[name])

    def _prove_expiry(self, days: int) -> None:
        valid_to = self._kms.describe_key(KeyId=self._keys[KEY])["KeyMetadata"].get("ValidTo")
        latest = datetime.now(UTC) + timedelta(days=days)
        if valid_to is None or not latest - timedelta(hours=1) < valid_to <= latest:
            raise Wrong(f"the material must expire in {days} days, and expires {valid_to or 'never'}")

    def all_events(self) -> str:
        """All events of the stack, as text."""
        return json.dumps(self.events, default=str)


def _listed(holds: Holds) -> str:
    return ", ".join(f"{name}: {' or '.join(sorted(held))}" for name, held in sorted(holds.items()))


_OPERATIONS: Final[Mapping[str, Callable[[Stacks, str, Step], Stack]]] = {
    "CREATE": lambda stacks, name, step: stacks.create(name, step.template, step.parameters),
    "UPDATE": lambda stacks, name, step: stacks.update(name, step.template, step.parameters),
    "DELETE": lambda stacks, name, _step: stacks.delete(name),
}
