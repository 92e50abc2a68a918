"""Sends KMS's events to EventBridge, those of its own and those of a trail.

AWS does the following, and MiniStack does not (KMS Developer Guide, "Monitor KMS keys with Amazon EventBridge"; EventBridge
reference, "AWS service events delivered via AWS CloudTrail"):

- KMS itself sends an event when material has expired, a rotation is complete, or a key is gone
- where a trail logs management events, an event comes of each call that changes something. Here there is always a trail, of
  the calls in `_OF_A_TRAIL`. The caller is as CloudTrail writes it: a role's session has a sessionIssuer, root and IAM users
  have none

Not shown here: that both are best effort, and late; DeleteExpiredKeyMaterial; calls that were refused. What the fields of an
expiration's event are since keys have several materials is not known: it names the key only.
"""

import contextvars
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import eventbridge, kms, sts

from lab.kms.passing import Happening, What
from lab.local.corrections import strict_kms

TICK_SECONDS = 0.25
_DETAIL_TYPES = {
    What.EXPIRED: "KMS Imported Key Material Expiration",
    What.ROTATED: "KMS CMK Rotation",
    What.DELETED: "KMS CMK Deletion",
}
_OF_A_TRAIL = frozenset({"DeleteImportedKeyMaterial", "DisableKey", "ScheduleKeyDeletion"})


def apply() -> None:
    handle = kms.handle_request

    async def handled(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
        answer = await handle(method, path, headers, body, query)
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation in _OF_A_TRAIL and answer[0] == 200:
            _of_a_trail(operation, json.loads(body)["KeyId"], sts._caller_identity(headers, query))
        return answer

    kms.handle_request = handled
    threading.Thread(target=_tick, daemon=True, name="kms-events").start()


def _tick() -> None:
    while True:
        time.sleep(TICK_SECONDS)
        for one in strict_kms.KMS.take_happenings():
            contextvars.copy_context().run(_happened, one)


def _happened(one: Happening) -> None:
    _request_account_id.set(one.account)
    _request_region.set(one.region)
    detail = {"key-id": one.key_id}
    if one.what is What.ROTATED:
        detail |= {
            "key-origin": "EXTERNAL",
            "rotation-type": "ON_DEMAND",
            "previous-key-material-id": one.previous_material_id,
            "current-key-material-id": one.current_material_id,
        }
    _put(_DETAIL_TYPES[one.what], one.key_arn, detail)


def _of_a_trail(operation: str, key: str, caller: Any) -> None:
    found = strict_kms.key(key)
    if found is None or not isinstance(caller, dict):
        return
    detail = {
        "eventSource": "kms.amazonaws.com",
        "eventName": operation,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "userIdentity": identity(caller["userArn"]),
        "requestParameters": {"keyId": key},
        "resources": [{"accountId": found.account, "type": "AWS::KMS::Key", "ARN": found.arn}],
    }
    _put("AWS API Call via CloudTrail", found.arn, detail, named=False)


def identity(arn: str) -> dict[str, Any]:
    """The caller as CloudTrail writes it."""
    account, resource = arn.split(":")[4:6]
    kind, _, rest = resource.partition("/")
    if kind != "assumed-role":
        return {"type": "Root" if resource == "root" else "IAMUser", "arn": arn, "accountId": account}
    role = rest.partition("/")[0]
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account, "userName": role}
    return {"type": "AssumedRole", "arn": arn, "accountId": account, "sessionContext": {"sessionIssuer": issuer}}


def _put(detail_type: str, key_arn: str, detail: Mapping[str, Any], *, named: bool = True) -> None:
    """`named`: whether `resources` names the key. An event of a trail names it in `detail` only."""
    entry = {
        "Source": "aws.kms",
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": [key_arn] if named else [],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
