"""What an act finds out about an assumption."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Verdict(enum.StrEnum):
    AS_ASSUMED = "as assumed"
    OTHERWISE = "otherwise"
    NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Finding:
    """`assumption`: a row's id. `seen`: what was seen, in a sentence; for NOT_SEEN, why not. `facts`: values for the record."""

    assumption: str
    verdict: Verdict
    expected: str
    seen: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def judged(assumption: str, expected: str, seen: str, *, holds: bool, **facts: Any) -> Finding:
    """`holds`: whether AWS does as assumed."""
    return Finding(assumption, Verdict.AS_ASSUMED if holds else Verdict.OTHERWISE, expected, seen, facts)


def not_seen(assumption: str, why: str, expected: str = "") -> Finding:
    return Finding(assumption, Verdict.NOT_SEEN, expected, why)
