"""One history: plays a plan with its faults, stops the faults, imports lost material again, and judges everything."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from imported_key_material import consent
from lab.kms.keys import MaterialState
from lab.simulation.engine import Stack
from lab.simulation.estate import REGIONS
from lab.simulation.functions import Crash, Invocation
from lab.simulation.logs import LogHandler
from lab.simulation.people import People
from lab.simulation.plan import HOUR, Plan, Strike
from lab.simulation.resources import Resource
from lab.simulation.scheduler import START, NeverEnds
from lab.simulation.watch import TAG, Violation
from lab.simulation.world import STALE_SECONDS, World
from lab.wire.faults import Moment
from lab.wire.transport import Fault

CALM_AFTER_SECONDS = HOUR  # after the last step
_TRIES_MAX = 400  # histories to play at most, to shorten one


@dataclass
class Result:
    """`digest`: equal for two runs of one plan."""

    plan: Plan
    violation: Violation | None
    requests: int
    faults: int
    story: list[str] = field(default_factory=list)
    digest: tuple[object, ...] = ()
    invocations: list[Invocation] = field(default_factory=list)


class History:
    def __init__(self, plan: Plan, *, every_call: bool = False) -> None:
        self.world = World(plan, every_call=every_call)
        self.people = People(self.world)

    def play(self) -> None:
        world, plan = self.world, self.world.plan
        for step in plan.steps:
            act = getattr(self.people, step.what)
            world.scheduler.after(10 + step.at, partial(act, *step.arguments))
        if plan.strike is not None:
            Striking(world, plan.strike)
        world.scheduler.after(10 + plan.steps[-1].at + CALM_AFTER_SECONDS, partial(self.people.do, "calm", self._calm))
        world.scheduler.run()
        world.ends.over()

    def _calm(self) -> None:
        """Stops the faults, continues stopped stacks, and restores lost material by ordinary updates where that is possible."""
        world = self.world
        world.faults.rates = {}
        world.faults.denied.clear()
        world.faults.scarce_seconds = 0.0
        world.weather.calm()
        self.people.deployed()
        world.scheduler.sleep(STALE_SECONDS)
        for stack in list(world.stacks.values()):
            if stack.status == "UPDATE_ROLLBACK_FAILED":
                stack.roll_back()
                if not stack.stands:
                    raise world.watch.broken(7, f"{stack.name}: without any fault, a rollback ends {stack.status}")
        for stack, resource, arn in list(world.ends.standing()):
            if not world.watch.truth.is_whole(arn) and resource.logical_id in stack.resources:
                self._bring_back(stack, resource, arn)

    def _bring_back(self, stack: Stack, resource: Resource, arn: str) -> None:
        """Rule 2, second half."""
        world = self.world
        possible = self._can_come_back(stack, resource, arn)
        world.scheduler.sleep(STALE_SECONDS)
        template = {name: its.properties for name, its in stack.resources.items()}
        template[resource.logical_id] = {**resource.properties, "Trigger": "bring it back"}
        stack.update(template, retained=frozenset(name for name, its in stack.resources.items() if its.retained))
        if possible and not world.watch.truth.is_whole(arn):
            name = world.estate.name_of(arn)
            raise world.watch.broken(
                2,
                f"an ordinary update of {stack.name}.{resource.logical_id} does not bring the material of {name} back",
            )

    def _can_come_back(self, stack: Stack, resource: Resource, arn: str) -> bool:
        """Whether the properties name all missing material, and all needed consents are given."""
        world, properties = self.world, resource.properties
        truth = world.watch.truth
        family = truth.family(arn)
        secret = world.estate.secrets[world.estate.keys.index(arn.rsplit("/", 1)[-1]), REGIONS.index(stack.region)]
        current = secret.version_of("AWSCURRENT") or ""
        asked = world.estate.asked(stack.region, properties, current)
        if family is None or asked.material is None or asked.arn != arn or truth.is_on_its_way_out(arn):
            return False  # the declaration is another key's, or not valid
        named = [properties.get("SecretVersionId", current), *properties.get("PreviousSecretVersionIds", ())]
        readable = secret.deleted_at is None and all(id_ in secret.versions for id_ in named)
        tags = [
            truth.tags(arn),
            secret.tags,
            *([truth.tags(world.estate.transport_key)] if "SecretWrapping" in properties else []),
        ]
        consented = all(consent.allows(one.get(TAG, ""), stack.name) for one in tags)
        comes = {truth.id_of(family, one) for one in (asked.material, *asked.earlier) if one is not None}
        known = truth.material_of(arn, asked.material)
        stages = properties.get("NewMaterial", "REFUSE") != "REFUSE"
        return (
            readable
            and consented
            and self._is_declarable(properties, on_replica=stack.region != family.primary_region)
            and known is not None
            and (stages or known.state is not MaterialState.PENDING)
            and all(missing.id in comes for missing in truth.missing(arn))
        )

    def _is_declarable(self, properties: Mapping[str, Any], *, on_replica: bool) -> bool:
        """Whether the function accepts the properties now."""
        of_primaries = any(name in properties for name in ("NewMaterial", "KeyMaterialDescription"))
        unpinned = "SecretVersionId" not in properties and "NewMaterial" in properties
        until = properties.get("ValidTo")
        too_late = until is not None and until <= f"{self.world.scheduler.now():%Y-%m-%dT%H:%M:%SZ}"
        return not ((of_primaries and on_replica) or unpinned or too_late or "Misspelt" in properties)


class Striking:
    """Makes one fault strike one call of one invocation, for `table.py`."""

    def __init__(self, world: World, strike: Strike) -> None:
        self._world = world
        self._strike = strike
        self._seen: list[Invocation] = []  # invocations that began after the moment
        self._done = False
        for functions in world.functions.values():
            functions.on_start = self._on_start
            functions.at_each_call = self._at_call

    def _on_start(self, invocation: Invocation) -> None:
        if (invocation.started_at - START).total_seconds() >= self._strike.at:
            self._seen.append(invocation)

    def _at_call(self, invocation: Invocation, operation: str, moment: Moment) -> None:
        strike = self._strike
        is_the_one = len(self._seen) > strike.invocation and invocation is self._seen[strike.invocation]
        if self._done or not is_the_one or len(invocation.calls) - 1 != strike.call:
            return
        if strike.kind in CRASHES:
            if CRASHES[strike.kind] is moment:
                self._done = True
                raise Crash(strike.kind)
        elif moment is Moment.BEFORE:
            self._done = True
            self._come_down(invocation, operation)

    def _come_down(self, invocation: Invocation, operation: str) -> None:
        kind = self._strike.kind
        if kind == "refused":
            self._world.faults.denied.add(operation)
        elif kind == "duplicate":
            self._world.functions[invocation.region].invoke_now(invocation.event)
        else:
            self._world.faults.inject(operation, *STRIKES[kind])


CRASHES = {"crash before": Moment.BEFORE, "crash after": Moment.AFTER}
STRIKES = {
    "throttled": (Fault.THROTTLED, Moment.BEFORE),
    "internal": (Fault.INTERNAL_ERROR, Moment.BEFORE),
    "lost before": (Fault.CONNECTION_CLOSED, Moment.BEFORE),
    "lost after": (Fault.READ_TIMEOUT, Moment.AFTER),
}


def play(plan: Plan, *, every_call: bool = False) -> Result:
    logger = logging.getLogger("imported_key_material")
    level, propagate = logger.level, logger.propagate
    violation: Violation | None = None
    history = History(plan, every_call=every_call)
    world, handler = history.world, LogHandler(history.world.log)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        with world.aws:
            history.play()
        world.ends.leaks(world.answers.texts, world.estate.secret_bytes)
    except Violation as broken:
        violation = broken
    except NeverEnds as never:
        violation = Violation(9, str(never))
    finally:
        world.scheduler.abandon()
        world.aws.close()
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
    requests = sum(len(stack.requests.sent) for stack in world.watch.stacks)
    faults = len(world.faults.struck) + world.weather.struck
    digest = (str(violation), world.scheduler.now(), len(world.aws.calls), tuple(world.story))
    return Result(plan, violation, requests, faults, world.story, digest, list(world.watch.invocations()))


def shortest(result: Result) -> Result:
    """Removes steps, faults and special properties of keys one by one, as long as the same rule still breaks."""
    best, tries = result, 0
    shorter = True
    while shorter and tries < _TRIES_MAX:
        shorter = False
        for plan in _shorter(best.plan):
            tried = play(plan)
            tries += 1
            if (
                tried.violation is not None
                and best.violation is not None
                and tried.violation.rule == best.violation.rule
            ):
                best, shorter = tried, True
                break
    return best


def _shorter(plan: Plan) -> list[Plan]:
    steps = plan.steps
    fewer = [replace(plan, steps=steps[:index] + steps[index + 1 :]) for index in range(len(steps)) if len(steps) > 1]
    fewer += [replace(plan, faults=plan.faults - {kind}) for kind in sorted(plan.faults)]
    plainer = (replace(key, held=False) if key.held else replace(key, wrapped=False) for key in plan.keys)
    for index, key in enumerate(plainer):
        if key != plan.keys[index]:
            fewer.append(replace(plan, keys=(*plan.keys[:index], key, *plan.keys[index + 1 :])))
    return fewer
