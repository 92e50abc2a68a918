"""The application's function with a stop watch: a handler beside the built package, in the same process.

A call's own time is what boto3 takes for it, from the client's method to its return: building, signing, sending, waiting
and parsing. The PUT's own time is that of the one exchange over a connection of its own. Both would be spent by whoever
makes these calls; the rest of the invocation is the application's.
"""

import time

from botocore.client import BaseClient
from imported_key_material import app, delivery

spent_seconds = []


def timed(function):
    def run(*args, **named):
        begun = time.perf_counter()
        try:
            return function(*args, **named)
        finally:
            spent_seconds.append(time.perf_counter() - begun)

    return run


BaseClient._make_api_call = timed(BaseClient._make_api_call)
delivery.Https.__call__ = timed(delivery.Https.__call__)


def handler(event, context):
    spent_seconds.clear()
    begun = time.perf_counter()
    app.handler(event, context)
    return {"whole_seconds": time.perf_counter() - begun, "spent_seconds": spent_seconds}
