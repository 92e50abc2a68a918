"""KMS calls of the acts in one Region: by hand, with the SDK, and none of the product's code.

KMS shows a new key, and a change of a key, a little late. So each read here waits for what is expected, for a limited time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from imported_key_material.aws.calls import CONSISTENCY_PATIENCE_SECONDS
from lab.keys.by_hand import DEFAULT_ALGORITHM, FOR_EVER, parameters, wrap
from lab.live.stage import Stage

SUCCESS: Final = "success"
EXISTING: Final = {"ImportType": "EXISTING_KEY_MATERIAL"}
NEW: Final = {"ImportType": "NEW_KEY_MATERIAL"}
OTHER_BYTES: Final = "IncorrectKeyMaterialException"
WRONG_STATE: Final = "KMSInvalidStateException"
UNREADABLE: Final = "InvalidCiphertextException"
INVALID: Final = "ValidationException"
EMPTY, ENABLED, DISABLED = "PendingImport", "Enabled", "Disabled"  # KeyState
CHANGE_SECONDS: Final = 30.0  # how long a change may take to be shown


def code_of(call: Callable[[], object]) -> str:
    """Calls it. Returns "success", or the error's code."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return SUCCESS


@dataclass(frozen=True, slots=True)
class Sealer:
    """One answer of GetParametersForImport: wraps any number of materials for one key."""

    kms: Any
    key: str
    algorithm: str
    public_key: bytes
    token: bytes

    def import_(self, material: bytes, **more: Any) -> dict[str, Any]:
        """ImportKeyMaterial, without expiry unless `more` has one."""
        if "ValidTo" not in more:
            more.setdefault("ExpirationModel", FOR_EVER)
        answer: dict[str, Any] = self.kms.import_key_material(
            KeyId=self.key,
            ImportToken=self.token,
            EncryptedKeyMaterial=wrap(self.algorithm, self.public_key, material),
            **more,
        )
        return answer


@dataclass(frozen=True, slots=True)
class ByHand:
    """KMS in one Region. `client`: boto3's."""

    stage: Stage
    client: Any

    @classmethod
    def of(cls, stage: Stage, region: str | None = None) -> "ByHand":
        return cls(stage, stage.client("kms", region))

    def known[T](self, call: Callable[[], T]) -> T:
        """Calls it again while KMS does not know a new key yet."""

        def look() -> tuple[T] | None:
            try:
                return (call(),)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NotFoundException":
                    raise
                return None

        found = self.stage.wait_for(look, CONSISTENCY_PATIENCE_SECONDS)
        return found[0] if found else call()

    # --------------------------------------------------------------------------------------------- for an import

    def sealer(self, key: str, algorithm: str = DEFAULT_ALGORITHM, wrapping_key_spec: str = "RSA_2048") -> Sealer:
        given = self.known(lambda: parameters(self.client, key, algorithm, wrapping_key_spec))
        return Sealer(self.client, key, algorithm, given["PublicKey"], given["ImportToken"])

    def import_(self, key: str, material: bytes, **more: Any) -> dict[str, Any]:
        """Gets parameters, and imports. An import into a new key is made again while KMS does not know the key yet."""
        sealer = self.sealer(key)
        return self.known(lambda: sealer.import_(material, **more))

    # --------------------------------------------------------------------------------------------------- looking

    def describe(self, key: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.known(lambda: self.client.describe_key(KeyId=key))["KeyMetadata"]
        return found

    def becomes(self, key: str, state: str, seconds: float = CHANGE_SECONDS) -> Mapping[str, Any]:
        """DescribeKey's metadata once the key is in this state, or as it is after so many seconds."""

        def look() -> Mapping[str, Any] | None:
            found = self.describe(key)
            return found if found["KeyState"] == state else None

        return self.stage.wait_for(look, seconds) or self.describe(key)

    def materials(self, key: str) -> list[dict[str, Any]]:
        """All of ListKeyRotations."""
        pages = self.client.get_paginator("list_key_rotations").paginate(
            KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL"
        )
        return [one for page in pages for one in page.get("Rotations", [])]

    def states(self, key: str) -> dict[str, str]:
        """KeyMaterialState by KeyMaterialId."""
        return {one["KeyMaterialId"]: str(one.get("KeyMaterialState", "")) for one in self.materials(key)}

    def material_becomes(self, key: str, material_id: str, state: str, seconds: float = CHANGE_SECONDS) -> str:
        """The material's state once it is this one, or as it is after so many seconds; "" if it is not in the list."""

        def look() -> str | None:
            found = self.states(key).get(material_id, "")
            return found if found == state else None

        found = self.stage.wait_for(look, seconds)
        return self.states(key).get(material_id, "") if found is None else found
