"""docs/ceremony.md and examples/ceremony/ as data: the acts run exactly what readers copy from them.

Names in capitals with a `$` stand for values that are written down on paper.
"""

import json
import re
from typing import Any

from lab.local import places
from lab.pages.command import Command, commands_in

PAGE = places.REPOSITORY / "docs" / "ceremony.md"
FOLDER = places.REPOSITORY / "examples" / "ceremony"  # its README has the calls that each role is refused


class NotOnThePageError(Exception):
    """The page lacks a section, or a block in it."""


def text() -> str:
    """The page, and the README of the folder."""
    return PAGE.read_text() + (FOLDER / "README.md").read_text()


def section(heading: str) -> str:
    """The text under a heading, up to the next heading of its level or above. `heading`: with its #."""
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
    return [command for block in blocks(heading, "console") for command in commands_in(block)]


def policy(name: str) -> dict[str, Any]:
    """The policy in a file of the folder. `name`: the file's."""
    found: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return found


def template() -> str:
    return (FOLDER / "stack.yaml").read_text()
