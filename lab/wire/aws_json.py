"""AWS's JSON 1.1 protocol: turns bodies into Python values and back, by botocore's model of a service.

A value of a wrong type is a SerializationException, as from AWS's front end. Members that the model does not know are ignored,
and null counts as absent, as on AWS. `constraints.py` checks lengths, patterns and enums. Python values are botocore's: bytes
for blobs, datetime for timestamps.

Source: Smithy 2.0, "AWS JSON 1.1 protocol".
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape

from lab.wire.transport import Refusal, Response

CONTENT_TYPE = "application/x-amz-json-1.1"


@cache
def service_model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


class SerializationError(Exception):
    """The body does not fit the model. The text names the member, and never a value."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(f"{path or 'The request body'} is not {expected}.")


def loads(body: bytes) -> Any:
    """Strict JSON in UTF-8: no NaN, no Infinity."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        return json.loads(body or b"{}", parse_constant=refuse)
    except (ValueError, RecursionError):
        raise SerializationError("", "JSON") from None


def decode(shape: Shape | None, value: Any, path: str = "") -> Any:
    """Turns a JSON value into the Python value that `shape` describes."""
    if shape is None:
        return {}
    return _DECODERS[shape.type_name](shape, value, path)


def encode(shape: Shape, value: Any) -> Any:
    """Turns a Python value into JSON. The model must know every member."""
    return _ENCODERS[shape.type_name](shape, value)


def ok(shape: Shape | None, answer: Mapping[str, Any]) -> Response:
    body = b"{}" if shape is None else json.dumps(encode(shape, answer), separators=(",", ":")).encode()
    return Response(200, {"Content-Type": CONTENT_TYPE}, body)


def refused(refusal: Refusal) -> Response:
    """If there is no message, the body has no message member; botocore then shows an empty text."""
    body = {"__type": refusal.code} | ({} if refusal.message is None else {"message": refusal.message})
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-ErrorType": refusal.code}
    return Response(refusal.status, headers, json.dumps(body, separators=(",", ":")).encode())


# ------------------------------------------------------------------------------------------------------------- decoding


def _structure(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SerializationError(path, "a structure")
    members = shape.members
    prefix = f"{path}." if path else ""
    return {
        name: decode(members[name], member, prefix + name)
        for name, member in value.items()
        if member is not None and name in members
    }


def _list(shape: Any, value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise SerializationError(path, "a list")
    return [decode(shape.member, member, f"{path}[{index}]") for index, member in enumerate(value)]


def _map(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SerializationError(path, "a map")
    return {key: decode(shape.value, member, f"{path}.{key}") for key, member in value.items() if member is not None}


def _blob(_: Any, value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise SerializationError(path, "base64") from None


def _timestamp(_: Any, value: Any, path: str) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SerializationError(path, "a number of seconds since 1970")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        raise SerializationError(path, "a moment that the calendar knows") from None


def _string(_: Any, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise SerializationError(path, "a string")
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate
        raise SerializationError(path, "Unicode") from None
    return value


def _boolean(_: Any, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise SerializationError(path, "a boolean")
    return value


def _integer(_: Any, value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise SerializationError(path, "an integer of 32 bits")
    return value


_DECODERS: Mapping[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "blob": _blob,
    "timestamp": _timestamp,
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
}

# ------------------------------------------------------------------------------------------------------------- encoding

_ENCODERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "structure": lambda shape, value: {name: encode(shape.members[name], member) for name, member in value.items()},
    "list": lambda shape, value: [encode(shape.member, member) for member in value],
    "map": lambda shape, value: {key: encode(shape.value, member) for key, member in value.items()},
    "blob": lambda _, value: base64.b64encode(value).decode(),
    "timestamp": lambda _, value: round(value.timestamp(), 3),
    "string": lambda _, value: value,
    "boolean": lambda _, value: value,
    "integer": lambda _, value: value,
    "long": lambda _, value: value,
}
