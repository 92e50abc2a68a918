"""What a KMS key is at one moment, by DescribeKey and ListResourceTags; for keys that take material and keys that unwrap."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from imported_key_material.aws_errors import NO_MEANINGS, Meaning
from imported_key_material.calling import NEW_KEY, Caller
from imported_key_material.held_materials import ShownExpiry
from imported_key_material.key_id import KeyId
from imported_key_material.key_specs import KEY_SPECS, Kind

_HOLDS_MATERIAL: Final = frozenset({"Enabled", "Disabled", "Updating"})


class Kms(Protocol):
    """The calls used of boto3's client."""

    def describe_key(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_resource_tags(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_key_rotations(self, **parameters: object) -> Mapping[str, Any]: ...
    def get_key_rotation_status(self, **parameters: object) -> Mapping[str, Any]: ...
    def get_public_key(self, **parameters: object) -> Mapping[str, Any]: ...
    def verify_mac(self, **parameters: object) -> Mapping[str, Any]: ...
    def decrypt(self, **parameters: object) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class KeyView:
    """What DescribeKey shows at one moment."""

    arn: str
    spec: str
    usage: str
    origin: str
    state: str
    expiration_model: str  # "" while the key holds no material
    valid_to: datetime | None
    current_material_id: str  # "" for keys that are not symmetric, and before the first import
    is_replica: bool
    replica_regions: tuple[str, ...]  # of a multi-Region primary
    created_at: datetime | None

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, Any]) -> "KeyView":
        regions = metadata.get("MultiRegionConfiguration", {})
        return cls(
            arn=metadata["Arn"],
            spec=metadata["KeySpec"],
            usage=metadata["KeyUsage"],
            origin=metadata["Origin"],
            state=metadata["KeyState"],
            expiration_model=metadata.get("ExpirationModel", ""),
            valid_to=metadata.get("ValidTo"),
            current_material_id=metadata.get("CurrentKeyMaterialId", ""),
            is_replica=regions.get("MultiRegionKeyType") == "REPLICA",
            replica_regions=tuple(replica["Region"] for replica in regions.get("ReplicaKeys", [])),
            created_at=metadata.get("CreationDate"),
        )

    @property
    def key_id(self) -> KeyId:
        return KeyId.of_arn(self.arn)

    @property
    def kind(self) -> Kind | None:
        """None of a key spec that takes no imported material."""
        spec = KEY_SPECS.get(self.spec)
        return spec.kind if spec else None

    @property
    def is_asymmetric(self) -> bool:
        """Whether it takes a private key, and KMS gives its public key."""
        return self.kind in {Kind.RSA, Kind.EC, Kind.EDWARDS}

    @property
    def expiry(self) -> ShownExpiry:
        """Of a rotated key: that of its first material to expire."""
        return ShownExpiry(self.expiration_model, self.valid_to)

    @property
    def holds_material(self) -> bool:
        return self.state in _HOLDS_MATERIAL


def look(
    key_id: str,
    kms: Kms,
    caller: Caller,
    *,
    where: str = "KeyId",
    waits: Mapping[str, float] = NEW_KEY,
    meanings: Mapping[str, Meaning] = NO_MEANINGS,
) -> KeyView:
    """DescribeKey, by id, ARN or alias."""
    answer = caller.call(
        "kms:DescribeKey", lambda: kms.describe_key(KeyId=key_id), where=where, waits=waits, meanings=meanings
    )
    return KeyView.of_metadata(answer["KeyMetadata"])


def tags(key_arn: str, kms: Kms, caller: Caller, *, where: str) -> dict[str, str]:
    """All tags of a key (KMS pages them)."""
    found: dict[str, str] = {}
    parameters = {"KeyId": key_arn}
    while True:
        page = caller.call(
            "kms:ListResourceTags", lambda: kms.list_resource_tags(**parameters), where=where, waits=NEW_KEY
        )
        found |= {tag["TagKey"]: tag["TagValue"] for tag in page.get("Tags", [])}
        if not page.get("Truncated"):
            return found
        parameters["Marker"] = page["NextMarker"]
