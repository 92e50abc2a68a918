"""Time: one clock, deadlines, and loops that end.

Every wait of the function goes through here. So every wait has a limit, and a simulation can replace the clock.
Each wait is drawn evenly from zero to the step ("full jitter"), which spreads hundreds of callers that start together
(AWS Architecture Blog, "Exponential Backoff And Jitter").
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from imported_key_material.errors import CannotHappen


class Clock(Protocol):
    """Time and randomness. They are passed in, so that a simulation can replace them."""

    def now(self) -> datetime: ...  # with zone
    def sleep(self, seconds: float) -> None: ...
    def random(self) -> float: ...  # 0 <= x < 1


class SystemClock:
    """The real clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def random(self) -> float:
        return random.random()  # noqa: S311  # spreads callers; nothing secret depends on it


@dataclass(frozen=True, slots=True)
class Deadline:
    """The function begins nothing new after this moment."""

    clock: Clock
    at: datetime

    def left_seconds(self) -> float:
        return (self.at - self.clock.now()).total_seconds()

    def passed(self) -> bool:
        return self.left_seconds() <= 0

    def earlier(self, other: "Deadline") -> "Deadline":
        return self if self.at <= other.at else other


class Backoff(NamedTuple):
    """Full jitter: the n-th wait is drawn from [0, min(cap, first * 2**n)] seconds."""

    first_seconds: float
    cap_seconds: float

    def waits(self, clock: Clock) -> Iterator[float]:
        step = self.first_seconds
        while True:
            yield clock.random() * step
            step = min(step * 2, self.cap_seconds)


@dataclass(frozen=True, slots=True)
class Seen[T]:
    """What one attempt saw. If it is not enough, `poll` tries again; `value` is then often the reason why not."""

    value: T = field(repr=False)
    enough: bool


type OutOfTimeAs = type[Exception] | tuple[()]


def poll[T](
    deadline: Deadline, backoff: Backoff, attempt: Callable[[], Seen[T]], *, out_of_time: OutOfTimeAs = ()
) -> Seen[T]:
    """Calls `attempt` at least once, until it has seen enough or the deadline has passed. Returns what the last call saw.

    `out_of_time`: the exception of a call inside that has no time left. It ends the polling. `poll` then returns what the call
    before saw, since that says more to the user; without such a call it raises the exception.
    """
    last: Seen[T] | None = None
    for wait_seconds in backoff.waits(deadline.clock):
        try:
            last = attempt()
        except out_of_time:
            if last is None:
                raise
            return last
        left = deadline.left_seconds()
        if last.enough or left <= 0:
            return last
        deadline.clock.sleep(min(wait_seconds, left))
    raise CannotHappen("The waits do not end.")
