"""The values that a stack declares, which no text of AWS may repeat. The property replaces the value: <SecretId>.

AWS's errors quote the values of a call, and a user may have put plaintext into any property: base64 of a key is a valid name
of a secret, hex of a key is a valid version (docs/internals/design.md, rule 3). Three things are not masked: a text that is too
short for a key, since it may also be a word of AWS's sentence; the schema's own words; ServiceToken, which is sent only to
CloudFormation. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from imported_key_material.properties import DECLARABLE

LEAST_CHARACTERS: Final = 8  # the shortest key has 16 bytes
MOST_CHARACTERS: Final = 2048  # the limit of SecretId: a longer value is refused, and sent to nobody
LIST_MOST_ITEMS: Final = 25

# The properties, and the parts of properties, that may hold any text.
_PATHS: Final = tuple(
    path
    for name, rule in DECLARABLE.items()
    for path, its in [((name,), rule), *(((name, part), its) for part, its in rule.get("properties", {}).items())]
    if "enum" not in its and name != "ServiceToken"
)


def of(*declared: Mapping[str, Any]) -> dict[str, str]:
    """Value -> what replaces it. The last parts of an ARN are values, too, since AWS may show only those."""
    found: dict[str, str] = {}
    for where, text in (each for properties in declared for each in _texts(properties)):
        parts = [text, text.rsplit(":", 1)[-1], text.rsplit("/", 1)[-1]] if text.startswith("arn:") else [text]
        for part in parts:
            if len(part) >= LEAST_CHARACTERS:
                found.setdefault(part, f"<{where}>")
    return found


def _texts(declared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each declared text, with its place: SecretId, SecretWrapping.KeyId, PreviousSecretVersionIds.0."""
    for path in _PATHS:
        value: Any = declared
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        many = isinstance(value, list)
        for number, text in enumerate(value[:LIST_MOST_ITEMS] if many else [value]):
            if isinstance(text, str) and len(text) <= MOST_CHARACTERS:
                yield ".".join([*path, str(number)] if many else path), text
