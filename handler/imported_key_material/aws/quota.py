"""Waits for KMS's quota for GetParametersForImport: one request a second for the account and Region, or one in four seconds.

A stack with hundreds of keys starts hundreds of invocations at once, and each waits here for its turn
(docs/internals/design.md, "Getting through KMS's quota"). KMS keeps no order: who asks when a request is free gets it. So

- the function makes each try itself: the client makes no retries;
- the first try does not wait. While plaintext is held there is only this try: the plaintext is wiped before any wait
  (`sealing.py`);
- each wait is random, evenly from zero to a step. Quota is lost in moments when a request is free and nobody asks. While
  hundreds wait, a long step loses almost nothing; when few are left, it loses much. Nobody knows how many wait, but a
  request's age shows how long the crowd has lasted. The step is a quarter of the age, at most `STEP_MAX_SECONDS`;
- before each further try the function asks whether the request is still needed, so that it spends no quota on work that is
  done already;
- when the invocation's time for waiting is over, the request is handed over, or FAILED with the quota's name.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from imported_key_material.aws.calls import Caller
from imported_key_material.aws.error_texts import GET_PARAMETERS_QUOTA
from imported_key_material.errors import Leave, OutOfTime, ServiceRefused, Throttled
from imported_key_material.meter import Waited
from imported_key_material.safe_log import metrics_may_fail

OPERATION: Final = "kms:GetParametersForImport"
STEP_FIRST_SECONDS: Final = 2.0
STEP_MAX_SECONDS: Final = 30.0
STEP_OF_AGE: Final = 0.25
LOG_EVERY_SECONDS: Final = 60.0

logger = logging.getLogger(__name__)


def step_seconds(age_seconds: float) -> float:
    """The longest wait before the next try of a request of this age."""
    return min(STEP_FIRST_SECONDS + STEP_OF_AGE * max(age_seconds, 0.0), STEP_MAX_SECONDS)


class ParameterRequest[T]:
    """GetParametersForImport for one key and one algorithm: `first` tries without a wait, `wait` waits for the quota.

    `function` makes the call; `read` makes a value of its answer; `waits`: codes that pass, as `Caller.call` takes them.
    """

    def __init__(
        self,
        caller: Caller,
        function: Callable[[], Mapping[str, Any]],
        *,
        waits: Mapping[str, float],
        read: Callable[[Mapping[str, Any]], T],
    ) -> None:
        self._caller = caller
        self._function = function
        self._waits = waits
        self._read = read
        self._started = caller.clock.now()
        self._codes: list[str] = []  # one for each throttled try

    def first(self) -> T | None:
        """One try, for a caller that must not wait. None if it fails for any reason: `wait` then finds the reason."""
        self._started = self._caller.clock.now()
        try:
            answer = replace(self._caller, patient=False).call(OPERATION, self._function, where="KeyId")
        except Throttled as error:
            self._codes.append(error.code)
        except ServiceRefused:
            pass
        else:
            return self._read(answer)
        return None

    def wait(self, still_needed: Callable[[], None]) -> T:
        """`still_needed` runs before each try but the very first, and raises if the request is no longer needed.

        Raises as `Caller.call`; OutOfTime if the time for waiting is over; Leave if the request was handed over.
        """
        caller, codes = self._caller, self._codes
        clock, waits_until = caller.clock, caller.waits_until
        if not codes:
            self._started = clock.now()
        logged_at: datetime | None = None
        try:
            while True:
                if codes:
                    if logged_at is None or (clock.now() - logged_at).total_seconds() >= LOG_EVERY_SECONDS:
                        logged_at = clock.now()
                        _log(caller, self._waited("waiting"))
                    _sleep(caller, self._waited(""))
                    if waits_until.passed():
                        break
                    still_needed()
                answer = self._try()
                if answer is not None:
                    if codes:
                        _report(caller, self._waited("granted"))
                    return self._read(answer)
        except OutOfTime:  # while hundreds wait, the question whether the request is needed may be throttled, too
            if not codes:
                raise
        raise _end(caller, self._waited, codes[-1])

    def _try(self) -> Mapping[str, Any] | None:
        """One try. None if it was throttled; then its code is added."""
        try:
            return self._caller.call(OPERATION, self._function, where="KeyId", waits=self._waits, throttles_seconds=0)
        except Throttled as error:
            self._codes.append(error.code)
        return None

    def _waited(self, outcome: str) -> Waited:
        now, made_at = self._caller.clock.now(), self._caller.made_at
        age = None if made_at is None else (now - made_at).total_seconds()
        tries = len(self._codes) + (outcome == "granted")
        return Waited(outcome, age, (now - self._started).total_seconds(), tries)


def _sleep(caller: Caller, so_far: Waited) -> None:
    """Sleeps until the next try, or until the time for waiting is over."""
    step = step_seconds(so_far.waited_seconds if so_far.age_seconds is None else so_far.age_seconds)
    caller.clock.sleep(min(caller.clock.random() * step, max(caller.waits_until.left_seconds(), 0.0)))


def _end(caller: Caller, waited: Callable[[str], Waited], code: str) -> OutOfTime:
    """Ends the wait: returns the error to raise; raises Leave if the request is handed over."""
    last = waited("given up")
    age = "" if last.age_seconds is None else f" of a request that is {last.age_seconds:.0f} seconds old"
    unfinished = OutOfTime(
        f"KeyId: {OPERATION} was throttled ({code}) until no time was left: the last invocation{age} asked "
        f"{last.tries} times in {last.waited_seconds:.0f} seconds. KMS's quota for it, {GET_PARAMETERS_QUOTA} (one request a "
        f"second for the account and Region, formerly one in four seconds), is shared by all who import. Ask for more (aws "
        f"service-quotas list-service-quotas --service-code kms --query \"Quotas[?QuotaName=='{GET_PARAMETERS_QUOTA}']\" shows "
        f"its value and its code, which aws service-quotas request-service-quota-increase takes), or deploy fewer resources at "
        f"once (chain them with DependsOn)."
    )
    try:
        error = caller.given_up(unfinished)
    except Leave:
        _report(caller, waited("handed over"))
        raise
    _report(caller, last)
    return error


def _report(caller: Caller, waited: Waited) -> None:
    """Logs and measures a wait. The request may be granted or handed over by now."""
    _log(caller, waited)
    with metrics_may_fail(logger):
        caller.meter.waited(waited)


def _log(caller: Caller, waited: Waited) -> None:
    """`throttled_percent`: of this invocation's tries. The metrics show what KMS lets through in all."""
    granted = waited.outcome == "granted"
    caller.log.info(
        "KMS's quota",
        extra={
            "outcome": waited.outcome,
            "age_seconds": None if waited.age_seconds is None else round(waited.age_seconds, 1),
            "waited_seconds": round(waited.waited_seconds, 1),
            "tries": waited.tries,
            "throttled_percent": round(100 * (waited.tries - granted) / waited.tries, 1),
        },
    )
