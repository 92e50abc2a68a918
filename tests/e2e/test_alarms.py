"""An application with AlarmTopicArn: real requests, and what its functions log, raise its alarms; their messages arrive.

No test puts a datum: the metrics are those of the functions' own log lines and invocations. The tests deploy the application
another time, under another name, since the other tests' one has no topic.
"""

import json
import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key
from lab.local import deploy
from lab.local.locks import exclusive
from lab.local.schedules import fire_rule
from tests.support.scene import Scene

pytestmark = pytest.mark.xdist_group("alarms")

WATCHED = "watched"
WATCH = f"{WATCHED}-watch"
HANDLER = "imported_key_material.app.handler"
PATIENCE_SECONDS = 60
REST_SECONDS = 2.5  # longer than any wait before a second try


class OnCall:
    """The person who gets the alarms: a queue that is subscribed to the topic."""

    def __init__(self, aws):
        self.aws, self.sqs, self.sns = aws, aws.client("sqs"), aws.client("sns")
        self.topic = self.sns.create_topic(Name=WATCHED)["TopicArn"]  # the same one if it exists
        name = f"on-call-{secrets.token_hex(4)}"
        self.queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = f"arn:aws:sqs:{aws.settings.region}:{aws.settings.account}:{name}"
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": json.dumps(policy)})
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        self.told = {}  # alarm's name: the message that said ALARM

    def hears_of(self, alarm):
        """The message of this alarm; fails the test if it does not arrive in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while alarm not in self.told:
            assert time.monotonic() < deadline, f"nothing of {alarm}, only of {sorted(self.told)}"
            for one in self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
                text = json.loads(one["Body"])["Message"]
                if text.startswith("{"):  # not one of the watch's digests
                    message = json.loads(text)
                    self.told[message["AlarmName"]] = message
            time.sleep(0.1)
        return self.told[alarm]

    def state(self, alarm):
        (found,) = self.aws.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return found["StateValue"]

    def runs_of_the_watch(self):
        now = datetime.now(UTC)
        answer = self.aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": "FunctionName", "Value": WATCH}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=86400,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])

    def runs_of_the_watch_at_rest(self):
        """When no event and no second try of one is on its way any more."""
        seen = -1
        while seen != (seen := self.runs_of_the_watch()):
            time.sleep(REST_SECONDS)
        return seen


def until(seen):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def on_call(aws):
    """For one test at a time, whichever process that runs in."""
    with exclusive(aws.folder / f"{WATCHED}.lock"):
        made = OnCall(aws)
        if not deploy.is_deployed(aws.settings, WATCHED):
            parameters = {"FunctionName": WATCHED, "AlarmTopicArn": made.topic, "AlarmOnFailedRequests": "true"}
            deploy.deploy(aws.settings, parameters, stack=WATCHED)
        yield made


@pytest.fixture
def scene(aws, on_call):
    made = Scene(aws)
    made.token = deploy.service_token(aws.settings, stack=WATCHED)
    return made


def resource(aws, logical_id):
    cloudformation = aws.client("cloudformation")
    found = cloudformation.describe_stack_resource(StackName=WATCHED, LogicalResourceId=logical_id)
    return found["StackResourceDetail"]["PhysicalResourceId"]


def test_a_request_that_failed_is_told(scene, on_call):
    assert on_call.state(f"{WATCHED}-requests-failed") == "OK"
    stack = scene.create({"Material": scene.material(scene.empty_key(), scene.name, NoSuchProperty="x")})
    assert stack.status == "ROLLBACK_COMPLETE"

    told = on_call.hears_of(f"{WATCHED}-requests-failed")

    assert told["NewStateValue"] == "ALARM"
    assert told["AlarmDescription"] == "A request FAILED: docs/operations.md#a-request-failed"


def test_a_request_that_the_function_could_not_end_is_told(aws, scene, on_call):
    lambda_ = aws.client("lambda")
    lambda_.update_function_configuration(FunctionName=WATCHED, Handler="imported_key_material.gone.handler")
    try:
        secret = scene.secret(random_key(32))
        stack = scene.create({"Material": scene.material(scene.empty_key(), secret)})
    finally:
        lambda_.update_function_configuration(FunctionName=WATCHED, Handler=HANDLER)
    assert stack.status.startswith("ROLLBACK_")

    on_call.hears_of(f"{WATCHED}-requests-not-ended")
    on_call.hears_of(f"{WATCHED}-errors")
    assert on_call.state(f"{WATCHED}-on-failure-errors") == "OK"


def test_a_watch_that_does_not_run_is_told_until_its_schedule_runs_it(aws, on_call):
    alarm = f"{WATCHED}-watch-silent"
    if not on_call.runs_of_the_watch():
        until(lambda: on_call.state(alarm) == "ALARM")

    fire_rule(aws.settings, resource(aws, "WatchFunctionSchedule"))

    until(on_call.runs_of_the_watch)
    until(lambda: on_call.state(alarm) == "OK")


def test_an_expiry_and_a_disabled_key_run_the_watch_and_what_the_function_itself_removes_does_not(aws, scene, on_call):
    kms = aws.client("kms")

    def runs_after(change):
        before = on_call.runs_of_the_watch()
        change()
        until(lambda: on_call.runs_of_the_watch() > before)

    key = scene.empty_key()
    valid_to = datetime.now(UTC) + timedelta(seconds=2)
    runs_after(lambda: import_material(kms, key, random_key(32), ValidTo=valid_to))
    other = scene.key()
    runs_after(lambda: kms.disable_key(KeyId=other))

    secret = scene.secret(random_key(32))
    scene.create({"Material": scene.material(scene.empty_key(), secret)})
    before = on_call.runs_of_the_watch_at_rest()
    scene.delete()
    assert on_call.runs_of_the_watch_at_rest() == before
