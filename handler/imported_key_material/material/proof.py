"""What is kept after the material is wiped: enough to confirm that KMS holds it, and nothing secret."""

import enum
from dataclasses import dataclass, field
from typing import Final

from imported_key_material.material.key_specs import Kind
from imported_key_material.material.material_check import CheckedMaterial

# VerifyMac of this message shows whether a key holds the material. The text is unique, so its MAC has no other use.
CONFIRMATION_MESSAGE: Final = (
    b"Custom::ImportedKeyMaterial confirms that this key holds the declared material, version 1"
)


class Confirmation(enum.StrEnum):
    """How we confirmed that KMS holds the bytes."""

    PUBLIC_KEY = "PUBLIC_KEY"  # KMS's public key is the material's
    MAC = "MAC"  # KMS verifies a MAC that the material made
    KEY_MATERIAL_ID = "KEY_MATERIAL_ID"  # KMS accepted the bytes, and the id that it returned is the current material's
    SAME_MATERIAL = "SAME_MATERIAL"  # the same, and the key had this material before: KMS would refuse other bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """`check_value`: computed, such as "CMAC:377822C093", "" for a key that may be guessable."""

    public_key: bytes | None = field(default=None, repr=False)  # SubjectPublicKeyInfo, of asymmetric keys
    public_exponent: int | None = None  # of RSA keys
    mac: bytes | None = field(default=None, repr=False)  # of CONFIRMATION_MESSAGE, of HMAC keys
    mac_algorithm: str = ""
    check_value: str = ""

    @classmethod
    def of(cls, material: CheckedMaterial) -> "Proof":
        """For an HMAC key ValueError after the material was wiped."""
        is_hmac = material.spec.kind is Kind.HMAC
        return cls(
            public_key=material.public_key,
            public_exponent=material.public_exponent,
            mac=material.mac(CONFIRMATION_MESSAGE) if is_hmac else None,
            mac_algorithm=material.spec.mac_algorithm,
            check_value=material.check_value,
        )


class OtherMaterial(Exception):
    """KMS proves that the key holds other bytes."""
