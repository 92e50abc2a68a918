"""The stand-ins in one process, and the same questions asked of them.

KMS and Secrets Manager get their keys and secrets by the same calls as AWS. CloudFormation's stand-in only shows what is
set: here the stacks are set as recorded stacks were.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from lab.awslambda.invoke import LambdaService
from lab.clock import VirtualClock
from lab.cloudformation.stack_reads import CloudFormation, Stack
from lab.kms.service import StrictKms
from lab.kms.wire import KmsWire
from lab.live.made import Made
from lab.live.questions import QUESTIONS
from lab.live.questions.question import Answer, Asked, answer
from lab.live.questions.stacks import BROKEN, HANDLE, REMOVED, RESOURCE, About
from lab.live.questions.things import Things
from lab.live.run_list import RunList
from lab.secretsmanager.writes import WritableSecrets
from lab.wire.in_process import InProcessAws
from lab.wire.transport import DEFAULT_ACCOUNT, DEFAULT_REGION, Service

RUN: Final = "0badcafe"
ALIAS: Final = "AWS::KMS::Alias"
STEP: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class StandInAccount:
    """Fits `lab.live.account.Account`."""

    aws: InProcessAws
    number: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    partition: str = "aws"
    is_local: bool = True
    profile: str = ""

    @property
    def application_parameters(self) -> Mapping[str, str]:
        return {}

    def environment(self) -> Mapping[str, str]:
        return {}

    def bucket_url(self, bucket: str) -> str:
        raise NotImplementedError(f"no bucket {bucket} here")

    def client(self, service: str, region: str | None = None) -> Any:
        return self.aws.client(service, region=region or self.region, account=self.number)

    def now(self) -> datetime:
        return self.aws.clock.now()

    def sleep(self, seconds: float) -> None:
        self.aws.clock.sleep(seconds)


class SetStacks:
    """Stacks of the stand-in, with the states and events that AWS was recorded to show."""

    def __init__(self, made: Made, cloudformation: CloudFormation, clock: VirtualClock) -> None:
        self._made = made
        self._cloudformation = cloudformation
        self._clock = clock

    @cached_property
    def standing(self) -> About:
        return _about(self._created("standing", RESOURCE))

    @cached_property
    def updated(self) -> About:
        stack = self._created("updated", RESOURCE, REMOVED)
        stack.updated_at = self._later()
        stack.begin("UPDATE_IN_PROGRESS", stack.updated_at)
        stack.enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", self._later())
        for status in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"):
            stack.set(REMOVED, status, self._later())
        stack.forget(REMOVED, listed=False)
        stack.enter("UPDATE_COMPLETE", self._later())
        return _about(stack)

    @cached_property
    def deleted(self) -> About:
        stack = self._created("deleted", RESOURCE)
        stack.deleted_at = self._later()
        stack.begin("DELETE_IN_PROGRESS", stack.deleted_at)
        for status in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"):
            stack.set(RESOURCE, status, self._later())
        stack.enter("DELETE_COMPLETE", self._later())
        return _about(stack)

    @cached_property
    def rolled_back(self) -> About:
        stack = self._begun("rolled-back")
        self._create(stack, RESOURCE)
        stack.set(BROKEN, "CREATE_IN_PROGRESS", self._later(), type=ALIAS)
        stack.set(BROKEN, "CREATE_FAILED", self._later())
        stack.deleted_at = self._later()
        stack.enter("ROLLBACK_IN_PROGRESS", stack.deleted_at)
        stack.set(BROKEN, "DELETE_COMPLETE", self._later())
        for status in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"):
            stack.set(RESOURCE, status, self._later())
        stack.forget(BROKEN, listed=True)
        stack.enter("ROLLBACK_COMPLETE", self._later())
        return _about(stack)

    @cached_property
    def reviewed(self) -> About:
        return _about(self._begun("reviewed", "REVIEW_IN_PROGRESS"))

    def _created(self, suffix: str, *resources: str) -> Stack:
        stack = self._begun(suffix)
        for name in resources:
            self._create(stack, name)
        stack.enter("CREATE_COMPLETE", self._later())
        return stack

    def _begun(self, suffix: str, status: str = "CREATE_IN_PROGRESS") -> Stack:
        account = self._made.account
        name = self._made.note("stack", f"asked-{suffix}")
        return self._cloudformation.stack(name, status=status, region=account.region, account=account.number)

    def _create(self, stack: Stack, name: str) -> None:
        """Recorded (2017 to 2025): the second CREATE_IN_PROGRESS has the id."""
        stack.set(name, "CREATE_IN_PROGRESS", self._later(), type=HANDLE["Type"])
        stack.set(name, "CREATE_IN_PROGRESS", self._later(), physical_id="https://handle")
        stack.set(name, "CREATE_COMPLETE", self._later())

    def _later(self) -> datetime:
        self._clock.advance(STEP.total_seconds())
        return self._clock.now()


def _about(stack: Stack) -> About:
    return About(stack.name, stack.id)


@contextmanager
def stand_ins() -> Iterator[Asked]:
    """Everything that a question gets, with nothing but stand-ins behind it."""
    clock = VirtualClock()
    cloudformation = CloudFormation(clock)
    services: list[Service] = [
        KmsWire(StrictKms(clock)),
        WritableSecrets(clock),
        cloudformation,
        LambdaService(_refuse, lambda _arn: False),
    ]
    aws = InProcessAws(clock, services)
    account = StandInAccount(aws)
    with aws, tempfile.TemporaryDirectory() as folder:
        made = Made(account, RUN, RunList(Path(folder)))
        yield Asked(made, SetStacks(made, cloudformation, clock), Things(made, bytes))
    aws.close()


def _refuse(function_arn: str, _event: Any) -> None:
    raise AssertionError(f"no question invokes a function that exists, and {function_arn} was")


def answers() -> dict[str, Answer]:
    """What the stand-ins answer to every question."""
    with stand_ins() as asked:
        return {question.id: answer(question, asked) for question in QUESTIONS}
