"""Many histories on all cores. The work is defined in this module, so that each process can import it by name."""

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lab.simulation.drawing import draw
from lab.simulation.history import play
from lab.simulation.plan import Plan

TWICE_EVERY = 50  # every 50th seed is played twice, and must end alike
_CHUNK = 10
_PROGRESS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A process's result for one history. `wrong`: the broken rule; "" for none."""

    seed: int
    requests: int
    faults: int
    wrong: str = ""
    differs: bool = False


def verdict(seed: int) -> Verdict:
    result = play(draw(seed))
    differs = seed % TWICE_EVERY == 0 and play(draw(seed)).digest != result.digest
    return Verdict(seed, result.requests, result.faults, str(result.violation or ""), differs)


def verdict_of(plan: Plan) -> Verdict:
    result = play(plan)
    return Verdict(plan.seed, result.requests, result.faults, str(result.violation or ""))


def on_all_cores[Item, Done](
    work: Callable[[Item], Done], items: Iterable[Item], total: int, processes: int, what: str
) -> Iterator[Done]:
    """The results of `work`, a module's function, for all items, in any order. Progress goes to stderr."""
    started = reported_at = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for done, result in enumerate(pool.imap_unordered(work, items, _CHUNK), start=1):
            yield result
            if time.monotonic() - reported_at >= _PROGRESS_SECONDS:
                reported_at = time.monotonic()
                rate = done / (reported_at - started)
                print(f"{done} of {total} {what}, {rate:.0f} a second", file=sys.stderr, flush=True)  # noqa: T201  # a program's


@dataclass
class Sum:
    """The sum of many verdicts, up to the first bad one."""

    histories: int = 0
    requests: int = 0
    faults: int = 0
    bad: Verdict | None = None

    def add(self, one: Verdict) -> bool:
        """Returns whether all is well so far."""
        self.histories += 1
        self.requests += one.requests
        self.faults += one.faults
        if one.wrong or one.differs:
            self.bad = one
        return self.bad is None

    def __str__(self) -> str:
        return f"{self.histories} histories, {self.requests} requests, {self.faults} faults, 0 violations"


def sum_of(verdicts: Iterable[Verdict]) -> Sum:
    total = Sum()
    for one in verdicts:
        if not total.add(one):
            break
    return total
