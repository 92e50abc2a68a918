"""What DescribeStacks and the other reads show of a stack: its changes, in their order, some of them a little late."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from lab.cloudformation import stack_reads
from lab.simulation.requests import TYPE
from lab.simulation.scheduler import Scheduler

_LATE = 0.3  # how often a change is late, if changes may be late
_FORGETS = ("UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE")


class Shown:
    """`lag_seconds`: how late a change may be shown; 0 for none.

    Resources that an update has removed, or a rollback has deleted, disappear (recorded 2025-10-16): at the end of the
    operation, or at once (`forgets_at_once`). The exact moment was not recorded.
    """

    def __init__(self, stack: stack_reads.Stack, scheduler: Scheduler, random: Random, lag_seconds: float) -> None:
        self.stack = stack
        self.forgets_at_once = False
        self._scheduler = scheduler
        self._random = random
        self._lag_seconds = lag_seconds
        self._up_to = scheduler.now()

    def status(self, status: str, **times: datetime) -> None:
        at = self._scheduler.now()

        def change() -> None:
            for name, value in times.items():
                setattr(self.stack, name, value)
            self.stack.enter(status, at)
            if status in _FORGETS:
                for logical_id in list(self.stack.resources):
                    self._forget(logical_id)

        self._show(change)

    def resource(self, logical_id: str, status: str, physical_id: str | None) -> None:
        at = self._scheduler.now()
        changes: dict[str, Any] = {} if physical_id is None else {"physical_id": physical_id}

        def change() -> None:
            known = self.stack.resources.get(logical_id)
            if known is not None and physical_id is None and status == "CREATE_IN_PROGRESS":  # made anew: no id yet
                changes["physical_id"] = None
            self.stack.set(logical_id, status, at, **({} if known else {"type": TYPE}), **changes)
            if self.forgets_at_once and self.stack.status.endswith("_CLEANUP_IN_PROGRESS"):
                self._forget(logical_id)

        self._show(change)

    def old_id(self, logical_id: str, status: str, physical_id: str) -> None:
        """The status of an id that the resource no longer has."""
        at = self._scheduler.now()
        self._show(lambda: self.stack.set_old(logical_id, status, at, physical_id))

    def _forget(self, logical_id: str) -> None:
        """Forgets a deleted resource; at an operation's end, also a resource that a clean-up could not delete."""
        status = self.stack.resources[logical_id].status
        if status == "DELETE_COMPLETE" or (status == "DELETE_FAILED" and self.stack.status in _FORGETS):
            self.stack.forget(logical_id, listed=self.stack.status == "ROLLBACK_COMPLETE")

    def _show(self, change: Callable[[], None]) -> None:
        if self._lag_seconds == 0:
            change()
            return
        late = self._random.random() < _LATE
        at = self._scheduler.now() + timedelta(seconds=self._random.uniform(0, self._lag_seconds) if late else 0.0)
        self._up_to = max(self._up_to, at)
        self._scheduler.at(self._up_to, change)
