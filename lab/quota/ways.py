"""The ways to get through the quota: the function's own way, and two usual ways.

A usual way is the same function with one part exchanged, so that nothing else differs. But a usual function would not read
from CloudFormation: so for the usual ways these reads are not throttled, as if they were not made.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

from imported_key_material.aws import quota
from imported_key_material.aws.quota import ParameterRequest
from imported_key_material.cloudformation.handover import FreshInvocation


@dataclass(frozen=True, slots=True)
class Way:
    """`title`: for a table's column and a plot's line. `exchange`: replaces a part of the function while a crowd runs."""

    title: str
    sdk_retries: bool
    asks_cloudformation: bool
    exchange: Callable[[], AbstractContextManager[Any]]


def _asked_once(request: ParameterRequest[Any], _still_needed: Callable[[], None]) -> Any:
    """Replaces the quota loop: one call, with the client's own retries."""
    call = partial(request._caller.call, quota.OPERATION, request._function, where="KeyId", throttles_seconds=0)  # noqa: SLF001  # the loop is replaced from outside
    return request._read(call(waits=request._waits))  # noqa: SLF001  # the same


@contextmanager
def _sdk() -> Iterator[None]:
    with patch.object(ParameterRequest, "first", lambda _: None), patch.object(ParameterRequest, "wait", _asked_once):
        yield


def _never_handed_over() -> AbstractContextManager[Any]:
    return patch.object(FreshInvocation, "of", lambda *_, **__: None)


HANDED_OVER = Way("this function", sdk_retries=False, asks_cloudformation=True, exchange=nullcontext)
ONE_INVOCATION = Way(
    "a loop in one invocation", sdk_retries=False, asks_cloudformation=False, exchange=_never_handed_over
)
SDK = Way("the SDK's retries", sdk_retries=True, asks_cloudformation=False, exchange=_sdk)
WAYS = (HANDED_OVER, ONE_INVOCATION, SDK)
