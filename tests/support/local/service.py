"""The process that holds a local AWS together: MiniStack, and the functions' processes.

    python -m tests.support.local.service FOLDER

It writes `settings.json` into the folder when all of it answers, and ends when nobody uses it any more (session.py says what
using is), when it is told to, or when MiniStack ends. It then removes the folder: nothing is left of a local AWS, however
its users ended.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.support.local import places
from tests.support.local.functions import Functions
from tests.support.local.locks import Users
from tests.support.local.ministack import MiniStack
from tests.support.local.settings import Settings

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


def main(folder: Path) -> None:
    """Runs until it is over."""
    told = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    users = Users(folder)
    try:
        with running(folder) as (settings, has_ended):
            settings.write(folder)
            while not (told.wait(LOOK_SECONDS) or has_ended() or users.are_gone()):
                pass
    finally:
        places.remove_tree(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
