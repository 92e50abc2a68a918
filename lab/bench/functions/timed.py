"""The application's function with a stop watch: a handler beside the built package, in the same process.

A call's own time is the time of the boto3 client's method: building, signing, sending, waiting and parsing. The PUT's own time
is that of the exchange, with its own connection. Any program that makes these calls needs this time; the rest of the
invocation is the application's.
"""

import time
from collections.abc import Callable
from typing import Any

from botocore.client import BaseClient

from imported_key_material import app
from imported_key_material.cloudformation import delivery

type Seconds = tuple[float, float]  # on the wall, and on a processor

spent: list[Seconds] = []


def now() -> Seconds:
    return time.perf_counter(), time.process_time()


def since(begun: Seconds) -> Seconds:
    wall, processor = now()
    return wall - begun[0], processor - begun[1]


def timed[**P, T](function: Callable[P, T]) -> Callable[P, T]:
    def run(*args: P.args, **named: P.kwargs) -> T:
        begun = now()
        try:
            return function(*args, **named)
        finally:
            spent.append(since(begun))

    return run


own: Any = BaseClient
own._make_api_call = timed(own._make_api_call)  # noqa: SLF001  # every call goes through this method
own = delivery.Https
own.__call__ = timed(own.__call__)


def handler(event: object, context: Any) -> dict[str, Any]:
    """The time of the invocation, and of each call and the PUT."""
    spent.clear()
    begun = now()
    app.handler(event, context)
    return {"whole": since(begun), "spent": spent}
