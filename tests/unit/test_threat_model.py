"""docs/threat-model.md claims only what a test shows: each claim has a row of tests, and each attack is cited."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "threat-model.md"
TABLE = TESTS.parent / "docs" / "internals" / "threat-model-tests.md"
CITATION = re.compile(r"`([a-z0-9_/]+/test_\w+\.py)::(test_\w+)`")
# Each of these tests shows a weakness that remains. Nobody would read about it if the page did not cite the test.
CITED_WHOLE = ("contract/attacks/test_within_consent.py", "custodian/test_attacks_on_evidence.py")


def cited():
    return set(CITATION.findall(TABLE.read_text()))


def functions_of(path):
    """The names of its test functions; empty if there is no such file."""
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def lines_under_headings(text):
    """Each line that is no heading, with the heading above it."""
    heading = ""
    for line in text.splitlines():
        if line.startswith("##"):
            heading = line
        else:
            yield heading, line


def claims():
    """(heading, claim): a claim is the bold sentence at the beginning of a point."""
    text = re.sub(r"\n  (?=\S)", " ", PAGE.read_text())  # each point on one line
    points = [(heading, line) for heading, line in lines_under_headings(text) if line.startswith("- ")]
    return [(heading, re.fullmatch(r"- \*\*(.+?)\*\*.*", line)[1]) for heading, line in points]


def rows():
    """(heading, claim, what shows it)."""
    found = []
    for heading, line in lines_under_headings(TABLE.read_text()):
        if line.startswith("| ") and not line.startswith(("| Claim", "| ---")):
            _, claim, shown, _ = line.split("|")
            found.append((heading, claim.strip(), shown.strip()))
    return found


def test_every_test_that_is_cited_exists():
    assert sorted(f"{file}::{name}" for file, name in cited() if name not in functions_of(TESTS / file)) == []


def test_whatever_looks_like_a_citation_is_one():
    """The test above would miss a citation in a wrong form."""
    table = TABLE.read_text()
    assert len(re.findall(r"\btest_\w+", table)) == 2 * len(CITATION.findall(table)) > 0
    assert re.findall(r"\btest_\w+", PAGE.read_text()) == []


def test_no_attack_is_left_uncited():
    attacks = {*TESTS.glob("contract/attacks/test_*.py"), *TESTS.rglob("test_attacks_*.py")}
    files = {path.relative_to(TESTS).as_posix() for path in attacks} - {"contract/attacks/test_hostile_input.py"}

    assert {file for file, _ in cited()} >= files
    assert files > {"contract/attacks/test_on_consent.py"}


def test_what_remains_is_cited_test_by_test():
    assert {(file, name) for file in CITED_WHOLE for name in functions_of(TESTS / file)} - cited() == set()


def test_the_table_has_the_page_s_claims_in_their_order():
    assert [row[:2] for row in rows()] == claims()
    assert len(claims()) == len(set(claims())) > 60


def test_every_claim_cites_a_test_or_says_why_there_is_none():
    without = [
        row for row in rows() if not CITATION.search(row[2]) and not re.fullmatch(r"Not shown by a test: \w.+", row[2])
    ]

    assert without == []
