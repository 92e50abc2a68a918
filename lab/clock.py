"""A virtual clock for tests, and the real one, with the same methods.

Both fit `imported_key_material.clock.Clock`: now, sleep, random. Tests never really wait: `VirtualClock.sleep` moves the
clock. An action that was planned with `at` happens when the clock passes its moment. So a person, an expiry or another
invocation can come in the middle of a wait. This module imports nothing of the project: it runs in MiniStack's process, too.
"""

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

START = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC)


class Now(Protocol):
    """All that a service needs of a clock."""

    def now(self) -> datetime: ...  # with zone


class VirtualClock:
    """Stands still until it is moved. `seed` decides what `random` gives."""

    def __init__(self, start: datetime = START, *, seed: int = 0) -> None:
        self._now = start
        self._random = random.Random(seed)  # noqa: S311  # a test's jitter; nothing secret depends on it
        self._planned: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._lock = threading.RLock()

    def now(self) -> datetime:
        return self._now

    def random(self) -> float:
        return self._random.random()

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Moves on, and runs each action that is planned until then, at its own moment."""
        if seconds < 0:
            raise ValueError(f"The clock can't go back, and {seconds} seconds were asked for.")
        with self._lock:
            end = self._now + timedelta(seconds=seconds)
            while self._planned and self._planned[0][0] <= end:
                moment, _, action = heapq.heappop(self._planned)
                self._now = max(self._now, moment)
                action()
            self._now = max(self._now, end)  # an action may have slept

    def advance_to(self, moment: datetime) -> None:
        self.advance(max(0.0, (moment - self._now).total_seconds()))

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Plans `action` for `moment`. If the moment has passed, the next move runs it."""
        heapq.heappush(self._planned, (moment, next(self._order), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.at(self._now + timedelta(seconds=seconds), action)


class WallClock:
    """The real time: for the KMS server, and inside MiniStack."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def random(self) -> float:
        return random.random()  # noqa: S311  # spreads callers; nothing secret depends on it

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
