"""Writes the ceremony's two pages to print, from docs/ceremony.md: a page for a custodian, and the form of the record.

    python -m tools.ceremony            writes examples/ceremony/custodian.md and record.md
    python -m tools.ceremony --check    writes nothing; exit code 1 if one of them is not what it would write

The heading of each step names who acts. The custodian's page has the custodian's steps, without what commands print and without
links, and what a custodian never does. A paragraph `Write down: this; that.` gives the record a row for each value.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.pages.command import commands_in
from tools.generated import write_or_check

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = ROOT / "docs" / "ceremony.md"
FOLDER: Final = "examples/ceremony"
CUSTODIAN_PAGE: Final = ROOT / FOLDER / "custodian.md"
RECORD: Final = ROOT / FOLDER / "record.md"

CUSTODIAN: Final = "custodian"
WHO: Final = re.compile(rf"key owner|{CUSTODIAN}|engineer|auditor")
NEVER: Final = "## What a custodian never does"
_WRITTEN: Final = "<!-- Written by tools/ceremony.py from docs/ceremony.md: change that, then `make reference`. -->"
_STEP: Final = re.compile(r"^### (\d+)\. (.+)\n((?:(?!^#{1,3} ).*\n)*)", re.MULTILINE)
_BLOCK: Final = re.compile(r"^```console\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_WRITE_DOWN: Final = re.compile(r"^Write down: ((?:.+\n)+)", re.MULTILINE)
_ASIDE: Final = re.compile(r" \(\[[^]]+\]\([^)]+\)\)")  # a link in parentheses, which leads nowhere on paper
_LINK: Final = re.compile(r"\[([^]]+)\]\([^)]+\)")

_CUSTODIAN_HEAD: Final = f"""\
# The key ceremony: a custodian's page

{_WRITTEN}

A page to print, with one command for each task; the whole ceremony is in docs/ceremony.md. A witness reads command and check
value aloud, and signs. Names such as `$HMAC_CHECK_VALUE` stand for values on the record.

"""
_RECORD_HEAD: Final = f"""\
# Record of a key ceremony

{_WRITTEN}

A form to print for each key. Nothing on it is secret: its values do not help anyone to find a random key. Both people sign
each line.

| Step | What | Written by | Value | Date, time | Signatures |
| --- | --- | --- | --- | --- | --- |
"""


class NoSuchStepError(Exception):
    """The page does not have the form that the top of this module describes."""


@dataclass(frozen=True, slots=True)
class Step:
    """`who`: acts in this step, and writes down `values`."""

    number: int
    title: str
    body: str

    @property
    def who(self) -> str:
        found = WHO.search(self.title.lower())
        if not found:
            raise NoSuchStepError(f"The heading of step {self.number} does not name who acts.")
        return found[0]

    @property
    def values(self) -> list[str]:
        return [value for found in _WRITE_DOWN.findall(self.body) for value in _values(found)]


def _values(text: str) -> list[str]:
    listed = " ".join(text.split())
    if not listed.endswith(".") or ". " in listed:
        raise NoSuchStepError(f"'Write down: {listed}' is not one sentence in a paragraph of its own.")
    return listed.removesuffix(".").split("; ")


def steps(page: str) -> list[Step]:
    found = [Step(int(number), title, body) for number, title, body in _STEP.findall(page)]
    if not found:
        raise NoSuchStepError("The page has no steps.")
    return found


def custodian_page(page: str) -> str:
    return "".join([_CUSTODIAN_HEAD, *_never(page), *(_printed(one) for one in steps(page) if one.who == CUSTODIAN)])


def _never(page: str) -> Iterator[str]:
    found = re.search(rf"^{NEVER}\n(.*?)(?=^#)", page, re.MULTILINE | re.DOTALL)
    if not found:
        raise NoSuchStepError(f"The page has no section {NEVER}.")
    yield f"{NEVER}\n{found[1]}"


def _printed(step: Step) -> str:
    body = _BLOCK.sub(_commands_only, step.body)
    body = _WRITE_DOWN.sub(r"**Write down:** \1", _LINK.sub(r"\1", _ASIDE.sub("", body)))
    return f"## Step {step.number}. {step.title}\n{body}".rstrip() + "\n\n"


def _commands_only(block: re.Match[str]) -> str:
    """A step may give one command for each of several keys: the first is enough on paper."""
    first = {tuple(command.text.split()[:2]): command for command in reversed(commands_in(block[1]))}
    lines = "\n".join(f"$ {command.text}" for command in reversed(first.values()))
    return f"```console\n{lines}\n```\n"


def record(page: str) -> str:
    rows = (
        f"| {step.number} | {value} | {step.who} | | | |\n"
        for step in steps(page)
        for value in map(_of_one_key, step.values)
    )
    return "".join([_RECORD_HEAD, *rows])


def _of_one_key(value: str) -> str:
    return re.sub(r"^(?:the|each) ", "", value)


def main(arguments: list[str]) -> int:
    page = SOURCE.read_text("utf-8")
    pages = {CUSTODIAN_PAGE: custodian_page(page).rstrip() + "\n", RECORD: record(page)}
    return max(
        [
            write_or_check(arguments, program="ceremony", page=path, text=text, source=SOURCE.name, folder=FOLDER)
            for path, text in pages.items()
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
