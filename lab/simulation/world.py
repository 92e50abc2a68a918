"""The world of one history: AWS in two Regions, the real function in each, stacks, secrets, keys, and the watch."""

import itertools
import json
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from imported_key_material.aws import clients
from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.delivery import DeliveryFailed
from imported_key_material.cloudformation.on_failure import OnFailure
from imported_key_material.cloudformation.responder import Responder
from imported_key_material.wiring import Wiring
from lab.awslambda.invoke import LambdaService
from lab.kms.service import Lag, StrictKms
from lab.simulation.answers import Answers
from lab.simulation.aws import SeenCloudFormation, SeenKms, SeenSecrets, WeatherFaults
from lab.simulation.calls import Calls
from lab.simulation.ends import Ends
from lab.simulation.engine import Stack
from lab.simulation.estate import ACCOUNT, REGIONS, Estate
from lab.simulation.functions import Functions, Weather
from lab.simulation.logs import Log
from lab.simulation.plan import SCARCE, Plan
from lab.simulation.requests import Requests
from lab.simulation.scheduler import START, Scheduler
from lab.simulation.shown import Shown
from lab.simulation.truth import Truth
from lab.simulation.watch import LAG_SECONDS, Watch
from lab.wire.faults import Moment
from lab.wire.in_process import Call, InProcessAws
from lab.wire.transport import Fault, Service

STALE_SECONDS = 3.0  # CloudFormation may show a status so late
_TOLD = frozenset({"ImportKeyMaterial", "DeleteImportedKeyMaterial", "RotateKeyOnDemand"})


class World:
    """`every_call`: the story also has each API call of the function."""

    def __init__(self, plan: Plan, *, every_call: bool = False) -> None:
        self.plan = plan
        self.story: list[str] = []
        self.random = Random(plan.seed + 1)  # noqa: S311  # one seed decides everything
        self.scheduler = Scheduler(Random(plan.seed + 2))  # noqa: S311  # the function's jitter
        self.stacks: dict[tuple[str, int], Stack] = {}  # by name and Region; the last stack of that name
        self._every_call = every_call
        on = plan.faults
        self.kms = StrictKms(self.scheduler, seed=plan.seed, lag=Lag(probability=0.3, max_seconds=LAG_SECONDS))
        self.secrets_manager = SeenSecrets(self.scheduler, seed=plan.seed)
        self.cloudformation = SeenCloudFormation(self.scheduler, seed=plan.seed)
        self.weather = Weather(
            duplicate=0.3 if "duplicate" in on else 0.0,
            late=0.2 if "late" in on else 0.0,
            crash=0.01 if "crash" in on else 0.0,
            slow=0.05 if "slow" in on else 0.0,
            put_lost=0.15 if "put lost" in on else 0.0,
        )
        if "short" in on:  # invocations have little time
            self.weather.timeout_seconds = self.random.uniform(100, 400)
        numbers = itertools.count(1)
        self.functions = {
            region: Functions(
                region,
                self.scheduler,
                self.random,
                self.weather,
                self._build(region),
                self.tell,
                numbers,
                self._build_on_failure(region),
            )
            for region in REGIONS
        }
        self.estate = Estate(plan.keys, self.random, self.kms, self.secrets_manager)
        truth = Truth(self.scheduler, self.kms)
        self.watch = Watch(self.scheduler, truth, self.functions, self.estate.asked, self.estate.name_of)
        self.watch.lag = timedelta(seconds=LAG_SECONDS if "lag" in on else 0)
        self.calls = Calls(self.watch, self.kms)
        self.answers = Answers(self.watch)
        self.answers.slow = "slow" in on
        self.ends = Ends(self.watch)
        self.ends.slow = self.answers.slow
        self.secrets_manager.watch = self.cloudformation.watch = self.watch
        self.faults = WeatherFaults(Random(plan.seed + 9), _rates(on), self.scheduler)  # noqa: S311  # the same
        if SCARCE in on:
            self.faults.scarce_seconds = Random(plan.seed + 10).uniform(200, 1500)  # noqa: S311  # the same
        self.faults.on_strike = self.watch.struck
        random.seed(plan.seed)  # the source of the jitter of botocore's retries
        kms, functions = SeenKms(self.kms, self.watch), LambdaService(self._take)
        services: list[Service] = [kms, self.secrets_manager, self.cloudformation, functions]
        self.aws = InProcessAws(self.scheduler, services, faults=self.faults)
        self.aws.hooks.append(self._at_call)
        self._clients = {region: clients.make(self.aws.session(region=region, account=ACCOUNT)) for region in REGIONS}
        lag, self.kms._lag = self.kms._lag, None  # noqa: SLF001  # by now everybody sees the old changes
        self.estate.make(self.watch)
        self.kms._lag = lag if "lag" in on else None  # noqa: SLF001  # the same

    # ------------------------------------------------------------------------------------------------------ the story

    def tell(self, who: str, what: str) -> None:
        seconds = (self.scheduler.now() - START).total_seconds()
        self.story.append(f"t={seconds:.1f}s  {who:6}  {what}")

    def _at_call(self, call: Call, moment: Moment) -> None:
        invocation = self.watch.invocation()
        if invocation is None:
            return
        if moment is Moment.BEFORE and (self._every_call or call.operation in _TOLD):
            self.tell("lambda", f"{invocation}: {call.operation}")
        self.functions[invocation.region].at_call(invocation, call.operation, moment)

    def _take(self, function_arn: str, event: Mapping[str, Any]) -> None:
        """Lambda takes an event that an invocation hands over."""
        invocation = self.watch.invocation()
        if invocation is None:
            raise RuntimeError("no invocation made this call")
        with self.watch.judging():
            self.functions[function_arn.split(":")[3]].hand_over(invocation, event)

    # -------------------------------------------------------------------------------------------------------- stacks

    def stack(self, name: str, region: int) -> Stack:
        """The stack of that name; a new one if there is none (any more)."""
        known = self.stacks.get((name, region))
        if known is not None and known.status == "ROLLBACK_COMPLETE":  # it can only be deleted
            known.delete()
        if known is not None and known.status not in ("NONE", "DELETE_COMPLETE"):
            return known
        shown = self.cloudformation.stack(name, status="REVIEW_IN_PROGRESS", region=REGIONS[region], account=ACCOUNT)
        random = Random(self.random.getrandbits(32))  # noqa: S311  # one seed decides everything

        def tell(what: str) -> None:
            self.tell("cfn", f"{name}{'' if region == 0 else ' (second Region)'}: {what}")

        requests = Requests(self.scheduler, random, self.functions[REGIONS[region]], ACCOUNT, tell)
        requests.on_settled = self.answers.settled
        lag_seconds = STALE_SECONDS if "stale" in self.plan.faults else 0.0
        visible = Shown(shown, self.scheduler, random, lag_seconds)
        visible.forgets_at_once = random.random() < 0.5
        stack = Stack(requests, visible, self.scheduler, random, tell)
        stack.failed_are_old = random.random() < 0.5
        stack.on_rest = self.ends.rest
        self.stacks[name, region] = stack
        self.watch.stacks.append(stack)
        return stack

    # ------------------------------------------------------------------------------------------------------- function

    def _build(self, region: str) -> Callable[[], Responder]:
        return lambda: Wiring(
            self._clients[region], clock=self.scheduler, put=self.put, log=Log(self.log), dns_suffix="amazonaws.com"
        ).responder()

    def _build_on_failure(self, region: str) -> Callable[[], OnFailure]:
        return lambda: OnFailure(
            self._clients[region].cloudformation, self.scheduler, self.put, Log(self.log), dns_suffix="amazonaws.com"
        )

    def put(self, _url: str, body: bytes, _deadline: Deadline) -> None:
        """Takes the PUT of an answer."""
        invocation = self.watch.invocation()
        if invocation is None:
            raise RuntimeError("no invocation sent this answer")
        self.scheduler.sleep(self.random.uniform(0.01, 0.2))
        if self.weather.strikes(self.weather.put_lost, self.random):
            raise DeliveryFailed("The answer was lost.")
        self.tell("lambda", f"{invocation} answers {json.loads(body)['Status']}")
        with self.watch.judging():
            self.answers.put(invocation, body)
            self.watch.stack_of(invocation).requests.take(invocation.event, body)
        if self.weather.strikes(self.weather.put_lost, self.random):
            raise DeliveryFailed("The answer was delivered, but the sender does not know it.")

    def log(self, line: str) -> None:
        invocation = self.watch.invocation()
        if invocation is not None:
            invocation.log.append(line)


def _rates(on: frozenset[str]) -> dict[tuple[Fault, Moment], float]:
    rates = {
        (Fault.THROTTLED, Moment.BEFORE): 0.05 * ("throttled" in on),
        (Fault.INTERNAL_ERROR, Moment.BEFORE): 0.03 * ("internal" in on),
        (Fault.INTERNAL_ERROR, Moment.AFTER): 0.02 * ("internal" in on),
        (Fault.CONNECTION_CLOSED, Moment.BEFORE): 0.03 * ("lost before" in on),
        (Fault.READ_TIMEOUT, Moment.AFTER): 0.03 * ("lost after" in on),
    }
    return {kind: rate for kind, rate in rates.items() if rate}
