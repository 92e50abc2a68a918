"""The cold start, from the start of the process to the first answer, compared with the plain function's.

Why the comparison is fair: the two processes differ only in their own code. They have the same interpreter, runtime client,
layer with bytecode, environment and trusted authorities. They make the same calls in the same order, get their answers from
one recording, and make the same PUT (replay.py and stage.py raise otherwise). The services are local: waiting for AWS takes
equally long for both, and would only bring the ratio nearer to 1.

The measurement ends with the response to the Runtime API, after the PUT. Runs alternate, and so does which of the two comes
first, so that other load on the machine affects both alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.bench import process
from lab.bench.figures import Comparison
from lab.bench.recording import Recording
from lab.bench.stage import Stage
from lab.local.runtime import Package

UNCOUNTED = 1  # the first of each brings the files into the page cache


@dataclass(frozen=True, slots=True)
class Start:
    """A function, and the function that it is compared with."""

    ours: Package
    plain: Package


@dataclass(frozen=True, slots=True)
class Started:
    seconds: float
    peak_megabytes: float  # of the process, at the end of its first invocation


def measure(stage: Stage, start: Start, recording: Recording, pairs: int) -> tuple[Comparison, float]:
    """The pairs, and the largest memory of one of our processes, in MB."""
    measured = [pair for _, pair in zip(range(UNCOUNTED + pairs), _pairs(stage, start, recording), strict=False)]
    seconds = tuple((ours.seconds, plain.seconds) for ours, plain in measured[UNCOUNTED:])
    return Comparison(seconds), max(ours.peak_megabytes for ours, _ in measured)


def _pairs(stage: Stage, start: Start, recording: Recording) -> Iterator[tuple[Started, Started]]:
    while True:
        yield _ours(stage, start, recording), _plain(stage, start, recording)
        plain = _plain(stage, start, recording)
        yield _ours(stage, start, recording), plain


def _ours(stage: Stage, start: Start, recording: Recording) -> Started:
    return _started(stage, start.ours, recording, plain=False)


def _plain(stage: Stage, start: Start, recording: Recording) -> Started:
    return _started(stage, start.plain, recording, plain=True)


def _started(stage: Stage, package: Package, recording: Recording, *, plain: bool) -> Started:
    environment = stage.start(package)
    try:
        ended_at, _ = stage.run(environment, recording, plain=plain)
        return Started(ended_at - environment.started_at, process.peak_megabytes(environment.pid))
    finally:
        environment.kill()
