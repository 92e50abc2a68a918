"""How it is told whether a KMS key holds the material, once the material itself is gone."""

import enum
from dataclasses import dataclass, field
from typing import Final

from imported_key_material.key_specs import Kind
from imported_key_material.material import CheckedMaterial

# VerifyMac of this message tells whether a key holds the material; domain-separated, so that its MAC is of no other use.
CONFIRMATION_MESSAGE: Final = (
    b"Custom::ImportedKeyMaterial confirms that this key holds the declared material, version 1"
)


class Confirmation(enum.StrEnum):
    """How it was confirmed that KMS holds the bytes."""

    PUBLIC_KEY = "PUBLIC_KEY"  # KMS's public key is the material's
    MAC = "MAC"  # KMS verifies a MAC that the material made
    KEY_MATERIAL_ID = "KEY_MATERIAL_ID"  # KMS accepted the bytes, and its current material is the one it named
    SAME_MATERIAL = "SAME_MATERIAL"  # the same, and the key knew the bytes before: KMS refuses any others


@dataclass(frozen=True, slots=True)
class Proof:
    """What is kept of the material, once it is sealed, to tell whether KMS holds it: nothing secret."""

    public_key: bytes | None = field(default=None, repr=False)  # SubjectPublicKeyInfo, of asymmetric keys
    mac: bytes | None = field(default=None, repr=False)  # of CONFIRMATION_MESSAGE, of HMAC keys
    mac_algorithm: str = ""

    @classmethod
    def of(cls, material: CheckedMaterial) -> "Proof":
        if material.spec.kind is Kind.HMAC:
            return cls(
                mac=material.mac(CONFIRMATION_MESSAGE),
                mac_algorithm=material.spec.name.replace("HMAC_", "HMAC_SHA_"),
            )
        return cls(public_key=material.public_key)


class OtherMaterial(Exception):
    """KMS proves that the key holds other bytes."""
