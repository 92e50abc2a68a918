"""However long requests wait for KMS's quota, plaintext lives for seconds (docs/internals/design.md, "What is not claimed").

`make quota` shows the same of 500 (docs/internals/scale.md).
"""

from functools import cache

import pytest

from lab.quota.crowd import Crowd
from lab.quota.world import play

pytestmark = pytest.mark.slow

READS_MOST = 2  # of each version: once for the checks, once before the import
HELD_SECONDS_MOST = 10.0

CROWDS = pytest.mark.parametrize(
    "crowd",
    [Crowd(60, 1.0, 1), Crowd(40, 0.25, 3), Crowd(15, 0.01, 1)],
    ids=["one a second", "one in four seconds", "longer than an invocation lasts"],
)


@cache
def played(crowd):
    return play(crowd)


@CROWDS
def test_a_request_that_waits_reads_each_version_of_its_secret_twice_at_most(crowd):
    outcome = played(crowd)

    assert outcome.failed == 0
    assert outcome.secret_reads_most <= READS_MOST


@CROWDS
def test_plaintext_is_wiped_within_ten_seconds_of_the_service_s_answer(crowd):
    outcome = played(crowd)

    assert outcome.failed == 0
    assert outcome.plaintext_seconds < HELD_SECONDS_MOST
