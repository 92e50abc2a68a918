import pytest

from tests.support.timeline import Timeline


@pytest.fixture
def timeline():
    with Timeline() as timeline:
        yield timeline
