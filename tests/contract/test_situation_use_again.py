"""Keys that somebody disabled, whose material expired or was deleted by hand: what brings them back, and what must not."""

import pytest

from tests.support.importing import import_material
from tests.support.materials import encrypts_with, listed, states
from tests.support.private_keys import key_for, pkcs8_pem
from tests.support.random_keys import random_keys

FIRST, SECOND = random_keys(32, 2)
SECRET = "orders/master-key"
V1, V2 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2))
DAY = 86_400
P256 = "ECC_NIST_P256"
SPECS = ["SYMMETRIC_DEFAULT", "HMAC_256", P256]
DISABLED = (
    "KeyId: The key is Disabled, and an import would enable it; somebody disabled it for a reason. Enable it first, if that "
    "is meant: aws kms enable-key. Nothing was imported."
)


def created(world, spec="SYMMETRIC_DEFAULT", **declared):
    key = world.external_key(spec)
    world.secret(pkcs8_pem(key_for(spec)) if spec == P256 else FIRST, version_id=V1)
    answer = world.create(key, SecretId=SECRET, SecretVersionId=V1, **declared)
    assert answer["Status"] == "SUCCESS"
    world.clock.advance(60)
    return key


def updated(world, key, version=V1, **declared):
    return world.update(key, SecretId=SECRET, SecretVersionId=version, **declared)


def failed(world, key, *args, **declared):
    """The reason, once it is shown that nothing whatever happened to KMS."""
    before, changes = world.snapshot(), world.changes()
    answer = updated(world, key, *args, **declared)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", key)
    assert world.snapshot() == before
    assert world.changes() == changes
    return answer["Reason"]


# ------------------------------------------------------------------------------------------------------- Disabled keys


@pytest.mark.parametrize("spec", SPECS)
def test_a_disabled_key_is_not_imported_into(world, spec):
    key = created(world, spec)
    world.call("DisableKey", KeyId=key)

    assert failed(world, key, Trigger="2") == DISABLED
    assert world.state(key) == "Disabled"


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
def test_a_disabled_key_takes_no_new_material(world, new_material):
    key = created(world)
    world.secret(SECOND, version_id=V2)
    world.call("DisableKey", KeyId=key)

    assert failed(world, key, V2, NewMaterial=new_material) == DISABLED
    assert states(world, key) == [("CURRENT", "IMPORTED")]


def test_a_key_that_is_disabled_right_before_the_import_is_not_imported_into(world):
    """The state is read again after the import parameters have come."""
    key = created(world)

    def disable(call, _moment):
        if call.operation == "GetParametersForImport" and world.state(key) == "Enabled":
            world.call("DisableKey", KeyId=key)

    world.aws.hooks.append(disable)
    answer = updated(world, key, Trigger="2")

    assert answer["Reason"] == DISABLED
    assert world.state(key) == "Disabled"
    assert world.aws.count("ImportKeyMaterial") == 1  # the Create's


def test_a_key_that_is_disabled_while_its_rotation_is_awaited_is_rotated_all_the_same(world):
    """RotateKeyOnDemand was accepted before; nothing is imported after that."""
    key = created(world)
    world.secret(SECOND, version_id=V2)
    world.clock.after(30, lambda: world.call("DisableKey", KeyId=key))

    answer = updated(world, key, V2, NewMaterial="ROTATE")

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Disabled"
    assert states(world, key) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]


def test_a_key_that_was_enabled_again_is_imported_into(world):
    key = created(world)
    world.call("DisableKey", KeyId=key)
    failed(world, key, Trigger="2")
    world.call("EnableKey", KeyId=key)

    assert updated(world, key, Trigger="2")["Status"] == "SUCCESS"


# ------------------------------------------------------------------------------------------------------------- expiry


@pytest.mark.parametrize("spec", SPECS)
def test_expiry_renewed_by_a_trigger_and_by_nothing_else(world, spec):
    key = created(world, spec, ValidForDays="30")
    first = world.describe(key)["ValidTo"]
    world.clock.advance(10 * DAY)

    unchanged = updated(world, key, ValidForDays="30", ServiceTimeout="1800")
    renewed = updated(world, key, ValidForDays="30", Trigger="2")

    assert unchanged["Data"]["ValidTo"] == f"{first:%Y-%m-%dT%H:%M:%SZ}"
    assert renewed["Data"]["ValidTo"] == f"{world.describe(key)['ValidTo']:%Y-%m-%dT%H:%M:%SZ}"
    assert (world.describe(key)["ValidTo"] - first).days == 10
    assert world.aws.count("ImportKeyMaterial") == 2


@pytest.mark.parametrize("spec", SPECS)
def test_expiry_changed_and_removed(world, spec):
    key = created(world, spec, ValidTo="2027-01-15T00:00:00Z")

    later = updated(world, key, ValidTo="2027-02-15T00:00:00Z")
    never = updated(world, key)

    assert (later["Data"]["ExpirationModel"], later["Data"]["ValidTo"]) == (
        "KEY_MATERIAL_EXPIRES",
        "2027-02-15T00:00:00Z",
    )
    assert (never["Data"]["ExpirationModel"], never["Data"]["ValidTo"]) == ("KEY_MATERIAL_DOES_NOT_EXPIRE", "")
    world.clock.advance(100 * DAY)
    assert world.state(key) == "Enabled"


@pytest.mark.parametrize("spec", SPECS)
def test_expiry_passed_and_an_ordinary_update_brings_the_material_back(world, spec):
    key = created(world, spec, ValidForDays="30")
    world.clock.advance(31 * DAY)
    assert world.state(key) == "PendingImport"

    answer = updated(world, key, ValidForDays="30", ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"
    assert (world.describe(key)["ValidTo"] - world.clock.now()).days in (29, 30)


def test_expiry_passed_that_is_declared_as_a_time_is_refused_until_another_is_declared(world):
    key = created(world, ValidTo="2026-12-15T00:00:00Z")
    world.clock.advance(31 * DAY)

    assert failed(world, key, ValidTo="2026-12-15T00:00:00Z", ServiceTimeout="1800") == (
        "ValidTo: The time has passed, and KMS would refuse it. Declare a later time, or ValidForDays. Nothing was imported."
    )
    assert updated(world, key)["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"


def test_an_expiry_on_new_material_is_its_own(world):
    """The earlier material keeps the expiry that it has: no end of its own comes over it."""
    key = created(world)
    world.secret(SECOND, version_id=V2)

    answer = updated(world, key, V2, NewMaterial="ROTATE", ValidForDays="30")

    assert answer["Status"] == "SUCCESS"
    assert [one["ExpirationModel"] for one in listed(world, key)] == [
        "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "KEY_MATERIAL_EXPIRES",
    ]


def test_the_expiry_of_staged_material_changes_without_another_stage(world):
    key = created(world)
    world.secret(SECOND, version_id=V2)
    updated(world, key, V2, NewMaterial="STAGE")

    answer = updated(world, key, V2, NewMaterial="STAGE", ValidTo="2027-02-15T00:00:00Z")

    assert answer["Status"] == "SUCCESS"
    assert [(one["KeyMaterialState"], one["ExpirationModel"]) for one in listed(world, key)] == [
        ("CURRENT", "KEY_MATERIAL_DOES_NOT_EXPIRE"),
        ("PENDING_ROTATION", "KEY_MATERIAL_EXPIRES"),
    ]
    assert world.aws.count("DeleteImportedKeyMaterial") == 0


# ------------------------------------------------------------------------------------------------ deleted out of band


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
    """It needs the bytes that it lost, whatever else it is given."""
    key = created(world)
    world.secret(SECOND, version_id=V2)
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
    world.secret(SECOND, version_id=V2)
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    before = world.snapshot()

    answer = updated(world, key, V2)

    assert answer["Reason"].startswith("SecretId: The secret holds other material than the key holds or once held")
    assert world.snapshot() == before


def test_new_material_for_a_key_that_lost_its_own_needs_the_version_that_it_lost(world):
    key = created(world)
    world.secret(SECOND, version_id=V2)
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    answer = updated(world, key, V2, NewMaterial="ROTATE", PreviousSecretVersionIds=[V1])

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
    assert encrypts_with(world, key, SECOND)


def test_staged_material_that_a_person_removed_is_staged_again(world):
    key = created(world)
    world.secret(SECOND, version_id=V2)
    updated(world, key, V2, NewMaterial="STAGE")
    pending = listed(world, key)[1]["KeyMaterialId"]
    world.call("DeleteImportedKeyMaterial", KeyId=key, KeyMaterialId=pending)

    answer = updated(world, key, V2, NewMaterial="STAGE", Trigger="2")

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


def test_staged_material_that_a_person_removed_is_staged_again_where_nothing_else_changed(world):
    """Nothing that is declared has changed, but KMS lacks what is declared."""
    key = created(world)
    world.secret(SECOND, version_id=V2)
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
