"""Stacks that are created: independent resources, started one after the other. The stack waits for all of them.

A FAILED answer does not stop the others, so that each way of getting through the quota is counted to its end. A real stack
rolls back at the first FAILED answer, unless it has --disable-rollback.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

from lab.cloudformation.stack_reads import CloudFormation
from lab.quota.crowd import NEXT_STARTS_AFTER_SECONDS
from lab.quota.edges import ACCOUNT, REGION
from lab.simulation.functions import Functions
from lab.simulation.requests import Answer, Requests
from lab.simulation.resources import TAKEN_OVER_SECONDS
from lab.simulation.scheduler import Scheduler
from lab.simulation.shown import Shown
from lab.world import BEFORE_FIRST_RESOURCE

Template = Mapping[str, Mapping[str, Any]]  # logical id -> properties


@dataclass(frozen=True, slots=True)
class Answered:
    """How one resource's request ended. `reason`: "" if it succeeded."""

    stack: int
    sent_at: datetime
    at: datetime
    reason: str

    @property
    def waited_seconds(self) -> float:
        return (self.at - self.sent_at).total_seconds()


class GrowingStack:
    def __init__(
        self,
        number: int,
        functions: Functions,
        cloudformation: CloudFormation,
        scheduler: Scheduler,
        random: Random,
        done: Callable[[Answered], None],
    ) -> None:
        self.number = number
        self.name = f"keys-{number}"
        created_at = scheduler.now() - BEFORE_FIRST_RESOURCE
        shown = cloudformation.stack(self.name, region=REGION, account=ACCOUNT, created_at=created_at)
        self.id = shown.id
        self.requests = Requests(scheduler, random, functions, ACCOUNT, lambda _: None)
        self._shown = Shown(shown, scheduler, random, 0.0)
        self._scheduler = scheduler
        self._random = random
        self._done = done

    def create(self, template: Template, *, starts_per_second: float, lanes: int) -> None:
        """Returns at once; the resources start as time passes. `lanes`: chains of DependsOn; 0: one for each resource."""
        resources = list(template.items())
        for lane in range(min(lanes, len(resources)) or len(resources)):
            chain = resources[lane :: lanes or len(resources)]
            begin = partial(self._scheduler.spawn, f"{self.name}, lane {lane}", partial(self._create_all, chain))
            self._scheduler.after(lane / starts_per_second, begin)

    def _create_all(self, chain: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        for number, (logical_id, properties) in enumerate(chain):
            if number:
                self._scheduler.sleep(NEXT_STARTS_AFTER_SECONDS)
            self._create(logical_id, properties)

    def _create(self, logical_id: str, properties: Mapping[str, Any]) -> None:
        self._shown.resource(logical_id, "CREATE_IN_PROGRESS", None)
        event = self.requests.event("Create", self.id, logical_id, properties)
        answer = self.requests.ask(event, rollback=False, cancel=None)
        self._shown.resource(logical_id, "CREATE_IN_PROGRESS", answer.physical_id)
        self._scheduler.sleep(self._random.uniform(*TAKEN_OVER_SECONDS))
        status = "CREATE_COMPLETE" if answer.succeeded else "CREATE_FAILED"
        self._shown.resource(logical_id, status, answer.physical_id)
        self._end(event, answer)

    def _end(self, event: Mapping[str, Any], answer: Answer) -> None:
        sent_at = self.requests.sent[event["RequestId"]].sent_at
        reason = "" if answer.succeeded else answer.reason or "no reason"
        self._done(Answered(self.number, sent_at, self._scheduler.now(), reason))
