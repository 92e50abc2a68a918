"""The checks of AWS's front end before a service sees the input: presence, length, range, pattern, enum, by botocore's model.

One sentence has all violations, in AWS's wording: "1 validation error detected: Value 'x' at 'keyId' failed to satisfy
constraint: Member must have length less than or equal to 2048". Values of blobs and of sensitive members are not shown. Member
names begin with a small letter, list members are counted from 1. AWS lists an enum's values in any order; here they have the
model's order.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import Shape


def violations(shape: Shape | None, value: Mapping[str, Any]) -> str | None:
    """The sentence of a ValidationException, or None if the value meets all constraints."""
    found = [] if shape is None else list(_structure(shape, value, ""))
    if not found:
        return None
    plural = "" if len(found) == 1 else "s"
    return f"{len(found)} validation error{plural} detected: {'; '.join(found)}"


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _failure("Value null", _member(path, name), "Member must not be null")
    for name, member_shape in shape.members.items():
        member = value.get(name)
        if member is not None:
            yield from _any(member_shape, member, _member(path, name))


def _any(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "list":
        yield from _bounds(shape, value, path, len(value), "length")
        for index, member in enumerate(value, start=1):
            yield from _any(shape.member, member, f"{path}.{index}.member")
    elif kind == "map":
        for key, member in value.items():
            yield from _any(shape.value, member, f"{path}.{key}.member")
    elif kind == "blob":
        yield from _bounds(shape, value, path, len(value), "length")
    elif kind == "integer":
        yield from _bounds(shape, value, path, value, "value")
    elif kind == "string":
        yield from _bounds(shape, value, path, len(value), "length")
        yield from _text(shape, value, path)


def _bounds(shape: Any, value: Any, path: str, size: int, measure: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        rule = f"Member must have {measure} greater than or equal to {least}"
        yield _failure(_shown(shape, value), path, rule)
    if most is not None and size > most:
        rule = f"Member must have {measure} less than or equal to {most}"
        yield _failure(_shown(shape, value), path, rule)


def _text(shape: Any, value: str, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        rule = f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        yield _failure(_shown(shape, value), path, rule)
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not _compiled(pattern).fullmatch(value):
        rule = f"Member must satisfy regular expression pattern: {pattern}"
        yield _failure(_shown(shape, value), path, rule)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)  # Java's \w and \s are ASCII only


def _shown(shape: Any, value: Any) -> str:
    hidden = shape.type_name == "blob" or shape.metadata.get("sensitive")
    return "Value" if hidden else f"Value '{value}'"


def _failure(shown: str, path: str, rule: str) -> str:
    return f"{shown} at '{path}' failed to satisfy constraint: {rule}"


def _member(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name
