"""Runs the custodian's tool as a process: its output, its exit code, and its dialog at a terminal.

    done = Program(folder).run("check", "key.bin", "--key-spec", "HMAC_256")   # done.code, done.out, done.err
    with Program(folder).at_terminal("combine", ...) as terminal:
        terminal.waits_for("Component 1"); terminal.types("00112233...")

The environment has only what the caller passes: no credentials, no settings of this machine.
"""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
LIMIT_SECONDS = 60
CLEAR = "\x1b[H\x1b[2J\x1b[3J"

# Getting a terminal as stdin does not make it a session leader's own, and getpass opens /dev/tty.
_ON_OWN_TERMINAL = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("key_custodian", run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A process that has ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


@dataclass(frozen=True, slots=True)
class Program:
    """Runs in `folder`, which is also its user's home."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: bytes = b"") -> Done:
        command = [sys.executable, "-m", "key_custodian", *arguments]
        done = subprocess.run(  # noqa: S603  # ours
            command,
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env=self._env(),
            timeout=LIMIT_SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr.decode())

    @contextmanager
    def at_terminal(self, *arguments: str, stdout: int | None = None, rows: int = 24) -> Iterator["Terminal"]:
        """Starts it at a new terminal, with another `stdout` if one is passed. The end of the block ends it."""
        ours, its = pty.openpty()
        termios.tcsetwinsize(its, (rows, 80))
        process = subprocess.Popen(  # noqa: S603  # ours
            [sys.executable, "-c", _ON_OWN_TERMINAL, *arguments],
            stdin=its,
            stdout=its if stdout is None else stdout,
            stderr=its,
            cwd=self.folder,
            env=self._env(),
            start_new_session=True,
        )
        os.close(its)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            process.wait()
            os.close(ours)

    def _env(self) -> dict[str, str]:
        paths = os.pathsep.join(map(str, (REPOSITORY / "handler", REPOSITORY)))
        settings = {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "TERM": "xterm", "COLUMNS": "80"}
        nobody = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(self.folder)}
        return {"PATH": os.environ["PATH"], **settings, **nobody, **self.environment}


class Terminal:
    """What a person sees and types."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self._read_to = 0
        self.transcript = ""

    def waits_for(self, text: str) -> None:
        """Reads until `text` comes, after the text of the previous wait. Raises AssertionError if it does not come."""
        end = time.monotonic() + LIMIT_SECONDS
        while (at := self.transcript.find(text, self._read_to)) < 0:
            if time.monotonic() > end or not self._more():
                raise AssertionError(f"{text!r} did not come. The terminal shows: {self.transcript!r}")
        self._read_to = at + len(text)

    def types(self, line: str) -> None:
        os.write(self._descriptor, f"{line}\n".encode())

    def presses(self, control: bytes) -> None:
        self._waits_for_read()
        os.write(self._descriptor, control)

    def signals(self, number: signal.Signals) -> None:
        self._waits_for_read()
        self._process.send_signal(number)

    def ignores(self, number: signal.Signals) -> bool:
        """Whether the program ignores a signal now. Linux only (proc_pid_status(5))."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (mask,) = re.findall(r"^SigIgn:\s+(\w+)$", status, re.MULTILINE)
        return bool(int(mask, 16) >> (number - 1) & 1)

    def ends(self) -> int:
        """Reads until the program ends. Returns its exit code. Raises TimeoutError if the program waits for more input."""
        until = time.monotonic() + LIMIT_SECONDS
        while self._more():
            if time.monotonic() >= until:
                self._process.kill()
                raise TimeoutError(f"the program has not ended in {LIMIT_SECONDS} s")
        return self._process.wait(timeout=LIMIT_SECONDS)

    @property
    def screens(self) -> list[str]:
        """The screens, each from one clearing to the next."""
        return self.transcript.split(CLEAR)

    def _waits_for_read(self) -> None:
        """Python notices a signal that comes between its prompt and its read only after the next line."""
        end = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < end:
            state = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(") ")[2][0]
            if state == "S":
                return
            time.sleep(0.01)
        raise AssertionError(f"The program does not wait for input. The terminal shows: {self.transcript!r}")

    def _more(self) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], 1.0)
        if not ready:
            return True
        try:
            data = os.read(self._descriptor, 4096)
        except OSError:  # Linux: the other side is closed
            return False
        self.transcript += data.decode().replace("\r\n", "\n")
        return bool(data)


def check_values_in(screen: str) -> set[str]:
    """The check values of secret keys on a screen."""
    return set(re.findall(r"(?:CMAC|HMAC|ECB):[0-9A-F]{6,10}", screen))
