"""Whatever dies with seven days' notice was in a digest before, however many runs were missed.

Hypothesis draws what happens to a key (an end is set, the key is disabled, emptied, scheduled for deletion, hidden, mended) and
which of the twice daily runs happen at all. The watch is the real one, from findings to digest, without its calls. Each planted
bug must make the property fail: a property that nothing can break proves nothing.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from imported_key_material.watch import findings, occasion
from imported_key_material.watch.digest import digest
from imported_key_material.watch.estate import Estate, HiddenKey
from imported_key_material.watch.findings import Kind, find
from imported_key_material.watch.occasion import Occasion
from tests.support.estates import HOME, ORDERS, days, estate, key, key_id

START = datetime(2026, 1, 1, 5, 17, tzinfo=UTC)  # the schedule's own hour, when the application was deployed
RUNS = 120  # two months
STATES = ("PendingImport", "Disabled", "PendingDeletion", "hidden")
KEY = key_id()


@dataclass(frozen=True)
class History:
    """One key. It expires at `ends_at`, which is known since `known_at`; it is in `state` from `broken_at` to `mended_at`.

    `happens`: whether each run happens. `warning_days`: the application's parameter.
    """

    known_at: datetime
    ends_at: datetime
    state: str
    broken_at: datetime
    mended_at: datetime
    happens: tuple[bool, ...]
    warning_days: int

    def estate(self, now: datetime) -> Estate:
        if self.broken_at <= now < self.mended_at:
            if self.state == "hidden":
                return replace(estate(), hidden=(HiddenKey(KEY, (), (ORDERS,)),))
            return estate(key(state=self.state, holders=[ORDERS], ends=self._end(now)))
        if now >= self.ends_at:
            return estate(key(state="PendingImport", holders=[ORDERS]))
        return estate(key(holders=[ORDERS], ends=self._end(now)))

    def _end(self, now: datetime) -> datetime | None:
        return self.ends_at if self.known_at <= now < self.ends_at else None

    def runs(self) -> list[datetime]:
        times = (START + timedelta(hours=12 * number) for number in range(RUNS))
        return [at for at, happens in zip(times, self.happens, strict=True) if happens]


def said(history: History, watch=find) -> list[tuple[datetime, frozenset[Kind]]]:
    """What each run that happened has sent: the kinds of findings about the key."""
    sent = []
    for at in history.runs():
        why = Occasion(at)
        found = [one for one in watch(history.estate(at), at, history.warning_days) if why.is_due(one)]
        if found:
            assert KEY.arn in digest(found, HOME, at).body
        sent.append((at, frozenset(one.kind for one in found)))
    return sent


def require_told(history: History, watch=find) -> None:
    sent = said(history, watch)
    ends = {Kind.EXPIRES, Kind.ENDS_FIRST}
    # What expires with seven days' notice was in a digest, if only one run of the last seven days happened.
    seen = [at for at, _ in sent if history.known_at <= at and history.ends_at - days(7) <= at < history.ends_at]
    seen = [at for at in seen if not history.broken_at <= at < history.mended_at]
    if history.ends_at - history.known_at >= days(7) and seen:
        assert any(Kind.EXPIRES in kinds for at, kinds in sent if at < history.ends_at), "it expired untold"
    # With more days of warning than a week has, one Monday is enough as well.
    first = max(history.known_at, history.ends_at - timedelta(days=max(history.warning_days, 7)))
    for at, kinds in sent:
        healthy = not history.broken_at <= at < history.mended_at
        if healthy and first <= at < history.ends_at and at.weekday() == 0:
            assert Kind.EXPIRES in kinds, "a Monday said nothing of the end"
        # A key that has time is not reported.
        if healthy and not first <= at:
            assert not kinds & ends, "a key that has time was reported"
        broken = history.broken_at <= at < history.mended_at
        out_of_use = kinds - ends
        assert bool(out_of_use) is (broken or at >= history.ends_at), "out of use, and not each run says so"


def moments(first: int = 0) -> st.SearchStrategy[datetime]:
    return st.integers(first * 24, RUNS * 12).map(lambda hours: START + timedelta(hours=hours, minutes=7))


@st.composite
def histories(draw: st.DrawFn) -> History:
    known_at, broken_at = draw(moments()), draw(moments())
    left = draw(st.integers(0, 40 * 24))
    happen = draw(st.sampled_from([0.02, 0.1, 0.5, 1.0]))
    random = draw(st.randoms(use_true_random=False))
    return History(
        known_at=known_at,
        ends_at=known_at + timedelta(hours=left),
        state=draw(st.sampled_from(STATES)),
        broken_at=broken_at,
        mended_at=broken_at + timedelta(hours=draw(st.integers(0, 20 * 24))),
        happens=tuple(random.random() < happen for _ in range(RUNS)),
        warning_days=draw(st.sampled_from([1, 7, 8, 30])),
    )


def one_run(number: int, ends_after: timedelta, *, warning_days: int = 30) -> History:
    """Of all runs, only one happens, and the key ends so long after it."""
    at = START + timedelta(hours=12 * number)
    never = START + days(10_000)
    happens = tuple(each == number for each in range(RUNS))
    return History(at - days(30), at + ends_after, "Disabled", never, never, happens, warning_days)


@settings(max_examples=250)
@example(one_run(41, days(7)))
@example(one_run(41, timedelta(minutes=1)))
@example(one_run(41, days(6), warning_days=1))
@example(one_run(8, days(30)))  # a Monday, in the morning
@example(one_run(9, days(30)))  # the same Monday, in the afternoon
@given(histories())
def test_whatever_dies_with_seven_days_notice_was_in_a_digest_before(history):
    require_told(history)


def test_the_examples_run_on_a_monday():
    assert {(START + timedelta(hours=12 * number)).strftime("%A") for number in (8, 9)} == {"Monday"}


def only_in_the_morning(occasion_, finding):
    return occasion_.at.hour < 12 and (finding.urgent or occasion_.at.weekday() == 0)


def on_mondays_only(occasion_, _finding):
    return occasion_.at.weekday() == 0


def urgent_only(_occasion, finding):
    return finding.urgent


PLANTED = {
    "only three days are urgent": (findings, "URGENT_WITHIN", days(3)),
    "one of the two runs of a day says nothing": (occasion.Occasion, "is_due", only_in_the_morning),
    "what is urgent waits for Monday": (occasion.Occasion, "is_due", on_mondays_only),
    "what is not urgent is never said": (occasion.Occasion, "is_due", urgent_only),
    "Monday is a Sunday": (occasion, "_MONDAY", 6),
    "a key that is scheduled for deletion is taken for healthy": (findings, "_DELETIONS", frozenset()),
}


def require_found(watch=find):
    """Some history must break the property. It need not be the shortest."""

    @settings(max_examples=400, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
    @example(one_run(41, days(7)))
    @given(histories())
    def prove(history):
        require_told(history, watch)

    with pytest.raises((AssertionError, ExceptionGroup)):
        prove()


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(monkeypatch, bug):
    monkeypatch.setattr(*PLANTED[bug])

    require_found()


WRONG_FINDINGS = {
    "what ends within the warning days is not urgent in its last week": lambda one: (
        replace(one, urgent=False) if one.kind is Kind.EXPIRES else one
    ),
    "a disabled key is not urgent": lambda one: replace(one, urgent=one.kind is not Kind.DISABLED),
    "a key that can't be seen is left out": lambda one: None if one.kind is Kind.HIDDEN else one,
    "lost material is left out": lambda one: None if one.kind is Kind.LOST else one,
}


@pytest.mark.parametrize("bug", WRONG_FINDINGS)
def test_a_planted_bug_in_a_finding_is_found(bug):
    def wrong(seen, now, warning_days):
        return tuple(filter(None, map(WRONG_FINDINGS[bug], find(seen, now, warning_days))))

    require_found(wrong)
