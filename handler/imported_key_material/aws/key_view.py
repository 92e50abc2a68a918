"""What DescribeKey and ListResourceTags show of a KMS key: a key that takes material, or a transport key.

Pure: it makes values of AWS's dicts. Other modules make the calls: `kms_reads.py`, and the custodian's tool in its session.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from imported_key_material.aws.held_materials import ShownExpiry
from imported_key_material.key_id import KeyId

_HOLDS_MATERIAL: Final = frozenset({"Enabled", "Disabled", "Updating"})


class KeyView(NamedTuple):
    """What DescribeKey shows at one moment."""

    arn: str
    spec: str
    usage: str
    origin: str
    state: str
    expiration_model: str  # "" while the key holds no material
    valid_to: datetime | None
    current_material_id: str  # "" for keys that are not symmetric, and before the first import
    multi_region: str  # PRIMARY, REPLICA; "" for a key of one Region
    replica_regions: tuple[str, ...]  # of a multi-Region primary
    created_at: datetime | None
    deletion_at: datetime | None  # None unless the deletion is scheduled, and for a primary that waits for its replicas

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
            multi_region=regions.get("MultiRegionKeyType", ""),
            replica_regions=tuple(replica["Region"] for replica in regions.get("ReplicaKeys", [])),
            created_at=metadata.get("CreationDate"),
            deletion_at=metadata.get("DeletionDate"),
        )

    @property
    def key_id(self) -> KeyId:
        return KeyId.of_arn(self.arn)

    @property
    def expiry(self) -> ShownExpiry:
        """For a rotated key: the expiry of the material that expires first."""
        return ShownExpiry(self.expiration_model, self.valid_to)

    @property
    def is_replica(self) -> bool:
        return self.multi_region == "REPLICA"

    @property
    def holds_material(self) -> bool:
        return self.state in _HOLDS_MATERIAL


def tags_of(pages: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """All tags of a key. `pages`: of ListResourceTags."""
    return {tag["TagKey"]: tag["TagValue"] for page in pages for tag in page.get("Tags", [])}
