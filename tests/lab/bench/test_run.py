"""`make bench` on the built application, in its shortest form: it measures every figure. The tests do not judge speed."""

import os
import subprocess
import sys

from lab.bench.figures import FIGURES
from lab.local.places import REPOSITORY

SHORTEST = ("--cold-starts", "2", "--warm-invocations", "2", "--peak-requests", "1", "--inputs", "event: ")


def test_every_figure_is_measured_on_the_built_application(aws):
    """`aws`: once it runs, nobody builds the application again during the measurement."""
    done = subprocess.run(
        [sys.executable, "-m", "lab.bench", ".aws-sam/build", *SHORTEST],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": "handler"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode in {0, 1}, done.stderr  # 1: a figure is over its limit, which may happen on a busy machine
    assert "Traceback" not in done.stderr
    printed = [line.split("|")[1].strip() for line in done.stdout.splitlines()[2:] if line.startswith("|")]
    assert printed == [figure.name for figure in FIGURES]
