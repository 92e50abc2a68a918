"""Existing stacks that need nothing of KMS's quota: updates that import nothing, and the clean-up of replaced keys.

Here CloudFormation's reads are scarce: each Update reads the stack's events, each Delete of an old id reads its resources and
its events, and hundreds do so at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from imported_key_material.material import wrapping
from lab.cloudformation.stack_reads import Event
from lab.kms.service import StrictKms
from lab.quota.crowd import Crowd
from lab.quota.edges import ACCOUNT, REGION
from lab.quota.stacks import GrowingStack, Template
from lab.quota.ways import HANDED_OVER
from lab.quota.world import World, silence
from lab.secretsmanager.reads import SecretsManager
from lab.simulation.aws import CLOUDFORMATION_OPERATIONS
from lab.simulation.requests import Answer

ALGORITHM = "RSAES_OAEP_SHA_256"
STOOD_SECONDS = 3600.0  # the stack's age
# Recorded (2018 to 2025): the least time from the stack's status to the first resource's status.
UPDATE_BEGINS_SECONDS = 2.7
CLEAN_UP_BEGINS_SECONDS = 1.1
CLEANED_UP_TYPE = (
    "AWS::CloudFormation::CustomResource"  # a custom resource's type in the events of a clean-up (2020-10-22)
)
STARTS_PER_SECOND = 20.0  # assumed, as for creations (`crowd.py`)


@dataclass(frozen=True, slots=True)
class Reads:
    """How one run ended. `waits`: from each request to its answer, in order. `reads`: the number of CloudFormation's reads."""

    what: str
    seed: int
    resources: int
    done: int
    last_seconds: float  # since the first request
    waits: tuple[float, ...]
    reads: int
    throttled: int
    imports: int
    reason: str  # the first failed request's; "" if none failed

    @property
    def failed(self) -> int:
        return self.resources - self.done

    @property
    def reads_each(self) -> float:
        """The reads for each resource, without the throttled ones."""
        return (self.reads - self.throttled) / self.resources

    @property
    def median_seconds(self) -> float:
        return self.waits[(len(self.waits) - 1) // 2]


def report_line(reads: Reads) -> str:
    """In one line."""
    failed = f"; {reads.failed} failed, the first one: {reads.reason}" if reads.failed else ""
    return (
        f"{reads.resources} {reads.what} at once: {reads.done} answered, the last after {reads.last_seconds:,.0f} s; "
        f"CloudFormation's reads: {reads.reads_each:.1f} for each, and {reads.throttled:,} throttled; "
        f"imports: {reads.imports}{failed}"
    )


class StandingStack(GrowingStack):
    """Shows resources that are complete, updated in place, or replaced, as CloudFormation does."""

    def stand(self, template: Template, key_ids: Mapping[str, str]) -> None:
        """Shows the stack as created, with its keys. `key_ids`: by logical id, the keys that it made itself."""
        for logical_id, key_id in key_ids.items():
            self._shown.stack.set(logical_id, "CREATE_COMPLETE", self._now, type="AWS::KMS::Key", physical_id=key_id)
        for logical_id, properties in template.items():
            self._shown.resource(logical_id, "CREATE_IN_PROGRESS", None)
            self._shown.resource(logical_id, "CREATE_IN_PROGRESS", properties["KeyId"])
            self._shown.resource(logical_id, "CREATE_COMPLETE", properties["KeyId"])
        self._shown.status("CREATE_COMPLETE")

    def begin_update(self) -> None:
        self._shown.status("UPDATE_IN_PROGRESS", updated_at=self._now)

    def replace(self, logical_id: str, new_id: str) -> None:
        """An Update has answered another id."""
        self._shown.resource(logical_id, "UPDATE_IN_PROGRESS", None)
        self._shown.resource(logical_id, "UPDATE_IN_PROGRESS", new_id)
        self._shown.resource(logical_id, "UPDATE_COMPLETE", new_id)

    def begin_clean_up(self) -> None:
        self._shown.status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")

    def update(self, logical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Updates one resource in place."""
        self._shown.resource(logical_id, "UPDATE_IN_PROGRESS", None)
        answer = self._ask("Update", logical_id, new, OldResourceProperties=old)
        self._shown.resource(logical_id, "UPDATE_COMPLETE" if answer.succeeded else "UPDATE_FAILED", None)

    def clean_up(self, logical_id: str, old: Mapping[str, Any]) -> None:
        """The Delete of an id that the resource no longer has: only events show it (recorded 2018 to 2026)."""
        self._tell(logical_id, "DELETE_IN_PROGRESS", old["KeyId"])
        answer = self._ask("Delete", logical_id, old)
        self._tell(logical_id, "DELETE_COMPLETE" if answer.succeeded else "DELETE_FAILED", old["KeyId"])

    @property
    def _now(self) -> datetime:
        return self._scheduler.now()

    def _tell(self, logical_id: str, status: str, physical_id: str) -> None:
        events = self._shown.stack.events
        events.append(Event(f"{logical_id}-{len(events)}", self._now, logical_id, CLEANED_UP_TYPE, status, physical_id))

    def _ask(self, kind: str, logical_id: str, properties: Mapping[str, Any], **more: Any) -> Answer:
        id_ = more.get("OldResourceProperties", properties)["KeyId"]
        event = self.requests.event(kind, self.id, logical_id, properties, PhysicalResourceId=id_, **more)
        answer = self.requests.ask(event, rollback=False, cancel=None)
        self._end(event, answer)
        return answer


class StandingWorld(World):
    """One stack, whose keys hold their material."""

    what = ""
    stack_of = StandingStack

    def __init__(self, resources: int, seed: int) -> None:
        super().__init__(Crowd(resources, 1.0, seed), HANDED_OVER)
        self.begun_at = self.scheduler.now()

    def _template(self, stack: GrowingStack, kms: StrictKms, secrets: SecretsManager) -> dict[str, Mapping[str, Any]]:
        template = super()._template(stack, kms, secrets)
        for arn, material in self.materials.items():
            _import_by_hand(kms, arn, material)
        return template

    def _begin(self) -> None:
        (stack,), (template,) = self.stacks.values(), self._templates
        self.scheduler.spawn("the stack", lambda: self._play(stack, template))

    def _play(self, stack: Any, template: Template) -> None:
        raise NotImplementedError

    def _all_at_once(self, acts: Mapping[str, Callable[[], None]]) -> None:
        self.begun_at = self.scheduler.now()
        for number, (name, act) in enumerate(acts.items()):
            self.scheduler.after(number / STARTS_PER_SECOND, partial(self.scheduler.spawn, name, act))

    def reads(self) -> Reads:
        made = [call.operation for call in self.aws.calls]
        return Reads(
            what=self.what,
            seed=self.crowd.seed,
            resources=self.crowd.resources,
            done=sum(not one.reason for one in self.answered),
            last_seconds=max(((one.at - self.begun_at).total_seconds() for one in self.answered), default=0.0),
            waits=tuple(sorted(one.waited_seconds for one in self.answered)),
            reads=sum(operation in CLOUDFORMATION_OPERATIONS for operation in made),
            throttled=self.busy.throttled,
            imports=made.count("ImportKeyMaterial"),
            reason=next((one.reason for one in self.answered if one.reason), ""),
        )


class NoOpUpdates(StandingWorld):
    """Updates all resources at once, and none has anything to do."""

    what = "no-op Updates"

    def _play(self, stack: StandingStack, template: Template) -> None:
        stack.stand(template, {})
        self.scheduler.sleep(STOOD_SECONDS)
        stack.begin_update()
        self.scheduler.sleep(UPDATE_BEGINS_SECONDS)
        self._all_at_once(
            {
                name: partial(stack.update, name, old, {**old, "ServiceTimeout": "3600"})
                for name, old in template.items()
            }
        )


class CleanUps(StandingWorld):
    """All resources moved to other keys, which the stack made itself. All old ids are deleted at once."""

    what = "clean-up Deletes"

    def _play(self, stack: StandingStack, template: Template) -> None:
        new = {name: f"{self._random.getrandbits(128):032x}" for name in template}
        stack.stand(template, {f"Key{name}": key_id for name, key_id in new.items()})
        self.scheduler.sleep(STOOD_SECONDS)
        stack.begin_update()
        for name, key_id in new.items():
            stack.replace(name, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}")
        stack.begin_clean_up()
        self.scheduler.sleep(CLEAN_UP_BEGINS_SECONDS)
        self._all_at_once({name: partial(stack.clean_up, name, old) for name, old in template.items()})


def plays(crowd: Crowd) -> tuple[tuple[type[StandingWorld], int, int], ...]:
    """The plays beside a crowd: as many Updates; half as many Deletes, since that stack makes its keys itself."""
    return (NoOpUpdates, crowd.resources, crowd.seed), (CleanUps, -(-crowd.resources // 2), crowd.seed)


def play(kind: type[StandingWorld], resources: int, seed: int) -> Reads:
    with silence():
        world = kind(resources, seed)
        world.run()
        return world.reads()


def _import_by_hand(kms: StrictKms, key_arn: str, material: bytes) -> None:
    """Imports as a person does, before anything begins."""

    def call(operation: str, **params: Any) -> Any:
        return kms.call(operation, {"KeyId": key_arn, **params}, region=REGION, account=ACCOUNT)

    parameters = call("GetParametersForImport", WrappingAlgorithm=ALGORITHM, WrappingKeySpec="RSA_2048")
    public_key = load_der_public_key(parameters["PublicKey"])
    if not isinstance(public_key, RSAPublicKey):
        raise TypeError(ALGORITHM)
    call(
        "ImportKeyMaterial",
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=wrapping.wrap(ALGORITHM, public_key, material),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )
