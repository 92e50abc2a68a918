"""The strict KMS signs with the imported bytes (docs/internals/kms-contract.md, C-82, C-86, C-110, C-111)."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from lab.keys.private_keys import ec_key, ed25519_key, key_for, pkcs8_der, rsa_key, spki_der

MATERIAL = bytes(range(32))
MESSAGE = b"a message"
RSA_AES = "RSA_AES_KEY_WRAP_SHA_256"
HASHES = {"SHA_256": hashes.SHA256(), "SHA_384": hashes.SHA384(), "SHA_512": hashes.SHA512()}
RSA_SIGNATURES = [f"RSASSA_{kind}_{name}" for kind in ("PSS", "PKCS1_V1_5") for name in HASHES]
ECDSA = {
    "ECC_NIST_P256": "ECDSA_SHA_256",
    "ECC_NIST_P384": "ECDSA_SHA_384",
    "ECC_NIST_P521": "ECDSA_SHA_512",
    "ECC_SECG_P256K1": "ECDSA_SHA_256",
}


def private_key(bench, spec, usage="SIGN_VERIFY"):
    """A KMS key that holds the test key of this spec."""
    key = bench.key(spec, usage)
    bench.put(key, pkcs8_der(key_for(spec)), algorithm=RSA_AES)
    return key


# ----------------------------------------------------------------------------------------------------------------- MACs


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_a_mac_of_kms_is_the_one_that_is_computed_outside(bench, bits):
    material = bytes(range(bits // 8 + 5))
    key = bench.filled_key(material, f"HMAC_{bits}")
    algorithm = f"HMAC_SHA_{bits}"
    outside = hmac.digest(material, MESSAGE, f"sha{bits}")

    made = bench.kms.generate_mac(KeyId=key, Message=MESSAGE, MacAlgorithm=algorithm)
    checked = bench.kms.verify_mac(KeyId=key, Message=MESSAGE, MacAlgorithm=algorithm, Mac=outside)

    assert (made["Mac"], made["KeyId"]) == (outside, key)
    assert (checked["MacValid"], checked["MacAlgorithm"]) == (True, algorithm)


def test_a_wrong_mac_is_refused_without_a_word(bench):
    key = bench.filled_key(MATERIAL, "HMAC_256")

    with bench.refuses("KMSInvalidMacException", ""):
        bench.kms.verify_mac(KeyId=key, Message=MESSAGE, MacAlgorithm="HMAC_SHA_256", Mac=bytes(32))


def test_an_hmac_key_has_the_one_algorithm_of_its_spec(bench):
    key = bench.filled_key(MATERIAL, "HMAC_256")
    sentence = "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256."

    with bench.refuses("InvalidKeyUsageException", sentence):
        bench.kms.verify_mac(KeyId=key, Message=MESSAGE, MacAlgorithm="HMAC_SHA_512", Mac=bytes(64))


# ----------------------------------------------------------------------------------------------------------- signatures


@pytest.mark.parametrize("message_type", ["RAW", "DIGEST"])
@pytest.mark.parametrize("algorithm", RSA_SIGNATURES)
def test_an_rsa_signature_of_kms_verifies_outside_and_the_other_way_round(bench, algorithm, message_type):
    key = private_key(bench, "RSA_2048")
    hash_ = HASHES[algorithm[-7:]]
    pad = padding.PSS(padding.MGF1(hash_), hash_.digest_size) if "PSS" in algorithm else padding.PKCS1v15()
    message = MESSAGE if message_type == "RAW" else hashlib.new(hash_.name, MESSAGE).digest()
    how = {"KeyId": key, "Message": message, "MessageType": message_type, "SigningAlgorithm": algorithm}

    signature = bench.kms.sign(**how)["Signature"]

    rsa_key(2048).public_key().verify(signature, MESSAGE, pad, hash_)
    ours = rsa_key(2048).sign(MESSAGE, pad, hash_)
    assert bench.kms.verify(**how, Signature=ours)["SignatureValid"] is True


@pytest.mark.parametrize("message_type", ["RAW", "DIGEST"])
@pytest.mark.parametrize("spec", ECDSA)
def test_an_ecdsa_signature_of_kms_verifies_outside_and_the_other_way_round(bench, spec, message_type):
    key, algorithm = private_key(bench, spec), ECDSA[spec]
    hash_ = HASHES[algorithm[-7:]]
    digest = hashlib.new(hash_.name, MESSAGE).digest()
    message = MESSAGE if message_type == "RAW" else digest
    how = {"KeyId": key, "Message": message, "MessageType": message_type, "SigningAlgorithm": algorithm}

    signature = bench.kms.sign(**how)["Signature"]

    ec_key(spec).public_key().verify(signature, digest, ec.ECDSA(Prehashed(hash_)))
    ours = ec_key(spec).sign(MESSAGE, ec.ECDSA(hash_))
    assert bench.kms.verify(**how, Signature=ours)["SignatureValid"] is True


def test_an_ed25519_signature_of_kms_is_the_one_that_is_made_outside(bench):
    key = private_key(bench, "ECC_NIST_EDWARDS25519")
    how = {"KeyId": key, "Message": MESSAGE, "SigningAlgorithm": "ED25519_SHA_512"}

    signature = bench.kms.sign(**how)["Signature"]

    assert signature == ed25519_key().sign(MESSAGE)
    assert bench.kms.verify(**how, Signature=signature)["SignatureValid"] is True


def test_ed25519_signs_messages_and_no_digests(bench):
    key = private_key(bench, "ECC_NIST_EDWARDS25519")
    sentence = "MessageType DIGEST is not valid for algorithm ED25519_SHA_512."

    with bench.refuses("ValidationException", sentence):
        bench.kms.sign(KeyId=key, Message=bytes(64), MessageType="DIGEST", SigningAlgorithm="ED25519_SHA_512")


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
def test_a_wrong_signature_is_refused_without_a_word(bench, spec):
    key = private_key(bench, spec)
    algorithm = bench.metadata(key)["SigningAlgorithms"][0]

    with bench.refuses("KMSInvalidSignatureException", ""):
        bench.kms.verify(KeyId=key, Message=MESSAGE, SigningAlgorithm=algorithm, Signature=bytes(64))


def test_a_digest_must_have_the_length_of_its_algorithm(bench):
    key = private_key(bench, "ECC_NIST_P256")

    with bench.refuses("ValidationException", "Digest is invalid length for algorithm ECDSA_SHA_256."):
        bench.kms.sign(KeyId=key, Message=bytes(20), MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")


@pytest.mark.parametrize(
    ("spec", "usage", "call", "operation", "parameters"),
    [
        ("SYMMETRIC_DEFAULT", None, "generate_mac", "GenerateMac", {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}),
        ("HMAC_256", None, "sign", "Sign", {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}),
        ("ECC_NIST_P256", "SIGN_VERIFY", "encrypt", "Encrypt", {"Plaintext": b"m"}),
        ("RSA_2048", "ENCRYPT_DECRYPT", "sign", "Sign", {"Message": b"m", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}),
        ("HMAC_256", None, "generate_data_key", "GenerateDataKey", {"KeySpec": "AES_256"}),
    ],
)
def test_a_key_is_used_only_for_its_own_usage(bench, spec, usage, call, operation, parameters):
    key = bench.key(spec, usage, Origin="AWS_KMS")
    usage = bench.metadata(key)["KeyUsage"]
    sentence = f"{key} key usage is {usage} which is not valid for {operation}."

    with bench.refuses("InvalidKeyUsageException", sentence):
        getattr(bench.kms, call)(KeyId=key, **parameters)


# ---------------------------------------------------------------------------------------- public keys and key agreement


@pytest.mark.parametrize(
    ("spec", "usage", "algorithms"),
    [
        ("RSA_2048", "ENCRYPT_DECRYPT", "EncryptionAlgorithms"),
        ("RSA_2048", "SIGN_VERIFY", "SigningAlgorithms"),
        ("ECC_NIST_P384", "KEY_AGREEMENT", "KeyAgreementAlgorithms"),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "SigningAlgorithms"),
    ],
)
def test_a_public_key_is_the_local_one_byte_for_byte(bench, spec, usage, algorithms):
    key = private_key(bench, spec, usage)

    shown = bench.kms.get_public_key(KeyId=key)

    assert shown["PublicKey"] == spki_der(key_for(spec))
    assert (shown["KeyId"], shown["KeySpec"], shown["KeyUsage"]) == (key, spec, usage)
    assert [name for name in shown if name.endswith("Algorithms")] == [algorithms]


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_a_secret_key_has_no_public_key(bench, spec):
    key = bench.filled_key(MATERIAL, spec)
    sentence = f"{key} key spec is {spec} which is not valid for GetPublicKey."

    with bench.refuses("UnsupportedOperationException", sentence):
        bench.kms.get_public_key(KeyId=key)


def test_a_shared_secret_of_kms_is_the_one_that_is_derived_outside(bench):
    key = private_key(bench, "ECC_NIST_P256", "KEY_AGREEMENT")
    peer = ec.derive_private_key(11, ec.SECP256R1())

    answer = bench.kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=spki_der(peer))

    assert answer["SharedSecret"] == peer.exchange(ec.ECDH(), ec_key("ECC_NIST_P256").public_key())
    assert answer["KeyOrigin"] == "EXTERNAL"


@pytest.mark.parametrize("peer", [b"no key", spki_der(ec_key("ECC_NIST_P384")), spki_der(ed25519_key())])
def test_a_shared_secret_needs_a_public_key_of_the_same_curve(bench, peer):
    key = private_key(bench, "ECC_NIST_P256", "KEY_AGREEMENT")

    with bench.refuses("ValidationException", "The public key is not valid for this KMS key."):
        bench.kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=peer)
