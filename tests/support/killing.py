"""Kills the processes of a function on the local AWS."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator

from lab.local.session import LocalAws

LOOK_SECONDS = 0.02


@contextlib.contextmanager
def killed_at_every_try(aws: LocalAws, function: str) -> Iterator[set[int]]:
    """Kills each process of the function with SIGKILL, as Lambda kills one without memory. Yields their ids."""
    pids = aws.log_folder(function) / "pids.json"
    enough = threading.Event()
    killed: set[int] = set()

    def kill() -> None:
        while not enough.wait(LOOK_SECONDS):
            with contextlib.suppress(OSError, ValueError):  # not there yet, or half written
                for pid in set(json.loads(pids.read_text())) - killed:
                    killed.add(pid)
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        enough.set()
        killer.join()
