"""Draws what happens to one invocation, and to each of its calls, from the seed and the invocation's name.

An invocation's name consists of its stack, the number of the request in it, and the number of the try. So fates don't depend
on the order of events, as long as the requests are the same. Pure.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from lab.wire.faults import Moment


class End(enum.Enum):
    """How an invocation is made to end. LIVES: it ends by itself."""

    LIVES = "lives"
    KILLED = "killed at a moment"
    KILLED_AT_CALL = "killed at a call"
    KILLED_AT_CHANGE = "killed at a call that changes something, or at the answer"
    OUT_OF_MEMORY = "out of memory"


class Harm(enum.Enum):
    """What strikes one call."""

    RESET = "reset"
    ERROR = "5xx"
    THROTTLE = "throttled"
    STALL = "stalled until the caller gave up"
    SLOW = "slow"
    KILL = "killed"
    FLOOD = "answered without end"


@dataclass(frozen=True, slots=True)
class Fate:
    """`seconds`: for KILLED, counted from the start of the try. `call` (from 1), `moment`: for the other ends."""

    end: End
    seconds: float = 0.0
    call: int = 0
    moment: Moment = Moment.BEFORE


@dataclass(frozen=True, slots=True)
class Strike:
    harm: Harm
    moment: Moment
    seconds: float = 0.0


ENDS: Final[Mapping[str, tuple[tuple[End, float], ...]]] = {
    # by the number of the try: the share of tries that end in this way
    "first try": (
        (End.KILLED, 0.14),
        (End.KILLED_AT_CALL, 0.14),
        (End.KILLED_AT_CHANGE, 0.18),
        (End.OUT_OF_MEMORY, 0.07),
    ),
    "second try": (
        (End.KILLED, 0.07),
        (End.KILLED_AT_CALL, 0.07),
        (End.KILLED_AT_CHANGE, 0.10),
        (End.OUT_OF_MEMORY, 0.03),
    ),
    "on-failure, first try": ((End.KILLED, 0.10), (End.KILLED_AT_CALL, 0.15)),
    "last try": (),
}
HARMS: Final[Mapping[str, tuple[tuple[Harm, Moment, float], ...]]] = {
    # by service: the share of calls that meet each harm; "answer" is the PUT to the ResponseURL
    "kms": (
        (Harm.RESET, Moment.BEFORE, 0.03),
        (Harm.RESET, Moment.AFTER, 0.03),
        (Harm.ERROR, Moment.BEFORE, 0.03),
        (Harm.ERROR, Moment.AFTER, 0.03),
        (Harm.THROTTLE, Moment.BEFORE, 0.03),
        (Harm.STALL, Moment.BEFORE, 0.002),
        (Harm.STALL, Moment.AFTER, 0.002),
        (Harm.SLOW, Moment.BEFORE, 0.02),
    ),
    "answer": (
        (Harm.RESET, Moment.BEFORE, 0.08),
        (Harm.RESET, Moment.AFTER, 0.08),
        (Harm.ERROR, Moment.BEFORE, 0.06),
        (Harm.ERROR, Moment.AFTER, 0.03),
        (Harm.STALL, Moment.BEFORE, 0.005),
        (Harm.STALL, Moment.AFTER, 0.005),
        (Harm.SLOW, Moment.BEFORE, 0.03),
    ),
    "other": (
        (Harm.RESET, Moment.BEFORE, 0.015),
        (Harm.RESET, Moment.AFTER, 0.015),
        (Harm.ERROR, Moment.BEFORE, 0.02),
        (Harm.THROTTLE, Moment.BEFORE, 0.02),
        (Harm.SLOW, Moment.BEFORE, 0.01),
    ),
}
KILLED_WITHIN_SECONDS: Final = 3.0  # a cold start and most of a request
WITHIN_CALLS: Final[Mapping[End, int]] = {
    # how many calls there may be before it; for KILLED_AT_CHANGE, how many changes
    End.LIVES: 1,
    End.KILLED: 1,
    End.KILLED_AT_CALL: 14,
    End.KILLED_AT_CHANGE: 2,
    End.OUT_OF_MEMORY: 6,
}
CHANGES: Final = frozenset({"ImportKeyMaterial", "DeleteImportedKeyMaterial", "RotateKeyOnDemand", "PUT"})
SLOW_SECONDS: Final = (0.3, 2.0)
STALL_SECONDS: Final = 20.0  # longer than any caller waits


class Fates:
    def __init__(self, seed: int) -> None:
        self._seed = seed

    def of(self, name: str, kind: str) -> Fate:
        """`kind`: a row of ENDS."""
        dice = self._dice(name)
        end = _drawn(dice, ENDS[kind]) or End.LIVES
        seconds, call = dice.uniform(0, KILLED_WITHIN_SECONDS), dice.randint(1, WITHIN_CALLS[end])
        return Fate(end, seconds, call, dice.choice(list(Moment)))

    @staticmethod
    def deadly(fate: Fate, call: int, change: int, operation: str) -> Strike | None:
        """What ends the invocation at this call. `change`: how many of its calls, this one included, change something."""
        match fate.end:
            case End.KILLED_AT_CALL if call == fate.call:
                return Strike(Harm.KILL, fate.moment)
            case End.KILLED_AT_CHANGE if change == fate.call and operation in CHANGES:
                return Strike(Harm.KILL, fate.moment)
            case End.OUT_OF_MEMORY if call >= fate.call and operation != "PUT":  # every answer, until the process dies
                return Strike(Harm.FLOOD, Moment.BEFORE)
        return None

    def strike(self, name: str, call: int, service: str) -> Strike | None:
        """`call`: its number in the invocation, from 1."""
        dice = self._dice(f"{name}, call {call}")
        rows = HARMS.get(service, HARMS["other"])
        drawn = _drawn(dice, tuple(((harm, moment), share) for harm, moment, share in rows))
        if drawn is None:
            return None
        harm, moment = drawn
        return Strike(harm, moment, STALL_SECONDS if harm is Harm.STALL else dice.uniform(*SLOW_SECONDS))

    def _dice(self, name: str) -> Random:
        return Random(f"{self._seed}: {name}")  # noqa: S311  # a seed's dice


def _drawn[T](dice: Random, rows: tuple[tuple[T, float], ...]) -> T | None:
    point = dice.random()
    for what, share in rows:
        if point < share:
            return what
        point -= share
    return None
