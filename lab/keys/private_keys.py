"""Private keys for tests. Each is made at its first use, once in a process. None is stored in the repository."""

from functools import cache
from math import lcm

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

E = 65537
CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}


@cache
def rsa_key(bits: int = 2048, exponent: int = E) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


@cache
def ec_key(spec_name: str = "ECC_NIST_P256") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(CURVES[spec_name])


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def key_for(spec_name: str) -> PrivateKeyTypes:
    """A good key for an asymmetric key spec."""
    if spec_name.startswith("RSA_"):
        return rsa_key(int(spec_name.removeprefix("RSA_")))
    return ec_key(spec_name) if spec_name in CURVES else ed25519_key()


def pkcs8_der(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def pkcs8_pem(key: PrivateKeyTypes, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def traditional_der(key: PrivateKeyTypes) -> bytes:
    """PKCS#1 or SEC1."""
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def traditional_pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def spki_der(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def point(private_value: int, curve: ec.EllipticCurve) -> bytes:
    """The uncompressed public point of a private value."""
    key = ec.derive_private_key(private_value, curve).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


# ----------------------------------------------------------------------------------------------------- weak RSA keys

_SIEVE = tuple(n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


def next_prime(start: int) -> int:
    """The first probable prime (Fermat, base 2, after trial division) from `start` on; good enough to make test keys."""
    candidate = start | 1
    while any(candidate % small == 0 for small in _SIEVE) or pow(2, candidate - 1, candidate) != 1:
        candidate += 2
    return candidate


def private_exponent(p: int, q: int, e: int = E) -> int:
    return pow(e, -1, lcm(p - 1, q - 1))
