"""Rule 1: the physical id is the key, whatever happens to the material.

the key's ARN     this resource imported the material: its Delete removes it
the key's id      the key held material before: no Delete touches it
not-imported:...  a Create that failed before its import
"""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key, random_keys

KEY = random_key(32)
SECRET = "orders/master-key"


def key_id(arn):
    return arn.rsplit("/", 1)[1]


def next_operation(world):
    """The next stack operation: whatever exists now is older than it."""
    world.clock.advance(1)
    world.stack.updated_at = world.clock.now()


def adopted(world, logical_id="Material"):
    """A resource on a live key that somebody else made and filled, before the stack's operation began."""
    key = world.external_key()
    import_material(world.session().client("kms"), key, KEY)
    world.secret(KEY)
    next_operation(world)
    return key, world.create(key, logical_id, SecretId=SECRET)


# ------------------------------------------------------------------------------------------------------------ three forms


@pytest.mark.parametrize("declared", [lambda arn: arn, key_id], ids=["declared by ARN", "declared by id"])
def test_a_key_that_was_empty_is_answered_for_by_its_arn(world, declared):
    key = world.external_key()

    answer = world.create(declared(key), SecretId=world.secret(KEY).name)

    assert answer["PhysicalResourceId"] == key


def test_a_key_that_held_material_is_adopted_under_its_bare_id(world):
    key, answer = adopted(world)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key_id(key)
    assert f'adopts a key that already holds material {{"key_arn": "{key}"}}' in world.log.getvalue()


def test_material_in_a_key_that_the_stack_made_in_this_operation_is_the_resource_s_own(world):
    """An earlier invocation of the same request imported it, and died before it answered."""
    key = world.external_key(in_stack=True)
    import_material(world.session().client("kms"), key, KEY)

    answer = world.create(key, SecretId=world.secret(KEY).name)

    assert answer["PhysicalResourceId"] == key


def test_material_in_a_key_that_somebody_else_made_meanwhile_is_theirs(world):
    """The key is younger than the stack's operation, but no resource of the stack."""
    key = world.external_key()
    import_material(world.session().client("kms"), key, KEY)

    answer = world.create(key, SecretId=world.secret(KEY).name)

    assert answer["PhysicalResourceId"] == key_id(key)


def test_material_in_a_key_that_the_stack_made_in_an_earlier_operation_is_adopted(world):
    """Anyone may have filled it since then."""
    key = world.external_key(in_stack=True)
    import_material(world.session().client("kms"), key, KEY)
    world.clock.advance(1)
    world.stack.updated_at = world.clock.now()

    answer = world.create(key, SecretId=world.secret(KEY).name)

    assert answer["PhysicalResourceId"] == key_id(key)


def test_taking_over_a_live_key_does_not_put_its_material_at_the_mercy_of_a_rollback(world):
    key, _ = adopted(world)
    before, changes = world.snapshot(), world.changes()

    answer = world.delete(status="ROLLBACK_IN_PROGRESS")

    assert answer["Status"] == "SUCCESS"
    assert world.changes() == changes
    assert world.snapshot() == before
    assert world.state(key) == "Enabled"


def test_adopting_a_key_needs_the_very_material_that_it_holds(world):
    key = world.external_key()
    import_material(world.session().client("kms"), key, KEY)
    before = world.snapshot()

    answer = world.create(key, SecretId=world.secret(random_key(33)[1:]).name)

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == f"not-imported:Material:{answer['RequestId']}"
    assert world.snapshot() == before


def test_a_create_that_failed_before_its_import_is_deleted_without_a_call_to_kms(world):
    key = world.external_key()
    failed = world.create(key, SecretId=world.secret(KEY + b"\n").name)
    calls = world.aws.count(service="kms")

    answer = world.delete(status="ROLLBACK_IN_PROGRESS")

    assert failed["PhysicalResourceId"] == f"not-imported:Material:{failed['RequestId']}"
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == failed["PhysicalResourceId"]
    assert world.aws.count(service="kms") == calls


def test_an_empty_key_that_held_other_material_once_is_not_taken_for_adopted(world):
    """Every import into it fails; and there is nothing that a Delete should remove."""
    key = world.external_key("HMAC_256")
    mine, other = random_keys(32, 2)
    import_material(world.session().client("kms"), key, other)
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    answer = world.create(key, SecretId=world.secret(mine).name)

    assert answer["Reason"] == (
        f"SecretId {world.last_read()}: The secret holds other material than the key holds or ever used "
        "(IncorrectKeyMaterialException), and an HMAC_256 key never takes other material than its first, not even after a "
        "deletion. Name the secret version that holds the key's material, or declare a new key for the new material. Nothing "
        "was imported."
    )
    assert answer["PhysicalResourceId"] == f"not-imported:Material:{answer['RequestId']}"
    assert world.state(key) == "PendingImport"


# ------------------------------------------------------------------------------------------------------ renamed logical ids


def test_a_renamed_logical_id_inherits_the_arn_and_the_old_one_s_delete_leaves_the_material(world):
    """CloudFormation creates the new logical id, then deletes the old one."""
    key = world.external_key()
    world.create(key, "Old", SecretId=world.secret(KEY).name)
    next_operation(world)

    created = world.create(key, "New", SecretId=SECRET)
    deleted = world.delete("Old", status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")

    assert created["PhysicalResourceId"] == key
    assert deleted["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"
    told = f'another resource holds the key: its material stays {{"key_arn": "{key}", "held_by": "New"'
    assert told in world.log.getvalue()
    world.delete("New")
    assert world.state(key) == "PendingImport"


def test_a_rename_that_is_rolled_back_leaves_the_material_to_the_old_one(world):
    key = world.external_key()
    world.create(key, "Old", SecretId=world.secret(KEY).name)
    next_operation(world)
    world.create(key, "New", SecretId=SECRET)

    world.delete("New", status="UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")

    assert world.state(key) == "Enabled"
    world.delete("Old")
    assert world.state(key) == "PendingImport"


def test_a_second_resource_on_an_adopted_key_adopts_it_too(world):
    key, _ = adopted(world, "First")

    answer = world.create(key, "Second", SecretId=SECRET)

    assert answer["PhysicalResourceId"] == key_id(key)


# ---------------------------------------------------------------------------------------------------------------- updates


def test_an_update_echoes_the_arn_it_came_with(world):
    key = world.external_key()
    world.create(key, SecretId=world.secret(KEY).name)

    assert world.update(key, SecretId=SECRET, Trigger="2")["PhysicalResourceId"] == key


@pytest.mark.parametrize("broken", ["confirm", "attributes.of"])
def test_a_defect_after_the_import_answers_under_the_arn_so_that_a_delete_finds_the_material(
    world, monkeypatch, broken
):
    def defect(*_):
        raise ValueError

    monkeypatch.setattr(f"imported_key_material.lifecycle.importing.{broken}", defect)
    key = world.external_key()

    answer = world.create(key, SecretId=world.secret(KEY).name)

    assert answer["PhysicalResourceId"] == key
    assert answer["Reason"] == (
        "The function met an error of its own after the import, ValueError. KMS may hold the material already: a rollback "
        "or the next update handles it."
    )
    world.delete(status="ROLLBACK_IN_PROGRESS")
    assert world.state(key) == "PendingImport"


def test_an_update_echoes_the_bare_id_it_came_with(world):
    key, _ = adopted(world)

    assert world.update(key, SecretId=SECRET, Trigger="2")["PhysicalResourceId"] == key_id(key)


def test_an_adopted_key_whose_material_was_lost_gets_it_back_under_its_bare_id(world):
    """The key held the restored material before the resource existed: no Delete may remove it."""
    key, _ = adopted(world)
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    answer = world.update(key, SecretId=SECRET)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key_id(key)
    assert world.state(key) == "Enabled"


def test_naming_the_same_key_in_another_way_is_no_replacement(world):
    key = world.external_key()
    world.create(key, SecretId=world.secret(KEY).name)

    assert world.update(key_id(key), SecretId=SECRET)["PhysicalResourceId"] == key


def test_an_update_that_fails_echoes_the_id_it_came_with(world):
    """CloudFormation would take over another id, and delete the old one."""
    key = world.external_key()
    world.create(key, SecretId=world.secret(KEY).name)

    answer = world.update(key, SecretId="orders/no-such-key")

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == key


def test_another_key_is_a_replacement_and_the_clean_up_empties_the_old_one(world):
    old, new = world.external_key(), world.external_key()
    world.create(old, SecretId=world.secret(KEY).name)

    answer = world.update(new, SecretId=SECRET)
    assert answer["PhysicalResourceId"] == new
    assert (world.state(old), world.state(new)) == ("Enabled", "Enabled")

    clean_up = world.delete(physical_id=old, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    assert clean_up["Status"] == "SUCCESS"
    assert (world.state(old), world.state(new)) == ("PendingImport", "Enabled")


def test_a_replacement_that_fails_before_its_import_keeps_the_old_id(world):
    old, new = world.external_key(), world.external_key(tag=None)
    world.create(old, SecretId=world.secret(KEY).name)

    answer = world.update(new, SecretId=SECRET)

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == old
    assert (world.state(old), world.state(new)) == ("Enabled", "PendingImport")


def test_back_and_forth_between_two_keys_a_late_clean_up_leaves_the_key_that_is_held_again(world):
    """From A to B and back to A: the Delete of A comes when the resource owns A again."""
    a, b = world.external_key(), world.external_key()
    world.create(a, SecretId=world.secret(KEY).name)
    world.update(b, SecretId=SECRET)
    back = world.update(a, SecretId=SECRET)
    late = world.delete(physical_id=a, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")

    assert back["Status"] == late["Status"] == "SUCCESS"
    assert world.state(a) == "Enabled"
