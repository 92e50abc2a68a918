"""Reads the outermost layers of DER, to tell what a container is: the library says only that it could not load it.

Strict (X.690, section 10): definite and shortest lengths, nothing behind the end. It reads tags, lengths and object
identifiers, never a number of a key: those are read and checked by the cryptography library alone. Error texts name what
was found in the encoding, and quote no byte of it.

Sources: RFC 5208 and RFC 5958 (PKCS#8, versions 1 and 2), RFC 8017 A.1 (PKCS#1), RFC 5915 (SEC1), RFC 5280, RFC 7292.
"""

import enum
import re
from dataclasses import dataclass

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
CONTEXT_0 = 0xA0

_TAG_AND_LENGTH_BYTES = 2
_LONG_FORM = 0x80  # X.690, 8.1.3.5: above it, so many bytes of length follow
_INDEFINITE = 0x80  # X.690, 8.1.3.6
_FILLED_TO_BYTES = 8  # the semiblock of AES key wrap (RFC 3394, section 2)


class NotDerError(Exception):
    """The bytes are not DER. The text is the end of a sentence: "the material ..."."""


@dataclass(frozen=True, slots=True, repr=False)
class Element:
    """One value with its tag. `content` may be material: the repr shows none of it."""

    tag: int
    content: bytes


class Container(enum.Enum):
    """What an outermost SEQUENCE is, by the tags of its parts; the value is its name in a sentence."""

    PKCS8 = "a PKCS#8 private key"
    PKCS8_VERSION_2 = "a PKCS#8 private key of version 2 (RFC 5958)"
    PKCS8_WITHOUT_VERSION = "a PKCS#8 private key without its version number"
    ENCRYPTED_PKCS8 = "an encrypted PKCS#8 private key"
    PKCS1 = "a PKCS#1 private key"
    PKCS1_MORE_PRIMES = "a PKCS#1 private key of more than two primes"
    SEC1 = "a SEC1 private key"
    DSA = "a DSA private key"
    PUBLIC_KEY = "a public key"
    CERTIFICATE = "a certificate or a certificate request"
    PKCS12 = "a PKCS#12 file"


# The parts' tags, in order. 30 sequence, 02 integer, 03 bit string, 04 octet string, A0, A1, 81: context-specific.
_TAGS = (
    (Container.PKCS8, rb"\x02\x30\x04\xa0?"),
    (Container.PKCS8_VERSION_2, rb"\x02\x30\x04\xa0?[\x81\xa1]"),
    (Container.ENCRYPTED_PKCS8, rb"\x30\x04\xa0?"),
    (Container.PKCS1, rb"\x02{9}"),
    (Container.PKCS1_MORE_PRIMES, rb"\x02{9}\x30"),
    (Container.SEC1, rb"\x02\x04\xa0?\xa1?"),
    (Container.DSA, rb"\x02{6}"),
    (Container.PUBLIC_KEY, rb"\x30\x03|\x02\x02"),
    (Container.CERTIFICATE, rb"\x30\x30\x03"),
    (Container.PKCS12, rb"\x02\x30\x30?"),
)

# The algorithms that encrypt a PKCS#8: PKCS#5 (RFC 8018, A.3 and A.4) and PKCS#12 (RFC 7292, appendix C).
_ENCRYPTION = (bytes.fromhex("2a864886f70d0105"), bytes.fromhex("2a864886f70d010c01"))


def elements(data: bytes) -> tuple[Element, ...]:
    """Returns the values that stand one behind the other in `data`. NotDerError says how it is not DER."""
    found = []
    at = 0
    while at < len(data):
        element, at = _element(data, at)
        found.append(element)
    return tuple(found)


def sequence(data: bytes) -> tuple[Element, ...]:
    """Returns the parts of the one SEQUENCE that `data` is."""
    if not data.startswith(bytes([SEQUENCE])):
        raise NotDerError("does not begin as DER does")
    outer, end = _element(data, 0)
    if end < len(data):
        raise NotDerError(f"is followed by other bytes ({len(data) - end} of them)")
    return elements(outer.content)


def without_filling(data: bytes | bytearray) -> bytes | bytearray:
    """Returns `data` without the zero bytes that fill a SEQUENCE up to a multiple of 8 bytes; else `data` itself.

    Some HSMs (SoftHSM2) fill every key like that before they wrap it by AES. Nothing is guessed: DER tells where it ends.
    """
    if not data.startswith(bytes([SEQUENCE])) or len(data) % _FILLED_TO_BYTES:
        return data
    try:
        _, end = _element(bytes(data), 0)
    except NotDerError:
        return data
    filling = data[end:]
    return data if any(filling) or len(filling) >= _FILLED_TO_BYTES else data[:end]


def container(parts: tuple[Element, ...]) -> Container | None:
    """Tells what a SEQUENCE of these parts is; None: nothing that is known here."""
    tags = bytes(part.tag for part in parts)
    for kind, pattern in _TAGS:
        if re.fullmatch(pattern, tags, re.DOTALL):
            return _exactly(kind, parts)
    return None


def _exactly(kind: Container, parts: tuple[Element, ...]) -> Container:
    """Two pairs look alike from outside: the version number and the algorithm tell them apart."""
    if kind is Container.PKCS8 and parts[0].content != b"\0":
        return Container.PKCS8_VERSION_2
    if kind is Container.ENCRYPTED_PKCS8 and not algorithm(parts[0]).startswith(_ENCRYPTION):
        return Container.PKCS8_WITHOUT_VERSION
    return kind


def algorithm(identifier: Element) -> bytes:
    """Returns the object identifier (without tag and length) of an AlgorithmIdentifier; b"" if there is none."""
    try:
        parts = elements(identifier.content)
    except NotDerError:
        return b""
    return parts[0].content if parts and parts[0].tag == OBJECT_IDENTIFIER else b""


def _element(data: bytes, at: int) -> tuple[Element, int]:
    """Returns the value that begins at `at`, and where it ends. One-byte tags alone: no container here has others."""
    begin = at + _TAG_AND_LENGTH_BYTES
    if len(data) < begin:
        raise NotDerError("is cut off")
    tag, length = data[at], data[at + 1]
    if length == _INDEFINITE:
        raise NotDerError("is BER with an indefinite length, not DER")
    if length > _LONG_FORM:
        length_bytes = data[begin : begin + length - _LONG_FORM]
        begin += length - _LONG_FORM
        if len(data) < begin:
            raise NotDerError("is cut off")
        length = int.from_bytes(length_bytes, "big")
        if length < _LONG_FORM or length_bytes.startswith(b"\0"):  # X.690, 10.1: the shortest form
            raise NotDerError("is BER with a length longer than needed, not DER")
    end = begin + length
    if len(data) < end:
        raise NotDerError("is cut off")
    return Element(tag, data[begin:end]), end
