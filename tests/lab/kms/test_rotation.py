"""The strict KMS and rotation: on demand, never by itself (docs/internals/kms-contract.md, C-44 to C-47, C-53 to C-55)."""

from datetime import timedelta

import pytest

from lab.clock import VirtualClock
from lab.kms import StrictKms
from tests.support.kms_bench import ACCOUNT, DAY_SECONDS, REGION, ROTATION_SECONDS, STATUS_SECONDS

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


def test_a_rotation_takes_one_to_three_minutes():
    clock = VirtualClock()
    took = set()
    for seed in range(30):
        kms = StrictKms(clock, seed=seed)

        def call(operation, kms=kms, **params):
            return kms.call(operation, params, region=REGION, account=ACCOUNT)

        key = call("CreateKey")["KeyMetadata"]["KeyId"]
        call("RotateKeyOnDemand", KeyId=key)
        asked_at = clock.now()
        clock.advance(200)
        (rotation,) = call("ListKeyRotations", KeyId=key)["Rotations"]
        took.add((rotation["RotationDate"] - asked_at).total_seconds())

    assert 60 <= min(took) < 80
    assert 160 < max(took) <= 180
    assert len(took) == 30


def test_the_rotation_status_may_vanish_long_before_the_rotation_is_done(bench, key):
    bench.stage(key, TWO)
    started_at = bench.clock.now()
    bench.kms.rotate_key_on_demand(KeyId=key)

    assert bench.kms.get_key_rotation_status(KeyId=key)["OnDemandRotationStartDate"] == started_at
    bench.clock.advance(STATUS_SECONDS)
    assert "OnDemandRotationStartDate" not in bench.kms.get_key_rotation_status(KeyId=key)
    assert bench.materials(key) == [CURRENT, PENDING]


def test_without_pending_material_there_is_nothing_to_rotate_to(bench, key):
    with bench.refuses("KMSInvalidStateException", f"No available key material pending rotation for the key: {key}."):
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


def test_a_rotation_that_is_asked_for_twice_is_one_rotation(bench, key):
    started_at = bench.clock.now()
    second = bench.stage(key, TWO)
    bench.kms.rotate_key_on_demand(KeyId=key)
    bench.clock.advance(STATUS_SECONDS - 1)

    again = bench.kms.rotate_key_on_demand(KeyId=key)

    assert again["KeyId"] == key
    assert bench.kms.get_key_rotation_status(KeyId=key)["OnDemandRotationStartDate"] == started_at
    bench.clock.advance(ROTATION_SECONDS - STATUS_SECONDS)
    assert current(bench, key) != second
    bench.clock.advance(1)
    assert current(bench, key) == second
    third = bench.stage(key, THREE)
    bench.clock.advance(ROTATION_SECONDS)
    assert current(bench, key) != third


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
    with bench.refuses("KMSInvalidStateException", f"No available key material pending rotation for the key: {key}."):
        bench.kms.rotate_key_on_demand(KeyId=key)
    assert bench.materials(key) == [NON_CURRENT, CURRENT]


def test_a_key_rotates_25_times_in_its_life(bench, key):
    for number in range(25):
        bench.stage(key, bytes([100 + number]) * 32)
        bench.rotate(key)
    bench.stage(key, TWO)
    kms = bench.client(retries=False)  # botocore thinks that the refusal is a throttle
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


# --------------------------------------------------------------------------------------------------- automatic rotation


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


@pytest.mark.parametrize("emptied", [False, True])
def test_the_rotation_status_of_an_empty_key_says_that_it_is_off(bench, key, emptied):
    key = key if emptied else bench.key()
    bench.kms.delete_imported_key_material(KeyId=key)

    status = bench.kms.get_key_rotation_status(KeyId=key)

    assert bench.state(key) == "PendingImport"
    assert (status["KeyId"], status["KeyRotationEnabled"]) == (key, False)
    assert "OnDemandRotationStartDate" not in status


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
