"""The simulation must find each planted bug: otherwise it proves nothing."""

import pytest

from lab.simulation.mutations import MUTATIONS, seed_that_finds

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(name):
    assert seed_that_finds(MUTATIONS[name]) is not None


def test_each_rule_has_a_planted_bug():
    """Rules 9 and 6 share a bug: when ServiceTimeout ends, the simulation sees that nobody answered."""
    assert {rule for mutation in MUTATIONS.values() for rule in mutation.rules} >= set(range(1, 9))
