"""CloudFormation's requests as they arrive: events and contexts for tests."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from imported_key_material.cloudformation.request import Request, read, response_hosts
from imported_key_material.key_id import Home
from lab.cloudformation import request_shape

HOME = Home(partition="aws", region="eu-central-1", account="111122223333")
MADE_AT = datetime(2026, 12, 1, 11, 59, 55, tzinfo=UTC)
UNIQUE = request_shape.unique_part(MADE_AT - timedelta(seconds=3), Random(0))  # noqa: S311  # an id that repeats
STACK_ID = f"arn:aws:cloudformation:eu-central-1:111122223333:stack/orders/{UNIQUE}"
REQUEST_ID = "5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716"
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SERVICE_TOKEN = "arn:aws:lambda:eu-central-1:111122223333:function:imported-key-material"  # noqa: S105  # an address
BUCKET = "cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com"
# The query is a credential for two hours.
TARGET = f"{request_shape.path(STACK_ID, 'Material', REQUEST_ID)}?{request_shape.query(STACK_ID, REQUEST_ID, MADE_AT)}"
SIGNATURE = "5ac1e7b09d2f4386a1c05be97d43f8126e0b9a7c5d1f2e3846b7a8c9d0e1f203"


def event(request_type: str, *, origin: str = f"https://{BUCKET}", **changes: Any) -> dict[str, Any]:
    """An event as CloudFormation sends it; `changes` replace fields, and remove those that they set to None."""
    fields: dict[str, Any] = {
        "RequestType": request_type,
        "ServiceToken": SERVICE_TOKEN,
        "ResponseURL": f"{origin}{TARGET}&X-Amz-Signature={SIGNATURE}",
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Material",
        "ResourceType": "Custom::ImportedKeyMaterial",
        "ResourceProperties": _properties("orders/master-key"),
    }
    if request_type != "Create":
        fields["PhysicalResourceId"] = KEY_ARN
    if request_type == "Update":
        fields["OldResourceProperties"] = _properties("orders/old-master-key")
    made = {**fields, **changes}
    declared = made["ResourceProperties"]
    timeout = request_shape.service_timeout(declared) if isinstance(declared, Mapping) else {}
    return {name: value for name, value in {**timeout, **made}.items() if value is not None}


def _properties(secret_id: str) -> dict[str, str]:
    return request_shape.with_service_token({"KeyId": KEY_ARN, "SecretId": secret_id}, SERVICE_TOKEN)


def request(request_type: str, **changes: Any) -> Request:
    return read(event(request_type, **changes), HOME, response_hosts(HOME, "amazonaws.com"))


class Remaining:
    """A Lambda context whose remaining time never changes."""

    invoked_function_arn = "arn:aws:lambda:eu-central-1:111122223333:function:imported-key-material"
    function_name = "imported-key-material"
    aws_request_id = "d0c1b2a3-9485-4766-8574-635241302f1e"

    def __init__(self, seconds: float = 900.0) -> None:
        self._milliseconds = math.floor(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds
