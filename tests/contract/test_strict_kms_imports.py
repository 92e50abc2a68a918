"""The strict KMS and one material: what is accepted, tokens, expiry (docs/kms-contract.md, C-1 to C-7 and C-20 to C-39)."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import der
from tests.support.importing import FOR_EVER, parameters, wrap
from tests.support.kms_bench import DAY_SECONDS, OTHER_REGION
from tests.support.private_keys import (
    ec_key,
    ed25519_key,
    key_for,
    pkcs8_der,
    pkcs8_pem,
    rsa_key,
    spki_der,
    traditional_der,
)

MATERIAL = bytes(range(32))
OTHER = bytes(range(1, 33))
EXPIRES = "KEY_MATERIAL_EXPIRES"
WRONG_ID = "Imported key material does not have the expected identifier (ID)."
HMAC_BYTES = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
ASYMMETRIC = (
    "RSA_2048",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
)
RSA_AES = "RSA_AES_KEY_WRAP_SHA_256"
ED25519_SEED = bytes(range(32))


def send(bench, key, given, blob, **more):
    more = more or {"ExpirationModel": FOR_EVER}
    return bench.kms.import_key_material(
        KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=blob, **more
    )


def indefinite(encoded):
    """The outermost SEQUENCE with an indefinite length: BER, not DER."""
    header = 4 if encoded[1] == 0x82 else 3 if encoded[1] == 0x81 else 2
    return b"\x30\x80" + encoded[header:] + b"\x00\x00"


# --------------------------------------------------------------------------------------------- which bytes: C-1 to C-7


@pytest.mark.parametrize("size", [1, 16, 31, 33, 64])
def test_a_symmetric_key_refuses_any_length_but_32_without_a_word(bench, size):
    key = bench.key()

    with bench.refuses("InvalidCiphertextException", ""):
        bench.put(key, bytes(size))

    assert bench.state(key) == "PendingImport"


def test_a_symmetric_key_in_china_takes_16_bytes(bench):
    kms = bench.client("cn-north-1")
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]

    with bench.refuses("InvalidCiphertextException", ""):
        bench.put(key, bytes(32), kms=kms)
    bench.put(key, bytes(range(16)), kms=kms)

    assert key.startswith("arn:aws-cn:kms:cn-north-1:")
    sealed = kms.encrypt(KeyId=key, Plaintext=b"message")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"message"


@pytest.mark.parametrize(("spec", "least"), HMAC_BYTES.items())
def test_an_hmac_key_takes_its_least_length_to_128_bytes(bench, spec, least):
    for size in (least, 128):
        key = bench.key(spec)
        bench.put(key, bytes(size))
        assert bench.state(key) == "Enabled"


@pytest.mark.parametrize(("spec", "least"), HMAC_BYTES.items())
def test_an_hmac_key_refuses_one_byte_less_and_one_more_than_128(bench, spec, least):
    key = bench.key(spec)

    for size in (least - 1, 129):
        with bench.refuses("InvalidCiphertextException", ""):
            bench.put(key, bytes(size))


@pytest.mark.parametrize("spec", ASYMMETRIC)
def test_an_asymmetric_key_takes_a_pkcs8_private_key_of_its_own_spec(bench, spec):
    key = bench.key(spec)

    bench.put(key, pkcs8_der(key_for(spec)), algorithm=RSA_AES)

    assert bench.kms.get_public_key(KeyId=key)["PublicKey"] == spki_der(key_for(spec))


WRONG_PRIVATE_KEYS = {
    "a modulus of another size": ("RSA_3072", lambda: pkcs8_der(rsa_key(2048))),
    "PKCS#1": ("RSA_2048", lambda: traditional_der(rsa_key(2048))),
    "a curve's key in an RSA key": ("RSA_2048", lambda: pkcs8_der(ec_key())),
    "RSASSA-PSS": ("RSA_2048", lambda: pkcs8_der(rsa_key(2048)).replace(b"\x0d\x01\x01\x01\x05\x00", b"\x0d\x01\x01\x0a\x05\x00")),
    "another curve": ("ECC_NIST_P384", lambda: pkcs8_der(ec_key("ECC_NIST_P256"))),
    "the other curve of 256 bits": ("ECC_SECG_P256K1", lambda: pkcs8_der(ec_key("ECC_NIST_P256"))),
    "SEC1": ("ECC_NIST_P256", lambda: traditional_der(ec_key())),
    "PEM": ("ECC_NIST_P256", lambda: pkcs8_pem(ec_key()).encode()),
    "an encrypted key": ("ECC_NIST_P256", lambda: der.sequence(der.sequence(der.oid(der.P256)), der.octets(bytes(64)))),
    "a byte after the end": ("ECC_NIST_P256", lambda: pkcs8_der(ec_key()) + b"\x00"),
    "a byte too few": ("ECC_NIST_P256", lambda: pkcs8_der(ec_key())[:-1]),
    "nothing but zeros": ("ECC_NIST_P256", lambda: bytes(138)),
    "the bare seed": ("ECC_NIST_EDWARDS25519", lambda: ED25519_SEED),
    "PKCS#8 of version 2": (
        "ECC_NIST_EDWARDS25519",
        lambda: der.ed25519(der.octets(ED25519_SEED), version=1, public_key=bytes(32)),
    ),
    "Ed25519 of indefinite length": ("ECC_NIST_EDWARDS25519", lambda: indefinite(pkcs8_der(ed25519_key()))),
}


@pytest.mark.parametrize("what", WRONG_PRIVATE_KEYS)
def test_a_private_key_that_is_not_the_spec_s_own_in_pkcs8_is_refused_without_a_word(bench, what):
    spec, encoded = WRONG_PRIVATE_KEYS[what]
    key = bench.key(spec)

    with bench.refuses("InvalidCiphertextException", ""):
        bench.put(key, encoded(), algorithm=RSA_AES)


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256"])
def test_rsa_and_ecc_keys_are_taken_from_a_ber_container_of_indefinite_length(bench, spec):
    key = bench.key(spec)

    bench.put(key, indefinite(pkcs8_der(key_for(spec))), algorithm=RSA_AES)

    assert bench.kms.get_public_key(KeyId=key)["PublicKey"] == spki_der(key_for(spec))


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"])
def test_post_quantum_keys_can_t_be_made_for_imported_material(bench, spec):
    usage = "SIGN_VERIFY" if spec.startswith("ML_DSA") else "ENCAPSULATE_DECAPSULATE"

    with bench.refuses(
        "UnsupportedOperationException", f"KeySpec {spec} is not supported for Origin EXTERNAL."
    ):
        bench.key(spec, usage)


# ----------------------------------------------------------------------------------------------- parameters: C-20 to C-24


def test_parameters_are_valid_for_24_hours_and_name_the_key_by_its_arn(bench):
    key = bench.key()

    given = parameters(bench.kms, key.rpartition("/")[2])

    assert given["KeyId"] == key
    assert given["ParametersValidTo"] == bench.clock.now() + timedelta(hours=24)


def test_a_token_works_until_just_before_24_hours_have_passed(bench):
    key = bench.key()
    given = parameters(bench.kms, key)
    blob = wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL)

    bench.clock.advance(DAY_SECONDS)
    with bench.refuses("ExpiredImportTokenException", ""):
        send(bench, key, given, blob)


def test_a_token_is_good_a_second_before_its_end(bench):
    key = bench.key()
    given = parameters(bench.kms, key)
    bench.clock.advance(DAY_SECONDS - 1)

    send(bench, key, given, wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL))

    assert bench.state(key) == "Enabled"


def test_one_token_serves_several_imports_also_after_a_newer_one_was_given_out(bench):
    key = bench.key()
    older = parameters(bench.kms, key)
    parameters(bench.kms, key)

    first = send(bench, key, older, wrap("RSAES_OAEP_SHA_256", older["PublicKey"], MATERIAL))
    again = send(bench, key, older, wrap("RSAES_OAEP_SHA_256", older["PublicKey"], MATERIAL))

    assert first["KeyMaterialId"] == again["KeyMaterialId"]


def test_the_token_of_another_key_is_refused_without_a_word(bench):
    key = bench.key()
    given = parameters(bench.kms, bench.key())

    with bench.refuses("InvalidImportTokenException", ""):
        send(bench, key, given, wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL))


def test_the_token_of_the_same_key_s_replica_is_another_key_s_token(bench):
    key = bench.filled_key(MultiRegion=True)
    _, there = bench.replica(key)
    given = parameters(there, key.rpartition("/")[2])

    with bench.refuses("InvalidImportTokenException", ""):
        send(bench, key, given, wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL))


@pytest.mark.parametrize("damage", [lambda token: b"x" + token[1:], lambda token: token[:-1], lambda _: b"token"])
def test_a_corrupt_token_is_refused_without_a_word(bench, damage):
    key = bench.key()
    given = parameters(bench.kms, key)
    given["ImportToken"] = damage(given["ImportToken"])

    with bench.refuses("InvalidImportTokenException", ""):
        send(bench, key, given, wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL))


def test_a_public_key_and_a_token_of_two_answers_do_not_go_together(bench):
    key = bench.key()
    one, two = parameters(bench.kms, key), parameters(bench.kms, key)

    with bench.refuses("InvalidCiphertextException", ""):
        send(bench, key, one, wrap("RSAES_OAEP_SHA_256", two["PublicKey"], MATERIAL))


def test_parameters_are_given_for_a_disabled_key(bench):
    key = bench.filled_key()
    bench.kms.disable_key(KeyId=key)

    assert parameters(bench.kms, key)["KeyId"] == key


def test_a_key_that_kms_made_the_material_of_takes_none_from_outside(bench):
    key = bench.key(Origin="AWS_KMS")
    sentence = f"{key} origin is AWS_KMS which is not valid for this operation."

    with bench.refuses("UnsupportedOperationException", sentence):
        parameters(bench.kms, key)
    with bench.refuses("UnsupportedOperationException", sentence):
        bench.kms.import_key_material(KeyId=key, ImportToken=b"t", EncryptedKeyMaterial=b"m")
    with bench.refuses("UnsupportedOperationException", sentence):
        bench.kms.delete_imported_key_material(KeyId=key)


# ----------------------------------------------------------------------------------------- the first import: C-30 to C-38


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
def test_the_first_import_is_for_ever(bench, spec, emptied):
    key = bench.filled_key(MATERIAL, spec)
    if emptied:
        bench.kms.delete_imported_key_material(KeyId=key)

    with bench.refuses("IncorrectKeyMaterialException", WRONG_ID):
        bench.put(key, OTHER)


def test_the_first_import_of_a_private_key_is_for_ever_too(bench):
    key = bench.filled_key(pkcs8_der(ec_key("ECC_NIST_P256")), "ECC_NIST_P256")
    another = der.ec_pkcs8(bytes(31) + b"\x07", curve=der.P256)

    with bench.refuses("IncorrectKeyMaterialException", WRONG_ID):
        bench.put(key, another)


def test_another_encoding_of_the_same_private_key_is_not_the_same_material(bench):
    scalar = (7).to_bytes(32, "big")
    with_point = pkcs8_der(ec.derive_private_key(7, ec.SECP256R1()))
    key = bench.filled_key(with_point, "ECC_NIST_P256")

    with bench.refuses("IncorrectKeyMaterialException", WRONG_ID):
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
def test_what_is_for_symmetric_keys_alone_is_refused_elsewhere(bench, spec, parameter, shown, value):
    key = bench.key(spec)
    sentence = f"Input parameter {shown} cannot be used with {spec} imported keys."

    with bench.refuses("ValidationException", sentence):
        send(bench, key, {"ImportToken": b"t"}, b"m", ExpirationModel=FOR_EVER, **{parameter: value})


# ------------------------------------------------------------------------------------------------- expiry: C-33, C-34, C-39


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
    with bench.refuses("IncorrectKeyMaterialException", WRONG_ID):
        bench.put(key, OTHER)

    bench.put(key, MATERIAL)
    assert bench.state(key) == "Enabled"


def test_material_of_one_region_expires_there_alone(bench):
    key = bench.filled_key(MultiRegion=True)
    there, kms = bench.replica(key)
    bench.put(there, MATERIAL, kms=kms, ValidTo=bench.clock.now() + timedelta(hours=1))

    bench.clock.advance(3600)

    assert kms.meta.region_name == OTHER_REGION
    assert bench.state(there, kms) == "PendingImport"
    assert bench.state(key) == "Enabled"
