"""KMS keys as KMS stores them: what the Regions of a key share, and what each Region has for itself.

    Family       one key id: spec, usage, origin, the list of its materials; the same in every Region (C-60 to C-66)
    RegionalKey  the key in one Region: policy, tags, switch, deletion, and the material that it holds there
    Material     what is known of one material; permanent once it was current (C-31, C-48)
    Holding      the bytes of one material in one Region, until they are deleted or expire

A key's state is not stored: it follows from these (`Family.state`), so that no operation can forget to change it. Changes by
time are in `passing.py`.
"""

import enum
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lab.kms.material import Secret
from lab.kms.specs import Kind, Spec, spec_of

EXTERNAL, AWS_KMS = "EXTERNAL", "AWS_KMS"
KEY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")


class KeyState(enum.StrEnum):
    CREATING = "Creating"
    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_IMPORT = "PendingImport"
    PENDING_DELETION = "PendingDeletion"
    PENDING_REPLICA_DELETION = "PendingReplicaDeletion"
    UPDATING = "Updating"


class MaterialState(enum.StrEnum):
    CURRENT = "CURRENT"
    NON_CURRENT = "NON_CURRENT"
    PENDING = "PENDING_ROTATION"


@dataclass(frozen=True, slots=True)
class Material:
    """Known to all Regions of its key. `id` is KeyMaterialId, which KMS shows only for symmetric keys."""

    id: str
    state: MaterialState
    description: str | None = None
    rotation_date: datetime | None = None
    rotation_type: str | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """`valid_to` None: it does not expire."""

    secret: Secret
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Deletion:
    """`at` None: the replicas must go first (PendingReplicaDeletion)."""

    window_days: int
    at: datetime | None

    def starting(self, moment: datetime) -> "Deletion":
        return replace(self, at=moment + timedelta(days=self.window_days))


@dataclass(frozen=True, slots=True)
class Rotation:
    """An accepted RotateKeyOnDemand. It can't be cancelled."""

    started_at: datetime
    completes_at: datetime
    shown_until: datetime  # until then GetKeyRotationStatus shows it; the rotation may end later (C-45)


@dataclass(slots=True)
class RegionalKey:
    region: str
    arn: str
    created_at: datetime
    busy_until: datetime  # Creating (a replica) or Updating (after UpdatePrimaryRegion) until then
    created: bool  # False while Creating
    policy: str
    description: str
    tags: dict[str, str]
    switched_on: bool = True
    deletion: Deletion | None = None
    holdings: dict[str, Holding] = field(default_factory=dict)  # by material id
    lapsed: dict[str, datetime] = field(default_factory=dict)  # material id: when it expired

    def copy(self) -> "RegionalKey":
        return replace(self, tags=dict(self.tags), holdings=dict(self.holdings), lapsed=dict(self.lapsed))


@dataclass(slots=True)
class Family:
    key_id: str
    account: str
    partition: str
    spec_name: str
    usage: str
    origin: str
    multi_region: bool
    primary_region: str
    keys: dict[str, RegionalKey] = field(default_factory=dict)  # by Region
    materials: list[Material] = field(default_factory=list)  # the oldest first
    rotations_accepted: int = 0
    rotation: Rotation | None = None
    automatic_rotation_days: int | None = None
    automatic_rotation_since: datetime | None = None

    @property
    def spec(self) -> Spec:
        return spec_of(self.spec_name, self.partition)

    @property
    def is_symmetric(self) -> bool:
        return self.spec.kind is Kind.SYMMETRIC

    def copy(self) -> "Family":
        keys = {region: key.copy() for region, key in self.keys.items()}
        return replace(self, keys=keys, materials=list(self.materials))

    # ---------------------------------------------------------------------------------------------------- materials

    def material(self, material_id: str) -> Material | None:
        return next((material for material in self.materials if material.id == material_id), None)

    @property
    def current(self) -> Material | None:
        return self._in_state(MaterialState.CURRENT)

    @property
    def pending(self) -> Material | None:
        return self._in_state(MaterialState.PENDING)

    def _in_state(self, state: MaterialState) -> Material | None:
        return next((material for material in self.materials if material.state is state), None)

    def put(self, changed: Material) -> None:
        """Replaces this material's entry in its place. A new material comes last."""
        for index, known in enumerate(self.materials):
            if known.id == changed.id:
                self.materials[index] = changed
                return
        self.materials.append(changed)

    def forget(self, material_id: str) -> None:
        self.materials = [material for material in self.materials if material.id != material_id]
        for key in self.keys.values():
            key.holdings.pop(material_id, None)

    def pending_is_everywhere(self) -> bool:
        """Every replica has imported the pending material, too (C-63)."""
        pending = self.pending
        replicas = (key for key in self.keys.values() if key.region != self.primary_region)
        return pending is not None and all(pending.id in key.holdings for key in replicas)

    # -------------------------------------------------------------------------------------------------------- states

    def is_whole(self, key: RegionalKey) -> bool:
        """Every material that was ever current is held here (C-48). A pending one does not count."""
        permanent = [material for material in self.materials if material.state is not MaterialState.PENDING]
        return bool(permanent) and all(material.id in key.holdings for material in permanent)

    def state(self, key: RegionalKey, now: datetime) -> KeyState:
        if now < key.busy_until:
            return KeyState.UPDATING if key.created else KeyState.CREATING
        return self.state_at_rest(key)

    def state_at_rest(self, key: RegionalKey) -> KeyState:
        """The state, without Creating and Updating."""
        if key.deletion is not None:
            return KeyState.PENDING_REPLICA_DELETION if key.deletion.at is None else KeyState.PENDING_DELETION
        if not self.is_whole(key):
            return KeyState.PENDING_IMPORT
        return KeyState.ENABLED if key.switched_on else KeyState.DISABLED
