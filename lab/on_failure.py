"""The on-failure function in the one-process world, and the records that Lambda sends it.

    on_failure = OnFailureWorld(world)
    answer = on_failure.told(KILLED, event)

The shapes come from Lambda's documentation ("Capturing records of Lambda asynchronous invocations", "Troubleshoot invocation
issues") and from records seen in November 2025. The errors are errors that deployed functions ended with.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imported_key_material.aws import boto_session
from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.on_failure import OnFailure
from lab.awslambda.invocation import Context, FieldsInText
from lab.world import FUNCTION_ARN, World

ON_FAILURE_ARN = f"{FUNCTION_ARN}-on-failure"
LAMBDA_REQUEST_ID = "8f5e1c2d-0b3a-4f6e-9d7c-1a2b3c4d5e6f"
TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class End:
    """How the request ended: the condition, the number of tries, and the last try's error (None: the record has none)."""

    condition: str = "RetriesExhausted"
    tries: int = 2
    error: Mapping[str, Any] | None = None

    def record(self, event: object) -> dict[str, Any]:
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": "2026-12-01T12:03:11.123Z",
            "requestContext": {
                "requestId": LAMBDA_REQUEST_ID,
                "functionArn": f"{FUNCTION_ARN}:$LATEST",
                "condition": self.condition,
                "approximateInvokeCount": self.tries,
            },
            "requestPayload": event,
        }
        if self.error is not None:
            context = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
            record |= {"responseContext": context, "responsePayload": dict(self.error)}
        return record


def ended_with(error_type: str, said: str) -> End:
    return End(error={"errorType": error_type, "errorMessage": f"RequestId: {LAMBDA_REQUEST_ID} Error: {said}"})


def raised(error_type: str, said: str, *, condition: str = "RetriesExhausted", tries: int = 2) -> End:
    """The last try ended with an exception."""
    own = {"requestId": LAMBDA_REQUEST_ID, "stackTrace": ['  File "/var/task/x.py", line 1, in handler']}
    return End(condition, tries, {"errorMessage": said, "errorType": error_type, **own})


def too_old(tries: int) -> End:
    """An event that grew too old in the queue: before its first try, or (recorded 2025-11-27) after its first or second."""
    return raised("KeyError", "not told", condition="EventAgeExceeded", tries=tries) if tries else DROPPED


KILLED = ended_with("Runtime.ExitError", "Runtime exited with error: signal: killed")
DROPPED = End("EventAgeExceeded", 0)


class OnFailureWorld:
    """`put_error`: if set, each PUT raises it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.urls: list[str] = []
        self.bodies: list[bytes] = []
        self.put_error: Exception | None = None
        self.logger = FieldsInText(world._logger)  # noqa: SLF001  # the log that the world reads
        client = world.session().client("cloudformation", config=boto_session.config("cloudformation"))
        self.function = OnFailure(client, world.clock, self._put, self.logger, "amazonaws.com")

    def _put(self, url: str, body: bytes, _deadline: Deadline) -> None:
        if self.put_error:
            raise self.put_error
        self.urls.append(url)
        self.bodies.append(body)

    def told(self, end: End, event: object) -> dict[str, Any] | None:
        """Returns the answer, or None if there is none."""
        return self.invoke(end.record(event))

    def invoke(self, record: object) -> dict[str, Any] | None:
        answered = len(self.bodies)
        self.function(record, Context(self.world.clock, TIMEOUT_SECONDS, ON_FAILURE_ARN))
        if len(self.bodies) == answered:
            return None
        (body,) = self.bodies[answered:]
        answer: dict[str, Any] = json.loads(body)
        return answer
