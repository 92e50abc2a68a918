"""Gives kms:* condition keys the values that they have on AWS.

MiniStack treats all of them as absent, so no Allow or Deny with such a key ever matches. The keys of each operation and their
values: KMS Developer Guide, "Condition keys for AWS KMS". The keys of grants, of attestation, and of operations that this
project does not use stay absent.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id

from lab.kms import KeyView
from lab.local.corrections import strict_kms

# The parameters that are condition keys: one row for each.
_PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "GetParametersForImport": {
        "WrappingAlgorithm": "kms:WrappingAlgorithm",
        "WrappingKeySpec": "kms:WrappingKeySpec",
    },
    "ImportKeyMaterial": {"ExpirationModel": "kms:ExpirationModel", "ValidTo": "kms:ValidTo"},
    "Encrypt": {"EncryptionAlgorithm": "kms:EncryptionAlgorithm"},
    "Decrypt": {"EncryptionAlgorithm": "kms:EncryptionAlgorithm"},
    "Sign": {"SigningAlgorithm": "kms:SigningAlgorithm", "MessageType": "kms:MessageType"},
    "Verify": {"SigningAlgorithm": "kms:SigningAlgorithm", "MessageType": "kms:MessageType"},
    "GenerateMac": {"MacAlgorithm": "kms:MacAlgorithm"},
    "VerifyMac": {"MacAlgorithm": "kms:MacAlgorithm"},
    "DeriveSharedSecret": {"KeyAgreementAlgorithm": "kms:KeyAgreementAlgorithm"},
    "ScheduleKeyDeletion": {"PendingWindowInDays": "kms:ScheduleKeyDeletionPendingWindowInDays"},
    "CreateKey": {"KeySpec": "kms:KeySpec", "KeyUsage": "kms:KeyUsage", "Origin": "kms:KeyOrigin"},
    "ReplicateKey": {"ReplicaRegion": "kms:ReplicaRegion"},
}
_DEFAULTS = {
    "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    "kms:ExpirationModel": "KEY_MATERIAL_EXPIRES",
}
_WITH_ENCRYPTION_CONTEXT = {"Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"}

_request: ContextVar[Mapping[str, Any]] = ContextVar("kms_request")  # the request that is being served
_enforce = iam_evaluator.enforce


def apply() -> None:
    extract = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, *request: Any) -> str:
        if service == "kms":
            _request.set(_parameters(request[3]))
        return str(extract(service, *request))

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce


def enforce(  # the signature of what it replaces
    access_key_id: str,
    action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: Mapping[str, Any] | None = None,
) -> Any:
    context = dict(service_context or {})
    if service == "kms":
        context |= condition_keys(action.partition(":")[2], _request.get({}), strict_kms.key(resource_arn))
    return _enforce(access_key_id, action, service, region, resource_arn, context)


def condition_keys(operation: str, parameters: Mapping[str, Any], key: KeyView | None) -> dict[str, Any]:
    """The condition keys of one request. A key that AWS leaves out is left out."""
    keys: dict[str, Any] = {"kms:CallerAccount": get_account_id()}
    for parameter, name in _PARAMETERS.get(operation, {}).items():
        value = parameters.get(parameter, _DEFAULTS.get(name))
        if value is not None:
            keys[name] = _time(value) if name == "kms:ValidTo" else str(value)
    if operation in _WITH_ENCRYPTION_CONTEXT:
        keys |= encryption_context_keys(parameters.get("EncryptionContext") or {})
    reference = str(parameters.get("KeyId", ""))
    if "alias/" in reference:
        keys["kms:RequestAlias"] = f"alias/{reference.partition('alias/')[2]}"
    return keys if key is None else keys | key_keys(key)


def key_keys(key: KeyView) -> dict[str, Any]:
    """The condition keys that depend only on the KMS key."""
    keys: dict[str, Any] = {
        "kms:KeyOrigin": key.origin,
        "kms:KeySpec": key.spec,
        "kms:KeyUsage": key.usage,
        "kms:MultiRegion": str(key.multi_region).lower(),
    }
    if key.multi_region_type is not None:
        keys["kms:MultiRegionKeyType"] = key.multi_region_type
    if key.aliases:
        keys["kms:ResourceAliases"] = list(key.aliases)
    return keys


def encryption_context_keys(context: Mapping[str, str]) -> dict[str, Any]:
    if not context:
        return {}  # kms:EncryptionContextKeys is absent, not empty
    pairs = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    return {**pairs, "kms:EncryptionContextKeys": list(context)}


def _parameters(body: bytes) -> Mapping[str, Any]:
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        return {}  # the KMS itself will refuse it
    return parameters if isinstance(parameters, dict) else {}


def _time(value: Any) -> str:
    return datetime.fromtimestamp(float(value), UTC).isoformat()
