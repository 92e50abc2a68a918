"""The real function, from event to answer, in a world of one process: strict KMS, Secrets Manager, CloudFormation, a clock.

    with World() as world:
        key = world.external_key("SYMMETRIC_DEFAULT")
        secret = world.secret(bytes(range(32)))
        answer = world.create(key, SecretId=secret.name)

`create`, `update` and `delete` do what CloudFormation does around a request: they set the stack's and the resource's status
before it, and take over the answer after it. Everything else is the function's own doing, through boto3 and botocore.
"""

import json
import logging
import uuid
from collections.abc import Mapping
from datetime import timedelta
from io import StringIO
from random import Random
from typing import Any, Self
from urllib.parse import quote

import boto3

from imported_key_material import clients, function
from imported_key_material.waiting import Deadline
from tests.support.clock import VirtualClock
from tests.support.cloudformation import CloudFormation, Stack
from tests.support.in_process import InProcessAws
from tests.support.kms.service import StrictKms
from tests.support.kms.wire import KmsWire
from tests.support.secretsmanager import Secret, SecretsManager

REGION = "eu-central-1"
ACCOUNT = "111122223333"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:imported-key-material"
TAG = "imported-key-material"
TYPE = "Custom::ImportedKeyMaterial"
SIGNATURE = "c0ffee5ac1e7b09d2f4386a1c05be97d43f8126e0b9a7c5d1f2e3846b7a8c9d0"
LAMBDA_TIMEOUT_SECONDS = 900.0


class Context:
    """Lambda's context: its time runs on the world's clock."""

    function_name = "imported-key-material"
    aws_request_id = "d0c1b2a3-9485-4766-8574-635241302f1e"
    memory_limit_in_mb = 512

    def __init__(self, clock: VirtualClock, seconds: float, function_arn: str) -> None:
        self.invoked_function_arn = function_arn
        self._clock = clock
        self._end = clock.now() + timedelta(seconds=seconds)

    def get_remaining_time_in_millis(self) -> int:
        return round((self._end - self._clock.now()).total_seconds() * 1000)


class World:
    """One account and Region with one stack. `seed` decides everything."""

    def __init__(self, *, seed: int = 0, kms: StrictKms | None = None, stack_name: str = "orders") -> None:
        self.clock = VirtualClock(seed=seed)
        self.kms = kms or StrictKms(self.clock, seed=seed)
        self.secrets = SecretsManager(self.clock, seed=seed)
        self.cloudformation = CloudFormation(self.clock, seed=seed)
        self.aws = InProcessAws(self.clock, [KmsWire(self.kms), self.secrets, self.cloudformation])
        self.stack: Stack = self.cloudformation.stack(stack_name, region=REGION, account=ACCOUNT)
        self.bodies: list[bytes] = []
        self.log = StringIO()
        self._random = Random(seed)  # noqa: S311  # request ids that repeat
        self._handler = logging.StreamHandler(self.log)
        self._logger = logging.getLogger("imported_key_material")
        self.function = self._function()
        self.before: dict[str, dict[str, Any]] = {}  # by logical id: the properties of the last success

    def _function(self) -> Any:
        made = clients.make(self.session())
        return function.build(made, clock=self.clock, put=self._put, log=_Fields(self._logger), dns_suffix="amazonaws.com")

    def _put(self, _url: str, body: bytes, _deadline: Deadline) -> None:
        self.bodies.append(body)

    def __enter__(self) -> Self:
        self.aws.__enter__()
        self._logger.addHandler(self._handler)
        self._logger.setLevel(logging.INFO)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self._handler)
        self.aws.__exit__()

    def session(self, *, account: str = ACCOUNT, region: str = REGION) -> boto3.Session:
        return self.aws.session(region=region, account=account)

    # ------------------------------------------------------------------------------------------- what people set up

    def call(self, operation: str, *, region: str = REGION, account: str = ACCOUNT, **params: Any) -> Any:
        """A person's KMS call, not the function's."""
        return self.kms.call(operation, params, region=region, account=account)

    def external_key(self, spec: str = "SYMMETRIC_DEFAULT", usage: str | None = None, **params: Any) -> str:
        """The ARN of an empty key that the stack may use."""
        params = {"Origin": "EXTERNAL", "KeySpec": spec, "KeyUsage": usage or _USAGE.get(spec, "SIGN_VERIFY")} | params
        return self.key(**params)

    def key(self, *, tag: str | None = "orders", **params: Any) -> str:
        tags = [{"TagKey": TAG, "TagValue": tag}] if tag is not None else []
        arn: str = self.call("CreateKey", **params, Tags=tags)["KeyMetadata"]["Arn"]
        return arn

    def describe(self, arn: str) -> dict[str, Any]:
        metadata: dict[str, Any] = self.call("DescribeKey", KeyId=arn)["KeyMetadata"]
        return metadata

    def state(self, arn: str) -> str:
        return str(self.describe(arn)["KeyState"])

    def secret(
        self, value: bytes | str, name: str = "orders/master-key", *, tag: str | None = "orders", **options: Any
    ) -> Secret:
        tags = {TAG: tag} if tag is not None else {}
        return self.secrets.put(name, value, tags=tags, region=REGION, account=options.pop("account", ACCOUNT), **options)

    # --------------------------------------------------------------------------------------------- CloudFormation

    def create(self, key_id: str, logical_id: str = "Material", **properties: Any) -> dict[str, Any]:
        self.stack.set(logical_id, "CREATE_IN_PROGRESS", self.clock.now(), type=TYPE)
        return self._settle("Create", logical_id, {"KeyId": key_id} | properties)

    def update(self, key_id: str, logical_id: str = "Material", *, rollback: bool = False, **properties: Any) -> dict[str, Any]:
        self.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS" if rollback else "UPDATE_IN_PROGRESS"
        self.stack.updated_at = self.clock.now()
        self.stack.set(logical_id, "UPDATE_IN_PROGRESS", self.clock.now())
        return self._settle("Update", logical_id, {"KeyId": key_id} | properties)

    def delete(self, logical_id: str = "Material", *, physical_id: str | None = None, status: str = "DELETE_IN_PROGRESS") -> dict[str, Any]:
        self.stack.status = status
        self.stack.deleted_at = self.clock.now()
        self.stack.set(logical_id, "DELETE_IN_PROGRESS", self.clock.now())
        return self._settle("Delete", logical_id, self.before.get(logical_id, {}), physical_id=physical_id)

    def _settle(
        self, kind: str, logical_id: str, properties: dict[str, Any], *, physical_id: str | None = None
    ) -> dict[str, Any]:
        event = self.event(kind, logical_id, properties, physical_id=physical_id)
        answer = self.invoke(event)
        if answer is None:
            raise AssertionError("The function did not answer.")
        status = {"SUCCESS": "COMPLETE", "FAILED": "FAILED"}[answer["Status"]]
        self.stack.set(
            logical_id, f"{kind.upper()}_{status}", self.clock.now(), physical_id=answer["PhysicalResourceId"]
        )
        if answer["Status"] == "SUCCESS":
            self.before[logical_id] = dict(event["ResourceProperties"])
        return answer

    def event(
        self, kind: str, logical_id: str, properties: Mapping[str, Any], *, physical_id: str | None = None
    ) -> dict[str, Any]:
        """A request as CloudFormation makes it at this moment."""
        request_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        made_at = self.clock.now().strftime("%Y%m%dT%H%M%SZ")
        event: dict[str, Any] = {
            "RequestType": kind,
            "ServiceToken": FUNCTION_ARN,
            "ResponseURL": (
                f"https://cloudformation-custom-resource-response-eucentral1.s3.{REGION}.amazonaws.com/"
                f"{quote(f'{self.stack.id}|{logical_id}|{request_id}', safe='')}"
                f"?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={made_at}&X-Amz-Expires=7200&X-Amz-Signature={SIGNATURE}"
            ),
            "StackId": self.stack.id,
            "RequestId": request_id,
            "LogicalResourceId": logical_id,
            "ResourceType": TYPE,
            "ResourceProperties": {"ServiceToken": FUNCTION_ARN} | dict(properties),
        }
        if kind != "Create":
            event["PhysicalResourceId"] = physical_id or self.stack.resources[logical_id].physical_id
        if kind == "Update":
            event["OldResourceProperties"] = self.before[logical_id]
        return event

    def invoke(self, event: Mapping[str, Any], *, seconds: float = LAMBDA_TIMEOUT_SECONDS) -> dict[str, Any] | None:
        """One execution; None where it ended without an answer."""
        answered = len(self.bodies)
        self.function(event, Context(self.clock, seconds, FUNCTION_ARN))
        if len(self.bodies) == answered:
            return None
        (body,) = self.bodies[answered:]
        answer: dict[str, Any] = json.loads(body)
        return answer


class _Fields:
    """A logger whose lines tell their fields, as the JSON of the deployed function does."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def info(self, msg: str, *, extra: Mapping[str, object]) -> None:
        self._logger.info("%s %s", msg, json.dumps(dict(extra)))

    def warning(self, msg: str, *, extra: Mapping[str, object]) -> None:
        self._logger.warning("%s %s", msg, json.dumps(dict(extra)))


_USAGE = {
    "SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT",
    **dict.fromkeys(("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"), "GENERATE_VERIFY_MAC"),
}
