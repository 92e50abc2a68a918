"""A KeyId that KMS does not show: an early error if the stack does not make the key; otherwise the function waits.

CloudFormation continues as soon as CreateKey has answered, and KMS may show the key later. A key from elsewhere exists
already, or its id is misspelt.
"""

import pytest

from lab.keys.random_keys import random_key
from lab.wire.transport import Refusal

KEY = random_key(32)
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MISSING = (
    "KeyId: There is no such key in account 111122223333 and Region eu-central-1. Check KeyId; !GetAtt Key.Arn also makes "
    "CloudFormation wait for the key."
)


def in_stack(world, status, physical_id=ID, kind="AWS::KMS::Key"):
    world.stack.set("Key", status, world.clock.now(), type=kind, physical_id=physical_id)


def seconds_of(world, act):
    started = world.clock.now()
    answer = act()
    return answer, (world.clock.now() - started).total_seconds()


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param(lambda _: None, id="no key in the stack"),
        pytest.param(lambda world: in_stack(world, "CREATE_COMPLETE", "another"), id="another key"),
        pytest.param(lambda world: in_stack(world, "DELETE_IN_PROGRESS", "another"), id="being deleted"),
        pytest.param(lambda world: in_stack(world, "CREATE_IN_PROGRESS", None, "AWS::KMS::Alias"), id="an alias"),
    ],
)
def test_a_key_that_the_stack_does_not_make_is_told_within_half_a_minute(world, refused, resources):
    resources(world)
    secret = world.secret(KEY)

    reason, seconds = seconds_of(world, lambda: refused(ID, SecretId=secret.name))

    assert reason == MISSING
    assert seconds == 20
    assert world.aws.count("ListStackResources") == 1


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param(lambda world: in_stack(world, "CREATE_COMPLETE"), id="made"),
        pytest.param(lambda world: in_stack(world, "UPDATE_COMPLETE"), id="made long ago"),
        pytest.param(lambda world: in_stack(world, "CREATE_IN_PROGRESS", None), id="being made"),
        pytest.param(lambda world: in_stack(world, "UPDATE_IN_PROGRESS", "another"), id="being replaced"),
        pytest.param(
            lambda world: in_stack(world, "CREATE_IN_PROGRESS", None, "AWS::KMS::ReplicaKey"),
            id="a replica, being made",
        ),
    ],
)
def test_a_key_that_the_stack_may_be_making_is_waited_for_as_long_as_kms_may_lag(world, refused, resources):
    resources(world)
    secret = world.secret(KEY)

    reason, seconds = seconds_of(world, lambda: refused(ID, SecretId=secret.name))

    assert reason == MISSING
    assert seconds == 120


@pytest.mark.parametrize(
    "refusal", [Refusal(400, "AccessDenied", "not authorized"), Refusal(400, "Throttling", "Rate exceeded")]
)
def test_where_the_stack_s_resources_can_t_be_listed_soon_the_key_is_waited_for(world, refused, refusal):
    world.aws.faults.inject("ListStackResources", refusal, times=10**6)
    secret = world.secret(KEY)

    reason, seconds = seconds_of(world, lambda: refused(ID, SecretId=secret.name))

    assert reason == MISSING
    assert seconds == 120


def test_a_key_from_elsewhere_that_comes_within_seconds_is_taken(world):
    key, secret = world.external_key(), world.secret(KEY)
    not_found = Refusal(400, "NotFoundException", f"Key '{key}' does not exist")
    world.aws.faults.inject("DescribeKey", not_found, times=5)

    answer = world.create(key, SecretId=secret.name)

    assert answer["Status"] == "SUCCESS"
    assert world.aws.count("ListStackResources") == 0


def test_an_update_to_a_key_that_is_not_there_is_reported_as_soon(world):
    key, secret = world.external_key(), world.secret(KEY)
    world.create(key, SecretId=secret.name)

    answer, seconds = seconds_of(world, lambda: world.update(ID, SecretId=secret.name))

    assert answer["Reason"] == f"{MISSING} Nothing was imported."
    assert answer["PhysicalResourceId"] == key
    assert seconds < 60
