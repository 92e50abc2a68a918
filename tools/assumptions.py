"""Writes docs/internals/assumptions.md and the README's line "Seen on AWS".

    python -m tools.assumptions            writes both
    python -m tools.assumptions --check    writes nothing; exit code 1 if one of them is not what it would write

They come from lab/live/assumptions.toml and the records in tests/records/. Only a record of label "aws" counts as seen.
"""

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from lab.live import assumptions, records
from lab.live.assumptions import Assumption
from lab.live.records import Record, Seen
from lab.live.verdicts import Verdict
from tools.generated import write_or_check

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "internals" / "assumptions.md"
README: Final = ROOT / "README.md"
RECORDS: Final = ROOT / "tests" / "records"
SOURCE: Final = "lab/live/assumptions.toml and tests/records/"
BEGIN: Final = "<!-- seen on AWS: written by make reference -->\n"
END: Final = "<!-- /seen on AWS -->\n"
LINE_WIDTH: Final = 128
NOT_YET: Final = "not yet"

_HEAD: Final = f"""\
# Assumptions

<!-- Written by tools/assumptions.py from {SOURCE}: change these, then `make reference`. -->

This is what the project assumes of AWS. [`make live`](../live.md) settles it on an account: each row names the act that does. A
record of an act is kept in `tests/records/`, and the tests hold it against this page and against the stand-ins for AWS.

Evidence is what is known without that: *recorded* (somebody else's record of real AWS), *documented* by AWS, or *none*. In the
tests of each act a stand-in that behaves otherwise turns the act to "otherwise". An act where nothing does that is *unproved*.

"""

_TABLE: Final = """
| Id | Assumed | What depends on it | If it is wrong | Evidence | Act | Seen on AWS |
| --- | --- | --- | --- | --- | --- | --- |
"""


def page(rows: Mapping[str, Assumption], found: Sequence[Record]) -> str:
    """The whole page, in Markdown."""
    shown = "".join(_row(row, records.seen(row.id, found)) for row in rows.values())
    return f"{_HEAD}{status(rows, found)}\n{_TABLE}{shown}"


def status(rows: Mapping[str, Assumption], found: Sequence[Record]) -> str:
    """In one sentence, or two. Of each assumption the newest record counts that saw it."""
    newest = {id_: seen[0] for id_ in rows if (seen := records.seen(id_, found))}
    if not newest:
        return "Seen on AWS: not yet."
    last = max(newest.values(), key=lambda one: one.date)
    otherwise = sum(one.verdict is Verdict.OTHERWISE for one in newest.values())
    return (
        f"Seen on AWS, last on {last.date} in {last.region}: of {len(rows)} assumptions {len(newest) - otherwise} as assumed, "
        f"{otherwise} otherwise, {len(rows) - len(newest)} not seen."
    )


def readme(text: str, rows: Mapping[str, Assumption], found: Sequence[Record]) -> str:
    """The README with its line between the marks. Raises ValueError if they are not there once."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after:
        raise ValueError(f"README.md must have {BEGIN.strip()} and {END.strip()} once")
    line = (
        f"{status(rows, found)} With [make live](docs/live.md) you can check on your own account what this project assumes of "
        f"AWS: [{len(rows)} assumptions](docs/internals/assumptions.md)."
    )
    return f"{before}{begin}\n{textwrap.fill(line, LINE_WIDTH, break_on_hyphens=False)}\n\n{end}{after}"


def _row(row: Assumption, seen: Sequence[Seen]) -> str:
    evidence = f"{row.evidence}: {row.source}" if row.source else row.evidence
    act = f"`{row.act}`" + (f"; unproved: {row.unproved}" if row.unproved else "")
    told = "; ".join(_shown(seen)) or NOT_YET
    known = f". Known: {row.otherwise}" if row.otherwise else ""
    cells = (f"`{row.id}`", row.assumed, row.depends, row.if_wrong, evidence, act, told + known)
    return f"| {' | '.join(map(_cell, cells))} |\n"


def _shown(seen: Sequence[Seen]) -> Iterator[str]:
    for one in dict.fromkeys(seen):
        yield f"{one.verdict}, {one.region}, {one.date}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("*", r"\*").replace("<", r"\<")


def main(arguments: list[str]) -> int:
    rows, found = assumptions.read(), records.read_all(RECORDS)
    beside = README.read_text("utf-8")
    codes = [
        write_or_check(
            arguments,
            program="assumptions",
            page=PAGE,
            text=page(rows, found),
            source=SOURCE,
            folder="docs/internals",
        ),
        write_or_check(
            arguments,
            program="assumptions",
            page=README,
            text=readme(beside, rows, found),
            source=SOURCE,
            folder="",
        ),
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
