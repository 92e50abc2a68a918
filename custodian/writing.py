"""Files out: made new, for their owner alone, whole or not at all. Bytes are not written to a terminal.

What is written is ready before a file is opened: no failure of a check, a key or AWS leaves a file behind. What is told as
written is on the disk, its name as well.
"""

import contextlib
import errno
import os
import secrets
import sys
from pathlib import Path
from typing import Final

from custodian.errors import refused

STDOUT: Final = "-"
MODE: Final = 0o600
_O_BINARY: Final[int] = getattr(os, "O_BINARY", 0)  # Windows'
_NO_SUCH_CALL: Final = frozenset({errno.EINVAL, errno.ENOTSUP})


def require_writable(out: str, *, where: str) -> None:
    """Refused where `write_new` would be, as far as that can be seen before there is anything to write."""
    if out == STDOUT:
        if sys.stdout.isatty():
            problem = "These are bytes, and standard output is a terminal."
            raise refused(where, problem, "Name a file, or send standard output into one or into a pipe.")
        return
    path = Path(out)
    if os.path.lexists(path):
        raise refused(where, f"{out} exists, and no file is ever overwritten.", "Name another, or move this one away.")
    if not path.parent.is_dir():
        raise refused(
            where, f"There is no folder {path.parent}.", "Make it first; best one that only its owner may read."
        )


def write_new(out: str, data: bytes | bytearray, *, where: str) -> None:
    """Writes `data` to a new file that only its owner may read (0600), or to standard output for "-"."""
    require_writable(out, where=where)
    if out == STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    reason = _placed(Path(out), data)
    if reason is not None:
        raise refused(where, f"{out} could not be written: {reason}. Nothing is left of it.", "Name another place.")


def _placed(path: Path, data: bytes | bytearray) -> str | None:
    """Why it failed, None if it did not. Under the name of `path` there is never a part: the bytes get it when all are there.

    Whatever breaks it off, the temporary file goes; SIGKILL and a power cut leave that, and nothing of the name.
    """
    temporary = path.with_name(f".custodian-{secrets.token_hex(8)}.partial")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _O_BINARY, MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _name(temporary, path)
    except OSError as error:
        return error.strerror
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    try:
        _keep_names(path.parent)
    except BaseException as error:
        path.unlink()
        if isinstance(error, OSError):
            return error.strerror
        raise
    return None


def _name(temporary: Path, path: Path) -> None:
    """Raises FileExistsError where the name is taken. os.rename would replace what is there; a hard link does not."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # FAT and its like have no hard links: the name is taken first, then replaced by the whole file
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
        try:
            temporary.replace(path)
        except BaseException:
            path.unlink()
            raise


def _keep_names(folder: Path) -> None:
    """A name is on the disk when its folder is: until then a power cut may take it (fsync(2)). Windows has no such call.

    What can't be asked for is let be: of a folder that may not be read, or a file system without it.
    """
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SUCH_CALL:
            raise
    finally:
        os.close(descriptor)
