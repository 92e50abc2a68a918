"""One CloudFormation request, as a value.

This module checks the form of an event before anything else uses it. An event without these fields, for another account or
Region, or with a ResponseURL that is not CloudFormation's own, is `NotARequest`, and nobody is answered. `stack.py` asks
whether CloudFormation still waits for a request.

Source: CloudFormation User Guide, "Custom resource request and response reference".
"""

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from imported_key_material.errors import ImportedKeyMaterialError
from imported_key_material.key_id import Home, not_imported_id

SERVICE_TIMEOUT_DEFAULT_SECONDS = 3600  # CloudFormation's own default and maximum
PHYSICAL_ID_MAX_BYTES = 1024  # CloudFormation refuses longer ones


class NotARequest(ImportedKeyMaterialError):
    """The event is not a CloudFormation request for this function. There is nobody to answer."""


class RequestType(enum.StrEnum):
    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `made_at`: when CloudFormation made it (X-Amz-Date of the ResponseURL), None if the URL has no date."""

    type: RequestType
    request_id: str
    stack_id: str
    logical_id: str
    properties: Mapping[str, Any] = field(repr=False)  # a user may put anything in there, plaintext too
    old_properties: Mapping[str, Any] = field(repr=False)
    physical_id: str | None  # None on Create
    made_at: datetime | None
    response_url: str = field(repr=False)  # pre-signed: anyone who has it can answer in our place
    event: Mapping[str, Any] = field(repr=False)  # as it came, with the ResponseURL: only `handover.py` may send it
    service_timeout_seconds: int = SERVICE_TIMEOUT_DEFAULT_SECONDS  # how long CloudFormation waits

    @property
    def stack_name(self) -> str:
        return self.stack_id.split("/")[1]

    @property
    def home(self) -> Home:
        """Of the stack, and so of the function: `read` refuses other events."""
        return Home.of_arn(self.stack_id)

    @property
    def not_imported_id(self) -> str:
        return not_imported_id(self.logical_id, self.request_id)

    @property
    def fallback_id(self) -> str:
        """The id under which a request that changed nothing is answered."""
        return self.physical_id or self.not_imported_id


# --------------------------------------------------------------------------------------------------- reading an event

_STACK_ID = re.compile(r"arn:aws[a-z-]*:cloudformation:[a-z0-9-]+:\d{12}:stack/[A-Za-z0-9-]{1,128}/[A-Za-z0-9-]{1,64}")
_REQUEST_TYPE = re.compile("|".join(RequestType))
_LOGICAL_ID = re.compile(r"[A-Za-z0-9]{1,255}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,128}")
_RESOURCE_TYPE = re.compile(r"Custom::[A-Za-z0-9_@-]{1,60}|AWS::CloudFormation::CustomResource")
# Printable ASCII, like every id of ours: JSON escapes other characters, and the longer id would leave no room in the answer.
_PHYSICAL_ID = re.compile(rf"[ -~]{{1,{PHYSICAL_ID_MAX_BYTES}}}")
_RESPONSE_URL = re.compile(r"https://\S{1,8000}")


def read(event: object, home: Home, is_response_host: Callable[[str], bool]) -> Request:
    """Reads an event as a request. Raises NotARequest, which quotes none of the event's values."""
    if not isinstance(event, Mapping):
        raise NotARequest("The event is not a CloudFormation request: it is not an object.")

    type_ = RequestType(_text(event, "RequestType", _REQUEST_TYPE))
    stack_id = _text(event, "StackId", _STACK_ID)
    if Home.of_arn(stack_id) != home:
        raise NotARequest("The event's StackId belongs to another account or Region than this function.")
    response_url = _text(event, "ResponseURL", _RESPONSE_URL)
    if not is_response_host(response_url):
        raise NotARequest(
            "The event's ResponseURL does not lead to CloudFormation in this Region. If this is a local AWS, deploy the "
            "application with its host as the parameter ResponseHost."
        )
    _text(event, "ResourceType", _RESOURCE_TYPE)  # only checked
    properties = _mapping(event, "ResourceProperties", required=type_ is not RequestType.DELETE)
    return Request(
        type=type_,
        request_id=_text(event, "RequestId", _REQUEST_ID),
        stack_id=stack_id,
        logical_id=_text(event, "LogicalResourceId", _LOGICAL_ID),
        properties=properties,
        old_properties=_mapping(event, "OldResourceProperties", required=False),
        physical_id=None if type_ is RequestType.CREATE else _text(event, "PhysicalResourceId", _PHYSICAL_ID),
        made_at=_made_at(response_url),
        response_url=response_url,
        event=event,
        # Recorded events have it in both places (June 2024 and later). If they differ, the shorter time is safe.
        service_timeout_seconds=min(_seconds(event.get("ServiceTimeout")), _seconds(properties.get("ServiceTimeout"))),
    )


def _text(event: Mapping[object, object], name: str, form: re.Pattern[str]) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise _malformed(name)
    return value


def _mapping(event: Mapping[object, object], name: str, *, required: bool) -> Mapping[str, Any]:
    value = event.get(name)
    if value is None and not required:
        return {}
    if not isinstance(value, Mapping):
        raise _malformed(name)
    return value


def _seconds(service_timeout: object) -> int:
    """ServiceTimeout as CloudFormation applies it: its default if it would not take this value, of whatever type."""
    try:
        seconds = int(str(service_timeout))
    except (ValueError, RecursionError):  # lists within lists, thousands deep
        return SERVICE_TIMEOUT_DEFAULT_SECONDS
    return seconds if 1 <= seconds <= SERVICE_TIMEOUT_DEFAULT_SECONDS else SERVICE_TIMEOUT_DEFAULT_SECONDS


def _malformed(name: str) -> NotARequest:
    return NotARequest(f"The event is not a CloudFormation request: {name} is missing or malformed.")


def _made_at(response_url: str) -> datetime | None:
    """X-Amz-Date of a SigV4 URL: the only time in a request. A SigV2 URL has none."""
    values = parse_qs(urlsplit(response_url).query).get("X-Amz-Date", [])
    try:
        return datetime.strptime(values[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except (IndexError, ValueError):
        return None


def response_hosts(home: Home, dns_suffix: str, also: str = "") -> Callable[[str], bool]:
    """The check whether a ResponseURL leads to CloudFormation's own bucket of this Region, or to `also` (`host:port`, or "").

    Only these forms pass: anybody could register a bucket name with another suffix. They are compared as text, so that a URL
    with a user name, another port or another spelling of the same host does not pass.
    """
    region = re.escape(home.region)
    bucket = f"cloudformation-custom-resource-response-{home.region.replace('-', '')}"
    own = re.compile(
        rf"{bucket}\.s3(-fips|\.dualstack|-fips\.dualstack|-{region})?(\.{region})?\.{re.escape(dns_suffix)}(:443)?"
    )

    def is_response_host(url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        known = own.fullmatch(parts.netloc) is not None or (also != "" and parts.netloc == also)
        return known and parts.scheme == "https"

    return is_response_host
