"""Sends requests to custom resources, waits for their answers and takes them, as CloudFormation does.

The first answer to the current request counts; all others are ignored. No answer within ServiceTimeout is a failure. An answer
of more than 4,096 bytes, or without an id, is a failure under an id that CloudFormation makes up; one for another request is
no answer (CloudFormation User Guide, "Custom resource request and response reference"; crhelper issues 56 and 67).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from string import ascii_uppercase, digits
from typing import Any
from uuid import UUID

from lab.cloudformation import request_shape
from lab.simulation.functions import Functions
from lab.simulation.scheduler import Scheduler, Signal, wait_any

TYPE = "Custom::ImportedKeyMaterial"
BODY_MAX_BYTES = 4096
SERVICE_TIMEOUT_SECONDS = 3600.0
SIGNATURE = "c0ffee5ac1e7b09d2f4386a1c05be97d43f8126e0b9a7c5d1f2e3846b7a8c9d0"  # in every ResponseURL: it must not leak
NO_ANSWER = "no answer in time"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that CloudFormation took for a request."""

    status: str
    physical_id: str
    reason: str = ""
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCESS"


@dataclass
class Sent:
    """A request that CloudFormation has made. `rollback`: whether its operation rolls back."""

    event: Mapping[str, Any]
    rollback: bool
    sent_at: datetime
    timeout_seconds: float
    answered: Signal
    awaited: bool = True

    def __str__(self) -> str:
        return f"{self.event['RequestType']} {self.event['LogicalResourceId']}"


class Cancelled(Exception):
    """The operation rolls back: nobody waits for this request any more."""

    def __init__(self, *, sent: bool) -> None:
        self.sent = sent
        super().__init__()


class Requests:
    """One stack's requests and answers. `on_sent`, `on_settled`: called for the judging."""

    def __init__(
        self, scheduler: Scheduler, random: Random, functions: Functions, account: str, tell: Callable[[str], None]
    ) -> None:
        self.sent: dict[str, Sent] = {}  # by request id
        self.on_settled: Callable[[Sent, Answer], None] = lambda *_: None
        self._scheduler = scheduler
        self._random = random
        self._functions = functions
        self._account = account
        self._tell = tell

    def event(
        self, kind: str, stack_id: str, logical_id: str, properties: Mapping[str, Any], **more: Any
    ) -> dict[str, Any]:
        """A request, as CloudFormation would make it now."""
        region = stack_id.split(":")[3]
        request_id = str(UUID(int=self._random.getrandbits(128), version=4))
        function = f"arn:aws:lambda:{region}:{self._account}:function:imported-key-material"
        bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
        path = request_shape.path(stack_id, logical_id, request_id)
        query = request_shape.query(stack_id, request_id, self._scheduler.now())
        if "OldResourceProperties" in more:
            more["OldResourceProperties"] = request_shape.with_service_token(more["OldResourceProperties"], function)
        return {
            "RequestType": kind,
            "ServiceToken": function,
            "ResponseURL": f"https://{bucket}.s3.{region}.amazonaws.com{path}?{query}&X-Amz-Signature={SIGNATURE}",
            "StackId": stack_id,
            "RequestId": request_id,
            "LogicalResourceId": logical_id,
            "ResourceType": TYPE,
            "ResourceProperties": request_shape.with_service_token(properties, function),
            **request_shape.service_timeout(properties),
            **more,
        }

    def ask(self, event: Mapping[str, Any], *, rollback: bool, cancel: Signal | None) -> Answer:
        """Sends a request, and waits for its answer, for ServiceTimeout, or for the operation's cancellation."""
        self._scheduler.sleep(self._random.uniform(0.01, 0.3))
        if cancel is not None and cancel.is_set:
            raise Cancelled(sent=False)
        timeout = float(event.get("ServiceTimeout", SERVICE_TIMEOUT_SECONDS))
        sent = Sent(event, rollback, self._scheduler.now(), timeout, Signal(self._scheduler))
        self.sent[event["RequestId"]] = sent
        self._functions.invoke(event)
        wait_any(self._scheduler, (sent.answered, *((cancel,) if cancel else ())), timeout)
        sent.awaited = False
        if sent.answered.is_set:
            answer: Answer = sent.answered.value
        elif cancel is not None and cancel.is_set:
            raise Cancelled(sent=True)
        else:
            answer = Answer("FAILED", event.get("PhysicalResourceId") or self.made_up_id(event), NO_ANSWER)
        self._tell(f"takes {answer.status} of {sent}{f': {answer.reason}' if answer.reason else ''}")
        self.on_settled(sent, answer)
        return answer

    def made_up_id(self, event: Mapping[str, Any]) -> str:
        name, suffix = event["StackId"].split("/")[1], "".join(self._random.choices(ascii_uppercase + digits, k=13))
        return f"{name}-{event['LogicalResourceId']}-{suffix}"

    def take(self, event: Mapping[str, Any], body: bytes) -> None:
        """A PUT to the ResponseURL of a request has arrived."""
        sent = self.sent.get(event["RequestId"])
        if sent is None or not sent.awaited or sent.answered.is_set:
            return
        answer = json.loads(body)
        if len(body) > BODY_MAX_BYTES or not answer.get("PhysicalResourceId"):
            id_ = event.get("PhysicalResourceId") or self.made_up_id(event)
            taken = Answer("FAILED", id_, "an answer that CloudFormation does not take")
        elif any(answer[name] != event[name] for name in ("StackId", "RequestId", "LogicalResourceId")):
            return
        else:
            reason, data = answer.get("Reason", ""), answer.get("Data", {})
            taken = Answer(answer["Status"], answer["PhysicalResourceId"], reason, data)
        sent.answered.set(taken)
