"""Throttles and faults of Secrets Manager, CloudFormation and STS: each has its deadline, and a sentence that names it.

For KMS's quota see `test_kms_waits.py` and `test_handing_over.py`; for lost answers of KMS `test_lost_answers.py`; for the PUT
of the answer `tests/unit/cloudformation/test_delivery.py`.
"""

from datetime import timedelta
from random import Random

import pytest

from lab.keys.random_keys import random_key
from lab.simulation.requests import Requests
from lab.wire.faults import Faults, Moment
from lab.wire.transport import Fault, Refusal
from lab.world import ACCOUNT, REGION, TYPE

KEY = random_key(32)
ALWAYS = 10**6
SECRET = "orders/master-key"
V1 = "11111111-2222-3333-4444-555555555555"
AGAIN = "Run the deployment again when this account makes fewer calls in this Region."


def created(world):
    """The answer to a Create, and the seconds until it came."""
    key, secret = world.external_key(), world.secret(KEY)
    started = world.clock.now()
    answer = world.create(key, SecretId=secret.name)
    assert answer["PhysicalResourceId"].startswith("not-imported:")
    assert world.changes() == 0
    return answer["Reason"], (world.clock.now() - started).total_seconds()


def named(where, operation):
    """A refusal after DescribeSecret names the secret."""
    return f"{where} (secret {SECRET})" if operation == "GetSecretValue" else where


# ------------------------------------------------------------------------------------------------------------- throttles

CALLS = {
    "DescribeStacks": ("StackId", "cloudformation", "Throttling"),
    "DescribeStackResource": ("StackId", "cloudformation", "Throttling"),
    "DescribeSecret": ("SecretId", "secretsmanager", "ThrottlingException"),
    "GetSecretValue": ("SecretId", "secretsmanager", "ThrottlingException"),
    "ListResourceTags": ("KeyId", "kms", "ThrottlingException"),
}


@pytest.mark.parametrize("operation", CALLS)
def test_a_throttle_is_waited_out_to_the_end_of_the_invocation_and_named(world, operation):
    where, service, code = CALLS[operation]
    world.aws.faults.inject(operation, Fault.THROTTLED, times=ALWAYS)

    reason, seconds = created(world)

    assert reason.endswith(" Nothing was imported.")
    assert f"{where}: {service}:{operation} was throttled ({code}) for " in reason
    assert f" seconds, until no time was left. {AGAIN}" in reason
    assert seconds == pytest.approx(825, abs=15)  # botocore's own retries come on top
    assert seconds < 900
    assert world.handed_over == []  # such a throttle does not last for an hour


@pytest.mark.parametrize("operation", CALLS)
def test_a_throttle_that_passes_in_time_is_no_failure(world, operation):
    world.aws.faults.inject(operation, Fault.THROTTLED, times=ALWAYS)
    world.clock.after(600, world.aws.faults._planned.clear)
    key, secret = world.external_key(), world.secret(KEY)

    assert world.create(key, SecretId=secret.name)["Status"] == "SUCCESS"


def test_a_stack_s_list_that_stays_throttled_fails_the_delete_and_removes_nothing(world):
    key = world.external_key()
    world.create(key, SecretId=world.secret(KEY).name)
    world.aws.faults.inject("ListStackResources", Fault.THROTTLED, times=ALWAYS)

    answer = world.delete()

    assert answer["Reason"].startswith("StackId: cloudformation:ListStackResources was throttled (Throttling) for ")
    assert answer["Reason"].endswith(f" seconds, until no time was left. {AGAIN} Nothing was removed.")
    assert world.state(key) == "Enabled"


# ---------------------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.INTERNAL_ERROR, "was refused with "),
        (Fault.READ_TIMEOUT, "got no answer (ReadTimeoutError). The service could not be reached."),
    ],
)
def test_a_service_that_fails_is_waited_for_two_minutes_and_named(world, operation, fault, said):
    where, service, _ = CALLS[operation]
    world.aws.faults.inject(operation, fault, times=ALWAYS)

    reason, seconds = created(world)

    assert f"{named(where, operation)}: {service}:{operation} {said}" in reason
    assert 120 <= seconds < 260  # the function reads CloudFormation's status twice


# ----------------------------------------------------------------------------------------------------------- credentials

EXPIRED = {
    "kms": Refusal(400, "ExpiredTokenException", "The security token included in the request is expired"),
    "secretsmanager": Refusal(400, "ExpiredTokenException", "The security token included in the request is expired"),
    "cloudformation": Refusal(403, "ExpiredToken", "The security token included in the request is expired"),
}


@pytest.mark.parametrize("operation", [*CALLS, "DescribeKey", "GetParametersForImport"])
def test_credentials_that_ran_out_fail_the_request_at_once_and_say_so(world, operation):
    """Lambda gives the next invocation new ones. A wait does not bring them back."""
    where, service, _ = CALLS.get(operation, ("KeyId", "kms", ""))
    refusal = EXPIRED[service]
    world.aws.faults.inject(operation, refusal, times=ALWAYS)

    reason, seconds = created(world)

    assert reason == (
        f"{named(where, operation)}: {service}:{operation} was refused with {refusal.code}: The security token included in the "
        "request is expired. The function's credentials ran out. This passes by itself. Run the deployment again. Nothing was "
        "imported."
    )
    assert seconds < 61  # the function asks again after a "no" of CloudFormation; this is no "no"


def test_credentials_that_ran_out_between_import_and_confirmation_fail_under_the_id_that_a_delete_acts_on(world):
    key, secret = world.external_key(), world.secret(KEY)
    world.aws.hooks.append(
        lambda call, moment: (
            world.aws.faults.inject("DescribeKey", EXPIRED["kms"], times=ALWAYS)
            if (call.operation, moment) == ("ImportKeyMaterial", Moment.AFTER)
            else None
        )
    )

    answer = world.create(key, SecretId=secret.name)

    assert answer["Status"] == "FAILED"
    assert "kms:DescribeKey was refused with ExpiredTokenException" in answer["Reason"]
    assert answer["Reason"].endswith("KMS may hold the material already: a rollback or the next update handles it.")
    assert answer["PhysicalResourceId"] == key


def test_credentials_that_ran_out_do_not_make_a_rollback_fail(world):
    key = world.external_key()
    world.secret(KEY, version_id=V1)
    world.create(key, SecretId=SECRET, SecretVersionId=V1)
    event = world.update_request(key, rollback=True, SecretId=SECRET, SecretVersionId=V1)
    world.aws.faults.inject("DescribeKey", EXPIRED["kms"], times=ALWAYS)

    assert world.invoke(event)["Status"] == "SUCCESS"
    assert "The key can't be looked at." in world.log.getvalue()


# ------------------------------------------------------------------------------------------------- many Deletes at once

DELETES = 101  # one more than a page of the stack's list
READS_PER_SECOND = 5.0
OF_CLOUDFORMATION = {"DescribeStacks", "DescribeStackResource", "ListStackResources"}


class Bucket(Faults):
    """CloudFormation's limit on read calls of the account."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.left, self.since, self.throttled = clock, READS_PER_SECOND, clock.now(), 0

    def strike(self, operation, moment):
        if moment is not Moment.BEFORE or operation not in OF_CLOUDFORMATION:
            return None
        now = self.clock.now()
        self.left = min(READS_PER_SECOND, self.left + READS_PER_SECOND * (now - self.since).total_seconds())
        self.since = now
        if self.left < 1:
            self.throttled += 1
            return Fault.THROTTLED
        self.left -= 1
        return None


@pytest.mark.slow
def test_a_stack_whose_resources_are_all_deleted_at_once_gets_through_cloudformation_s_own_throttle(timeline):
    """Each of them lists the stack. AWS does not document CloudFormation's limit: at times it is a few calls a second."""
    now = timeline.scheduler.now()
    shown = timeline.cloudformation.stack("orders", region=REGION, account=ACCOUNT, status="DELETE_IN_PROGRESS")
    shown.deleted_at = now - timedelta(seconds=1)
    requests = Requests(timeline.scheduler, Random(1), None, ACCOUNT, print)  # noqa: S311  # ids that repeat
    for number in range(DELETES):
        key, name = timeline.external_key(), f"M{number}"
        shown.set(name, "DELETE_IN_PROGRESS", now, type=TYPE, physical_id=key)
        timeline.deliver(requests.event("Delete", shown.id, name, {}, PhysicalResourceId=key))
    timeline.aws.faults = bucket = Bucket(timeline.scheduler)

    timeline.run()

    assert [one.answer["Status"] for one in timeline.invocations] == ["SUCCESS"] * DELETES
    reads = sum(timeline.aws.count(operation) for operation in OF_CLOUDFORMATION)
    floor_seconds = (reads - bucket.throttled) / READS_PER_SECOND
    last = max(one.answered_at for one in timeline.invocations)
    assert (last - now).total_seconds() < 1.5 * floor_seconds
    assert reads < 20 * (reads - bucket.throttled)
