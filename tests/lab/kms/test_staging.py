"""The strict KMS and material that waits to become current (docs/internals/kms-contract.md, C-40 to C-43, C-83)."""

from datetime import timedelta

import pytest

ONE, TWO, THREE, FOUR = (bytes([number]) * 32 for number in (1, 2, 3, 4))
NEW, EXISTING = "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"
CURRENT, NON_CURRENT = ("CURRENT", "IMPORTED"), ("NON_CURRENT", "IMPORTED")
PENDING = ("PENDING_ROTATION", "IMPORTED")


@pytest.fixture
def key(bench):
    return bench.filled_key(ONE)


def current(bench, key):
    return bench.metadata(key)["CurrentKeyMaterialId"]


def ids(bench, key):
    return [one["KeyMaterialId"] for one in bench.rotations(key)]


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
    third = bench.stage(key, THREE)  # returns its id
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
    sentence = f"Key material (id: {id_}) being imported as NEW_KEY_MATERIAL is already associated with KMS key {key}."

    with bench.refuses("IncorrectKeyMaterialException", sentence):
        bench.stage(key, known)


def test_new_material_has_no_id_to_be_named_by(bench, key):
    sentence = "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType."

    with bench.refuses("ValidationException", sentence):
        bench.put(key, TWO, ImportType=NEW, KeyMaterialId="0" * 64)


@pytest.mark.parametrize("more", [{}, {"ImportType": EXISTING}, {"KeyMaterialId": "0" * 64}])
def test_without_new_only_known_material_is_taken(bench, key, more):
    with bench.refuses("IncorrectKeyMaterialException", bench.other_bytes(key, more.get("KeyMaterialId", ""))):
        bench.put(key, TWO, **more)


def test_existing_material_is_not_what_a_key_has_that_never_had_any(bench):
    key = bench.key()

    with bench.refuses("IncorrectKeyMaterialException", ""):
        bench.put(key, ONE, ImportType=EXISTING)


def test_a_re_import_may_name_its_material_and_must_be_that_one(bench, key):
    bench.stage(key, TWO)
    bench.rotate(key)
    first, second = ids(bench, key)

    with bench.refuses("IncorrectKeyMaterialException", bench.other_bytes(key, second)):
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
