"""Changes by time: material expires, a rotation completes, a key is deleted. Applied whenever a key is read.

Each is a `Happening`: KMS sends an event of it (KMS Developer Guide, "Monitor KMS keys with Amazon EventBridge").
"""

import enum
from dataclasses import dataclass, replace
from datetime import datetime

from lab.kms.keys import Family, MaterialState, RegionalKey


class What(enum.Enum):
    EXPIRED = enum.auto()
    ROTATED = enum.auto()
    DELETED = enum.auto()


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to one key in one Region. The ids are a rotation's; an expiry's event names no material."""

    what: What
    account: str
    region: str
    key_arn: str
    key_id: str
    previous_material_id: str = ""
    current_material_id: str = ""


def settle(family: Family, now: datetime) -> list[Happening]:
    """Brings `family` up to `now`. Its `keys` are empty afterwards if it is gone. Returns what happened."""
    before = dict(family.keys)
    expired = [key for key in before.values() if _expire(key, now)]
    for key in before.values():
        if now >= key.busy_until:
            key.created = True
    previous = family.current
    rotated = _complete_rotation(family, now)
    _complete_deletions(family, now)

    def of(key: RegionalKey, what: What) -> Happening:
        return Happening(what, family.account, key.region, key.arn, family.key_id)

    ids = previous.id if previous else "", family.current.id if family.current else ""
    return [
        *(of(key, What.EXPIRED) for key in expired),
        *(
            replace(of(key, What.ROTATED), previous_material_id=ids[0], current_material_id=ids[1])
            for key in before.values()
            if rotated
        ),
        *(of(key, What.DELETED) for region, key in before.items() if region not in family.keys),
    ]


def _expire(key: RegionalKey, now: datetime) -> bool:
    """C-39: at ValidTo the material is gone. Returns whether some went."""
    ended = [one for one, holding in key.holdings.items() if holding.valid_to is not None and holding.valid_to <= now]
    for material_id in ended:
        valid_to = key.holdings.pop(material_id).valid_to
        if valid_to is not None:
            key.lapsed[material_id] = valid_to
    return bool(ended)


def _complete_rotation(family: Family, now: datetime) -> bool:
    """C-46: the material that is pending at that moment becomes current, whether staged before or after the call."""
    rotation = family.rotation
    if rotation is None or now < rotation.completes_at:
        return False
    family.rotation = None
    pending, current = family.pending, family.current
    if pending is None:
        return False
    if current is not None:
        family.put(replace(current, state=MaterialState.NON_CURRENT))
    family.put(
        replace(pending, state=MaterialState.CURRENT, rotation_date=rotation.completes_at, rotation_type="ON_DEMAND")
    )
    return True


def _complete_deletions(family: Family, now: datetime) -> None:
    last_replica_gone_at = None
    for region, key in list(family.keys.items()):
        if region != family.primary_region and key.deletion and key.deletion.at and key.deletion.at <= now:
            last_replica_gone_at = max(key.deletion.at, last_replica_gone_at or key.deletion.at)
            del family.keys[region]
    primary = family.keys.get(family.primary_region)
    if primary is None or primary.deletion is None:
        return
    if primary.deletion.at is None and len(family.keys) == 1:
        primary.deletion = primary.deletion.starting(last_replica_gone_at or now)
    if primary.deletion.at is not None and primary.deletion.at <= now:
        del family.keys[family.primary_region]
