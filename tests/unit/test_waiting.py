"""Deadlines, full jitter, and loops that end: on a clock of the test's own."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from imported_key_material.waiting import Backoff, Deadline, SystemClock, poll
from tests.support.clock import START, VirtualClock

BACKOFF = Backoff(first_seconds=1.0, cap_seconds=10.0)
ALMOST_ONE = 1 - 2**-53  # the largest number that random() gives


class Clock(VirtualClock):
    """Its dice always show `roll`; keeps what was slept."""

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


def test_what_is_there_at_once_is_given_without_waiting():
    clock = Clock()

    assert poll(in_seconds(clock, 10), BACKOFF, lambda: "here") == "here"
    assert clock.slept == []


def test_what_comes_later_is_asked_for_until_it_is_there():
    clock = Clock(0.5)
    answers = iter([None, None, None, "here", "too late"])

    assert poll(in_seconds(clock, 60), BACKOFF, lambda: next(answers)) == "here"
    assert clock.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("answer", [0, "", False, []])
def test_anything_but_none_is_an_answer(answer):
    clock = Clock()

    assert poll(in_seconds(clock, 60), BACKOFF, lambda: answer) is answer
    assert clock.slept == []


def test_what_does_not_come_is_asked_for_up_to_the_deadline_and_a_last_time_then():
    clock = Clock(0.5)
    asked = []

    assert poll(in_seconds(clock, 10), BACKOFF, lambda: asked.append(clock.now())) is None

    assert [(moment - START).total_seconds() for moment in asked] == [0.0, 0.5, 1.5, 3.5, 7.5, 10.0]


@pytest.mark.parametrize("seconds", [0, -10])
def test_after_the_deadline_it_is_asked_for_once(seconds):
    clock = Clock()
    asked = []

    assert poll(in_seconds(clock, seconds), BACKOFF, lambda: asked.append(clock.now())) is None

    assert asked == [START]
    assert clock.slept == []


def test_dice_that_show_nothing_but_zero_do_not_keep_it_from_ending():
    clock = Clock(0.0)
    asked: list[None] = []

    def attempt():
        asked.append(None)
        clock.advance(1)

    assert poll(in_seconds(clock, 3), BACKOFF, attempt) is None
    assert len(asked) == 3


def test_an_error_ends_it_at_once():
    clock = Clock()

    def attempt():
        raise ValueError("a defect")

    with pytest.raises(ValueError, match=r"^a defect$"):
        poll(in_seconds(clock, 60), BACKOFF, attempt)
    assert clock.slept == []


# ------------------------------------------------------------------------------------------------------ the real clock


def test_the_real_clock_tells_utc_waits_and_rolls():
    clock = SystemClock()

    before = clock.now()
    clock.sleep(0.01)
    assert timedelta(seconds=0.01) <= clock.now() - before < timedelta(seconds=5)
    assert before.tzinfo is UTC
    assert abs(before - datetime.now(UTC)) < timedelta(seconds=5)
    assert all(0 <= clock.random() < 1 for _ in range(100))
    assert len({clock.random() for _ in range(10)}) > 1
