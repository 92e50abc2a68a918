"""Private keys that are slow to load: other algorithms, very long numbers, containers within containers."""

import base64
import math
from typing import Final

from lab.hostile.row import Hostile, mersenne, secret
from lab.keys import der
from lab.keys.private_keys import ec_key, pkcs8_der, point, rsa_key

DSA, DH, X942_DH = "1.2.840.10040.4.1", "1.2.840.113549.1.3.1", "1.2.840.10046.2.1"
RSA, P256, P521, ED25519 = "RSA_2048", "ECC_NIST_P256", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519"

ANOTHER: Final = "KMS takes no private keys of this algorithm."
NOT_RSA: Final = "The private key is not a valid RSA key"
NOT_EC: Final = "The private key is not a valid EC key"


def dsa(bits: int) -> bytes:
    """p, g and x have the same length: the library computes g^x mod p."""
    p, g = mersenne(bits), mersenne(bits) - 2
    return der.pkcs8(DSA, der.sequence(der.integer(p), der.integer(23), der.integer(g)), der.integer(p))


def dsa_pem(bits: int) -> str:
    return f"-----BEGIN PRIVATE KEY-----\n{base64.encodebytes(dsa(bits)).decode()}-----END PRIVATE KEY-----\n"


def dsa_traditional(bits: int) -> bytes:
    return der.sequence(*(der.integer(number) for number in (0, mersenne(bits), 23, *[mersenne(bits) - 2] * 3)))


def dh(algorithm: str, bits: int) -> bytes:
    return der.pkcs8(algorithm, der.sequence(der.integer(mersenne(bits)), der.integer(2)), der.integer(mersenne(bits)))


def in_pkcs8(numbers: tuple[int, ...]) -> bytes:
    return der.pkcs8(der.ID_RSA, der.null(), der.pkcs1(numbers))


def known_primes() -> tuple[int, ...]:
    """A key that is valid in every respect. The library needs minutes to find that out."""
    p, q = mersenne(11_213), mersenne(9_941)
    least = math.lcm(p - 1, q - 1)
    e = next(e for e in range(65_537, 70_000, 2) if math.gcd(e, least) == 1)
    return der.rsa_numbers(p, q, e, pow(e, -1, least))


def primes_alone(p: int, q: int) -> tuple[int, ...]:
    return der.rsa_numbers(p, q, 3, 3, n=15, qi=1)


def largest(e: int | None = None, n_more: int = 0) -> bytes:
    """The largest key that KMS takes, with another exponent, or with a wrong modulus."""
    numbers = rsa_key(4096).private_numbers()
    p, q, public = numbers.p, numbers.q, numbers.public_numbers
    if e is None:
        return in_pkcs8(der.rsa_numbers(p, q, public.e, numbers.d, n=public.n + n_more))
    return in_pkcs8(der.rsa_numbers(p, q, e, pow(e, -1, math.lcm(p - 1, q - 1))))


def large_exponent() -> int:
    numbers = rsa_key(4096).private_numbers()
    least = math.lcm(numbers.p - 1, numbers.q - 1)
    return next(e for e in range((1 << 4000) + 1, (1 << 4000) + 10_000, 2) if math.gcd(e, least) == 1)


def pkcs8_within_pkcs8() -> bytes:
    inner = b""
    while len(inner) < 65_400:
        inner = der.pkcs8(der.ID_RSA, der.null(), inner)
    return inner


def scalar() -> bytes:
    return ec_key().private_numbers().private_value.to_bytes(32)


def explicit_curve() -> bytes:
    """A curve by explicit parameters, over a very large field."""
    prime, octets = der.integer(mersenne(86_000)), der.octets(b"\1" * 10_750)
    generator = der.octets(point(7, ec_key().curve) * 100)
    field = der.sequence(der.oid("1.2.840.10045.1.1"), prime)
    curve = der.sequence(der.integer(1), field, der.sequence(octets, octets), generator, prime, der.integer(1))
    return der.pkcs8(der.ID_EC, curve, der.sec1(b"\1" * 2_000))


def nested_sequences() -> bytes:
    inner = b""
    while len(inner) < 65_500:
        inner = der.sequence(inner)
    return inner


ROWS: Final[tuple[Hostile, ...]] = (
    # --- other algorithms
    secret("DSA of 16,000 bits", ANOTHER, lambda: dsa(16_000), spec=RSA),
    secret("DSA of 40,000 bits, for a curve", ANOTHER, lambda: dsa(40_000), spec=P256),
    secret("DSA that fills the secret", ANOTHER, lambda: dsa(174_000), spec=RSA),
    secret("DSA in a PEM", ANOTHER, lambda: dsa_pem(127_000), spec=RSA),
    secret("DSA in base64", ANOTHER, lambda: base64.b64encode(dsa(130_000)).decode(), spec=ED25519),
    secret(
        "DSA in its own container", "The material is a DSA private key.", lambda: dsa_traditional(100_000), spec=RSA
    ),
    secret("DSA in place of random bytes", "The material is 65296 bytes long", lambda: dsa(174_000)),
    secret("DH", ANOTHER, lambda: dh(DH, 250_000), spec=RSA),
    secret("X9.42 DH", ANOTHER, lambda: dh(X942_DH, 10_000), spec=RSA),
    secret(
        "RSA-PSS without an end",
        "is for RSA-PSS only",
        lambda: der.pkcs8(der.ID_RSA_PSS, b"", der.pkcs1(known_primes())),
        spec=RSA,
    ),
    secret(
        "an identifier of 65,000 bytes",
        ANOTHER,
        lambda: der.sequence(der.integer(0), der.sequence(der.tlv(6, b"\1" * 65_000)), der.octets(b"")),
        spec=RSA,
    ),
    # --- RSA numbers
    secret(
        "RSA of two known primes, PKCS#1",
        "The RSA key's modulus has 21,154 bits",
        lambda: der.pkcs1(known_primes()),
        spec=RSA,
    ),
    secret(
        "RSA of two known primes, PKCS#8",
        "The RSA key's modulus has 21,154 bits",
        lambda: in_pkcs8(known_primes()),
        spec=RSA,
    ),
    secret(
        "RSA with primes without an end",
        "first prime has 23,209 bits",
        lambda: in_pkcs8(primes_alone(mersenne(23_209), mersenne(9_941))),
        spec=RSA,
    ),
    secret(
        "RSA with primes as long as a modulus",
        "first prime has 4,253 bits",
        lambda: in_pkcs8(primes_alone(mersenne(4_253), mersenne(4_423))),
        spec=RSA,
    ),
    secret(
        "RSA with a second prime of 2,203 bits",
        "second prime has 2,203 bits",
        lambda: in_pkcs8(primes_alone(mersenne(1_279), mersenne(2_203))),
        spec=RSA,
    ),
    secret(
        "RSA with a public exponent of 60,000 bits",
        "public exponent has 60,000 bits",
        lambda: in_pkcs8((15, mersenne(60_000), 3, 5, 3, 1, 1, 1)),
        spec=RSA,
    ),
    secret(
        "RSA with a private exponent of 500,000 bits",
        "private exponent has 500,000 bits",
        lambda: in_pkcs8((15, 3, mersenne(500_000), 5, 3, 1, 1, 1)),
        spec=RSA,
    ),
    secret(
        "RSA with a coefficient of 500,000 bits",
        "CRT coefficient has 500,000 bits",
        lambda: in_pkcs8((15, 3, 3, 5, 3, 1, 1, mersenne(500_000))),
        spec=RSA,
    ),
    secret(
        "RSA of the largest size, for another key spec", "The private key is an RSA key of 4096 bits", largest, spec=RSA
    ),
    secret("RSA of the largest size, with another modulus", NOT_RSA, lambda: largest(n_more=2), spec="RSA_4096"),
    secret(
        "RSA of the largest size, with a large exponent",
        "public exponent is 2^256 or more",
        lambda: largest(large_exponent()),
        spec="RSA_4096",
    ),
    secret(
        "RSA whose numbers are the largest there may be",
        NOT_RSA,
        lambda: in_pkcs8((*[mersenne(4096)] * 3, *[mersenne(2048)] * 5)),
        spec="RSA_4096",
    ),
    secret(
        "RSA of ten thousand primes",
        "of more than two primes",
        lambda: der.sequence(*[der.integer(1)] * 9, der.sequence(*[der.integer(3)] * 20_000)),
        spec=RSA,
    ),
    secret(
        "RSA in PKCS#8, of ten thousand numbers",
        NOT_RSA,
        lambda: der.pkcs8(der.ID_RSA, der.null(), der.sequence(*[der.integer(3)] * 20_000)),
        spec=RSA,
    ),
    secret("PKCS#8 within PKCS#8, 2,500 deep", NOT_RSA, pkcs8_within_pkcs8, spec=RSA),
    # --- EC and Ed25519
    secret(
        "EC with a private value of 65,000 bytes",
        "encoded in 65000 bytes",
        lambda: der.ec_pkcs8(b"\1" * 65_000, curve=der.P521),
        spec=P521,
    ),
    secret(
        "SEC1 with a private value of 65,000 bytes",
        "encoded in 65000 bytes",
        lambda: der.sec1(b"\1" * 65_000, curve=der.P521),
        spec=P521,
    ),
    secret(
        "EC with a point of 65,000 bytes",
        NOT_EC,
        lambda: der.ec_pkcs8(scalar(), point=b"\4" + b"\1" * 65_000),
        spec=P256,
    ),
    secret("EC over a field without an end", "by explicit parameters", explicit_curve, spec=P256),
    secret(
        "EC on a curve of 65,000 bytes",
        "on a curve that KMS does not have",
        lambda: der.pkcs8(der.ID_EC, der.tlv(6, b"\1" * 65_000), der.sec1(scalar())),
        spec=P256,
    ),
    secret(
        "EC with attributes of 65,000 bytes",
        "",
        lambda: der.pkcs8(
            der.ID_EC,
            der.oid(der.P256),
            der.sec1(scalar()),
            behind=der.tlv(0xA0, der.sequence(der.oid("2.5.29.15"), der.tlv(0x31, der.octets(b"a" * 65_000)))),
        ),
        spec=P256,
        ends="SUCCESS",
    ),
    secret(
        "Ed25519 with a seed of 65,000 bytes",
        "not a valid Ed25519 key",
        lambda: der.ed25519(b"\1" * 65_000),
        spec=ED25519,
    ),
    # --- containers
    secret("DER of many parts", "DER, but no private key", lambda: der.sequence(der.null() * 32_000), spec=RSA),
    secret(
        "DER of many parts, for random bytes",
        "The material is 64004 bytes long",
        lambda: der.sequence(der.null() * 32_000),
    ),
    secret(
        "DER with a length of 127 bytes", "The private key is cut off", lambda: b"\x30\xff" + b"\xff" * 127, spec=RSA
    ),
    secret("BER, nested", "BER with an indefinite length", lambda: b"\x30\x80" * 32_000, spec=RSA),
    secret("DER, nested to the end", "DER, but no private key", nested_sequences, spec=RSA),
    secret(
        "a key with 65,000 bytes behind it",
        "is followed by other bytes",
        lambda: pkcs8_der(ec_key()) + bytes(65_000),
        spec=P256,
    ),
)
