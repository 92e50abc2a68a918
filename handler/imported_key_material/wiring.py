"""Wires the function from event to answer: gives each part its clients, clock and log. Tests and simulations pass in their own.

`responder.py` calls `read`, which makes a request of an event, and then `handle`, which runs the life cycle.
"""

from dataclasses import KW_ONLY, dataclass, field

from imported_key_material.aws import masks
from imported_key_material.aws.calls import Caller, Log
from imported_key_material.aws.clients import Clients
from imported_key_material.aws.consent_tags import ConsentTags
from imported_key_material.clock import Clock
from imported_key_material.cloudformation import request
from imported_key_material.cloudformation.deadline import deadline_of
from imported_key_material.cloudformation.delivery import Put
from imported_key_material.cloudformation.handover import FreshInvocation
from imported_key_material.cloudformation.outcome import Answer
from imported_key_material.cloudformation.request import Request
from imported_key_material.cloudformation.responder import Responder
from imported_key_material.invocation import Context, seconds_left
from imported_key_material.key_id import Home
from imported_key_material.lifecycle import resource
from imported_key_material.lifecycle.job import Job
from imported_key_material.meter import Meter, Unmetered


@dataclass(frozen=True, slots=True)
class Wiring:
    """`dns_suffix`: the partition's, such as "amazonaws.com"; `response_host`: RESPONSE_HOST of `app.py`."""

    clients: Clients
    _: KW_ONLY
    clock: Clock
    put: Put
    log: Log
    dns_suffix: str
    response_host: str = ""
    meter: Meter = field(default_factory=Unmetered)

    def responder(self) -> Responder:
        """The Lambda handler."""
        return Responder(self.handle, read=self.read, put=self.put, clock=self.clock, meter=self.meter)

    def read(self, event: object, context: Context) -> Request:
        """Raises NotARequest. From here on, every log line names the request, since an answer may refer to the log."""
        self.log.append_keys(request_id=None, stack_id=None, logical_id=None)  # the previous event's
        home = Home.of_arn(context.invoked_function_arn)
        received = request.read(event, home, request.response_hosts(home, self.dns_suffix, self.response_host))
        self.log.append_keys(request_id=received.request_id, stack_id=received.stack_id, logical_id=received.logical_id)
        return received

    def handle(self, received: Request, context: Context) -> Answer:
        """Raises what `resource.handle` raises."""
        caller = self._caller(received, context)
        home = Home.of_arn(context.invoked_function_arn)
        consent_tags = ConsentTags(caller, received.stack_name)
        return resource.handle(Job(received, self.clients, caller, self.log, home, consent_tags))

    def _caller(self, received: Request, context: Context) -> Caller:
        remaining_seconds = seconds_left(context)
        successor = FreshInvocation.of(
            received,
            invoked_arn=context.invoked_function_arn,
            remaining_seconds=remaining_seconds,
            functions=self.clients.functions,
            clock=self.clock,
        )
        return Caller(
            self.clock,
            deadline_of(received, self.clock, remaining_seconds),
            self.log,
            made_at=received.made_at,
            successor=successor,
            meter=self.meter,
            masks=masks.of(received.properties, received.old_properties),
        )
