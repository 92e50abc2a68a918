"""Secrets Manager with its writing calls: CreateSecret, PutSecretValue, TagResource, UpdateSecret (only the description), and
DeleteSecret.

They refuse and move stages as AWS does (API Reference of each); each rule cites its operation. Sentences that the reference
does not have are this stand-in's own. Rights are not checked. KMS keys are only names: nothing is encrypted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lab.clock import Now
from lab.secretsmanager import reads
from lab.secretsmanager.reads import CURRENT, Secret, SecretsManager
from lab.wire import constraints
from lab.wire.transport import AwsError, Caller

RECOVERY_DAYS: Final = 30
STAGES_MOST: Final = 20  # on all versions of a secret together (Secrets Manager's quotas)
_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")  # CreateSecret, Name
_VALUES: Final = ("SecretBinary", "SecretString")
_DELETED: Final = "You can't perform this operation on the secret because it was marked for deletion."


@dataclass
class _Beside:
    """A secret's properties beside its versions."""

    description: str = ""
    kms_key_id: str = ""
    is_rotated: bool = False
    owning_service: str = ""


class WritableSecrets(SecretsManager):
    """Keeps every call's parameters in `written`, without the value."""

    def __init__(self, clock: Now, *, seed: int = 0) -> None:
        super().__init__(clock, seed=seed, any_secret=True)
        self._beside: dict[str, _Beside] = {}
        self.written: list[tuple[str, dict[str, Any]]] = []
        self._writing: dict[str, Callable[[Mapping[str, Any], Caller], dict[str, Any]]] = {
            "CreateSecret": self._create_secret,
            "PutSecretValue": self._put_secret_value,
            "TagResource": self._tag_resource,
            "UpdateSecret": self._update_secret,
            "DeleteSecret": self._delete_secret,
        }
        self._operations = frozenset({*reads.OPERATIONS, *self._writing})

    def _call(self, operation: str, params: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        run = self._writing.get(operation)
        if run is None:
            answer = super()._call(operation, params, caller)
            return {**answer, **self._described(answer["ARN"])} if operation == "DescribeSecret" else answer
        violations = constraints.violations(self._shapes.operation_model(operation).input_shape, params)
        if violations is not None:
            raise AwsError("ValidationException", violations)
        self.written.append((operation, {name: value for name, value in params.items() if name not in _VALUES}))
        return run(params, caller)

    def _described(self, arn: str) -> dict[str, Any]:
        beside = self._beside.get(arn, _Beside())
        shown: dict[str, Any] = {
            "Description": beside.description,
            "KmsKeyId": beside.kms_key_id,
            "RotationEnabled": beside.is_rotated,
            "OwningService": beside.owning_service,
        }
        return {name: value for name, value in shown.items() if value}

    def describe(self, secret: Secret, **beside: Any) -> None:
        """Sets properties of a secret that a test put there: description, kms_key_id, is_rotated, owning_service."""
        self._beside[secret.arn] = _Beside(**beside)

    def _create_secret(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        name, token = params["Name"], params["ClientRequestToken"]
        if not _NAME.fullmatch(name):
            raise AwsError(
                "ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters."
            )
        secret = self._by_name(name, caller)
        if secret is not None:
            if secret.deleted_at is not None:
                message = (
                    "You can't create this secret because a secret with this name is already scheduled for deletion."
                )
                raise AwsError("InvalidRequestException", message)
            if token not in secret.versions or secret.versions[token].value != _value(params):
                message = f"The operation failed because the secret {name} already exists."
                raise AwsError("ResourceExistsException", message)
            return {"ARN": secret.arn, "Name": name, "VersionId": token}
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        value = _value(params)
        if value is None:  # a secret without a value has no version
            made = self._create(name, caller)
            made.tags = tags
            return {"ARN": made.arn, "Name": name}
        made = self.put(name, value, tags=tags, version_id=token, account=caller.account, region=caller.region)
        self.describe(made, description=params.get("Description", ""), kms_key_id=params.get("KmsKeyId", ""))
        return {"ARN": made.arn, "Name": name, "VersionId": token}

    def _put_secret_value(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """The same token and bytes again: nothing happens. Without VersionStages, AWSCURRENT moves."""
        secret = self._living(params["SecretId"], caller)
        token, value = params["ClientRequestToken"], _value(params)
        if value is None:
            raise AwsError("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
        known = secret.versions.get(token)
        if known is not None and known.value != value:
            message = "You can't modify an existing version, you can only create new ones."
            raise AwsError("ResourceExistsException", message)
        if known is None:
            stages = set(params.get("VersionStages", [CURRENT]))
            if secret.version_of(CURRENT) is None:
                stages.add(CURRENT)  # "If this operation creates the first version"
            there = {stage for version in secret.versions.values() for stage in version.stages}
            if len(there | stages) > STAGES_MOST:
                message = f"The secret can have at most {STAGES_MOST} staging labels."
                raise AwsError("LimitExceededException", message)
            self.put(
                secret.name,
                value,
                version_id=token,
                stages=sorted(stages),
                account=secret.account,
                region=secret.region,
            )
        stages_now = sorted(secret.versions[token].stages)
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": token, "VersionStages": stages_now}

    def _tag_resource(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        secret = self._living(params["SecretId"], caller)
        secret.tags |= {tag["Key"]: tag["Value"] for tag in params["Tags"]}
        return {}

    def _update_secret(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Updates only the description. A value or a key would make a version, which is not modelled."""
        unknown = set(params) - {"SecretId", "Description", "ClientRequestToken"}
        if unknown:
            raise AwsError("InternalServiceError", f"These tests' stand-in does not know UpdateSecret with {unknown}.")
        secret = self._living(params["SecretId"], caller)
        self._beside.setdefault(secret.arn, _Beside()).description = params["Description"]
        return {"ARN": secret.arn, "Name": secret.name}

    def _delete_secret(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """At once, if it is forced: also a secret that is marked for deletion, or that does not exist."""
        if params.get("ForceDeleteWithoutRecovery"):
            found = self._by_name(params["SecretId"], caller)
            if found is not None:
                self.remove(found)
            return {"Name": params["SecretId"]}
        secret = self._living(params["SecretId"], caller)
        self.mark_for_deletion(secret, days=params.get("RecoveryWindowInDays", RECOVERY_DAYS))
        return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": secret.deleted_at}

    def _living(self, secret_id: str, caller: Caller) -> Secret:
        secret = self._find(secret_id, caller, "PutSecretValue")
        if secret.deleted_at is not None:
            raise AwsError("InvalidRequestException", _DELETED)
        return secret


def _value(params: Mapping[str, Any]) -> bytes | str | None:
    value: bytes | str | None = next((params[name] for name in _VALUES if name in params), None)
    return value
