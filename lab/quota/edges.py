"""The function's AWS in a crowd: KMS with its quotas, CloudFormation with its own rate, clients that are made once.

KMS is the strict KMS, with a pool of wrapping public keys and today's other quotas. CloudFormation's reads are throttled, too,
since hundreds of invocations read the same stack.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from botocore.retries.quota import RetryQuota

from imported_key_material.aws import clients
from imported_key_material.aws.clients import Clients, WhenNeeded
from lab.clock import Now, VirtualClock
from lab.kms.quotas import PER_SECOND, Quotas
from lab.kms.service import StrictKms
from lab.kms.wire import KmsWire
from lab.quota.crowd import Crowd
from lab.secretsmanager.reads import SecretsManager
from lab.simulation.aws import CLOUDFORMATION_OPERATIONS
from lab.wire.faults import Faults, Moment
from lab.wire.in_process import InProcessAws
from lab.wire.transport import AwsError, Caller, Fault, Refusal

ACCOUNT, REGION = "111122223333", "eu-central-1"
SCARCE = "GetParametersForImport"
# Assumed: AWS throttles CloudFormation's reads, but documents no rate.
CLOUDFORMATION_READS_PER_SECOND = 10.0


class CountedKms(KmsWire):
    """`made`, `throttled`: calls by operation; `granted_at`: when GetParametersForImport got through.

    `opened` is called after each answer of Decrypt.
    """

    def __init__(self, kms: StrictKms, clock: Now, opened: Callable[[], None]) -> None:
        super().__init__(kms)
        self._opened = opened
        self.made: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self.granted_at: list[datetime] = []
        self._clock = clock

    def _call(self, operation: str, params: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        self.made[operation] += 1
        try:
            answer = super()._call(operation, params, caller)
        except AwsError as error:
            self.throttled[operation] += error.code == "ThrottlingException"
            raise
        if operation == SCARCE:
            self.granted_at.append(self._clock.now())
        if operation == "Decrypt":
            self._opened()
        return answer


class CountedSecrets(SecretsManager):
    """Calls `read` with the secret and the version of each value that it gives."""

    read: Callable[[str, str], None]

    def _call(self, operation: str, params: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        answer = super()._call(operation, params, caller)
        if operation == "GetSecretValue":
            self.read(answer["ARN"], answer["VersionId"])
        return answer


class BusyCloudFormation(Faults):
    """Throttles CloudFormation's reads by a bucket that holds one second's reads. `throttles`: False turns that off."""

    def __init__(self, clock: Now, *, throttles: bool) -> None:
        super().__init__()
        self._throttles = throttles
        self.throttled = 0
        self._clock = clock
        self._left, self._since = CLOUDFORMATION_READS_PER_SECOND, clock.now()

    def strike(self, operation: str, moment: Moment) -> Fault | Refusal | None:
        if not self._throttles or moment is not Moment.BEFORE or operation not in CLOUDFORMATION_OPERATIONS:
            return None
        now, most = self._clock.now(), CLOUDFORMATION_READS_PER_SECOND
        self._left = min(most, self._left + most * (now - self._since).total_seconds())
        self._since = now
        if self._left < 1:
            self.throttled += 1
            return Fault.THROTTLED
        self._left -= 1
        return None


def quotas(crowd: Crowd) -> Quotas:
    return Quotas(per_second={**PER_SECOND, SCARCE: crowd.rate}, burst_requests=crowd.burst)


# ------------------------------------------------------------------------------------------------------------- clients


class Aws(InProcessAws):
    """One set of clients serves all invocations, since making one takes a hundred times as long as a call.

    botocore gives each client 500 tokens for its retries. Here each invocation has its own tokens, as in a new environment:
    `whose` returns the invocation that calls.
    """

    def __init__(self) -> None:
        super().__init__(VirtualClock())
        self.whose: Callable[[], object] = lambda: None
        self._left: dict[tuple[int, object], int] = {}

    def begin(self, seed: int) -> None:
        random.seed(seed)  # the source of the jitter of botocore's retries
        self._left.clear()

    def own_quotas(self) -> None:
        """Call this once, after the clients were made."""
        for session in self._sessions.values():
            for number, each in enumerate(session.quotas):
                self._own(number, each)

    def _own(self, number: int, shared: RetryQuota) -> None:
        def acquire(capacity_amount: int) -> bool:
            key = (number, self.whose())
            left = self._left.get(key, RetryQuota.INITIAL_CAPACITY)
            if capacity_amount > left:
                return False
            self._left[key] = left - capacity_amount
            return True

        def release(capacity_amount: int) -> None:
            key = (number, self.whose())
            if key in self._left:
                self._left[key] = min(RetryQuota.INITIAL_CAPACITY, self._left[key] + capacity_amount)

        vars(shared).update(acquire=acquire, release=release)  # botocore makes the quota itself, and accepts no other


@cache
def aws() -> Aws:
    return Aws()


@cache
def _make_clients() -> Clients:
    one = aws()
    made = clients.make(one.session(region=REGION, account=ACCOUNT))
    if isinstance(made.functions, WhenNeeded):
        made.functions.client  # noqa: B018  # make it now: it gets a quota like the others
    one.own_quotas()
    return made


def function_clients(*, sdk_retries: bool) -> Clients:
    """`sdk_retries`: the SDK's own retries for the scarce call, too."""
    made = _make_clients()
    retrying: Any = made.kms  # the same botocore client class, with other retries
    return replace(made, kms_without_retries=retrying) if sdk_retries else made
