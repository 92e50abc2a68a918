"""Writes docs/internals/findings.md, the table of the reviews' findings, from the rows of tests/findings/*.toml.

    python -m tools.findings            writes the page
    python -m tools.findings --check    writes nothing; exit code 1 if the page is not what it would write

The rows stand beside the tests that prove them (tests/support/findings.py). This program only makes a table of them: the
severest first, then in the order of the files and their rows.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.support.findings import Finding, all_findings
from tools.generated import write_or_check

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "internals" / "findings.md"
RANKS: Final = {"HIGH": 0, "MEDIUM": 1, "LOW": 2}
NONE: Final = "-"

_HEAD: Final = """\
# Findings

<!-- Written by tools/findings.py from tests/findings/*.toml: change that, then `make reference`. -->

The project was attacked, compared with recorded behavior of AWS, and read like its users read it. Each finding is a row here:
what was wrong, what was done about it, and how that is proved.

A row that was fixed names one test, and one small change that brings the finding back: a planted bug. `make test` makes that
change in a copy of the project and runs the test, which must fail. So nobody can undo a fix without a failing test. A bug of
the simulation is one of those that [it must find](simulation.md#is-it-any-good). A row that was declined has the reason instead
of what was done. Only LOW findings are declined, and at most one in ten.

Tests are paths under `tests/`.

| Id | Severity | What was found | What was done | Test | Planted bug |
| --- | --- | --- | --- | --- | --- |
"""

_SUMS: Final = """
## In numbers

| Severity | Found | Fixed | Declined |
| --- | ---: | ---: | ---: |
"""


def page(findings: Sequence[Finding]) -> str:
    """The whole page, in Markdown. Raises KeyError for a severity that is not one of the three."""
    ordered = sorted(findings, key=lambda one: RANKS[one.severity])
    return _HEAD + "".join(map(_row, ordered)) + _SUMS + "".join(_sums(ordered))


def _row(one: Finding) -> str:
    done = f"Declined: {one.declined}" if one.declined else one.done
    test = f"`{one.test.removeprefix('tests/')}`" if one.test else NONE
    cells = (one.id, one.severity, _cell(one.found), _cell(done), test, _planted_bug(one))
    return f"| {' | '.join(cells)} |\n"


def _planted_bug(one: Finding) -> str:
    if one.edit is not None:
        return f"in `{one.edit.file}`"
    return f"the simulation's `{one.simulation}`" if one.simulation else NONE


def _cell(text: str) -> str:
    """Text for one cell of a table. Inside backticks only the bar, which would end the cell, is escaped."""
    pieces = " ".join(text.replace("|", r"\|").split()).split("`")
    return "`".join(
        piece if is_code else _escape(piece) for is_code, piece in zip(_alternating(), pieces, strict=False)
    )


def _alternating() -> Iterator[bool]:
    """False for text outside of backticks, True inside, and so on."""
    while True:
        yield False
        yield True


def _escape(text: str) -> str:
    """Escapes a star, which is no emphasis, and `<SecretId>`, which is no HTML tag."""
    return text.replace("*", r"\*").replace("<", r"\<")


def _sums(findings: Sequence[Finding]) -> Iterator[str]:
    for severity in (*RANKS, "all"):
        of_it = [one for one in findings if severity in (one.severity, "all")]
        declined = sum(bool(one.declined) for one in of_it)
        yield f"| {severity} | {len(of_it)} | {len(of_it) - declined} | {declined} |\n"


def main(arguments: list[str]) -> int:
    text = page(all_findings())
    return write_or_check(
        arguments, program="findings", page=PAGE, text=text, source="tests/findings/", folder="docs/internals"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
