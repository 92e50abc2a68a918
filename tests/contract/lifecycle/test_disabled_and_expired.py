"""Keys that somebody disabled (rule 7), and material that expires: what an update changes, and what it must not."""

import pytest

from lab.kms.materials import listed, states
from tests.support.pinned import SPECS, V2, created, failed, updated

DAY = 86_400
DISABLED = (
    "KeyId: The key is Disabled, and an import would enable it; somebody disabled it for a reason. To import all the same, "
    "enable it first: aws kms enable-key. Nothing was imported."
)


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
    world.call("DisableKey", KeyId=key)

    assert failed(world, key, V2, NewMaterial=new_material) == DISABLED
    assert states(world, key) == [("CURRENT", "IMPORTED")]


def test_a_key_that_is_disabled_right_before_the_import_is_not_imported_into(world):
    """The function reads the key's state again after GetParametersForImport."""
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
    """KMS accepted RotateKeyOnDemand before; the function imports nothing after that."""
    key = created(world)
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
    """The earlier material keeps its expiry; the new one's does not apply to it."""
    key = created(world)

    answer = updated(world, key, V2, NewMaterial="ROTATE", ValidForDays="30")

    assert answer["Status"] == "SUCCESS"
    assert [one["ExpirationModel"] for one in listed(world, key)] == [
        "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "KEY_MATERIAL_EXPIRES",
    ]


def test_the_expiry_of_staged_material_changes_without_another_stage(world):
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")

    answer = updated(world, key, V2, NewMaterial="STAGE", ValidTo="2027-02-15T00:00:00Z")

    assert answer["Status"] == "SUCCESS"
    assert [(one["KeyMaterialState"], one["ExpirationModel"]) for one in listed(world, key)] == [
        ("CURRENT", "KEY_MATERIAL_DOES_NOT_EXPIRE"),
        ("PENDING_ROTATION", "KEY_MATERIAL_EXPIRES"),
    ]
    assert world.aws.count("DeleteImportedKeyMaterial") == 0
