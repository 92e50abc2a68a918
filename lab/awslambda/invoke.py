"""Lambda, as far as the function calls it: the asynchronous Invoke. The test decides what happens to the event.

It refuses an unknown function, another account's or Region's function, a qualified name and a too large payload, with AWS's
own sentences. Another path or invocation type, or a payload that is not JSON, fails the test.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from lab.wire.transport import Caller, Fault, FaultAnswers, Refusal, Request, Response, caller_of

PAYLOAD_MAX_BYTES = 1_048_576  # of an asynchronous invocation
FAULT_ANSWERS: FaultAnswers = {
    Fault.THROTTLED: Refusal(429, "TooManyRequestsException", "Rate Exceeded."),
    Fault.INTERNAL_ERROR: Refusal(500, "ServiceException", "An error occurred and the request cannot be processed."),
    Fault.DEPENDENCY_TIMEOUT: Refusal(503, "ServiceException", "Service Unavailable"),
}
_INVOKE = re.compile(r"/2015-03-31/functions/([^/?]+)/invocations")
_FUNCTION_ARN = re.compile(r"arn:aws:lambda:([a-z0-9-]+):(\d{12}):function:([A-Za-z0-9_-]+)")


class LambdaService:
    """Calls `take(function_arn, event)` with each event that Lambda accepts, parsed from JSON.

    `exists`: which functions there are, by ARN; None: all that a caller names in its own account and Region.
    """

    name = "lambda"
    fault_answers = FAULT_ANSWERS

    def __init__(self, take: Callable[[str, Any], None], exists: Callable[[str], bool] | None = None) -> None:
        self._take = take
        self._exists = exists

    def operation(self, request: Request) -> str:
        return "Invoke" if request.method == "POST" and _INVOKE.fullmatch(request.path) else ""

    def refuse(self, refusal: Refusal) -> Response:
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": refusal.code}
        return Response(refusal.status, headers, json.dumps({"Message": refusal.message, "Type": "User"}).encode())

    def handle(self, request: Request) -> Response:
        found = _INVOKE.fullmatch(request.path)
        if found is None or request.headers.get("x-amz-invocation-type") != "Event":
            raise AssertionError(f"The function must not ask Lambda for this: {request.method} {request.path}")
        function_arn = unquote(found[1])
        named = _FUNCTION_ARN.fullmatch(function_arn)
        caller = caller_of(request.headers)
        exists = self._exists is None or self._exists(function_arn)
        if named is None or Caller(named[2], named[1]) != caller or not exists:
            return self.refuse(Refusal(404, "ResourceNotFoundException", f"Function not found: {function_arn}"))
        if len(request.body) > PAYLOAD_MAX_BYTES:
            return self.refuse(Refusal(413, "RequestTooLargeException", "Request must be smaller than 1048576 bytes."))
        self._take(function_arn, json.loads(request.body))
        return Response(202, {}, b"")
