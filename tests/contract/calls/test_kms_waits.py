"""The function waits for what passes: a new key, a right on its way, a KMS that fails or lags. It waits for the quota until its
time ends.

An account may call GetParametersForImport once a second in a Region. The function's own loop repeats a throttled call; if
that does not get through, the error names the quota.
"""

import pytest

from lab.keys.random_keys import random_key
from lab.kms import Lag, Quotas
from lab.wire.faults import Moment
from lab.wire.transport import Fault, Refusal
from lab.world import World

KEY = random_key(32)
ALWAYS = 10**6


def seconds_of(world, act):
    started = world.clock.now()
    answer = act()
    return answer, (world.clock.now() - started).total_seconds()


# ------------------------------------------------------------------------------------------------------- what passes by

PASSING = [
    Refusal(500, "DependencyTimeoutException", "The system timed out."),
    Refusal(500, "KMSInternalException", "An internal error occurred."),
    Refusal(400, "KMSInvalidStateException", "K is creating."),
    Refusal(400, "NotFoundException", "Key 'K' does not exist"),
    Refusal(400, "AccessDeniedException", "not authorized"),
    Refusal(400, "ThrottlingException", "Rate exceeded"),
]


@pytest.mark.parametrize("operation", ["GetParametersForImport", "ImportKeyMaterial"])
@pytest.mark.parametrize("refusal", PASSING, ids=lambda refusal: refusal.code)
def test_what_passes_by_is_waited_out(world, operation, refusal):
    key, secret = world.external_key(), world.secret(KEY)
    world.aws.faults.inject(operation, refusal, times=6)

    answer = world.create(key, SecretId=secret.name)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert world.aws.count(operation) == 7
    assert world.state(key) == "Enabled"


def test_a_key_that_kms_does_not_show_yet_is_waited_for(world):
    """CloudFormation goes on as soon as CreateKey has answered."""
    key, secret = world.external_key(in_stack=True), world.secret(KEY)
    world.aws.faults.inject("DescribeKey", Refusal(400, "NotFoundException", f"Key '{key}' does not exist"), times=8)

    answer = world.create(key, SecretId=secret.name)

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
@pytest.mark.parametrize("seed", range(12))
def test_a_kms_that_lags_behind_in_half_of_its_answers_is_waited_for(seed, spec):
    """The key is created, changed and deleted within seconds, while KMS shows a state that is up to half a minute old."""
    version = {"SecretVersionId": "11111111-2222-3333-4444-555555555555"}
    with World(seed=seed, lag=Lag(probability=0.5, max_seconds=30.0)) as world:
        key, secret = world.external_key(spec), world.secret(KEY, version_id=version["SecretVersionId"])

        answer = world.create(key, SecretId=secret.name, **version)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", key)
        world.clock.advance(1)

        answer = world.update(key, SecretId=secret.name, ValidForDays="30", **version)
        assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
        world.clock.advance(1)

        answer = world.update(key, SecretId=secret.name, **version)
        assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
        world.clock.advance(1)

        assert world.delete()["Status"] == "SUCCESS"
        world.clock.advance(30)
        assert world.kms.key(key, region="eu-central-1", account="111122223333").state == "PendingImport"


# ----------------------------------------------------------------------------------------------- the quota of one a second


def test_a_throttle_that_lasts_is_tried_against_for_as_long_as_cloudformation_waits_and_names_the_quota(world, refused):
    key, secret = world.external_key(), world.secret(KEY)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)

    reason, seconds = seconds_of(world, lambda: refused(key, SecretId=secret.name))

    assert len(world.handed_over) == 5
    last = world.measured.waits[-1]
    assert reason == (
        "KeyId: kms:GetParametersForImport was throttled (ThrottlingException) until no time was left: the last "
        f"invocation of a request that is 3540 seconds old asked {last.tries} times in {last.waited_seconds:.0f} seconds. "
        "KMS's quota for it, GetParametersForImport request rate (one request a second for the account and Region, formerly "
        "one in four seconds), is shared by all who import. Ask for more (aws service-quotas list-service-quotas "
        "--service-code kms --query \"Quotas[?QuotaName=='GetParametersForImport request rate']\" shows its value and its "
        "code, which aws service-quotas request-service-quota-increase takes), or deploy fewer resources at once (chain "
        "them with DependsOn)."
    )
    assert seconds == 3540  # of CloudFormation's 3600; a minute is kept for the answer
    assert 200 < world.aws.count("GetParametersForImport") < 300


def test_where_cloudformation_waits_for_less_time_the_throttle_is_tried_against_for_less(world):
    key, secret = world.external_key(), world.secret(KEY)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)

    answer, seconds = seconds_of(world, lambda: world.create(key, SecretId=secret.name, ServiceTimeout="300"))

    assert "the last invocation of a request that is 270 seconds old" in answer["Reason"]
    assert seconds == 270
    assert world.handed_over == []


def test_each_try_of_the_throttled_call_is_the_function_s_own(world):
    """botocore's retries come at once and count against the quota: three for each try would take it from the others."""
    key, secret = world.external_key(), world.secret(KEY)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=3)

    world.create(key, SecretId=secret.name)

    assert world.aws.count("GetParametersForImport") == 4
    assert [one.tries for one in world.measured.waits] == [4]


def test_resources_that_share_kms_s_quota_get_through_one_after_the_other():
    with World(quotas=Quotas()) as world:
        secret = world.secret(KEY)
        for number in range(12):
            world.clock.advance(1)  # CreateKey has a quota, too
            assert world.create(world.external_key(), f"Material{number}", SecretId=secret.name)["Status"] == "SUCCESS"


@pytest.mark.parametrize("operation", ["ImportKeyMaterial", "DeleteImportedKeyMaterial"])
def test_any_other_throttle_that_lasts_is_named_without_that_quota(world, operation):
    key, secret = world.external_key(), world.secret(KEY)
    if operation == "DeleteImportedKeyMaterial":
        world.create(key, SecretId=secret.name)
    world.aws.faults.inject(operation, Fault.THROTTLED, times=ALWAYS)

    answer = world.create(key, SecretId=secret.name) if operation == "ImportKeyMaterial" else world.delete()

    assert answer["Reason"].startswith(
        f"KeyId: kms:{operation} was throttled (ThrottlingException) for 825 seconds, until no time was left. "
        "Run the deployment again when this account makes fewer calls in this Region."
    )


# ----------------------------------------------------------------------------------------------------- without an answer


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(
    ("fault", "class_name"),
    [(Fault.READ_TIMEOUT, "ReadTimeoutError"), (Fault.CONNECTION_CLOSED, "ConnectionClosedError")],
)
def test_a_kms_that_gives_no_import_parameters_in_time_is_named_with_what_may_be_in_the_way(
    world, refused, fault, class_name, moment
):
    key, secret = world.external_key(), world.secret(KEY)
    world.aws.faults.inject("GetParametersForImport", fault, moment, times=ALWAYS)

    reason, seconds = seconds_of(world, lambda: refused(key, SecretId=secret.name))

    assert reason == (
        f"KeyId: kms:GetParametersForImport got no answer ({class_name}). The service could not be reached. If the "
        "function runs in a VPC, it needs a way to KMS, Secrets Manager, CloudFormation, Lambda and CloudFormation's bucket in "
        "S3 (endpoints or NAT)."
    )
    assert seconds == 120
