"""Tries asynchronous invocations, gives them up, and sends them to the on-failure destination, as Lambda does.

AWS does the following, and MiniStack does not (Lambda Developer Guide, "How Lambda handles errors and retries with
asynchronous invocation", "Capturing records of Lambda asynchronous invocations"):

- a throttled event stays in the queue until it is too old; it uses up no retry
- an event for a function whose reserved concurrency is 0 is given up at once, as ZeroReservedConcurrency (in LocalStack, and in
  stackd's recordings of September 2026)
- all tries of an event have one request id. The record has it, the number of tries, and whether the event was too old
  (MiniStack: always RetriesExhausted after three tries)
- the destination is invoked asynchronously, too: if that function fails, it is tried again

Waits are shorter here: the first retry of a failed event comes after LAMBDA_ASYNC_RETRY_BASE_SECONDS.
"""

import contextvars
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import lambda_svc

from lab.local.corrections import function_metrics
from lab.local.corrections.lambda_runtime import request_id_of_all_tries

RETRIES_BY_DEFAULT = 2
AGE_BY_DEFAULT_SECONDS = 21600
FIRST_RETRY_SECONDS = 60  # on AWS
LONGEST_WAIT_SECONDS = 300  # of a throttled event, on AWS

Event = Any
Function = dict[str, Any]


def apply() -> None:
    lambda_svc.invoke_async_with_retry = invoke


def invoke(function: Function, event: Event) -> None:
    """Returns at once; a thread handles the event."""
    threading.Thread(target=contextvars.copy_context().run, args=(_work_on, function, event), daemon=True).start()


def _work_on(function: Function, event: Event) -> None:
    config = function.get("config") or function
    account, region = lambda_svc._account_region_from_function_config(config)
    lambda_svc._request_account_id.set(account)
    lambda_svc._request_region.set(region)
    request_id = new_uuid()
    request_id_of_all_tries.set(request_id)
    settings = (function.get("event_invoke_configs") or {}).get("$LATEST") or {}
    tries, condition, result = _try(function, event, settings)
    if condition == "Success":
        return
    target = ((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination", "")
    if ":lambda:" not in target:
        dead_letters = target or (config.get("DeadLetterConfig") or {}).get("TargetArn")
        if dead_letters:
            lambda_svc._route_async_failure(dead_letters, config["FunctionName"], event, result)
        return
    destination, _config, _name = lambda_svc._get_func_record_for_ref(target)
    if destination is None:
        function_metrics.record(config["FunctionName"], "DestinationDeliveryFailures", 1.0, time.time())
    else:
        context = {
            "requestId": request_id,
            "functionArn": f"{config['FunctionArn']}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": tries,
        }
        invoke(destination, record(context, event, result if tries else None))


def _try(function: Function, event: Event, settings: Mapping[str, Any]) -> tuple[int, str, dict[str, Any]]:
    """The number of tries that were not throttled, the condition, and how the last try ended."""
    second = lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS / FIRST_RETRY_SECONDS  # one second on AWS, in seconds here
    retries = settings.get("MaximumRetryAttempts", RETRIES_BY_DEFAULT)
    end = time.monotonic() + int(settings.get("MaximumEventAgeInSeconds", AGE_BY_DEFAULT_SECONDS))
    tries = throttled = 0
    if function.get("concurrency") == 0:
        return tries, "ZeroReservedConcurrency", {}
    queued = time.time()
    name = (function.get("config") or function)["FunctionName"]
    while True:
        now = time.time()
        function_metrics.record(name, "AsyncEventAge", (now - queued) * 1000, now, unit="Milliseconds")
        result = dict(lambda_svc._execute_function(function, event))
        if not result.get("error"):
            return tries, "Success", result
        if result.get("throttle"):
            wait = min(second * 2**throttled, second * LONGEST_WAIT_SECONDS)
            throttled += 1
        else:
            tries += 1
            if tries > retries:
                return tries, "RetriesExhausted", result
            wait = second * FIRST_RETRY_SECONDS * 2 ** (tries - 1)
        if time.monotonic() + wait > end:
            return tries, "EventAgeExceeded", result
        time.sleep(wait)


def record(context: Mapping[str, Any], event: Event, result: Mapping[str, Any] | None) -> dict[str, Any]:
    """The record that a destination gets. `result`: the last try's, None if there was no try."""
    without_answer = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": dict(context),
        "requestPayload": event,
    }
    if result is None:
        return without_answer
    error = result.get("function_error") or "Unhandled"
    return without_answer | {
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": error},
        "responsePayload": result.get("body"),
    }
