"""Custom resources are asked, and their answers taken, as CloudFormation does.

What MiniStack does not do, and AWS does (CloudFormation User Guide, "Custom resource request and response reference"; Lambda
Developer Guide, "Using AWS Lambda with AWS CloudFormation"):

- the function is invoked asynchronously: an error in it is tried again twice, and CloudFormation goes on waiting
- ServiceTimeout runs from the request on
- the ResponseURL is a pre-signed URL (X-Amz-Date, X-Amz-Expires): the age of a request can be read from it, and a PUT with
  another signature, after its time, or with a content type is refused
- ServiceTimeout stands at the event's top level, too (`request_shape.py` has what was recorded of requests)
- the first answer counts, and must be for this very request, with a non-empty id, in at most 4,096 bytes

The texts are AWS's own where they are known from reports of users; those marked (ours) are not.
"""

import calendar
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ministack.app
from ministack.core.responses import get_region, new_uuid
from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource

from lab.cloudformation import request_shape
from lab.local.journal import Journal

ANSWER_MAX_BYTES = 4096
PHYSICAL_ID_MAX_BYTES = 1024
URL_VALID_SECONDS = 7200
SERVICE_TIMEOUT_MAX_SECONDS = 3600
RESPONSE_PATH = "/_ministack/cfn-response/"

_SIGNING_KEY = secrets.token_bytes(32)
_RESPONSE_HOST = os.environ["LOCAL_AWS_RESPONSE_HOST"]
_JOURNAL = Journal(Path(os.environ["LOCAL_AWS_JOURNAL"]))
_waiting: dict[str, "_Waiting"] = {}  # by RequestId


class Refused(Exception):
    """A request to a custom resource ended badly. `physical_id`: under which its Delete comes; None: it was never asked."""

    def __init__(self, text: str, physical_id: str | None) -> None:
        self.physical_id = physical_id
        super().__init__(text)


class NotAnswered(Refused):
    """Nothing came in time."""


@dataclass(slots=True)
class _Waiting:
    request: Mapping[str, Any]
    answered: threading.Event = field(default_factory=threading.Event)
    body: bytes = b""


def apply() -> None:
    custom_resource.invoke_custom_resource = invoke
    other_shortcuts = ministack.app._handle_post_body_shortcuts

    async def shortcuts(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], request_id: str
    ) -> Any:
        if method == "PUT" and path.startswith(RESPONSE_PATH):
            return take_answer(unquote(path.removeprefix(RESPONSE_PATH)), headers, body, query)
        return await other_shortcuts(method, path, headers, body, query, request_id)

    ministack.app._handle_post_body_shortcuts = shortcuts


# ------------------------------------------------------------------------------------------------------------ asking


def invoke(  # noqa: PLR0913, PLR0917  # the signature of what it replaces
    request_type: str,
    logical_id: str,
    props: dict[str, Any],
    stack_name: str,  # noqa: ARG001  # as above; the StackId says it, too
    stack_id: str,
    resource_type: str,
    physical_id: str | None = None,
    old_props: dict[str, Any] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Sends one request, and waits for its answer: the physical id and the attributes. Raises Refused. Blocks."""
    token = str(props.get("ServiceToken", ""))
    if old_props is not None and old_props.get("ServiceToken") != token:
        raise Refused("Modifying service token is not allowed.", physical_id)
    function = _function(token)
    request = {
        "RequestType": request_type,
        "ServiceToken": token,
        "RequestId": new_uuid(),
        "StackId": stack_id,
        "ResourceType": resource_type,
        "LogicalResourceId": logical_id,
        "ResourceProperties": as_strings(props),
        **request_shape.service_timeout(as_strings(props)),
    }
    if physical_id is not None:
        request["PhysicalResourceId"] = physical_id
    if old_props is not None:
        request["OldResourceProperties"] = as_strings(old_props)
    _JOURNAL.write("request", request)
    waiting = _waiting[request["RequestId"]] = _Waiting(request)
    try:
        lambda_svc.invoke_async_with_retry(function, {**request, "ResponseURL": response_url(request, time.time())})
        answered = waiting.answered.wait(_service_timeout_seconds(props))
    finally:
        del _waiting[request["RequestId"]]
    if not answered:
        raise NotAnswered(
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId "
            f"[{request['RequestId']}].",
            physical_id or made_up_id(request),
        )
    return judge(request, waiting.body)


def _function(token: str) -> dict[str, Any]:
    record, config, _name = lambda_svc._get_func_record_for_ref(token)
    region = token.split(":")[3] if token.count(":") >= 6 else ""  # the parts of an ARN
    if record is None or config is None or region != get_region():
        raise Refused(f"ServiceToken {token} is no function of this Region. (ours)", None)
    return dict(lambda_svc._execution_record_for_config(record, config))


def as_strings(value: Any) -> Any:
    """Properties as a function gets them: every scalar is a string, lists and maps keep their shape."""
    if isinstance(value, dict):
        return {key: as_strings(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_strings(item) for item in value]
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _service_timeout_seconds(properties: Mapping[str, Any]) -> int:
    seconds = int(properties.get("ServiceTimeout", SERVICE_TIMEOUT_MAX_SECONDS))
    if not 1 <= seconds <= SERVICE_TIMEOUT_MAX_SECONDS:
        raise Refused(f"ServiceTimeout must be 1 to {SERVICE_TIMEOUT_MAX_SECONDS}. (ours)", None)
    return seconds


def response_url(request: Mapping[str, Any], now: float) -> str:
    """A URL with which whoever has it can answer, for two hours: shaped as S3's pre-signed ones."""
    made_at = datetime.fromtimestamp(now, UTC)
    ids = request["StackId"], request["LogicalResourceId"], request["RequestId"]
    query = request_shape.query(request["StackId"], request["RequestId"], made_at)
    signature = _signature("|".join(ids), f"{made_at:%Y%m%dT%H%M%SZ}")
    return (
        f"https://{_RESPONSE_HOST}{RESPONSE_PATH.removesuffix('/')}{request_shape.path(*ids)}"
        f"?{query}&X-Amz-Signature={signature}"
    )


def _signature(name: str, date: str) -> str:
    return hmac.digest(_SIGNING_KEY, f"{name}\n{date}".encode(), "sha256").hex()


def made_up_id(request: Mapping[str, Any]) -> str:
    """The id that CloudFormation gives a resource whose Create told none."""
    stack_name = request["StackId"].split("/")[1]
    return f"{stack_name}-{request['LogicalResourceId']}-{secrets.token_hex(7)[:13].upper()}"


# ------------------------------------------------------------------------------------------------------- being answered


def take_answer(
    name: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
) -> tuple[int, dict[str, str], bytes]:
    """What S3 does with a PUT to a ResponseURL: it stores what comes, whatever it is, if the URL is right."""
    date = "".join(query.get("X-Amz-Date", []))
    signature = "".join(query.get("X-Amz-Signature", []))
    if not hmac.compare_digest(signature, _signature(name, date)) or headers.get("content-type"):
        return _forbidden("SignatureDoesNotMatch", name, body)
    made_at = time.strptime(f"{date} UTC", "%Y%m%dT%H%M%SZ %Z")
    if time.time() - _epoch_seconds(made_at) > URL_VALID_SECONDS:
        return _forbidden("AccessDenied", name, body)
    waiting = _waiting.get(name.rpartition("|")[2])
    heard = waiting is not None and not waiting.answered.is_set()
    _JOURNAL.write("answer", {"to": name, "heard": heard, "bytes": len(body), "body": _readable(body)})
    if waiting is not None and heard:
        waiting.body = body
        waiting.answered.set()
    return 200, {}, b""


def _forbidden(code: str, name: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    _JOURNAL.write("answer", {"to": name, "heard": False, "refused": code, "body": _readable(body)})
    return 403, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode()


def _epoch_seconds(utc: time.struct_time) -> float:
    return calendar.timegm(utc)


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return repr(body)


def judge(request: Mapping[str, Any], body: bytes) -> tuple[str, dict[str, Any]]:
    """What CloudFormation makes of an answer: the physical id and the attributes, or Refused."""
    known_id = request.get("PhysicalResourceId") or made_up_id(request)
    if len(body) > ANSWER_MAX_BYTES:
        raise Refused("Response object is too long.", known_id)
    try:
        answer = json.loads(body)
    except ValueError:
        raise Refused("Invalid Response object: it is not JSON. (ours)", known_id) from None
    if not isinstance(answer, dict):
        raise Refused("Invalid Response object: it is not an object. (ours)", known_id)
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        if answer.get(name) != request[name]:
            raise Refused(f"Invalid Response object: {name} is not the request's. (ours)", known_id)
    answered_id = answer.get("PhysicalResourceId")
    if not isinstance(answered_id, str) or not 0 < len(answered_id.encode()) <= PHYSICAL_ID_MAX_BYTES:
        raise Refused("Invalid PhysicalResourceId", known_id)
    match answer.get("Status"):
        case "SUCCESS":
            return answered_id, answer.get("Data") or {}
        case "FAILED" if answer.get("Reason"):
            raise Refused(
                f"Received response status [FAILED] from custom resource. Message returned: {answer['Reason']} "
                f"(RequestId: {request['RequestId']})",
                answered_id,
            )
        case "FAILED":
            raise Refused("Invalid Response object: FAILED without a Reason. (ours)", answered_id)
        case status:
            raise Refused(f"Invalid Response object: '{status}' is not a valid ResponseStatus", answered_id)
