"""The strict KMS and keys of more than one material: staging, rotation, loss (docs/kms-contract.md, C-40 to C-53, C-70 to C-73)."""

from datetime import timedelta

import pytest

from tests.support.importing import FOR_EVER
from tests.support.kms_bench import DAY_SECONDS, LAG_SECONDS, ROTATION_SECONDS, STATUS_SECONDS

ONE, TWO, THREE, FOUR = (bytes([number]) * 32 for number in (1, 2, 3, 4))
NEW, EXISTING = "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"
WRONG_ID = "Imported key material does not have the expected identifier (ID)."
CURRENT, NON_CURRENT = ("CURRENT", "IMPORTED"), ("NON_CURRENT", "IMPORTED")
PENDING = ("PENDING_ROTATION", "IMPORTED")


@pytest.fixture
def key(bench):
    return bench.filled_key(ONE)


def current(bench, key):
    return bench.metadata(key)["CurrentKeyMaterialId"]


def ids(bench, key):
    return [one["KeyMaterialId"] for one in bench.rotations(key)]


# -------------------------------------------------------------------------------------------------------------- staging


def test_new_material_is_staged_and_changes_nothing_in_describe_key(bench, key):
    before = bench.metadata(key)

    bench.stage(key, TWO, KeyMaterialDescription="from the safe")

    assert bench.metadata(key) == before
    assert bench.materials(key) == [CURRENT, PENDING]
    assert bench.rotations(key)[1]["KeyMaterialDescription"] == "from the safe"


def test_on_a_key_that_never_had_any_new_material_is_current_at_once(bench):
    key = bench.key()

    id_ = bench.stage(key, ONE)

    assert current(bench, key) == id_
    assert bench.materials(key) == [CURRENT]


def test_while_one_material_is_pending_no_other_can_be_staged(bench, key):
    third = bench.stage(key, THREE)  # tells its id
    bench.kms.delete_imported_key_material(KeyId=key, KeyMaterialId=third)
    pending = bench.stage(key, TWO)
    sentence = (
        f"New key material (id: {third}) cannot be imported into KMS key {key}, because another key material "
        f"(id: {pending}) is pending rotation."
    )

    with bench.refuses("KMSInvalidStateException", sentence):
        bench.stage(key, THREE)


@pytest.mark.parametrize("state", ["current", "pending"])
def test_material_that_the_key_knows_is_not_new(bench, key, state):
    known = ONE if state == "current" else TWO
    id_ = current(bench, key) if state == "current" else bench.stage(key, TWO)
    sentence = (
        f"Key material (id: {id_}) being imported as NEW_KEY_MATERIAL is already associated with KMS key {key}."
    )

    with bench.refuses("IncorrectKeyMaterialException", sentence):
        bench.stage(key, known)


def test_new_material_has_no_id_to_be_named_by(bench, key):
    with bench.refuses("ValidationException", "A KeyMaterialId cannot be specified with ImportType NEW_KEY_MATERIAL"):
        bench.put(key, TWO, ImportType=NEW, KeyMaterialId="0" * 64)


@pytest.mark.parametrize("more", [{}, {"ImportType": EXISTING}, {"KeyMaterialId": "0" * 64}])
def test_without_new_only_known_material_is_taken(bench, key, more):
    with bench.refuses("IncorrectKeyMaterialException", WRONG_ID):
        bench.put(key, TWO, **more)


def test_existing_material_is_not_what_a_key_has_that_never_had_any(bench):
    key = bench.key()

    with bench.refuses("IncorrectKeyMaterialException", WRONG_ID):
        bench.put(key, ONE, ImportType=EXISTING)


def test_a_re_import_may_name_its_material_and_must_be_that_one(bench, key):
    bench.stage(key, TWO)
    bench.rotate(key)
    first, second = ids(bench, key)

    with bench.refuses("IncorrectKeyMaterialException", WRONG_ID):
        bench.put(key, ONE, KeyMaterialId=second)
    assert bench.put(key, ONE, KeyMaterialId=first)["KeyMaterialId"] == first


def test_pending_material_may_be_imported_again_for_another_expiry(bench, key):
    valid_to = bench.clock.now() + timedelta(days=2)
    bench.stage(key, TWO)

    bench.put(key, TWO, ValidTo=valid_to)

    assert bench.materials(key) == [CURRENT, PENDING]
    assert bench.rotations(key)[1]["ValidTo"] == valid_to
    assert "ValidTo" not in bench.metadata(key)


def test_a_re_import_without_description_keeps_the_former_one(bench):
    key = bench.key()
    bench.put(key, ONE, KeyMaterialDescription="first")

    bench.put(key, ONE)
    assert bench.rotations(key)[0]["KeyMaterialDescription"] == "first"

    bench.put(key, ONE, KeyMaterialDescription="second")
    assert bench.rotations(key)[0]["KeyMaterialDescription"] == "second"


def test_deleted_pending_material_is_forgotten_and_may_be_staged_again(bench, key):
    pending = bench.stage(key, TWO)

    bench.kms.delete_imported_key_material(KeyId=key, KeyMaterialId=pending)

    assert bench.materials(key) == [CURRENT]
    assert bench.state(key) == "Enabled"
    assert bench.stage(key, TWO) == pending


# ------------------------------------------------------------------------------------------------------------- rotation


def test_a_rotation_returns_at_once_and_is_done_later(bench, key):
    first = current(bench, key)
    second = bench.stage(key, TWO)

    answer = bench.kms.rotate_key_on_demand(KeyId=key)
    assert answer["KeyId"] == key
    bench.clock.advance(ROTATION_SECONDS - 1)
    assert current(bench, key) == first
    assert bench.materials(key) == [CURRENT, PENDING]

    bench.clock.advance(1)
    assert current(bench, key) == second
    assert bench.materials(key) == [NON_CURRENT, CURRENT]
    entry = bench.rotations(key)[1]
    assert (entry["RotationType"], entry["RotationDate"]) == ("ON_DEMAND", bench.clock.now())
    assert bench.state(key) == "Enabled"


def test_the_rotation_status_may_vanish_long_before_the_rotation_is_done(bench, key):
    bench.stage(key, TWO)
    started_at = bench.clock.now()
    bench.kms.rotate_key_on_demand(KeyId=key)

    assert bench.kms.get_key_rotation_status(KeyId=key)["OnDemandRotationStartDate"] == started_at
    bench.clock.advance(STATUS_SECONDS)
    assert "OnDemandRotationStartDate" not in bench.kms.get_key_rotation_status(KeyId=key)
    assert bench.materials(key) == [CURRENT, PENDING]


def test_without_pending_material_there_is_nothing_to_rotate_to(bench, key):
    with bench.refuses(
        "KMSInvalidStateException", f"No available key material pending rotation for the key: {key}."
    ):
        bench.kms.rotate_key_on_demand(KeyId=key)


def test_an_empty_key_can_t_rotate(bench):
    key = bench.key()

    with bench.refuses("KMSInvalidStateException", f"{key} is pending import."):
        bench.kms.rotate_key_on_demand(KeyId=key)


@pytest.mark.parametrize("spec", ["RSA_2048", "HMAC_256"])
def test_only_symmetric_keys_rotate_and_the_refusal_has_no_words(bench, spec):
    key = bench.key(spec, Origin="AWS_KMS")

    with bench.refuses("UnsupportedOperationException", ""):
        bench.kms.rotate_key_on_demand(KeyId=key)


def test_a_disabled_key_is_refused_for_being_disabled_whatever_its_spec(bench):
    key = bench.key("RSA_2048", Origin="AWS_KMS")
    bench.kms.disable_key(KeyId=key)

    with bench.refuses("DisabledException", f"{key} is disabled."):
        bench.kms.rotate_key_on_demand(KeyId=key)


def test_an_accepted_rotation_takes_whatever_is_pending_at_its_end(bench, key):
    bench.stage(key, TWO)
    bench.kms.rotate_key_on_demand(KeyId=key)
    bench.kms.delete_imported_key_material(KeyId=key, KeyMaterialId=ids(bench, key)[1])

    third = bench.stage(key, THREE)
    bench.clock.advance(ROTATION_SECONDS)

    assert current(bench, key) == third


def test_a_rotation_that_finds_nothing_pending_changes_nothing(bench, key):
    second = bench.stage(key, TWO)
    bench.kms.rotate_key_on_demand(KeyId=key)
    bench.kms.delete_imported_key_material(KeyId=key, KeyMaterialId=second)

    bench.clock.advance(ROTATION_SECONDS)
    third = bench.stage(key, THREE)
    bench.clock.advance(ROTATION_SECONDS)

    assert current(bench, key) != third
    assert bench.materials(key) == [CURRENT, PENDING]


def test_while_a_rotation_runs_no_other_is_accepted(bench, key):
    bench.stage(key, TWO)
    bench.kms.rotate_key_on_demand(KeyId=key)

    with bench.refuses("ConflictException", f"An on-demand rotation of {key} is in progress."):
        bench.kms.rotate_key_on_demand(KeyId=key)


def test_a_key_can_t_go_back_to_material_that_was_current(bench, key):
    first = current(bench, key)
    bench.stage(key, TWO)
    bench.rotate(key)
    sentence = (
        f"Key material (id: {first}) being imported as NEW_KEY_MATERIAL is already associated with KMS key {key}."
    )

    with bench.refuses("IncorrectKeyMaterialException", sentence):
        bench.stage(key, ONE)
    bench.put(key, ONE)
    with bench.refuses(
        "KMSInvalidStateException", f"No available key material pending rotation for the key: {key}."
    ):
        bench.kms.rotate_key_on_demand(KeyId=key)
    assert bench.materials(key) == [NON_CURRENT, CURRENT]


def test_a_key_rotates_25_times_in_its_life(bench, key):
    for number in range(25):
        bench.stage(key, bytes([100 + number]) * 32)
        bench.rotate(key)
    bench.stage(key, TWO)
    kms = bench.client(retries=False)  # botocore takes the refusal for a throttle
    sentence = (
        "The on-demand rotations limit has been reached for the given keyId. "
        f"No more on-demand rotations can be performed for this key: {key}"
    )

    with bench.refuses("LimitExceededException", sentence):
        kms.rotate_key_on_demand(KeyId=key)
    assert len(bench.rotations(key)) == 27


def test_after_a_rotation_what_was_encrypted_before_can_still_be_decrypted(bench, key):
    first = current(bench, key)
    old = bench.kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    second = bench.stage(key, TWO)
    bench.rotate(key)
    new = bench.kms.encrypt(KeyId=key, Plaintext=b"new")["CiphertextBlob"]

    opened = [bench.kms.decrypt(CiphertextBlob=blob) for blob in (old, new)]

    assert [(one["Plaintext"], one["KeyMaterialId"]) for one in opened] == [(b"old", first), (b"new", second)]


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


def test_a_marker_that_kms_did_not_give_is_refused(bench, key):
    with bench.refuses("InvalidMarkerException", "The marker is not valid."):
        bench.kms.list_key_rotations(KeyId=key, Marker="elsewhere")


@pytest.mark.parametrize("spec", ["HMAC_256", "RSA_2048"])
def test_only_symmetric_keys_have_a_list_of_rotations(bench, spec):
    key = bench.key(spec)

    with bench.refuses("ValidationException", f"{key} key spec is {spec} which is not valid for this operation."):
        bench.kms.list_key_rotations(KeyId=key)


# ----------------------------------------------------------------------------------------------------- automatic rotation


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("operation", ["enable_key_rotation", "disable_key_rotation"])
def test_imported_material_is_never_rotated_automatically(bench, operation, filled):
    key = bench.filled_key(ONE) if filled else bench.key()
    sentence = f"{key} origin is EXTERNAL which is not valid for this operation."

    with bench.refuses("UnsupportedOperationException", sentence):
        getattr(bench.kms, operation)(KeyId=key)


def test_the_rotation_status_of_an_imported_key_says_that_it_is_off(bench, key):
    status = bench.kms.get_key_rotation_status(KeyId=key)

    assert (status["KeyId"], status["KeyRotationEnabled"]) == (key, False)
    assert "NextRotationDate" not in status


def test_an_empty_key_has_no_rotation_status(bench):
    key = bench.key()
    sentence = f"{key} origin is EXTERNAL which is not valid for this operation."

    with bench.refuses("UnsupportedOperationException", sentence):
        bench.kms.get_key_rotation_status(KeyId=key)


def test_a_key_of_kms_s_own_remembers_its_automatic_rotation(bench):
    key = bench.key(Origin="AWS_KMS")
    bench.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)

    status = bench.kms.get_key_rotation_status(KeyId=key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)
    assert status["NextRotationDate"] == bench.clock.now() + timedelta(seconds=90 * DAY_SECONDS)

    bench.kms.disable_key_rotation(KeyId=key)
    assert bench.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_a_key_of_kms_s_own_rotates_on_demand_to_material_of_kms_s_own(bench):
    key = bench.key(Origin="AWS_KMS")
    first = current(bench, key)
    old = bench.kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]

    bench.rotate(key)

    assert current(bench, key) != first
    assert bench.kms.decrypt(CiphertextBlob=old)["KeyMaterialId"] == first
