"""Turns unwrapped bytes into a secret for a key spec, or refuses without a message (C-1 to C-5, C-30).

Stricter than the library's loader on purpose: that also reads PKCS#1, SEC1 and explicit curve parameters, and KMS does not.
"""

from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from lab.kms import ber
from lab.kms.errors import KmsError
from lab.kms.specs import Kind, Spec

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey

_RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d0101010500")  # rsaEncryption, NULL
_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
_ED25519 = bytes.fromhex("06032b6570")


@dataclass(frozen=True, slots=True)
class Secret:
    """The imported bytes, and the private key that they encode, if they do."""

    encoded: bytes = field(repr=False)
    private_key: PrivateKey | None = field(default=None, repr=False)


def invalid_ciphertext() -> KmsError:
    """C-30: the same code for a wrong length, a corrupt blob or an unreadable key, and never a message."""
    return KmsError("InvalidCiphertextException")


def read(unwrapped: bytes, spec: Spec) -> Secret:
    if spec.is_secret:
        if not spec.min_bytes <= len(unwrapped) <= spec.max_bytes:
            raise invalid_ciphertext()
        return Secret(unwrapped)
    return Secret(unwrapped, _private_key(unwrapped, spec))


def _private_key(unwrapped: bytes, spec: Spec) -> PrivateKey:
    try:
        der = unwrapped if spec.kind is Kind.EDWARDS else ber.to_der(unwrapped)  # C-5
        _require_pkcs8(der, spec)
        key = load_der_private_key(der, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise invalid_ciphertext() from None
    if spec.kind is Kind.RSA and isinstance(key, RSAPrivateKey) and key.key_size == spec.modulus_bits:
        return key
    if spec.kind is Kind.EDWARDS and isinstance(key, Ed25519PrivateKey):
        return key
    if spec.kind is Kind.EC and isinstance(key, EllipticCurvePrivateKey):  # _require_pkcs8 has checked the curve
        return key
    raise invalid_ciphertext()


def _require_pkcs8(der: bytes, spec: Spec) -> None:
    """RFC 5208: SEQUENCE { version, AlgorithmIdentifier, OCTET STRING, ... }, and the algorithm of this key spec.

    The library also reads other containers. In PKCS#8 it refuses every version except 0 itself.
    """
    _, algorithm, _ = ber.children(der)[:3]
    expected = {Kind.RSA: _RSA_ENCRYPTION, Kind.EC: _EC_PUBLIC_KEY + spec.curve_oid, Kind.EDWARDS: _ED25519}[spec.kind]
    if b"".join(ber.children(algorithm)) != expected:
        raise ValueError("another container, another algorithm, or a curve without its name")
