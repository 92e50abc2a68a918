"""Converts BER into DER (X.690), as far as an imported private key needs it: definite and indefinite lengths.

KMS takes a private key in either (C-5); the library takes only DER. Every malformed input is a ValueError.
"""

_MAX_DEPTH = 16


def to_der(data: bytes) -> bytes:
    """The same value with definite, minimal lengths, and octet strings in one piece."""
    encoded, rest = _element(data, 0)
    if rest:
        raise ValueError("bytes after the end")
    return encoded


def children(der: bytes) -> list[bytes]:
    """The elements of one constructed DER element, each whole."""
    tag, length, start = _header(der)
    if not tag & 0x20 or length is None or start + length != len(der):
        raise ValueError("not one constructed element")
    found, rest = [], der[start:]
    while rest:
        _, size, begin = _header(rest)
        if size is None or begin + size > len(rest):
            raise ValueError("an element without an end")
        found.append(rest[: begin + size])
        rest = rest[begin + size :]
    return found


def _element(data: bytes, depth: int) -> tuple[bytes, bytes]:
    """The first element as DER, and what follows it."""
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    tag, length, start = _header(data)
    constructed = bool(tag & 0x20)
    if length is not None:
        if start + length > len(data):
            raise ValueError("shorter than it says")
        content, rest = data[start : start + length], data[start + length :]
        parts = _all(content, depth) if constructed else [content]
    elif constructed:
        parts, rest = _until_end(data[start:], depth)
    else:
        raise ValueError("a primitive element of indefinite length")
    if tag == 0x24:  # an octet string in pieces
        parts, tag = [b"".join(_content(part) for part in parts)], 0x04
    body = b"".join(parts)
    return bytes([tag]) + _length(len(body)) + body, rest


def _all(content: bytes, depth: int) -> list[bytes]:
    parts = []
    while content:
        part, content = _element(content, depth + 1)
        parts.append(part)
    return parts


def _until_end(data: bytes, depth: int) -> tuple[list[bytes], bytes]:
    parts = []
    while not data.startswith(b"\x00\x00"):
        part, data = _element(data, depth + 1)
        parts.append(part)
    return parts, data[2:]


def _content(element: bytes) -> bytes:
    tag, length, start = _header(element)
    if tag != 0x04 or length is None:
        raise ValueError("an octet string made of something else")
    return element[start:]


def _header(data: bytes) -> tuple[int, int | None, int]:
    """Tag, length (None: indefinite), and where the content starts."""
    if len(data) < 2 or data[0] & 0x1F == 0x1F:
        raise ValueError("no element")
    first = data[1]
    if first < 0x80:
        return data[0], first, 2
    if first == 0x80:
        return data[0], None, 2
    size = first & 0x7F
    if size > 4 or len(data) < 2 + size:
        raise ValueError("an invalid length")
    return data[0], int.from_bytes(data[2 : 2 + size]), 2 + size


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(octets)]) + octets
