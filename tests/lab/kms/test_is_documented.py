"""The contract's page and the strict KMS: each cited rule exists, and code or a test cites each rule."""

import re
from pathlib import Path

from lab.kms.choices import CHOICES

ROOT = Path(__file__).parents[3]
RULE = re.compile(r"\bC-\d+\b")
#: Rules about what nobody can see, or about checks that come before this KMS.
NOT_KEPT_BY_THE_KMS = {"C-112", "C-121"}


def rules_of_the_contract():
    text = (ROOT / "docs/internals/kms-contract.md").read_text(encoding="utf-8")
    return re.findall(r"^(?:- \*\*|\| |\*\*)(C-\d+)\b", text, re.MULTILINE)


def cited(folder, pattern):
    """The rules that each file names."""
    paths = sorted((ROOT / folder).rglob(pattern))
    return {path: set(RULE.findall(path.read_text(encoding="utf-8"))) for path in paths}


def test_each_rule_has_one_number():
    rules = rules_of_the_contract()

    assert len(rules) == len(set(rules))
    assert rules == sorted(rules, key=lambda rule: int(rule[2:]))
    assert len(rules) > 60


def test_each_rule_that_is_cited_stands_in_the_contract():
    files = cited("lab/kms", "*.py") | cited("tests/lab/kms", "test_*.py")

    assert set().union(*files.values()) - set(rules_of_the_contract()) == set()


def test_each_rule_is_cited_beside_the_behavior_that_keeps_it():
    files = cited("lab/kms", "*.py")

    assert set(rules_of_the_contract()) - set().union(*files.values()) == NOT_KEPT_BY_THE_KMS


def test_each_choice_is_one_line_that_says_where():
    for where, what in CHOICES:
        assert where
        assert what.endswith(".")
        assert "\n" not in what
    assert len(set(CHOICES)) == len(CHOICES)
