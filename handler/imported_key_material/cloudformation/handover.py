"""A request whose wait outlasts the invocation goes on in a fresh one: the same event, to the same function, asynchronously.

No state is kept anywhere: the request's age is in its ResponseURL, and the truth in KMS and CloudFormation. The new
invocation looks at everything anew (rule 9: a request that nobody waits for any more ends there). The old one leaves without
an answer. Rules held here (docs/internals/design.md, "Getting through KMS's quota"):

- the event goes on unchanged, and to the function itself alone, by its unqualified ARN. It is never logged;
- bounded by construction: an invocation that hands over has waited `OWN_SECONDS_MIN` by itself, so that there are no more than
  twelve within ServiceTimeout; Lambda stops what looks like a loop after about sixteen. A request that does not tell its
  time, or one of the future, is never handed over;
- one request, one successor: an invocation hands over once, and ends. Delivered twice, a request has two such lines of
  invocations; the second ends where the first has been answered. Where one dies between handing over and its end, Lambda's
  retry begins one more line; so does an Invoke whose answer was lost, and that is made again;
- where it can't be handed over, the request is FAILED at once, and the sentence says why.
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
IMPORT_SECONDS: Final = 120.0  # kept of the invocation's time, to import and confirm after the wait
SPREAD_SECONDS: Final = 120.0  # hundreds that began together do not hand over together, and ask CloudFormation at once
PATIENCE_SECONDS: Final = 30.0  # with Lambda, which takes the event or does not
CLOCKS_DIFFER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FreshInvocation:
    """The successor of one invocation (`calling.Successor`)."""

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
        """None where the request is not handed over: its own time, or this invocation's, is too short for that."""
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
        """Raises Leave; OutOfTime where Lambda does not take the event."""
        problem = self._problem(caller)
        if problem:
            raise OutOfTime(f"{unfinished} It could not be handed over to a new invocation of the function: {problem}")
        caller.log.info("handed over to a new invocation", extra={"function": self._function_arn})
        raise Leave

    def _problem(self, caller: Caller) -> str:
        """Why Lambda did not take the event; "" where it did."""
        try:
            payload = json.dumps(self._event)
        except (ValueError, RecursionError):
            return "its event can't be written as JSON again."
        try:
            # At least once, even after the deadline: a rotation may have been waited for up to it.
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
