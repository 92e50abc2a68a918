"""The process that holds a local AWS together: MiniStack, and the functions' processes.

    python -m lab.local.service FOLDER

The command returns when everything answers and `settings.json` is in the folder; the process goes on in the background. It
ends when nobody uses it any more (locks.py defines a user), when a signal asks it to, or when MiniStack ends. It then removes
the folder, so nothing is left of a local AWS, however its users ended.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from lab.local import places
from lab.local.functions import Functions
from lab.local.locks import Life, Users
from lab.local.ministack import DidNotStart, MiniStack
from lab.local.settings import FILE_NAME, Settings

PID_FILE_NAME = "service.pid"
LOG_FILE_NAME = "service.log"
START_SECONDS = 60
LOOK_SECONDS = 0.5  # how often it checks whether it is still used


@contextmanager
def running(folder: Path, deviations: Sequence[str] = ()) -> Iterator[tuple[Settings, Callable[[], bool]]]:
    """Runs a local AWS in this process. Yields its settings, and a function that says whether it has ended by itself.

    `deviations`: names of planted ones (deviations/).
    """
    functions = Functions(folder)
    try:
        ministack = MiniStack(folder, runtime_url=functions.url, deviations=deviations)
        settings = ministack.start()
        try:
            functions.serve(settings)
            yield settings, ministack.ended
        finally:
            ministack.stop()
    finally:
        functions.close()


def main(folder: Path) -> int:
    """Starts it in the background. Returns 0 if it answers, or 1 after it has printed why not."""
    child = os.fork()  # before there are threads
    if child == 0:
        os.setsid()  # Ctrl-C must end the users first, and this process after them
        (folder / PID_FILE_NAME).write_text(str(os.getpid()))
        return in_background(folder)
    deadline = time.monotonic() + START_SECONDS
    while not (folder / FILE_NAME).exists():
        ended, _status = os.waitpid(child, os.WNOHANG)
        if ended or time.monotonic() > deadline:
            return 1
        time.sleep(0.05)
    return 0


def in_background(folder: Path) -> int:
    """Runs until the local AWS ends."""
    signalled = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        signalled.set()

    signal.signal(signal.SIGTERM, end)
    users, _life = Users(folder), Life(folder)
    try:
        with running(folder) as (settings, has_ended):
            _leave_the_starters_output(folder / LOG_FILE_NAME)
            settings.write(folder)
            while not (signalled.wait(LOOK_SECONDS) or has_ended() or users.are_gone()):
                pass
    except (DidNotStart, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        places.remove_tree(folder)
    return 0


def _leave_the_starters_output(log: Path) -> None:
    """From now on output goes to the log. The starter's pipe is closed, so that the starter sees its end."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(file, stream.fileno())
    os.close(file)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
