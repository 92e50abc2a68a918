"""Puts the project's strict KMS (lab/kms) in the place of MiniStack's own.

MiniStack's KMS accepts what AWS refuses: other material on re-import, an alias as KeyId, a ValidTo in the past, and more
(docs/internals/kms-contract.md says what KMS does). Calls still pass MiniStack's authentication, IAM and key policies first.
These read from the strict KMS what they need to know of a key.
"""

import asyncio
import base64
import binascii
import json
import os
import secrets
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import kms, tagging

from lab.clock import WallClock
from lab.kms import KeyView, KmsError, KmsWire, StrictKms, Timing
from lab.kms.ciphertext import take_apart
from lab.local.settings import ACCOUNT, REGION
from lab.wire.transport import Request

_ROTATION_SECONDS = float(os.environ.get("LOCAL_AWS_ROTATION_SECONDS", "2"))

KMS = StrictKms(
    WallClock(),
    seed=secrets.randbits(64),
    timing=Timing(
        rotation_seconds=(_ROTATION_SECONDS, _ROTATION_SECONDS),
        rotation_status_seconds=_ROTATION_SECONDS / 10,
        replica_creation_seconds=(0.5, 1.0),
        primary_update_seconds=(0.5, 1.0),
        import_state_lag_seconds=1.0,
    ),
)
_WIRE = KmsWire(KMS, default_account=ACCOUNT, default_region=REGION)

_extract_resource_arn = iam_actions.extract_resource_arn
_resource_tags = tagging.resource_tags


def apply() -> None:
    kms.handle_request = handle_request
    kms.key_policy_for_arn = key_policy_for_arn
    tagging.resource_tags = resource_tags
    iam_actions.extract_resource_arn = extract_resource_arn


def call(operation: str, **parameters: Any) -> dict[str, Any]:
    """Calls one operation, in the Region and account of the request that is being served."""
    return KMS.call(operation, parameters, region=get_region(), account=get_account_id())


def key(reference: str) -> KeyView | None:
    return KMS.key(reference, region=get_region(), account=get_account_id())


async def handle_request(
    method: str, path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, list[str]]
) -> tuple[int, dict[str, str], bytes]:
    """Uses a thread: making an RSA_4096 key pair takes seconds, and would block all other requests."""
    response = await asyncio.to_thread(_WIRE.handle, Request(method, path, headers, body))
    return response.status, response.headers, response.body


# ------------------------------------------------------------------------------------- what IAM needs to know of a key


def key_policy_for_arn(arn: str) -> tuple[str, str] | None:
    found = key(arn)
    return None if found is None else (found.policy, found.account)


def resource_tags(arn: str) -> dict[str, str] | None:
    if ":kms:" not in arn:
        tags: dict[str, str] | None = _resource_tags(arn)
        return tags
    found = key(arn)
    return None if found is None else dict(found.tags)


def extract_resource_arn(service: str, *request: Any) -> str:
    """IAM checks the key, however the request names it: by id, by alias, or only by a ciphertext."""
    arn = str(_extract_resource_arn(service, *request))
    if service != "kms":
        return arn
    body = request[3]
    found = key(arn) if arn.startswith("arn:") else _key_of_ciphertext(body)
    return arn if found is None else found.arn


def _key_of_ciphertext(body: bytes) -> KeyView | None:
    try:
        blob = base64.b64decode(json.loads(body)["CiphertextBlob"])
        return key(take_apart(blob).key_id)
    except (KmsError, ValueError, KeyError, TypeError, binascii.Error):
        return None
