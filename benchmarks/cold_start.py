"""The cold start: from the start of the process to the first answer, against the plain function's.

Why the comparison is fair: both are the same process but for their own code. One interpreter, one runtime client, one layer
with bytecode, one environment, TLS with the same trusted authorities; the same calls in the same order, whose answers come
from one recording, and the same PUT (replay.py and stage.py raise otherwise). What the application imports, builds and does
besides is all that differs. Nothing is far away: the wait for AWS, equal for both, would only bring the ratio nearer to 1.

The end is the response to the Runtime API, after the PUT. Runs alternate, and so does which of the two comes first: what
else the machine does meets both.
"""

from collections.abc import Iterator

from benchmarks.figures import Comparison
from benchmarks.recording import Recording
from benchmarks.stage import Stage

UNCOUNTED = 1  # the first of each brings the files into the page cache


def measure(stage: Stage, create: Recording, pairs: int) -> Comparison:
    measured = [pair for _, pair in zip(range(UNCOUNTED + pairs), _pairs(stage, create), strict=False)]
    return Comparison(tuple(measured[UNCOUNTED:]))


def _pairs(stage: Stage, create: Recording) -> Iterator[tuple[float, float]]:
    while True:
        yield _seconds(stage, create, plain=False), _seconds(stage, create, plain=True)
        plain = _seconds(stage, create, plain=True)
        yield _seconds(stage, create, plain=False), plain


def _seconds(stage: Stage, create: Recording, *, plain: bool) -> float:
    environment = stage.start(stage.plain if plain else stage.application)
    try:
        ended_at, _ = stage.run(environment, create, plain=plain)
        return ended_at - environment.started_at
    finally:
        environment.kill()
