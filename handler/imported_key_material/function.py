"""The function, from event to answer, with its edges as arguments: a test or a simulation passes in its own."""

from imported_key_material import request, resource
from imported_key_material.calling import Caller, Log, deadline_of
from imported_key_material.clients import Clients
from imported_key_material.delivery import Put
from imported_key_material.operation import Operation
from imported_key_material.request import Answer, Home, Request, RequestType
from imported_key_material.responder import Context, Responder
from imported_key_material.waiting import Clock


def build(made: Clients, *, clock: Clock, put: Put, log: Log, dns_suffix: str, response_host: str = "") -> Responder:
    """Returns the Lambda handler. `dns_suffix`: of the partition, "amazonaws.com"; `response_host`: as in `app.py`."""

    def read(event: object, context: Context) -> Request:
        log.append_keys(request_id=None, stack_id=None, logical_id=None)  # of the event before this one
        home = Home.of_function(context.invoked_function_arn)
        received = request.read(event, home, request.response_hosts(home, dns_suffix, response_host))
        # An answer may say that the log has the place "under this request's id".
        log.append_keys(request_id=received.request_id, stack_id=received.stack_id, logical_id=received.logical_id)
        return received

    def run(received: Request, context: Context) -> Answer:
        deadline = deadline_of(received, clock, context.get_remaining_time_in_millis() / 1000)
        home = Home.of_function(context.invoked_function_arn)
        return resource.handle(Operation(received, made, Caller(clock, deadline, log), log, home))

    return Responder(dict.fromkeys(RequestType, run), read=read, put=put, clock=clock)
