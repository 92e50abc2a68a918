"""GetParametersForImport's answer as one value that can't be taken apart.

Public key and import token belong together, to one key and to one wrapping algorithm, for 24 hours. There is no getter, so
two answers can't be mixed. Only these parameters make SealedMaterial, and `kms_key.KmsKey.import_material` takes only
SealedMaterial for its own key. They seal only `CheckedMaterial`, which only the checks make.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from imported_key_material.errors import Fault, ServiceRefused
from imported_key_material.material import wrapping
from imported_key_material.material.material_check import CheckedMaterial


@dataclass(frozen=True, slots=True)
class SealedMaterial:
    """Checked material, wrapped for one key, with the token that goes with it. Harmless outside KMS."""

    key_arn: str
    encrypted_key_material: bytes = field(repr=False)
    import_token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImportParameters:
    """One answer of GetParametersForImport: one key, one algorithm, 24 hours."""

    _key_arn: str
    _algorithm: str
    _public_key: RSAPublicKey = field(repr=False)
    _token: bytes = field(repr=False)

    @classmethod
    def of_answer(cls, answer: Mapping[str, Any], *, key_arn: str, algorithm: str) -> Self:
        """Raises ServiceRefused if the answer is not for this key, or its public key is no RSA key in DER."""
        try:
            public_key = load_der_public_key(answer["PublicKey"])
        except (ValueError, UnsupportedAlgorithm):
            public_key = None
        if answer["KeyId"] != key_arn or not isinstance(public_key, RSAPublicKey):
            raise ServiceRefused(
                Fault(
                    "KeyId",
                    f"KMS answered kms:GetParametersForImport for {key_arn} with parameters of another key, or with a wrapping "
                    "public key that is no RSA key.",
                    "Please report this.",
                ),
                operation="kms:GetParametersForImport",
                code="",
            )
        return cls(key_arn, algorithm, public_key, answer["ImportToken"])

    def seal(self, material: CheckedMaterial) -> SealedMaterial:
        """Wraps the material for the trip to KMS. KMS holds nothing yet."""
        wrapped = wrapping.wrap(self._algorithm, self._public_key, material.encoded)
        return SealedMaterial(self._key_arn, wrapped, self._token)
