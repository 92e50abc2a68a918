"""The strict KMS and wrapping: the whole table, and what does not unwrap (docs/internals/kms-contract.md, C-10 to C-16)."""

import itertools

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.keywrap import aes_key_wrap, aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lab.keys.by_hand import FOR_EVER, parameters, wrap
from lab.keys.private_keys import key_for, pkcs8_der

SHA1, SHA256 = hashes.SHA1(), hashes.SHA256()  # noqa: S303  # KMS's algorithms
MATERIAL = bytes(range(32))
OAEPS = ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1")
AES_WRAPS = ("RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1")
ALGORITHMS = (*OAEPS, *AES_WRAPS, "RSAES_PKCS1_V1_5", "SM2PKE")
WRAPPING_SPECS = ("RSA_2048", "RSA_3072", "RSA_4096", "SM2")
RSA_SPECS = WRAPPING_SPECS[:3]
SPECS = {
    "SYMMETRIC_DEFAULT": OAEPS,
    "HMAC_224": OAEPS,
    "HMAC_256": OAEPS,
    "HMAC_384": OAEPS,
    "HMAC_512": OAEPS,
    "RSA_2048": AES_WRAPS,
    "RSA_3072": AES_WRAPS,
    "RSA_4096": AES_WRAPS,
    "ECC_NIST_P256": OAEPS + AES_WRAPS,
    "ECC_NIST_P384": OAEPS + AES_WRAPS,
    "ECC_NIST_P521": OAEPS + AES_WRAPS,
    "ECC_SECG_P256K1": OAEPS + AES_WRAPS,
    "ECC_NIST_EDWARDS25519": OAEPS + AES_WRAPS,
}
NOT_UNDER_RSA_2048 = ("ECC_NIST_P521", "ECC_NIST_EDWARDS25519")


def is_allowed(spec, algorithm, wrapping_spec):
    if wrapping_spec not in RSA_SPECS or algorithm not in SPECS[spec]:
        return False
    return not (wrapping_spec == "RSA_2048" and algorithm in OAEPS and spec in NOT_UNDER_RSA_2048)


@pytest.mark.parametrize("spec", SPECS)
def test_each_key_spec_takes_its_own_wrapping_algorithms_and_refuses_all_others(bench, spec):
    key = bench.key(spec)

    for algorithm, wrapping_spec in itertools.product(ALGORITHMS, WRAPPING_SPECS):
        if is_allowed(spec, algorithm, wrapping_spec):
            given = parameters(bench.kms, key, algorithm, wrapping_spec)
            bits = load_der_public_key(given["PublicKey"]).key_size
            assert f"RSA_{bits}" == wrapping_spec
            continue
        sentence = (
            f"Wrapping algorithm {algorithm} and wrapping key spec {wrapping_spec} "
            f"cannot be used to import a {spec} key."
        )
        with bench.refuses("ValidationException", sentence):
            parameters(bench.kms, key, algorithm, wrapping_spec)


def test_china_has_no_aes_key_wrap(bench):
    kms = bench.client("cn-northwest-1")
    key = kms.create_key(Origin="EXTERNAL", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    sentence = (
        "Wrapping algorithm RSA_AES_KEY_WRAP_SHA_256 and wrapping key spec RSA_2048 cannot be used to import a "
        "RSA_2048 key."
    )

    with bench.refuses("ValidationException", sentence):
        parameters(kms, key, "RSA_AES_KEY_WRAP_SHA_256")


@pytest.mark.parametrize("wrapping_spec", ["RSA_2048", "RSA_3072"])
@pytest.mark.parametrize(
    ("spec", "algorithm"), [("SYMMETRIC_DEFAULT", one) for one in OAEPS] + [("ECC_NIST_P256", one) for one in AES_WRAPS]
)
def test_what_is_wrapped_by_the_algorithm_that_was_asked_for_arrives(bench, spec, algorithm, wrapping_spec):
    key = bench.key(spec)
    material = MATERIAL if spec == "SYMMETRIC_DEFAULT" else pkcs8_der(key_for(spec))
    given = parameters(bench.kms, key, algorithm, wrapping_spec)

    send(bench, key, given, wrap(algorithm, given["PublicKey"], material))

    assert bench.state(key) == "Enabled"


def send(bench, key, given, blob):
    bench.kms.import_key_material(
        KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=blob, ExpirationModel=FOR_EVER
    )


WRONG_OAEP = {
    "SHA-1 for both": OAEP(MGF1(SHA1), SHA1, None),
    "SHA-1 for MGF1, as Java does": OAEP(MGF1(SHA1), SHA256, None),
    "SHA-256 only for MGF1": OAEP(MGF1(SHA256), SHA1, None),
    "a label": OAEP(MGF1(SHA256), SHA256, b"label"),
    "PKCS#1 v1.5": padding.PKCS1v15(),
}


@pytest.mark.parametrize("what", WRONG_OAEP)
def test_under_oaep_sha_256_any_other_padding_is_refused_without_a_word(bench, what):
    key = bench.key()
    given = parameters(bench.kms, key, "RSAES_OAEP_SHA_256")
    blob = load_der_public_key(given["PublicKey"]).encrypt(MATERIAL, WRONG_OAEP[what])

    with bench.refuses("InvalidCiphertextException", ""):
        send(bench, key, given, blob)


def test_under_oaep_sha_1_sha_256_is_refused_without_a_word(bench):
    key = bench.key()
    given = parameters(bench.kms, key, "RSAES_OAEP_SHA_1")

    with bench.refuses("InvalidCiphertextException", ""):
        send(bench, key, given, wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL))


MATERIAL_P256 = "ECC_NIST_P256"
WRONG_AES_WRAP = {
    "the blocks swapped": lambda rsa_block, aes_block, _: aes_block + rsa_block,
    "only the RSA block": lambda rsa_block, _, __: rsa_block,
    "one byte of the AES block changed": lambda rsa_block, aes_block, _: rsa_block + aes_block[:-1] + b"\x00",
    "a byte too many": lambda rsa_block, aes_block, _: rsa_block + aes_block + b"\x00",
    "RFC 3394 without padding": lambda rsa_block, _, aes_key: rsa_block + aes_key_wrap(aes_key, bytes(136)),
}


@pytest.mark.parametrize("what", WRONG_AES_WRAP)
def test_a_damaged_aes_key_wrap_is_refused_without_a_word(bench, what):
    key = bench.key(MATERIAL_P256)
    given = parameters(bench.kms, key, "RSA_AES_KEY_WRAP_SHA_256")
    aes_key = bytes(range(32))
    rsa_block = wrap("RSAES_OAEP_SHA_256", given["PublicKey"], aes_key)
    aes_block = aes_key_wrap_with_padding(aes_key, pkcs8_der(key_for(MATERIAL_P256)))

    with bench.refuses("InvalidCiphertextException", ""):
        send(bench, key, given, WRONG_AES_WRAP[what](rsa_block, aes_block, aes_key))


@pytest.mark.parametrize("size", [16, 24])
def test_the_aes_key_of_an_aes_key_wrap_has_256_bits(bench, size):
    key = bench.key(MATERIAL_P256)
    given = parameters(bench.kms, key, "RSA_AES_KEY_WRAP_SHA_256")
    aes_key = bytes(size)
    rsa_block = wrap("RSAES_OAEP_SHA_256", given["PublicKey"], aes_key)

    with bench.refuses("InvalidCiphertextException", ""):
        send(bench, key, given, rsa_block + aes_key_wrap_with_padding(aes_key, pkcs8_der(key_for(MATERIAL_P256))))


def test_the_same_blob_under_oaep_and_aes_key_wrap_is_not_mixed_up(bench):
    key = bench.key(MATERIAL_P256)
    given = parameters(bench.kms, key, "RSAES_OAEP_SHA_256")
    blob = wrap("RSA_AES_KEY_WRAP_SHA_256", given["PublicKey"], pkcs8_der(key_for(MATERIAL_P256)))

    with bench.refuses("InvalidCiphertextException", ""):
        send(bench, key, given, blob)
