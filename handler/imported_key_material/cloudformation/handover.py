"""Hands a request over: if its wait outlasts the invocation, it continues in a fresh invocation of the same function.

The function sends itself the same event, asynchronously. It keeps no state: the request's age is in its ResponseURL, and the
truth is in KMS and CloudFormation. The new invocation looks at everything again (rule 9: if nobody waits for the request any
more, it ends there). The old invocation leaves without an answer. Rules held here (docs/internals/design.md, "Getting through
KMS's quota"):

- the event is sent unchanged, only to the function itself, by its unqualified ARN. It is never logged;
- the number of invocations has a limit: an invocation hands over only after it has waited `OWN_SECONDS_MIN`, so a request has
  at most twelve within ServiceTimeout. (Lambda stops what looks like a loop after about sixteen.) A request without a time, or
  with a time in the future, is never handed over;
- an invocation hands over once, and ends. If a request is delivered twice, it has two chains of invocations; the second ends
  when the first has been answered. If an invocation dies after it has handed over, Lambda's retry begins one more chain. So
  does an Invoke that is repeated because its answer was lost;
- if a request can't be handed over, it is FAILED at once, and the sentence says why.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, Self
from zlib import crc32

from imported_key_material.aws.calls import Caller, invocation_deadline
from imported_key_material.aws.clients import LambdaFunctions
from imported_key_material.clock import Clock, Deadline
from imported_key_material.cloudformation.deadline import request_deadline
from imported_key_material.cloudformation.request import Request
from imported_key_material.errors import Leave, OutOfTime, ServiceRefused, Throttled

OWN_SECONDS_MIN: Final = 300.0
IMPORT_SECONDS: Final = 120.0  # reserved to import and confirm after the wait
SPREAD_SECONDS: Final = 120.0  # so that hundreds that began together do not all call CloudFormation at one moment
PATIENCE_SECONDS: Final = 30.0  # how long a failing lambda:Invoke is tried again
CLOCKS_DIFFER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FreshInvocation:
    """The successor of one invocation (`calls.Successor`)."""

    waits_until: Deadline
    _event: Mapping[str, Any] = field(repr=False)  # CloudFormation's, with the pre-signed ResponseURL
    _function_arn: str
    _functions: LambdaFunctions = field(repr=False)

    @classmethod
    def of(
        cls,
        request: Request,
        *,
        invoked_arn: str,
        remaining_seconds: float,
        functions: LambdaFunctions,
        clock: Clock,
    ) -> Self | None:
        """None if the request can't be handed over: its own time, or this invocation's, is too short, or not known."""
        now = clock.now()
        if request.made_at is None or request.made_at > now + CLOCKS_DIFFER:
            return None
        spread = SPREAD_SECONDS * crc32(request.request_id.encode()) / 2**32
        of_invocation = invocation_deadline(clock, remaining_seconds)
        waits_until = Deadline(clock, of_invocation.at - timedelta(seconds=IMPORT_SECONDS + spread))
        nothing_left = waits_until.at + timedelta(seconds=IMPORT_SECONDS) >= request_deadline(request, clock).at
        if nothing_left or waits_until.left_seconds() < OWN_SECONDS_MIN:
            return None
        return cls(waits_until, request.event, unqualified(invoked_arn), functions)

    def take_over(self, caller: Caller, unfinished: OutOfTime) -> None:
        """Raises Leave; OutOfTime if Lambda does not take the event."""
        problem = self._problem(caller)
        if problem:
            raise OutOfTime(f"{unfinished} It could not be handed over to a new invocation of the function: {problem}")
        caller.log.info("handed over to a new invocation", extra={"function": self._function_arn})
        raise Leave

    def _problem(self, caller: Caller) -> str:
        """Why Lambda did not take the event; "" if it did."""
        try:
            payload = json.dumps(self._event)
        except (ValueError, RecursionError):
            return "its event can't be written as JSON again."
        try:
            # At least once, even after the deadline: the wait for a rotation may have lasted until the deadline.
            replace(caller, at_least_once=True).call(
                "lambda:Invoke",
                lambda: self._functions.invoke(
                    FunctionName=self._function_arn, InvocationType="Event", Payload=payload
                ),
                where="ServiceToken",
                faults_seconds=PATIENCE_SECONDS,
                throttles_seconds=PATIENCE_SECONDS,
            )
        except ServiceRefused as refused:
            (fault,) = refused.faults
            return f"{fault.problem} {fault.remedy}"
        except Throttled as throttled:
            return f"lambda:Invoke was throttled ({throttled.code}) for {PATIENCE_SECONDS:.0f} seconds."
        except OutOfTime:
            return "there was no time left."
        return ""


def unqualified(function_arn: str) -> str:
    """`arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`, without a version or an alias."""
    return ":".join(function_arn.split(":")[:7])
