"""The corrections of metrics, alarms and events: what AWS does, and that plain MiniStack still does not.

As in test_corrections.py. The functions here really run: what they log and how they end makes the metrics.
"""

import io
import json
import secrets
import time
import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from lab.keys.by_hand import import_material
from lab.local import places
from lab.local.clients import client
from lab.local.ministack import MiniStack
from lab.local.schedules import fire_rule
from lab.local.settings import Credentials

pytestmark = pytest.mark.xdist_group("local-aws-corrections-of-events")  # two MiniStacks serve all tests of this file

ALARM_MINUTE_SECONDS = 1.5
PATIENCE_SECONDS = 15
QUIET_SECONDS = 1.5  # what has not come by then does not come
CODE = """
def handler(event, context):
    for line in event.get("lines", []):
        print(line)
    if event.get("fails"):
        raise ValueError("on purpose")
"""


class World:
    """One MiniStack, with a topic whose messages arrive in a queue."""

    def __init__(self, settings):
        self.settings = settings
        self.sqs, self.cloudwatch, self.lambda_ = (self.client(name) for name in ("sqs", "cloudwatch", "lambda"))
        self.events, self.kms = self.client("events"), self.client("kms")
        self.topic = self.client("sns").create_topic(Name="on-call")["TopicArn"]
        self.messages = self.queue("messages")
        self.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.arn(self.messages))

    def client(self, service, credentials=None):
        return client(self.settings.with_credentials(credentials or self.settings.credentials), service)

    def arn(self, queue):
        return self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def queue(self, name):
        """Everybody may send to it."""
        url = self.sqs.create_queue(QueueName=f"{name}-{secrets.token_hex(4)}")["QueueUrl"]
        allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": self.arn(url)}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url

    def received(self, queue, seconds=QUIET_SECONDS, *, enough=1):
        """The bodies of what arrives within this time."""
        bodies, deadline = [], time.monotonic() + seconds
        while time.monotonic() < deadline and len(bodies) < enough:
            got = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
            bodies += [json.loads(one["Body"]) for one in got]
            for one in got:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
            time.sleep(0.05)
        return bodies

    def function(self):
        name = f"f-{secrets.token_hex(4)}"
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("code.py", "")
            archive.writestr("function.py", CODE)
        self.lambda_.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role,
            Handler="function.handler",
            Code={"ZipFile": code.getvalue()},
        )
        return name

    def invoke(self, name, *, kind="RequestResponse", **event):
        self.lambda_.invoke(FunctionName=name, InvocationType=kind, Payload=json.dumps(event).encode())

    def sums(self, namespace, metric, **dimensions):
        """The sum of a metric in the last minutes; None if it has no data."""
        now = datetime.now(UTC)
        answer = self.cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"]) if answer["Datapoints"] else None

    def alarm(self, name, **more):
        """On the metric Failures with the dimension service=NAME, above 0 in one period of a minute."""
        self.cloudwatch.put_metric_alarm(
            **{
                "AlarmName": name,
                "Namespace": "Tests",
                "MetricName": "Failures",
                "Dimensions": [{"Name": "service", "Value": name}],
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": [self.topic],
            }
            | more
        )

    def state(self, name):
        (alarm,) = self.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return alarm["StateValue"]

    def becomes(self, name, state, seconds=PATIENCE_SECONDS):
        return until(lambda: self.state(name) == state, seconds)

    def rule(self, *, target="", **rule):
        """A rule; returns its name, and the queue that gets its events if there is no other target."""
        name = f"rule-{secrets.token_hex(4)}"
        queue = self.queue("events")
        if "EventPattern" in rule:
            rule["EventPattern"] = json.dumps(rule["EventPattern"])
        self.events.put_rule(Name=name, **rule)
        self.events.put_targets(Rule=name, Targets=[{"Id": "it", "Arn": target or self.arn(queue)}])
        return name, queue


def until(seen, seconds=PATIENCE_SECONDS):
    deadline = time.monotonic() + seconds
    while not (found := seen()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(found)


@contextmanager
def world(*, plain):
    folder = places.temporary_folder("corrections-of-events")
    ministack = MiniStack(folder, plain=plain, retry_seconds=0.1, alarm_minute_seconds=ALARM_MINUTE_SECONDS)
    try:
        yield World(ministack.start())
    finally:
        ministack.stop()
        places.remove_tree(folder)


@pytest.fixture(scope="module")
def corrected():
    with world(plain=False) as one:
        yield one


@pytest.fixture(scope="module")
def plain():
    with world(plain=True) as one:
        yield one


# ---------------------------------------------------------------------------------------------------------- the metrics


def failures(*services, dimensions=("service",)):
    """Lines in the embedded metric format, one failure each."""
    directive = {
        "Namespace": "Tests",
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": "Failures", "Unit": "Count"}],
    }
    metadata = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    return [json.dumps({"_aws": metadata, "service": service, "Failures": [1.0]}) for service in services]


def test_lines_in_the_embedded_metric_format_become_metrics(corrected, plain):
    def sums(one):
        one.invoke(one.function(), lines=[*failures("a", "a", "b"), "no metric", *failures("c", dimensions=["gone"])])
        until(lambda: one.sums("Tests", "Failures", service="b"), 2)
        return [one.sums("Tests", "Failures", service=service) for service in "abc"]

    assert sums(corrected) == [2, 1, None]
    assert sums(plain) == [None, None, None]


def test_each_try_of_an_asynchronous_invocation_counts(corrected, plain):
    def sums(one):
        name = one.function()
        one.invoke(name, kind="Event", fails=True)
        until(lambda: one.sums("AWS/Lambda", "Errors", FunctionName=name) == 3, 3)
        return [one.sums("AWS/Lambda", metric, FunctionName=name) for metric in ("Invocations", "Errors", "Throttles")]

    assert sums(corrected) == [3, 3, 0]
    assert sums(plain) == [1, 0, 0]


def test_a_synchronous_invocation_counts_once(corrected):
    name = corrected.function()
    corrected.invoke(name)

    assert corrected.sums("AWS/Lambda", "Invocations", FunctionName=name) == 1


# ----------------------------------------------------------------------------------------------------------- the alarms


def test_an_alarm_sees_only_its_own_dimensions(corrected, plain):
    def states(one):
        mine, other = (f"alarm-{secrets.token_hex(4)}" for _ in range(2))
        one.alarm(mine)
        one.alarm(other)
        if one is plain:  # it makes no metrics of a function's lines, so they are put here
            data = [{"MetricName": "Failures", "Dimensions": [{"Name": "service", "Value": mine}], "Value": 1}]
            one.cloudwatch.put_metric_data(Namespace="Tests", MetricData=data)
        else:
            one.invoke(one.function(), lines=failures(mine))
        return one.becomes(mine, "ALARM"), one.becomes(other, "ALARM", QUIET_SECONDS)

    assert states(corrected) == (True, False)
    assert states(plain) == (True, True)


def test_an_alarm_sends_its_message_and_is_ok_again_when_its_period_is_over(corrected):
    name = f"alarm-{secrets.token_hex(4)}"
    corrected.alarm(name)
    assert corrected.becomes(name, "OK")

    corrected.invoke(corrected.function(), lines=failures(name))

    assert corrected.becomes(name, "ALARM")
    told = [json.loads(one["Message"]) for one in corrected.received(corrected.messages, PATIENCE_SECONDS, enough=1)]
    assert [(one["AlarmName"], one["NewStateValue"]) for one in told if one["AlarmName"] == name] == [(name, "ALARM")]
    assert corrected.becomes(name, "OK")


@pytest.mark.parametrize(
    ("treat", "state"), [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA")]
)
def test_a_period_without_data_is_judged_as_the_alarm_says(corrected, plain, treat, state):
    name = f"alarm-{secrets.token_hex(4)}"
    for one in (corrected, plain):
        one.alarm(name, TreatMissingData=treat, MetricName="Nothing")  # a plain one would see other tests' data

    assert corrected.becomes(name, state)
    assert plain.state(name) == "INSUFFICIENT_DATA"


def test_an_alarm_of_several_periods_needs_data_in_each(corrected):
    name = f"alarm-{secrets.token_hex(4)}"
    corrected.alarm(name, EvaluationPeriods=3)
    function = corrected.function()

    corrected.invoke(function, lines=failures(name))
    assert not corrected.becomes(name, "ALARM", QUIET_SECONDS)

    def again():
        corrected.invoke(function, lines=failures(name))
        return corrected.state(name) == "ALARM"

    assert until(again)


def test_a_state_that_somebody_set_is_told_and_does_not_stay(corrected, plain):
    name = f"alarm-{secrets.token_hex(4)}"
    for one in (corrected, plain):
        one.alarm(name)
        one.becomes(name, "OK", QUIET_SECONDS)
        one.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")

    assert corrected.becomes(name, "OK")
    assert plain.state(name) == "ALARM"


# ----------------------------------------------------------------------------------------------------------- the events


def test_a_function_that_a_rule_invokes_is_tried_again(corrected, plain):
    def invocations(one):
        name = one.function()
        arn = one.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        one.rule(target=arn, EventPattern={"source": [name]})
        one.events.put_rule(Name=f"{name}-fails", EventPattern=json.dumps({"source": [f"{name}-fails"]}))
        target = {"Id": "it", "Arn": arn, "Input": json.dumps({"fails": True})}
        one.events.put_targets(Rule=f"{name}-fails", Targets=[target])
        one.events.put_events(Entries=[{"Source": f"{name}-fails", "DetailType": "x", "Detail": "{}"}])
        until(lambda: one.sums("AWS/Lambda", "Invocations", FunctionName=name) == 3, 3)
        return one.sums("AWS/Lambda", "Invocations", FunctionName=name)

    assert invocations(corrected) == 3
    assert invocations(plain) is None  # it does not even count it


def test_a_rule_with_a_schedule_fires_when_a_test_says_so(corrected):
    name, queue = corrected.rule(ScheduleExpression="cron(0 6,18 * * ? *)")

    fire_rule(corrected.settings, name)

    (event,) = corrected.received(queue, PATIENCE_SECONDS)
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert event["resources"][0].endswith(f":rule/{name}")
    assert abs(datetime.fromisoformat(event["time"]) - datetime.now(UTC)) < timedelta(minutes=1)


KMS_EVENTS = ["KMS Imported Key Material Expiration", "KMS CMK Rotation", "KMS CMK Deletion"]


def test_an_expiry_is_an_event_without_anybody_looking(corrected, plain):
    def told(one):
        _, queue = one.rule(EventPattern={"source": ["aws.kms"], "detail-type": KMS_EVENTS})
        key = one.kms.create_key(Origin="EXTERNAL")["KeyMetadata"]
        import_material(one.kms, key["KeyId"], bytes(range(32)), ValidTo=datetime.now(UTC) + timedelta(seconds=2))
        events = one.received(queue, PATIENCE_SECONDS if one is corrected else 2 + QUIET_SECONDS)
        return [(one["detail-type"], one["resources"] == [key["Arn"]], one["detail"]) for one in events], key["KeyId"]

    events, key_id = told(corrected)
    assert events == [(KMS_EVENTS[0], True, {"key-id": key_id})]
    assert told(plain)[0] == []


def test_a_rotation_is_an_event_with_both_materials(corrected):
    _, queue = corrected.rule(EventPattern={"source": ["aws.kms"], "detail-type": KMS_EVENTS})
    key = corrected.kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    import_material(corrected.kms, key, bytes(range(32)))
    import_material(corrected.kms, key, bytes(range(1, 33)), ImportType="NEW_KEY_MATERIAL")
    corrected.kms.rotate_key_on_demand(KeyId=key)

    (event,) = corrected.received(queue, PATIENCE_SECONDS)

    listed = corrected.kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert event["detail-type"] == "KMS CMK Rotation"
    assert [event["detail"][f"{which}-key-material-id"] for which in ("previous", "current")] == [
        one["KeyMaterialId"] for one in listed
    ]


def test_a_call_that_takes_a_key_out_of_use_is_an_event_of_a_trail_that_says_who_called(corrected, plain):
    """The function's own role is left out by its ARN. Root has no sessionIssuer, and must not be left out."""

    def told(one):
        name = f"role-{secrets.token_hex(4)}"
        iam = one.client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        rights = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=policy)
        session = one.client("sts").assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]
        as_role = one.client(
            "kms", Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
        )
        issuer = {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [{"anything-but": [role]}]}}}}
        nobody = {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [{"exists": False}]}}}}
        pattern = {
            "source": ["aws.kms"],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {"eventName": ["DisableKey"], "$or": [issuer, nobody]},
        }
        _, queue = one.rule(EventPattern=pattern)
        keys = [one.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
        as_role.disable_key(KeyId=keys[0])
        one.kms.disable_key(KeyId=keys[1])
        events = one.received(queue, enough=2)
        return [keys.index(event["detail"]["resources"][0]["ARN"]) for event in events]

    assert told(corrected) == [1]
    assert told(plain) == []
