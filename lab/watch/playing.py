"""The watch in the one-process world, the events that invoke it, and what it publishes.

    watch = WatchWorld(world)
    watch.run()             # by the schedule; returns the digest, or None
    watch.run(event(key))   # by one of KMS's own events

Sources of the events: EventBridge User Guide, "Scheduled events"; KMS Developer Guide, "Monitor KMS keys with Amazon
EventBridge" and "DeleteExpiredKeyMaterial".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from imported_key_material.aws import boto_session
from imported_key_material.watch.calls import Clients
from imported_key_material.watch.estate import Estate
from imported_key_material.watch.findings import Finding
from imported_key_material.watch.run import Settings, Watch
from lab.awslambda.invocation import Context, FieldsInText
from lab.cloudformation.stack_reads import Stack
from lab.sns import Message, Sns
from lab.wire.transport import Refusal
from lab.world import ACCOUNT, FUNCTION_ARN, REGION, TYPE, World

WATCH_ARN: Final = f"{FUNCTION_ARN}-watch"
TOPIC_ARN: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
EXPORT: Final = "imported-key-material-ServiceToken"
ROLE: Final = f"arn:aws:sts::{ACCOUNT}:assumed-role/imported-key-material-WatchRole/imported-key-material-watch"
TIMEOUT_SECONDS: Final = 900.0


def scheduled(at: datetime) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/imported-key-material-watch"],
        "detail": {},
    }


def of_kms(detail_type: str, key_arn: str, **detail: Any) -> dict[str, Any]:
    """One of KMS's own events, which need no trail."""
    return {
        "version": "0",
        "id": "9da9af57-9253-4406-87cb-7cc400e43465",
        "detail-type": detail_type,
        "source": "aws.kms",
        "account": ACCOUNT,
        "time": "2026-12-01T12:00:00Z",
        "region": REGION,
        "resources": [key_arn],
        "detail": {"key-id": key_arn.rsplit("/", 1)[1], **detail},
    }


def of_cloudtrail(name: str, key: str | None, **detail: Any) -> dict[str, Any]:
    """A call that CloudTrail recorded. `key`: an id or an ARN, as the caller gave it."""
    recorded = {
        "eventSource": "kms.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "requestParameters": None if key is None else {"keyId": key},
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
    }
    return {
        "version": "0",
        "id": "36eb8523-97d0-4518-b33d-ee3579ff19f0",
        "detail-type": "AWS Service Event via CloudTrail" if key is None else "AWS API Call via CloudTrail",
        "source": "aws.kms",
        "account": ACCOUNT,
        "time": "2026-12-01T12:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": recorded | detail,
    }


@dataclass
class WatchWorld:
    """`measured`: what the metrics got."""

    world: World
    warning_days: int = 30
    measured: list[tuple[Estate, Sequence[Finding]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sns = Sns(TOPIC_ARN)
        self.world.aws.plug(self.sns)
        session, config = self.world.session(), boto_session.config
        clients: Any = [session.client(name, config=config(name)) for name in ("kms", "cloudformation", "sns")]
        self.function = Watch(
            Clients(*clients),
            Settings(TOPIC_ARN, self.warning_days, EXPORT),
            self.world.clock,
            FieldsInText(self.world._logger),  # noqa: SLF001  # the log that the world reads
            lambda estate, found, _now: self.measured.append((estate, found)),
        )

    def run(self, event: object = None, *, seconds: float = TIMEOUT_SECONDS) -> Message | None:
        """One invocation, by the schedule if no event is given. Returns what it published."""
        before = len(self.sns.published)
        given = scheduled(self.world.clock.now()) if event is None else event
        self.function(given, Context(self.world.clock, seconds, WATCH_ARN))
        if len(self.sns.published) == before:
            return None
        (message,) = self.sns.published[before:]
        return message

    def stack(self, name: str, *key_arns: str, imports: bool = True, adopted: bool = False) -> Stack:
        """A living stack that declares these keys, as Material0, Material1, ..."""
        world = self.world
        now = world.clock.now()
        stack = world.cloudformation.stack(
            name, region=REGION, account=ACCOUNT, status="CREATE_COMPLETE", created_at=now
        )
        if imports:
            stack.imports.add(EXPORT)
        for number, arn in enumerate(key_arns):
            id_ = arn.rsplit("/", 1)[1] if adopted else arn
            stack.set(f"Material{number}", "CREATE_COMPLETE", now, type=TYPE, physical_id=id_)
        return stack

    def deny(self, operation: str, *, skip: int = 0, times: int = 1) -> None:
        """The next calls of an operation are refused, as IAM refuses them where the key's policy does not allow them."""
        text = (
            f"User: {ROLE} is not authorized to perform: kms:{operation} on this resource because no resource-based "
            f"policy allows the kms:{operation} action"
        )
        self.world.aws.faults.inject(operation, Refusal(400, "AccessDeniedException", text), skip=skip, times=times)
