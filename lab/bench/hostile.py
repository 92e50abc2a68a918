"""Measures the most expensive hostile input: all rows of lab/hostile/, each in its own fork of one warm process.

It measures the source and not the build: the modules are the same, and the inputs are values in this process. The hard limits
are those of the figures, so an input that hangs ends the measurement, too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lab.bench import figures
from lab.bench.figures import Measured
from lab.bench.stage import WentWrong
from lab.hostile.running import ROWS, Taken

REPOSITORY = Path(__file__).resolve().parents[2]


def measure(part: str = "") -> list[Measured]:
    """The largest time, the largest memory, the longest log. Raises WentWrong if an input did not end as it must.

    `part`: only the inputs with this in their name; "" for all.
    """
    run = subprocess.run(
        [sys.executable, "-m", "lab.hostile", "--exact", "--json", part],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": "handler"},
        capture_output=True,
        text=True,
        check=False,
    )
    rows = {row.name: row for row in ROWS if part in row.name}
    all_taken = [_taken(line) for line in run.stdout.splitlines()]
    otherwise = [text for taken in all_taken if (text := taken.ended_otherwise(rows[taken.name]))]
    if otherwise or len(all_taken) != len(rows):
        raise WentWrong("\n".join([*otherwise, run.stderr]))
    return [
        _most(figures.HOSTILE_TIME, all_taken, lambda taken: taken.seconds),
        _most(figures.HOSTILE_MEMORY, all_taken, lambda taken: taken.megabytes),
        _most(figures.HOSTILE_LOG, all_taken, lambda taken: taken.log_characters),
    ]


def _taken(line: str) -> Taken:
    fields = json.loads(line)
    del fields["problem"]
    return Taken(**fields)


def _most(figure: figures.Figure, all_taken: list[Taken], of: Callable[[Taken], float]) -> Measured:
    most = max(all_taken, key=of)
    return Measured(figure, of(most), f"of one invocation, the most of {len(all_taken)} inputs ({most.name})")
