"""Makes AWS calls: errors that pass by themselves are waited out, all others are translated.

botocore retries a few times within seconds. That is not enough for KMS's eventual consistency (seconds, sometimes minutes)
nor for its quota, and it retries neither NotFoundException nor KMSInvalidStateException. So each call here may name the
codes that it waits out, and for how long. A throttle is waited out to the end of the invocation, a fault for two minutes.
GetParametersForImport, which hundreds may wait for, has its own loop (`quota.py`).

No call begins after the deadline. The deadline leaves `RESERVE_SECONDS` before Lambda ends the invocation: for the longest
single call (3 tries x (4 s to connect + 10 s to read) and botocore's waits between them) and for the answer. Only the question
whether anybody waits for an answer is asked once even then (`Caller.at_least_once`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from imported_key_material.aws import error_texts
from imported_key_material.aws.meanings import NO_MEANINGS, Meaning
from imported_key_material.clock import Backoff, Clock, Deadline
from imported_key_material.errors import CannotHappen, OutOfTime, ServiceRefused, Throttled
from imported_key_material.meter import Meter, Unmetered

CONNECT_TIMEOUT_SECONDS: Final = 4
READ_TIMEOUT_SECONDS: Final = 10
TRIES_PER_CALL: Final = 3
RESERVE_SECONDS: Final = 75.0
FAULT_PATIENCE_SECONDS: Final = 120.0  # for a service that fails, or that can't be reached
CONSISTENCY_PATIENCE_SECONDS: Final = 120.0  # for a key that KMS does not show yet
TAG_PATIENCE_SECONDS: Final = 360.0  # tags count in KMS's authorization up to five minutes late

THROTTLES: Final = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
)
FAULTS: Final = frozenset(
    {
        "DependencyTimeoutException",
        "KMSInternalException",
        "KeyUnavailableException",
        "InternalServiceError",
        "RequestTimeout",
    }
)
# For a key that was made or changed a moment ago.
NEW_KEY: Final[Mapping[str, float]] = MappingProxyType(
    {
        "NotFoundException": CONSISTENCY_PATIENCE_SECONDS,
        "KMSInvalidStateException": CONSISTENCY_PATIENCE_SECONDS,
    }
)
# For a key or a secret that shows its tag: IAM may not see the tag yet.
TAGGED: Final[Mapping[str, float]] = MappingProxyType({"AccessDeniedException": TAG_PATIENCE_SECONDS})
NO_WAITS: Final[Mapping[str, float]] = MappingProxyType({})

_BACKOFF = Backoff(first_seconds=0.5, cap_seconds=10.0)
# Waits after a throttle are this many times longer: every throttled try uses up quota that another caller needs.
THROTTLED_TIMES: Final = 3.0


class Log(Protocol):
    """The methods of a logger that are used. `extra` holds fields; never material, a secret, or a ResponseURL.

    `append_keys` adds fields to every later line, of other modules too; None removes a field.
    """

    def append_keys(self, **keys: str | None) -> None: ...
    def info(self, msg: str, *, extra: Mapping[str, object]) -> None: ...
    def warning(self, msg: str, *, extra: Mapping[str, object]) -> None: ...


class Successor(Protocol):
    """A fresh invocation that continues the request if a long wait outlasts this invocation (`handover.py`)."""

    @property
    def waits_until(self) -> Deadline: ...  # when this invocation stops waiting
    def take_over(self, caller: "Caller", unfinished: OutOfTime) -> None: ...  # raises Leave, or OutOfTime


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes the calls of one invocation. `made_at`: when the request was made, None if not known."""

    clock: Clock
    deadline: Deadline
    log: Log
    at_least_once: bool = False  # a call is tried once even after the deadline
    patient: bool = True  # False: a call is made once (besides botocore's own retries), and no error is waited out
    made_at: datetime | None = None
    successor: Successor | None = None  # None: there can be none
    meter: Meter = field(default_factory=Unmetered)
    masks: Mapping[str, str] = field(default=error_texts.NO_MASKS, repr=False)  # what AWS's texts must not repeat

    def within(self, seconds: float) -> Deadline:
        """This many seconds from now, or the deadline if that is earlier."""
        return Deadline(self.clock, self.clock.now() + timedelta(seconds=seconds)).earlier(self.deadline)

    @property
    def waits_until(self) -> Deadline:
        """Until when to wait for a quota or a rotation. Earlier than the deadline if a successor can continue."""
        return self.deadline if self.successor is None else self.successor.waits_until

    def given_up(self, unfinished: OutOfTime) -> OutOfTime:
        """Ends a long wait. Raises Leave if a successor takes the request over; else returns the error to raise."""
        if self.successor is not None:
            try:
                self.successor.take_over(self, unfinished)
            except OutOfTime as error:
                return error
        return unfinished

    def call[T](  # noqa: PLR0913  # by name
        self,
        operation: str,
        function: Callable[[], T],
        *,
        where: str,
        waits: Mapping[str, float] = NO_WAITS,
        faults_seconds: float = FAULT_PATIENCE_SECONDS,
        throttles_seconds: float = math.inf,
        meanings: Mapping[str, Meaning] = NO_MEANINGS,
    ) -> T:
        """Returns what `function` returns. `operation`: "kms:DescribeKey"; `where`: the property that the call is made for.

        `faults_seconds`: how long a fault is waited out; 0 if a call that may have taken effect must not be repeated.
        `throttles_seconds`: how long a throttle is waited out; 0 if the caller does the waiting (`quota.py`).
        `meanings`: meanings of AWS's codes, if the caller knows more than `error_texts.py`.

        Raises ServiceRefused; Throttled; OutOfTime if the deadline had passed before the call.
        """
        if self.deadline.passed() and not self.at_least_once:
            raise OutOfTime(f"{where}: There was no time left for {operation}. Run the deployment again.")
        started = self.clock.now()
        error: ClientError | BotoCoreError | None = None
        for wait_seconds in _BACKOFF.waits(self.clock):
            try:
                return function()
            except (ClientError, BotoCoreError) as caught:
                error = caught
            except OutOfTime:
                if error is None:
                    raise
                # A guard inside `function` ran out of time before one more try. Report the error of the earlier tries.
            code = error_texts.code_of(error)
            waited = (self.clock.now() - started).total_seconds()
            patience_seconds = 0.0
            if self.patient:
                patience_seconds = self._patience_seconds(error, code, waits, faults_seconds, throttles_seconds)
            left = round(min(patience_seconds - waited, self.deadline.left_seconds()), 6)  # no clock shows less
            if left <= 0:
                raise self._final_error(operation, error, code, where, waited, meanings)
            self.log.info(
                "waiting",
                extra={
                    "operation": operation,
                    "code": code,
                    "waited_seconds": round(waited, 1),
                    "left_seconds": round(left),
                },
            )
            longer = THROTTLED_TIMES if code in THROTTLES else 1.0
            self.clock.sleep(min(wait_seconds * longer, left))
        raise CannotHappen("The waits do not end.")

    @staticmethod
    def _patience_seconds(
        error: ClientError | BotoCoreError,
        code: str,
        waits: Mapping[str, float],
        faults_seconds: float,
        throttles_seconds: float,
    ) -> float:
        if code in THROTTLES:
            return throttles_seconds
        if code in waits:
            return waits[code]
        if isinstance(error, ClientError):
            passes = code in FAULTS or error_texts.status_of(error) >= 500
        else:
            passes = isinstance(error, error_texts.NO_ANSWER)
        return faults_seconds if passes else 0.0

    def _final_error(
        self,
        operation: str,
        error: ClientError | BotoCoreError,
        code: str,
        where: str,
        waited_seconds: float,
        meanings: Mapping[str, Meaning],
    ) -> ServiceRefused | OutOfTime:
        if code not in THROTTLES:
            return error_texts.translate(operation, error, where=where, masks=self.masks, meanings=meanings)
        return Throttled(
            f"{where}: {operation} was throttled ({code}) for {waited_seconds:.0f} seconds, until no time was left. Run the "
            f"deployment again when this account makes fewer calls in this Region.",
            code=code,
        )


def invocation_deadline(clock: Clock, remaining_seconds: float) -> Deadline:
    """`RESERVE_SECONDS` before the invocation ends, or half of the remaining time if that is less."""
    reserve = min(RESERVE_SECONDS, remaining_seconds / 2)
    return Deadline(clock, clock.now() + timedelta(seconds=remaining_seconds - reserve))
