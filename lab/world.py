"""The real function, from event to answer, in a one-process world: strict KMS, Secrets Manager, CloudFormation, a clock.

    with World() as world:
        key = world.external_key("SYMMETRIC_DEFAULT")
        secret = world.secret(bytes(range(32)))
        answer = world.create(key, SecretId=secret.name)

`create`, `update` and `delete` do what CloudFormation does around a request: they set the stack's and the resource's status
before it, and take over the answer after it. The function does everything else, through boto3 and botocore. A test can also
act between the steps: `create_request` and the like set the statuses and return the event, `invoke` runs one invocation,
`settle` takes the answer. WrappingKeySpec is RSA_2048 unless a test says otherwise (None: not declared), since larger keys
take longer.
"""

import json
import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from io import StringIO
from random import Random
from typing import Any, Self

import boto3

from imported_key_material.aws import clients
from imported_key_material.clock import Deadline
from imported_key_material.wiring import Wiring
from lab.awslambda.invocation import Context, FieldsInText
from lab.awslambda.invoke import LambdaService
from lab.clock import START, VirtualClock
from lab.cloudformation import request_shape
from lab.cloudformation.stack_reads import CloudFormation, Stack
from lab.kms.materials import usage_of
from lab.kms.quotas import Quotas
from lab.kms.service import Lag, StrictKms
from lab.kms.wire import KmsWire
from lab.measured import Measured
from lab.secretsmanager.reads import Secret, SecretsManager
from lab.wire.faults import Moment
from lab.wire.in_process import Call, InProcessAws
from lab.wire.transport import Service

REGION = "eu-central-1"
ACCOUNT = "111122223333"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:imported-key-material"
TAG = "imported-key-material"
TYPE = "Custom::ImportedKeyMaterial"
SIGNATURE = "c0ffee5ac1e7b09d2f4386a1c05be97d43f8126e0b9a7c5d1f2e3846b7a8c9d0"
LAMBDA_TIMEOUT_SECONDS = 900.0
# Recorded (2017 to 2024): the first resource of a new stack, and its Create, begin 3.0 to 4.4 s after CreationTime.
BEFORE_FIRST_RESOURCE = timedelta(seconds=3)


class Crash(BaseException):
    """The environment dies: out of memory, or out of time. The invocation ends."""


class World:
    """One account and Region with one stack. `seed` decides everything."""

    def __init__(
        self,
        *,
        seed: int = 0,
        lag: Lag | None = None,
        quotas: Quotas | None = None,
        stack_name: str = "orders",
        start: datetime = START,
    ) -> None:
        self.clock = VirtualClock(start, seed=seed)
        self.kms = StrictKms(self.clock, seed=seed, lag=lag, quotas=quotas)
        self.secrets = SecretsManager(self.clock, seed=seed)
        self.cloudformation = CloudFormation(self.clock, seed=seed)
        self.handed_over: list[tuple[str, dict[str, Any]]] = []  # function and event, in the order of the calls
        self.measured = Measured()
        services: list[Service] = [KmsWire(self.kms), self.secrets, self.cloudformation, LambdaService(self._take)]
        self.aws = InProcessAws(self.clock, services)
        self.stack: Stack = self.cloudformation.stack(
            stack_name, region=REGION, account=ACCOUNT, created_at=start - BEFORE_FIRST_RESOURCE
        )
        self.bodies: list[bytes] = []
        self.log = StringIO()
        self._random = Random(seed)  # noqa: S311  # request ids that repeat
        self._handler = logging.StreamHandler(self.log)
        self._logger = logging.getLogger("imported_key_material")
        self.function = self._function()
        self.before: dict[str, dict[str, Any]] = {}  # by logical id: the properties of the last success

    def _function(self) -> Any:
        return Wiring(
            clients.make(self.session()),
            clock=self.clock,
            put=self._put,
            log=FieldsInText(self._logger),
            dns_suffix="amazonaws.com",
            meter=self.measured,
        ).responder()

    def _take(self, function_arn: str, event: dict[str, Any]) -> None:
        """Takes events that the function hands over, as Lambda's queue does."""
        self.handed_over.append((function_arn, event))

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
        self.aws.close()

    def session(self, *, account: str = ACCOUNT, region: str = REGION) -> boto3.Session:
        return self.aws.session(region=region, account=account)

    # ------------------------------------------------------------------------------------------- what people set up

    def call(self, operation: str, *, region: str = REGION, account: str = ACCOUNT, **params: Any) -> Any:
        """A person's KMS call, not the function's."""
        return self.kms.call(operation, params, region=region, account=account)

    def external_key(
        self, spec: str = "SYMMETRIC_DEFAULT", usage: str | None = None, *, in_stack: bool = False, **params: Any
    ) -> str:
        """The ARN of an empty key that the stack may use. `in_stack`: the stack itself makes it, as `Key`."""
        params = {"Origin": "EXTERNAL", "KeySpec": spec, "KeyUsage": usage or usage_of(spec)} | params
        arn = self.key(**params)
        if in_stack:
            now, key_id = self.clock.now(), arn.rsplit("/", 1)[1]
            self.stack.set("Key", "CREATE_COMPLETE", now, type="AWS::KMS::Key", physical_id=key_id)
        return arn

    def key(self, *, tag: str | None = "orders", **params: Any) -> str:
        tags = [{"TagKey": TAG, "TagValue": tag}] if tag is not None else []
        return str(self.call("CreateKey", **params, Tags=tags)["KeyMetadata"]["Arn"])

    def describe(self, arn: str) -> dict[str, Any]:
        return dict(self.call("DescribeKey", KeyId=arn)["KeyMetadata"])

    def state(self, arn: str) -> str:
        return str(self.describe(arn)["KeyState"])

    def secret(
        self, value: bytes | str, name: str = "orders/master-key", *, tag: str | None = "orders", **options: Any
    ) -> Secret:
        tags = {TAG: tag} if tag is not None else {}
        return self.secrets.put(
            name, value, tags=tags, region=REGION, account=options.pop("account", ACCOUNT), **options
        )

    def last_read(self) -> str:
        """The secret and the version that the function read last, as its errors name them."""
        name, version_id = self.secrets.given[-1]
        return f"(secret {name}, version {version_id})"

    def snapshot(self) -> object:
        """All that KMS holds. Two snapshots are equal if nothing changed in between."""
        store = self.kms._store  # noqa: SLF001  # only a snapshot may read the store
        return {family.key_id: family.copy() for family in store.all_families(self.clock.now())}, dict(store.aliases)

    def changes(self) -> int:
        """How many calls that change a key's material have reached KMS."""
        return self.aws.count("ImportKeyMaterial") + self.aws.count("DeleteImportedKeyMaterial")

    # --------------------------------------------------------------------------------------------- CloudFormation

    def create(self, key_id: str, logical_id: str = "Material", **properties: Any) -> dict[str, Any]:
        return self._carried_out(self.create_request(key_id, logical_id, **properties))

    def update(
        self, key_id: str, logical_id: str = "Material", *, rollback: bool = False, **properties: Any
    ) -> dict[str, Any]:
        return self._carried_out(self.update_request(key_id, logical_id, rollback=rollback, **properties))

    def delete(
        self, logical_id: str = "Material", *, physical_id: str | None = None, status: str = "DELETE_IN_PROGRESS"
    ) -> dict[str, Any]:
        return self._carried_out(self.delete_request(logical_id, physical_id=physical_id, status=status))

    def create_request(self, key_id: str, logical_id: str = "Material", **properties: Any) -> dict[str, Any]:
        self.stack.set(logical_id, "CREATE_IN_PROGRESS", self.clock.now(), type=TYPE)
        return self.event("Create", logical_id, _declared(key_id, properties))

    def update_request(
        self, key_id: str, logical_id: str = "Material", *, rollback: bool = False, **properties: Any
    ) -> dict[str, Any]:
        self.stack.begin("UPDATE_ROLLBACK_IN_PROGRESS" if rollback else "UPDATE_IN_PROGRESS", self.clock.now())
        self.stack.updated_at = self.clock.now()
        self.stack.set(logical_id, "UPDATE_IN_PROGRESS", self.clock.now())
        return self.event("Update", logical_id, _declared(key_id, properties))

    def delete_request(
        self, logical_id: str = "Material", *, physical_id: str | None = None, status: str = "DELETE_IN_PROGRESS"
    ) -> dict[str, Any]:
        """With a `physical_id` that is not the resource's present id, a clean-up's Delete: the resource keeps its own id."""
        self.stack.begin(status, self.clock.now())
        if status in ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):  # recorded: 2018 to 2022
            self.stack.deleted_at = self.clock.now()
        if physical_id is None:
            self.stack.set(logical_id, "DELETE_IN_PROGRESS", self.clock.now())
        else:
            self.stack.set_old(logical_id, "DELETE_IN_PROGRESS", self.clock.now(), physical_id)
        return self.event("Delete", logical_id, self.before.get(logical_id, {}), physical_id=physical_id)

    def _carried_out(self, event: dict[str, Any]) -> dict[str, Any]:
        answer = self.invoke_to_the_end(event)
        if answer is None:
            raise AssertionError("The function did not answer.")
        self.settle(event, answer)
        return answer

    def settle(self, event: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """CloudFormation takes an answer over.

        Recorded (2020, 2025): then the resource is in progress once more, under the id of an answer to a Create or of a
        replacement. On AWS this lasts 0.15 to 0.7 s, as in the simulation and the local AWS; here no time passes.
        """
        logical_id, kind = event["LogicalResourceId"], event["RequestType"]
        status = f"{kind.upper()}_{'COMPLETE' if answer['Status'] == 'SUCCESS' else 'FAILED'}"
        resource, id_, now = self.stack.resources.get(logical_id), answer["PhysicalResourceId"], self.clock.now()
        if kind == "Delete" and (resource is None or resource.status != "DELETE_IN_PROGRESS"):
            self.stack.set_old(logical_id, status, now, id_)  # for an id that the resource no longer has
            return
        if kind == "Create" or (kind == "Update" and resource is not None and resource.physical_id != id_):
            self.stack.set(logical_id, f"{kind.upper()}_IN_PROGRESS", now, physical_id=id_)
        self.stack.set(logical_id, status, now, physical_id=id_)
        if answer["Status"] == "SUCCESS" and kind != "Delete":
            self.before[logical_id] = dict(event["ResourceProperties"])

    def event(
        self, kind: str, logical_id: str, properties: Mapping[str, Any], *, physical_id: str | None = None
    ) -> dict[str, Any]:
        """A request, as CloudFormation would make it now."""
        request_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        made_at = self.clock.now()
        event: dict[str, Any] = {
            "RequestType": kind,
            "ServiceToken": FUNCTION_ARN,
            "ResponseURL": (
                f"https://cloudformation-custom-resource-response-eucentral1.s3.{REGION}.amazonaws.com"
                f"{request_shape.path(self.stack.id, logical_id, request_id)}"
                f"?{request_shape.query(self.stack.id, request_id, made_at)}&X-Amz-Signature={SIGNATURE}"
            ),
            "StackId": self.stack.id,
            "RequestId": request_id,
            "LogicalResourceId": logical_id,
            "ResourceType": TYPE,
            "ResourceProperties": request_shape.with_service_token(properties, FUNCTION_ARN),
            **request_shape.service_timeout(properties),
        }
        if kind != "Create":
            event["PhysicalResourceId"] = physical_id or self.stack.resources[logical_id].physical_id
        if kind == "Update":
            event["OldResourceProperties"] = self.before[logical_id]
        return event

    def invoke(self, event: Mapping[str, Any], *, seconds: float = LAMBDA_TIMEOUT_SECONDS) -> dict[str, Any] | None:
        """Runs one invocation. Returns the answer, or None if there was none."""
        answered = len(self.bodies)
        self.function(event, Context(self.clock, seconds, FUNCTION_ARN))
        if len(self.bodies) == answered:
            return None
        (body,) = self.bodies[answered:]
        return dict(json.loads(body))

    def invoke_to_the_end(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """Runs an invocation, and the invocations to which the request is handed over, one after the other."""
        handed_over = len(self.handed_over)
        answer = self.invoke(event)
        while answer is None and len(self.handed_over) > handed_over:
            handed_over = len(self.handed_over)
            answer = self.invoke(self.handed_over[-1][1])
        return answer

    def crash(self, call_number: int, moment: Moment) -> None:
        """The environment dies at a call of the function, counted from 0 from now on, before or after its effect."""
        seen = -1

        def hook(_call: Call, at: Moment) -> None:
            nonlocal seen
            seen += at is Moment.BEFORE
            if (seen, at) == (call_number, moment):
                self.aws.hooks.remove(hook)
                self.function = self._function()  # the next invocation has a new environment
                raise Crash

        self.aws.hooks.append(hook)


def _declared(key_id: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    declared = {"KeyId": key_id, "WrappingKeySpec": "RSA_2048"} | dict(properties)
    return {name: value for name, value in declared.items() if value is not None}
