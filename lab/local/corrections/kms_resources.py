"""Makes AWS::KMS::Key and AWS::KMS::Alias in the strict KMS.

In MiniStack a new key of Origin EXTERNAL is Enabled without material; on AWS it is PendingImport until material is imported.
Sources: the resource types' reference in the CloudFormation User Guide.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

from lab.kms import KeyState, KmsError
from lab.local.corrections import strict_kms

PENDING_WINDOW_DAYS = 30

type Properties = Mapping[str, Any]

_runs_on_worker_thread = stacks._runs_on_worker_thread


def apply() -> None:
    provisioners._RESOURCE_HANDLERS["AWS::KMS::Key"] = {
        "create": create_key,
        "update": update_key,
        "delete": delete_key,
    }
    provisioners._RESOURCE_HANDLERS["AWS::KMS::Alias"] = {
        "create": create_alias,
        "update": update_alias,
        "delete": delete_alias,
    }
    # Use a thread: making an RSA key takes long, and would block the event loop.
    stacks._runs_on_worker_thread = lambda kind: kind == "AWS::KMS::Key" or _runs_on_worker_thread(kind)


def create_key(_logical_id: str, properties: Properties, _stack_name: str) -> tuple[str, dict[str, str]]:
    made = strict_kms.call("CreateKey", **_create_parameters(properties))["KeyMetadata"]
    if _flag(properties, "EnableKeyRotation", default=False):
        strict_kms.call("EnableKeyRotation", KeyId=made["KeyId"], **_rotation_period(properties))
    if not _flag(properties, "Enabled", default=True):
        strict_kms.call("DisableKey", KeyId=made["KeyId"])
    return made["KeyId"], _attributes(made["Arn"])


def _create_parameters(properties: Properties) -> dict[str, Any]:
    parameters = {
        name: properties[name] for name in ("KeySpec", "KeyUsage", "Origin", "Description") if name in properties
    }
    if _flag(properties, "MultiRegion", default=False):
        parameters["MultiRegion"] = True
    if "KeyPolicy" in properties:
        parameters["Policy"] = _policy(properties)
    if properties.get("Tags"):
        parameters["Tags"] = [{"TagKey": name, "TagValue": value} for name, value in _tags(properties).items()]
    return parameters


def update_key(physical_id: str, old: Properties, new: Properties, _stack_name: str) -> tuple[str, dict[str, str]]:
    for name in ("KeySpec", "KeyUsage", "Origin", "MultiRegion"):
        if old.get(name) != new.get(name):
            raise ValueError(f"{name} of a KMS key cannot be changed")
    if old.get("Description") != new.get("Description"):
        strict_kms.call("UpdateKeyDescription", KeyId=physical_id, Description=new.get("Description", ""))
    if old.get("KeyPolicy") != new.get("KeyPolicy") and "KeyPolicy" in new:
        strict_kms.call("PutKeyPolicy", KeyId=physical_id, Policy=_policy(new))
    _update_tags(physical_id, _tags(old), _tags(new))
    if _flag(old, "Enabled", default=True) != _flag(new, "Enabled", default=True):
        strict_kms.call("EnableKey" if _flag(new, "Enabled", default=True) else "DisableKey", KeyId=physical_id)
    if _flag(old, "EnableKeyRotation", default=False) != _flag(new, "EnableKeyRotation", default=False):
        if _flag(new, "EnableKeyRotation", default=False):
            strict_kms.call("EnableKeyRotation", KeyId=physical_id, **_rotation_period(new))
        else:
            strict_kms.call("DisableKeyRotation", KeyId=physical_id)
    return physical_id, _attributes(strict_kms.call("DescribeKey", KeyId=physical_id)["KeyMetadata"]["Arn"])


def _update_tags(key_id: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    if set(old) - set(new):
        strict_kms.call("UntagResource", KeyId=key_id, TagKeys=sorted(set(old) - set(new)))
    changed = [{"TagKey": name, "TagValue": value} for name, value in new.items() if old.get(name) != value]
    if changed:
        strict_kms.call("TagResource", KeyId=key_id, Tags=changed)


def delete_key(physical_id: str, properties: Properties) -> None:
    """Schedules the key for deletion. It is no error if the key is gone, or already scheduled."""
    found = strict_kms.key(physical_id)
    if found is None or found.state in {KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION}:
        return
    days = int(properties.get("PendingWindowInDays", PENDING_WINDOW_DAYS))
    strict_kms.call("ScheduleKeyDeletion", KeyId=physical_id, PendingWindowInDays=days)


def create_alias(_logical_id: str, properties: Properties, _stack_name: str) -> tuple[str, dict[str, str]]:
    name = str(properties["AliasName"])
    strict_kms.call("CreateAlias", AliasName=name, TargetKeyId=properties["TargetKeyId"])
    return name, {}


def update_alias(physical_id: str, _old: Properties, new: Properties, stack_name: str) -> tuple[str, dict[str, str]]:
    if new["AliasName"] != physical_id:
        return create_alias("", new, stack_name)  # another name is a replacement: the old alias is deleted afterwards
    strict_kms.call("UpdateAlias", AliasName=physical_id, TargetKeyId=new["TargetKeyId"])
    return physical_id, {}


def delete_alias(physical_id: str, _properties: Properties) -> None:
    try:
        strict_kms.call("DeleteAlias", AliasName=physical_id)
    except KmsError as error:
        if error.code != "NotFoundException":
            raise


def _attributes(arn: str) -> dict[str, str]:
    return {"Arn": arn, "KeyId": arn.rpartition("/")[2]}


def _flag(properties: Properties, name: str, *, default: bool) -> bool:
    """A template's boolean, which may be a string in YAML."""
    return str(properties.get(name, default)).lower() == "true"


def _policy(properties: Properties) -> str:
    policy = properties["KeyPolicy"]
    return policy if isinstance(policy, str) else json.dumps(policy)


def _rotation_period(properties: Properties) -> dict[str, int]:
    days = properties.get("RotationPeriodInDays")
    return {} if days is None else {"RotationPeriodInDays": int(days)}


def _tags(properties: Properties) -> dict[str, str]:
    """Drops aws:cloudformation:*, which MiniStack adds: on AWS, only CloudFormation may set them."""
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    return {name: value for name, value in tags.items() if not name.startswith("aws:")}
