"""What follows from a look: findings of a closed list of kinds. Pure: the same estate and time give the same findings.

    Expires            the key expires within the warning days, or within seven days if these are fewer
    EndsFirst          one of several materials ends before the others, and takes the whole key out of use
    MaterialLost       a living stack declares the key, and material of it expired or was removed
    Disabled           a living stack declares the key, and it is disabled
    DeletionScheduled  a living stack declares the key, and it will be deleted
    KeyGone            a living stack declares the key, and KMS does not know it any more
    RotationPending    a material waits for its rotation for more than a day
    NotVisible         the key's policy keeps the watch out: nobody would see it expire

Urgent are the keys that are out of use, that have seven days or less, and that the watch can't see.

A finding about an end names all materials, so a key has `Expires` or `EndsFirst`, never both. KMS shows no date at which a
material was staged, so the last deployment of the resource counts in its place; a key that no stack declares has no such date,
and is reported at once.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from imported_key_material.aws.held_materials import NO_MATERIALS, HeldMaterials
from imported_key_material.key_id import KeyId
from imported_key_material.watch.estate import Estate, ExternalKey, HiddenKey, HoldingResource, MissingKey

URGENT_WITHIN: Final = timedelta(days=7)
ROTATION_TAKES: Final = timedelta(days=1)
_DELETIONS: Final = frozenset({"PendingDeletion", "PendingReplicaDeletion"})


class Kind(enum.StrEnum):
    """The value is the metric's dimension, and stands in the log."""

    GONE = "KeyGone"
    LOST = "MaterialLost"
    DISABLED = "Disabled"
    DELETION = "DeletionScheduled"
    HIDDEN = "NotVisible"
    EXPIRES = "Expires"
    ENDS_FIRST = "EndsFirst"
    PENDING = "RotationPending"


OUT_OF_USE: Final = frozenset({Kind.GONE, Kind.LOST, Kind.DISABLED, Kind.DELETION})
_ORDER: Final = tuple(Kind)


@dataclass(frozen=True, slots=True)
class Finding:
    """`at`: when the key expires or will be deleted, None if there is no such time. `materials`: all of the key.

    `denied`: the reads that the key's policy does not allow (NotVisible). `found_at`: the time of the look.
    """

    kind: Kind
    key_id: KeyId
    found_at: datetime
    urgent: bool = True
    aliases: tuple[str, ...] = ()
    holders: tuple[HoldingResource, ...] = ()
    at: datetime | None = None
    materials: HeldMaterials = NO_MATERIALS
    denied: tuple[str, ...] = ()

    @property
    def left(self) -> timedelta | None:
        """Until `at`; never negative."""
        return None if self.at is None else max(self.at - self.found_at, timedelta(0))


def find(estate: Estate, now: datetime, warning_days: int) -> tuple[Finding, ...]:
    """All findings: the urgent ones first, of these what is out of use, then what ends soonest."""
    found = [finding for key in estate.keys for finding in _of_key(key, now, timedelta(days=warning_days))]
    found += [_of_hidden(key, now) for key in estate.hidden]
    found += [_of_missing(key, now) for key in estate.missing]
    return tuple(sorted(found, key=_rank))


def _rank(finding: Finding) -> tuple[bool, int, float, str]:
    ends = float("inf") if finding.at is None else finding.at.timestamp()
    return not finding.urgent, _ORDER.index(finding.kind), ends, finding.key_id.uuid


def _of_hidden(key: HiddenKey, now: datetime) -> Finding:
    return Finding(Kind.HIDDEN, key.key_id, now, aliases=key.aliases, holders=key.holders, denied=("kms:DescribeKey",))


def _of_missing(key: MissingKey, now: datetime) -> Finding:
    return Finding(Kind.GONE, key.key_id, now, holders=key.holders)


def _of_key(key: ExternalKey, now: datetime, warning: timedelta) -> Iterator[Finding]:
    def finding(kind: Kind, *, urgent: bool = True, at: datetime | None = None) -> Finding:
        return Finding(kind, key.key_id, now, urgent, key.aliases, key.holders, at, key.materials, denied=key.unread)

    if key.holders and key.view.state in _DELETIONS:
        yield finding(Kind.DELETION, at=key.view.deletion_at)
    if key.holders and key.view.state == "PendingImport":
        yield finding(Kind.LOST)
    if key.holders and key.view.state == "Disabled":
        yield finding(Kind.DISABLED)
    if key.unread:
        yield finding(Kind.HIDDEN)
    ends_at = key.ends_at
    if ends_at is not None and key.view.holds_material:
        left = ends_at - now
        if left <= max(warning, URGENT_WITHIN):
            yield finding(Kind.EXPIRES, urgent=left <= URGENT_WITHIN, at=ends_at)
        elif _ends_differ(key.materials):
            yield finding(Kind.ENDS_FIRST, urgent=False, at=ends_at)
    if key.materials.pending is not None and _deployed_before(key.holders, now - ROTATION_TAKES):
        yield finding(Kind.PENDING, urgent=False)


def _ends_differ(materials: HeldMaterials) -> bool:
    return len({one.expiry.valid_to for one in materials.needed}) > 1


def _deployed_before(holders: tuple[HoldingResource, ...], moment: datetime) -> bool:
    """Whether no stack has deployed the key's material since. Yes if no stack declares the key."""
    return all(holder.since < moment for holder in holders)
