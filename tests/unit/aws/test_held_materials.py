"""What ListKeyRotations shows of a key's materials, and how their expiry is compared."""

from datetime import UTC, datetime, timedelta

import pytest

from imported_key_material.aws.held_materials import Expiry, HeldMaterials, ShownExpiry, State
from imported_key_material.aws.key_view import KeyView
from imported_key_material.errors import Faults
from imported_key_material.lifecycle.declared_expiry import DeclaredExpiry, shown_expiry
from imported_key_material.properties import read
from tests.support.scripted_key import ARN

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
EXPIRES, NEVER = "KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"


def view(*, model=NEVER, valid_to=None):
    metadata = {
        "Arn": ARN,
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "Origin": "EXTERNAL",
        "KeyState": "Enabled",
        "ExpirationModel": model,
        "CurrentKeyMaterialId": "two",
    }
    return KeyView.of_metadata(metadata | ({"ValidTo": valid_to} if valid_to else {}))


def entry(id_, state="CURRENT", *, imported=True, **more):
    import_state = "IMPORTED" if imported else "PENDING_IMPORT"
    return {"KeyMaterialId": id_, "KeyMaterialState": state, "ImportState": import_state} | more


def held(*entries):
    return HeldMaterials.of_entries(entries)


# ------------------------------------------------------------------------------------------------------------ the list


def test_a_material_is_found_by_its_id_only():
    materials = held(entry("one"), entry("two"))

    assert materials.of("two") is materials[1]
    assert materials.of("three") is None
    assert held().of("") is None
    assert materials.ids == ("one", "two")


def test_lost_is_what_is_not_imported_and_what_has_expired_though_the_list_says_imported():
    materials = held(
        entry("there"),
        entry("gone", imported=False),
        entry("expired", ValidTo=NOW),
        entry("expires", ValidTo=NOW + timedelta(seconds=1)),
        entry("gone and expired", imported=False, ValidTo=NOW - timedelta(days=1)),
    )

    assert [one.id for one in materials.lost(NOW)] == ["gone", "expired", "gone and expired"]


@pytest.mark.parametrize("state", ["PENDING_ROTATION", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"])
def test_what_is_pending_is_found_wherever_it_stands(state):
    assert held(entry("two", state), entry("one")).pending.id == "two"
    assert held(entry("one"), entry("two", state)).pending.id == "two"


@pytest.mark.parametrize("entries", [[], [entry("one", "NON_CURRENT")]])
def test_where_nothing_is_pending_nothing_is_found(entries):
    assert held(*entries).pending is None


def test_a_key_needs_what_was_superseded_and_what_is_current():
    materials = held(entry("now"), entry("before", "NON_CURRENT"), entry("next", "PENDING_ROTATION"))

    assert [one.id for one in materials.needed] == ["before", "now"]
    assert [one.id for one in materials.in_state(State.SUPERSEDED)] == ["before"]


def test_a_state_that_kms_has_learned_since_is_none_of_those_that_are_known():
    (material,) = held(entry("one", "SOMETHING_NEW"))

    assert (material.state, material.is_pending, held(entry("one", "SOMETHING_NEW")).needed) == (
        "SOMETHING_NEW",
        False,
        (),
    )


# ------------------------------------------------------------------------------------------------------------- expiry


@pytest.mark.parametrize(
    ("shown", "asked", "same"),
    [
        ((NEVER, None), Expiry(None), True),
        ((EXPIRES, LATER), Expiry(LATER), True),
        ((EXPIRES, LATER), Expiry(LATER + timedelta(microseconds=999_999)), True),  # KMS keeps whole seconds
        ((EXPIRES, LATER), Expiry(LATER + timedelta(seconds=1)), False),
        ((EXPIRES, LATER), Expiry(LATER - timedelta(microseconds=1)), False),
        ((EXPIRES, LATER), Expiry(None), False),
        ((NEVER, None), Expiry(LATER), False),
        (("", None), Expiry(None), False),
    ],
)
def test_an_expiry_is_compared_to_the_whole_second(shown, asked, same):
    model, valid_to = shown

    assert ShownExpiry(model, valid_to).is_that_of(asked) is same
    assert view(model=model, valid_to=valid_to).expiry.is_that_of(asked) is same


def test_the_list_is_believed_where_the_description_shows_the_earliest_of_several():
    earlier = view(model=EXPIRES, valid_to=NOW + timedelta(days=1))
    materials = held(
        entry("one", ExpirationModel=EXPIRES, ValidTo=NOW + timedelta(days=1)), entry("two", ExpirationModel=NEVER)
    )

    assert shown_expiry(earlier, materials, "two").is_that_of(Expiry(None))
    assert not shown_expiry(earlier, materials, "one").is_that_of(Expiry(None))
    assert shown_expiry(earlier, materials, "not listed") == earlier.expiry


def declared(**properties):
    found = read({"ServiceToken": "arn", "KeyId": ARN, "SecretId": "s"} | properties, Faults())
    return DeclaredExpiry(found, NOW)


@pytest.mark.parametrize(("days", "kept"), [("30", True), ("31", True), ("29", False)])
def test_valid_for_days_are_content_with_any_end_that_is_no_later(days, kept):
    assert declared(ValidForDays=days).is_kept_by(ShownExpiry(EXPIRES, LATER)) is kept
    assert not declared(ValidForDays=days).is_kept_by(ShownExpiry(NEVER, None))


def test_earlier_materials_count_where_their_versions_are_declared():
    materials = held(
        entry("one", "NON_CURRENT", ExpirationModel=EXPIRES, ValidTo=LATER), entry("two", ExpirationModel=NEVER)
    )
    version = "11111111-2222-3333-4444-555555555555"

    assert declared().is_kept(view(), materials, "two")
    assert not declared(PreviousSecretVersionIds=[version]).is_kept(view(), materials, "two")
