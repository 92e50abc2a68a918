"""Runs each hostile input in its own process, under hard limits, and reports what it took.

One process is made warm: it imports everything and answers a request. Each input gets a fork of it, with the same world. So
only one invocation is measured, and no input sees another. Linux only: fork, /proc, and limits of the kernel.
"""

import json
import os
import resource
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from lab.hostile import events, keys, properties, texts
from lab.hostile.row import EVENT_MOST_BYTES, Hostile
from lab.keys.private_keys import rsa_key
from lab.keys.random_keys import random_key
from lab.world import World

ROWS: Final = (*keys.ROWS, *texts.ROWS, *properties.ROWS, *events.ROWS)

MEGABYTE: Final = 2**20
SAID_MOST_CHARACTERS: Final = 4_096
LOG_MOST_CHARACTERS: Final = 20_000
OTHER_MEGABYTES: Final = 512  # of address space beyond the resident memory, which is what is measured


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one invocation: processor time, and memory above that of an idle process."""

    seconds: float
    megabytes: float


EXACT: Final = Limits(2.0, 150.0)
WIDE: Final = Limits(10.0, 400.0)  # for a busy machine


@dataclass(frozen=True, slots=True)
class Taken:
    """The cost of an input, and how it ended: FAILED, SUCCESS, LEFT, or what ended the process."""

    name: str
    ends: str
    said: str
    seconds: float
    megabytes: float
    log_characters: int

    def problem(self, row: Hostile, limits: Limits) -> str:
        """What is wrong; "" if everything is as it must be."""
        return self.ended_otherwise(row) or self._over(limits)

    def ended_otherwise(self, row: Hostile) -> str:
        if self.ends == row.ends and row.said in self.said:
            return ""
        return f"{row.name}: expected {row.ends}, {row.said!r}, but got {self.ends}: {self.said[:300]}"

    def _over(self, limits: Limits) -> str:
        over = [
            f"{what} {value:,.1f} of {most:,g}"
            for what, value, most in (
                ("processor seconds", self.seconds, limits.seconds),
                ("megabytes", self.megabytes, limits.megabytes),
                ("characters of log", self.log_characters, LOG_MOST_CHARACTERS),
            )
            if value > most
        ]
        return f"{self.name}: {', '.join(over)}" if over else ""


def run(rows: Iterable[Hostile], limits: Limits) -> Iterator[Taken]:
    """Runs the rows one after the other."""
    rsa_key(4096)  # made once, for all rows that use it
    with World() as world:
        ordinary = world.create_request(world.external_key(), SecretId=world.secret(random_key(32)).name)
        if (world.invoke(ordinary) or {}).get("Status") != "SUCCESS":
            raise RuntimeError("An ordinary request was not answered with a success.")
        for row in rows:
            yield _in_a_fork(row, world, limits)


def _in_a_fork(row: Hostile, world: World, limits: Limits) -> Taken:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            os.write(writing, json.dumps(asdict(_measured(row, world, limits))).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read()
    _, status, used = os.wait4(child, 0)
    if result:
        return Taken(**json.loads(result))
    ended = f"killed by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else "not measured"
    return Taken(row.name, ended, "", used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, 0)


def _measured(row: Hostile, world: World, limits: Limits) -> Taken:
    event: Any = row.make(world)
    text = json.dumps(event, separators=(",", ":")) if row.as_json else ""
    if len(text) > EVENT_MOST_BYTES:
        raise ValueError(f"{row.name}: Lambda takes no event of {len(text):,} bytes.")
    if text:
        event = None  # else its size would count as idle memory
    world.log.seek(0)
    world.log.truncate()
    _forget_the_peak()
    idle, begun = _megabytes("VmRSS"), time.process_time()
    _set_hard_limits(limits, begun)
    answer = world.invoke(json.loads(text) if text else event)
    seconds, log = time.process_time() - begun, world.log.getvalue()
    ends = "LEFT" if answer is None else str(answer["Status"])
    said = log if answer is None else str(answer.get("Reason", ""))
    return Taken(row.name, ends, said[:SAID_MOST_CHARACTERS], seconds, _megabytes("VmHWM") - idle, len(log))


def _set_hard_limits(limits: Limits, used_seconds: float) -> None:
    seconds = int(used_seconds + limits.seconds) + 2  # at least one more: what is just too slow is measured, not killed
    space = int((_megabytes("VmSize") + limits.megabytes + OTHER_MEGABYTES) * MEGABYTE)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _forget_the_peak() -> None:
    """Starts VmHWM anew, so that the memory that making the input took does not count."""
    Path("/proc/self/clear_refs").write_text("5")


def _megabytes(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"The kernel does not report {name}.")
