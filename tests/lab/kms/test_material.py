"""The strict KMS: which bytes a key takes (docs/internals/kms-contract.md, C-1 to C-7)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.keys import der
from lab.keys.openssl import openssl
from lab.keys.private_keys import (
    ec_key,
    ed25519_key,
    key_for,
    pkcs8_der,
    pkcs8_pem,
    rsa_key,
    spki_der,
    traditional_der,
)

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
ED25519_PUBLIC_KEY = Ed25519PrivateKey.from_private_bytes(ED25519_SEED).public_key().public_bytes_raw()


def indefinite(encoded):
    """The outermost SEQUENCE with an indefinite length: BER, not DER."""
    header = 4 if encoded[1] == 0x82 else 3 if encoded[1] == 0x81 else 2
    return b"\x30\x80" + encoded[header:] + b"\x00\x00"


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


THREE_PRIMES = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_primes:3")
WRONG_PRIVATE_KEYS = {
    "a modulus of another size": ("RSA_3072", lambda: pkcs8_der(rsa_key(2048))),
    "PKCS#1": ("RSA_2048", lambda: traditional_der(rsa_key(2048))),
    "a curve's key in an RSA key": ("RSA_2048", lambda: pkcs8_der(ec_key())),
    "RSASSA-PSS": (
        "RSA_2048",
        lambda: pkcs8_der(rsa_key(2048)).replace(b"\x0d\x01\x01\x01\x05\x00", b"\x0d\x01\x01\x0a\x05\x00"),
    ),
    "RSA of three primes": ("RSA_2048", lambda: openssl("genpkey", *THREE_PRIMES, "-outform", "DER")),
    "RSA numbers that do not belong together": (
        "RSA_2048",
        lambda: der.pkcs8(der.ID_RSA, der.null(), traditional_der(rsa_key(2048))[:-1] + b"\x00"),
    ),
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
        lambda: der.ed25519(der.octets(ED25519_SEED), version=1, public_key=ED25519_PUBLIC_KEY),
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

    with bench.refuses("UnsupportedOperationException", f"KeySpec {spec} is not supported for Origin EXTERNAL."):
        bench.key(spec, usage)
