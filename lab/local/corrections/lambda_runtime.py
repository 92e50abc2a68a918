"""Runs functions under AWS's own runtime client, in separate processes (lab/local/functions.py).

MiniStack runs a function in its own interpreter, so MiniStack's packages would hide that a layer lacks one. Its proxy mode
sends an event to a URL, and knows only one kind of failure, "Proxy target returned HTTP 500". On AWS an error in a function is
HTTP 200 with X-Amz-Function-Error and the error as payload; errorType names its kind. An asynchronous invocation is then tried
again (Lambda Developer Guide, "Understanding retry behavior in Lambda").
"""

import json
import os
import urllib.request
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc

# Set for events that are tried again (asynchronous_invocations.py); "" for others.
request_id_of_all_tries = ContextVar("request_id_of_all_tries", default="")

EXTRA_SECONDS = 60  # for download and cold start, beyond the function's own timeout, which lab/local/runtime.py applies


def apply() -> None:
    url = os.environ.get("LOCAL_AWS_RUNTIME_URL", "")
    if not url:
        return
    proxy_of_a_test = lambda_svc._proxy_url_for
    execute_by_proxy = lambda_svc._execute_function_proxy

    def proxy_url_for(config: dict[str, Any]) -> str:
        return proxy_of_a_test(config) or url

    def execute(func: dict[str, Any], event: Any, target: str, request_id: str) -> dict[str, Any]:
        if target != url:
            return dict(execute_by_proxy(func, event, target, request_id))
        return _run(func.get("config") or func, event, target, request_id_of_all_tries.get() or request_id)

    lambda_svc._proxy_url_for = proxy_url_for
    lambda_svc._execute_function_proxy = execute


def _run(config: dict[str, Any], event: Any, url: str, request_id: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310  # our own URL
        url,
        data=json.dumps(event).encode(),
        headers={
            "X-Amzn-Lambda-Function-Arn": config["FunctionArn"],
            "X-Amzn-Lambda-Request-Id": request_id,
        },
    )
    with urllib.request.urlopen(request, timeout=config["Timeout"] + EXTRA_SECONDS) as answer:  # noqa: S310  # our own
        outcome = json.load(answer)
    body = json.loads(outcome["payload"]) if outcome["payload"] else None
    if outcome["failed"]:
        return {"body": body, "error": True, "function_error": "Unhandled", "log": outcome["log"]}
    return {"body": body, "log": outcome["log"]}
