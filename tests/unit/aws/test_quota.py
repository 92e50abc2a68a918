"""The wait for KMS's quota: how the tries are spread, what ends the wait, and what the log says about it."""

from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest

from imported_key_material.aws import quota
from imported_key_material.aws.calls import Caller
from imported_key_material.clock import Deadline
from imported_key_material.errors import Leave, NotWanted, OutOfTime, ServiceRefused
from lab.clock import START, VirtualClock
from lab.measured import Measured
from tests.support.scripted_key import refusal

THROTTLED = refusal("ThrottlingException", "GetParametersForImport")
PARAMETERS = {"ImportToken": b"token"}
WHAT_TO_DO = (
    "KMS's quota for it, GetParametersForImport request rate (one request a second for the account and Region, formerly one in "
    "four seconds), is shared by all who import. Ask for more (aws service-quotas list-service-quotas --service-code kms "
    "--query \"Quotas[?QuotaName=='GetParametersForImport request rate']\" shows its value and its code, which aws "
    "service-quotas request-service-quota-increase takes), or deploy fewer resources at once (chain them with DependsOn)."
)


class Log:
    def __init__(self):
        self.lines = []

    def append_keys(self, **keys): ...

    def info(self, msg, *, extra):
        self.lines.append((msg, dict(extra)))

    warning = info


class Successor:
    """Takes over a request, or fails to."""

    def __init__(self, clock, seconds, problem=""):
        self.waits_until = Deadline(clock, clock.now() + timedelta(seconds=seconds))
        self.problem = problem

    def take_over(self, _caller, unfinished):
        if self.problem:
            raise OutOfTime(f"{unfinished} {self.problem}")
        raise Leave


class Wait:
    """One invocation that asks for parameters; KMS throttles it `throttles` times."""

    def __init__(self, throttles, *, age=0.0, seconds=825.0, successor=None, seed=1, tells_time=True):
        self.clock = VirtualClock(seed=seed)
        self.asked, self.looked, self.measured, self.log = [], [], Measured(), Log()
        self.throttles = throttles
        deadline = Deadline(self.clock, self.clock.now() + timedelta(seconds=seconds))
        made_at = START - timedelta(seconds=age) if tells_time else None
        made = None if successor is None else Successor(self.clock, *successor)
        self.caller = Caller(self.clock, deadline, self.log, made_at=made_at, successor=made, meter=self.measured)

    def seconds(self):
        return (self.clock.now() - START).total_seconds()

    def call(self):
        self.asked.append(self.seconds())
        if len(self.asked) <= self.throttles:
            raise THROTTLED
        return PARAMETERS

    def run(self, still_needed=None):
        def look():
            self.looked.append(self.seconds())
            if still_needed is not None:
                still_needed()

        return quota.ParameterRequest(self.caller, self.call, waits={}, read=dict).wait(look)


# ----------------------------------------------------------------------------------------------------------- the steps


@pytest.mark.parametrize(("age", "seconds"), [(-30, 2), (0, 2), (4, 3), (40, 12), (112, 30), (113, 30), (3600, 30)])
def test_the_older_the_request_the_longer_may_a_wait_be_up_to_half_a_minute(age, seconds):
    assert quota.step_seconds(age) == seconds


@pytest.mark.parametrize("seed", range(10))
def test_waits_are_drawn_from_zero_to_the_step(seed):
    wait = Wait(200, seconds=5000, seed=seed)

    wait.run()

    gaps = [(b - a) / quota.step_seconds(a) for a, b in pairwise(wait.asked)]
    assert min(gaps) >= 0
    assert max(gaps) <= 1
    assert 0.4 < sum(gaps) / len(gaps) < 0.6


def test_a_request_that_was_handed_over_does_not_begin_anew_with_short_waits():
    young, old = Wait(10), Wait(10, age=600)

    young.run()
    old.run()

    assert old.seconds() > 3 * young.seconds()


def test_a_request_without_a_time_counts_from_its_first_try():
    told, untold = Wait(30), Wait(30, tells_time=False)

    told.run()
    untold.run()

    assert untold.asked == told.asked
    assert untold.measured.waits[0].age_seconds is None


# ------------------------------------------------------------------------------------------------------- spending nothing


def test_a_request_that_gets_through_at_once_asks_once_and_reports_nothing():
    wait = Wait(0)

    assert wait.run() == PARAMETERS
    assert (wait.asked, wait.looked, wait.measured.waits, wait.log.lines) == ([0.0], [], [], [])


def test_before_each_further_try_it_is_asked_whether_it_is_needed():
    wait = Wait(5)

    wait.run()

    assert wait.looked == wait.asked[1:]


def test_what_is_not_needed_any_more_asks_no_more():
    wait = Wait(5)

    def not_needed():
        if len(wait.asked) == 3:
            raise NotWanted("the stack has gone back")

    with pytest.raises(NotWanted):
        wait.run(not_needed)
    assert len(wait.asked) == 3


def test_another_refusal_ends_the_wait_at_once():
    wait = Wait(0)
    wait.call = lambda: (_ for _ in ()).throw(refusal("UnsupportedOperationException", "GetParametersForImport"))

    with pytest.raises(ServiceRefused, match="UnsupportedOperationException"):
        wait.run()
    assert wait.seconds() == 0


# ------------------------------------------------------------------------------------------------------------- the end


def test_without_a_successor_the_wait_ends_at_the_deadline_and_names_the_quota():
    wait = Wait(10**6, age=60)

    with pytest.raises(OutOfTime) as raised:
        wait.run()

    assert str(raised.value) == (
        "KeyId: kms:GetParametersForImport was throttled (ThrottlingException) until no time was left: the last "
        f"invocation of a request that is 885 seconds old asked {len(wait.asked)} times in 825 seconds. {WHAT_TO_DO}"
    )
    assert wait.seconds() == 825
    assert wait.asked[-1] < 825


def test_where_the_request_has_no_time_the_error_has_none():
    wait = Wait(10**6, tells_time=False)

    with pytest.raises(OutOfTime) as raised:
        wait.run()

    assert f"was left: the last invocation asked {len(wait.asked)} times in 825 seconds. KMS's quota" in str(
        raised.value
    )


def test_a_successor_takes_over_when_the_time_for_waiting_is_over():
    wait = Wait(10**6, successor=(600,))

    with pytest.raises(Leave):
        wait.run()
    assert wait.seconds() == 600


def test_a_successor_that_can_not_take_over_is_reported_beside_the_quota():
    wait = Wait(10**6, successor=(600, "Nobody takes it."))

    with pytest.raises(OutOfTime) as raised:
        wait.run()

    assert str(raised.value).endswith(f"in 600 seconds. {WHAT_TO_DO} Nobody takes it.")
    assert wait.seconds() == 600


# ------------------------------------------------------------------------------------------------------- what is logged


@pytest.mark.parametrize(
    ("throttles", "successor", "outcome"),
    [
        (7, (600,), "granted"),
        (10**6, (600,), "handed over"),
        (10**6, None, "given up"),
        (10**6, (600, "No."), "given up"),
    ],
)
def test_each_wait_is_measured_once_and_logged(throttles, successor, outcome):
    wait = Wait(throttles, age=100, successor=successor)
    with suppress(OutOfTime, Leave):
        wait.run()

    (waited,) = wait.measured.waits
    assert (waited.outcome, waited.tries) == (outcome, len(wait.asked))
    assert waited.waited_seconds == wait.seconds()
    assert waited.age_seconds == 100 + wait.seconds()
    granted = outcome == "granted"
    assert wait.log.lines[-1] == (
        "KMS's quota",
        {
            "outcome": outcome,
            "age_seconds": round(100 + wait.seconds(), 1),
            "waited_seconds": round(wait.seconds(), 1),
            "tries": len(wait.asked),
            "throttled_percent": round(100 * (len(wait.asked) - granted) / len(wait.asked), 1),
        },
    )


def test_a_long_wait_is_logged_once_a_minute():
    wait = Wait(10**6)

    with pytest.raises(OutOfTime):
        wait.run()

    told = [extra["waited_seconds"] for _, extra in wait.log.lines if extra["outcome"] == "waiting"]
    assert told[0] == 0
    assert 9 <= len(told) <= 14  # of 825 seconds
    assert all(b - a >= 60 for a, b in pairwise(told))


# ---------------------------------------------------------------------------------------------------- many at once, roughly


@pytest.mark.parametrize(
    ("waiting", "per_second", "times_floor"), [(500, 0.25, 1.10), (500, 1.0, 1.5), (250, 0.25, 1.15)]
)
def test_hundreds_that_begin_together_get_through_in_little_more_than_the_least_time(waiting, per_second, times_floor):
    """Only the steps, against a bucket that holds one request. `make quota` measures the whole function."""
    clock = VirtualClock(seed=7)
    free_at, last = START, START

    def ask():
        nonlocal free_at, last
        if clock.now() < free_at:
            age = (clock.now() - START).total_seconds()
            clock.after(clock.random() * quota.step_seconds(age), ask)
        else:
            free_at, last = clock.now() + timedelta(seconds=1 / per_second), clock.now()

    for number in range(waiting):
        clock.after(number / 20, ask)
    clock.advance(7200)

    assert (last - START).total_seconds() < times_floor * waiting / per_second
