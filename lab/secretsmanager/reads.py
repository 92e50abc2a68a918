"""Secrets Manager's reads: DescribeSecret and GetSecretValue, over JSON 1.1.

Tests put secrets there, move versions and stages, mark secrets for deletion, and allow other accounts. One object holds
several Regions and accounts. It finds secrets by name, ARN and ARN without its suffix, and refuses with AWS's sentences
(Secrets Manager API Reference).

IAM decides before Secrets Manager looks, so the answer is the same for a secret that the caller may not read and for a missing
one. The caller is the function with its role in template.yaml: it may read secrets of its own account with the consent tag,
and secrets of other accounts whose policy allows it. With `any_secret`, the caller may read every secret of its account.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from string import ascii_letters
from typing import Any

from lab.clock import Now
from lab.wire import constraints
from lab.wire.aws_json import service_model
from lab.wire.json_service import JsonApi, JsonService
from lab.wire.transport import DEFAULT_ACCOUNT, DEFAULT_REGION, AwsError, Caller, Fault, FaultAnswers, Refusal

TAG = "imported-key-material"
ROLE = "imported-key-material-Role-1A2B3C4D5E6F"
CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
_SUFFIX = re.compile(r".*-[A-Za-z0-9]{6}")
_NOT_FOUND = "Secrets Manager can't find the specified secret."
FAULT_ANSWERS: FaultAnswers = {
    Fault.THROTTLED: Refusal(400, "ThrottlingException", "Rate exceeded"),
    Fault.INTERNAL_ERROR: Refusal(500, "InternalServiceError", "An error occurred on the server side."),
    Fault.DEPENDENCY_TIMEOUT: Refusal(503, "ServiceUnavailable", "Service Unavailable"),
}


@dataclass
class Version:
    value: bytes | str = field(repr=False)  # bytes: SecretBinary, str: SecretString
    stages: set[str]
    created_at: datetime


@dataclass
class Secret:
    """`unreadable`: GetSecretValue's error in place of the value (DecryptionFailure, AccessDeniedException)."""

    name: str
    arn: str
    account: str
    region: str
    created_at: datetime
    changed_at: datetime
    tags: dict[str, str]
    versions: dict[str, Version] = field(default_factory=dict)
    deleted_at: datetime | None = None
    unreadable: AwsError | None = None
    readers: set[str] = field(default_factory=set)  # other accounts that the secret's policy allows

    def version_of(self, stage: str) -> str | None:
        return next((id_ for id_, version in self.versions.items() if stage in version.stages), None)


class SecretsManager(JsonService):
    def __init__(self, clock: Now, *, seed: int = 0, any_secret: bool = False) -> None:
        self._clock = clock
        self._any_secret = any_secret
        self._random = Random(seed)  # noqa: S311  # suffixes and version ids that repeat
        self._secrets: dict[str, Secret] = {}  # by ARN
        self.given: list[tuple[str, str]] = []  # name and version id of each value that was read
        self._shapes = service_model("secretsmanager")
        api = JsonApi("secrets-manager", "secretsmanager", "secretsmanager", OPERATIONS, FAULT_ANSWERS)
        super().__init__(api, self._call)

    # ---------------------------------------------------------------------------------------------- what tests set up

    def put(  # noqa: PLR0913  # all except two by name; a test names only what matters
        self,
        name: str,
        value: bytes | str,
        *,
        tags: Mapping[str, str] | None = None,
        version_id: str | None = None,
        stages: Iterable[str] = (CURRENT,),
        region: str = DEFAULT_REGION,
        account: str = DEFAULT_ACCOUNT,
    ) -> Secret:
        """A new version of the secret, which is made if it does not exist. Stages move to it as by PutSecretValue."""
        now = self._clock.now()
        secret = self._by_name(name, Caller(account, region)) or self._create(name, Caller(account, region))
        if tags is not None:
            secret.tags = dict(tags)
        id_ = version_id or str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        secret.versions[id_] = Version(value, set(), now)
        secret.changed_at = now
        for stage in stages:
            self.move_stage(secret, stage, id_)
        return secret

    def _create(self, name: str, caller: Caller) -> Secret:
        suffix = "".join(self._random.choices(ascii_letters, k=6))
        arn = f"arn:aws:secretsmanager:{caller.region}:{caller.account}:secret:{name}-{suffix}"
        now = self._clock.now()
        secret = Secret(name, arn, caller.account, caller.region, now, now, tags={})
        self._secrets[arn] = secret
        return secret

    def move_stage(self, secret: Secret, stage: str, version_id: str) -> None:
        """Moves a stage. When AWSCURRENT moves, the version that had it gets AWSPREVIOUS."""
        before = secret.version_of(stage)
        for version in secret.versions.values():
            version.stages.discard(stage)
        secret.versions[version_id].stages.add(stage)
        if stage == CURRENT and before is not None and before != version_id:
            self.move_stage(secret, PREVIOUS, before)

    def forget_version(self, secret: Secret, version_id: str) -> None:
        """Removes a version, as AWS does in time with versions that have no stage."""
        del secret.versions[version_id]

    def mark_for_deletion(self, secret: Secret, *, days: int = 30) -> None:
        secret.deleted_at = self._clock.now() + timedelta(days=days)

    def restore(self, secret: Secret) -> None:
        secret.deleted_at = None

    def remove(self, secret: Secret) -> None:
        del self._secrets[secret.arn]

    def all(self) -> list[Secret]:
        return list(self._secrets.values())

    # ------------------------------------------------------------------------------------------------------- answers

    def _call(self, operation: str, params: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        violations = constraints.violations(self._shapes.operation_model(operation).input_shape, params)
        if violations is not None:
            raise AwsError("ValidationException", violations)
        secret = self._find(params["SecretId"], caller, operation)
        answer = OPERATIONS[operation](secret, params)
        if operation == "GetSecretValue":
            self.given.append((secret.name, answer["VersionId"]))
        return answer

    def _find(self, reference: str, caller: Caller, operation: str) -> Secret:
        if not reference.startswith("arn:"):
            secret = self._by_name(reference, caller)
        else:
            secret = self._secrets.get(reference) or self._by_arn_without_suffix(reference, caller)
        if secret is not None and secret.region != caller.region:
            secret = None
        if secret is not None and secret.account != caller.account and caller.account not in secret.readers:
            raise denied(caller, operation, reference, kind="resource-based")
        if not self._any_secret and not (secret is not None and role_allows(secret, caller)):
            raise denied(caller, operation, secret.arn if secret else reference)
        if secret is None:
            raise AwsError("ResourceNotFoundException", _NOT_FOUND)
        return secret

    def _by_name(self, name: str, caller: Caller) -> Secret | None:
        return next(
            (
                secret
                for secret in self._secrets.values()
                if (secret.name, secret.account, secret.region) == (name, caller.account, caller.region)
            ),
            None,
        )

    def _by_arn_without_suffix(self, arn: str, caller: Caller) -> Secret | None:
        """AWS treats a hyphen and six characters at the end as a suffix, even if they are part of the name."""
        parts = arn.split(":", 6)
        if len(parts) != 7 or parts[4] != caller.account or _SUFFIX.fullmatch(parts[6]):
            return None
        return self._by_name(parts[6], caller)


def denied(caller: Caller, operation: str, resource: str, *, kind: str = "identity-based") -> AwsError:
    """IAM's refusal. `resource`: the ARN of an existing secret, else the caller's reference."""
    action = f"secretsmanager:{operation}"
    return AwsError(
        "AccessDeniedException",
        f"User: arn:aws:sts::{caller.account}:assumed-role/{ROLE}/imported-key-material is not authorized to perform: "
        f"{action} on resource: {resource} because no {kind} policy allows the {action} action",
    )


def said_by_iam(operation: str, resource: str, *, account: str = "111122223333", kind: str = "identity-based") -> str:
    """The same refusal as the function repeats it: one sentence, cut off if it is long."""
    said = str(denied(Caller(account, ""), operation, resource, kind=kind).message)
    return f"{said[:300].rstrip()}..." if len(said) > 300 else f"{said}."


def role_allows(secret: Secret, caller: Caller) -> bool:
    """Whether the role's own policies allow it. IAM ignores the case of condition keys, and so of tag names."""
    return secret.account != caller.account or TAG in map(str.lower, secret.tags)


def _describe_secret(secret: Secret, _: Mapping[str, Any]) -> dict[str, Any]:
    """Also describes a secret that is marked for deletion. Recorded (2024): without a value it has no VersionIdsToStages."""
    answer: dict[str, Any] = {
        "ARN": secret.arn,
        "Name": secret.name,
        "CreatedDate": secret.created_at,
        "LastChangedDate": secret.changed_at,
    }
    if secret.versions:
        staged = {id_: sorted(version.stages) for id_, version in secret.versions.items() if version.stages}
        answer["VersionIdsToStages"] = staged
    if secret.tags:
        answer["Tags"] = [{"Key": name, "Value": value} for name, value in secret.tags.items()]
    if secret.deleted_at is not None:
        answer["DeletedDate"] = secret.deleted_at
    return answer


def _get_secret_value(secret: Secret, params: Mapping[str, Any]) -> dict[str, Any]:
    if secret.deleted_at is not None:
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    id_ = _version_id(secret, params)
    if secret.unreadable is not None:
        raise secret.unreadable
    version = secret.versions[id_]
    kind = "SecretString" if isinstance(version.value, str) else "SecretBinary"
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": id_,
        kind: version.value,
        "VersionStages": sorted(version.stages),
        "CreatedDate": version.created_at,
    }


def _version_id(secret: Secret, params: Mapping[str, Any]) -> str:
    id_, stage = params.get("VersionId"), params.get("VersionStage")
    if id_ is not None and id_ not in secret.versions:
        raise _no_value(f"VersionId: {id_}")
    if id_ is not None:
        if stage is not None and stage not in secret.versions[id_].stages:
            raise AwsError(
                "InvalidRequestException",
                "You provided a VersionStage that is not associated to the provided VersionId.",
            )
        return str(id_)
    found = secret.version_of(stage or CURRENT)
    if found is None:
        raise _no_value(f"staging label: {stage or CURRENT}")
    return found


def _no_value(of: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for {of}")


OPERATIONS = {"DescribeSecret": _describe_secret, "GetSecretValue": _get_secret_value}
