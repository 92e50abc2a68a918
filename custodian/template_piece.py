"""The resource in a template, ready to be pasted: YAML with what was stored."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9/_+=.@:-]*(?<!:)|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOT_TEXT: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})  # YAML 1.1's
_BEGIN: Final = (
    "Material:",
    "  Type: Custom::ImportedKeyMaterial",
    "  Properties:",
    "    ServiceToken: !ImportValue imported-key-material-ServiceToken",
    "    KeyId: !GetAtt Key.Arn",
)


def of(properties: Mapping[str, Any]) -> str:
    """`properties`: text, or one level of text below. Without a line's end."""
    return "\n".join((*_BEGIN, *_lines(properties, "    ")))


def _lines(properties: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in properties.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from _lines(value, f"{indent}  ")
        else:
            yield f"{indent}{name}: {_scalar(value)}"


def _scalar(text: str) -> str:
    """Quoted where YAML would read something else than this text."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT else json.dumps(text)
