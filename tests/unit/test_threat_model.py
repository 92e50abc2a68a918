"""docs/threat-model.md claims nothing that no test shows: each test that it cites exists, and no attack is left uncited."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "threat-model.md"
CITATION = re.compile(r"`([a-z0-9_/]+/test_\w+\.py)::(test_\w+)`")
# Here each test shows what remains: one that is not cited would be a weakness that nobody reads of.
CITED_WHOLE = ("contract/attacks/test_within_consent.py", "key_custodian/test_attacks_on_evidence.py")


def cited():
    return set(CITATION.findall(PAGE.read_text()))


def functions_of(path):
    """The names of its test functions; none where there is no such file."""
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_test_that_is_cited_exists():
    assert sorted(f"{file}::{name}" for file, name in cited() if name not in functions_of(TESTS / file)) == []


def test_whatever_looks_like_a_citation_is_one():
    """A slip in the form would hide from the test above."""
    page = PAGE.read_text()
    assert len(re.findall(r"\btest_\w+", page)) == 2 * len(CITATION.findall(page)) > 0


def test_no_attack_is_left_uncited():
    attacks = {*TESTS.glob("contract/attacks/test_*.py"), *TESTS.rglob("test_attacks_*.py")}
    files = {path.relative_to(TESTS).as_posix() for path in attacks} - {"contract/attacks/test_hostile_input.py"}

    assert {file for file, _ in cited()} >= files
    assert files > {"contract/attacks/test_on_consent.py"}


def test_what_remains_is_cited_test_by_test():
    assert {(file, name) for file in CITED_WHOLE for name in functions_of(TESTS / file)} - cited() == set()


def test_every_claim_cites_a_test_or_says_why_there_is_none():
    claims = re.findall(r"^- .*\n(?:  .*\n)*", PAGE.read_text(), re.MULTILINE)

    without = [
        one for one in claims if not CITATION.search(one) and not re.search(r"Not\s+shown\s+by\s+a\s+test: \w", one)
    ]

    assert without == []
    assert len(claims) > 40
