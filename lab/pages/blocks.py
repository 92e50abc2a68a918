"""The `console` blocks of a page, in their order. A command stands after `$ `, with its output below it."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.aws_cli.parameters import Call
from lab.local import places
from lab.pages.command import Command, commands_in

DOCS = places.REPOSITORY / "docs"
READ_IN_ORDER = (  # the pages whose commands are run, one after the other
    places.REPOSITORY / "README.md",
    DOCS / "deploying.md",
    DOCS / "secrets.md",
    DOCS / "key-custodian.md",
    DOCS / "rotation.md",
    DOCS / "moving-keys.md",
    DOCS / "permissions.md",
    DOCS / "troubleshooting.md",
)
_FENCE = re.compile(r" *```(\w*)$")
_MARK = re.compile(r" *<!-- not run: (.+) -->")
_SHELLS = {"sh", "bash", "shell"}
_DIFFERS = re.compile(
    r"(?P<rest>\w*(?:…|\.\.\.))"  # a whole value, or the rest of one
    r"|(?P<region>\b[a-z]{2}-[a-z]+-\d\b)"
    r"|(?P<id>[0-9A-Fa-f]{6,}(?:-[0-9a-f]{4,})*)"  # a hash, an account, a key's id
)
_STANDS_FOR = {"rest": ".*", "region": r"[a-z]{2}-[a-z]+-\d", "id": "[0-9A-Fa-f-]+"}
_ENDS_A_CALL = {"|", "||", "&&", "&", ";", "(", ")", ">", ">>", "<", "2>"}


class BadPageError(Exception):
    """A page that can't be read as blocks."""


@dataclass(frozen=True, slots=True)
class Block:
    """`where`: page and line. `not_run`: the reason on the page, or ""."""

    where: str
    heading: str
    text: str
    not_run: str

    @property
    def commands(self) -> list[Command]:
        return commands_in(self.text)

    def calls_of_aws(self) -> list[Call]:
        """Raises WrongCallError."""
        return [Call.of(words) for command in self.commands for words in _calls_of_aws(command.text)]


def blocks(page: Path) -> list[Block]:
    """Raises BadPageError for a block without an end, and for shell commands in a block of another language."""
    found: list[Block] = []
    heading = before = ""
    lines = enumerate(page.read_text().splitlines(), start=1)
    for number, line in lines:
        if fence := _FENCE.match(line):
            where = f"{page.name}:{number}"
            text = _up_to_the_end(lines, where)
            if fence[1] in _SHELLS:
                raise BadPageError(f"{where}: commands stand in console blocks, each after a $")
            if fence[1] == "console":
                mark = _MARK.match(before)
                found.append(Block(where, heading, text, mark[1] if mark else ""))
        elif line.startswith("#"):
            heading = line
        before = line or before
    return found


def _up_to_the_end(lines: Iterator[tuple[int, str]], where: str) -> str:
    inside: list[str] = []
    for _, line in lines:
        if line.strip() == "```":
            return textwrap.dedent("\n".join(inside))
        inside.append(line)
    raise BadPageError(f"{where}: the block has no end")


def pattern(line: str) -> str:
    """A pattern for the output that this line of the page stands for: ids, hashes, accounts and the Region may differ."""
    found, at = [], 0
    for one in _DIFFERS.finditer(line):
        found += [re.escape(line[at : one.start()]), _STANDS_FOR[str(one.lastgroup)]]
        at = one.end()
    return "".join([*found, re.escape(line[at:])])


def _calls_of_aws(text: str) -> Iterator[list[str]]:
    """The words of each call of `aws`, without the `aws`. Finds calls inside `$(...)`, too."""
    inside = re.search(r"\$\(((?:[^()]|\([^()]*\))*)\)", text)
    if inside:
        yield from _calls_of_aws(inside[1])
        text = text.replace(inside[0], "$SUBSTITUTED")
        yield from _calls_of_aws(text)
        return
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in _ENDS_A_CALL:
            if words[:1] == ["aws"]:
                yield words[1:]
            words = []
        else:
            words.append(word)
