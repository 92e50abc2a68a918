"""A rollback must not fail (rule 6): a usable key stays as it is, whatever happened to the secret.

Each test is an update, an event after it, and the rollback's Update with the properties swapped.
"""

import pytest

from lab.kms.materials import encrypts_with, listed, states
from lab.wire.transport import Fault, Refusal
from tests.support.pinned import (
    CHANGES,
    FIRST,
    LEFT,
    SECOND,
    SECRET,
    V1,
    V2,
    created,
    forget,
    rolled_back,
    stood,
    updated,
)

ROTATED = [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
STAYS = "New material that was staged, or that a rotation has made current, stays: a key can't go back."
READS_OF_THE_SECRET = {"DescribeSecret", "GetSecretValue"}


def lose(world, key):
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    assert world.state(key) == "PendingImport"


def test_rollback_after_a_finished_rotation_leaves_the_new_material_current(world):
    key = created(world)
    updated(world, key, V2, NewMaterial="ROTATE")
    before = world.snapshot()

    answer, operations = rolled_back(world, key)

    assert not (READS_OF_THE_SECRET | CHANGES) & set(operations)
    assert world.snapshot() == before
    assert states(world, key) == ROTATED
    assert answer["Data"]["KeyMaterialId"] == listed(world, key)[1]["KeyMaterialId"]
    assert encrypts_with(world, key, SECOND)
    assert f'{LEFT} {{"problem": "{STAYS}"}}' in world.log.getvalue()


def test_after_a_rollback_of_a_finished_rotation_the_next_deployment_of_the_old_version_is_no_error(world):
    """It imports nothing: the properties that locate the material have not changed, and the key is usable."""
    key = created(world)
    updated(world, key, V2, NewMaterial="ROTATE")
    rolled_back(world, key)

    answer = updated(world, key, V1, ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == ROTATED


def test_rollback_of_staged_material_leaves_it_pending(world):
    key, first = stood(world)
    updated(world, key, V2, NewMaterial="STAGE")

    answer, operations = rolled_back(world, key)

    assert not (READS_OF_THE_SECRET | CHANGES) & set(operations)
    assert answer["Data"] == first["Data"]
    assert states(world, key) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


@pytest.mark.parametrize("gone", ["the version", "the secret", "its readability", "its consent"])
def test_rollback_when_the_old_secret_version_is_gone(world, gone):
    key, first = stood(world)
    updated(world, key, Trigger="2")
    secret = world.secret(SECOND, version_id=V2)
    if gone == "the version":
        world.secrets.forget_version(secret, V1)
    elif gone == "the secret":
        world.secrets.remove(secret)
    elif gone == "its readability":
        world.secrets.mark_for_deletion(secret)
    else:
        secret.tags.clear()

    answer, operations = rolled_back(world, key)

    assert answer["Data"] == first["Data"]
    assert not (READS_OF_THE_SECRET | CHANGES) & set(operations)


def test_rollback_when_the_old_secret_version_is_gone_and_the_key_lost_its_material(world):
    """One try, then a success with a warning: the update removed nothing."""
    key = created(world)
    updated(world, key, Trigger="2")
    lose(world, key)
    forget(world, V1)

    answer, operations = rolled_back(world, key)

    assert operations.count("GetSecretValue") == 1
    assert not CHANGES & set(operations)
    assert answer["Data"]["KeyArn"] == key
    assert (
        f'{LEFT} {{"problem": "The key\'s material could not be brought back. SecretVersionId (secret {SECRET}): '
        "secretsmanager:GetSecretValue was refused with ResourceNotFoundException: Secrets Manager can't find the specified "
        "secret value for VersionId: <SecretVersionId>."
    ) in world.log.getvalue()


def test_rollback_brings_lost_material_back(world):
    key, first = stood(world)
    updated(world, key, Trigger="2")
    lose(world, key)

    answer, operations = rolled_back(world, key)

    assert answer["Data"] == first["Data"]
    assert operations.count("ImportKeyMaterial") == 1
    assert encrypts_with(world, key, FIRST)
    assert LEFT not in world.log.getvalue()


def test_rollback_of_a_key_that_lost_its_material_rotates_nothing_and_stages_nothing(world):
    """Even though the old properties say ROTATE, and the old version holds bytes that the key does not know."""
    key = created(world, NewMaterial="ROTATE")
    updated(world, key, Trigger="2")
    lose(world, key)
    world.secrets.put(SECRET, SECOND, version_id=V1, account="111122223333", region="eu-central-1")

    _, operations = rolled_back(world, key, NewMaterial="ROTATE")

    assert "RotateKeyOnDemand" not in operations
    assert states(world, key) == [("CURRENT", "PENDING_IMPORT")]
    other = (
        f"The key's material could not be brought back. SecretId {world.last_read()}: The secret holds other material"
    )
    assert other in world.log.getvalue()


# ------------------------------------------------------------------------------------------------- time, statuses, shapes


@pytest.mark.parametrize("service_timeout", ["1", "5", "120"])
def test_rollback_when_the_old_service_timeout_is_tiny(world, service_timeout):
    """CloudFormation waits only as long as the old properties say. The answer comes in time."""
    key, first = stood(world)
    updated(world, key, Trigger="2")
    world.clock.advance(0.999)
    event = world.update_request(
        key, rollback=True, SecretId=SECRET, SecretVersionId=V1, ServiceTimeout=service_timeout
    )
    started = world.clock.now()

    answer = world.invoke(event)

    assert (answer["Status"], answer["Data"]) == ("SUCCESS", first["Data"])
    assert (world.clock.now() - started).total_seconds() < 1


def test_a_status_that_lags_behind_a_rollback_is_read_again_before_failed_is_answered(world):
    """As an update it fails, since the old version is gone; by then the status shows the rollback."""
    key, first = stood(world)
    updated(world, key, Trigger="2")
    forget(world, V1)
    event = world.update_request(key, rollback=True, SecretId=SECRET, SecretVersionId=V1)
    world.stack.status = "UPDATE_IN_PROGRESS"
    world.clock.after(15, lambda: setattr(world.stack, "status", "UPDATE_ROLLBACK_IN_PROGRESS"))

    answer = world.invoke(event)

    assert (answer["Status"], answer["Data"]) == ("SUCCESS", first["Data"])


def test_a_status_that_lags_behind_a_rollback_leads_to_no_rotation(world):
    """The old bytes were current before. As an update, the function would call them new material, and refuse them."""
    key = created(world, NewMaterial="ROTATE")
    updated(world, key, V2, NewMaterial="ROTATE")
    event = world.update_request(key, rollback=True, SecretId=SECRET, SecretVersionId=V1, NewMaterial="ROTATE")
    world.stack.status = "UPDATE_IN_PROGRESS"
    world.clock.after(15, lambda: setattr(world.stack, "status", "UPDATE_ROLLBACK_IN_PROGRESS"))

    answer = world.invoke(event)

    assert answer["Status"] == "SUCCESS"
    assert world.aws.count("RotateKeyOnDemand") == 1  # the update's own
    assert states(world, key) == ROTATED


@pytest.mark.parametrize(
    "old",
    [
        {"Colour": ["blue"]},
        {"KeyId": "alias/orders"},
        {"KeyId": {"Ref": "Key"}, "SecretId": None, "ServiceTimeout": "an hour"},
        {"SecretWrapping": "SYMMETRIC_DEFAULT", "ValidTo": "tomorrow", "PreviousSecretVersionIds": "none"},
    ],
    ids=["an unknown property", "an alias", "broken shapes", "other shapes"],
)
def test_old_properties_that_today_s_schema_refuses_at_rollback(world, old):
    key, first = stood(world)
    updated(world, key, Trigger="2")
    event = world.update_request(key, rollback=True, SecretId=SECRET, SecretVersionId=V1)
    event["ResourceProperties"] |= old

    answer = world.invoke(event)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert answer["Data"] == first["Data"]


def test_rollback_on_a_disabled_key_leaves_it_disabled(world):
    """An import, for the expiry, would enable it."""
    key = created(world)
    updated(world, key, ValidForDays="30")
    world.call("DisableKey", KeyId=key)

    _, operations = rolled_back(world, key)

    assert not CHANGES & set(operations)
    assert world.state(key) == "Disabled"


@pytest.mark.parametrize(
    "fault", [Refusal(400, "AccessDeniedException", "no"), Fault.READ_TIMEOUT, Fault.THROTTLED], ids=str
)
def test_rollback_where_the_key_can_t_be_looked_at_still_says_which_key_it_is(world, fault):
    """Resources that use the ARN roll back, too: an empty ARN would fail them."""
    key = created(world)
    updated(world, key, Trigger="2")
    world.aws.faults.inject("DescribeKey", fault, times=10**6)

    answer, operations = rolled_back(world, key, ServiceTimeout="1800")

    assert (answer["Data"]["KeyArn"], answer["Data"]["KeyId"]) == (key, key.rsplit("/", 1)[1])
    assert not CHANGES & set(operations)
    assert f'{LEFT} {{"problem": "The key can\'t be looked at. KeyId: kms:DescribeKey ' in world.log.getvalue()
