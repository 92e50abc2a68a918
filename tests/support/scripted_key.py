"""A symmetric KMS key whose answers the test scripts: for the order of calls, and for moments that the strict KMS does not
reach by itself. The strict KMS shows what KMS really does (`lab/kms/`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from botocore.exceptions import ClientError

from imported_key_material.aws.calls import Caller
from imported_key_material.aws.kms_key import KmsKey, KmsWithoutRetries
from imported_key_material.aws.kms_reads import Kms
from imported_key_material.clock import Deadline
from lab.clock import VirtualClock

ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def refusal(code: str, operation: str = "RotateKeyOnDemand") -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(response, operation)


class Silent:
    """A log that nobody reads."""

    def append_keys(self, **keys: str | None) -> None: ...
    def info(self, msg: str, *, extra: Mapping[str, object]) -> None: ...
    def warning(self, msg: str, *, extra: Mapping[str, object]) -> None: ...


@dataclass
class ScriptedKey:
    """`materials`: (id, KeyMaterialState) to what else the list says. `asked`: what RotateKeyOnDemand does, in turn."""

    current: str = "one"
    materials: dict[tuple[str, str], dict[str, Any]] = field(default_factory=lambda: {("one", "CURRENT"): {}})
    replicas: tuple[str, ...] = ()
    shows_rotation_until: datetime | None = None
    refusals: list[ClientError | None] = field(default_factory=list)
    status_refusal: ClientError | None = None
    clock: VirtualClock = field(default_factory=VirtualClock)
    calls: list[tuple[str, float]] = field(default_factory=list)  # and the seconds since the clock's start
    guarded: int = 0

    def __post_init__(self) -> None:
        self.started_at = self.clock.now()

    def key(self, *, seconds: float = 900.0) -> KmsKey:
        deadline = Deadline(self.clock, self.clock.now() + timedelta(seconds=seconds))
        return KmsKey(ARN, cast("Kms", self), cast("KmsWithoutRetries", self), Caller(self.clock, deadline, Silent()))

    def guard(self) -> None:
        self.guarded += 1

    def called(self, operation: str) -> list[float]:
        """When it was called, in seconds since the beginning."""
        return [at for name, at in self.calls if name == operation]

    def after(self, seconds: float, change: Callable[[], object]) -> None:
        def act() -> None:
            change()

        self.clock.after(seconds, act)

    def become_current(self, material_id: str) -> None:
        self.materials = {
            (id_, "CURRENT" if id_ == material_id else "NON_CURRENT"): more for (id_, _), more in self.materials.items()
        }
        self.current = material_id

    # ----------------------------------------------------------------------------------------------------- boto3's side

    def _seen(self, operation: str) -> None:
        self.calls.append((operation, (self.clock.now() - self.started_at).total_seconds()))

    def describe_key(self, **_: object) -> Mapping[str, Any]:
        self._seen("DescribeKey")
        metadata: dict[str, Any] = {
            "Arn": ARN,
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "Origin": "EXTERNAL",
            "KeyState": "Enabled",
            "CurrentKeyMaterialId": self.current,
        }
        if self.replicas:
            regions = [{"Region": region} for region in self.replicas]
            metadata["MultiRegionConfiguration"] = {"MultiRegionKeyType": "PRIMARY", "ReplicaKeys": regions}
        return {"KeyMetadata": metadata}

    def list_key_rotations(self, **_: object) -> Mapping[str, Any]:
        self._seen("ListKeyRotations")
        entries = [
            {"KeyMaterialId": id_, "KeyMaterialState": state, "ImportState": "IMPORTED"} | more
            for (id_, state), more in self.materials.items()
        ]
        return {"Rotations": entries, "Truncated": False}

    def get_key_rotation_status(self, **_: object) -> Mapping[str, Any]:
        self._seen("GetKeyRotationStatus")
        if self.status_refusal is not None:
            raise self.status_refusal
        shown = self.shows_rotation_until is not None and self.clock.now() < self.shows_rotation_until
        return {"OnDemandRotationStartDate": self.clock.now()} if shown else {}

    def rotate_key_on_demand(self, **_: object) -> Mapping[str, Any]:
        self._seen("RotateKeyOnDemand")
        refused = self.refusals.pop(0) if self.refusals else None
        if refused is not None:
            raise refused
        return {"KeyId": ARN}

    def delete_imported_key_material(self, **parameters: object) -> Mapping[str, Any]:
        self._seen("DeleteImportedKeyMaterial")
        gone = parameters.get("KeyMaterialId", self.current)
        self.materials = {(id_, state): more for (id_, state), more in self.materials.items() if id_ != gone}
        return {"KeyId": ARN}
