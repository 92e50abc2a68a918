"""The deployed watch: what happens to a stack's keys is in its next digest, and in none after it was mended.

Alarms report the watch's own failures.
"""

import contextlib
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key
from tests.support.killing import killed_at_every_try
from tests.support.on_call import WATCH, WATCHED, until

pytestmark = pytest.mark.xdist_group("alarms")

MATERIAL = random_key(32)
LIFETIME = timedelta(seconds=2)
SHORT_SECONDS = 10
FINDING = re.compile(
    r"^\d+\. (.+)\n   Key:        (\S+)\n   Stack:      (\S+), resource (\w+), last deployed on ", re.MULTILINE
)

# What each resource's key is for. A key that ends soon is in each digest of all keys, so each run is heard of.
NAMES = EMPTIED, EXPIRED, DISABLED, HIDDEN, ENDING = ("Emptied", "Expired", "Disabled", "Hidden", "Ending")


@pytest.fixture
def scene(watched_scene):
    return watched_scene


@pytest.fixture
def declared(scene):
    """Returns a template with five keys. `renewed`: the resources that have a new Trigger."""
    secret = scene.secret(MATERIAL)
    token = {"Fn::ImportValue": f"{WATCHED}-ServiceToken"}

    def declared(*renewed):
        resources = {}
        for name in NAMES:
            more = {"ValidForDays": "5"} if name == ENDING else {}
            trigger = "second" if name in renewed else "first"
            resources[f"{name}Key"] = scene.stack_key()
            key = {"Fn::GetAtt": [f"{name}Key", "Arn"]}
            resources[name] = scene.material(key, secret, ServiceToken=token, Trigger=trigger, **more)
        return resources

    return declared


def policy(settings, *statements):
    """The policy that a key has by default, and more statements."""
    root = {"AWS": f"arn:aws:iam::{settings.account}:root"}
    by_default = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [by_default, *statements]})


def test_what_happens_to_the_keys_of_a_stack_is_in_the_next_digest_and_in_none_after_it_was_mended(
    watched, scene, declared, on_call
):
    stack = scene.create(declared(), {f"{name}Arn": {"Fn::GetAtt": [name, "KeyArn"]} for name in NAMES})
    assert stack.status == "CREATE_COMPLETE"
    keys = {name: stack.outputs[f"{name}Arn"] for name in NAMES}
    ids = {name: scene.look(arn)["CurrentKeyMaterialId"] for name, arn in keys.items()}

    def next_digest():
        """What the next run says of this stack: the first line of each finding, by the resource."""
        on_call.reads()
        on_call.digests.clear()
        on_call.lets_the_watch_run()
        found = FINDING.findall(on_call.digest_with(keys[ENDING]))
        mine = {name: (arn, said) for said, arn, stack, name in found if stack == scene.name}
        assert all(arn == keys[name] for name, (arn, _) in mine.items())
        return {name: said for name, (_, said) in mine.items()}

    (ending,) = (in_use := next_digest()).values()
    assert ending.startswith("URGENT: The key expires in 4 days, on ")

    scene.kms.delete_imported_key_material(KeyId=keys[EMPTIED])
    import_material(scene.kms, keys[EXPIRED], MATERIAL, ValidTo=datetime.now(UTC) + LIFETIME)
    scene.kms.disable_key(KeyId=keys[DISABLED])
    for name in (EMPTIED, EXPIRED, DISABLED):
        on_call.digest_with(keys[name])  # at once, by the events
    role = {"AWS": watched.role_arn(WATCH)}
    keeps_out = {"Effect": "Deny", "Principal": role, "Action": "kms:DescribeKey", "Resource": "*"}
    scene.kms.put_key_policy(KeyId=keys[HIDDEN], Policy=policy(watched.settings, keeps_out))

    out_of_use = "URGENT: The key is out of use:"
    digest = next_digest()
    expired = f"{out_of_use} key material {ids[EXPIRED][:8]}... (current) expired"
    assert digest.pop(EXPIRED) in {f"{expired}.", f"{expired} or was removed."}  # KMS soon no longer shows which
    assert digest == in_use | {
        EMPTIED: f"{out_of_use} key material {ids[EMPTIED][:8]}... (current) expired or was removed.",
        DISABLED: f"{out_of_use} it is disabled.",
        HIDDEN: "URGENT: The watch can't see the key: kms:DescribeKey is denied.",
    }

    scene.kms.put_key_policy(KeyId=keys[HIDDEN], Policy=policy(watched.settings))
    scene.kms.enable_key(KeyId=keys[DISABLED])
    assert scene.update(declared(EMPTIED, EXPIRED)).status == "UPDATE_COMPLETE"

    assert next_digest() == in_use
    on_call.reads()
    assert on_call.digests == []


# ------------------------------------------------------------------------------------------- the watch's own failures


@pytest.fixture
def copy_of(on_call):
    """Makes a copy of one of the application's alarms, which differs from it only by `changes`. Returns its name."""
    made = []
    settings = on_call.cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members

    def copy_of(alarm, **changes):
        (found,) = on_call.cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        same = {name: value for name, value in found.items() if name in settings and value not in ("", [])}
        made.append(f"{alarm}-{len(made)}")
        on_call.cloudwatch.put_metric_alarm(**same | changes | {"AlarmName": made[-1]})
        on_call.becomes(made[-1], "OK")
        return made[-1]

    yield copy_of
    on_call.cloudwatch.delete_alarms(AlarmNames=made)


@contextlib.contextmanager
def throttled(watched):
    """Lambda starts no run."""
    lambda_ = watched.client("lambda")
    lambda_.put_function_concurrency(FunctionName=WATCH, ReservedConcurrentExecutions=0)
    try:
        yield
    finally:
        lambda_.delete_function_concurrency(FunctionName=WATCH)


@contextlib.contextmanager
def without_rights(watched, on_call):
    """The role has no right to look at keys, as after a new service control policy."""
    iam, named = watched.client("iam"), {"RoleName": on_call.resource("WatchRole"), "PolicyName": "keys"}
    rights = iam.get_role_policy(**named)["PolicyDocument"]
    iam.delete_role_policy(**named)
    try:
        yield
    finally:
        iam.put_role_policy(**named, PolicyDocument=json.dumps(rights))


def test_a_watch_that_lambda_does_not_run_is_told_though_its_schedule_goes_on(watched, on_call, copy_of):
    """A day is ten seconds here."""
    on_call.lets_the_watch_run()
    until(on_call.runs_of_the_watch, "a run of the watch")
    alarm = copy_of(f"{WATCHED}-watch-silent", Period=SHORT_SECONDS)

    def schedule_goes_on():
        on_call.lets_the_watch_run()
        return on_call.has_heard_of(alarm)

    with throttled(watched):
        until(schedule_goes_on, f"a message of {alarm}")


@pytest.mark.parametrize("failure", ["without rights", "killed"])
def test_a_watch_that_fails_is_told(watched, on_call, copy_of, failure):
    """The alarm's copy does not count the errors of earlier tests."""
    alarm = copy_of(f"{WATCHED}-watch-errors", Threshold=on_call.sum_of_the_watch("Errors"))

    fails = without_rights(watched, on_call) if failure == "without rights" else killed_at_every_try(watched, WATCH)
    with fails:
        on_call.lets_the_watch_run()
        told = on_call.hears_of(alarm)

    assert told["AlarmDescription"] == (
        "The watch failed. Keys may expire without a warning: docs/operations.md#the-watch-failed"
    )
