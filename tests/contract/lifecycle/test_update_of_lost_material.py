"""Rule 5: material that was deleted or has expired comes back by an update; the key is usable again under its own id."""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.private_keys import key_for, pkcs8_pem
from lab.keys.random_keys import random_keys

KEY, OTHER = random_keys(32, 2)
SECRET = "orders/master-key"
FIRST, SECOND = "11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"
P256 = "ECC_NIST_P256"


def created(world, spec="SYMMETRIC_DEFAULT", value=KEY, **declared):
    key = world.external_key(spec)
    world.secret(value, version_id=FIRST)
    answer = world.create(key, SecretId=SECRET, SecretVersionId=FIRST, **declared)
    assert answer["Status"] == "SUCCESS"
    world.clock.advance(100)
    return key, answer


def rotated(world):
    """A key with two materials: OTHER is current, KEY still needed."""
    key, _ = created(world)
    import_material(world.session().client("kms"), key, OTHER, ImportType="NEW_KEY_MATERIAL")
    world.call("RotateKeyOnDemand", KeyId=key)
    world.clock.advance(180)
    world.secret(OTHER, version_id=SECOND)
    return key


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256", P256])
@pytest.mark.parametrize("how", ["deleted", "expired"])
def test_lost_material_comes_back_by_an_update_that_changes_nothing_of_it(world, spec, how):
    value = pkcs8_pem(key_for(P256)) if spec == P256 else KEY
    expiry = {"ValidForDays": "30"}
    key, first = created(world, spec, value, **expiry)
    if how == "deleted":
        world.call("DeleteImportedKeyMaterial", KeyId=key)
    else:
        world.clock.advance(86_400 * 30)
    assert world.state(key) == "PendingImport"

    answer = world.update(key, SecretId=SECRET, SecretVersionId=FIRST, **expiry)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert world.state(key) == "Enabled"
    assert answer["Data"]["KeyMaterialId"] == first["Data"]["KeyMaterialId"]


def test_the_current_material_of_a_rotated_key_comes_back_from_its_own_version(world):
    key = rotated(world)
    current = world.describe(key)["CurrentKeyMaterialId"]
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    answer = world.update(key, SecretId=SECRET, SecretVersionId=SECOND)

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"
    assert answer["Data"]["KeyMaterialId"] == current


def test_a_rotated_key_that_lacks_two_materials_says_which(world):
    """One comes back; lose one, even one that is not current, and the whole key is out of use."""
    key = rotated(world)
    listed = world.call("ListKeyRotations", KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    for material in listed:
        world.call("DeleteImportedKeyMaterial", KeyId=key, KeyMaterialId=material["KeyMaterialId"])

    answer = world.update(key, SecretId=SECRET, SecretVersionId=SECOND)

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == key
    assert answer["Reason"] == (
        "KeyId: KMS took the material, and did not confirm it in time: the key is PendingImport, because it lost material "
        f"that it once had ({listed[0]['KeyMaterialId']}). PreviousSecretVersionIds names the secret versions that bring "
        "it back. KMS may hold the material already: a rollback or the next update handles it."
    )
