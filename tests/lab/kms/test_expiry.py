"""The strict KMS and material that expires (docs/internals/kms-contract.md, C-33, C-34, C-39)."""

from datetime import timedelta

import pytest

from lab.keys.by_hand import FOR_EVER, parameters, wrap
from tests.support.kms_bench import OTHER_REGION

MATERIAL = bytes(range(32))
OTHER = bytes(range(1, 33))
EXPIRES = "KEY_MATERIAL_EXPIRES"


def send(bench, key, given, blob, **more):
    more = more or {"ExpirationModel": FOR_EVER}
    return bench.kms.import_key_material(KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=blob, **more)


@pytest.mark.parametrize("model", [{}, {"ExpirationModel": EXPIRES}])
def test_expiry_is_the_default_and_needs_a_date(bench, model):
    key = bench.key()
    more = model or {"KeyMaterialDescription": "x"}
    sentence = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"

    with bench.refuses("ValidationException", sentence):
        send(bench, key, {"ImportToken": b"t"}, b"m", **more)


def test_material_that_does_not_expire_has_no_date(bench):
    key = bench.key()
    sentence = "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"

    with bench.refuses("ValidationException", sentence):
        bench.put(key, MATERIAL, ExpirationModel=FOR_EVER, ValidTo=bench.clock.now() + timedelta(days=1))


@pytest.mark.parametrize(
    ("ahead", "sentence"),
    [
        (timedelta(0), "ValidTo must be in the future"),
        (timedelta(days=-400), "ValidTo must be in the future"),
        (timedelta(days=365), "ValidTo must be less than 365 days in the future"),
        (timedelta(days=4000), "ValidTo must be less than 365 days in the future"),
    ],
)
def test_a_date_must_lie_within_the_next_365_days(bench, ahead, sentence):
    key = bench.key()

    with bench.refuses("ValidationException", sentence):
        bench.put(key, MATERIAL, ValidTo=bench.clock.now() + ahead)


def test_a_date_one_second_short_of_365_days_is_taken(bench):
    key = bench.key()
    valid_to = bench.clock.now() + timedelta(days=365, seconds=-1)

    bench.put(key, MATERIAL, ValidTo=valid_to)

    assert bench.metadata(key)["ValidTo"] == valid_to
    assert bench.metadata(key)["ExpirationModel"] == EXPIRES


def test_a_date_reads_back_cut_to_the_second(bench):
    key = bench.key()
    given = parameters(bench.kms, key)
    valid_to = bench.clock.now() + timedelta(days=1, microseconds=999_999)

    bench.strict.call(  # boto3 itself sends whole seconds
        "ImportKeyMaterial",
        {
            "KeyId": key,
            "ImportToken": given["ImportToken"],
            "EncryptedKeyMaterial": wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL),
            "ValidTo": valid_to,
        },
        region="eu-central-1",
        account="111122223333",
    )

    assert bench.metadata(key)["ValidTo"] == valid_to.replace(microsecond=0)


def test_a_re_import_in_place_changes_the_expiry_both_ways(bench):
    key = bench.filled_key()
    soon = bench.clock.now() + timedelta(days=1)

    bench.put(key, MATERIAL, ValidTo=soon)
    assert (bench.metadata(key)["ExpirationModel"], bench.metadata(key)["ValidTo"]) == (EXPIRES, soon)

    bench.put(key, MATERIAL, ValidTo=soon + timedelta(days=1))
    assert bench.metadata(key)["ValidTo"] == soon + timedelta(days=1)

    bench.put(key, MATERIAL, ExpirationModel=FOR_EVER)
    assert bench.metadata(key)["ExpirationModel"] == FOR_EVER
    assert "ValidTo" not in bench.metadata(key)


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_at_its_date_the_material_is_gone_and_only_the_same_bytes_bring_it_back(bench, spec):
    key = bench.key(spec)
    bench.put(key, MATERIAL, ValidTo=bench.clock.now() + timedelta(hours=1))

    bench.clock.advance(3599)
    assert bench.state(key) == "Enabled"

    bench.clock.advance(1)
    shown = bench.metadata(key)
    assert (shown["KeyState"], shown["Enabled"]) == ("PendingImport", False)
    assert not {"ExpirationModel", "ValidTo"} & set(shown)
    assert ("CurrentKeyMaterialId" in shown) == (spec == "SYMMETRIC_DEFAULT")
    with bench.refuses("IncorrectKeyMaterialException", bench.other_bytes(key)):
        bench.put(key, OTHER)

    bench.put(key, MATERIAL)
    assert bench.state(key) == "Enabled"


def test_material_of_one_region_expires_only_there(bench):
    key = bench.filled_key(MultiRegion=True)
    there, kms = bench.replica(key)
    bench.put(there, MATERIAL, kms=kms, ValidTo=bench.clock.now() + timedelta(hours=1))

    bench.clock.advance(3600)

    assert kms.meta.region_name == OTHER_REGION
    assert bench.state(there, kms) == "PendingImport"
    assert bench.state(key) == "Enabled"
