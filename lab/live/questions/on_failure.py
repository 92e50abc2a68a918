"""The shapes of the records that Lambda sends to the on-failure function, as the stand-in makes them.

AWS was recorded to send them. They are no questions: an act of the application shows what AWS sends.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lab.on_failure import DROPPED, KILLED, End, ended_with, raised, too_old

SHAPES: Final[Mapping[str, Callable[[], Any]]] = {
    "on-failure:retries": lambda: _shape(raised("KeyError", "'a'", tries=3)),
    "on-failure:no-retries": lambda: _shape(raised("KeyError", "'a'", tries=1)),
    "on-failure:too-old-after-one": lambda: _shape(too_old(1)),
    "on-failure:too-old-after-two": lambda: _shape(too_old(2)),
    "on-failure:too-old-at-once": lambda: _shape(DROPPED),
    "on-failure:no-concurrency": lambda: _shape(End("ZeroReservedConcurrency", 0)),
    "on-failure:timed-out": lambda: _payload(ended_with("Sandbox.Timedout", "Task timed out after 3.00 seconds")),
    "on-failure:killed": lambda: _payload(KILLED),
}


def _shape(end: End) -> dict[str, Any]:
    record = end.record({})
    context = record["requestContext"]
    return {
        "version": record["version"],
        "condition": context["condition"],
        "count": context["approximateInvokeCount"],
        "arn_ends": context["functionArn"].rpartition(":")[2],
        "responseContext": record.get("responseContext"),
        "payload": sorted(record.get("responsePayload", [])),
    }


def _payload(end: End) -> dict[str, Any]:
    payload = end.record({})["responsePayload"]
    return {"type": payload["errorType"], "keys": sorted(payload)}
