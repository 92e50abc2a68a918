"""Reads the assumptions. Raises ValueError if a row is not whole."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("assumptions.toml")
EVIDENCE: Final = ("recorded", "documented", "none")


@dataclass(frozen=True, slots=True)
class Assumption:
    """`depends`: the rule or line that depends on it; `if_wrong`: what a user would meet. `source`: with a date; "" for none.

    `otherwise`: what AWS was seen to do instead, and what the project does about it; "" while AWS does as assumed.
    `act`: the act that settles it. `unproved`: why no planted deviation turns that act to "otherwise"; "" if one does.
    """

    id: str
    assumed: str
    depends: str
    if_wrong: str
    evidence: str
    source: str
    act: str
    unproved: str = ""
    otherwise: str = ""


_NAMES: Final = {field.name for field in fields(Assumption)}


@cache
def read(file: Path = FILE) -> Mapping[str, Assumption]:
    """All rows by id, in the file's order."""
    rows = [_row(row) for row in tomllib.loads(file.read_text())["assumption"]]
    found = {row.id: row for row in rows}
    if len(found) != len(rows):
        raise ValueError("two assumptions have the same id")
    return found


def _row(row: Mapping[str, Any]) -> Assumption:
    if not set(row) <= _NAMES or not all(isinstance(value, str) for value in row.values()):
        raise ValueError(f"assumption {row.get('id')} has unknown fields, or values that are no text")
    made = Assumption(**row)
    if made.evidence not in EVIDENCE or (made.evidence != "none") != bool(made.source):
        raise ValueError(f"assumption {made.id}: evidence is one of {', '.join(EVIDENCE)}; only none has no source")
    return made
