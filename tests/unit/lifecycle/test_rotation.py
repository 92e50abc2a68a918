"""When the function asks for a rotation, when it waits, and when it removes pending material: on a scripted key."""

from datetime import timedelta

import pytest

from imported_key_material.aws.held_materials import ROTATIONS_MAX, HeldMaterials
from imported_key_material.errors import OutOfTime, Refused, ServiceRefused
from imported_key_material.lifecycle.rotation import Rotation
from tests.support.scripted_key import ScriptedKey, refusal

INVALID_STATE = "KMSInvalidStateException"
PENDING = ("two", "PENDING_ROTATION")


@pytest.fixture
def key():
    return ScriptedKey(materials={("one", "CURRENT"): {}, PENDING: {}})


def rotation(key, **options):
    return Rotation(key.key(**options), key.guard)


def test_a_key_has_room_for_a_twenty_fifth_rotation_and_for_no_other(key):
    types = ["ON_DEMAND"] * (ROTATIONS_MAX - 1) + ["AUTOMATIC", ""]
    rotated = [{"KeyMaterialId": str(number), "RotationType": type_} for number, type_ in enumerate(types)]
    rotation(key).require_room(HeldMaterials.of_entries(rotated))

    with pytest.raises(Refused) as refused:
        rotation(key).require_room(
            HeldMaterials.of_entries([*rotated, {"KeyMaterialId": "last", "RotationType": "ON_DEMAND"}])
        )

    assert str(refused.value) == (
        "NewMaterial: The key has been rotated 25 times, and KMS rotates a key on demand 25 times at most. Declare a new key "
        "for the new material."
    )


# ----------------------------------------------------------------------------------------------------- asking, waiting


def test_a_rotation_is_asked_for_once_though_kms_stops_showing_it_long_before_its_end(key):
    key.after(180, lambda: key.become_current("two"))

    rotation(key).rotate_to("two")

    assert len(key.called("RotateKeyOnDemand")) == 1
    assert key.guarded == 1
    assert 180 <= key.called("DescribeKey")[-1] <= 200


def test_a_rotation_that_shows_already_is_not_asked_for(key):
    key.shows_rotation_until = key.clock.now() + timedelta(seconds=120)
    key.after(100, lambda: key.become_current("two"))

    rotation(key).rotate_to("two")

    assert key.called("RotateKeyOnDemand") == []
    assert key.guarded == 0


@pytest.mark.parametrize("refusals", [[refusal("ConflictException")], []], ids=["a conflict", "accepted as the same"])
def test_a_rotation_that_is_under_way_and_does_not_show_is_asked_for_once_more(key, refusals):
    """KMS accepted it for another invocation. Whatever KMS answers to a repeated request, the function waits."""
    key.refusals = refusals
    key.after(120, lambda: key.become_current("two"))

    rotation(key).rotate_to("two")

    assert len(key.called("RotateKeyOnDemand")) == 1


def test_an_accepted_rotation_of_which_nothing_is_seen_for_five_minutes_is_asked_for_again(key):
    key.after(500, lambda: key.become_current("two"))

    rotation(key).rotate_to("two")

    first, second = key.called("RotateKeyOnDemand")
    assert 300 <= second - first <= 320


@pytest.mark.parametrize("answer", ["a status without a date", "UnsupportedOperationException"])
def test_a_key_that_lacks_a_material_shows_no_rotation(key, answer):
    """The first was recorded, the second is in AWS's own table of key states."""
    if answer == "UnsupportedOperationException":
        key.status_refusal = refusal(answer, "GetKeyRotationStatus")

    assert key.key().rotation_started() is False


def test_material_that_is_current_already_is_not_rotated_to(key):
    key.become_current("two")

    rotation(key).rotate_to("two")

    assert key.calls == [("DescribeKey", 0.0)]


def test_a_primary_whose_replicas_lack_the_material_is_asked_again_until_they_have_it(key):
    key.materials = {("one", "CURRENT"): {}, ("two", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"): {}}
    key.refusals = [refusal(INVALID_STATE)] * 5
    key.after(200, lambda: key.become_current("two"))

    rotation(key).rotate_to("two")

    assert len(key.called("RotateKeyOnDemand")) == 6


def test_where_the_replicas_do_not_come_in_time_the_error_lists_them(key):
    key.materials = {("one", "CURRENT"): {}, ("two", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"): {}}
    key.replicas = ("eu-west-1", "eu-north-1")
    key.refusals = [refusal(INVALID_STATE)] * 1000

    with pytest.raises(OutOfTime) as out_of_time:
        rotation(key, seconds=300).rotate_to("two")

    assert str(out_of_time.value) == (
        "NewMaterial: The rotation was not finished in time: every replica must import the material "
        "first, in its own Region (eu-west-1, eu-north-1); which of them lacks it can't be seen from here."
    )


def test_material_that_somebody_removed_while_its_rotation_was_awaited_is_reported(key):
    key.after(100, lambda: key.materials.pop(PENDING))

    with pytest.raises(OutOfTime) as out_of_time:
        rotation(key, seconds=300).rotate_to("two")

    assert str(out_of_time.value) == ("NewMaterial: The rotation was not finished in time: material two is gone.")


def test_any_other_refusal_ends_it_at_once(key):
    key.refusals = [refusal("LimitExceededException")]

    with pytest.raises(ServiceRefused) as refused:
        rotation(key).rotate_to("two")

    assert refused.value.code == "LimitExceededException"
    assert len(key.called("RotateKeyOnDemand")) == 1


# -------------------------------------------------------------------------------------------------------- making room


def test_pending_material_goes_after_five_minutes_in_which_nothing_was_seen(key):
    rotation(key).make_room()

    (at,) = key.called("DeleteImportedKeyMaterial")
    assert 300 <= at <= 320
    assert key.guarded == 1
    assert list(key.materials) == [("one", "CURRENT")]


def test_a_rotation_that_shows_begins_the_five_minutes_anew(key):
    key.shows_rotation_until = key.clock.now() + timedelta(seconds=200)

    rotation(key).make_room()

    (at,) = key.called("DeleteImportedKeyMaterial")
    assert at >= 180 + 300


def test_a_rotation_that_takes_the_pending_material_has_made_the_room(key):
    key.after(150, lambda: key.become_current("two"))

    rotation(key).make_room()

    assert key.called("DeleteImportedKeyMaterial") == []
    assert 150 <= key.called("DescribeKey")[-1] <= 170


def test_a_new_current_material_is_believed_though_the_list_still_shows_it_pending(key):
    """The two reads may show different moments."""
    key.after(150, lambda: setattr(key, "current", "two"))

    rotation(key).make_room()

    assert key.called("DeleteImportedKeyMaterial") == []


def test_pending_material_that_somebody_removed_has_made_the_room(key):
    key.after(60, lambda: key.materials.pop(PENDING))

    rotation(key).make_room()

    assert key.called("DeleteImportedKeyMaterial") == []


def test_where_the_time_ends_before_five_quiet_minutes_nothing_is_removed(key):
    with pytest.raises(OutOfTime) as out_of_time:
        rotation(key, seconds=299).make_room()

    assert str(out_of_time.value) == (
        "NewMaterial: Other material is pending rotation in the key, and a rotation that was requested a "
        "moment ago may take it. Run the deployment again."
    )
    assert key.called("DeleteImportedKeyMaterial") == []
