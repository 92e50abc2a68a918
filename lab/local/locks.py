"""Shows who uses a local AWS: each user is a process with a shared lock on a file of its folder.

The kernel releases a lock when its process ends, even if it is killed. So a local AWS whose users were killed ends, too.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "users.lock"
LIFE_FILE_NAME = "life.lock"
AGAIN_SECONDS = 0.2


class Use:
    """One user's lock. `first`: nobody else used the local AWS; then this user has it exclusively until share()."""

    def __init__(self, folder: Path) -> None:
        """Waits while another first user prepares it."""
        self._path = folder / FILE_NAME
        while True:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            self.first = _lock_now(self._file)
            if not self.first:
                fcntl.flock(self._file, fcntl.LOCK_SH)
            if self._is_of_the_folder():
                return
            os.close(self._file)  # it ended in the meantime and removed its folder: make a new folder

    def _is_of_the_folder(self) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(self._file)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def share(self) -> None:
        """Lets others in."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Whether this is the only user. If so, no other user can begin until end()."""
        return _lock_now(self._file)

    def end(self) -> None:
        os.close(self._file)


class Users:
    """All users, as the local AWS itself sees them."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / FILE_NAME, os.O_RDWR | os.O_CREAT, 0o600)

    def are_gone(self) -> bool:
        """Looks twice: a user that changes from the exclusive to the shared lock has no lock in between."""
        if not _lock_now(self._file):
            return False
        fcntl.flock(self._file, fcntl.LOCK_UN)
        time.sleep(AGAIN_SECONDS)
        return _lock_now(self._file)

    def end(self) -> None:
        os.close(self._file)


class Life:
    """The lock that the local AWS itself holds, from its start to its end."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / LIFE_FILE_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)


def is_alive(folder: Path) -> bool:
    """Whether the local AWS of this folder still runs. If it was killed, its folder is still there."""
    try:
        file = os.open(folder / LIFE_FILE_NAME, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _lock_now(file)
    finally:
        os.close(file)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Lets only one process in at a time; the others wait. The file stays."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _lock_now(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
