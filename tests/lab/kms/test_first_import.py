"""The strict KMS and the first import, which is permanent (docs/internals/kms-contract.md, C-30 to C-38, C-81)."""

import re

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec

from lab.keys import der
from lab.keys.by_hand import FOR_EVER, parameters, wrap
from lab.keys.private_keys import (
    ec_key,
    pkcs8_der,
)

MATERIAL = bytes(range(32))
OTHER = bytes(range(1, 33))


def send(bench, key, given, blob, **more):
    more = more or {"ExpirationModel": FOR_EVER}
    return bench.kms.import_key_material(KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=blob, **more)


def test_a_new_external_key_is_pending_import_and_has_nothing(bench):
    shown = bench.metadata(bench.key())

    assert (shown["KeyState"], shown["Enabled"], shown["Origin"]) == ("PendingImport", False, "EXTERNAL")
    assert not {"ExpirationModel", "ValidTo", "CurrentKeyMaterialId"} & set(shown)


@pytest.mark.parametrize("blob", [b"x", bytes(256), bytes(255), bytes(512)])
def test_a_corrupt_blob_is_refused_without_a_word(bench, blob):
    key = bench.key()

    with bench.refuses("InvalidCiphertextException", ""):
        send(bench, key, parameters(bench.kms, key), blob)


def test_a_symmetric_import_answers_the_arn_and_the_material_s_id(bench):
    key = bench.key()

    answer = bench.put(key.rpartition("/")[2], MATERIAL)

    assert answer["KeyId"] == key
    assert len(answer["KeyMaterialId"]) == 64
    assert bench.metadata(key)["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    assert bench.metadata(key)["ExpirationModel"] == FOR_EVER


@pytest.mark.parametrize("spec", ["HMAC_256", "ECC_NIST_P256"])
def test_an_import_into_any_other_key_answers_no_material_id(bench, spec):
    key = bench.key(spec)

    answer = bench.put(key, MATERIAL if spec == "HMAC_256" else pkcs8_der(ec_key()))

    assert answer["KeyId"] == key
    assert "KeyMaterialId" not in answer
    assert "CurrentKeyMaterialId" not in bench.metadata(key)


@pytest.mark.parametrize("emptied", [False, True])
@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_the_first_import_is_permanent(bench, spec, emptied):
    key = bench.filled_key(MATERIAL, spec)
    if emptied:
        bench.kms.delete_imported_key_material(KeyId=key)

    with bench.refuses("IncorrectKeyMaterialException", bench.other_bytes(key)):
        bench.put(key, OTHER)


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_the_refusal_names_the_material_that_was_expected(bench, spec):
    """Also for an HMAC key, which shows no KeyMaterialId."""
    key = bench.filled_key(MATERIAL, spec)
    shown = bench.metadata(key).get("CurrentKeyMaterialId", "[0-9a-f]{64}")
    sentence = rf"Imported key material does not have the expected identifier \({shown}\)\."

    with pytest.raises(ClientError) as refused:
        bench.put(key, OTHER)

    assert re.fullmatch(sentence, refused.value.response["Error"]["Message"])


def test_the_first_import_of_a_private_key_is_permanent_too(bench):
    key = bench.filled_key(pkcs8_der(ec_key("ECC_NIST_P256")), "ECC_NIST_P256")
    another = der.ec_pkcs8(bytes(31) + b"\x07", curve=der.P256)

    with bench.refuses("IncorrectKeyMaterialException", bench.other_bytes(key)):
        bench.put(key, another)


def test_another_encoding_of_the_same_private_key_is_not_the_same_material(bench):
    scalar = (7).to_bytes(32, "big")
    with_point = pkcs8_der(ec.derive_private_key(7, ec.SECP256R1()))
    key = bench.filled_key(with_point, "ECC_NIST_P256")

    with bench.refuses("IncorrectKeyMaterialException", bench.other_bytes(key)):
        bench.put(key, der.ec_pkcs8(scalar, curve=der.P256))


@pytest.mark.parametrize("emptied", [False, True])
def test_the_same_bytes_again_succeed_and_have_the_same_id(bench, emptied):
    key = bench.key()
    first = bench.put(key, MATERIAL)["KeyMaterialId"]
    if emptied:
        bench.kms.delete_imported_key_material(KeyId=key)

    again = bench.put(key, MATERIAL)["KeyMaterialId"]

    assert again == first
    assert bench.state(key) == "Enabled"


def test_the_same_bytes_have_another_id_in_another_key(bench):
    one, two = bench.key(), bench.key()

    assert bench.put(one, MATERIAL)["KeyMaterialId"] != bench.put(two, MATERIAL)["KeyMaterialId"]


def test_a_refused_import_spends_neither_token_nor_blob(bench):
    key = bench.key()
    given = parameters(bench.kms, key)
    blob = wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL)
    with bench.refuses("ValidationException", "ValidTo must be in the future"):
        send(bench, key, given, blob, ValidTo=bench.clock.now())

    send(bench, key, given, blob)

    assert bench.state(key) == "Enabled"


def test_importing_into_a_disabled_key_enables_it(bench):
    key = bench.filled_key()
    bench.kms.disable_key(KeyId=key)

    bench.put(key, MATERIAL)

    assert bench.state(key) == "Enabled"


@pytest.mark.parametrize("spec", ["HMAC_256", "ECC_NIST_P256", "RSA_2048"])
@pytest.mark.parametrize(
    ("parameter", "shown", "value"),
    [
        ("ImportType", "importType", "EXISTING_KEY_MATERIAL"),
        ("KeyMaterialDescription", "keyMaterialDescription", "from the safe"),
        ("KeyMaterialId", "keyMaterialId", "0" * 64),
    ],
)
def test_what_is_only_for_symmetric_keys_is_refused_elsewhere(bench, spec, parameter, shown, value):
    key = bench.key(spec)
    sentence = f"Input parameter {shown} cannot be used with {spec} imported keys."

    with bench.refuses("ValidationException", sentence):
        send(bench, key, {"ImportToken": b"t"}, b"m", ExpirationModel=FOR_EVER, **{parameter: value})
