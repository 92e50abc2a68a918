"""CloudFormation's requests, as they arrive: events and contexts for tests of whatever takes them."""

import math
from typing import Any

from imported_key_material.request import Home, Request, read, response_hosts

HOME = Home(partition="aws", region="eu-central-1", account="111122223333")
STACK_ID = "arn:aws:cloudformation:eu-central-1:111122223333:stack/orders/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
REQUEST_ID = "5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716"
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BUCKET = "cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com"
# Percent-encoded StackId|LogicalResourceId|RequestId; the query is a credential for two hours.
TARGET = (
    "/arn%3Aaws%3Acloudformation%3Aeu-central-1%3A111122223333%3Astack/orders/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    f"%7CMaterial%7C{REQUEST_ID}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261201T115955Z&X-Amz-Expires=7200"
    "&X-Amz-SignedHeaders=host&X-Amz-Credential=AKIAEXAMPLE%2F20261201%2Feu-central-1%2Fs3%2Faws4_request"
)
SIGNATURE = "5ac1e7b09d2f4386a1c05be97d43f8126e0b9a7c5d1f2e3846b7a8c9d0e1f203"


def event(request_type: str, *, origin: str = f"https://{BUCKET}", **changes: Any) -> dict[str, Any]:
    """An event as CloudFormation sends it; `changes` replace fields, and remove those that they set to None."""
    fields: dict[str, Any] = {
        "RequestType": request_type,
        "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:imported-key-material",
        "ResponseURL": f"{origin}{TARGET}&X-Amz-Signature={SIGNATURE}",
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Material",
        "ResourceType": "Custom::ImportedKeyMaterial",
        "ResourceProperties": {"KeyId": KEY_ARN, "SecretId": "orders/master-key"},
    }
    if request_type != "Create":
        fields["PhysicalResourceId"] = KEY_ARN
    if request_type == "Update":
        fields["OldResourceProperties"] = {"KeyId": KEY_ARN, "SecretId": "orders/old-master-key"}
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def request(request_type: str, **changes: Any) -> Request:
    return read(event(request_type, **changes), HOME, response_hosts(HOME, "amazonaws.com"))


class Remaining:
    """A Lambda context with so much time left, which does not run out."""

    invoked_function_arn = "arn:aws:lambda:eu-central-1:111122223333:function:imported-key-material"
    function_name = "imported-key-material"
    aws_request_id = "d0c1b2a3-9485-4766-8574-635241302f1e"

    def __init__(self, seconds: float = 900.0) -> None:
        self._milliseconds = math.floor(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds
