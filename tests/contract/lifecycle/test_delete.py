"""Rule 2: Delete acts only on the ARN form, and removes all material of the key.

With every other id it succeeds and touches nothing. For a key that another resource holds see test_delete_while_held.py.
"""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key, random_keys

KEY = random_key(32)
SECRET = "orders/master-key"
OWN = "arn:aws:kms:eu-central-1:111122223333"


def created(world, spec="SYMMETRIC_DEFAULT"):
    key = world.external_key(spec)
    assert world.create(key, SecretId=world.secret(KEY).name)["Status"] == "SUCCESS"
    return key


def import_states(world, key):
    listed = world.call("ListKeyRotations", KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    return [(one["KeyMaterialState"], one["ImportState"]) for one in listed]


# ------------------------------------------------------------------------------------------------------- what is removed


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_the_imported_material_is_removed(world, spec):
    key = created(world, spec)

    answer = world.delete()

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", key)
    assert "Data" not in answer
    assert world.state(key) == "PendingImport"


def test_every_material_of_a_rotated_key_is_taken_out_the_pending_one_too(world):
    key = created(world)
    _, second, third = random_keys(32, 3)
    kms = world.session().client("kms")
    import_material(kms, key, second, ImportType="NEW_KEY_MATERIAL")
    world.call("RotateKeyOnDemand", KeyId=key)
    world.clock.advance(180)
    import_material(kms, key, third, ImportType="NEW_KEY_MATERIAL")
    assert import_states(world, key) == [
        ("NON_CURRENT", "IMPORTED"),
        ("CURRENT", "IMPORTED"),
        ("PENDING_ROTATION", "IMPORTED"),
    ]

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    assert import_states(world, key) == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "PENDING_IMPORT")]


def test_a_disabled_key_is_emptied_too(world):
    """The person who deletes the stack wants the material gone, and a removal enables nothing."""
    key = created(world)
    world.call("DisableKey", KeyId=key)

    assert world.delete()["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


def test_a_second_delete_does_no_harm(world):
    key = created(world)
    world.delete()

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"KeyId": "alias/never", "Colour": ["blue"]},
        {"KeyId": {"Ref": "x"}, "SecretWrapping": "?", "ServiceTimeout": "an hour"},
        {"ServiceTimeout": "99999"},
    ],
    ids=["none", "an old schema", "broken shapes", "a timeout out of range"],
)
def test_a_delete_reads_no_property_so_that_old_shapes_can_t_block_it(world, properties):
    key = created(world)
    event = world.delete_request()
    event["ResourceProperties"] = properties

    answer = world.invoke(event)

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


# ------------------------------------------------------------------------------------------- ids that nothing is done for


@pytest.mark.parametrize(
    "physical_id",
    [
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "not-imported:Material:5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716",
        "orders-Material-1QZ8X2LKJ0ABC",
        "orders_Material_ABCDEFGH",
        "2026/12/01/[$LATEST]0123456789abcdef",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-central-1:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws-cn:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        f"{OWN}:alias/orders",
        f"{OWN}:key/",
        f"x{OWN}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/master-key-AbCdEf",
    ],
)
def test_any_other_id_is_a_success_that_calls_nobody(world, physical_id):
    """Ids of an adopted key, of a failed Create, and ids that CloudFormation, Lambda or crhelper make up."""
    world.stack.set(
        "Material", "CREATE_FAILED", world.clock.now(), type="Custom::ImportedKeyMaterial", physical_id=physical_id
    )

    answer = world.delete()

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    assert world.aws.calls == []


def test_a_key_that_is_gone_is_a_success(world):
    gone = f"{OWN}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    world.stack.set(
        "Material", "CREATE_COMPLETE", world.clock.now(), type="Custom::ImportedKeyMaterial", physical_id=gone
    )

    answer = world.delete()

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", gone)
    assert world.changes() == 0


def test_a_key_that_is_scheduled_for_deletion_is_left_to_it(world):
    key = created(world)
    world.call("ScheduleKeyDeletion", KeyId=key)
    before, changes = world.snapshot(), world.changes()

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    assert world.changes() == changes
    assert world.snapshot() == before


def test_a_primary_key_that_waits_for_its_replicas_deletion_is_left_to_it(world):
    key = world.external_key(MultiRegion=True)
    world.create(key, SecretId=world.secret(KEY).name)
    world.call("ReplicateKey", KeyId=key, ReplicaRegion="eu-west-1")
    world.clock.advance(60)
    world.call("ScheduleKeyDeletion", KeyId=key)
    changes = world.changes()
    assert world.state(key) == "PendingReplicaDeletion"

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    assert world.changes() == changes
