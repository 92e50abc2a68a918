"""Writes new files, readable only by their owner. Bytes are never written to a terminal.

The bytes are ready before the file is opened, so a failure of a check, a key or AWS leaves no file behind. An existing file is
never overwritten. A write that fails or is interrupted removes its file; only SIGKILL or a power cut can leave a partial one.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from key_custodian.errors import refused

STDOUT: Final = "-"
MODE: Final = 0o600
_O_BINARY: Final[int] = getattr(os, "O_BINARY", 0)  # only on Windows


def require_writable(out: str, *, where: str) -> None:
    """Refused if `write` would certainly be refused. Called before there is anything to write."""
    if out == STDOUT:
        if sys.stdout.isatty():
            problem = "These are bytes, and standard output is a terminal."
            raise refused(where, problem, "Name a file, or send standard output into one or into a pipe.")
        return
    path = Path(out)
    if os.path.lexists(path):
        raise refused(where, f"{out} exists, and no file is ever overwritten.", "Name another, or move this one away.")
    if not path.parent.is_dir():
        remedy = "Make it first, best with access only for its owner."
        raise refused(where, f"There is no folder {path.parent}.", remedy)


def write(out: str, data: bytes | bytearray, *, where: str) -> None:
    """Writes `data` to a new file that only its owner may read (0600), or to standard output for "-"."""
    require_writable(out, where=where)
    if out == STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    reason = _create(Path(out), data)
    if reason is not None:
        raise refused(where, f"{out} could not be written: {reason}. Nothing is left of it.", "Name another place.")


def write_all(files: Sequence[tuple[str, bytes | bytearray]], *, where: str) -> None:
    """Writes several new files, or none: if one can't be written, those before it are removed."""
    written: list[Path] = []
    try:
        for out, data in files:
            write(out, data, where=where)
            written.append(Path(out))
    except BaseException:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def _create(path: Path, data: bytes | bytearray) -> str | None:
    """Returns why it failed, None on success. Then the bytes are on the disk, if the system is right (fsync(2))."""
    try:
        descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _O_BINARY, MODE
        )  # O_EXCL: never an existing file
    except OSError as error:
        return error.strerror
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        with contextlib.suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            return error.strerror
        raise
    return None
