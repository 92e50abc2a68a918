"""Counts the invocations of functions, as Lambda does for CloudWatch.

AWS does the following, and MiniStack does not (Lambda Developer Guide, "Types of metrics for Lambda functions"):

- asynchronous invocations count, too, each try by itself
- Errors and Duration have the time at which the invocation began, not at which it ended
- AsyncEventAge: how long an event waited before a try. DestinationDeliveryFailures: a record that could not be handed over
  (asynchronous_invocations.py calls `record` for both)

Not shown here: the dimensions Resource and ExecutedVersion, ConcurrentExecutions, and a timeout's fifteen minutes, since tests
do not wait for them.
"""

import time
from typing import Any

from ministack.services import cloudwatch, lambda_svc

NAMESPACE = "AWS/Lambda"


def apply() -> None:
    execute = lambda_svc._execute_function

    def counted(function: dict[str, Any], event: Any) -> dict[str, Any]:
        config = function.get("config") or function
        if lambda_svc._function_config_scope_mismatch(
            config
        ):  # it comes back here in the function's own account and Region
            return dict(execute(function, event))
        began = time.time()
        result = dict(execute(function, event))
        name = config["FunctionName"]
        throttled = bool(result.get("throttle"))
        record(name, "Throttles", float(throttled), began)
        if not throttled:
            record(name, "Invocations", 1.0, began)
            record(name, "Errors", float(bool(result.get("error"))), began)
            record(name, "Duration", (time.time() - began) * 1000, began, unit="Milliseconds")
        return result

    def not_counted(*_: Any, **__: Any) -> None:
        """In place of MiniStack's own count, which knows synchronous invocations only."""

    lambda_svc._execute_function = counted
    lambda_svc._emit_lambda_metrics = not_counted


def record(function_name: str, metric: str, value: float, at: float, *, unit: str = "Count") -> None:
    """One datum, in the account and Region of the present context."""
    dimensions = {"FunctionName": function_name}
    cloudwatch._store_datum(NAMESPACE, metric, dimensions, at, unit, value, None, None, None)
