"""New bytes that a symmetric key does not take, or not yet (rule 5), and bytes that are pending already.

The function replaces pending bytes only when it is sure that no rotation is about to take them.
"""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.private_keys import key_for, pkcs8_pem
from lab.keys.random_keys import random_keys
from lab.kms.materials import encrypts_with, listed, states
from lab.wire.transport import Refusal
from tests.support.pinned import FIRST, SECOND, SECRET, THIRD, V1, V2, V3, created, failed, updated

PENDING = ("PENDING_ROTATION", "IMPORTED")
CURRENT = ("CURRENT", "IMPORTED")
NON_CURRENT = ("NON_CURRENT", "IMPORTED")


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
def test_new_material_without_a_pinned_version_is_refused(world, new_material):
    key = created(world)

    assert failed(world, key, None, NewMaterial=new_material) == (
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

    assert failed(world, key, V2, NewMaterial=new_material) == (
        "NewMaterial: The key has been rotated 25 times, and KMS rotates a key on demand 25 times at most. Declare a new "
        "key for the new material. Nothing was imported."
    )


def test_a_rotation_that_kms_refuses_fails_and_leaves_the_bytes_pending(world):
    key = created(world)
    world.aws.faults.inject("RotateKeyOnDemand", Refusal(400, "LimitExceededException", "The limit has been reached."))

    answer = updated(world, key, V2, NewMaterial="ROTATE")

    assert answer["Reason"] == (
        "NewMaterial: kms:RotateKeyOnDemand was refused with LimitExceededException: The limit has been reached. A quota "
        "of KMS is used up. See Service Quotas for KMS in this Region. KMS may hold the material already: a rollback or "
        "the next update handles it."
    )
    assert world.aws.count("RotateKeyOnDemand") == 1
    assert states(world, key) == [CURRENT, PENDING]


# ----------------------------------------------------------------------------------------------- what is pending already


def test_pending_bytes_are_replaced_only_after_five_quiet_minutes(world):
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")
    started, deleted = world.clock.now(), []
    world.aws.hooks.append(
        lambda call, _: deleted.append(world.clock.now()) if call.operation == "DeleteImportedKeyMaterial" else None
    )

    answer = updated(world, key, V3, NewMaterial="STAGE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [CURRENT, PENDING]
    assert 300 <= (deleted[0] - started).total_seconds() <= 330
    assert world.aws.count("DeleteImportedKeyMaterial") == 1
    assert world.aws.count("RotateKeyOnDemand") == 0
    updated(world, key, V3, NewMaterial="ROTATE")
    assert encrypts_with(world, key, THIRD)


def test_pending_bytes_that_somebody_else_s_rotation_takes_are_not_removed(world):
    """KMS may stop showing OnDemandRotationStartDate long before the rotation ends."""
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")
    world.call("RotateKeyOnDemand", KeyId=key)
    world.clock.advance(10)
    assert "OnDemandRotationStartDate" not in world.call("GetKeyRotationStatus", KeyId=key)

    answer = updated(world, key, V3, NewMaterial="STAGE")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [NON_CURRENT, CURRENT, PENDING]
    assert encrypts_with(world, key, SECOND)
    assert world.aws.count("DeleteImportedKeyMaterial") == 0


def test_bytes_that_are_pending_are_not_what_is_asked_for_without_stage_or_rotate(world):
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")
    current, pending = (one["KeyMaterialId"] for one in listed(world, key))

    answer = updated(world, key, V2)

    assert answer["Reason"] == (
        f"KeyId: KMS took the material, and did not confirm it in time: these bytes are material {pending}, which is "
        f"PENDING_ROTATION; current is {current}. KMS may hold the material already: a rollback or the next update handles it."
    )
    assert states(world, key) == [CURRENT, PENDING]


def test_where_time_ends_before_five_quiet_minutes_the_pending_bytes_stay(world):
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")
    before = world.snapshot()

    answer = updated(world, key, V3, NewMaterial="ROTATE", ServiceTimeout="180")

    assert answer["Reason"] == (
        "NewMaterial: Other material is pending rotation in the key, and a rotation that was requested a moment ago may "
        "take it. Run the deployment again. Nothing was imported."
    )
    assert world.snapshot() == before
