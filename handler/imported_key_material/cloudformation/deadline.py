"""Until when the function may work on a request."""

from datetime import timedelta

from imported_key_material.aws.calls import invocation_deadline
from imported_key_material.clock import Clock, Deadline
from imported_key_material.cloudformation.request import Request


def deadline_of(request: Request, clock: Clock, remaining_seconds: float) -> Deadline:
    """The earlier of two: the end of the invocation, and the moment when CloudFormation stops waiting."""
    of_invocation = invocation_deadline(clock, remaining_seconds)
    return of_invocation.earlier(request_deadline(request, clock))


def request_deadline(request: Request, clock: Clock) -> Deadline:
    """When CloudFormation stops waiting, less a minute for the answer, or a tenth of ServiceTimeout if that is less."""
    timeout = request.service_timeout_seconds
    made_at = request.made_at or clock.now()
    return Deadline(clock, made_at + timedelta(seconds=timeout - min(60.0, timeout / 10)))
