"""Virtual time, and tasks that take turns: whenever a task waits, the next event in time runs. Nothing else interleaves.

A task is a greenlet. `sleep` in a task lets others run; the code that sleeps need not know. Events run in the order of their
times, and for equal times in the order in which they were planned: so one seed gives one history.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

START = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC)
EVENTS_MAX = 200_000  # a history with more events would never end


class NeverEnds(Exception):
    """There are more events than any history has."""


class Task:
    """One flow of control. `error`: the exception that ended it, if any."""

    def __init__(self, scheduler: "Scheduler", name: str, run: Callable[[], Any]) -> None:
        self.name = name
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = Signal(scheduler)
        self._scheduler = scheduler
        self._run = run
        self._greenlet = greenlet(self._main, parent=scheduler.hub)

    def _main(self) -> None:
        try:
            self.result = self._run()
        except BaseException as error:  # noqa: BLE001  # a crash is how some tasks end
            self.error = error
        self._scheduler.ended(self)
        self.done.set(self)

    def go_on(self) -> None:
        self._greenlet.switch()

    def kill(self, error: BaseException) -> None:
        """Raises `error` in the task where it waits. Called from the hub or from another task, never from the task itself."""
        if self.done.is_set:
            return
        self._scheduler.forget(self)

        def end() -> None:
            if not self.done.is_set:
                self._greenlet.throw(error)

        self._scheduler.soon(end)

    def abandon(self) -> None:
        """Called from the hub after the history, so that no part of the task runs later, during another history."""
        if not self.done.is_set:
            self._greenlet.throw(GreenletExit)


class Signal:
    """A signal that tasks wait for. It is set once."""

    def __init__(self, scheduler: "Scheduler") -> None:
        self.is_set = False
        self.value: Any = None
        self._scheduler = scheduler
        self._waiting: list[Callable[[], None]] = []

    def set(self, value: Any = None) -> None:
        if self.is_set:
            return
        self.is_set, self.value = True, value
        for wake in self._waiting:
            self._scheduler.soon(wake)
        self._waiting.clear()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits, and returns whether it was set in time."""
        return wait_any(self._scheduler, (self,), seconds)

    def wakes(self, wake: Callable[[], None]) -> None:
        self._waiting.append(wake)


def wait_any(scheduler: "Scheduler", signals: Sequence[Signal], seconds: float | None = None) -> bool:
    """Waits until one of them is set. Returns whether one was set in time."""
    if not any(signal.is_set for signal in signals):
        scheduler.suspend(seconds, signals)
    return any(signal.is_set for signal in signals)


class Scheduler:
    """The clock of a history, and its events. Fits `imported_key_material.clock.Clock`."""

    def __init__(self, random: Random) -> None:
        self.hub = getcurrent()
        self.alive: dict[Task, None] = {}  # in the order in which they began
        self.broken: Exception | None = None  # ends the run: a task may catch every exception, so raising is not enough
        self._random = random
        self._now = START
        self._events: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._sleeping: dict[Task, int] = {}  # the turn that each task waits for
        self._tasks: dict[greenlet, Task] = {}

    # ---------------------------------------------------------------------------------------------------------- clock

    def now(self) -> datetime:
        return self._now

    def random(self) -> float:
        return self._random.random()

    def sleep(self, seconds: float) -> None:
        self.suspend(seconds)

    # --------------------------------------------------------------------------------------------------------- events

    def at(self, moment: datetime, action: Callable[[], object]) -> None:
        heapq.heappush(self._events, (max(moment, self._now), next(self._order), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        self.at(self._now + timedelta(seconds=seconds), action)

    def soon(self, action: Callable[[], object]) -> None:
        self.at(self._now, action)

    def spawn(self, name: str, run: Callable[[], Any]) -> Task:
        task = Task(self, name, run)
        self.alive[task] = None
        self._tasks[task._greenlet] = task  # noqa: SLF001  # two halves of one thing
        self.soon(task.go_on)
        return task

    def current(self) -> Task | None:
        return self._tasks.get(getcurrent())

    def suspend(self, seconds: float | None, signals: Sequence[Signal] = ()) -> None:
        """Lets others run until the seconds have passed, or one of the signals wakes the task."""
        task = self.current()
        if task is None:
            raise RuntimeError("Only a task may wait.")
        turn = next(self._order)
        self._sleeping[task] = turn

        def wake() -> None:
            if self._sleeping.get(task) == turn:  # else it already goes on, or was killed
                del self._sleeping[task]
                task.go_on()

        if seconds is not None:
            self.after(seconds, wake)
        for signal in signals:
            signal.wakes(wake)
        self.hub.switch()

    def forget(self, task: Task) -> None:
        self._sleeping.pop(task, None)

    def ended(self, task: Task) -> None:
        self.alive.pop(task, None)
        self._tasks.pop(task._greenlet, None)  # noqa: SLF001  # two halves of one thing

    def abandon(self) -> None:
        """Ends all living tasks. Called from the hub, after `run`."""
        for task in list(self.alive):
            task.abandon()

    def run(self, events_max: int = EVENTS_MAX) -> None:
        """Runs events until there are none. Time moves from one event to the next."""
        for _ in range(events_max):
            if not self._events:
                return
            self._now, _, action = heapq.heappop(self._events)
            action()
            if self.broken is not None:
                raise self.broken
        raise NeverEnds(f"more than {events_max} events")
