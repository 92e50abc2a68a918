"""Compares Creates at once, each in its own process as on Lambda, with the same Creates one after the other.

All use one strict KMS, which refuses what real KMS refuses and really imports. The time ends when all have answered. If
Creates at once take longer than Creates one after the other, they hinder each other.
"""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from lab.bench.far_side import FarSide
from lab.bench.figures import Comparison
from lab.bench.stage import Sent, Stage
from lab.bench.traffic import Step, Traffic
from lab.local.runtime import Environment

AT_ONCE = 8
UNCOUNTED = 1  # cold starts

_LIKE = "Symmetric"


def measure(stage: Stage, times: int) -> Comparison:
    """Pairs of seconds for all Creates: at once, and one after the other."""
    far_side = FarSide(stage.certificate_chain)
    environments = [stage.start(stage.application, far_side) for _ in range(AT_ONCE)]
    try:
        traffic = Traffic(far_side)
        names = [f"{_LIKE}{number}" for number in range(AT_ONCE)]
        for name in names:
            traffic.declared[name] = {**traffic.declared[_LIKE], "KeyId": far_side.world.external_key()}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            crowd = _Crowd(stage, traffic, environments, names, pool)
            pairs = [_pair(crowd, turn) for turn in range(UNCOUNTED + times)]
    finally:
        for environment in environments:
            environment.kill()
        far_side.end()
    return Comparison(tuple(pairs[UNCOUNTED:]))


def _pair(crowd: "_Crowd", turn: int) -> tuple[float, float]:
    if turn % 2:
        one_by_one = crowd.seconds(at_once=False)
        return crowd.seconds(at_once=True), one_by_one
    return crowd.seconds(at_once=True), crowd.seconds(at_once=False)


class _Crowd:
    def __init__(
        self,
        stage: Stage,
        traffic: Traffic,
        environments: list[Environment],
        names: list[str],
        pool: ThreadPoolExecutor,
    ) -> None:
        self._stage, self._traffic, self._environments, self._names = stage, traffic, environments, names
        self._pool = pool

    def seconds(self, *, at_once: bool) -> float:
        """All Creates. The Deletes that follow are not measured."""
        seconds = self._carry_out("Create", at_once=at_once)
        self._carry_out("Delete", at_once=True)
        return seconds

    def _carry_out(self, kind: str, *, at_once: bool) -> float:
        steps = [Step(kind, name) for name in self._names]
        events = [self._traffic.event(step) for step in steps]
        begun = time.monotonic()
        run = self._pool.map if at_once else map
        all_sent: Iterable[Sent] = run(self._stage.send, self._environments, events)
        sent = list(all_sent)
        seconds = max(one.ended_at for one in sent) - begun
        for step, event, one in zip(steps, events, sent, strict=True):
            self._traffic.settle(step, event, one.bodies, one.outcome.log)
        return seconds
