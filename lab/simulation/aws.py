"""The services of a simulation: they show every call to the `Watch`, so that nothing is parsed twice; and the faults of AWS."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from lab.clock import Now
from lab.cloudformation.stack_reads import CloudFormation
from lab.kms.service import StrictKms
from lab.kms.wire import KmsWire
from lab.secretsmanager.reads import SecretsManager
from lab.simulation.watch import Watch
from lab.wire import aws_query
from lab.wire.faults import Faults, Moment
from lab.wire.transport import AwsError, Caller, Fault, Refusal, Request, Response, caller_of


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
