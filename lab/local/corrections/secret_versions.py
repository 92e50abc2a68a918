"""Gives a secret's version the id that the caller chose and all requested stages, and makes each version only once.

MiniStack's CreateSecret makes up an id. Its PutSecretValue overwrites a version with the same id, forgets the other stages if
AWSCURRENT is among them, and leaves a custom stage also on its old version. On AWS ClientRequestToken is the version's id; the
same id with the same value does nothing, with another value it is refused; a stage is at only one version; the first version
of a secret is AWSCURRENT (Secrets Manager API Reference, CreateSecret and PutSecretValue).
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import secretsmanager

CURRENT = "AWSCURRENT"
_create_secret = secretsmanager._create_secret
_put_secret_value = secretsmanager._put_secret_value


def apply() -> None:
    secretsmanager._create_secret = create_secret
    secretsmanager._put_secret_value = put_secret_value


def create_secret(data: Mapping[str, Any]) -> Any:
    secret, token = _living(data.get("Name")), data.get("ClientRequestToken")
    if secret is not None and token in secret["Versions"] and _is_same(secret["Versions"][token], data):
        return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token})
    answer = _create_secret(data)
    made = _living(data.get("Name"))
    if answer[0] != 200 or made is None or not token:
        return answer
    answered = json.loads(answer[2])
    made["Versions"] = {token: made["Versions"][answered["VersionId"]]}
    return json_response({**answered, "VersionId": token})


def put_secret_value(data: Mapping[str, Any]) -> Any:
    secret, token = _living(data.get("SecretId")), data.get("ClientRequestToken")
    if secret is None or not token:
        return _put_secret_value(data)
    known = secret["Versions"].get(token)
    if known is not None and not _is_same(known, data):
        message = "You can't modify an existing version, you can only create new ones."
        return error_response_json("ResourceExistsException", message, 400)
    if known is None:
        stages = set(data.get("VersionStages", [CURRENT]))
        if not any(CURRENT in version["Stages"] for version in secret["Versions"].values()):
            stages.add(CURRENT)
        for version in secret["Versions"].values():
            version["Stages"] = [stage for stage in version["Stages"] if stage == CURRENT or stage not in stages]
        answer = _put_secret_value({**data, "VersionStages": sorted(stages)})
        if answer[0] != 200:
            return answer
        known = secret["Versions"][token]
        known["Stages"] = sorted({*known["Stages"], *stages})
    body = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token}
    return json_response({**body, "VersionStages": list(known["Stages"])})


def _living(secret_id: Any) -> dict[str, Any] | None:
    """None if Secrets Manager itself refuses the id."""
    if not isinstance(secret_id, str):
        return None
    _, secret = secretsmanager._resolve(secret_id)
    return None if not secret or secret.get("DeletedDate") else secret


def _is_same(version: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    return all(version.get(kind) == data.get(kind) for kind in ("SecretString", "SecretBinary"))
