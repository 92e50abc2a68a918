"""Keys and stacks as a look of the watch may have seen them, for tests of what follows from it.

key(ends=NOW + timedelta(days=20), holders=(ORDERS,))
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from imported_key_material.aws.held_materials import HeldMaterial, HeldMaterials, ShownExpiry, State
from imported_key_material.aws.key_view import KeyView
from imported_key_material.key_id import Home, KeyId
from imported_key_material.watch.estate import Estate, ExternalKey, HoldingResource

HOME: Final = Home("aws", "eu-central-1", "111122223333")
NOW: Final = datetime(2026, 12, 2, 6, 0, tzinfo=UTC)  # a Wednesday
LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS: Final = HoldingResource("orders", "Material", LONG_AGO)


def key_id(number: int = 1) -> KeyId:
    return KeyId(f"{number:08x}-0000-4000-8000-000000000000", HOME)


def material(
    number: int = 1, state: str = State.CURRENT, ends: datetime | None = None, *, imported: bool = True
) -> HeldMaterial:
    model = "" if not imported else "KEY_MATERIAL_DOES_NOT_EXPIRE" if ends is None else "KEY_MATERIAL_EXPIRES"
    return HeldMaterial(f"{number:064x}", state, imported, ShownExpiry(model, ends), rotated_on_demand=False)


def key(  # noqa: PLR0913  # by name; a test names only what matters
    number: int = 1,
    *,
    state: str = "Enabled",
    ends: datetime | None = None,
    materials: Sequence[HeldMaterial] = (),
    holders: Sequence[HoldingResource] = (),
    aliases: Sequence[str] = (),
    deletion_at: datetime | None = None,
    unread: Sequence[str] = (),
) -> ExternalKey:
    view = KeyView(
        arn=key_id(number).arn,
        spec="SYMMETRIC_DEFAULT",
        usage="ENCRYPT_DECRYPT",
        origin="EXTERNAL",
        state=state,
        expiration_model="",
        valid_to=ends,
        current_material_id="",
        multi_region="",
        replica_regions=(),
        created_at=LONG_AGO,
        deletion_at=deletion_at,
    )
    return ExternalKey(
        view,
        tuple(aliases),
        materials=HeldMaterials(materials),
        holders=tuple(holders),
        unread=tuple(unread),
    )


def estate(*keys: ExternalKey) -> Estate:
    return Estate(HOME, keys)


def days(count: float) -> timedelta:
    return timedelta(days=count)
