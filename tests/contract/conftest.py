import pytest

from tests.support.world import World


@pytest.fixture
def world():
    with World() as world:
        yield world
