"""A warm Create and a warm Delete: the whole invocation, against its API calls and its PUT alone.

One process serves them in turn, as stacks come and go. The stop watch is functions/timed.py, which says what a call's own
time is. The calls themselves take little here, since nothing is far away; on AWS the same difference is a smaller part.
"""

from typing import Any

from benchmarks.figures import Comparison
from benchmarks.recording import Recording
from benchmarks.stage import Stage, WentWrong

UNCOUNTED = 3  # of each; until connections are open, and what is made once is made


def measure(stage: Stage, recordings: tuple[Recording, ...], times: int) -> tuple[Comparison, ...]:
    """One comparison for each recording."""
    environment = stage.start(stage.timed)
    try:
        rounds = [
            [_seconds(stage.run(environment, one)[1], one) for one in recordings] for _ in range(UNCOUNTED + times)
        ]
    finally:
        environment.kill()
    return tuple(Comparison(measured) for measured in zip(*rounds[UNCOUNTED:], strict=True))


def _seconds(said: dict[str, Any], recording: Recording) -> tuple[float, float]:
    whole: float = said["whole_seconds"]
    spent: list[float] = said["spent_seconds"]
    if len(spent) != len(recording.calls) + 1:  # and the PUT
        raise WentWrong(f"{len(recording.calls)} calls and a PUT were made, and {len(spent)} were timed.")
    return whole, sum(spent)
