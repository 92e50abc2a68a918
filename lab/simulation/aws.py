"""AWS for a simulation: like `in_process.py`, but cheaper, since a history makes hundreds of calls.

botocore itself still builds requests, parses answers, retries and raises errors. Three parts are left out: they cost a third
of a call, and no invariant needs them. These are the signature (no service here checks it; the session shows account and
Region), dateutil's parser of timestamps, and the new endpoint and user agent for each call.

Here are also the services that show every call to the `Watch`, so that nothing is parsed twice.
"""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.retries import quota

from lab.clock import Now, VirtualClock
from lab.cloudformation.stack_reads import CloudFormation
from lab.kms.service import StrictKms
from lab.kms.wire import KmsWire
from lab.secretsmanager.reads import SecretsManager
from lab.simulation.watch import Watch
from lab.wire import aws_query
from lab.wire.faults import Faults, Moment
from lab.wire.in_process import LOADER, InProcessAws
from lab.wire.transport import AwsError, Caller, Fault, Refusal, Request, Response, caller_of


class CheapAws(InProcessAws):
    """Sessions that sign nothing, but still show the caller.

    Clients outlive a history, and botocore's retry quotas keep state: `begin` resets them, so that each history is the same
    wherever it is played.
    """

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._quotas: list[quota.RetryQuota] = []

    def begin(self, seed: int) -> None:
        random.seed(seed)  # the source of the jitter of botocore's retries
        for each in self._quotas:
            each._available_capacity = each._max_capacity  # type: ignore[attr-defined]  # noqa: SLF001  # there is no other way

    def remembering[Made](self, make: Callable[[], Made]) -> Made:
        """Calls `make`, which creates clients, and remembers the retry quotas of these."""
        made, real = self._quotas, quota.RetryQuota

        class Remembered(real):  # type: ignore[misc,valid-type]  # a class that is only looked up when a client is made
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                made.append(self)

        quota.RetryQuota = Remembered  # type: ignore[misc]  # the same
        try:
            return make()
        finally:
            quota.RetryQuota = real  # type: ignore[misc]  # the same

    def session(self, *, region: str, account: str) -> boto3.Session:  # type: ignore[override]  # no defaults here
        if (region, account) not in self._sessions:
            inner = botocore.session.Session()
            inner.register_component("data_loader", LOADER)
            inner.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
            credential = f"Credential={account}/20261201/{region}/any/aws4_request"

            def answer(request: AWSPreparedRequest, event_name: str, **more: object) -> AWSResponse:
                request.headers["authorization"] = credential
                return self._before_send(request, event_name, **more)

            before_send: Any = answer  # botocore-stubs knows handlers that return nothing; a before-send answers
            unsigned: Any = lambda **_: UNSIGNED  # noqa: E731  # the same for a choose-signer
            inner.register("before-send", before_send)
            inner.register("choose-signer", unsigned)
            self._sessions[region, account] = boto3.Session(
                aws_access_key_id=account,
                aws_secret_access_key="not-used",  # noqa: S106  # nothing is signed
                region_name=region,
                botocore_session=inner,
            )
        return self._sessions[region, account]


def lighten(client: Any) -> None:
    """Composes a client's endpoint and user agent only once, since they are the same for each call."""
    resolver, agent = client._ruleset_resolver, client._user_agent_creator  # noqa: SLF001  # there is no other way
    construct, text = resolver.construct_endpoint, agent.to_string()
    known: list[Any] = []

    def construct_once(**call: Any) -> Any:
        if not known:
            known.append(construct(**call))
        return known[0]

    resolver.construct_endpoint = construct_once
    agent.to_string = lambda: text


def _timestamp(value: Any) -> datetime:
    """Parses the two forms that the services here use: seconds since 1970, and ISO 8601."""
    return datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)


class WeatherFaults(Faults):
    """Faults by rates; `denied`: operations that the function's role has lost for a while; a quota.

    `scarce_seconds`: GetParametersForImport succeeds once in so many seconds; 0: always.
    """

    def __init__(self, dice: Random, rates: Mapping[tuple[Fault, Moment], float], clock: Now) -> None:
        super().__init__(dice, rates)
        self.denied: set[str] = set()
        self.scarce_seconds = 0.0
        self.on_strike: Callable[[str], None] = lambda _: None
        self._clock = clock
        self._free_at = clock.now()

    def strike(self, operation: str, moment: Moment) -> Fault | Refusal | None:
        fault = self._striking(operation, moment)
        if fault is not None:
            self.on_strike(operation)
        return fault

    def _striking(self, operation: str, moment: Moment) -> Fault | Refusal | None:
        if moment is Moment.BEFORE and operation in self.denied:
            refusal = DENIED_BY_CLOUDFORMATION if operation in CLOUDFORMATION_OPERATIONS else DENIED
            self.struck.append((operation, refusal, moment))
            return refusal
        if moment is Moment.BEFORE and operation == "GetParametersForImport" and self.scarce_seconds:
            if self._clock.now() < self._free_at:
                self.struck.append((operation, Fault.THROTTLED, moment))
                return Fault.THROTTLED
            self._free_at = self._clock.now() + timedelta(seconds=self.scarce_seconds)
        return super().strike(operation, moment)


CLOUDFORMATION_OPERATIONS = frozenset(
    {"DescribeStacks", "DescribeStackResource", "DescribeStackEvents", "ListStackResources"}
)
DENIED = Refusal(400, "AccessDeniedException", "The function's role is not authorized to perform this operation.")
DENIED_BY_CLOUDFORMATION = Refusal(
    403, "AccessDenied", "The function's role is not authorized to perform this operation."
)


class SeenKms(KmsWire):
    def __init__(self, kms: StrictKms, watch: Watch) -> None:
        super().__init__(kms)
        self._watch = watch

    def _call(self, operation: str, params: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        with self._watch.judging():
            self._watch.before_kms(operation, params)
            try:
                answer = super()._call(operation, params, caller)
            except AwsError:
                self._watch.refused_by_kms(operation)
                raise
            self._watch.after_kms(operation, params, answer)
        return answer


class SeenSecrets(SecretsManager):
    watch: Watch

    def _call(self, operation: str, params: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        with self.watch.judging():
            answer = super()._call(operation, params, caller)
            self.watch.after_secrets(operation, answer)
        return answer


class SeenCloudFormation(CloudFormation):
    watch: Watch

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        params = aws_query.parameters(request.body)
        # The stack's fields have what it shows at this moment. "No such resource" is an answer, too.
        is_answer = response.status == 200 and "NextToken" not in params
        if is_answer or params["Action"] == "DescribeStackResource":
            with self.watch.judging():
                stack = self._find(params["StackName"], caller_of(request.headers))
                self.watch.after_cloudformation(params["Action"], stack, params.get("LogicalResourceId", ""))
        return response
