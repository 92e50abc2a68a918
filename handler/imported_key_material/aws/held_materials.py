"""What ListKeyRotations shows of a symmetric key's materials, as values instead of AWS's dicts.

A key that was never rotated has one material. HMAC and asymmetric keys have one, too, but KMS does not list it. Source:
docs/internals/kms-contract.md, "More than one material".
"""

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple


class State(enum.StrEnum):
    """KeyMaterialState, in KMS's words."""

    CURRENT = "CURRENT"
    SUPERSEDED = "NON_CURRENT"
    PENDING = "PENDING_ROTATION"
    PENDING_IN_REPLICAS = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"


ROTATIONS_MAX: Final = 25  # on demand, in a key's life
PENDING: Final = frozenset({State.PENDING, State.PENDING_IN_REPLICAS})


class Expiry(NamedTuple):
    """ExpirationModel and ValidTo, as ImportKeyMaterial takes them; KMS cuts ValidTo to whole seconds."""

    valid_to: datetime | None

    @property
    def model(self) -> str:
        return "KEY_MATERIAL_DOES_NOT_EXPIRE" if self.valid_to is None else "KEY_MATERIAL_EXPIRES"

    def parameters(self) -> dict[str, object]:
        return {"ExpirationModel": self.model} | ({"ValidTo": self.valid_to} if self.valid_to else {})


class ShownExpiry(NamedTuple):
    """What KMS shows of an expiry: `model` is "" while there is no material."""

    model: str
    valid_to: datetime | None

    def is_that_of(self, asked: Expiry) -> bool:
        """To the whole second, as KMS keeps it."""
        if self.model != asked.model:
            return False
        if asked.valid_to is None or self.valid_to is None:
            return True
        return int(self.valid_to.timestamp()) == int(asked.valid_to.timestamp())

    def is_no_later_than(self, moment: datetime) -> bool:
        return self.valid_to is not None and self.valid_to <= moment


class HeldMaterial(NamedTuple):
    """One entry of ListKeyRotations. `id`: KeyMaterialId; `imported`: whether KMS holds the bytes now."""

    id: str
    state: str  # a `State`, or a word that KMS has added since
    imported: bool
    expiry: ShownExpiry
    rotated_on_demand: bool

    @classmethod
    def of_entry(cls, entry: Mapping[str, Any]) -> "HeldMaterial":
        return cls(
            id=str(entry["KeyMaterialId"]),
            state=str(entry.get("KeyMaterialState", "")),
            imported=entry.get("ImportState") == "IMPORTED",
            expiry=ShownExpiry(entry.get("ExpirationModel", ""), entry.get("ValidTo")),
            rotated_on_demand=entry.get("RotationType") == "ON_DEMAND",
        )

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING

    def is_lost(self, now: datetime) -> bool:
        """Whether the key no longer has this material. After an expiry the list still says IMPORTED for a while."""
        return not self.imported or self.expiry.is_no_later_than(now)


class HeldMaterials(tuple[HeldMaterial, ...]):
    """All materials of one key, in KMS's order; none for keys that are not symmetric."""

    __slots__ = ()

    @classmethod
    def of_pages(cls, pages: Iterable[Mapping[str, Any]]) -> "HeldMaterials":
        """`pages`: of ListKeyRotations."""
        return cls.of_entries(entry for page in pages for entry in page.get("Rotations", []))

    @classmethod
    def of_entries(cls, entries: Iterable[Mapping[str, Any]]) -> "HeldMaterials":
        return cls(HeldMaterial.of_entry(entry) for entry in entries)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(one.id for one in self)

    @property
    def pending(self) -> HeldMaterial | None:
        """The material that waits for a rotation, if there is one."""
        return next((one for one in self if one.is_pending), None)

    def of(self, material_id: str) -> HeldMaterial | None:
        return next((one for one in self if one.id == material_id), None)

    def in_state(self, state: State) -> tuple[HeldMaterial, ...]:
        return tuple(one for one in self if one.state == state)

    @property
    def rotations(self) -> int:
        """How often the key was rotated on demand."""
        return sum(one.rotated_on_demand for one in self)

    @property
    def needed(self) -> tuple[HeldMaterial, ...]:
        """The materials without which KMS takes the key out of use: superseded ones, then the current one."""
        return (*self.in_state(State.SUPERSEDED), *self.in_state(State.CURRENT))

    def lost(self, now: datetime) -> tuple[HeldMaterial, ...]:
        return tuple(one for one in self if one.is_lost(now))


NO_MATERIALS: Final = HeldMaterials()
