"""A warm Create, a warm Update that does nothing, a warm Delete: compares the invocation with its API calls and its PUT.

One process serves them in turn, as stacks come and go. functions/timed.py measures, and defines a call's own time: wall-clock
time, and processor time (which counts neither waiting nor other load on the machine). The calls are fast here, since the
services are local; on AWS the same difference is a smaller part.
"""

from dataclasses import dataclass
from typing import Any

from lab.bench.figures import Comparison
from lab.bench.recording import Recording
from lab.bench.stage import Stage, WentWrong

UNCOUNTED = 3  # of each kind; they open the connections and fill the caches


@dataclass(frozen=True, slots=True)
class Warm:
    """Of one kind of request."""

    wall: Comparison
    processor: Comparison


def measure(stage: Stage, recordings: tuple[Recording, ...], times: int) -> tuple[Warm, ...]:
    """Returns one `Warm` for each recording."""
    environment = stage.start(stage.timed)
    try:
        rounds = [
            [_seconds(stage.run(environment, one)[1], one) for one in recordings] for _ in range(UNCOUNTED + times)
        ]
    finally:
        environment.kill()
    return tuple(
        Warm(*(Comparison(tuple(pairs)) for pairs in zip(*measured, strict=True)))
        for measured in zip(*rounds[UNCOUNTED:], strict=True)
    )


type Pair = tuple[float, float]  # seconds: the whole, and its calls and the PUT


def _seconds(said: dict[str, Any], recording: Recording) -> tuple[Pair, Pair]:
    """Wall-clock time, and processor time."""
    spent: list[list[float]] = said["spent"]
    if len(spent) != len(recording.calls) + 1:  # and the PUT
        raise WentWrong(f"{len(recording.calls)} calls and a PUT were expected, but {len(spent)} were timed.")
    wall, processor = said["whole"]
    return (wall, sum(one[0] for one in spent)), (processor, sum(one[1] for one in spent))
