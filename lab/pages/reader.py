"""A reader of pages: one shell, one folder, and the programs that the pages name.

One shell runs all commands, so variables and the current folder are still there on the next page. Every command runs as
printed, with `pipefail`, so that a failure within a pipe is not hidden. Nobody answers prompts.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from lab.local import places
from lab.local.settings import Settings
from lab.pages.aws_program import aws_program
from lab.pages.blocks import Block, pattern

LIMIT_SECONDS = 300
POLL_SECONDS = 0.01
PROGRAMS = "bin"
TOOL, TOOL_MODULE = "key-custodian", "key_custodian"
_PACKAGES = os.pathsep.join(map(str, (places.REPOSITORY / "handler", places.REPOSITORY)))
_WHEELS = places.REPOSITORY / ".wheels"

# Reads names of scripts, runs each in this shell, and reports its exit code.
_LOOP = """
set -uo pipefail
while IFS= read -r -u "$SCRIPTS" script; do
    source "$script" > "$script.out" 2>&1
    echo "$?" > "$script.code.new" && mv "$script.code.new" "$script.code"
done
"""


class NotAsPrintedError(Exception):
    """A command that did not do what the page says."""


@dataclass(slots=True)
class Reader:
    """`ran`: the commands so far, each with the seconds that it took."""

    shell: subprocess.Popen[str]
    scripts: TextIO
    folder: Path
    ran: list[tuple[str, float]] = field(default_factory=list)

    def runs(self, block: Block) -> None:
        """Raises NotAsPrintedError if a command fails, or does not print what the page says."""
        for command in block.commands:
            code, printed = self.types(command.text)
            if code != 0:
                raise NotAsPrintedError(f"{block.where}: exit code {code} of\n$ {command.text}\n{printed}")
            if lines := command.missing(printed, pattern):
                raise NotAsPrintedError(f"{block.where}: not printed: {lines[0]}\n$ {command.text}\n{printed}")

    def types(self, text: str) -> tuple[int, str]:
        """Runs lines as one script. Returns its exit code, and all that it printed."""
        started = time.monotonic()
        script = self.folder / f"{len(self.ran):04}"
        script.write_text(f"{text}\n")
        self.scripts.write(f"{script}\n")
        self.scripts.flush()
        code = script.with_suffix(".code")
        while not code.exists():
            if self.shell.poll() is not None:
                raise NotAsPrintedError(f"the shell ended with {self.shell.returncode}: {text}\n{_read(script)}")
            if time.monotonic() > started + LIMIT_SECONDS:
                raise NotAsPrintedError(f"no end after {LIMIT_SECONDS} s: {text}\n{_read(script)}")
            time.sleep(POLL_SECONDS)
        self.ran.append((text, time.monotonic() - started))
        return int(code.read_text()), _read(script)


def _read(script: Path) -> str:
    return script.with_suffix(".out").read_text(errors="replace")


@contextmanager
def reading(folder: Path, settings: Settings, stands_in: Path) -> Iterator[Reader]:
    """A reader with a new shell. `folder`: for scripts and programs. `stands_in`: the shell's first folder."""
    read_end, write_end = os.pipe()
    shell = subprocess.Popen(  # noqa: S603  # our own loop
        ["/bin/bash", "--norc", "-c", _LOOP],
        cwd=stands_in,
        env=_environment(folder, settings) | {"SCRIPTS": str(read_end)},
        stdin=subprocess.DEVNULL,
        pass_fds=[read_end],
        start_new_session=True,
        text=True,
    )
    os.close(read_end)
    try:
        with os.fdopen(write_end, "w") as scripts, aws_program(folder / PROGRAMS / "aws", settings):
            yield Reader(shell, scripts, folder)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def _environment(folder: Path, settings: Settings) -> dict[str, str]:
    """An environment that has nothing of this machine's except its programs."""
    programs = _programs(folder)
    home = folder / "home"
    home.mkdir()
    path = [programs, places.base_python().parent, os.environ["PATH"]]
    return {"PATH": os.pathsep.join(map(str, path)), "HOME": str(home), "TERM": "dumb"} | settings.environment()


def _programs(folder: Path) -> Path:
    """A folder with the programs that a reader has installed, beside `aws`: the tool, SAM and cfn-lint."""
    programs = folder / PROGRAMS
    programs.mkdir()
    lint = Path(sys.executable).with_name("cfn-lint")
    _program(programs / TOOL, [sys.executable, "-m", TOOL_MODULE], PYTHONPATH=_PACKAGES, PYTHONDONTWRITEBYTECODE="1")
    _program(
        programs / "sam",
        [str(places.sam())],
        LAYER_WHEELS=str(_WHEELS),
        SAM_CLI_TELEMETRY="0",
        SAM_CLI_POLL_DELAY="0.2",
    )
    _program(programs / "cfn-lint", [str(lint)])
    return programs


def _program(path: Path, command: list[str], **environment: str) -> None:
    settings = (f"{name}={value}" for name, value in environment.items())
    path.write_text(f'#!/bin/sh\nexec {shlex.join(["env", *settings, *command])} "$@"\n')
    path.chmod(0o755)
