"""Builds DER by hand, for keys that no library writes: damaged, weak, in old or odd containers. For tests only."""

from collections.abc import Iterable

ID_EC = "1.2.840.10045.2.1"
ID_RSA = "1.2.840.113549.1.1.1"
ID_RSA_PSS = "1.2.840.113549.1.1.10"
ID_ED25519 = "1.3.101.112"
P256 = "1.2.840.10045.3.1.7"
P384 = "1.3.132.0.34"
P521 = "1.3.132.0.35"
P256K1 = "1.3.132.0.10"


def tlv(tag: int, *contents: bytes) -> bytes:
    """One value: tag, shortest definite length, content."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def integer(number: int) -> bytes:
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def octets(content: bytes) -> bytes:
    return tlv(0x04, content)


def bits(content: bytes) -> bytes:
    return tlv(0x03, b"\0", content)


def null() -> bytes:
    return tlv(0x05)


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(0x06, *(_base_128(arc) for arc in (40 * first + second, *rest)))


def _base_128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(0x80 | arc & 0x7F)
    return bytes(reversed(digits))


def pkcs8(algorithm: str, parameters: bytes, inner: bytes, *, version: int = 0, behind: bytes = b"") -> bytes:
    """PKCS#8 (RFC 5208): `inner` is the key in its own container; `behind`: attributes, or version 2's public key."""
    return sequence(integer(version), sequence(oid(algorithm), parameters), octets(inner), behind)


def sec1(scalar: bytes, *, curve: str | None = None, point: bytes | None = None) -> bytes:
    """ECPrivateKey (RFC 5915)."""
    named = tlv(0xA0, oid(curve)) if curve else b""
    return sequence(integer(1), octets(scalar), named, tlv(0xA1, bits(point)) if point else b"")


def ec_pkcs8(scalar: bytes, *, curve: str = P256, point: bytes | None = None) -> bytes:
    return pkcs8(ID_EC, oid(curve), sec1(scalar, point=point))


def ed25519(seed: bytes, *, version: int = 0, public_key: bytes | None = None) -> bytes:
    """PKCS#8 by RFC 8410; with `version=1` and a public key, by RFC 5958."""
    behind = tlv(0x81, b"\0", public_key) if public_key else b""
    return pkcs8(ID_ED25519, b"", octets(seed), version=version, behind=behind)


def pkcs1(numbers: Iterable[int], *, version: int = 0, behind: bytes = b"") -> bytes:
    """RSAPrivateKey (RFC 8017, A.1.2): n, e, d, p, q, dp, dq, qi."""
    return sequence(integer(version), *(integer(number) for number in numbers), behind)


def rsa_numbers(p: int, q: int, e: int, d: int, *, n: int | None = None, qi: int | None = None) -> tuple[int, ...]:
    """The eight numbers of an RSA private key. `n` and `qi` can replace theirs, to damage the key."""
    modulus = p * q if n is None else n
    coefficient = pow(q, -1, p) if qi is None else qi
    return modulus, e, d, p, q, d % (p - 1), d % (q - 1), coefficient
