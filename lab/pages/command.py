"""A command on a page: in a `console` block after `$ `, continued by a backslash at a line's end. Its output is below it.

`…` stands for text that may differ, also for whole lines. Names in capitals with a `$` may stand for values on paper.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

REST = "…"


@dataclass(frozen=True, slots=True)
class Command:
    """`text`: the command as on the page, one line or several. `prints`: the lines below it."""

    text: str
    prints: tuple[str, ...]

    def with_values(self, values: Mapping[str, str]) -> str:
        """The command for people to read, with the values on paper in place of their names."""
        return re.sub(r'"?\$([A-Z_]+)"?', lambda name: values.get(name[1], name[0]), self.text)

    def words(self, values: Mapping[str, str]) -> list[str]:
        """The words that a shell would make of it. A redirection gives two: the sign and the file."""
        words = shlex.split(self.text.replace("\\\n", " "))
        return [re.sub(r"\$([A-Z_]+)", lambda name: values[name[1]], word) for word in words]

    @property
    def is_call_of_aws(self) -> bool:
        return self.text.startswith("aws ") and not re.search("[|<>;&]", self.text)

    def names(self) -> set[str]:
        return set(re.findall(r"\$([A-Z_]+)", self.text))

    def missing(self, printed: str, pattern: Callable[[str], str] | None = None) -> list[str]:
        """The lines that the page shows and that were not printed in this order; [] if none is missing.

        `pattern`: makes a regular expression of a line of the page (with single spaces).
        """
        stands_for = pattern or _pattern
        lines = map(_plain, printed.splitlines())
        promised = [line for line in self.prints if line.strip() not in {"", REST}]
        return [line for line in promised if not any(re.fullmatch(stands_for(_plain(line)), other) for other in lines)]


def _pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split(REST))


def _plain(line: str) -> str:
    return " ".join(line.split())


def commands_in(block: str) -> list[Command]:
    found: list[Command] = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = next(number for number, line in enumerate(lines, start=1) if not line.endswith("\\"))
        found.append(Command("\n".join(lines[:end]), tuple(lines[end:])))
    return found
