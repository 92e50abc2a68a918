"""Planted values, and a search for them in any output: as they are, in hex, base64, as numbers, escaped, in pieces.

    canaries = Canaries(material=KEY, signature=SIGNATURE) canaries.found_in(log)   # {"material": "in base64"}; {} if nothing
    leaked

Hex is found however it is grouped, also over several lines, as a component stands on a screen.

A log that shows half of a key has leaked it, so every piece of `PIECE_BYTES` is searched for. Base64 has three forms of the
same bytes, by their position. The first and the last characters of each form depend on the neighbours, and are left out.
"""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

PIECE_BYTES = 12  # 16 characters of base64: too long for a match by chance
STEP_BYTES = 5
_BETWEEN_GROUPS = re.compile(r"[\s:-]")


class Canaries:
    """Each has a name, so that a report can name it without showing it."""

    def __init__(self, **planted: bytes | str) -> None:
        self._needles = [
            (name, form, needle)
            for name, value in planted.items()
            for piece in _pieces(value.encode() if isinstance(value, str) else value)
            for form, needle in forms(piece)
        ]

    def found_in(self, *texts: str | bytes) -> dict[str, str]:
        """Which canaries the texts hold, and in which form."""
        haystack = "\n".join(_as_text(text) for text in texts)
        hex_digits = _BETWEEN_GROUPS.sub("", haystack).lower()
        found: dict[str, str] = {}
        for name, form, needle in self._needles:
            if needle in (hex_digits if form == "in hex" else haystack):
                found.setdefault(name, form)
        return found


def _pieces(value: bytes) -> Iterator[bytes]:
    if len(value) < PIECE_BYTES:
        raise ValueError("The canary is too short: it could be found by chance.")
    for at in range(0, len(value) - PIECE_BYTES + 1, STEP_BYTES):
        yield value[at : at + PIECE_BYTES]


def _as_text(text: str | bytes) -> str:
    """Makes a character of every byte, so that raw bytes are found, too."""
    return text if isinstance(text, str) else text.decode("latin-1")


def forms(value: bytes) -> Iterator[tuple[str, str]]:
    """The forms that bytes take in a text: the form's name, and the text."""
    yield "as it is", value.decode("latin-1")
    yield "in hex", value.hex()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + value).decode()
        sure = encoded[4 if before else 0 : -4]
        yield "in base64", sure
        yield "in base64", sure.replace("+", "-").replace("/", "_")
    yield "as numbers", ", ".join(map(str, value))
    yield "as numbers", ",".join(map(str, value))
    yield "as numbers", " ".join(map(str, value))
    yield "as Python writes bytes", repr(value)[2:-1]
    yield "as Python writes text", repr(value.decode("latin-1"))[1:-1]
    yield "in JSON", json.dumps(value.decode("latin-1"))[1:-1]
    yield "in a URL", quote(value)
