from collections.abc import Callable

import pytest

from tests.support.kms_bench import Bench
from tests.support.timeline import Timeline
from tests.support.world import World


@pytest.fixture
def world():
    with World() as world:
        yield world


@pytest.fixture
def refused(world) -> Callable[..., str]:
    """Creates what is to be refused, and gives the reason, once it is shown that nothing whatever happened to KMS."""

    def refused(key_id: str, **properties: object) -> str:
        before, changes = world.snapshot(), world.changes()
        answer = world.create(key_id, **properties)
        assert answer["Status"] == "FAILED", answer
        assert answer["PhysicalResourceId"] == f"not-imported:Material:{answer['RequestId']}"
        assert world.changes() == changes
        assert world.snapshot() == before
        reason, end = answer["Reason"], " Nothing was imported."
        assert reason.endswith(end)
        return str(reason.removesuffix(end))

    return refused


@pytest.fixture
def bench():
    with Bench() as bench:
        yield bench


@pytest.fixture
def timeline():
    with Timeline() as timeline:
        yield timeline
