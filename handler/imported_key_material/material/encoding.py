"""Text to bytes, strictly: base64, hex digits, a field of a JSON object.

Python's own decoders are too lenient: they would put wrong bytes into a key permanently. `b64decode` skips characters that it
does not know (`-_-_` becomes nothing) and accepts extra bits at the end; `bytes.fromhex` accepts spaces between digits;
`json.loads` keeps the last of two fields of one name. Here an encoding is accepted only if encoding the bytes again gives the
same text. Text that may be base64 or hex is refused until MaterialEncoding or a check value says which.

`secret_value.py` and `wrapped_value.py` find out what a value is; PEM is in `pem.py`. No error quotes the text or the name of a
field. Every refusal is raised outside of `except`, since JSONDecodeError and UnicodeDecodeError hold the text.

Sources: RFC 4648 (sections 3.3 to 3.5, 4, 5, 8); RFC 8259, section 4.
"""

import base64
import binascii
import json
import re

from imported_key_material.errors import Fault, Refused
from imported_key_material.material.words import Words

BASE64 = "BASE64"
HEX = "HEX"
RAW = "RAW"
PEM = "PEM"
ENCODINGS = (RAW, BASE64, HEX, PEM)

_WHITE_SPACE = " \t\r\n\v\f"
_HEX_DIGITS = re.compile(r"(?:0[xX])?((?:[0-9A-Fa-f]{2})+)")
_BASE64_FORM = re.compile(r"(?P<digits>[A-Za-z0-9+/_-]*)(?P<padding>=*)")


def decode_text(text: str, encoding: str | None, *, words: Words) -> bytearray:
    """Returns the bytes that wrapped text encodes: BASE64 (also for None) or HEX. Refused (material, encoding).

    For text whose bytes have no check value, such as a ciphertext. Base64 that may be hex is refused.
    """
    if encoding == HEX:
        return hex_bytes(text, words=words)
    if encoding not in (None, BASE64):
        problem = f"The {words.holder}'s text holds wrapped material, which is encoded as BASE64 or HEX."
        raise Refused(Fault(words.encoding, problem, "Set one of these, or leave it out for BASE64."))
    if reads_as_hex(text):
        raise Refused(hex_or_base64(words))
    return base64_bytes(text, words=words)


def reads_as_hex(text: str) -> bool:
    """Whether base64 text may also be hex: 64 hex digits are also valid base64, of 48 bytes."""
    return _HEX_DIGITS.fullmatch("".join(text.split())) is not None


def hex_or_base64(words: Words, remark: str = "") -> Fault:
    """The fault of text that may be either."""
    problem = f"The text consists of hex digits only, and would be read as base64{remark}."
    return Fault(words.material, problem, f"If it is hex, set {words.encoding} to HEX.")


def base64_bytes(text: str, *, words: Words, what: str = "The text", remedy: str = "") -> bytearray:
    """Standard or URL alphabet, with or without padding. White space and line breaks are ignored.

    `remedy`: replaces the general remedy.
    """
    encode_again = f"Encode the bytes again, for example with base64, or set {words.encoding} to what it is."

    def refused(problem: str) -> Refused:
        return Refused(Fault(words.material, f"{what} is not base64: {problem}.", remedy or encode_again))

    compact = "".join(text.translate(dict.fromkeys(map(ord, _WHITE_SPACE))))
    form = _BASE64_FORM.fullmatch(compact)
    if not compact:
        raise refused("it is empty")
    if form is None:
        raise refused("it has characters that base64 does not have")
    digits, padding = form["digits"], form["padding"]
    if re.search("[+/]", digits) and re.search("[_-]", digits):
        raise refused("it mixes the standard alphabet with the URL alphabet")
    standard = digits.replace("-", "+").replace("_", "/")
    padded = standard + "=" * (-len(standard) % 4)
    if len(standard) % 4 == 1 or (padding and standard + padding != padded):
        raise refused("its length or its padding does not fit, so it was cut off or changed")
    decoded = bytearray(base64.b64decode(padded, validate=True))
    if base64.b64encode(decoded).decode("ascii") != padded:
        raise refused("its last character has bits that no encoder writes, so it was cut off or changed")
    return decoded


def hex_bytes(text: str, *, words: Words) -> bytearray:
    """Pairs of hex digits. White space before and after is ignored, and so is a leading `0x`."""
    form = _HEX_DIGITS.fullmatch(text.strip(_WHITE_SPACE))
    if form is None:
        problem = (
            "The text is not hex: an even number of hex digits is expected, with no spaces or other characters within."
        )
        remedy = f"Write two digits for each byte, or set {words.encoding} to what it is."
        raise Refused(Fault(words.material, problem, remedy))
    return bytearray(binascii.unhexlify(form[1]))


class _TwiceError(ValueError):
    """A JSON object names a field twice."""


def json_field(value: bytes | bytearray | str, key: str, *, words: Words) -> str:
    """Returns the text of one field of a JSON object. Refused (JSON key)."""

    def refused(problem: str, remedy: str) -> Refused:
        return Refused(Fault(words.json_key, problem, remedy))

    if not isinstance(value, str):
        problem = f"The {words.holder} is {words.binary}, and only {words.text} has JSON fields."
        raise refused(problem, f"{words.store_json}, or take {words.json_key} out.")
    found, twice = _json(value)
    if twice:
        remedy = "Write each field once: nothing says which of the two is right."
        raise refused(f"The {words.holder}'s JSON has an object with two fields of the same name.", remedy)
    if not isinstance(found, dict):
        remedy = f'Write the {words.holder} as {{"name": "value"}}, or leave {words.json_key} out.'
        raise refused(f"The {words.holder}'s text is not a JSON object.", remedy)
    if key not in found:
        remedy = f"Correct {words.json_key}; upper and lower case count."
        raise refused(f"The {words.holder}'s JSON object has no field of this name.", remedy)
    field = found[key]
    if not isinstance(field, str):
        remedy = "Write the material as a JSON string, in BASE64, HEX or PEM."
        raise refused(f"This field of the {words.holder}'s JSON object is not a string.", remedy)
    return field


def is_json_object(text: str) -> bool:
    """Whether it is a JSON object, even if it names a field twice."""
    found, twice = _json(text)
    return twice or isinstance(found, dict)


def _json(text: str) -> tuple[object, bool]:
    """Returns the JSON value (None if it is no JSON), and whether it names a field twice."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise _TwiceError
        return fields

    def constant(_name: str) -> object:
        raise ValueError  # NaN and Infinity are Python's, not JSON's

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=constant), False
    except _TwiceError:
        return None, True
    except (ValueError, RecursionError):
        return None, False
