"""What a symmetric key holds, seen from outside: KMS's list, and the bytes with which it encrypts."""

from typing import Any, Protocol

from lab.kms import ciphertext
from lab.kms.errors import KmsError

_USAGE = {
    "SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT",
    **dict.fromkeys(("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"), "GENERATE_VERIFY_MAC"),
}
MESSAGE = b"what the key is used for"


class Caller(Protocol):
    """Makes a person's KMS calls: a world or a timeline."""

    def call(self, operation: str, **params: Any) -> Any: ...


def listed(caller: Caller, arn: str) -> list[dict[str, Any]]:
    """ListKeyRotations, the oldest first."""
    answer = caller.call("ListKeyRotations", KeyId=arn, IncludeKeyMaterial="ALL_KEY_MATERIAL", region=arn.split(":")[3])
    materials: list[dict[str, Any]] = answer["Rotations"]
    return materials


def states(caller: Caller, arn: str) -> list[tuple[str, str]]:
    """(KeyMaterialState, ImportState) of each material, the oldest first."""
    return [(one["KeyMaterialState"], one["ImportState"]) for one in listed(caller, arn)]


def encrypts_with(caller: Caller, arn: str, material: bytes) -> bool:
    """Whether these bytes decrypt, outside of KMS, what KMS encrypts under the key."""
    blob = caller.call("Encrypt", KeyId=arn, Plaintext=MESSAGE, region=arn.split(":")[3])["CiphertextBlob"]
    try:
        return ciphertext.open_sealed(ciphertext.take_apart(blob), material, {}) == MESSAGE
    except KmsError:
        return False


def usage_of(spec: str) -> str:
    """The KeyUsage with which tests make a key of this spec."""
    return _USAGE.get(spec, "SIGN_VERIFY")
