"""Finds out what a secret's value is: the bytes of a key, or the text of a PEM. It does not check the key.

MaterialEncoding declares how the value is encoded. Without it SecretBinary is raw, a value with a PEM header is PEM, and other
text is base64. A declaration that can't be true is refused, and so is a value that was encoded twice.
"""

from contextlib import suppress
from dataclasses import dataclass

from imported_key_material.errors import Fault, Faults, Refused
from imported_key_material.material import encoding as codec
from imported_key_material.material import pem, wrong_container
from imported_key_material.material.encoding import BASE64, ENCODINGS, HEX, PEM, RAW
from imported_key_material.material.words import Words


@dataclass(frozen=True, slots=True, repr=False)
class RawValue:
    """Decoded bytes. `may_be_hex`: they were decoded from base64 text that may also be hex, so they may be wrong."""

    data: bytearray
    may_be_hex: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class PemValue:
    """Text with a PEM header. Each byte of a SecretBinary is one character."""

    text: str


Value = bytes | bytearray | str


def read(value: Value, *, encoding: str | None, json_key: str | None, words: Words) -> RawValue | PemValue:
    """Returns what SecretBinary (bytes) or SecretString (str) holds. A bytearray is not copied: it becomes the RawValue's data.

    `encoding`: MaterialEncoding; `json_key`: SecretJsonKey. Refused (those two, and the material).
    """
    faults = Faults()
    if encoding is not None and encoding not in ENCODINGS:
        faults.add(words.encoding, "The value is not a known encoding.", f"Set one of {', '.join(ENCODINGS)}.")
    with faults.collected():
        value = value if json_key is None else codec.json_field(value, json_key, words=words)
    faults.raise_if_any()
    wrong_container.refuse_in_place_of_material(value, is_field=json_key is not None, words=words)
    has_pem = pem.is_in(value)
    _require_plausible(encoding, value, words, has_pem=has_pem)
    if has_pem:
        return PemValue(_as_text(value))
    if not isinstance(value, str) and encoding in (None, RAW):
        return RawValue(value if isinstance(value, bytearray) else bytearray(value))
    raw = _decode(_as_text(value), encoding, words)
    if pem.is_in(raw.data):
        raw.data[:] = bytes(len(raw.data))
        problem = f"The text is a PEM that was encoded again, as {encoding or BASE64}."
        remedy = f"{words.store} the PEM itself as the {words.holder}'s text, and leave {words.encoding} out."
        raise Refused(Fault(words.material, problem, remedy))
    return raw


def _as_text(value: Value) -> str:
    """Latin-1 never fails. The decoders refuse characters that no encoding has."""
    return value if isinstance(value, str) else value.decode("latin-1")


def _require_plausible(encoding: str | None, value: Value, words: Words, *, has_pem: bool) -> None:
    where = words.encoding
    if encoding == RAW and isinstance(value, str):
        remedy = f"Set it to {BASE64}, {HEX} or {PEM}, or {words.store_raw}."
        raise Refused(Fault(where, f"RAW is for {words.binary}, and the {words.holder} holds text.", remedy))
    if has_pem and encoding not in (None, PEM):
        remedy = "Set it to PEM, or leave it out."
        raise Refused(Fault(where, f"It says {encoding}, and the {words.holder} holds a PEM.", remedy))
    if encoding == PEM and not has_pem:
        remedy = f"Set it to what the {words.holder} holds, or leave it out."
        problem = f"It says PEM, and the {words.holder} holds no PEM: no BEGIN line was found."
        raise Refused(Fault(where, problem, remedy))


def _decode(text: str, encoding: str | None, words: Words) -> RawValue:
    if encoding == HEX:
        return RawValue(codec.hex_bytes(text, words=words))
    if not codec.reads_as_hex(text):
        return RawValue(codec.base64_bytes(text, words=words))
    data: bytearray | None = None
    with suppress(Refused):  # hex digits that are no valid base64: the error below says that they are hex
        data = codec.base64_bytes(text, words=words)
    if data is None:
        raise Refused(codec.hex_or_base64(words))
    return RawValue(data, may_be_hex=True)
