"""The steps of `key-custodian put`, as data: first decided, then shown, then executed exactly as shown.

    no such secret          CreateSecret: value, tag, description, KMS key, all in one call; the version is AWSCURRENT
    a secret                PutSecretValue: one more version, with its own stage; AWSCURRENT does not move
    the same version again  PutSecretValue again, which Secrets Manager accepts and which changes nothing

The own stage, `imported-key-material-<version id>`, keeps the version: Secrets Manager removes versions without a stage, and a
KMS key that has lost its material needs them again. AWSCURRENT moves only if the user asks, and never if that would leave a
version without a stage. The tag of a secret is its owner's consent: it is added where there is none, and replaced only if the
user asks. Pure: it gets the present state, and returns calls.

Source: Secrets Manager API Reference, CreateSecret, PutSecretValue, TagResource, UpdateSecret.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from imported_key_material.consent import TAG, TAG_VALUE_MAX_CHARACTERS
from imported_key_material.errors import Faults
from key_custodian.transport_key import uncovered

CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"
DESCRIPTION_BEGIN: Final = "Key material for AWS KMS."
DESCRIPTION_MOST_CHARACTERS: Final = 2048


@dataclass(frozen=True, slots=True)
class Order:
    """What to store, and how. `value_words`: the value, for people; `kms_key_id` None: Secrets Manager's own key."""

    secret_id: str
    value: bytes = field(repr=False)
    value_words: str
    version_id: str
    label: str  # the version's part of the description: key spec, algorithm, check value
    stacks: tuple[str, ...]
    kms_key_id: str | None
    move_current: bool
    replace_tag: bool


@dataclass(frozen=True, slots=True)
class SecretView:
    """A secret, as DescribeSecret shows it. `stages`: version id -> its stages; without those that have no stage."""

    arn: str
    name: str
    tag: str | None
    description: str
    kms_key_id: str
    stages: Mapping[str, tuple[str, ...]]
    is_to_be_deleted: bool
    owning_service: str
    is_rotated: bool  # by Secrets Manager's rotation

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "SecretView":
        tags = {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}
        return cls(
            arn=answer["ARN"],
            name=answer["Name"],
            tag=tags.get(TAG),
            description=answer.get("Description", ""),
            kms_key_id=answer.get("KmsKeyId", ""),
            stages={id_: tuple(stages) for id_, stages in answer.get("VersionIdsToStages", {}).items()},
            is_to_be_deleted="DeletedDate" in answer,
            owning_service=answer.get("OwningService", ""),
            is_rotated=bool(answer.get("RotationEnabled")),
        )

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    def version_of(self, stage: str) -> str | None:
        return next((id_ for id_, stages in self.stages.items() if stage in stages), None)


@dataclass(frozen=True, slots=True)
class Step:
    """One call. `words`: what it does, then details. `optional`: if these credentials may not do it, the rest still counts."""

    operation: str
    parameters: Mapping[str, Any] = field(repr=False)
    words: tuple[str, ...]
    optional: bool = False


def steps(order: Order, found: SecretView | None) -> tuple[Step, ...]:
    """Refused with every reason against the plan."""
    faults = Faults()
    planned = _creation(order, faults) if found is None else _addition(order, found, faults)
    faults.raise_if_any()
    return planned


def own_stage(version_id: str) -> str:
    return f"{TAG}-{version_id}"


# ----------------------------------------------------------------------------------------------------------- a new secret


def _creation(order: Order, faults: Faults) -> tuple[Step, ...]:
    if not order.stacks:
        problem = "A new secret needs a tag that names the stacks which may use it."
        faults.add("--stack", problem, "Name them: --stack orders, more than once for more of them.")
    tag = " ".join(order.stacks)
    _require_room(tag, faults)
    description = f"{DESCRIPTION_BEGIN} {order.label}"
    parameters: dict[str, Any] = {
        "Name": order.secret_id,
        "ClientRequestToken": order.version_id,
        "Description": description,
        "SecretBinary": order.value,
        "Tags": [{"Key": TAG, "Value": tag}],
    }
    if order.kms_key_id is not None:
        parameters["KmsKeyId"] = order.kms_key_id
    words = (
        f"Create the secret {order.secret_id}.",
        f"value: {order.value_words}",
        f"version: {order.version_id}, stage {CURRENT}",
        f"tag: {TAG} = {tag}",
        f"description: {description}",
        f"KMS key: {order.kms_key_id or 'aws/secretsmanager'}",
    )
    return (Step("secretsmanager:CreateSecret", parameters, words),)


def _require_room(tag: str, faults: Faults) -> None:
    if len(tag) > TAG_VALUE_MAX_CHARACTERS:
        problem = (
            f"The names have {len(tag)} characters together, and a tag's value has room for {TAG_VALUE_MAX_CHARACTERS}."
        )
        faults.add("--stack", problem, 'A name that ends in / is a prefix: "pay/" stands for all stacks named pay...')


# ------------------------------------------------------------------------------------------------------ an existing secret


def _addition(order: Order, found: SecretView, faults: Faults) -> tuple[Step, ...]:
    if found.is_to_be_deleted:
        remedy = "aws secretsmanager restore-secret cancels the deletion."
        faults.add("--secret", "The secret is marked for deletion, and takes no value.", remedy)
    if found.owning_service:
        problem = f"The secret belongs to the service {found.owning_service}, which changes it by itself."
        faults.add("--secret", problem, "Name another.")
    if order.kms_key_id not in (None, found.kms_key_id or "alias/aws/secretsmanager"):
        problem = (
            f"The secret is encrypted under {found.kms_key_id or 'aws/secretsmanager'}, and that is not changed here."
        )
        faults.add("--kms-key-id", problem, "Leave it out, or change it first: aws secretsmanager update-secret.")
    return (*_tagging(order, found, faults), _version(order, found, faults), *_description(order, found))


def _tagging(order: Order, found: SecretView, faults: Faults) -> Iterator[Step]:
    value = found.tag or ""
    if not order.stacks or (not order.replace_tag and not uncovered(value, order.stacks)):
        return
    tag = " ".join(order.stacks)
    if tag == value:
        return
    if found.tag is not None and not order.replace_tag:
        missing = uncovered(value, order.stacks)
        problem = f"The secret's tag {TAG} is '{value}', and does not name {', '.join(missing)}."
        remedy = "If its owner agrees, give all names for the tag with --stack, and add --replace-tag."
        faults.add("--stack", problem, remedy)
        return
    _require_room(tag, faults)
    change = f"from '{value}' to '{tag}'" if found.tag is not None else f"to '{tag}' (there is none)"
    parameters = {"SecretId": found.arn, "Tags": [{"Key": TAG, "Value": tag}]}
    yield Step("secretsmanager:TagResource", parameters, (f"Set the tag {TAG} of {found.name} {change}.",))


def _version(order: Order, found: SecretView, faults: Faults) -> Step:
    parameters: dict[str, Any] = {
        "SecretId": found.arn,
        "ClientRequestToken": order.version_id,
        "SecretBinary": order.value,
    }
    if order.version_id in found.stages:
        stages = found.stages[order.version_id]
        if order.move_current and CURRENT not in stages:
            faults.add("--move-current", *_move_by_hand(order, found))
        words: tuple[str, ...] = (
            f"Confirm that the version {order.version_id} of {found.name} holds these bytes. It exists; nothing changes.",
            f"value: {order.value_words}",
            f"stages: {', '.join(stages)}",
        )
        return Step("secretsmanager:PutSecretValue", parameters | {"VersionStages": list(stages)}, words)
    stages = (own_stage(order.version_id),)
    current = found.version_of(CURRENT)
    if order.move_current or current is None:
        stages += (CURRENT,)
        _require_kept(found, faults)
    words = (
        f"Add a version to the secret {found.name}.",
        f"value: {order.value_words}",
        f"version: {order.version_id}, stages {', '.join(stages)}",
        *_moves(found, current, moves=CURRENT in stages),
    )
    return Step("secretsmanager:PutSecretValue", parameters | {"VersionStages": list(stages)}, words)


def _moves(found: SecretView, current: str | None, *, moves: bool) -> Iterator[str]:
    if not moves:
        yield f"{CURRENT} stays at {current}"
    elif current is not None:
        previous = found.version_of(PREVIOUS)
        yield f"{CURRENT} moves away from {current}"
        yield f"{PREVIOUS} moves {f'from {previous} ' if previous else ''}to {current}"
        yield "resources that pin no SecretVersionId take the new version at their next update"


def _require_kept(found: SecretView, faults: Faults) -> None:
    """Secrets Manager removes a version without a stage after some time."""
    previous = found.version_of(PREVIOUS)
    if previous is None or found.version_of(CURRENT) is None or found.stages[previous] != (PREVIOUS,):
        return
    problem = (
        f"{PREVIOUS} would move, too, and leave the version {previous} without a stage: Secrets Manager would remove it, and "
        "a KMS key that loses its material might need it."
    )
    remedy = f"Give it its own stage first: {update_stage(found.name, own_stage(previous), previous)}."
    faults.add("--move-current", problem, remedy)


def _move_by_hand(order: Order, found: SecretView) -> tuple[str, str]:
    command = update_stage(found.name, CURRENT, order.version_id, found.version_of(CURRENT))
    return (
        f"The version {order.version_id} exists already, and {CURRENT} is at another version.",
        f"Move it: {command}.",
    )


def update_stage(secret_name: str, stage: str, to: str, away_from: str | None = None) -> str:
    """A command for the user's shell."""
    options = {"--secret-id": secret_name, "--version-stage": stage, "--move-to-version-id": to}
    if away_from:
        options["--remove-from-version-id"] = away_from
    return f"aws secretsmanager update-secret-version-stage {' '.join(_words_of(options))}"


def _words_of(options: Mapping[str, str]) -> Iterator[str]:
    for name, value in options.items():
        yield f"{name} {shlex.quote(value)}"


def _description(order: Order, found: SecretView) -> Iterator[Step]:
    """A description that this tool did not write stays as it is."""
    ours = not found.description or found.description.startswith(DESCRIPTION_BEGIN)
    description = f"{found.description or DESCRIPTION_BEGIN} {order.label}"
    if not ours or order.version_id in found.description or len(description) > DESCRIPTION_MOST_CHARACTERS:
        return
    words = (f"Add to its description: {order.label}",)
    yield Step("secretsmanager:UpdateSecret", {"SecretId": found.arn, "Description": description}, words, optional=True)
