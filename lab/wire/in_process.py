"""AWS in the test's own process, below botocore: botocore itself builds requests, parses answers, retries, and raises errors.

    aws = InProcessAws(clock, [KmsWire(StrictKms(clock))])
    kms = aws.client("kms", region="eu-central-1", account="111122223333")

A `before-send` handler passes each request of a client to its service. Nothing reaches the network: a request for another
service is an error. Every call is recorded (service, operation, Region, account; never its content). `faults` strikes calls.
`hooks` are called before and after each effect, and may raise any exception, also a crash (a BaseException). Retries wait on
the tests' clock: botocore's sleep is replaced while an InProcessAws is open.
"""

import io
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Self

import boto3
import botocore.endpoint
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, HTTPClientError, ReadTimeoutError

from imported_key_material.clock import Clock
from lab.wire import sessions
from lab.wire.faults import ConnectionLost, Faults, Moment
from lab.wire.transport import (
    DEFAULT_ACCOUNT,
    DEFAULT_REGION,
    Fault,
    Request,
    Response,
    Service,
    caller_of,
)

_LOST: dict[Fault, type[HTTPClientError]] = {
    Fault.CONNECTION_CLOSED: ConnectionClosedError,
    Fault.READ_TIMEOUT: ReadTimeoutError,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached a service. Each retry is another call."""

    service: str
    operation: str
    region: str
    account: str


Hook = Callable[[Call, Moment], None]


class InProcessAws:
    """Services may be replaced at any time (`plug`): older clients use the new service, too."""

    def __init__(self, clock: Clock, services: Iterable[Service] = (), *, faults: Faults | None = None) -> None:
        self.clock = clock
        self.faults = faults or Faults()
        self.calls: list[Call] = []
        self.hooks: list[Hook] = []
        self._services: dict[str, Service] = {}
        self._sessions: dict[tuple[str, str], sessions.LentSession] = {}
        self._real_time = vars(botocore.endpoint)["time"]
        self.plug(*services)

    def plug(self, *services: Service) -> None:
        for service in services:
            self._services[service.name] = service

    def __enter__(self) -> Self:
        """From now on botocore's retries move the clock instead of waiting."""
        vars(botocore.endpoint)["time"] = SimpleNamespace(sleep=self.clock.sleep, time=time.time)
        return self

    def __exit__(self, *_: object) -> None:
        vars(botocore.endpoint)["time"] = self._real_time

    def close(self) -> None:
        """Gives the sessions back: from now on their clients serve another world."""
        for session in self._sessions.values():
            sessions.give_back(session)
        self._sessions.clear()

    # ------------------------------------------------------------------------------------------------------- clients

    def session(self, *, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT) -> boto3.Session:
        """A session of that account, until `close`. Its clients reach only these services."""
        if (region, account) not in self._sessions:
            self._sessions[region, account] = sessions.lend(region, account, self._before_send)
        return self._sessions[region, account]

    def client(
        self,
        service: Any,
        *,
        region: str = DEFAULT_REGION,
        account: str = DEFAULT_ACCOUNT,
        config: Config | None = None,
    ) -> Any:
        return self.session(region=region, account=account).client(service, config=config)

    def attach(self, session: botocore.session.Session) -> None:
        """Clients that `session` makes from now on reach only these services."""
        handler: Any = self._before_send  # botocore-stubs knows handlers that return nothing; a before-send answers
        session.register("before-send", handler)

    # ------------------------------------------------------------------------------------------------------- counting

    def count(self, operation: str | None = None, *, service: str | None = None, region: str | None = None) -> int:
        wanted = {"operation": operation, "service": service, "region": region}
        return sum(
            all(value is None or getattr(call, name) == value for name, value in wanted.items()) for call in self.calls
        )

    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    # ----------------------------------------------------------------------------------------------------- carrying

    def _before_send(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        name = event_name.split(".")[1]
        service = self._services.get(name)
        if service is None:
            raise AssertionError(f"No stand-in for {name} is plugged in, and nothing may reach the network.")
        plain = _plain(request)
        url = request.url or ""
        try:
            response = self._exchange(service, plain)
        except ConnectionLost as lost:
            raise _LOST[lost.fault](endpoint_url=url, error=lost) from None
        headers: Any = response.headers  # any mapping will do
        return AWSResponse(url, response.status, headers, _Raw(response.body))

    def _exchange(self, service: Service, request: Request) -> Response:
        caller = caller_of(request.headers)
        call = Call(service.name, service.operation(request), caller.region, caller.account)
        self.calls.append(call)

        def ask_hooks(moment: Moment) -> None:
            for hook in list(self.hooks):
                hook(call, moment)

        return self.faults.carry(service, request, call.operation, ask_hooks)


def _plain(request: AWSPreparedRequest) -> Request:
    """Turns botocore's request into ours."""
    headers = {str(name).lower(): _text(value) for name, value in request.headers.items()}
    body: Any = request.body or b""
    path = "/" + (request.url or "").split("://", 1)[-1].partition("/")[2]
    return Request(request.method or "POST", path, headers, body.encode() if isinstance(body, str) else bytes(body))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Raw(io.BytesIO):
    """The part of urllib3's response that AWSResponse uses."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()
