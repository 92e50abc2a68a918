"""One run: a crowd of resources, the real function, and the quota that they all wait for.

Here only quotas and limits cause failures; the simulation has all other faults (docs/internals/simulation.md).
"""

import itertools
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.responder import Responder
from imported_key_material.wiring import Wiring
from lab.awslambda.invoke import LambdaService
from lab.cloudformation.stack_reads import CloudFormation
from lab.kms.service import StrictKms
from lab.quota import edges
from lab.quota.crowd import Crowd
from lab.quota.edges import ACCOUNT, REGION, BusyCloudFormation, CountedKms, CountedSecrets
from lab.quota.limits import LimitedFunctions
from lab.quota.outcome import Outcome
from lab.quota.plaintext import Plaintext
from lab.quota.stacks import Answered, GrowingStack
from lab.quota.ways import HANDED_OVER, Way
from lab.secretsmanager.reads import SecretsManager
from lab.simulation.functions import Invocation
from lab.simulation.requests import NO_ANSWER
from lab.simulation.scheduler import START, Scheduler
from lab.wire.faults import Moment
from lab.wire.in_process import Call

TAG = "imported-key-material"
EVENTS_MAX = 20_000_000  # far more than a thousand resources make within ServiceTimeout
PUT_SECONDS = (0.01, 0.2)


class SilentLog:
    """The function's logger."""

    def append_keys(self, **keys: str | None) -> None: ...
    def info(self, msg: str, *, extra: Mapping[str, object]) -> None: ...

    warning = info


class World:
    stack_of: type[GrowingStack] = GrowingStack

    def __init__(self, crowd: Crowd, way: Way) -> None:
        self.crowd = crowd
        self.materials: dict[str, bytes] = {}  # by key
        self.answered: list[Answered] = []
        self.scheduler = Scheduler(Random(crowd.seed + 1))  # noqa: S311  # the function's jitter; one seed decides everything
        self._random = Random(crowd.seed + 2)  # noqa: S311  # the same, for the world around it
        self._made = edges.function_clients(sdk_retries=way.sdk_retries)
        self.functions = LimitedFunctions(
            REGION, self.scheduler, self._random, self._build, itertools.count(1), concurrency=crowd.concurrency
        )
        kms = StrictKms(self.scheduler, seed=crowd.seed)
        cloudformation = CloudFormation(self.scheduler, seed=crowd.seed)
        self.plaintext = Plaintext(self.scheduler, lambda: self._invocation().number)
        self.functions.on_end = lambda invocation: self.plaintext.ended(invocation.number)
        secrets = CountedSecrets(self.scheduler, seed=crowd.seed)
        secrets.read = self._read
        self.stacks: dict[str, GrowingStack] = {}
        for number in range(1, crowd.stacks + 1):
            stack = self.stack_of(
                number, self.functions, cloudformation, self.scheduler, self._random, self.answered.append
            )
            self.stacks[stack.id] = stack
        self._templates = [self._template(stack, kms, secrets) for stack in self.stacks.values()]
        kms._quotas = edges.quotas(crowd)  # noqa: SLF001  # from now on: the keys already exist
        self.kms = CountedKms(kms, self.scheduler, self.plaintext.answered)
        self.busy = BusyCloudFormation(self.scheduler, throttles=way.asks_cloudformation)
        self.aws = edges.aws()
        self.aws.begin(crowd.seed)
        self.aws.clock = self.scheduler  # botocore's retries sleep on it
        self.aws.faults = self.busy
        self.aws.whose = self.scheduler.current
        self.aws.calls.clear()
        self.aws.hooks[:] = [self._at_call]
        self.aws.plug(self.kms, cloudformation, secrets, LambdaService(self._take))

    def _template(self, stack: GrowingStack, kms: StrictKms, secrets: SecretsManager) -> dict[str, Mapping[str, Any]]:
        """The stack's keys, which exist, and a secret for each."""
        template: dict[str, Mapping[str, Any]] = {}
        tags = [{"TagKey": TAG, "TagValue": stack.name}]
        for index in range(self.crowd.resources_of(stack.number - 1)):
            made = kms.call("CreateKey", {"Origin": "EXTERNAL", "Tags": tags}, region=REGION, account=ACCOUNT)
            name, material = f"{stack.name}/{index}", self._random.randbytes(32)
            secret = secrets.put(name, material, tags={TAG: stack.name}, region=REGION, account=ACCOUNT)
            arn = made["KeyMetadata"]["Arn"]
            properties = {"KeyId": arn, "SecretId": name, "WrappingKeySpec": "RSA_2048"}
            template[f"Material{index}"] = {**properties, "SecretVersionId": next(iter(secret.versions))}
            self.materials[arn] = material
        return template

    # -------------------------------------------------------------------------------------------------------- edges

    def _build(self) -> Responder:
        return Wiring(
            self._made, clock=self.scheduler, put=self._put, log=SilentLog(), dns_suffix="amazonaws.com"
        ).responder()

    def _invocation(self) -> Invocation:
        invocation = self.functions.current()
        if invocation is None:
            raise RuntimeError("no invocation made this call")
        return invocation

    def _at_call(self, call: Call, moment: Moment) -> None:
        self.functions.at_call(self._invocation(), call.operation, moment)

    def _read(self, secret: str, version_id: str) -> None:
        self.plaintext.secret_read(self._invocation().request_id, secret, version_id)

    def _put(self, _url: str, body: bytes, _deadline: Deadline) -> None:
        invocation = self._invocation()
        self.scheduler.sleep(self._random.uniform(*PUT_SECONDS))
        self.stacks[invocation.stack_id].requests.take(invocation.event, body)

    def _take(self, _function_arn: str, event: Mapping[str, Any]) -> None:
        self.functions.hand_over(self._invocation(), event)

    # ---------------------------------------------------------------------------------------------------------- a run

    def run(self) -> None:
        self._begin()
        try:
            with self.aws:
                self.scheduler.run(EVENTS_MAX)
        finally:
            self.scheduler.abandon()

    def _begin(self) -> None:
        for stack, template in zip(self.stacks.values(), self._templates, strict=True):
            stack.create(template, starts_per_second=self.crowd.starts_per_second, lanes=self.crowd.lanes)

    def outcome(self, way: Way) -> Outcome:
        def seconds(answered: Answered) -> float:
            return (answered.at - START).total_seconds()

        done = [one for one in self.answered if not one.reason]
        functions, invocations = self.functions, self.functions.invocations
        return Outcome(
            crowd=self.crowd,
            way=way.title,
            done_at={
                stack.number: tuple(sorted(seconds(one) for one in done if one.stack == stack.number))
                for stack in self.stacks.values()
            },
            waits=tuple(sorted(one.waited_seconds for one in self.answered)),
            reason=next((one.reason for one in self.answered if one.reason), ""),
            unanswered=sum(one.reason == NO_ANSWER for one in self.answered),
            calls=Counter(call.operation for call in self.aws.calls),
            throttled=Counter(self.kms.throttled) + Counter(CloudFormation=self.busy.throttled),
            invocations=len(invocations),
            handed_over=sum(one.handed_over for one in invocations),
            hops_most=max(one.hop for one in invocations),
            at_once_most=functions.busy_most,
            cold_starts=functions.cold_starts,
            put_back=functions.put_back,
            lambda_seconds=functions.lambda_seconds,
            secret_reads_most=self.plaintext.reads_most,
            plaintext_seconds=self.plaintext.longest_seconds,
        )


def play(crowd: Crowd, way: Way = HANDED_OVER) -> Outcome:
    with way.exchange(), silence():
        world = World(crowd, way)
        with world.plaintext.watching():
            world.run()
        return world.outcome(way)


@contextmanager
def silence() -> Iterator[None]:
    """Silences the function's modules, which log each answer."""
    logger = logging.getLogger("imported_key_material")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
