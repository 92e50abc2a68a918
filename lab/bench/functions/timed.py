"""The application's function with a stop watch: a handler beside the built package, in the same process.

A call's own time is what boto3 takes for it, from the client's method to its return: building, signing, sending, waiting
and parsing. The PUT's own time is that of the exchange, over a connection of its own. Whoever makes these calls spends that
much; the rest of the invocation is the application's.
"""

import time
from collections.abc import Callable
from typing import Any

from botocore.client import BaseClient

from imported_key_material import app, delivery

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
own._make_api_call = timed(own._make_api_call)  # noqa: SLF001  # the one place through which every call goes
own = delivery.Https
own.__call__ = timed(own.__call__)


def handler(event: object, context: Any) -> dict[str, Any]:
    """What the invocation took, and what each call and the PUT did."""
    spent.clear()
    begun = now()
    app.handler(event, context)
    return {"whole": since(begun), "spent": spent}
