import pytest

from tests.support.kms_bench import Bench


@pytest.fixture
def bench():
    with Bench() as bench:
        yield bench
