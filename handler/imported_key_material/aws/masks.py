"""What no text of AWS's may repeat: the values that a stack declares. In their place stands the property: <SecretId>.

AWS's own errors quote what was asked for, and a user may have put plaintext anywhere: base64 of a key is a valid name of a
secret, hex of one a valid version (docs/internals/design.md, rule 3). A text that is too short for a key is not masked, since
it may be a word of AWS's sentence, too; nor are the schema's own words, nor ServiceToken, which goes to CloudFormation only.
Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from imported_key_material.properties import DECLARABLE

LEAST_CHARACTERS: Final = 8  # the shortest key has 16 bytes
MOST_CHARACTERS: Final = 2048  # of SecretId: what is longer is refused, and goes to nobody
LIST_MOST_ITEMS: Final = 25

# Where any text may stand: a property, or a property and its part.
_PATHS: Final = tuple(
    path
    for name, rule in DECLARABLE.items()
    for path, its in [((name,), rule), *(((name, part), its) for part, its in rule.get("properties", {}).items())]
    if "enum" not in its and name != "ServiceToken"
)


def of(*declared: Mapping[str, Any]) -> dict[str, str]:
    """By each value what stands in its place. Of an ARN also by its last parts, since AWS may show those only."""
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
