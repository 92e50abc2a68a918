"""A responder for tests: each handler ends as the test says, and `put` keeps the answers."""

import json
import logging
from typing import Any, cast

import pytest

from imported_key_material.clock import Deadline, SystemClock
from imported_key_material.cloudformation.delivery import Delivery, Https, Put
from imported_key_material.cloudformation.outcome import Answer
from imported_key_material.cloudformation.request import Request, RequestType, read, response_hosts
from imported_key_material.cloudformation.responder import Handle, Responder
from imported_key_material.invocation import Context
from imported_key_material.meter import Meter, Unmetered
from lab.clock import VirtualClock
from lab.cloudformation.events import HOME, KEY_ARN
from lab.cloudformation.response_bucket import ResponseBucket


class KeptAnswers:
    """A `put` that keeps what it is given; `error` is raised after that."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.answers: list[dict[str, Any]] = []
        self.seconds: list[float] = []
        self.error: Exception | None = None

    def __call__(self, url: str, body: bytes, deadline: Deadline) -> None:
        self.urls.append(url)
        self.answers.append(json.loads(body))
        self.seconds.append(deadline.left_seconds())
        if self.error:
            raise self.error

    @property
    def only(self) -> dict[str, Any]:
        (answer,) = self.answers
        return answer


def done(request: Request, _context: Context) -> Answer:
    """The handler of a life cycle in which all goes well."""
    return Answer(KEY_ARN, {} if request.type is RequestType.DELETE else {"KeyArn": KEY_ARN, "ValidTo": ""})


def returning(answer: object) -> Handle:
    return lambda _request, _context: cast("Answer", answer)


def raising(error: BaseException) -> Handle:
    def handler(_request: Request, _context: Context) -> Answer:
        raise error

    return handler


def in_turn(*handlers: Handle) -> Handle:
    """The first of them for the first request, the second for the second."""
    left = iter(handlers)

    def handler(request: Request, context: Context) -> Answer:
        return next(left)(request, context)

    return handler


def responder(
    put: Put,
    handler: Handle = done,
    *,
    also: str = "",
    clock: VirtualClock | SystemClock | None = None,
    meter: Meter | None = None,
) -> Responder:
    hosts = response_hosts(HOME, "amazonaws.com", also)
    return Responder(
        handler,
        read=lambda event_, _context: read(event_, HOME, hosts),
        put=put,
        clock=clock or VirtualClock(),
        meter=meter or Unmetered(),
    )


def over_tls(bucket: ResponseBucket, handler: Handle = done, *, clock: VirtualClock | None = None) -> Responder:
    time_ = clock or SystemClock()
    return responder(Delivery(time_, Https()), handler, also=bucket.netloc, clock=time_)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
