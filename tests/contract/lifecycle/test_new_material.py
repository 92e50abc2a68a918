"""New bytes for a symmetric key (rule 5): refused, staged, or rotated to, as NewMaterial says. A key can't go back."""

import pytest

from lab.keys.by_hand import import_material
from lab.kms.materials import encrypts_with, listed, states
from tests.support.pinned import FIRST, MINUTE, SECOND, SECRET, V1, V2, V3, created, failed, updated

PENDING = ("PENDING_ROTATION", "IMPORTED")
CURRENT = ("CURRENT", "IMPORTED")
NON_CURRENT = ("NON_CURRENT", "IMPORTED")


def test_new_bytes_are_refused_where_nothing_is_said(world):
    key = created(world)

    assert failed(world, key, V2) == (
        f"SecretId (secret {SECRET}, version {V2}): The secret holds other material than the key holds or ever used "
        "(IncorrectKeyMaterialException), and a symmetric key takes new material only by a rotation, and NewMaterial is "
        "REFUSE. Name the secret version that holds the key's material; or declare NewMaterial: STAGE or ROTATE, which can't "
        "be taken back; or declare a new key for the new material. Nothing was imported."
    )


def test_staged_bytes_wait_beside_the_current_ones(world):
    key = created(world)

    answer = updated(world, key, V2, NewMaterial="STAGE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [CURRENT, PENDING]
    assert answer["Data"]["KeyMaterialId"] == listed(world, key)[0]["KeyMaterialId"]
    assert encrypts_with(world, key, FIRST)
    assert world.aws.count("RotateKeyOnDemand") == 0


def test_rotate_that_was_not_finished_is_finished_by_the_same_deployment_again(world):
    """With --disable-rollback the properties are the same before and after: only KMS shows that they are not met."""
    key = created(world)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="ROTATE")
    assert world.invoke(event, seconds=100)["Status"] == "FAILED"
    world.before["Material"] = dict(event["ResourceProperties"])
    world.clock.advance(1)
    assert states(world, key) == [CURRENT, PENDING]

    answer = updated(world, key, V2, NewMaterial="ROTATE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [NON_CURRENT, CURRENT]


def test_a_second_deployment_of_staged_bytes_imports_nothing(world):
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")
    imports = world.aws.count("ImportKeyMaterial")

    answer = updated(world, key, V2, NewMaterial="STAGE", ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert world.aws.count("ImportKeyMaterial") == imports
    assert states(world, key) == [CURRENT, PENDING]


def test_rotate_stages_the_bytes_and_answers_once_they_are_current(world):
    key = created(world)
    old_ciphertext = world.call("Encrypt", KeyId=key, Plaintext=b"of the old material")["CiphertextBlob"]
    started = world.clock.now()

    answer = updated(world, key, V2, NewMaterial="ROTATE")

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert states(world, key) == [NON_CURRENT, CURRENT]
    assert answer["Data"]["KeyMaterialId"] == listed(world, key)[1]["KeyMaterialId"]
    assert encrypts_with(world, key, SECOND)
    assert world.call("Decrypt", CiphertextBlob=old_ciphertext)["Plaintext"] == b"of the old material"
    assert world.aws.count("RotateKeyOnDemand") == 1
    assert 60 <= (world.clock.now() - started).total_seconds() - MINUTE <= 240


def test_rotate_of_what_was_staged_before_rotates_without_staging_again(world):
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")

    answer = updated(world, key, V2, NewMaterial="ROTATE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [NON_CURRENT, CURRENT]
    assert world.aws.count("RotateKeyOnDemand") == 1


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
def test_bytes_that_are_current_already_are_neither_staged_nor_rotated_to(world, new_material):
    key = created(world)

    answer = updated(world, key, V1, NewMaterial=new_material)

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [CURRENT]
    assert world.aws.count("RotateKeyOnDemand") == 0


def test_a_create_on_an_empty_key_needs_no_rotation_whatever_is_declared(world):
    key = created(world, NewMaterial="ROTATE")

    assert states(world, key) == [CURRENT]
    assert world.aws.count("RotateKeyOnDemand") == 0


def test_a_rotated_key_is_left_alone_by_a_deployment_that_changes_nothing(world):
    key = created(world)
    first = updated(world, key, V2, NewMaterial="ROTATE")
    changes = world.changes()

    answer = updated(world, key, V2, NewMaterial="ROTATE", ServiceTimeout="1800")

    assert answer["Data"] == first["Data"]
    assert world.changes() == changes
    assert world.aws.count("RotateKeyOnDemand") == 1


def test_a_rotation_that_lasts_longer_than_the_invocation_fails_and_the_next_deployment_waits_for_it(world):
    key = created(world)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="ROTATE")

    answer = world.invoke(event, seconds=120)
    material_id = listed(world, key)[1]["KeyMaterialId"]
    world.settle(event, answer)
    world.clock.advance(5)
    again = updated(world, key, V2, NewMaterial="ROTATE")

    assert answer["Reason"] == (
        f"NewMaterial: The rotation was not finished in time: material {material_id} is PENDING_ROTATION. "
        f"KMS may hold the material already: a rollback or the next update handles it."
    )
    assert answer["PhysicalResourceId"] == key
    assert again["Status"] == "SUCCESS"
    assert states(world, key) == [NON_CURRENT, CURRENT]


# -------------------------------------------------------------------------------------------------------- no way back


@pytest.mark.parametrize("new_material", [None, "STAGE", "ROTATE"])
def test_bytes_that_a_rotation_superseded_are_refused_where_the_version_changed(world, new_material):
    """Nothing changes, not even the superseded material's expiry: when it expires, the whole key is out of use."""
    key = created(world)
    current = updated(world, key, V2, NewMaterial="ROTATE")["Data"]["KeyMaterialId"]
    updated(world, key, V3, NewMaterial="STAGE")
    before = world.snapshot()

    answer = updated(world, key, V1, NewMaterial=new_material, ValidForDays="30")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        f"SecretVersionId (secret {SECRET}, version {V1}): The key holds these bytes as earlier material; a rotation has made "
        f"{current} current, and a key can't go back. Name the secret version that holds the current material, or declare a "
        "new key. No new material was imported."
    )
    assert world.snapshot() == before
    assert states(world, key) == [NON_CURRENT, CURRENT, PENDING]


def test_bytes_that_somebody_else_s_rotation_superseded_are_no_error_where_the_version_is_as_before(world):
    key = created(world)
    kms = world.session().client("kms")
    import_material(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")
    world.call("RotateKeyOnDemand", KeyId=key)
    world.clock.advance(180)

    answer = updated(world, key, V1, Trigger="2")

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["KeyMaterialId"] == world.describe(key)["CurrentKeyMaterialId"]
    assert states(world, key) == [NON_CURRENT, CURRENT]
