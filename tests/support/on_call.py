"""An application with AlarmTopicArn, and the person who gets what it sends. Fixtures for several files.

It is deployed in a Region of its own: the watch looks at all keys of its Region, and each event about a key runs it. Each file
that uses it is of the xdist_group "alarms".
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.local import deploy
from lab.local.locks import exclusive
from lab.local.mailbox import Mailbox
from lab.local.schedules import fire_rule
from lab.local.session import LocalAws
from tests.support.scene import Scene

REGION = "eu-central-2"
WATCHED = "watched"
WATCH = f"{WATCHED}-watch"
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.1


class OnCall:
    """The person who gets the alarms and the digests."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.mailbox = Mailbox(aws, WATCHED)
        self.cloudwatch = aws.client("cloudwatch")
        self.alarms: dict[str, dict[str, Any]] = {}  # by name: the message that said ALARM
        self.digests: list[str] = []

    def reads(self) -> None:
        """All that has arrived."""
        for mail in self.mailbox.take():
            if mail.text.startswith("{"):
                message = json.loads(mail.text)
                self.alarms[message["AlarmName"]] = message
            else:
                self.digests.append(mail.text)

    def has_heard_of(self, alarm: str) -> bool:
        self.reads()
        return alarm in self.alarms

    def hears_of(self, alarm: str) -> dict[str, Any]:
        """The message of this alarm; fails the test if it does not arrive in time."""
        until(lambda: self.has_heard_of(alarm), f"a message of {alarm}")
        return self.alarms[alarm]

    def digest_with(self, text: str) -> str:
        """Waits for a digest that has this text, and takes it; fails the test if it does not arrive in time."""
        until(lambda: self._number_with(text) is not None, f"a digest with {text}")
        return self.digests.pop(self._number_with(text) or 0)

    def _number_with(self, text: str) -> int | None:
        self.reads()
        return next((number for number, one in enumerate(self.digests) if text in one), None)

    def state(self, alarm: str) -> str:
        (found,) = self.cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return str(found["StateValue"])

    def becomes(self, alarm: str, state: str) -> None:
        until(lambda: self.state(alarm) == state, f"{alarm} in the state {state}")

    def runs_of_the_watch(self) -> float:
        return self.sum_of_the_watch("Invocations")

    def sum_of_the_watch(self, metric: str) -> float:
        """The sum of one of Lambda's metrics of the last hour."""
        now = datetime.now(UTC)
        answer = self.cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": WATCH}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=86400,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))

    def lets_the_watch_run(self) -> None:
        """Fires its schedule."""
        fire_rule(self.aws.settings, self.resource("WatchFunctionSchedule"))

    def resource(self, logical_id: str) -> str:
        """The physical id of a resource of the application."""
        found = self.aws.stacks.resource(WATCHED, logical_id) or {}
        return str(found["PhysicalResourceId"])


def until(seen: Callable[[], object], what: str) -> None:
    """Waits for `what`. Raises TimeoutError if it does not come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {PATIENCE_SECONDS} s for {what}")
        time.sleep(POLL_SECONDS)


@pytest.fixture
def watched(aws: LocalAws) -> Iterator[LocalAws]:
    """The Region in which it is deployed, for one test at a time, whichever process that runs in."""
    there = LocalAws(aws.folder, REGION)
    with exclusive(aws.folder / f"{WATCHED}.lock"):
        if not deploy.is_deployed(there.settings, WATCHED):
            topic = Mailbox(there, WATCHED).topic_arn
            parameters = {"FunctionName": WATCHED, "AlarmTopicArn": topic, "AlarmOnFailedRequests": "true"}
            deploy.deploy(there.settings, parameters, stack=WATCHED)
        yield there


@pytest.fixture
def on_call(watched: LocalAws) -> OnCall:
    return OnCall(watched)


@pytest.fixture
def watched_scene(watched: LocalAws) -> Scene:
    """A scene whose stacks use this application."""
    return Scene(watched, application=WATCHED)
