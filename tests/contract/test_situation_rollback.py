"""A rollback must not fail (rule 6): the key that can be used is left as it is, whatever became of the secret since.

Each test is an update that went forward, something that happened, and the Update with the properties swapped.
"""

import pytest

from tests.support.materials import encrypts_with, listed, states
from tests.support.random_keys import random_keys
from tests.support.transport import Fault, Refusal

FIRST, SECOND = random_keys(32, 2)
SECRET = "orders/master-key"
V1, V2 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2))
ROTATED = [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
LEFT = "rolled back, with something left"
READS_OF_THE_SECRET = {"DescribeSecret", "GetSecretValue"}
CHANGES = {"ImportKeyMaterial", "DeleteImportedKeyMaterial", "RotateKeyOnDemand"}


def created(world, version=V1, **declared):
    """A resource that stands, and its first answer."""
    key = world.external_key()
    world.secret(FIRST, version_id=V1)
    world.secret(SECOND, version_id=V2, stages=())
    answer = world.create(key, SecretId=SECRET, SecretVersionId=version, **declared)
    assert answer["Status"] == "SUCCESS"
    world.clock.advance(60)
    return key, answer


def forward(world, key, version=V1, **declared):
    answer = world.update(key, SecretId=SECRET, SecretVersionId=version, **declared)
    world.clock.advance(60)
    return answer


def rolled_back(world, key, version=V1, **declared):
    """The answer, and what the function asked for on the way to it."""
    before = len(world.aws.calls)
    answer = world.update(key, rollback=True, SecretId=SECRET, SecretVersionId=version, **declared)
    assert answer["Status"] == "SUCCESS", answer
    assert answer["PhysicalResourceId"] == key
    return answer, world.aws.operations()[before:]


def lose(world, key):
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    assert world.state(key) == "PendingImport"


def test_rollback_after_a_finished_rotation_leaves_the_new_material_current(world):
    key, _ = created(world)
    forward(world, key, V2, NewMaterial="ROTATE")
    before = world.snapshot()

    answer, operations = rolled_back(world, key)

    assert not (READS_OF_THE_SECRET | CHANGES) & set(operations)
    assert world.snapshot() == before
    assert states(world, key) == ROTATED
    assert answer["Data"]["KeyMaterialId"] == listed(world, key)[1]["KeyMaterialId"]
    assert encrypts_with(world, key, SECOND)


def test_after_a_rollback_of_a_finished_rotation_the_next_deployment_of_the_old_version_is_no_error(world):
    """It imports nothing: what locates the material is as it was, and the key can be used."""
    key, _ = created(world)
    forward(world, key, V2, NewMaterial="ROTATE")
    rolled_back(world, key)

    answer = forward(world, key, V1, ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == ROTATED


def test_rollback_of_staged_material_leaves_it_pending(world):
    key, first = created(world)
    forward(world, key, V2, NewMaterial="STAGE")

    answer, operations = rolled_back(world, key)

    assert not (READS_OF_THE_SECRET | CHANGES) & set(operations)
    assert answer["Data"] == first["Data"]
    assert states(world, key) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


@pytest.mark.parametrize("gone", ["the version", "the secret", "its readability", "its consent"])
def test_rollback_when_the_old_secret_version_is_gone(world, gone):
    key, first = created(world)
    forward(world, key, Trigger="2")
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
    """One try, then a success with a warning: going forward never removed anything."""
    key, _ = created(world)
    forward(world, key, Trigger="2")
    lose(world, key)
    world.secrets.forget_version(world.secret(SECOND, version_id=V2), V1)

    answer, operations = rolled_back(world, key)

    assert operations.count("GetSecretValue") == 1
    assert not CHANGES & set(operations)
    assert answer["Data"]["KeyArn"] == key
    assert (
        f'{LEFT} {{"problem": "The key\'s material could not be brought back. SecretId: secretsmanager:GetSecretValue was '
        f"refused with ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: {V1}."
    ) in world.log.getvalue()


def test_rollback_brings_lost_material_back(world):
    key, first = created(world)
    forward(world, key, Trigger="2")
    lose(world, key)

    answer, operations = rolled_back(world, key)

    assert answer["Data"] == first["Data"]
    assert operations.count("ImportKeyMaterial") == 1
    assert encrypts_with(world, key, FIRST)
    assert LEFT not in world.log.getvalue()


def test_rollback_of_a_key_that_lost_its_material_rotates_nothing_and_stages_nothing(world):
    """Though the old properties say ROTATE, and the old version holds bytes that the key does not know."""
    key, _ = created(world, NewMaterial="ROTATE")
    forward(world, key, Trigger="2")
    lose(world, key)
    world.secrets.put(SECRET, SECOND, version_id=V1, account="111122223333", region="eu-central-1")

    _, operations = rolled_back(world, key, NewMaterial="ROTATE")

    assert "RotateKeyOnDemand" not in operations
    assert states(world, key) == [("CURRENT", "PENDING_IMPORT")]
    assert "The key's material could not be brought back. SecretId: The secret holds other material" in (
        world.log.getvalue()
    )


# -------------------------------------------------------------------------------------------------------------- expiry


def test_rollback_restores_the_expiry(world):
    key, first = created(world, ValidTo="2027-03-01T00:00:00Z")
    forward(world, key, ValidTo="2027-05-01T00:00:00Z")

    answer, operations = rolled_back(world, key, ValidTo="2027-03-01T00:00:00Z")

    assert answer["Data"] == first["Data"]
    assert operations.count("ImportKeyMaterial") == 1
    assert LEFT not in world.log.getvalue()


def test_rollback_when_the_old_valid_to_has_passed(world):
    key, _ = created(world, ValidTo="2026-12-01T13:00:00Z")
    forward(world, key)
    world.clock.advance(3600)

    answer, operations = rolled_back(world, key, ValidTo="2026-12-01T13:00:00Z")

    assert not CHANGES & set(operations)
    assert world.state(key) == "Enabled"
    assert (answer["Data"]["ExpirationModel"], answer["Data"]["ValidTo"]) == ("KEY_MATERIAL_DOES_NOT_EXPIRE", "")
    assert (
        f'{LEFT} {{"problem": "The key\'s expiry could not be brought back. ValidTo: The time has passed, and KMS would '
        f'refuse it. Declare a later time, or ValidForDays. Nothing was imported."}}'
    ) in world.log.getvalue()


def test_rollback_when_the_old_secret_version_is_gone_leaves_the_new_expiry_with_a_warning(world):
    key, _ = created(world)
    forward(world, key, ValidForDays="30")
    world.secrets.forget_version(world.secret(SECOND, version_id=V2), V1)

    answer, _ = rolled_back(world, key)

    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert f'{LEFT} {{"problem": "The key\'s expiry could not be brought back. SecretId: ' in world.log.getvalue()


def test_rollback_after_a_rotation_that_brought_an_expiry_says_that_it_stays(world):
    """The old bytes can't be made current again, so their expiry is not the key's any more."""
    key, _ = created(world)
    forward(world, key, V2, NewMaterial="ROTATE", ValidForDays="30")

    answer, _ = rolled_back(world, key)

    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert (
        f'{LEFT} {{"problem": "The key\'s expiry is another than before. New material that was staged, or that a rotation has '
        f"made current, stays: a key can't go back.\"}}"
    ) in world.log.getvalue()


def test_rollback_risks_nothing_for_the_expiry_while_material_is_pending(world):
    key, _ = created(world)
    forward(world, key, V2, NewMaterial="STAGE", ValidForDays="30")

    _, operations = rolled_back(world, key)

    assert not CHANGES & set(operations)


# ------------------------------------------------------------------------------------------------- time, statuses, shapes


@pytest.mark.parametrize("service_timeout", ["1", "5", "120"])
def test_rollback_when_the_old_service_timeout_is_tiny(world, service_timeout):
    """CloudFormation waits no longer than the old properties say, and the whole answer is there in time."""
    key, first = created(world)
    forward(world, key, Trigger="2")
    world.clock.advance(0.999)
    event = world.update_request(key, rollback=True, SecretId=SECRET, SecretVersionId=V1, ServiceTimeout=service_timeout)
    started = world.clock.now()

    answer = world.invoke(event)

    assert (answer["Status"], answer["Data"]) == ("SUCCESS", first["Data"])
    assert (world.clock.now() - started).total_seconds() < 1


def test_a_status_that_lags_behind_a_rollback_is_read_again_before_failed_is_answered(world):
    """The forward way fails, since the old version is gone; by then the status shows the rollback."""
    key, first = created(world)
    forward(world, key, Trigger="2")
    world.secrets.forget_version(world.secret(SECOND, version_id=V2), V1)
    event = world.update_request(key, rollback=True, SecretId=SECRET, SecretVersionId=V1)
    world.stack.status = "UPDATE_IN_PROGRESS"
    world.clock.after(15, lambda: setattr(world.stack, "status", "UPDATE_ROLLBACK_IN_PROGRESS"))

    answer = world.invoke(event)

    assert (answer["Status"], answer["Data"]) == ("SUCCESS", first["Data"])


def test_a_status_that_lags_behind_a_rollback_leads_to_no_rotation(world):
    """Back to bytes that were current before: the forward way would call it new material, and refuses it."""
    key, _ = created(world, NewMaterial="ROTATE")
    forward(world, key, V2, NewMaterial="ROTATE")
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
    key, first = created(world)
    forward(world, key, Trigger="2")
    event = world.update_request(key, rollback=True, SecretId=SECRET, SecretVersionId=V1)
    event["ResourceProperties"] |= old

    answer = world.invoke(event)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert answer["Data"] == first["Data"]


def test_rollback_on_a_disabled_key_leaves_it_disabled(world):
    """An import, for the expiry, would enable it."""
    key, _ = created(world)
    forward(world, key, ValidForDays="30")
    world.call("DisableKey", KeyId=key)

    _, operations = rolled_back(world, key)

    assert not CHANGES & set(operations)
    assert world.state(key) == "Disabled"


@pytest.mark.parametrize(
    "fault", [Refusal(400, "AccessDeniedException", "no"), Fault.READ_TIMEOUT, Fault.THROTTLED], ids=str
)
def test_rollback_where_the_key_can_t_be_looked_at_still_says_which_key_it_is(world, fault):
    """What uses the ARN goes back, too: an empty one would fail it."""
    key, _ = created(world)
    forward(world, key, Trigger="2")
    world.aws.faults.inject("DescribeKey", fault, times=10**6)

    answer, operations = rolled_back(world, key, ServiceTimeout="1800")

    assert (answer["Data"]["KeyArn"], answer["Data"]["KeyId"]) == (key, key.rsplit("/", 1)[1])
    assert not CHANGES & set(operations)
    assert f'{LEFT} {{"problem": "The key can\'t be looked at. KeyId: kms:DescribeKey ' in world.log.getvalue()
