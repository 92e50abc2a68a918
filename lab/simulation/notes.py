"""What one invocation of the function has seen and done, by its calls and their answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


def uuid_of(key_id: str) -> str:
    """The part that all forms of a key's id share."""
    return key_id.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class KeySeen:
    state: str
    origin: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StackSeen:
    """A stack's or a resource's status. `since`: when its operation began, or the status was set. `id`: shown with it."""

    status: str
    since: datetime
    at: datetime
    id: str = ""


@dataclass
class Notes:
    """Only the last answer of each read counts. Entries about keys are by the key's uuid."""

    keys: dict[str, KeySeen] = field(default_factory=dict)
    empty_at: dict[str, datetime] = field(default_factory=dict)  # when it was last seen without material
    current_since: dict[str, tuple[str, datetime]] = field(
        default_factory=dict
    )  # current material, and since when it is shown
    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    secret_tags: Mapping[str, str] = field(default_factory=dict)
    materials: dict[str, Mapping[str, str]] = field(default_factory=dict)  # KeyMaterialId: KeyMaterialState
    rotation_shown: dict[str, bool] = field(default_factory=dict)
    stack: StackSeen | None = None
    resource: StackSeen | None = None
    event: StackSeen | None = None  # the newest event with the request's logical and physical id
    holders: bool | None = None  # whether, in truth, others of the stack held the key when the function looked for them
    unanswered: set[str] = field(default_factory=set)  # operations of KMS whose last try got no answer, or a refusal
    version_id: str = ""  # the version of the secret that was read
    changed_at: datetime | None = None  # the last call that changed something
    # What the key and its replicas held before the present call: material ids by ARN.
    held_before: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rotation_before: bool = False
    imported: set[str] = field(default_factory=set)  # the ids of materials
    removed: bool = False
    rotated_to: str = ""  # the pending material when KMS accepted the rotation

    def looked_at(self, arn: str) -> datetime | None:
        seen = self.keys.get(uuid_of(arn))
        return None if seen is None else seen.at

    def describe(self, metadata: Mapping[str, Any], at: datetime) -> None:
        key_id, current = metadata["KeyId"], metadata.get("CurrentKeyMaterialId", "")
        self.keys[key_id] = KeySeen(metadata["KeyState"], metadata["Origin"], at)
        if metadata["KeyState"] == "PendingImport":
            self.empty_at[key_id] = at
        if self.current_since.get(key_id, ("", at))[0] != current:
            self.current_since[key_id] = (current, at)

    def list_tags(self, key_id: str, tags: list[Mapping[str, str]]) -> None:
        self.tags[uuid_of(key_id)] = {tag["TagKey"]: tag["TagValue"] for tag in tags}

    def list_materials(self, key_id: str, rotations: list[Mapping[str, Any]]) -> None:
        self.materials[uuid_of(key_id)] = {one["KeyMaterialId"]: one["KeyMaterialState"] for one in rotations}
