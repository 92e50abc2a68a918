"""Each finding of the reviews is mended, and the mending is proved: its planted bug makes its test fail."""

import pytest

from lab.simulation.mutations import MUTATIONS
from tests.support.findings import Copy, Edit, all_findings, not_found

FINDINGS = all_findings()


@pytest.fixture(scope="session")
def copy(tmp_path_factory):
    return Copy(tmp_path_factory.mktemp("planted"))


@pytest.mark.parametrize("finding", [one for one in FINDINGS if one.edit], ids=lambda one: one.id)
def test_a_planted_bug_is_found(copy, finding):
    assert not_found(copy, finding) == ""


@pytest.mark.parametrize("finding", [one for one in FINDINGS if one.simulation], ids=lambda one: one.id)
def test_a_bug_of_the_simulation_is_there(finding):
    """That it is found, test_simulation_mutations.py shows."""
    assert finding.simulation in MUTATIONS


def test_a_bug_that_no_test_sees_is_told(copy):
    """What the plants' own test goes by: a test that passes beside the bug is no proof."""
    with copy.planted(Edit("LICENSE", "January 2004", "January 2005")):
        what_happened = copy.fails("tests/unit/test_consent.py::test_a_longer_name_that_begins_alike_is_another_stack")

    assert "1 passed" in what_happened


def test_an_edit_that_finds_no_place_is_told(copy):
    with (
        pytest.raises(ValueError, match="LICENSE has the text to be changed 0 times"),
        copy.planted(Edit("LICENSE", "no such text", "")),
    ):
        pass


def test_ids_are_unique():
    ids = [one.id for one in FINDINGS]
    assert sorted(set(ids)) == sorted(ids)


def test_few_are_declined_and_none_that_matters():
    declined = [one for one in FINDINGS if one.declined]
    assert len(declined) * 10 <= len(FINDINGS)
    assert [one.id for one in declined if one.severity != "LOW"] == []
