"""A scripted history: stacks of the simulation's CloudFormation, the real function, and every moment set by the test.

    with Timeline() as timeline:
        key = timeline.external_key()
        stack = timeline.stack()
        timeline.delivers("Create", "Material", 300.0)         # the next such request comes 300 seconds late
        timeline.at(0, lambda: stack.create({"Material": timeline.declared(key, secret)}))
        timeline.at(60, stack.cancel)
        timeline.run()

Invocations overlap: at each call an invocation stops until every earlier event has happened. Nothing is random. Unless the test
says otherwise, each request is delivered once, at once, and every call and every answer takes CALL_SECONDS. The engine, its
rules and its sources: `lab/simulation/engine.py`. For one invocation at a time there is `lab/world.py`.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO
from random import Random
from typing import Any, Self, cast

import boto3

from imported_key_material.aws import clients
from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.responder import Responder
from imported_key_material.errors import Leave
from imported_key_material.wiring import Wiring
from lab.awslambda.invocation import Context, FieldsInText
from lab.awslambda.invoke import LambdaService
from lab.cloudformation.stack_reads import CloudFormation
from lab.kms.service import StrictKms
from lab.kms.wire import KmsWire
from lab.secretsmanager.reads import Secret, SecretsManager
from lab.simulation.engine import Stack
from lab.simulation.functions import Functions
from lab.simulation.requests import Requests
from lab.simulation.scheduler import START, Scheduler, Task
from lab.simulation.shown import Shown
from lab.wire.faults import Moment
from lab.wire.in_process import Call, InProcessAws
from lab.world import ACCOUNT, LAMBDA_TIMEOUT_SECONDS, REGION, TAG

CALL_SECONDS = 0.05
DELIVERY_SECONDS = 0.1


@dataclass
class Invocation:
    """One run of the function for one delivery. `answer` None: it ended without one, or has not ended."""

    event: Mapping[str, Any]
    started_at: datetime
    operations: list[str] = field(default_factory=list)
    answer: dict[str, Any] | None = None
    answered_at: datetime | None = None

    @property
    def request(self) -> tuple[str, str]:
        return str(self.event["RequestType"]), str(self.event["LogicalResourceId"])


@dataclass
class _Pause:
    request: tuple[str, str]
    operation: str
    moment: Moment
    seconds: float
    skip: int


class Timeline:
    """One account, any number of Regions and stacks."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(Random(0))  # noqa: S311  # the function's jitter, which repeats
        self.kms = StrictKms(self.scheduler)
        self.secrets = SecretsManager(self.scheduler)
        self.cloudformation = CloudFormation(self.scheduler)
        functions = LambdaService(lambda _arn, event: self.deliver(event))
        self.aws = InProcessAws(self.scheduler, [KmsWire(self.kms), self.secrets, self.cloudformation, functions])
        self.aws.hooks.append(self._at_call)
        self.invocations: list[Invocation] = []
        self.log = StringIO()
        self.stacks: list[Stack] = []
        self._logger = logging.getLogger("imported_key_material")
        self._handler = logging.StreamHandler(self.log)
        self._deliveries: dict[tuple[str, str], list[tuple[float, ...]]] = {}
        self._pauses: list[_Pause] = []
        self._slow_answers: dict[tuple[str, str], float] = {}
        self._running: dict[Task, Invocation] = {}
        self._acts: list[Task] = []

    def __enter__(self) -> Self:
        self.aws.__enter__()
        self._logger.addHandler(self._handler)
        self._logger.setLevel(logging.INFO)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self._handler)
        self.aws.__exit__()
        self.aws.close()

    # ------------------------------------------------------------------------------------------- what people set up

    def call(self, operation: str, *, region: str = REGION, **params: Any) -> Any:
        """A person's KMS call, not the function's."""
        return self.kms.call(operation, params, region=region, account=ACCOUNT)

    def external_key(self, spec: str = "SYMMETRIC_DEFAULT", usage: str = "ENCRYPT_DECRYPT", **params: Any) -> str:
        """The ARN of an empty key that every stack may use."""
        declared = {"Origin": "EXTERNAL", "KeySpec": spec, "KeyUsage": usage, "Tags": _CONSENT}
        arn: str = self.call("CreateKey", **declared | params)["KeyMetadata"]["Arn"]
        return arn

    def replica(self, primary: str, region: str) -> str:
        """The ARN of a replica, which is still Creating for a while."""
        made = self.call("ReplicateKey", KeyId=primary, ReplicaRegion=region, Tags=_CONSENT)
        return str(made["ReplicaKeyMetadata"]["Arn"])

    def state(self, arn: str) -> str:
        return str(self.call("DescribeKey", KeyId=arn, region=arn.split(":")[3])["KeyMetadata"]["KeyState"])

    def secret(self, value: bytes, name: str = "orders/master-key", **options: Any) -> Secret:
        return self.secrets.put(name, value, tags={TAG: "/"}, account=ACCOUNT, **{"region": REGION} | options)

    def declared(self, key: str, secret: Secret, **properties: Any) -> dict[str, Any]:
        """A resource of a template, its secret pinned to the newest version unless the test says otherwise."""
        version = {"SecretVersionId": next(reversed(secret.versions))}
        return {"KeyId": key, "SecretId": secret.name, "WrappingKeySpec": "RSA_2048"} | version | properties

    def stack(self, name: str = "orders", *, region: str = REGION) -> Stack:
        """A stack that is yet to be created: younger than the keys."""
        draw = Random(len(self.stacks))  # noqa: S311  # request ids and made-up ids: they repeat, and differ
        requests = Requests(self.scheduler, draw, cast("Functions", _Lambda(self)), ACCOUNT, _tell_nobody)
        created_at = self.scheduler.now() + timedelta(seconds=1)
        visible = self.cloudformation.stack(name, region=region, account=ACCOUNT, created_at=created_at)
        stack = Stack(requests, Shown(visible, self.scheduler, draw, 0.0), self.scheduler, draw, _tell_nobody)
        self.stacks.append(stack)
        return stack

    # -------------------------------------------------------------------------------------------------- the script

    def delivers(self, kind: str, logical_id: str, *after_seconds: float) -> None:
        """Sets the delays of the next such request's deliveries. A second call is for the request after it."""
        self._deliveries.setdefault((kind, logical_id), []).append(after_seconds)

    def pauses(self, kind: str, logical_id: str, operation: str, moment: Moment, seconds: float, skip: int = 0) -> None:
        """Stops the next invocation for such a request once, before or after a call's effect. `skip`: calls that pass first."""
        self._pauses.append(_Pause((kind, logical_id), operation, moment, seconds, skip))

    def answers_late(self, kind: str, logical_id: str, seconds: float) -> None:
        """The PUT of the next such answer takes so long."""
        self._slow_answers[kind, logical_id] = seconds

    def at(self, seconds: float, act: Callable[[], object]) -> None:
        """Calls a function `seconds` after the beginning. It may wait, as an operation on a stack does."""
        self.scheduler.after(seconds, lambda: self._acts.append(self.scheduler.spawn("act", act)))

    def run(self) -> None:
        """Until nothing goes on any more. Raises what any flow of control ended with."""
        self.scheduler.run()
        for act in self._acts:
            if act.error is not None:
                raise act.error
            assert act.done.is_set, "An operation never came to its end."  # noqa: S101  # a test's own check

    # ------------------------------------------------------------------------------------------------ what came of it

    def of(self, kind: str, logical_id: str = "Material") -> list[Invocation]:
        """The invocations for such requests, in the order in which they began."""
        return [one for one in self.invocations if one.request == (kind, logical_id)]

    def seconds(self, moment: datetime) -> float:
        return (moment - START).total_seconds()

    # ----------------------------------------------------------------------------------------------------- the machine

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Lambda's asynchronous invocation."""
        planned = self._deliveries.get((event["RequestType"], event["LogicalResourceId"]), [])
        for seconds in planned.pop(0) if planned else (DELIVERY_SECONDS,):
            self.scheduler.after(seconds, lambda: self._start(event))

    def _start(self, event: Mapping[str, Any]) -> None:
        invocation = Invocation(event, self.scheduler.now())
        self.invocations.append(invocation)
        responder = self._environment(event["ServiceToken"].split(":")[3])

        def run() -> None:
            with suppress(Leave):
                responder(event, Context(self.scheduler, LAMBDA_TIMEOUT_SECONDS, event["ServiceToken"]))

        task = self.scheduler.spawn("invocation", run)
        self._acts.append(task)
        self._running[task] = invocation

    def _environment(self, region: str) -> Responder:
        session: boto3.Session = self.aws.session(region=region, account=ACCOUNT)
        log = FieldsInText(self._logger)
        return Wiring(
            clients.make(session), clock=self.scheduler, put=self._put, log=log, dns_suffix="amazonaws.com"
        ).responder()

    def _put(self, _url: str, body: bytes, _deadline: Deadline) -> None:
        invocation = self._invocation()
        if invocation is None:
            raise AssertionError("an answer from no invocation")
        invocation.answer, invocation.answered_at = json.loads(body), self.scheduler.now()
        self.scheduler.sleep(self._slow_answers.pop(invocation.request, CALL_SECONDS))
        for stack in self.stacks:
            stack.requests.take(invocation.event, body)

    def _at_call(self, call: Call, moment: Moment) -> None:
        invocation = self._invocation()
        if invocation is None:
            return
        if moment is Moment.BEFORE:
            invocation.operations.append(call.operation)
        self.scheduler.sleep(sum(self._pauses_at(invocation.request, call.operation, moment), CALL_SECONDS / 2))

    def _pauses_at(self, request: tuple[str, str], operation: str, moment: Moment) -> Iterator[float]:
        for pause in list(self._pauses):
            if (pause.request, pause.operation, pause.moment) != (request, operation, moment):
                continue
            if pause.skip:
                pause.skip -= 1
                continue
            self._pauses.remove(pause)
            yield pause.seconds

    def _invocation(self) -> Invocation | None:
        task = self.scheduler.current()
        return None if task is None else self._running.get(task)


@dataclass(frozen=True, slots=True)
class _Lambda:
    """The part of the simulation's Functions that its engine calls."""

    timeline: Timeline

    def invoke(self, event: Mapping[str, Any]) -> None:
        self.timeline.deliver(event)


def _tell_nobody(_what: str) -> None:
    pass


_CONSENT = [{"TagKey": TAG, "TagValue": "/"}]
