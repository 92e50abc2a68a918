"""Records requests: the function's own code carries each out once in the world of the contract tests.

The measured functions get these answers again (replay.py). So all of them use the same fast service, and the strict KMS with
its RSA keys is not measured along. The recorded case is the normal one of the examples: a symmetric key, from a secret that is
wrapped under a KMS key, with a pinned version and defaults for everything else.
"""

import base64
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from imported_key_material.aws import clients
from imported_key_material.aws.clients import Clients
from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.on_failure import OnFailure
from imported_key_material.wiring import Wiring
from lab.awslambda.invocation import Context, FieldsInText
from lab.keys.at_rest import encrypted, transport_key
from lab.kms.wire import KmsWire
from lab.on_failure import KILLED
from lab.on_failure import TIMEOUT_SECONDS as ON_FAILURE_SECONDS
from lab.wire.transport import FaultAnswers, Refusal, Request, Response, Service
from lab.world import FUNCTION_ARN, World

DNS_SUFFIX = "amazonaws.com"


@dataclass(frozen=True, slots=True)
class Call:
    """A method of one of the function's clients, with its parameters."""

    client: str  # a field's name of `Clients`
    method: str
    parameters: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """In the form that functions/plain.py reads: bytes as {"base64": ...}."""
        parameters = {
            name: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
            for name, value in self.parameters.items()
        }
        return {"client": self.client, "method": self.method, "parameters": parameters}


@dataclass(frozen=True, slots=True)
class Exchange:
    operation: str  # as `operation_of` reads it from the request
    response: Response


@dataclass(frozen=True, slots=True)
class Recording:
    """`answer` is what was PUT for `event`, after these calls in this order."""

    event: Mapping[str, Any]
    calls: tuple[Call, ...]
    exchanges: tuple[Exchange, ...]
    answer: bytes


def operation_of(request: Request) -> str:
    """The name as in the request's protocol: "TrentService.DescribeKey", or "DescribeStacks" in CloudFormation's (Query)."""
    target = request.headers.get("x-amz-target")
    return target if target is not None else parse_qs(request.body.decode())["Action"][0]


@dataclass(frozen=True, slots=True)
class Recordings:
    """`given_up`: Lambda's record of a Create whose process was killed. The others are CloudFormation's requests."""

    create: Recording
    no_op: Recording  # an Update that has nothing to do
    delete: Recording
    given_up: Recording


def recordings() -> Recordings:
    """A Create that imports, an Update of it, and its Delete. They are dated now, since the function's clock is real."""
    with World(start=datetime.now(UTC)) as world:
        recorder = _Recorder(world)
        transport = transport_key(world, "SYMMETRIC_DEFAULT")
        secret = world.secret(encrypted(world, transport, secrets.token_bytes(32)))
        (version_id,) = secret.versions
        declared: dict[str, Any] = {
            "SecretId": secret.name,
            "SecretVersionId": version_id,
            "SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": transport},
            "WrappingKeySpec": None,  # World declares a smaller key spec than the default
        }
        key = world.external_key()
        return Recordings(
            create=recorder.record(world.create_request(key, **declared)),
            no_op=recorder.record(world.update_request(key, **declared)),
            delete=recorder.record(world.delete_request()),
            given_up=_given_up(world, recorder),
        )


def _given_up(world: World, recorder: "_Recorder") -> Recording:
    world.stack.status = "CREATE_IN_PROGRESS"
    del world.stack.resources["Material"]
    event = world.create_request(world.external_key(), SecretId="never-read")
    return recorder.record_given_up(KILLED.record(event))


class _Recorder:
    """Both functions, with clients that note their calls."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls: list[Call] = []
        self._exchanges: list[Exchange] = []
        made = clients.make(world.session())
        listening = {one.name: _Listening(one.name, getattr(made, one.name), self._calls) for one in fields(made)}
        log = FieldsInText(logging.getLogger("imported_key_material"))

        def put(_url: str, body: bytes, _deadline: Deadline) -> None:
            world.bodies.append(body)

        world.function = Wiring(
            Clients(**listening), clock=world.clock, put=put, log=log, dns_suffix=DNS_SUFFIX
        ).responder()
        self._on_failure = OnFailure(listening["cloudformation"], world.clock, put, log, DNS_SUFFIX)
        for service in (KmsWire(world.kms), world.secrets, world.cloudformation):
            world.aws.plug(_Recorded(service, self._exchanges))

    def record(self, event: dict[str, Any]) -> Recording:
        self._begin()
        answer = self._world.invoke(event)
        if answer is None or answer["Status"] != "SUCCESS":
            raise AssertionError(f"The {event['RequestType']} to be recorded ended with {answer}.")
        self._world.settle(event, answer)
        return self._recorded(event)

    def record_given_up(self, record: dict[str, Any]) -> Recording:
        self._begin()
        self._on_failure(record, Context(self._world.clock, ON_FAILURE_SECONDS, FUNCTION_ARN))
        return self._recorded(record)

    def _begin(self) -> None:
        self._calls.clear()
        self._exchanges.clear()

    def _recorded(self, event: dict[str, Any]) -> Recording:
        return Recording(event, tuple(self._calls), tuple(self._exchanges), self._world.bodies[-1])


class _Listening:
    """A client whose calls are noted."""

    def __init__(self, name: str, client: object, calls: list[Call]) -> None:
        self._name, self._client, self._calls = name, client, calls

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self._calls.append(Call(self._name, method, parameters))
            return getattr(self._client, method)(**parameters)

        return call


class _Recorded:
    """A service whose answers are kept."""

    def __init__(self, service: Service, exchanges: list[Exchange]) -> None:
        self._service, self._exchanges = service, exchanges

    @property
    def name(self) -> str:
        return self._service.name

    @property
    def fault_answers(self) -> FaultAnswers:
        return self._service.fault_answers

    def handle(self, request: Request) -> Response:
        response = self._service.handle(request)
        self._exchanges.append(Exchange(operation_of(request), response))
        return response

    def operation(self, request: Request) -> str:
        return self._service.operation(request)

    def refuse(self, refusal: Refusal) -> Response:
        return self._service.refuse(refusal)
