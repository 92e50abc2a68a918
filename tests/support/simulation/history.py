"""One history: what people plan, drawn from a seed; the storm that it is played in; the verdict.

The plan is data, so that a failing one can be made shorter and told. The dice of the storm come from the same seed.
"""

import logging

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from functools import cache
from io import StringIO
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_public_key

from imported_key_material import clients, function, wrapping
from imported_key_material.delivery import DeliveryFailed
from imported_key_material.responder import Responder
from imported_key_material.waiting import Deadline
from tests.support.clock import VirtualClock
from tests.support.cloudformation import CloudFormation
from tests.support.faults import Fault, Faults, Moment
from tests.support.in_process import Call, InProcessAws
from tests.support.kms.service import Lag, StrictKms
from tests.support.kms.wire import KmsWire
from tests.support.secretsmanager import Secret, SecretsManager
from tests.support.simulation.engine import Stack, Template
from tests.support.simulation.functions import Functions, Weather
from tests.support.simulation.scheduler import START, NeverEnds, Scheduler
from tests.support.simulation.watch import TAG, Violation, Watch, Watched

ACCOUNT, REGION = "111122223333", "eu-central-1"
FAULT_KINDS = ("throttled", "internal", "lost before", "lost after", "lag", "duplicate", "late", "crash", "put lost", "stale")
CALM_SECONDS = 3 * 3600.0  # after it, no more faults


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done `at` seconds: by `deploy`ment, or by a person. `what` names a method of `_People`."""

    at: float
    what: str
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    keys: tuple[str, ...]  # key specs
    held: tuple[bool, ...]  # whether the key holds its secret's first version from the beginning
    steps: tuple[Step, ...]
    faults: frozenset[str]


@dataclass
class Result:
    plan: Plan
    violation: Violation | None
    requests: int
    faults: int
    story: list[str] = field(default_factory=list)
    digest: tuple[Any, ...] = ()


# ------------------------------------------------------------------------------------------------------------- drawing


def draw(seed: int) -> Plan:
    random = Random(seed)  # noqa: S311  # one seed decides everything
    specs = ("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256")
    keys = tuple(random.choice(specs) for _ in range(random.choice((1, 1, 2, 2, 3))))
    held = tuple(random.random() < 0.25 for _ in keys)
    # A fault is on or off for a whole history: so some histories are calm enough to reach what others never do.
    faults = frozenset(kind for kind in FAULT_KINDS if random.random() < random.choice((0.0, 0.3, 0.5)))
    steps: list[Step] = []
    at, templates = 0.0, {"orders": {}, "payments": {}}
    for _ in range(random.choice((1, 2, 3, 3, 4, 4, 5, 6))):
        at += random.choice((1.0, random.uniform(1, 60), random.uniform(60, 1500)))
        steps.append(Step(at, "deploy", _deployment(random, keys, templates)))
        if random.random() < 0.25:
            steps.append(Step(at + random.uniform(0.1, 30), random.choice(("cancel", "cancel", "skip"))))
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        person = random.choice(_PERSONS)
        steps.append(Step(random.uniform(0, at + 60), person, (random.randrange(len(keys)),)))
    return Plan(seed, keys, held, tuple(sorted(steps, key=lambda step: step.at)), faults)


_PERSONS = ("disable", "disable", "enable", "lose", "lose", "schedule", "unschedule", "break_secret", "mend_secret", "untag")
_NAMES = ("Material", "Other", "Renamed")
Declared = tuple[int, int | None, tuple[tuple[str, Any], ...]]  # key, version, options


def _deployment(random: Random, keys: tuple[str, ...], templates: dict[str, dict[str, Declared]]) -> tuple[Any, ...]:
    """(stack, kind, template), the template a few changes away from the stack's last one."""
    stack = random.choice(("orders", "orders", "orders", "orders", "payments"))
    template = templates[stack]
    if template and random.random() < 0.15:
        templates[stack] = {}
        return (stack, "delete", ())
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        _change(random, keys, template)
    kind = random.choice(("apply", "apply", "apply", "apply", "apply, keep failed", "apply, retain"))
    return (stack, kind, tuple((name, *declared) for name, declared in sorted(template.items())))


def _change(random: Random, keys: tuple[str, ...], template: dict[str, Declared]) -> None:
    """One thing that an author of templates does."""
    free = [name for name in _NAMES if name not in template]
    if not template or (free and random.random() < 0.15):
        template[random.choice(free)] = _declared(random, keys)
        return
    name = random.choice(sorted(template))
    key, version, options = template[name]
    what = random.choice(("version", "version", "version", "options", "options", "trigger", "rename", "swap", "key", "remove"))
    if what == "version":
        template[name] = (key, random.choice((0, 1, 1, 2, 2, 3, None)), options)
    elif what == "options":
        template[name] = (key, version, _options(random, keys[key]))
    elif what == "trigger":
        template[name] = (key, version, tuple(sorted({**dict(options), "Trigger": str(random.randrange(100))}.items())))
    elif what == "rename" and free:
        template[random.choice(free)] = template.pop(name)
    elif what == "swap" and len(template) > 1:
        first, second = sorted(template)[:2]
        template[first], template[second] = template[second], template[first]
    elif what == "key":
        template[name] = _declared(random, keys)
    elif what == "remove" and len(template) > 1:
        del template[name]


def _declared(random: Random, keys: tuple[str, ...]) -> Declared:
    key = random.randrange(len(keys))
    return (key, random.choice((0, 0, 0, 1, None)), _options(random, keys[key]))


def _options(random: Random, spec: str) -> tuple[tuple[str, Any], ...]:
    options: dict[str, Any] = {}
    if spec == "SYMMETRIC_DEFAULT":
        if random.random() < 0.5:
            options["NewMaterial"] = random.choice(("STAGE", "ROTATE", "ROTATE"))
        if random.random() < 0.3:
            options["PreviousSecretVersionIds"] = True
        if random.random() < 0.1:
            options["KeyMaterialDescription"] = "of a ceremony"
    if random.random() < 0.3:
        options["ValidForDays"] = str(random.choice((30, 60)))
    if random.random() < 0.1:
        options["ServiceTimeout"] = str(random.choice((120, 300)))
    if random.random() < 0.05:
        options["Misspelt"] = "yes"
    return tuple(sorted(options.items()))


# ------------------------------------------------------------------------------------------------------------- playing


@cache
def _aws() -> InProcessAws:
    """Clients are made once in a process: what they talk to is exchanged for each history."""
    return InProcessAws(VirtualClock())


@cache
def _clients(region: str) -> clients.Clients:
    return clients.make(_aws().session(region=region, account=ACCOUNT))


@cache
def _private_keys() -> tuple[bytes, ...]:
    return tuple(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        for _ in range(4)
    )


class _World:
    def __init__(self, plan: Plan, build: Callable[..., Responder]) -> None:
        self.plan = plan
        self.random = Random(plan.seed + 1)  # noqa: S311  # one seed decides everything
        self.scheduler = Scheduler(Random(plan.seed + 2))  # noqa: S311  # the function's jitter
        self.story: list[str] = []
        self.log = StringIO()
        on = plan.faults
        lag = Lag(probability=0.3, max_seconds=4.0) if "lag" in on else None
        self.kms = StrictKms(self.scheduler, seed=plan.seed, lag=lag)
        self.secrets_manager = SecretsManager(self.scheduler, seed=plan.seed)
        self.cloudformation = CloudFormation(self.scheduler, seed=plan.seed)
        self.weather = Weather(
            duplicate=0.3 if "duplicate" in on else 0.0,
            late=0.2 if "late" in on else 0.0,
            crash=0.02 if "crash" in on else 0.0,
            put_lost=0.2 if "put lost" in on else 0.0,
        )
        self.functions = {
            REGION: Functions(
                self.scheduler, Random(plan.seed + 3), self.weather, lambda: build(self), self.tell  # noqa: S311  # the same
            )
        }
        self.watch = Watch(self.scheduler, self.kms, self.functions, self._is_good)
        self.aws = _aws()
        self.aws.clock = self.scheduler  # type: ignore[assignment]  # botocore's retries sleep on it
        self.aws.faults = self._faults(on)
        self.aws.calls.clear()
        self.aws.hooks[:] = [self._at_call]
        services = (KmsWire(self.kms), self.secrets_manager, self.cloudformation)
        self.aws.plug(*(Watched(service, self.watch) for service in services))
        self.keys: list[str] = []
        self.secrets: list[Secret] = []
        self.versions: list[list[str]] = []
        self.stacks: dict[str, Stack] = {}
        self.good: set[bytes] = set()
        lag, self.kms._lag = self.kms._lag, None  # noqa: SLF001  # long ago, seen by everybody
        self._make_keys()
        self.kms._lag = lag  # noqa: SLF001  # the same

    def _faults(self, on: frozenset[str]) -> Faults:
        rates = {
            (Fault.THROTTLED, Moment.BEFORE): 0.05 if "throttled" in on else 0.0,
            (Fault.INTERNAL_ERROR, Moment.BEFORE): 0.03 if "internal" in on else 0.0,
            (Fault.INTERNAL_ERROR, Moment.AFTER): 0.02 if "internal" in on else 0.0,
            (Fault.CONNECTION_CLOSED, Moment.BEFORE): 0.03 if "lost before" in on else 0.0,
            (Fault.READ_TIMEOUT, Moment.AFTER): 0.03 if "lost after" in on else 0.0,
        }
        return Faults(Random(self.plan.seed + 4), {kind: rate for kind, rate in rates.items() if rate})  # noqa: S311

    def tell(self, who: str, what: str) -> None:
        seconds = (self.scheduler.now() - START).total_seconds()
        self.story.append(f"t={seconds:8.1f}s  {who:7} {what}")

    def _at_call(self, call: Call, moment: Moment) -> None:
        name = f"{call.operation}{'' if moment is Moment.BEFORE else ' (answer)'}"
        execution = self.watch.execution()
        if execution is not None and moment is Moment.BEFORE and call.operation in _TOLD:
            self.tell("lambda", f"#{execution.number} {call.operation}")
        for functions in self.functions.values():
            functions.at_call(name)

    def _is_good(self, material: bytes) -> bool:
        return material in self.good

    def _make_keys(self) -> None:
        for index, spec in enumerate(self.plan.keys):
            usage = {"SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT", "HMAC_256": "GENERATE_VERIFY_MAC"}.get(spec, "SIGN_VERIFY")
            key = self.kms.call(
                "CreateKey",
                {"Origin": "EXTERNAL", "KeySpec": spec, "KeyUsage": usage, "Tags": [{"TagKey": TAG, "TagValue": "orders payments"}]},
                region=REGION,
                account=ACCOUNT,
            )
            self.keys.append(key["KeyMetadata"]["Arn"])
            materials = [self.random.randbytes(32) for _ in range(3)] if spec != "ECC_NIST_P256" else list(_private_keys()[:3])
            self.good.update(materials)
            self.watch.secrets.extend(materials)
            name, versions = f"secret-{index}", []
            for material in [*materials, b"x" * 31]:  # the last one is refused by every check
                secret = self.secrets_manager.put(name, material, tags={TAG: "orders payments"}, region=REGION, account=ACCOUNT)
                versions.append(next(reversed(secret.versions)))
            self.secrets_manager.move_stage(secret, "AWSCURRENT", versions[0])
            self.secrets.append(secret)
            self.versions.append(versions)
            if self.plan.held[index]:
                self.import_by_hand(self.keys[index], spec, materials[0])

    def import_by_hand(self, arn: str, spec: str, material: bytes) -> None:
        """A person's import, before the history begins."""
        algorithm = "RSAES_OAEP_SHA_256"
        parameters = self.kms.call(
            "GetParametersForImport",
            {"KeyId": arn, "WrappingAlgorithm": algorithm, "WrappingKeySpec": "RSA_2048"},
            region=REGION,
            account=ACCOUNT,
        )
        public_key = load_der_public_key(parameters["PublicKey"])
        if not isinstance(public_key, RSAPublicKey):
            raise TypeError(spec)
        self.kms.call(
            "ImportKeyMaterial",
            {
                "KeyId": arn,
                "ImportToken": parameters["ImportToken"],
                "EncryptedKeyMaterial": wrapping.wrap(algorithm, public_key, material),
                "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
            },
            region=REGION,
            account=ACCOUNT,
        )

    def put(self, url: str, body: bytes, _deadline: Deadline) -> None:
        """The PUT of an answer."""
        execution = self.watch.execution()
        if execution is None:
            raise RuntimeError("an answer from no execution")
        self.scheduler.sleep(self.random.uniform(0.01, 0.2))
        if self.random.random() < self.weather.put_lost:
            self.tell("lambda", f"#{execution.number} can't deliver its answer")
            raise DeliveryFailed("lost")
        request_id = execution.event["RequestId"]
        self.watch.put(body, awaited=any(request_id in stack.pending for stack in self.stacks.values()))
        for stack in self.stacks.values():
            stack.take(execution.event, body)
        if self.random.random() < self.weather.put_lost:
            raise DeliveryFailed("delivered, and not known to be")
        _ = url

    def template(self, declared: Any) -> dict[str, Mapping[str, Any]]:
        template: dict[str, Mapping[str, Any]] = {}
        for name, key, version, options in declared:
            properties: dict[str, Any] = {
                "KeyId": self.keys[key],
                "SecretId": self.secrets[key].name,
                "WrappingKeySpec": "RSA_2048",
                **dict(options),
            }
            if version is not None:
                properties["SecretVersionId"] = self.versions[key][version]
            if properties.pop("PreviousSecretVersionIds", False):
                properties["PreviousSecretVersionIds"] = self.versions[key][:3]
            template[name] = properties
        return template

    def stack(self, name: str) -> Stack:
        if name not in self.stacks or self.stacks[name].status in ("DELETE_COMPLETE", "ROLLBACK_COMPLETE"):
            stack = Stack(
                name,
                account=ACCOUNT,
                region=REGION,
                scheduler=self.scheduler,
                random=Random(self.random.getrandbits(32)),  # noqa: S311  # one seed decides everything
                functions=self.functions[REGION],
                service=self.cloudformation,
                tell=self.tell,
                lag_seconds=3.0 if "stale" in self.plan.faults else 0.0,
            )
            stack.on_settled = self.watch.settled
            stack.on_request = self._requested
            self.stacks[name] = stack
            self.watch.stacks.append(stack)
        return self.stacks[name]

    def _requested(self, event: Mapping[str, Any], rollback: bool) -> None:  # noqa: FBT001  # a callback
        if rollback:
            self.watch.rollbacks.add(event["RequestId"])

    def play(self) -> None:
        for step in self.plan.steps:
            act = getattr(_People, step.what)
            self.scheduler.after(10 + step.at, lambda act=act, step=step: act(self, *step.arguments))
        self.scheduler.after(CALM_SECONDS, self.calm)
        self.scheduler.run()
        self.watch.at_rest()

    def calm(self) -> None:
        """Faults stop."""
        self.aws.faults.rates = {}
        self.weather.duplicate = self.weather.late = self.weather.crash = self.weather.put_lost = 0.0


_TOLD = frozenset({"ImportKeyMaterial", "DeleteImportedKeyMaterial", "RotateKeyOnDemand"})


class _People:
    """What people do; each is a step of a plan."""

    @staticmethod
    def deploy(world: _World, name: str, kind: str, declared: Any = ()) -> None:
        stack = world.stack(name)
        template: Template = world.template(declared)

        def run() -> None:
            for _ in range(200):  # a person waits for the operation before
                if stack.at_rest:
                    break
                world.scheduler.sleep(60)
            _operate(stack, kind, template)

        task = world.scheduler.spawn(f"deploy {name}", run)

        def ended() -> None:
            task.done.wait()
            if isinstance(task.error, Exception):
                world.scheduler.broken = world.scheduler.broken or task.error

        world.scheduler.spawn(f"deployed {name}", ended)

    @staticmethod
    def cancel(world: _World) -> None:
        for stack in world.stacks.values():
            if stack.status in ("UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"):
                stack.cancel()

    @staticmethod
    def skip(world: _World) -> None:
        for stack in world.stacks.values():
            if stack.status == "UPDATE_ROLLBACK_FAILED":
                world.scheduler.spawn("skip", lambda stack=stack: stack.continue_rollback(frozenset(stack.resources)))

    @staticmethod
    def disable(world: _World, key: int) -> None:
        _try(world, "DisableKey", key)

    @staticmethod
    def enable(world: _World, key: int) -> None:
        _try(world, "EnableKey", key)

    @staticmethod
    def lose(world: _World, key: int) -> None:
        _try(world, "DeleteImportedKeyMaterial", key, excuse="a person deleted the material")

    @staticmethod
    def schedule(world: _World, key: int) -> None:
        _try(world, "ScheduleKeyDeletion", key, PendingWindowInDays=7)

    @staticmethod
    def unschedule(world: _World, key: int) -> None:
        _try(world, "CancelKeyDeletion", key)

    @staticmethod
    def break_secret(world: _World, key: int) -> None:
        world.tell("person", f"marks secret-{key} for deletion")
        world.secrets_manager.mark_for_deletion(world.secrets[key])

    @staticmethod
    def mend_secret(world: _World, key: int) -> None:
        world.tell("person", f"restores secret-{key}")
        world.secrets_manager.restore(world.secrets[key])

    @staticmethod
    def untag(world: _World, key: int) -> None:
        _try(world, "TagResource", key, Tags=[{"TagKey": TAG, "TagValue": "payments"}])


def _operate(stack: Stack, kind: str, template: Template) -> None:
    retained = frozenset(template) if kind == "apply, retain" else frozenset()
    if kind == "delete":
        if stack.status not in ("NONE", "DELETE_COMPLETE"):
            stack.delete()
    elif stack.status == "NONE":
        stack.create(template, keep_failed=kind == "apply, keep failed", retained=retained)
    elif stack.stands:
        stack.update(template, retained=retained)
    elif stack.status == "UPDATE_ROLLBACK_FAILED":
        stack.continue_rollback(frozenset())
    elif stack.status in ("CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"):
        stack.delete()


def _try(world: _World, operation: str, key: int, *, excuse: str = "", **params: Any) -> None:
    arn = world.keys[key]
    try:
        world.kms.call(operation, {"KeyId": arn, **params}, region=REGION, account=ACCOUNT)
    except Exception as error:  # noqa: BLE001  # a person sees the error, and goes on
        world.tell("person", f"{operation} key {arn.rsplit('/', 1)[-1][:8]}: {type(error).__name__}")
        return
    world.tell("person", f"{operation} key {arn.rsplit('/', 1)[-1][:8]}")
    world.watch.person(arn, excuse)


def _build(world: _World) -> Responder:
    return function.build(
        _clients(REGION), clock=world.scheduler, put=world.put, log=_Log(world.log), dns_suffix="amazonaws.com"
    )


class _Log:
    def __init__(self, sink: StringIO) -> None:
        self._sink = sink

    def info(self, msg: str, *, extra: Mapping[str, object]) -> None:
        self._sink.write(f"{msg} {dict(extra)}\n")

    warning = info


def play(plan: Plan, build: Callable[..., Responder] = _build) -> Result:
    logger = logging.getLogger("imported_key_material")
    before = logger.level, logger.propagate
    violation: Violation | None = None
    world = _World(plan, build)
    handler = logging.StreamHandler(world.log)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        with world.aws:
            world.play()
        world.watch.leaks(world.log.getvalue())
    except Violation as broken:
        violation = broken
    except NeverEnds as never:
        violation = Violation(9, str(never))
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
    digest = (world.scheduler.now(), len(world.aws.calls), tuple(world.story))
    requests = sum(functions.count for functions in world.functions.values())
    return Result(plan, violation, requests, len(world.aws.faults.struck), world.story, digest)


def shortest(result: Result, build: Callable[..., Responder] = _build) -> Result:
    """Takes away steps and faults one by one, as long as the same rule still breaks."""
    best = result
    while True:
        for plan in _shorter(best.plan):
            tried = play(plan, build)
            if tried.violation is not None and best.violation is not None and tried.violation.rule == best.violation.rule:
                best = tried
                break
        else:
            return best


def _shorter(plan: Plan) -> list[Plan]:
    fewer_steps = [
        replace(plan, steps=plan.steps[:index] + plan.steps[index + 1 :]) for index in range(len(plan.steps))
    ]
    fewer_faults = [replace(plan, faults=plan.faults - {kind}) for kind in sorted(plan.faults)]
    return fewer_steps + fewer_faults


