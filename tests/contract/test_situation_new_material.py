"""New bytes for a symmetric key (rule 5): refused, staged, or rotated to, as NewMaterial says.

What is pending is replaced only when it is sure that no rotation is about to take it. A key can't go back.
"""

import pytest

from tests.support.importing import import_material
from tests.support.materials import encrypts_with, listed, states
from tests.support.private_keys import key_for, pkcs8_pem
from tests.support.random_keys import random_keys
from tests.support.transport import Refusal

FIRST, SECOND, THIRD = random_keys(32, 3)
SECRET = "orders/master-key"
V1, V2, V3 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2, 3))
MATERIAL = {V1: FIRST, V2: SECOND, V3: THIRD}
PENDING = ("PENDING_ROTATION", "IMPORTED")
CURRENT = ("CURRENT", "IMPORTED")
NON_CURRENT = ("NON_CURRENT", "IMPORTED")


def created(world, **declared):
    """A resource that stands; its secret holds three versions, and the first is pinned."""
    key = world.external_key(**declared.pop("key", {}))
    for version, material in MATERIAL.items():
        world.secret(material, version_id=version)
    answer = world.create(key, SecretId=SECRET, SecretVersionId=V1, **declared)
    assert answer["Status"] == "SUCCESS"
    world.clock.advance(60)
    return key


def updated(world, key, version, new_material=None, **more):
    return world.update(key, SecretId=SECRET, SecretVersionId=version, NewMaterial=new_material, **more)


def refused_update(world, key, version, new_material=None, **more):
    """The reason, once it is shown that nothing whatever happened to KMS."""
    before = world.snapshot()
    answer = updated(world, key, version, new_material, **more)
    assert answer["Status"] == "FAILED", answer
    assert answer["PhysicalResourceId"] == key
    assert world.snapshot() == before
    assert world.aws.count("RotateKeyOnDemand") == 0
    return answer["Reason"]


# ----------------------------------------------------------------------------------------------------- what is declared


def test_new_bytes_are_refused_where_nothing_is_said(world):
    key = created(world)

    assert refused_update(world, key, V2) == (
        "SecretId: The secret holds other material than the key holds or once held (IncorrectKeyMaterialException), and "
        "a symmetric key takes new material only by a rotation, and NewMaterial is REFUSE. Name the secret version that "
        "holds the key's material; or declare NewMaterial: STAGE or ROTATE, which can't be taken back; or declare a new "
        "key for the new material. Nothing was imported."
    )


def test_staged_bytes_wait_beside_the_current_ones(world):
    key = created(world)

    answer = updated(world, key, V2, "STAGE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [CURRENT, PENDING]
    assert answer["Data"]["KeyMaterialId"] == listed(world, key)[0]["KeyMaterialId"]
    assert encrypts_with(world, key, FIRST)
    assert world.aws.count("RotateKeyOnDemand") == 0


def test_rotate_that_was_not_finished_is_finished_by_the_same_deployment_again(world):
    """Where the stack was left as it failed, the properties are the same before and after: KMS tells that they are not met."""
    key = created(world)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="ROTATE")
    assert world.invoke(event, seconds=100)["Status"] == "FAILED"
    world.before["Material"] = dict(event["ResourceProperties"])
    world.clock.advance(1)
    assert states(world, key) == [CURRENT, PENDING]

    answer = updated(world, key, V2, "ROTATE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [NON_CURRENT, CURRENT]


def test_a_second_deployment_of_staged_bytes_imports_nothing(world):
    key = created(world)
    updated(world, key, V2, "STAGE")
    imports = world.aws.count("ImportKeyMaterial")

    answer = updated(world, key, V2, "STAGE", ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert world.aws.count("ImportKeyMaterial") == imports
    assert states(world, key) == [CURRENT, PENDING]


def test_rotate_stages_the_bytes_and_answers_once_they_are_current(world):
    key = created(world)
    old_ciphertext = world.call("Encrypt", KeyId=key, Plaintext=b"of the old material")["CiphertextBlob"]
    started = world.clock.now()

    answer = updated(world, key, V2, "ROTATE")

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert states(world, key) == [NON_CURRENT, CURRENT]
    assert answer["Data"]["KeyMaterialId"] == listed(world, key)[1]["KeyMaterialId"]
    assert encrypts_with(world, key, SECOND)
    assert world.call("Decrypt", CiphertextBlob=old_ciphertext)["Plaintext"] == b"of the old material"
    assert world.aws.count("RotateKeyOnDemand") == 1
    assert 60 <= (world.clock.now() - started).total_seconds() <= 240


def test_rotate_of_what_was_staged_before_rotates_without_staging_again(world):
    key = created(world)
    updated(world, key, V2, "STAGE")

    answer = updated(world, key, V2, "ROTATE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [NON_CURRENT, CURRENT]
    assert world.aws.count("RotateKeyOnDemand") == 1


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
def test_bytes_that_are_current_already_are_neither_staged_nor_rotated_to(world, new_material):
    key = created(world)

    answer = updated(world, key, V1, new_material)

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [CURRENT]
    assert world.aws.count("RotateKeyOnDemand") == 0


def test_a_create_on_an_empty_key_needs_no_rotation_whatever_is_declared(world):
    key = created(world, NewMaterial="ROTATE")

    assert states(world, key) == [CURRENT]
    assert world.aws.count("RotateKeyOnDemand") == 0


def test_a_rotated_key_is_left_alone_by_a_deployment_that_changes_nothing(world):
    key = created(world)
    first = updated(world, key, V2, "ROTATE")
    changes = world.changes()

    answer = updated(world, key, V2, "ROTATE", ServiceTimeout="1800")

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
    again = updated(world, key, V2, "ROTATE")

    assert answer["Reason"] == (
        f"NewMaterial: The rotation was not finished in the time there was: material {material_id} is PENDING_ROTATION. "
        f"KMS may hold the material already: a rollback or the next update sees to it."
    )
    assert answer["PhysicalResourceId"] == key
    assert again["Status"] == "SUCCESS"
    assert states(world, key) == [NON_CURRENT, CURRENT]


# ----------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
def test_new_material_without_a_pinned_version_is_refused(world, new_material):
    key = created(world)

    assert refused_update(world, key, None, new_material) == (
        f"NewMaterial: {new_material} needs a pinned SecretVersionId, since a rotation can't be taken back. Declare "
        f"SecretVersionId, the version that holds the new material. Nothing was imported."
    )


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
@pytest.mark.parametrize("spec", ["HMAC_256", "ECC_NIST_P256"])
def test_new_material_for_a_key_that_is_not_symmetric_is_refused(world, refused, spec, new_material):
    value = FIRST if spec == "HMAC_256" else pkcs8_pem(key_for(spec))
    world.secret(value, version_id=V1)

    reason = refused(world.external_key(spec), SecretId=SECRET, SecretVersionId=V1, NewMaterial=new_material)

    assert reason == (
        f"NewMaterial: KMS takes new material for symmetric encryption keys only, and this is {spec}. Take it out."
    )


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
def test_a_key_whose_25_rotations_are_used_up_is_refused_before_anything_is_staged(world, new_material):
    key = created(world)
    kms = world.session().client("kms")
    for material in list(random_keys(48, 25)):
        import_material(kms, key, material[:32], ImportType="NEW_KEY_MATERIAL")
        world.call("RotateKeyOnDemand", KeyId=key)
        world.clock.advance(180)

    assert refused_update(world, key, V2, new_material) == (
        "NewMaterial: The key has been rotated 25 times, and KMS rotates a key on demand 25 times at most. Declare a new "
        "key for the new material. Nothing was imported."
    )


def test_a_rotation_that_kms_refuses_fails_and_leaves_the_bytes_pending(world):
    key = created(world)
    world.aws.faults.inject("RotateKeyOnDemand", Refusal(400, "LimitExceededException", "The limit has been reached."))

    answer = updated(world, key, V2, "ROTATE")

    assert answer["Reason"] == (
        "NewMaterial: kms:RotateKeyOnDemand was refused with LimitExceededException: The limit has been reached. A quota "
        "of KMS is used up. See Service Quotas for KMS in this Region. KMS may hold the material already: a rollback or "
        "the next update sees to it."
    )
    assert world.aws.count("RotateKeyOnDemand") == 1
    assert states(world, key) == [CURRENT, PENDING]


# ----------------------------------------------------------------------------------------------- what is pending already


def test_pending_bytes_are_replaced_only_after_five_quiet_minutes(world):
    key = created(world)
    updated(world, key, V2, "STAGE")
    started, deleted = world.clock.now(), []
    world.aws.hooks.append(
        lambda call, _: deleted.append(world.clock.now()) if call.operation == "DeleteImportedKeyMaterial" else None
    )

    answer = updated(world, key, V3, "STAGE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [CURRENT, PENDING]
    assert 300 <= (deleted[0] - started).total_seconds() <= 330
    assert world.aws.count("DeleteImportedKeyMaterial") == 1
    assert world.aws.count("RotateKeyOnDemand") == 0
    updated(world, key, V3, "ROTATE")
    assert encrypts_with(world, key, THIRD)


def test_pending_bytes_that_somebody_else_s_rotation_takes_are_not_removed(world):
    """Its OnDemandRotationStartDate may be gone long before the rotation ends."""
    key = created(world)
    updated(world, key, V2, "STAGE")
    world.call("RotateKeyOnDemand", KeyId=key)
    world.clock.advance(10)
    assert "OnDemandRotationStartDate" not in world.call("GetKeyRotationStatus", KeyId=key)

    answer = updated(world, key, V3, "STAGE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [NON_CURRENT, CURRENT, PENDING]
    assert encrypts_with(world, key, SECOND)
    assert world.aws.count("DeleteImportedKeyMaterial") == 0


def test_where_time_ends_before_five_quiet_minutes_the_pending_bytes_stay(world):
    key = created(world)
    updated(world, key, V2, "STAGE")
    before = world.snapshot()

    answer = updated(world, key, V3, "ROTATE", ServiceTimeout="180")

    assert answer["Reason"] == (
        "NewMaterial: Other material is pending rotation in the key, and may be taken by a rotation that was asked for a "
        "moment ago. Run the deployment again. Nothing was imported."
    )
    assert world.snapshot() == before


# -------------------------------------------------------------------------------------------------------- no way back


@pytest.mark.parametrize("new_material", [None, "STAGE", "ROTATE"])
def test_bytes_that_a_rotation_superseded_are_refused_where_the_version_changed(world, new_material):
    """Nothing is changed, the superseded material's expiry neither: with its end the whole key would end."""
    key = created(world)
    current = updated(world, key, V2, "ROTATE")["Data"]["KeyMaterialId"]
    updated(world, key, V3, "STAGE")
    before = world.snapshot()

    answer = updated(world, key, V1, new_material, ValidForDays="30")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(
        f"SecretVersionId: The key holds these bytes as earlier material; a rotation has made {current} current, and a key "
        f"can't go back. Name the secret version that holds the current material, or declare a new key."
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
