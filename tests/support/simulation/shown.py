"""What DescribeStacks and its like show of a stack: its changes, in their order, some of them a little late."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.support import cloudformation
from tests.support.simulation.requests import TYPE
from tests.support.simulation.scheduler import Scheduler

_LATE = 0.3  # how often a change is late, where changes may be


class Shown:
    """`lag_seconds`: how late a change may be shown; 0 for none."""

    def __init__(self, stack: cloudformation.Stack, scheduler: Scheduler, random: Random, lag_seconds: float) -> None:
        self.stack = stack
        self._scheduler = scheduler
        self._random = random
        self._lag_seconds = lag_seconds
        self._up_to = scheduler.now()

    def status(self, status: str, **times: datetime) -> None:
        def change() -> None:
            self.stack.status = status
            for name, value in times.items():
                setattr(self.stack, name, value)

        self._show(change)

    def resource(self, logical_id: str, status: str, physical_id: str | None) -> None:
        at = self._scheduler.now()
        changes: dict[str, Any] = {} if physical_id is None else {"physical_id": physical_id}

        def change() -> None:
            known = self.stack.resources.get(logical_id)
            if known is not None and physical_id is None and status == "CREATE_IN_PROGRESS":  # made anew: no id yet
                changes["physical_id"] = None
            self.stack.set(logical_id, status, at, **({} if known else {"type": TYPE}), **changes)

        self._show(change)

    def _show(self, change: Callable[[], None]) -> None:
        if self._lag_seconds == 0:
            change()
            return
        late = self._random.random() < _LATE
        at = self._scheduler.now() + timedelta(seconds=self._random.uniform(0, self._lag_seconds) if late else 0.0)
        self._up_to = max(self._up_to, at)
        self._scheduler.at(self._up_to, change)
