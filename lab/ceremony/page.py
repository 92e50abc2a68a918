"""docs/ceremony.md and examples/ceremony/ as data: what they give to copy is what is run.

A `console` block has commands after `$ `, continued by a backslash at the end, and below each what it prints; `…` stands for
what differs, also for whole lines. Names in capitals with a `$` stand for what is written down on paper.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.local import places

PAGE = places.REPOSITORY / "docs" / "ceremony.md"
FOLDER = places.REPOSITORY / "examples" / "ceremony"  # its README has what each role is refused
REST = "…"


class NotOnThePageError(Exception):
    """A section, or a block in it, that is not there."""


@dataclass(frozen=True, slots=True)
class Command:
    """`text`: as it stands on the page, on one line or several. `prints`: the lines below it."""

    text: str
    prints: tuple[str, ...]

    def with_values(self, values: Mapping[str, str]) -> str:
        """With what is on paper in place of its name: for people to read."""
        return re.sub(r'"?\$([A-Z_]+)"?', lambda name: values.get(name[1], name[0]), self.text)

    def words(self, values: Mapping[str, str]) -> list[str]:
        """The words that a shell would make of it; of a redirection, the sign and the file."""
        words = shlex.split(self.text.replace("\\\n", " "))
        return [re.sub(r"\$([A-Z_]+)", lambda name: values[name[1]], word) for word in words]

    @property
    def is_call_of_aws(self) -> bool:
        return self.text.startswith("aws ") and not re.search("[|<>;&]", self.text)

    def names(self) -> set[str]:
        return set(re.findall(r"\$([A-Z_]+)", self.text))

    def missing(self, printed: str) -> list[str]:
        """The lines that the page promises and that were not printed, in this order. None missing: []."""
        lines = iter(printed.splitlines())
        promised = [line for line in self.prints if line.strip() not in {"", REST}]
        return [line for line in promised if not any(_alike(line, other) for other in lines)]


def _alike(line: str, printed: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in _plain(line).split(REST))
    return re.fullmatch(pattern, _plain(printed)) is not None


def _plain(line: str) -> str:
    return " ".join(line.split())


def text() -> str:
    """The page, and the README of the folder."""
    return PAGE.read_text() + (FOLDER / "README.md").read_text()


def section(heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above. `heading`: with its #."""
    level = len(heading) - len(heading.lstrip("#"))
    pattern = rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)"
    found = re.search(pattern, text(), re.MULTILINE | re.DOTALL)
    if not found:
        raise NotOnThePageError(f"{PAGE.name} has no section {heading}")
    return found[1]


def blocks(heading: str, language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", section(heading), re.MULTILINE | re.DOTALL)
    if not found:
        raise NotOnThePageError(f"{PAGE.name}, {heading}: no {language}")
    return list(found)


def commands(heading: str) -> list[Command]:
    """All commands under a heading, in their order."""
    found: list[Command] = []
    for block in blocks(heading, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            end = next(number for number, line in enumerate(lines, start=1) if not line.endswith("\\"))
            found.append(Command("\n".join(lines[:end]), tuple(lines[end:])))
    return found


def policy(name: str) -> dict[str, Any]:
    """The policy in a file of the folder. `name`: the file's."""
    found: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return found


def template() -> str:
    return (FOLDER / "stack.yaml").read_text()
