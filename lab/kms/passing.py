"""Changes by time: material expires, a rotation completes, a key is deleted. Applied whenever a key is read."""

from dataclasses import replace
from datetime import datetime

from lab.kms.keys import Family, MaterialState, RegionalKey


def settle(family: Family, now: datetime) -> None:
    """Brings `family` up to `now`. Its `keys` are empty afterwards if it is gone."""
    for key in list(family.keys.values()):
        _expire(key, now)
        if now >= key.busy_until:
            key.created = True
    _complete_rotation(family, now)
    _complete_deletions(family, now)


def _expire(key: RegionalKey, now: datetime) -> None:
    """C-39: at ValidTo the material is gone."""
    for material_id, holding in list(key.holdings.items()):
        if holding.valid_to is not None and holding.valid_to <= now:
            del key.holdings[material_id]
            key.lapsed[material_id] = holding.valid_to


def _complete_rotation(family: Family, now: datetime) -> None:
    """C-46: the material that is pending at that moment becomes current, whether staged before or after the call."""
    rotation = family.rotation
    if rotation is None or now < rotation.completes_at:
        return
    family.rotation = None
    pending, current = family.pending, family.current
    if pending is None:
        return
    if current is not None:
        family.put(replace(current, state=MaterialState.NON_CURRENT))
    family.put(
        replace(pending, state=MaterialState.CURRENT, rotation_date=rotation.completes_at, rotation_type="ON_DEMAND")
    )


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
