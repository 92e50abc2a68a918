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

spent_seconds: list[float] = []


def timed[**P, T](function: Callable[P, T]) -> Callable[P, T]:
    def run(*args: P.args, **named: P.kwargs) -> T:
        begun = time.perf_counter()
        try:
            return function(*args, **named)
        finally:
            spent_seconds.append(time.perf_counter() - begun)

    return run


own: Any = BaseClient
own._make_api_call = timed(own._make_api_call)  # noqa: SLF001  # the one place through which every call goes
own = delivery.Https
own.__call__ = timed(own.__call__)


def handler(event: object, context: Any) -> dict[str, Any]:
    """What the invocation took, and what each call and the PUT did, in seconds."""
    spent_seconds.clear()
    begun = time.perf_counter()
    app.handler(event, context)
    return {"whole_seconds": time.perf_counter() - begun, "spent_seconds": spent_seconds}
