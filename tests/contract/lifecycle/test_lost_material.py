"""Material that somebody deleted outside the stack: an ordinary update restores it, and other bytes can't replace it."""

import pytest

from lab.keys.by_hand import import_material
from lab.kms.materials import encrypts_with, listed, states
from tests.support.pinned import SECOND, SPECS, V1, V2, created, failed, updated


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("changed", [{"Trigger": "2"}, {"ServiceTimeout": "1800"}], ids=["a trigger", "anything"])
def test_re_import_after_a_deletion_out_of_band(world, spec, changed):
    key = created(world, spec)
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    assert world.state(key) == "PendingImport"

    answer = updated(world, key, **changed)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", key)
    assert world.state(key) == "Enabled"


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
def test_new_material_is_refused_for_a_key_that_lost_its_own(world, new_material):
    """The key needs the bytes that it lost; no others help."""
    key = created(world)
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    before = world.snapshot()

    answer = updated(world, key, V2, NewMaterial=new_material)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", key)
    assert answer["Reason"] == (
        f"KeyId: The key lost material that it once had ({listed(world, key)[0]['KeyMaterialId']}), and takes new material "
        f"only once all of it is there again. PreviousSecretVersionIds names the secret versions that bring it back. Nothing "
        f"was imported."
    )
    assert world.snapshot() == before
    assert world.aws.count("RotateKeyOnDemand") == 0


def test_other_bytes_for_a_key_that_lost_its_own_are_refused(world):
    key = created(world)
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    before = world.snapshot()

    answer = updated(world, key, V2)

    other = f"SecretId {world.last_read()}: The secret holds other material than the key holds or ever used"
    assert answer["Reason"].startswith(other)
    assert world.snapshot() == before


def test_new_material_for_a_key_that_lost_its_own_needs_the_version_that_it_lost(world):
    key = created(world)
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    answer = updated(world, key, V2, NewMaterial="ROTATE", PreviousSecretVersionIds=[V1])

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
    assert encrypts_with(world, key, SECOND)


def test_staged_material_that_a_person_removed_is_staged_again(world):
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")
    pending = listed(world, key)[1]["KeyMaterialId"]
    world.call("DeleteImportedKeyMaterial", KeyId=key, KeyMaterialId=pending)

    answer = updated(world, key, V2, NewMaterial="STAGE", Trigger="2")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


def test_staged_material_that_a_person_removed_is_staged_again_where_nothing_else_changed(world):
    """No property has changed, but KMS lacks the declared material."""
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")
    pending = listed(world, key)[1]["KeyMaterialId"]
    world.call("DeleteImportedKeyMaterial", KeyId=key, KeyMaterialId=pending)

    answer = updated(world, key, V2, NewMaterial="STAGE", ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


def test_material_that_another_rotation_superseded_is_imported_with_its_own_version_unharmed(world):
    key = created(world)
    import_material(world.session().client("kms"), key, SECOND, ImportType="NEW_KEY_MATERIAL")
    world.call("RotateKeyOnDemand", KeyId=key)
    world.clock.advance(180)
    oldest = listed(world, key)[0]["KeyMaterialId"]
    world.call("DeleteImportedKeyMaterial", KeyId=key, KeyMaterialId=oldest)

    answer = updated(world, key, ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]


@pytest.mark.parametrize("spec", SPECS)
def test_a_no_op_update_of_a_key_that_is_scheduled_for_deletion_says_so(world, spec):
    """The key still holds its material, but nobody can use it."""
    key = created(world, spec)
    world.call("ScheduleKeyDeletion", KeyId=key)

    assert failed(world, key, ServiceTimeout="1800") == (
        "KeyId: The key is scheduled for deletion. Cancel that with aws kms cancel-key-deletion, or use another key. "
        "Nothing was imported."
    )
