"""The strict KMS and material that is lost, deleted, listed (docs/internals/kms-contract.md, C-48 to C-52, C-70 to C-73)."""

from base64 import b64encode
from datetime import timedelta

import pytest

from lab.keys.by_hand import FOR_EVER
from tests.support.kms_bench import LAG_SECONDS

ONE, TWO, THREE, FOUR = (bytes([number]) * 32 for number in (1, 2, 3, 4))
CURRENT, NON_CURRENT = ("CURRENT", "IMPORTED"), ("NON_CURRENT", "IMPORTED")
PENDING = ("PENDING_ROTATION", "IMPORTED")


@pytest.fixture
def key(bench):
    return bench.filled_key(ONE)


def current(bench, key):
    return bench.metadata(key)["CurrentKeyMaterialId"]


def ids(bench, key):
    return [one["KeyMaterialId"] for one in bench.rotations(key)]


# ----------------------------------------------------------------------------------------------------------------- loss


@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("how", ["deletion", "expiry"])
def test_a_key_that_lost_any_material_that_was_ever_current_is_pending_import(bench, key, lost, how):
    bench.stage(key, TWO)
    bench.rotate(key)
    sealed = bench.kms.encrypt(KeyId=key, Plaintext=b"message")["CiphertextBlob"]
    id_, material = ids(bench, key)[lost], (ONE, TWO)[lost]
    if how == "deletion":
        bench.kms.delete_imported_key_material(KeyId=key, KeyMaterialId=id_)
    else:
        bench.put(key, material, ValidTo=bench.clock.now() + timedelta(seconds=1))
        bench.clock.advance(1 + LAG_SECONDS)

    assert bench.state(key) == "PendingImport"
    assert current(bench, key) == ids(bench, key)[1]
    with bench.refuses("KMSInvalidStateException", f"{key} is pending import."):
        bench.kms.decrypt(CiphertextBlob=sealed)
    with bench.refuses("KMSInvalidStateException", f"{key} is pending import."):
        bench.kms.encrypt(KeyId=key, Plaintext=b"message")
    assert bench.rotations(key)[lost]["ImportState"] == "PENDING_IMPORT"

    bench.put(key, material)
    assert bench.state(key) == "Enabled"
    assert bench.materials(key) == [NON_CURRENT, CURRENT]


def test_pending_material_that_expires_does_no_harm_until_it_is_rotated_to(bench, key):
    pending = bench.stage(key, TWO, ValidTo=bench.clock.now() + timedelta(seconds=10))

    bench.clock.advance(10 + LAG_SECONDS)
    assert bench.state(key) == "Enabled"
    assert bench.materials(key) == [CURRENT, ("PENDING_ROTATION", "PENDING_IMPORT")]

    bench.rotate(key)
    assert bench.state(key) == "PendingImport"
    assert current(bench, key) == pending

    bench.put(key, TWO)
    assert bench.state(key) == "Enabled"


def test_after_an_expiry_import_state_says_imported_for_a_while(bench, key):
    bench.put(key, ONE, ValidTo=bench.clock.now() + timedelta(seconds=10))

    bench.clock.advance(10)
    assert bench.state(key) == "PendingImport"
    assert bench.materials(key) == [CURRENT]

    bench.clock.advance(LAG_SECONDS)
    assert bench.materials(key) == [("CURRENT", "PENDING_IMPORT")]


def test_of_several_expiries_describe_key_shows_the_earliest(bench, key):
    soon, late = bench.clock.now() + timedelta(days=1), bench.clock.now() + timedelta(days=9)
    bench.stage(key, TWO, ValidTo=late)
    bench.rotate(key)
    assert bench.metadata(key)["ValidTo"] == late

    bench.put(key, ONE, ValidTo=soon)
    assert bench.metadata(key)["ValidTo"] == soon


# ------------------------------------------------------------------------------------------------------------- deletion


def test_deletion_takes_the_current_material_and_says_which(bench, key):
    id_ = current(bench, key)

    answer = bench.kms.delete_imported_key_material(KeyId=key)

    assert (answer["KeyId"], answer["KeyMaterialId"]) == (key, id_)
    shown = bench.metadata(key)
    assert (shown["KeyState"], shown["Enabled"], shown["CurrentKeyMaterialId"]) == ("PendingImport", False, id_)
    assert not {"ExpirationModel", "ValidTo"} & set(shown)
    assert bench.materials(key) == [("CURRENT", "PENDING_IMPORT")]


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_deletion_from_an_empty_key_and_a_second_one_succeed(bench, spec):
    empty, key = bench.key(spec), bench.filled_key(ONE, spec)

    assert bench.kms.delete_imported_key_material(KeyId=empty)["KeyId"] == empty
    for _ in range(2):
        assert bench.kms.delete_imported_key_material(KeyId=key)["KeyId"] == key

    assert bench.state(empty) == bench.state(key) == "PendingImport"


def test_material_that_the_key_never_had_can_t_be_deleted(bench, key):
    sentence = f"Key material (id: {'0' * 64}) has never been imported into KMS key {key}."

    with bench.refuses("ValidationException", sentence):
        bench.kms.delete_imported_key_material(KeyId=key, KeyMaterialId="0" * 64)


def test_only_symmetric_keys_name_what_is_to_be_deleted(bench):
    key = bench.filled_key(ONE, "HMAC_256")
    sentence = "Input parameter keyMaterialId cannot be used with HMAC_256 imported keys."

    with bench.refuses("ValidationException", sentence):
        bench.kms.delete_imported_key_material(KeyId=key, KeyMaterialId="0" * 64)


def test_deletion_without_a_name_leaves_pending_material(bench, key):
    bench.stage(key, TWO)

    bench.kms.delete_imported_key_material(KeyId=key)

    assert bench.materials(key) == [("CURRENT", "PENDING_IMPORT"), PENDING]


def test_each_material_of_a_rotated_key_is_deleted_by_its_id(bench, key):
    bench.stage(key, TWO)
    bench.rotate(key)

    for id_ in ids(bench, key):
        bench.kms.delete_imported_key_material(KeyId=key, KeyMaterialId=id_)

    assert {state for _, state in bench.materials(key)} == {"PENDING_IMPORT"}


def test_deletion_from_a_key_that_is_pending_deletion_leaves_its_state(bench, key):
    bench.kms.schedule_key_deletion(KeyId=key)

    bench.kms.delete_imported_key_material(KeyId=key)

    assert bench.state(key) == "PendingDeletion"


# ------------------------------------------------------------------------------------------------------------- the list


def test_the_list_of_rotations_leaves_out_what_no_rotation_made_current(bench, key):
    bench.stage(key, TWO)
    bench.rotate(key)
    bench.stage(key, THREE)

    listed = bench.kms.list_key_rotations(KeyId=key)["Rotations"]

    assert [one["KeyMaterialState"] for one in listed] == ["CURRENT"]
    assert set(bench.rotations(key)[0]) == {
        "KeyId",
        "KeyMaterialId",
        "KeyMaterialState",
        "ImportState",
        "ExpirationModel",
    }
    assert bench.rotations(key)[0]["ExpirationModel"] == FOR_EVER


def test_the_list_of_rotations_pages(bench, key):
    for material in (TWO, THREE, FOUR):
        bench.stage(key, material)
        bench.rotate(key)
    pages = bench.kms.get_paginator("list_key_rotations").paginate(
        KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL", PaginationConfig={"PageSize": 3}
    )

    lengths = [(len(page["Rotations"]), page["Truncated"]) for page in pages]

    assert lengths == [(3, True), (1, False)]


@pytest.mark.parametrize(
    "marker", ["elsewhere", "!", "//8=", *(b64encode(b).decode() for b in (b"x:1", b"from:-1", b"from:"))]
)
def test_a_marker_that_kms_did_not_give_is_refused(bench, key, marker):
    with bench.refuses("InvalidMarkerException", "The marker is not valid."):
        bench.kms.list_key_rotations(KeyId=key, Marker=marker)


@pytest.mark.parametrize("spec", ["HMAC_256", "RSA_2048"])
def test_only_symmetric_keys_have_a_list_of_rotations(bench, spec):
    key = bench.key(spec)

    with bench.refuses("ValidationException", f"{key} key spec is {spec} which is not valid for this operation."):
        bench.kms.list_key_rotations(KeyId=key)


@pytest.mark.parametrize("spec", ["HMAC_256", "RSA_2048"])
def test_only_symmetric_keys_have_a_list_of_materials(bench, spec):
    key = bench.key(spec)
    sentence = "Input parameter includeKeyMaterial can only be used with symmetric keys."

    with bench.refuses("ValidationException", sentence):
        bench.rotations(key)
