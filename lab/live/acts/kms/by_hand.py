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
STATE_SECONDS: Final = 60.0  # how long a call may still see the state from before


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
        return self._waits_out(call, ("NotFoundException",), CONSISTENCY_PATIENCE_SECONDS)

    def at_rest[T](self, call: Callable[[], T]) -> T:
        """Like `known`, and while KMS still has the key in the state from before: for a call that must succeed."""
        return self._waits_out(call, ("NotFoundException", WRONG_STATE), STATE_SECONDS)

    def _waits_out[T](self, call: Callable[[], T], codes: tuple[str, ...], seconds: float) -> T:
        def look() -> tuple[T] | None:
            try:
                return (call(),)
            except ClientError as error:
                if error.response["Error"]["Code"] not in codes:
                    raise
                return None

        found = self.stage.wait_for(look, seconds)
        return found[0] if found else call()

    def code(self, call: Callable[[], object]) -> str:
        """The code of a call of a known key: "success", or the error's."""
        return code_of(lambda: self.known(call))

    def code_at_rest(self, call: Callable[[], object]) -> str:
        return code_of(lambda: self.at_rest(call))

    # --------------------------------------------------------------------------------------------- for an import

    def sealer(self, key: str, algorithm: str = DEFAULT_ALGORITHM, wrapping_key_spec: str = "RSA_2048") -> Sealer:
        given = self.at_rest(lambda: parameters(self.client, key, algorithm, wrapping_key_spec))
        return Sealer(self.client, key, algorithm, given["PublicKey"], given["ImportToken"])

    def import_(self, key: str, material: bytes, **more: Any) -> dict[str, Any]:
        """Gets parameters, and imports."""
        sealer = self.sealer(key)
        return self.at_rest(lambda: sealer.import_(material, **more))

    # --------------------------------------------------------------------------------------------------- looking

    def describe(self, key: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.known(lambda: self.client.describe_key(KeyId=key))["KeyMetadata"]
        return found

    def until[T](self, read: Callable[[], T], is_good: Callable[[T], bool], seconds: float = CHANGE_SECONDS) -> T:
        """What was read, once it is good, or as it is after so many seconds."""
        last = self.known(read)

        def look() -> bool | None:
            nonlocal last
            last = self.known(read)
            return is_good(last) or None

        if not is_good(last):
            self.stage.wait_for(look, seconds)
        return last

    def becomes(self, key: str, state: str, seconds: float = CHANGE_SECONDS) -> Mapping[str, Any]:
        """DescribeKey's metadata, once the key is in this state."""
        return self.until(lambda: self.describe(key), lambda found: bool(found["KeyState"] == state), seconds)

    def materials(self, key: str) -> list[dict[str, Any]]:
        """All of ListKeyRotations."""
        pages = self.client.get_paginator("list_key_rotations").paginate(
            KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL"
        )
        return [one for page in pages for one in page.get("Rotations", [])]

    def material_becomes(self, key: str, material_id: str, state: str, seconds: float = CHANGE_SECONDS) -> str:
        """KeyMaterialState, once it is this state; "" if the material is not in the list."""

        def read() -> str:
            found = {one["KeyMaterialId"]: str(one.get("KeyMaterialState", "")) for one in self.materials(key)}
            return found.get(material_id, "")

        return self.until(read, lambda found: found == state, seconds)
