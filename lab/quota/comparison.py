"""Compares runs: all ways with one crowd, and the function's own way as the crowd grows."""

import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lab.quota.crowd import Crowd
from lab.quota.outcome import Outcome
from lab.quota.standing import Reads, plays
from lab.quota.standing import play as standing_play
from lab.quota.ways import HANDED_OVER, WAYS, Way
from lab.quota.world import play

CROWDS = (50, 100, 250, 500, 1000)
RATES = (0.25, 1.0)
LANES = 8
RESERVED = 100


@dataclass(frozen=True, slots=True)
class Compared:
    """`ways`: in the order of WAYS, with one crowd. `eased`: that crowd in lanes, and with few invocations at once.

    `growth`: the function's own way, by rate and size. `standing`: requests that need nothing of KMS's quota, at that size.
    """

    ways: tuple[Outcome, ...]
    eased: tuple[Outcome, ...]
    growth: tuple[Outcome, ...]
    standing: tuple[Reads, ...]

    @property
    def own(self) -> Outcome:
        return self.ways[WAYS.index(HANDED_OVER)]


def compare(crowd: Crowd, crowds: tuple[int, ...] = CROWDS, processes: int | None = None) -> Compared:
    """Starts the largest runs first, so that all cores end together. The results do not depend on the order."""
    ways = [(crowd, way) for way in WAYS]
    eased = [(replace(crowd, lanes=LANES), HANDED_OVER), (replace(crowd, concurrency=RESERVED), HANDED_OVER)]
    runs = [*ways, *eased, *_growing(crowd.seed, crowds)]
    with multiprocessing.get_context("spawn").Pool(processes or os.cpu_count() or 1) as pool:
        standing = [pool.apply_async(standing_play, each) for each in plays(crowd)]
        pending = {run: pool.apply_async(play, run) for run in sorted(runs, key=_size, reverse=True)}
        outcomes = [pending[run].get() for run in runs]
        reads = tuple(each.get() for each in standing)
    after_ways, after_eased = len(ways), len(ways) + len(eased)
    return Compared(
        ways=tuple(outcomes[:after_ways]),
        eased=tuple(outcomes[after_ways:after_eased]),
        growth=tuple(outcomes[after_eased:]),
        standing=reads,
    )


def _size(run: tuple[Crowd, Way]) -> float:
    crowd, _ = run
    return crowd.floor_seconds * crowd.resources


def _growing(seed: int, crowds: tuple[int, ...]) -> Iterator[tuple[Crowd, Way]]:
    for rate in RATES:
        for resources in crowds:
            yield Crowd(resources, rate, seed), HANDED_OVER
