"""A simulation that finds no planted bug proves nothing."""

import pytest

from lab.simulation.mutations import MUTATIONS, seed_that_finds

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(name):
    assert seed_that_finds(MUTATIONS[name]) is not None


def test_each_rule_has_a_planted_bug():
    """Rule 9 shares its one with rule 6: what never answers is seen when ServiceTimeout ends."""
    assert {rule for mutation in MUTATIONS.values() for rule in mutation.rules} >= set(range(1, 9))
