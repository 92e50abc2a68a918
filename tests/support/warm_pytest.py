"""Runs pytest many times, each run in a separate process that does not load the libraries again.

    with warm_pytest(folder) as pytest:
        pytest.run("tests/unit/test_x.py::test_y", seconds=60)   # (1, "1 failed in 0.1s")

One process is made warm: it loads pytest and other people's libraries, and nothing of the folder's. Each run is a fork of it.
So a run sees the folder's files as they are now, as a new process does, and takes a third less of the processor's time.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

_LIBRARIES: Final = (
    "boto3", "botocore.endpoint", "botocore.loaders", "click", "crhelper", "cryptography.x509", "fastjsonschema", "greenlet",
    "hypothesis", "hypothesis.strategies", "pytest", "unittest.mock",
)  # fmt: skip
_OF_LIBRARIES: Final = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # hypothesis is loaded already: no harm


class WarmPytest:
    """Asks the warm process for runs, one after the other."""

    def __init__(self, runs: IO[str], answers: IO[str]) -> None:
        self._runs = runs
        self._answers = answers

    def run(self, *arguments: str, seconds: int) -> tuple[int, str]:
        """The exit code of pytest, and the last line that it printed. A run that takes too long is ended by SIGALRM."""
        print(json.dumps([seconds, arguments]), file=self._runs, flush=True)
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError("The warm process has ended; stderr may say why.")
        code, last = json.loads(answer)
        return int(code), str(last)


@contextmanager
def warm_pytest(folder: Path) -> Iterator[WarmPytest]:
    """Runs tests of `folder`, in which it works."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    settings["PYTHONDONTWRITEBYTECODE"] = ""  # what does not change is compiled once
    command = [sys.executable, "-P", __file__]  # -P: this file's folder is no place to import from
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=settings, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603  # this file
        if process.stdin is None or process.stdout is None:
            raise TypeError("It was started with pipes.")
        yield WarmPytest(process.stdin, process.stdout)


# ------------------------------------------------------------------------------------------------- the warm process itself


def _serve() -> None:
    """Reads [seconds, arguments of pytest], one a line, and answers each with [exit code, last line]."""
    for library in _LIBRARIES:
        __import__(library)
    gc.freeze()  # so that no run looks for garbage in them
    sys.path.insert(0, "")  # as `python -m pytest` has it
    for line in sys.stdin:
        seconds, arguments = json.loads(line)
        with tempfile.TemporaryFile() as printed:
            child = os.fork()
            if child == 0:
                _be_a_run(seconds, arguments, printed.fileno())
            _, status = os.waitpid(child, 0)
            printed.seek(0)
            lines = printed.read().decode(errors="replace").strip().splitlines()
        code = os.waitstatus_to_exitcode(status)
        last = f"ended by {signal.Signals(-code).name}" if code < 0 else (lines or ["nothing was printed"])[-1]
        print(json.dumps([code, last]), flush=True)  # noqa: T201  # a program


def _be_a_run(seconds: int, arguments: list[str], printed: int) -> None:
    """Raises SystemExit in the end, so that what pytest registered for the end of its process is done."""
    import pytest  # noqa: PLC0415  # where the runs are asked for, pytest is under way already

    os.dup2(printed, sys.stdout.fileno())
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, sys.stdin.fileno())
    os.dup2(nothing, sys.stderr.fileno())
    signal.alarm(seconds)
    sys.exit(pytest.main([*_OF_LIBRARIES, *arguments]))


if __name__ == "__main__":
    _serve()
