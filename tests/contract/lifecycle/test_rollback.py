"""Rule 6: a rollback must not fail, and must not lose material. The stack's status shows that an Update is one.

The second Update has the old properties; the secret that they name may not exist any more.
"""

import pytest

from imported_key_material.lifecycle import attributes
from lab.keys.random_keys import random_keys
from lab.wire.faults import Moment
from lab.wire.transport import Fault, Refusal
from lab.world import TAG

KEY, OTHER = random_keys(32, 2)
SECRET = "orders/master-key"


def created(world, spec="SYMMETRIC_DEFAULT", **declared):
    key = world.external_key(spec)
    secret = world.secret(KEY, version_id=declared.get("SecretVersionId", "a" * 32))
    assert world.create(key, SecretId=SECRET, **declared)["Status"] == "SUCCESS"
    world.clock.advance(100)
    return key, secret


def rolled_back(world, key, **declared):
    calls = len(world.aws.calls)
    answer = world.update(key, rollback=True, SecretId=SECRET, **declared)
    return answer, set(world.aws.operations()[calls:])


# ------------------------------------------------------------------------------------------------------------ usable keys


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_a_usable_key_is_left_alone_and_no_secret_is_read(world, spec):
    key, secret = created(world, spec)
    world.secrets.remove(secret)
    before = world.snapshot()

    answer, operations = rolled_back(world, key)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert answer["Data"]["KeyArn"] == key
    assert not {"DescribeSecret", "GetSecretValue", "ImportKeyMaterial", "DeleteImportedKeyMaterial"} & operations
    assert world.snapshot() == before


def test_a_usable_key_whose_tag_is_gone_is_left_alone_at_once(world):
    """IAM lets the function list only the materials of tagged keys; and a new tag has effect minutes later."""
    key, _ = created(world, SecretVersionId="v" * 32)
    world.call("UntagResource", KeyId=key, TagKeys=[TAG])
    world.aws.faults.inject("ListKeyRotations", Refusal(400, "AccessDeniedException", "not authorized"), times=10**6)
    start = world.clock.now()

    answer, _ = rolled_back(world, key, SecretVersionId="v" * 32)

    assert answer["Status"] == "SUCCESS"
    assert (world.clock.now() - start).total_seconds() < 10
    assert "The key's expiry could not be compared." in world.log.getvalue()


@pytest.mark.parametrize(
    "declared",
    [
        {"Colour": "blue"},
        {"ValidForDays": "900"},
        {"SecretWrapping": {"Algorithm": "ROT13", "KeyId": "alias/old"}},
        {"ExpectedCheckValue": "SHA256:00"},
    ],
    ids=lambda declared: next(iter(declared)),
)
def test_properties_of_an_old_schema_do_not_stop_a_rollback(world, declared):
    key, _ = created(world)
    before = world.snapshot()

    answer, _ = rolled_back(world, key, **declared)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert world.snapshot() == before


def test_consent_that_was_taken_back_does_not_stop_a_rollback_that_changes_nothing(world):
    key, _ = created(world)
    world.call("UntagResource", KeyId=key, TagKeys=[TAG])

    assert rolled_back(world, key)[0]["Status"] == "SUCCESS"


def test_a_disabled_key_stays_disabled(world):
    key, _ = created(world)
    world.call("DisableKey", KeyId=key)

    assert rolled_back(world, key)[0]["Status"] == "SUCCESS"
    assert world.state(key) == "Disabled"


def test_an_expiry_that_the_update_changed_is_brought_back_where_the_version_is_pinned(world):
    key, secret = created(world)
    pinned = {"ValidTo": "2027-03-01T00:00:00Z", "SecretVersionId": secret.version_of("AWSCURRENT")}
    world.update(key, SecretId=SECRET, **pinned)
    world.update(key, SecretId=SECRET, **pinned | {"ValidTo": "2027-05-01T00:00:00Z"})

    answer, _ = rolled_back(world, key, **pinned)

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["ValidTo"] == "2027-03-01T00:00:00Z"
    assert "rolled back, but not everything is as before" not in world.log.getvalue()


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
@pytest.mark.parametrize("before", [{"ValidTo": "2027-03-01T00:00:00Z"}, {"ValidForDays": "30"}], ids=str)
def test_an_expiry_that_the_update_changed_stays_with_a_warning_where_no_version_is_pinned(world, spec, before):
    """The secret may hold other bytes by now, so the function does not read it."""
    key, _ = created(world, spec, **before)
    world.update(key, SecretId=SECRET)

    answer, operations = rolled_back(world, key, **before)

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert not {"GetSecretValue", "ImportKeyMaterial"} & operations
    assert (
        'rolled back, but not everything is as before {"problem": "The key\'s expiry is not the earlier one."}'
        in world.log.getvalue()
    )


def test_a_failed_update_is_rolled_back_to_a_working_stack(world):
    """The whole story: other bytes, REFUSE, and the second Update with the old properties."""
    key, _ = created(world)
    world.secret(OTHER)
    failed = world.update(key, SecretId=SECRET)

    answer, _ = rolled_back(world, key)

    assert failed["Status"] == "FAILED"
    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"


# ----------------------------------------------------------------------------------------------------------- without material


def test_a_key_without_its_material_gets_it_back(world):
    key, _ = created(world)
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    answer, _ = rolled_back(world, key)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert world.state(key) == "Enabled"


def test_a_key_whose_material_can_t_be_brought_back_is_a_success_with_a_warning(world):
    key, secret = created(world)
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    world.secrets.mark_for_deletion(secret)

    answer, _ = rolled_back(world, key)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert world.state(key) == "PendingImport"
    assert (
        "The key's material could not be brought back. SecretId (secret orders/master-key): The secret is marked for deletion, "
        "and Secrets Manager does not give its value. aws secretsmanager restore-secret takes that back. Nothing was imported."
    ) in world.log.getvalue()


@pytest.mark.parametrize("how", ["gone", "unreadable", "pending deletion"])
def test_a_key_that_is_out_of_reach_is_a_success_with_a_warning(world, how):
    key, _ = created(world)
    if how == "unreadable":
        world.aws.faults.inject("DescribeKey", Fault.READ_TIMEOUT, times=10**6)
    else:
        world.call("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    if how == "gone":
        world.clock.advance(7 * 86_400)

    answer, operations = rolled_back(world, key)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert set(answer["Data"]) == set(attributes.NONE)
    assert not {"ImportKeyMaterial", "DeleteImportedKeyMaterial"} & operations
    assert "rolled back, but not everything is as before" in world.log.getvalue()


# ------------------------------------------------------------------------------------------------------------ replacements


def test_a_replacement_that_is_rolled_back_leaves_both_keys_usable_until_the_clean_up(world):
    """The old key's material was never touched; the new key's own Delete removes the new key's material."""
    old, _ = created(world)
    new = world.external_key()
    assert world.update(new, SecretId=SECRET)["PhysicalResourceId"] == new

    answer, _ = rolled_back(world, old)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] in (old, old.rsplit("/", 1)[1])
    assert (world.state(old), world.state(new)) == ("Enabled", "Enabled")
    world.delete(physical_id=new, status="UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    assert (world.state(old), world.state(new)) == ("Enabled", "PendingImport")


# --------------------------------------------------------------------------------------------------- the status that tells


def test_before_an_update_fails_the_stack_s_status_is_read_again(world):
    """The status may have lagged: the stack rolls back already, and a rollback must not fail."""
    key, _ = created(world)
    world.secret(OTHER)
    event = world.update_request(key, SecretId=SECRET)

    def roll_back(call, moment):
        if call.operation == "GetParametersForImport" and moment is Moment.AFTER:
            world.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"

    world.aws.hooks.append(roll_back)
    answer = world.invoke(event)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_both_statuses_of_a_rollback_are_one(world, status):
    key, _ = created(world)
    event = world.update_request(key, SecretId="orders/no-such-secret")
    world.stack.status = status

    assert world.invoke(event)["Status"] == "SUCCESS"


def test_where_the_status_can_t_be_read_an_update_that_must_import_fails(world):
    key, _ = created(world)
    world.secret(OTHER)
    world.aws.faults.inject("DescribeStacks", Fault.READ_TIMEOUT, times=10**6)
    before = world.snapshot()

    answer = world.update(key, SecretId=SECRET)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("StackId: cloudformation:DescribeStacks got no answer (ReadTimeoutError).")
    assert answer["PhysicalResourceId"] == key
    assert world.snapshot() == before
