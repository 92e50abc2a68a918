"""Thousands of requests through one warm process of the built function: does it keep memory, or become slower?

    python -m lab.bench.soak .aws-sam/build [--requests 2000]

The function is the deployed one under AWS's own runtime client. Its AWS is this process (far_side.py), over TLS. stdout: one
line with the figures. Exit codes: 0 all are within their limits, 1 at least one is not, 2 a wrong option. Linux only.

Memory is the resident memory that the kernel reports after each round of traffic.py. Its growth over the whole run is the
slope of the line through all samples after the warm-up (the median of the slopes between any two, so one jump does not bend
it). Python collects garbage at its normal times, so cycles that it does not find, or must not look for, count as growth.
Objects that are still referenced are counted, too: they show a leak of a few bytes a request long before memory does.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.bench import process
from lab.bench.far_side import FarSide
from lab.bench.stage import Stage, WentWrong, stage
from lab.bench.traffic import ROUND, Traffic
from lab.local.runtime import Environment, Package

REQUESTS, REQUESTS_MIN = 2000, 200  # `make soak` compares the first hundred with the last
HUNDRED = 100 // len(ROUND)  # rounds
WARM_UP_PART, WARM_UP_MIN_ROUNDS = 0.2, 3

GROWTH_MOST = 0.05  # of the memory after the warm-up
SLOWER_MOST = 1.25  # the last hundred's latency, as a ratio to the first hundred's
KEPT_MOST = 0.1  # objects a request: caches still take in less than one a round and kind


@dataclass(frozen=True, slots=True)
class Soak:
    """The samples. Rounds are in their order; each has one latency for each step."""

    warm_up_rounds: int
    megabytes: tuple[float, ...]  # after each round
    seconds: tuple[tuple[float, ...], ...]  # by round
    opened: tuple[Counter[str], Counter[str]]  # after the warm-up and at the end
    objects: tuple[int, int]  # at the same moments
    peak_megabytes: float

    @property
    def requests(self) -> int:
        return sum(map(len, self.seconds))

    @property
    def growth(self) -> float:
        """Growth after the warm-up, as a part of the memory after the warm-up."""
        after = self.megabytes[self.warm_up_rounds - 1 :]
        return slope(after) * (len(after) - 1) / after[0]

    @property
    def left_open(self) -> Counter[str]:
        return self.opened[1] - self.opened[0]

    @property
    def kept(self) -> float:
        """Objects a request."""
        before, after = self.objects
        return (after - before) / (self.requests - self.warm_up_rounds * len(ROUND))

    @property
    def slower(self) -> float:
        """Uses each step's own median: the requests of a round differ from each other by more than the limit."""
        first, last = self.seconds[:HUNDRED], self.seconds[-HUNDRED:]
        return _sum_of_medians(last) / _sum_of_medians(first)

    @property
    def faults(self) -> list[str]:
        return [
            text
            for over, text in (
                (self.growth > GROWTH_MOST, f"memory grew by more than {GROWTH_MOST:.0%}"),
                (bool(self.left_open), f"left open: {dict(self.left_open)}"),
                (self.kept > KEPT_MOST, f"more than {KEPT_MOST} objects a request are kept"),
                (self.slower > SLOWER_MOST, f"the last hundred took more than {SLOWER_MOST} x the first"),
            )
            if over
        ]

    def line(self) -> str:
        after = self.megabytes[self.warm_up_rounds - 1 :]
        return (
            f"soak: {self.requests} requests in one process; memory {after[0]:.1f} to {after[-1]:.1f} MB, "
            f"{self.growth:+.1%} by slope (limit {GROWTH_MOST:.0%}), {self.peak_megabytes:.0f} MB at peak; "
            f"{self.left_open.total()} files or sockets left open; {self.kept:+.2f} objects a request "
            f"(limit {KEPT_MOST}); the last hundred's latency {self.slower:.2f} x the first's (limit {SLOWER_MOST})"
        )


def slope(values: Sequence[float]) -> float:
    """The rise for each value: Theil and Sen's estimate, the median over all pairs."""
    pairs = itertools.combinations(enumerate(values), 2)
    rises: list[float] = [(later - earlier) / (j - i) for (i, earlier), (j, later) in pairs]
    return statistics.median(rises)


def _sum_of_medians(rounds: Sequence[Sequence[float]]) -> float:
    medians: list[float] = [statistics.median(of_one_step) for of_one_step in zip(*rounds, strict=True)]
    return sum(medians)


def soak(ready: Stage, requests: int, package: Package | None = None) -> Soak:
    """Plays whole rounds, with at least `requests` requests. `package`: another function than the deployed one."""
    rounds = max(-(-requests // len(ROUND)), WARM_UP_MIN_ROUNDS + 1)
    warm_up = max(WARM_UP_MIN_ROUNDS, round(rounds * WARM_UP_PART))
    far_side = FarSide(ready.certificate_chain)
    environment = ready.start(package or ready.probed, far_side)
    try:
        traffic = Traffic(far_side)
        megabytes: list[float] = []
        seconds: list[tuple[float, ...]] = []
        opened: list[Counter[str]] = []
        objects: list[int] = []
        for number in range(1, rounds + 1):
            seconds.append(_round(ready, environment, traffic))
            megabytes.append(process.resident_megabytes(environment.pid))
            if number in {warm_up, rounds}:
                opened.append(process.open_descriptors(environment.pid))
                objects.append(_objects(environment))
        peak = process.peak_megabytes(environment.pid)
    finally:
        environment.kill()
        far_side.end()
    return Soak(warm_up, tuple(megabytes), tuple(seconds), (opened[0], opened[1]), (objects[0], objects[1]), peak)


def _round(ready: Stage, environment: Environment, traffic: Traffic) -> tuple[float, ...]:
    seconds = []
    for step in ROUND:
        event = traffic.event(step)
        begun = time.monotonic()
        sent = ready.send(environment, event)
        seconds.append(sent.ended_at - begun)
        if sent.outcome.failed:
            raise WentWrong(f"{step}: {sent.outcome.payload}\n{sent.outcome.log}")
        traffic.settle(step, event, sent.bodies, sent.outcome.log)
    return tuple(seconds)


def _objects(environment: Environment) -> int:
    """The objects that are alive after a garbage collection. Raises WentWrong if the collector is disabled."""
    outcome = environment.invoke(json.dumps({"probe": True}), "probe")
    said: Mapping[str, int] = json.loads(outcome.payload)
    if outcome.failed or not said["collecting"]:
        raise WentWrong(f"The function's process does not collect garbage: {outcome.payload}")
    return said["objects"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.bench.soak", description="Soaks the built application.")
    parser.add_argument("build", type=Path, help="the folder that `sam build` filled")
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"at least {REQUESTS_MIN} (default {REQUESTS})")
    options = parser.parse_args(arguments)
    with stage(options.build) as ready:
        seen = soak(ready, max(options.requests, REQUESTS_MIN))
    for fault in seen.faults:
        print(fault, file=sys.stderr)
    print(seen.line())
    return 1 if seen.faults else 0


if __name__ == "__main__":
    sys.exit(main())
