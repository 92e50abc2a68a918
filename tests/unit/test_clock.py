"""Deadlines, full jitter, and loops that end: on the test's clock."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from imported_key_material.clock import Backoff, Deadline, Seen, SystemClock, poll
from lab.clock import START, VirtualClock

BACKOFF = Backoff(first_seconds=1.0, cap_seconds=10.0)
ALMOST_ONE = 1 - 2**-53  # the largest number that random() gives


class Clock(VirtualClock):
    """Its random numbers are always `roll`; it keeps the waits."""

    def __init__(self, roll: float = ALMOST_ONE) -> None:
        super().__init__()
        self.roll = roll
        self.slept: list[float] = []

    def random(self) -> float:
        return self.roll

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds)


def in_seconds(clock, seconds):
    return Deadline(clock, clock.now() + timedelta(seconds=seconds))


# -------------------------------------------------------------------------------------------------------- deadlines


def test_a_deadline_comes_closer_and_has_passed_at_its_very_moment():
    clock = Clock()
    deadline = in_seconds(clock, 10)

    assert (deadline.left_seconds(), deadline.passed()) == (10.0, False)
    clock.sleep(9.999)
    assert not deadline.passed()
    clock.sleep(0.001)
    assert (deadline.left_seconds(), deadline.passed()) == (0.0, True)
    clock.sleep(5)
    assert (deadline.left_seconds(), deadline.passed()) == (-5.0, True)


def test_of_two_deadlines_the_earlier_holds_whichever_is_asked():
    clock = Clock()
    sooner, later = in_seconds(clock, 10), in_seconds(clock, 20)

    assert sooner.earlier(later) is sooner
    assert later.earlier(sooner) is sooner


# ------------------------------------------------------------------------------------------------------- full jitter


@pytest.mark.parametrize(("roll", "waits"), [(0.0, [0.0] * 6), (0.5, [0.5, 1.0, 2.0, 4.0, 5.0, 5.0])])
def test_a_wait_is_drawn_from_zero_to_a_step_that_doubles_up_to_the_cap(roll, waits):
    assert list(islice(BACKOFF.waits(Clock(roll)), 6)) == waits


def test_the_longest_wait_stays_below_its_step():
    waits = list(islice(BACKOFF.waits(Clock(ALMOST_ONE)), 6))

    assert waits == pytest.approx([1.0, 2.0, 4.0, 8.0, 10.0, 10.0])
    assert all(wait < step for wait, step in zip(waits, [1.0, 2.0, 4.0, 8.0, 10.0, 10.0], strict=True))


def test_waits_of_callers_that_start_together_are_spread_evenly():
    fifth_waits = [next(islice(BACKOFF.waits(VirtualClock(seed=seed)), 4, 5)) for seed in range(1000)]

    for tenth in range(10):
        assert 60 <= sum(tenth <= wait < tenth + 1 for wait in fifth_waits) <= 140


# --------------------------------------------------------------------------------------------------------------- poll


def not_yet(value=None):
    return Seen(value, enough=False)


HERE = Seen("here", enough=True)


def test_what_is_there_at_once_is_given_without_waiting():
    clock = Clock()

    assert poll(in_seconds(clock, 10), BACKOFF, lambda: HERE) == HERE
    assert clock.slept == []


def test_what_comes_later_is_asked_for_until_it_is_there():
    clock = Clock(0.5)
    answers = iter([not_yet(), not_yet(), not_yet(), HERE, Seen("too late", enough=True)])

    assert poll(in_seconds(clock, 60), BACKOFF, lambda: next(answers)) == HERE
    assert clock.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("value", [0, "", False, [], None])
def test_whatever_was_seen_may_be_enough(value):
    clock = Clock()

    assert poll(in_seconds(clock, 60), BACKOFF, lambda: Seen(value, enough=True)).value is value
    assert clock.slept == []


def test_what_does_not_come_is_asked_for_up_to_the_deadline_and_a_last_time_then():
    """The last state that it saw becomes the reason."""
    clock = Clock(0.5)
    asked = []

    def attempt():
        asked.append((clock.now() - START).total_seconds())
        return not_yet(f"at {asked[-1]} it was not there")

    assert poll(in_seconds(clock, 10), BACKOFF, attempt) == not_yet("at 10.0 it was not there")
    assert asked == [0.0, 0.5, 1.5, 3.5, 7.5, 10.0]


@pytest.mark.parametrize("seconds", [0, -10])
def test_after_the_deadline_it_is_asked_for_once(seconds):
    clock = Clock()
    asked = []

    def attempt():
        asked.append(clock.now())
        return not_yet()

    assert not poll(in_seconds(clock, seconds), BACKOFF, attempt).enough
    assert asked == [START]
    assert clock.slept == []


def test_dice_that_show_nothing_but_zero_do_not_keep_it_from_ending():
    clock = Clock(0.0)
    asked: list[None] = []

    def attempt():
        asked.append(None)
        clock.advance(1)
        return not_yet()

    assert not poll(in_seconds(clock, 3), BACKOFF, attempt).enough
    assert len(asked) == 3


def test_an_error_ends_it_at_once():
    clock = Clock()

    def attempt():
        raise ValueError("a defect")

    with pytest.raises(ValueError, match=r"^a defect$"):
        poll(in_seconds(clock, 60), BACKOFF, attempt)
    assert clock.slept == []


class NoTimeError(Exception):
    pass


@pytest.mark.parametrize("named", [True, False])
def test_where_a_call_inside_has_no_time_left_what_was_seen_before_counts_if_the_caller_says_so(named):
    clock, answers = Clock(), iter([not_yet("nearly")])

    def attempt():
        try:
            return next(answers)
        except StopIteration:
            raise NoTimeError from None

    if named:
        assert poll(in_seconds(clock, 60), BACKOFF, attempt, out_of_time=NoTimeError) == not_yet("nearly")
    else:
        with pytest.raises(NoTimeError):
            poll(in_seconds(clock, 60), BACKOFF, attempt)


def test_where_nothing_was_seen_before_that_there_is_no_time_left_is_raised():
    def attempt():
        raise NoTimeError

    with pytest.raises(NoTimeError):
        poll(in_seconds(Clock(), 60), BACKOFF, attempt, out_of_time=NoTimeError)


# ------------------------------------------------------------------------------------------------------ the real clock


def test_the_real_clock_shows_utc_waits_and_rolls():
    clock = SystemClock()

    before = clock.now()
    clock.sleep(0.01)
    assert timedelta(seconds=0.01) <= clock.now() - before < timedelta(seconds=5)
    assert before.tzinfo is UTC
    assert abs(before - datetime.now(UTC)) < timedelta(seconds=5)
    assert all(0 <= clock.random() < 1 for _ in range(100))
    assert len({clock.random() for _ in range(10)}) > 1
