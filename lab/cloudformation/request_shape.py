"""The form of StackIds and of requests to custom resources, as recorded on AWS. The stand-ins use it.

- the last part of a StackId is a UUID of version 1, whose time is 0.01 to 0.18 s before the stack's CreationTime (2018 to
  2024);
- a ResponseURL's path is StackId|LogicalResourceId|RequestId, with %3A and %7C, the slashes as they are (public events, 2016
  to 2024); X-Amz-Expires is 7200 or 7199 (2021 to 2024);
- ServiceTimeout stands at the event's top level, as text, beside the property (June 2024 and later);
- ServiceToken stands in ResourceProperties and in OldResourceProperties (2021-11-08).

MiniStack's corrections use it in MiniStack's own process: it imports only the standard library.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import UUID

EXPIRES_SECONDS = (7200, 7199)
ID_BEFORE_CREATION_SECONDS = (0.01, 0.18)
_UUID_EPOCH = datetime(
    1582, 10, 15, tzinfo=UTC
)  # of version 1, which counts tenths of a microsecond from here (RFC 9562)


def unique_part(created_at: datetime, random: Random) -> str:
    """The last part of a StackId."""
    made_at = created_at - timedelta(seconds=random.uniform(*ID_BEFORE_CREATION_SECONDS))
    ticks = (made_at - _UUID_EPOCH) // timedelta(microseconds=1) * 10
    low, middle, high = ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48
    sequence, node = random.getrandbits(14), random.getrandbits(48)
    return str(UUID(fields=(low, middle, high, sequence >> 8, sequence & 0xFF, node), version=1))


def time_of(unique: str) -> datetime:
    """When a StackId was made, by its last part."""
    return _UUID_EPOCH + timedelta(microseconds=UUID(unique).time // 10)


def path(stack_id: str, logical_id: str, request_id: str) -> str:
    """A ResponseURL's path, with its first slash."""
    return "/" + quote(f"{stack_id}|{logical_id}|{request_id}")


def query(stack_id: str, request_id: str, made_at: datetime) -> str:
    """A ResponseURL's query up to its signature, which the stand-in adds as `&X-Amz-Signature=`."""
    scope = quote(f"AKIAEXAMPLE/{made_at:%Y%m%d}/{stack_id.split(':')[3]}/s3/aws4_request", safe="")
    return (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={made_at:%Y%m%dT%H%M%SZ}&X-Amz-SignedHeaders=host"
        f"&X-Amz-Expires={expires_seconds(request_id)}&X-Amz-Credential={scope}"
    )


def expires_seconds(request_id: str) -> int:
    """One of the two, always the same for a request, so that the same seed gives the same events."""
    return EXPIRES_SECONDS[int(request_id[-1], 16) % len(EXPIRES_SECONDS)]


def with_service_token(properties: Mapping[str, Any], service_token: str) -> dict[str, Any]:
    """Properties, new or old, as the event has them."""
    return {"ServiceToken": service_token, **properties}


def service_timeout(properties: Mapping[str, Any]) -> dict[str, str]:
    """The event's own field, if the property is declared. A template's value is always a text."""
    declared = properties.get("ServiceTimeout")
    return {"ServiceTimeout": declared} if isinstance(declared, str) else {}
