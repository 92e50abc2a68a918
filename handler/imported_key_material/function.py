"""The function, from event to answer, with its edges as arguments: a test or a simulation passes in its own."""

from imported_key_material import masks, request, resource
from imported_key_material.calling import Caller, Log, deadline_of
from imported_key_material.clients import Clients
from imported_key_material.consent_tags import ConsentTags
from imported_key_material.delivery import Put
from imported_key_material.handing_on import FreshExecution
from imported_key_material.invocation import Context
from imported_key_material.operation import Operation
from imported_key_material.outcome import Answer
from imported_key_material.request import Home, Request, RequestType
from imported_key_material.responder import Responder
from imported_key_material.waiting import Clock, Meter, unmetered


def build(  # noqa: PLR0913  # the edges of the world, by name
    made: Clients,
    *,
    clock: Clock,
    put: Put,
    log: Log,
    dns_suffix: str,
    response_host: str = "",
    meter: Meter = unmetered,
) -> Responder:
    """Returns the Lambda handler. `dns_suffix`: of the partition, "amazonaws.com"; `response_host`: as in `app.py`."""
    # CloudFormation's event, as it came, for the one place that may hand it on: it bears the pre-signed ResponseURL.
    event_at_work: object = None

    def read(event: object, context: Context) -> Request:
        nonlocal event_at_work
        event_at_work = None
        log.append_keys(request_id=None, stack_id=None, logical_id=None)  # of the event before this one
        home = Home.of_function(context.invoked_function_arn)
        received = request.read(event, home, request.response_hosts(home, dns_suffix, response_host))
        # An answer may say that the log has the place "under this request's id".
        log.append_keys(request_id=received.request_id, stack_id=received.stack_id, logical_id=received.logical_id)
        event_at_work = event
        return received

    def run(received: Request, context: Context) -> Answer:
        nonlocal event_at_work
        event, event_at_work = event_at_work, None
        remaining_seconds = context.get_remaining_time_in_millis() / 1000
        successor = FreshExecution.of(
            received,
            event,
            invoked_arn=context.invoked_function_arn,
            remaining_seconds=remaining_seconds,
            functions=made.functions,
            clock=clock,
        )
        deadline = deadline_of(received, clock, remaining_seconds)
        hidden = masks.of(received.properties, received.old_properties)
        caller = Caller(clock, deadline, log, made_at=received.made_at, successor=successor, meter=meter, masks=hidden)
        home = Home.of_function(context.invoked_function_arn)
        consent_tags = ConsentTags(caller, received.stack_name)
        return resource.handle(Operation(received, made, caller, log, home, consent_tags))

    return Responder(dict.fromkeys(RequestType, run), read=read, put=put, clock=clock)
