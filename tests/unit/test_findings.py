"""Each finding of the reviews is repaired, and a planted bug proves it: the finding's test must fail with the bug."""

import pytest

from tests.support.findings import Edit, all_findings, copied_to, not_found

FINDINGS = all_findings()

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def copy(tmp_path_factory):
    with copied_to(tmp_path_factory.mktemp("planted")) as copy:
        yield copy


@pytest.mark.parametrize("finding", [one for one in FINDINGS if one.edit], ids=lambda one: one.id)
def test_a_planted_bug_is_found(copy, finding):
    assert not_found(copy, finding) == ""


def test_a_bug_that_no_test_sees_is_reported(copy):
    """Proves the test of the plants: a finding's test that passes with the bug is no proof."""
    with copy.planted(Edit("LICENSE", "January 2004", "January 2005")):
        what_happened = copy.fails("tests/unit/test_consent.py::test_a_longer_name_that_begins_alike_is_another_stack")

    assert "1 passed" in what_happened


def test_an_edit_that_finds_no_place_is_reported(copy):
    with (
        pytest.raises(ValueError, match="LICENSE has the text to be changed 0 times"),
        copy.planted(Edit("LICENSE", "no such text", "")),
    ):
        pass
