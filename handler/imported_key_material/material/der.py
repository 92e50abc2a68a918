"""Reads the outermost layers of DER to name a container: the library says only that it could not load it.

Strict (X.690, section 10): definite and shortest lengths, nothing after the end. It reads tags, lengths and object
identifiers, but never the numbers of a key: only the cryptography library reads and checks those. It copies nothing: results
are views of the buffer, so wiping the buffer wipes all of them. Error texts describe the encoding, and quote no byte of it.

Sources: RFC 5208 and RFC 5958 (PKCS#8, versions 1 and 2), RFC 8017 A.1 (PKCS#1), RFC 5915 (SEC1), RFC 5280, RFC 7292.
"""

import enum
import re
from dataclasses import dataclass

OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
CONTEXT_0 = 0xA0

Buffer = bytes | bytearray | memoryview

_BEGIN = bytes([SEQUENCE])
_TAG_AND_LENGTH_BYTES = 2
_LONG_FORM = 0x80  # X.690, 8.1.3.5: above it, the low bits say how many bytes of length follow
_INDEFINITE = 0x80  # X.690, 8.1.3.6
_IDENTIFIER_MOST_BYTES = 16
_FILLED_TO_BYTES = 8  # the semiblock of AES key wrap (RFC 3394, section 2)


class NotDerError(Exception):
    """The bytes are not DER. The text is the end of a sentence: "the material ..."."""


@dataclass(frozen=True, slots=True, repr=False)
class Element:
    """One value with its tag. `content` may be material: it is a view, not a copy, and the repr does not show it."""

    tag: int
    content: memoryview

    def is_byte(self, value: int) -> bool:
        """Whether the content is this single byte, for example a version number."""
        return len(self.content) == 1 and self.content[0] == value

    def identifier(self) -> bytes:
        """An object identifier without tag and length; b"" for anything else, or if it is longer than any known here."""
        is_one = self.tag == OBJECT_IDENTIFIER and len(self.content) <= _IDENTIFIER_MOST_BYTES
        return bytes(self.content) if is_one else b""


class Container(enum.Enum):
    """What an outermost SEQUENCE is, judged by the tags of its parts. The value is its name in a sentence."""

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


@dataclass(frozen=True, slots=True, repr=False)
class Shape:
    """One SEQUENCE: what it is, and its parts.

    For PKCS#8 of any version also the algorithm (its object identifier, without tag and length), the algorithm's
    parameters, and the key inside (None where that is no SEQUENCE in DER). Only one inner layer is read.
    """

    container: Container | None  # None: unknown
    parts: tuple[Element, ...]
    algorithm: bytes = b""
    parameters: tuple[Element, ...] = ()
    inner: "Shape | None" = None


def read(data: Buffer) -> Shape:
    """Returns the shape of the one SEQUENCE in `data`. NotDerError says why it is not DER."""
    parts = _parts(memoryview(data))
    container = _container(parts)
    if container not in (Container.PKCS8, Container.PKCS8_VERSION_2):
        return Shape(container, parts)
    algorithm, parameters = _algorithm(parts[1])
    return Shape(container, parts, algorithm, parameters, _within(parts[2]))


def elements(outer: Element) -> tuple[Element, ...]:
    """Returns the values inside a value, in order; none where they can't be read."""
    try:
        return _elements(outer.content)
    except NotDerError:
        return ()


def without_filling(data: Buffer) -> memoryview:
    """Returns a view of `data` without the zero bytes that fill a SEQUENCE up to a multiple of 8 bytes.

    Some HSMs (SoftHSM2) fill every key like that before they wrap it by AES. This is no guess: DER says where it ends.
    """
    view = memoryview(data)
    if view[:1] != _BEGIN or len(view) % _FILLED_TO_BYTES:
        return view
    try:
        _, end = _element(view, 0)
    except NotDerError:
        return view
    filling = view[end:]
    return view if any(filling) or len(filling) >= _FILLED_TO_BYTES else view[:end]


def _within(octets: Element) -> Shape | None:
    try:
        parts = _parts(octets.content)
    except NotDerError:
        return None
    return Shape(_container(parts), parts)


def _parts(data: memoryview) -> tuple[Element, ...]:
    if data[:1] != _BEGIN:
        raise NotDerError("does not begin as DER does")
    outer, end = _element(data, 0)
    if end < len(data):
        raise NotDerError(f"is followed by other bytes ({len(data) - end} of them)")
    return _elements(outer.content)


def _container(parts: tuple[Element, ...]) -> Container | None:
    tags = bytes(part.tag for part in parts)
    kind = next((kind for kind, pattern in _TAGS if re.fullmatch(pattern, tags, re.DOTALL)), None)
    # Two pairs have the same tags: the version number and the algorithm distinguish them.
    if kind is Container.PKCS8 and not parts[0].is_byte(0):
        return Container.PKCS8_VERSION_2
    if kind is Container.ENCRYPTED_PKCS8:
        algorithm, _ = _algorithm(parts[0])
        return kind if algorithm.startswith(_ENCRYPTION) else Container.PKCS8_WITHOUT_VERSION
    return kind


def _algorithm(identifier: Element) -> tuple[bytes, tuple[Element, ...]]:
    """The object identifier of an AlgorithmIdentifier, b"" if there is none, and the values after it."""
    first, *parameters = elements(identifier) or (None,)
    return first.identifier() if first else b"", tuple(parameters)


def _elements(data: memoryview) -> tuple[Element, ...]:
    found = []
    at = 0
    while at < len(data):
        element, at = _element(data, at)
        found.append(element)
    return tuple(found)


def _element(data: memoryview, at: int) -> tuple[Element, int]:
    """Returns the value that begins at `at`, and where it ends. Only one-byte tags: no container here has others."""
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
        if length < _LONG_FORM or length_bytes[0] == 0:  # X.690, 10.1: the shortest form
            raise NotDerError("is BER with a length longer than needed, not DER")
    end = begin + length
    if len(data) < end:
        raise NotDerError("is cut off")
    return Element(tag, data[begin:end]), end
