"""Each row of tests/findings/ is complete: its planted bug fits the code, and its test exists.

test_findings.py shows that the test fails with the bug; that takes longer.
"""

import ast

import pytest

from lab.simulation.mutations import MUTATIONS
from tests.support.findings import ROOT, Edit, all_findings, misplaced

FINDINGS = all_findings()


def functions(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("finding", [one for one in FINDINGS if one.edit], ids=lambda one: one.id)
def test_a_planted_bug_has_its_place(finding):
    assert misplaced(finding.edit, ROOT) == ""


def test_a_planted_bug_that_has_no_place_is_reported():
    no_bug = Edit("LICENSE", "no such text", "")

    assert misplaced(no_bug, ROOT) == "LICENSE has the text to be changed 0 times: 'no such text'"


@pytest.mark.parametrize("finding", [one for one in FINDINGS if one.test], ids=lambda one: one.id)
def test_the_test_of_a_finding_is_there(finding):
    file, _, name = finding.test.partition("::")

    assert name.partition("[")[0] in functions(ROOT / file)


def test_a_bug_of_the_simulation_is_there():
    """tests/lab/simulation/test_mutations.py shows that the simulation finds it."""
    assert {one.simulation for one in FINDINGS if one.simulation} <= set(MUTATIONS)


def test_ids_are_unique():
    ids = [one.id for one in FINDINGS]
    assert sorted(set(ids)) == sorted(ids)


def test_few_are_declined_and_none_that_matters():
    declined = [one for one in FINDINGS if one.declined]
    assert len(declined) * 10 <= len(FINDINGS)
    assert [one.id for one in declined if one.severity != "LOW"] == []
