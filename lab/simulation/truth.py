"""The truth about keys: what the strict KMS really holds, and who put it there or took it away.

Invariants are judged by this, never by reads, since reads may lag.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lab.kms.call import Target
from lab.kms.keys import Family, Holding, KeyState, Material, MaterialState, RegionalKey
from lab.kms.operations.keys import metadata
from lab.kms.service import StrictKms
from lab.simulation.scheduler import Scheduler

PERSON, EXPIRY, RACE = "a person", "its expiry", "a call that was on its way"


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody has changed a key's material or its state. `who`: an invocation's number; 0 for a person."""

    at: datetime
    who: int


@dataclass
class Ledger:
    """The history of one key in one Region, by material id. Its actors are a stack's id, PERSON, EXPIRY or RACE."""

    brought_by: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    removed_by: dict[str, str] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)  # by stack id: when its present time with the key began
    changes: list[Change] = field(default_factory=list)

    def changed_by_others(self, who: int, since: datetime) -> bool:
        return any(change.at >= since and change.who != who for change in self.changes)

    def changed_by_a_person(self, since: datetime) -> bool:
        return any(change.at >= since and change.who == 0 for change in self.changes)


class Truth:
    def __init__(self, scheduler: Scheduler, kms: StrictKms) -> None:
        self._scheduler = scheduler
        self._kms = kms
        self._ledgers: dict[str, Ledger] = {}

    def ledger(self, arn: str) -> Ledger:
        return self._ledgers.setdefault(arn, Ledger())

    def family(self, arn: str) -> Family | None:
        store = self._kms._store  # noqa: SLF001  # only the truth may read the store
        return store.family(arn.rsplit("/", 1)[-1], self._scheduler.now())

    def key(self, arn: str) -> tuple[Family, RegionalKey] | None:
        """None if there is no such key in that Region (any more)."""
        family = self.family(arn)
        key = family.keys.get(arn.split(":")[3]) if family is not None else None
        return None if family is None or key is None else (family, key)

    def state(self, arn: str) -> str:
        found = self.key(arn)
        return "gone" if found is None else str(found[0].state(found[1], self._scheduler.now()))

    def described(self, arn: str) -> dict[str, Any]:
        """What DescribeKey would show now without lag. The key must exist."""
        found = self.key(arn)
        if found is None:
            raise KeyError(arn)
        return metadata(Target(*found, self._scheduler.now()))

    def is_on_its_way_out(self, arn: str) -> bool:
        return self.state(arn) in ("gone", KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)

    def is_whole(self, arn: str) -> bool:
        found = self.key(arn)
        return found is not None and found[0].is_whole(found[1])

    def is_switched_on(self, arn: str) -> bool:
        found = self.key(arn)
        return found is not None and found[1].switched_on

    def holdings(self, arn: str) -> dict[str, Holding]:
        found = self.key(arn)
        return {} if found is None else dict(found[1].holdings)

    def held_everywhere(self, arn: str) -> dict[str, frozenset[str]]:
        """By ARN: the ids of the materials that a key and its replicas hold. A removal in one Region may affect all (C-64)."""
        family, parts = self.family(arn), arn.split(":")
        arns = [":".join([*parts[:3], region, *parts[4:]]) for region in (family.keys if family is not None else ())]
        return {one: frozenset(self.holdings(one)) for one in arns}

    def tags(self, arn: str) -> dict[str, str]:
        found = self.key(arn)
        return {} if found is None else found[1].tags

    def materials(self, arn: str) -> list[Material]:
        family = self.family(arn)
        return [] if family is None else family.materials

    def current_id(self, arn: str) -> str:
        return next(one.id for one in self.materials(arn) if one.state is MaterialState.CURRENT)

    def knows(self, arn: str, material_id: str) -> bool:
        """KMS forgets only pending material that was removed (C-43), and keys that are gone."""
        return any(one.id == material_id for one in self.materials(arn))

    def missing(self, arn: str) -> Iterator[Material]:
        """The materials that the key needs to be usable, and does not hold."""
        held = self.holdings(arn)
        for material in self.materials(arn):
            if material.state is not MaterialState.PENDING and material.id not in held:
                yield material

    def note_expiry(self, arn: str) -> None:
        """Records expired materials, since KMS forgets them at a deletion."""
        found = self.key(arn)
        for id_ in found[1].lapsed if found is not None else ():
            self.ledger(arn).removed_by[id_] = EXPIRY

    def material_of(self, arn: str, encoded: bytes) -> Material | None:
        """The key's entry for these bytes, held or not. Only KMS can compute its id, so this computes it with KMS's code."""
        family = self.family(arn)
        return None if family is None else family.material(self.id_of(family, encoded))

    def id_of(self, family: Family, encoded: bytes) -> str:
        return self._kms.material_id(family, encoded)

    def time_changed_it(self, arn: str, since: datetime) -> bool:
        """Whether material has expired, or a rotation has been completed, since that moment."""
        found = self.key(arn)
        if found is None:
            return False
        family, key = found
        rotated = (one.rotation_date for one in family.materials if one.rotation_date is not None)
        return any(at >= since for at in (*key.lapsed.values(), *rotated))
