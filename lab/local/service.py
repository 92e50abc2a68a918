"""The process that holds a local AWS together: MiniStack, and the functions' processes.

    python -m lab.local.service FOLDER

The command returns when all of it answers and `settings.json` is in the folder; the process goes on in the background. It ends
when nobody uses it any more (locks.py says what using is), when it is told to, or when MiniStack ends. It then removes the
folder: nothing is left of a local AWS, however its users ended.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
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
LOOK_SECONDS = 0.5  # how often it looks whether it is still used


@contextmanager
def running(folder: Path) -> Iterator[tuple[Settings, Callable[[], bool]]]:
    """A local AWS in this process's care: its settings, and what tells whether it has ended by itself."""
    functions = Functions(folder)
    try:
        ministack = MiniStack(folder, runtime_url=functions.url)
        settings = ministack.start()
        try:
            functions.serve(settings)
            yield settings, ministack.ended
        finally:
            ministack.stop()
    finally:
        functions.close()


def main(folder: Path) -> int:
    """Starts it in the background. 0: it answers. 1: it does not, and said why."""
    child = os.fork()  # before there are threads
    if child == 0:
        os.setsid()  # ^C ends the users, and then it
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
    """Runs until it is over."""
    told = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, end)
    users, _life = Users(folder), Life(folder)
    try:
        with running(folder) as (settings, has_ended):
            _leave_the_starters_output(folder / LOG_FILE_NAME)
            settings.write(folder)
            while not (told.wait(LOOK_SECONDS) or has_ended() or users.are_gone()):
                pass
    except (DidNotStart, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        places.remove_tree(folder)
    return 0


def _leave_the_starters_output(log: Path) -> None:
    """Until now, what is said goes to whoever starts it; then that one is to see the end of it."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(file, stream.fileno())
    os.close(file)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
