"""One history: a plan is played in its weather, faults stop, what was lost is brought back, and all is judged."""

import logging
from dataclasses import dataclass, field, replace

from imported_key_material import consent
from tests.support.faults import Fault, Moment
from tests.support.kms.keys import MaterialState
from tests.support.simulation.engine import Resource, Stack
from tests.support.simulation.functions import Crash, Execution
from tests.support.simulation.people import People
from tests.support.simulation.plan import HOUR, Plan, Strike
from tests.support.simulation.scheduler import START, NeverEnds
from tests.support.simulation.watch import TAG, Violation
from tests.support.simulation.world import STALE_SECONDS, LogHandler, World

CALM_AFTER_SECONDS = HOUR  # after the last step
_TRIES_MAX = 400  # histories that are played to shorten one


@dataclass
class Result:
    """`digest`: two runs of one plan must have the same."""

    plan: Plan
    violation: Violation | None
    requests: int
    faults: int
    story: list[str] = field(default_factory=list)
    digest: tuple[object, ...] = ()


class History:
    def __init__(self, plan: Plan, *, every_call: bool = False) -> None:
        self.world = World(plan, every_call=every_call)
        self.people = People(self.world)

    def play(self) -> None:
        world, plan = self.world, self.world.plan
        for step in plan.steps:
            act = getattr(self.people, step.what)
            world.scheduler.after(10 + step.at, lambda act=act, step=step: act(*step.arguments))  # type: ignore[misc]  # mypy infers no lambda with a default
        if plan.strike is not None:
            Striking(world, plan.strike)
        world.scheduler.after(10 + plan.steps[-1].at + CALM_AFTER_SECONDS, lambda: self.people.do("calm", self._calm))
        world.scheduler.run()
        world.ends.over()

    def _calm(self) -> None:
        """Faults stop. What hangs is continued; what was lost comes back by an ordinary update, where that is possible."""
        world = self.world
        world.faults.rates = {}
        world.faults.denied.clear()
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
        """Rule 2, its second half."""
        world = self.world
        possible = self._can_come_back(stack, resource, arn)
        world.scheduler.sleep(STALE_SECONDS)
        template = {name: its.properties for name, its in stack.resources.items()}
        template[resource.logical_id] = {**resource.properties, "Trigger": "bring it back"}
        stack.update(template, retained=frozenset(name for name, its in stack.resources.items() if its.retained))
        if possible and not world.watch.truth.is_whole(arn):
            name = world.name_of(arn)
            raise world.watch.broken(
                2,
                f"an ordinary update of {stack.name}.{resource.logical_id} does not bring the material of {name} back",
            )

    def _can_come_back(self, stack: Stack, resource: Resource, arn: str) -> bool:
        """Whether the properties name all that is missing, and everybody whose consent is needed gives it."""
        world, properties = self.world, resource.properties
        truth, region = world.watch.truth, stack.region
        key = world.keys.index(arn.rsplit("/", 1)[-1])
        plan = world.plan.keys[key]
        secret = next(
            secret for (number, _), secret in world.secrets.items() if number == key and secret.region == region
        )
        current = secret.version_of("AWSCURRENT") or ""
        asked = world.asked(region, properties, current)
        if asked.arn != arn or truth.is_on_its_way_out(arn) or asked.material is None or "Misspelt" in properties:
            return False  # it is not this key's declaration, or never was a valid one
        named = [properties.get("SecretVersionId", current), *properties.get("PreviousSecretVersionIds", ())]
        readable = secret.deleted_at is None and all(id_ in secret.versions for id_ in named)
        tags = [truth.tags(arn), secret.tags, truth.tags(world.unwrap_key) if plan.wrapped else {TAG: stack.name}]
        consented = all(consent.allows(one.get(TAG, ""), stack.name) for one in tags)
        material = truth.material_of(arn, asked.material)
        family = truth.family(arn)
        if not readable or not consented or material is None or family is None:
            return False
        if material.state is MaterialState.PENDING and properties.get("NewMaterial", "REFUSE") == "REFUSE":
            return False
        on_replica = region != family.primary_region
        if on_replica and any(name in properties for name in ("NewMaterial", "KeyMaterialDescription")):
            return False
        if "SecretVersionId" not in properties and "NewMaterial" in properties:
            return False
        until = properties.get("ValidTo")
        if until is not None and until <= f"{world.scheduler.now():%Y-%m-%dT%H:%M:%SZ}":
            return False
        comes = {truth.id_of(family, one) for one in (asked.material, *asked.earlier) if one is not None}
        return all(missing.id in comes for missing in truth.missing(arn))


class Striking:
    """Brings one fault to one call of one execution, and to nothing else: `table.py`'s."""

    def __init__(self, world: World, strike: Strike) -> None:
        self._world = world
        self._strike = strike
        self._struck: Execution | None = None
        self._done = False
        for functions in world.functions.values():
            functions.at_each_call = self._at_call

    def _at_call(self, execution: Execution, operation: str, moment: Moment) -> None:
        began = (execution.started_at - START).total_seconds()
        if self._done or began < self._strike.at:
            return
        self._struck = self._struck or execution
        number = len(execution.calls) - 1
        if execution is not self._struck or number != self._strike.call:
            return
        self._come_down(execution, operation, moment)

    def _come_down(self, execution: Execution, operation: str, moment: Moment) -> None:
        kind, faults = self._strike.kind, self._world.faults
        if kind == "crash after" and moment is Moment.AFTER:
            self._done = True
            raise Crash(kind)
        if moment is Moment.AFTER or kind == "crash after":
            return
        self._done = True
        if kind == "crash before":
            raise Crash(kind)
        if kind == "refused":
            faults.denied.add(operation)
        elif kind == "duplicate":
            self._world.functions[execution.region].invoke_now(execution.event)
        else:
            faults.inject(operation, *STRIKES[kind])


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
    world, handler = history.world, LogHandler(history.world)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        with world.aws:
            history.play()
        world.ends.leaks(world.answers.texts, world.secret_bytes)
    except Violation as broken:
        violation = broken
    except NeverEnds as never:
        violation = Violation(9, str(never))
    finally:
        world.scheduler.abandon()
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
    requests = sum(len(stack.requests.sent) for stack in world.watch.stacks)
    faults = len(world.faults.struck) + world.weather.struck
    digest = (str(violation), world.scheduler.now(), len(world.aws.calls), tuple(world.story))
    return Result(plan, violation, requests, faults, world.story, digest)


def shortest(result: Result) -> Result:
    """Takes away steps, faults and keys' peculiarities one by one, as long as the same rule still breaks."""
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
