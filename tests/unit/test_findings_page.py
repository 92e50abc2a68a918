"""docs/internals/findings.md: every finding in one table, generated from the tested rows, and up to date."""

import re

import pytest

from tests.support.findings import Edit, Finding, all_findings
from tools import findings

MENDED = Finding(
    "attack-2",
    "MEDIUM",
    "A DSA key\nhangs it.",
    done="Refused by its OID.",
    test="tests/unit/test_x.py::test_y",
    edit=Edit("handler/x.py", "a", "b"),
)
SIMULATED = Finding(
    "history-1",
    "HIGH",
    "Believed.",
    done="Read again.",
    test="tests/unit/test_x.py::test_z",
    simulation="a no-op is believed",
)
DECLINED = Finding("words-7", "LOW", "RSAES_OAEP_* or `a|b` or <SecretId>.", declined="It is AWS's own word.")


def rows(text):
    """The cells of the first table, without its head. An escaped bar does not end a cell."""
    table = text.partition("## In numbers")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def sums(text):
    return [line for line in text.partition("## In numbers")[2].splitlines() if line.startswith("| ")][2:]


def test_the_page_is_what_the_rows_say():
    assert findings.main(["--check"]) == 0


def test_a_page_that_is_not_current_is_reported_and_left_alone(tmp_path, monkeypatch, capsys):
    page = tmp_path / "findings.md"
    page.write_text("old")
    monkeypatch.setattr(findings, "PAGE", page)

    assert findings.main(["--check"]) == 1

    assert (
        capsys.readouterr().err
        == "docs/internals/findings.md is not what tests/findings/ says: run `make reference`.\n"
    )
    assert page.read_text() == "old"
    assert findings.main([]) == 0
    assert findings.main(["--check"]) == 0


def test_every_finding_has_a_row_and_no_row_is_of_anything_else():
    shown = rows(findings.PAGE.read_text())

    assert sorted(row[0] for row in shown) == sorted(one.id for one in all_findings())
    assert {len(row) for row in shown} == {6}


def test_the_severest_come_first_and_else_the_order_is_that_of_the_rows():
    another = Finding("attack-1", "MEDIUM", "f", done="d", test="t", simulation="s")

    shown = rows(findings.page([DECLINED, MENDED, another, SIMULATED]))

    assert [row[0] for row in shown] == ["history-1", "attack-2", "attack-1", "words-7"]


@pytest.mark.parametrize(
    ("finding", "cells"),
    [
        (
            MENDED,
            [
                "attack-2",
                "MEDIUM",
                "A DSA key hangs it.",
                "Refused by its OID.",
                "`unit/test_x.py::test_y`",
                "in `handler/x.py`",
            ],
        ),
        (
            SIMULATED,
            [
                "history-1",
                "HIGH",
                "Believed.",
                "Read again.",
                "`unit/test_x.py::test_z`",
                "the simulation's `a no-op is believed`",
            ],
        ),
        (
            DECLINED,
            [
                "words-7",
                "LOW",
                r"RSAES_OAEP_\* or `a\|b` or \<SecretId>.",
                "Declined: It is AWS's own word.",
                "-",
                "-",
            ],
        ),
    ],
    ids=lambda one: getattr(one, "id", ""),
)
def test_a_row_says_what_was_found_what_was_done_and_what_proves_it(finding, cells):
    assert rows(findings.page([finding])) == [cells]


def test_the_sums_count_what_was_mended_and_what_was_declined():
    assert sums(findings.page([MENDED, SIMULATED, DECLINED, MENDED])) == [
        "| HIGH | 1 | 1 | 0 |",
        "| MEDIUM | 2 | 2 | 0 |",
        "| LOW | 1 | 0 | 1 |",
        "| all | 4 | 3 | 1 |",
    ]


def test_a_severity_that_nobody_knows_is_an_error():
    with pytest.raises(KeyError, match="SEVERE"):
        findings.page([Finding("x", "SEVERE", "f", declined="d")])
