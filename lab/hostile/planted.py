"""Defects that the measurement must find, or its silence means nothing: too much time, too much memory, a too long log.

Each is planted when its event is made, in the fork that runs its row.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from imported_key_material.lifecycle import resource
from lab.hostile.row import Event, Hostile
from lab.hostile.running import MEGABYTE, Limits
from lab.keys.random_keys import random_key
from lab.world import World

LIMITS: Final = Limits(0.5, 50.0)


def _planted(name: str, defect: Callable[[Any], object], *, ends: str = "SUCCESS") -> Hostile:
    def make(world: World) -> Event:
        handle = resource.handle

        def with_the_defect(job: Any) -> Any:
            defect(job)
            return handle(job)

        resource.handle = with_the_defect
        return world.create_request(world.external_key(), SecretId=world.secret(random_key(32)).name)

    return Hostile(name, "", make, ends)


def _burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def _hoard(megabytes: int) -> int:
    return sum(bytearray(megabytes * MEGABYTE)[::4096])  # each page is touched: else it is not resident


def _talk(job: Any) -> None:
    job.log.info("x" * 20_000, extra={})


PLANTED: Final = (
    _planted("slow", lambda _: _burn(0.8)),
    _planted("endless", lambda _: _burn(600)),
    _planted("large", lambda _: _hoard(100)),
    _planted("endlessly large", lambda _: _hoard(5_000)),
    _planted("wordy", _talk),
    _planted("taken although it is to be refused", lambda _: None, ends="FAILED"),
    _planted("harmless", lambda _: None),
)
