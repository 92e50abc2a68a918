"""Keys that an HSM wrapped go through the function into KMS, and are never in the clear outside of both.

SoftHSM2 makes and wraps them, and then shows whether KMS holds them: by the same public key, the same MAC, or a ciphertext that
both decrypt. Its OAEP knows only SHA-1; the `openssl` program makes the forms with SHA-256.
"""

import pytest

from lab.keys import softhsm
from lab.keys.at_rest import by_openssl, public_key_of, transport_key
from lab.keys.openssl import openssl
from lab.keys.private_keys import CURVES, key_for, pkcs8_der, spki_der
from lab.keys.random_keys import random_key
from lab.kms import ciphertext
from lab.kms.materials import encrypts_with

pytestmark = pytest.mark.slow

SHA_1, SHA_256 = "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"
AES_BITS = (128, 192, 256)
HMAC_BYTES = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
SEC_2 = {
    "ECC_NIST_P256": "secp256r1",
    "ECC_NIST_P384": "secp384r1",
    "ECC_NIST_P521": "secp521r1",
    "ECC_SECG_P256K1": "secp256k1",
}


@pytest.fixture
def hsm(tmp_path):
    with softhsm.token(tmp_path) as hsm:
        yield hsm


@pytest.fixture
def imported(world):
    """Creates the resource from a secret that holds `wrapped`. Returns the key's ARN and the answer's attributes."""

    def imported(spec, unwrap, wrapped, algorithm=SHA_1, **more):
        secret = world.secret(wrapped)
        key = world.external_key(spec)
        wrapping = {"Algorithm": algorithm, "KeyId": unwrap}
        answer = world.create(key, SecretId=secret.name, SecretWrapping=wrapping, **more)
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        return key, answer["Data"]

    return imported


# ------------------------------------------------------------------------------------------------------------- SoftHSM2


@pytest.mark.parametrize("aes_bits", AES_BITS)
def test_what_kms_encrypts_the_hsm_opens_with_the_key_it_gave(world, hsm, imported, aes_bits):
    unwrap = transport_key(world, SHA_1)
    aes_key = hsm.aes_key()

    key, _ = imported(
        "SYMMETRIC_DEFAULT", unwrap, hsm.wrap(aes_key, public_key_of(world, unwrap), aes_bits=aes_bits).joined
    )

    blob = world.call("Encrypt", KeyId=key, Plaintext=b"to be opened in the HSM")["CiphertextBlob"]
    sealed = ciphertext.take_apart(blob)
    assert aes_key.decrypt_gcm(sealed.nonce, sealed.body, sealed.head + b"[]") == b"to be opened in the HSM"


@pytest.mark.parametrize("spec", ["HMAC_256", "HMAC_384", "HMAC_512"])
@pytest.mark.parametrize("aes_bits", AES_BITS)
def test_the_mac_that_the_hsm_makes_kms_verifies(world, hsm, imported, spec, aes_bits):
    unwrap = transport_key(world, SHA_1)
    secret_key = hsm.generic_secret(HMAC_BYTES[spec])

    key, _ = imported(spec, unwrap, hsm.wrap(secret_key, public_key_of(world, unwrap), aes_bits=aes_bits).joined)

    mac = secret_key.hmac(b"a message", spec.replace("HMAC_", "sha"))
    algorithm = spec.replace("HMAC_", "HMAC_SHA_")
    assert world.call("VerifyMac", KeyId=key, Message=b"a message", Mac=mac, MacAlgorithm=algorithm)["MacValid"]


@pytest.mark.parametrize("aes_bits", AES_BITS)
def test_an_rsa_key_of_the_hsm_has_the_same_public_key_in_kms(world, hsm, imported, aes_bits):
    unwrap = transport_key(world, SHA_1)
    private_key = hsm.rsa_key(2048)

    key, _ = imported("RSA_2048", unwrap, hsm.wrap(private_key, public_key_of(world, unwrap), aes_bits=aes_bits).joined)

    assert world.call("GetPublicKey", KeyId=key)["PublicKey"] == private_key.public_key


@pytest.mark.parametrize("spec", CURVES)
@pytest.mark.parametrize("aes_bits", AES_BITS)
def test_an_ec_key_of_the_hsm_has_the_same_public_key_in_kms(world, hsm, imported, spec, aes_bits):
    unwrap = transport_key(world, SHA_1)
    private_key = hsm.ec_key(SEC_2[spec])

    key, _ = imported(spec, unwrap, hsm.wrap(private_key, public_key_of(world, unwrap), aes_bits=aes_bits).joined)

    assert world.call("GetPublicKey", KeyId=key)["PublicKey"] == private_key.public_key


@pytest.mark.parametrize("bits", [3072, 4096])
def test_a_larger_transport_key_makes_a_longer_rsa_block(world, hsm, imported, bits):
    unwrap = transport_key(world, SHA_1, KeySpec=f"RSA_{bits}")
    private_key = hsm.ec_key()
    wrapped = hsm.wrap(private_key, public_key_of(world, unwrap))
    assert len(wrapped.rsa_block) == bits // 8

    key, _ = imported("ECC_NIST_P256", unwrap, wrapped.joined)

    assert world.call("GetPublicKey", KeyId=key)["PublicKey"] == private_key.public_key


# --------------------------------------------------------------------------------------------------------- check values


def test_the_check_values_that_the_hsm_shows_are_those_that_the_function_compares(world, hsm, imported):
    unwrap = transport_key(world, SHA_1)
    transport = public_key_of(world, unwrap)
    aes_key, secret_key = hsm.aes_key(), hsm.generic_secret(32)
    for spec, key, shown in (
        ("SYMMETRIC_DEFAULT", aes_key, f"ECB:{aes_key.check_value()}"),
        ("SYMMETRIC_DEFAULT", aes_key, f"CMAC:{aes_key.cmac(bytes(16))[:5].hex()}"),
        ("HMAC_256", secret_key, f"HMAC:{secret_key.hmac(b'', 'sha256')[:5].hex()}"),
    ):
        _, data = imported(spec, unwrap, hsm.wrap(key, transport).joined, ExpectedCheckValue=shown)
        assert data["CheckValue"].lower() == shown.lower()


def test_another_key_of_the_same_hsm_is_refused_by_its_check_value(world, refused, hsm):
    unwrap = transport_key(world, SHA_1)
    secret = world.secret(hsm.wrap(hsm.aes_key(), public_key_of(world, unwrap)).joined)

    reason = refused(
        world.external_key(),
        SecretId=secret.name,
        SecretWrapping={"Algorithm": SHA_1, "KeyId": unwrap},
        ExpectedCheckValue=f"CMAC:{hsm.aes_key().cmac(bytes(16))[:5].hex()}",
    )

    assert reason == (
        "ExpectedCheckValue: The material has another check value than the one declared. Name the secret and version that "
        "hold the right key, or correct ExpectedCheckValue."
    )


# ------------------------------------------------------------------------------- HSMs that fill keys up to 8 bytes with zeros


def test_an_hmac_224_key_is_taken_with_its_check_value_where_the_hsm_filled_it_with_zeros(world, hsm, imported):
    """RFC 2104 fills keys with zeros anyway: the 32 bytes make the same MACs as the 28."""
    unwrap = transport_key(world, SHA_1)
    secret_key = hsm.generic_secret(28)
    wrapped = hsm.wrap(secret_key, public_key_of(world, unwrap))
    assert len(wrapped.aes_block) == 8 + 32

    key, _ = imported(
        "HMAC_224",
        unwrap,
        wrapped.joined,
        ExpectedCheckValue=f"HMAC:{secret_key.hmac(b'', 'sha224')[:5].hex()}",
    )

    mac = secret_key.hmac(b"a message", "sha224")
    assert world.call("VerifyMac", KeyId=key, Message=b"a message", Mac=mac, MacAlgorithm="HMAC_SHA_224")["MacValid"]


def test_without_a_check_value_the_filling_is_refused_by_its_name(world, refused, hsm):
    unwrap = transport_key(world, SHA_1)
    secret = world.secret(hsm.wrap(hsm.generic_secret(28), public_key_of(world, unwrap)).joined)

    reason = refused(
        world.external_key("HMAC_224"), SecretId=secret.name, SecretWrapping={"Algorithm": SHA_1, "KeyId": unwrap}
    )

    assert reason == (
        "SecretId: The material is 32 bytes long, and an HMAC_224 key takes 28; a length up to 128 bytes is taken with a "
        "matching ExpectedCheckValue. It ends in zeros: some HSMs pad a key to a multiple of 8 bytes before they wrap it. "
        "Declare the ExpectedCheckValue that the HSM shows: an HMAC key makes the same MACs with these zeros."
    )


# -------------------------------------------------------------------------------------------------------------- OpenSSL


@pytest.mark.parametrize("aes_bits", AES_BITS)
@pytest.mark.parametrize("algorithm", [SHA_1, SHA_256])
def test_a_symmetric_key_that_openssl_wrapped_arrives(world, tmp_path, imported, algorithm, aes_bits):
    unwrap, material = transport_key(world, algorithm), random_key(32)

    wrapped = by_openssl(world, unwrap, algorithm, material, tmp_path, aes_bits=aes_bits)
    key, _ = imported("SYMMETRIC_DEFAULT", unwrap, wrapped, algorithm)

    assert encrypts_with(world, key, material)


@pytest.mark.parametrize("aes_bits", AES_BITS)
@pytest.mark.parametrize("algorithm", [SHA_1, SHA_256])
def test_an_hmac_key_that_openssl_wrapped_arrives(world, tmp_path, imported, algorithm, aes_bits):
    unwrap, material = transport_key(world, algorithm), random_key(28)

    wrapped = by_openssl(world, unwrap, algorithm, material, tmp_path, aes_bits=aes_bits)
    key, _ = imported("HMAC_224", unwrap, wrapped, algorithm)

    told = ("-sha224", "-mac", "HMAC", "-macopt", f"hexkey:{material.hex()}", "-binary")
    mac = openssl("dgst", *told, stdin=b"a message")
    assert world.call("VerifyMac", KeyId=key, Message=b"a message", Mac=mac, MacAlgorithm="HMAC_SHA_224")["MacValid"]


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519"])
@pytest.mark.parametrize("aes_bits", AES_BITS)
@pytest.mark.parametrize("algorithm", [SHA_1, SHA_256])
def test_a_private_key_that_openssl_wrapped_arrives(world, tmp_path, imported, algorithm, aes_bits, spec):
    unwrap = transport_key(world, algorithm)

    wrapped = by_openssl(world, unwrap, algorithm, pkcs8_der(key_for(spec)), tmp_path, aes_bits=aes_bits)
    key, _ = imported(spec, unwrap, wrapped, algorithm)

    assert world.call("GetPublicKey", KeyId=key)["PublicKey"] == spki_der(key_for(spec))


# ------------------------------------------------------------------------------------------------------ without SoftHSM2


def test_where_softhsm2_is_missing_its_tests_fail_and_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTHSM2_MODULE", str(tmp_path / "libsofthsm2.so"))

    with pytest.raises(softhsm.SoftHsmMissingError) as missing, softhsm.token(tmp_path):
        pass

    assert str(missing.value) == (
        "SoftHSM2 is not installed, and these tests wrap keys with it: apt-get install softhsm2 (on macOS: brew install "
        "softhsm). If it is elsewhere, name its libsofthsm2.so in SOFTHSM2_MODULE."
    )
