"""Create, for every key spec that takes imported material: KMS really holds the secret's bytes afterwards.

The library checks what KMS makes with the key (a MAC, a signature, a ciphertext, a shared secret), with the very key that was
put into the secret. The table of wrapping algorithms for each key spec is repeated here from docs/internals/kms-contract.md, so
that it does not come from the code under test.
"""

import hashlib
import hmac
import re

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from lab.keys.by_hand import oaep
from lab.keys.private_keys import CURVES, key_for, pkcs8_pem, spki_der
from lab.keys.random_keys import random_key
from lab.kms import ciphertext

pytestmark = pytest.mark.slow

SECRET_BYTES = {"SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
RSA = ("RSA_2048", "RSA_3072", "RSA_4096")
ECC = ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1")
ED25519 = "ECC_NIST_EDWARDS25519"
MESSAGE = b"what the key is used for"

ENCRYPT, SIGN, MAC, AGREE = "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"
USAGES = [
    ("SYMMETRIC_DEFAULT", ENCRYPT),
    *((spec, MAC) for spec in SECRET_BYTES if spec.startswith("HMAC")),
    *((spec, usage) for spec in RSA for usage in (ENCRYPT, SIGN)),
    *((spec, usage) for spec in ECC[:3] for usage in (SIGN, AGREE)),
    ("ECC_SECG_P256K1", SIGN),
    (ED25519, SIGN),
]
OAEP = ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1")
AES_WRAP = ("RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1")
BOTH_BEST_FIRST = (OAEP[0], AES_WRAP[0], OAEP[1], AES_WRAP[1])
WRAPPING = {
    **dict.fromkeys(SECRET_BYTES, OAEP),
    "RSA_2048": AES_WRAP,
    **dict.fromkeys((*ECC, ED25519), BOTH_BEST_FIRST),
}
NO_OAEP_UNDER_RSA_2048 = ("ECC_NIST_P521", ED25519)
WRAPPING_KEY_SPECS = ("RSA_2048", "RSA_3072", "RSA_4096")
COMBINATIONS = [(algorithm, size) for algorithm in OAEP + AES_WRAP for size in WRAPPING_KEY_SPECS]


def kms_takes(spec, algorithm, wrapping_key_spec):
    small = spec in NO_OAEP_UNDER_RSA_2048 and algorithm in OAEP and wrapping_key_spec == "RSA_2048"
    return algorithm in WRAPPING[spec] and not small


def secret_for(spec):
    """The value of a secret that holds a good key for this key spec."""
    return random_key(SECRET_BYTES[spec]) if spec in SECRET_BYTES else pkcs8_pem(key_for(spec))


# ------------------------------------------------------------------------------------ what KMS does with it, seen outside


def prove_encryption(world, key, spec):
    """Symmetric: the secret's bytes decrypt what KMS encrypts. RSA: KMS decrypts what the public key encrypts."""
    if spec == "SYMMETRIC_DEFAULT":
        blob = world.call("Encrypt", KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
        assert ciphertext.open_sealed(ciphertext.take_apart(blob), random_key(32), {}) == MESSAGE
        return
    closed = key_for(spec).public_key().encrypt(MESSAGE, oaep(OAEP[0]))
    opened = world.call("Decrypt", KeyId=key, CiphertextBlob=closed, EncryptionAlgorithm=OAEP[0])
    assert opened["Plaintext"] == MESSAGE


def prove_mac(world, key, spec):
    bits = spec.removeprefix("HMAC_")
    made = world.call("GenerateMac", KeyId=key, Message=MESSAGE, MacAlgorithm=f"HMAC_SHA_{bits}")["Mac"]
    assert made == hmac.digest(random_key(SECRET_BYTES[spec]), MESSAGE, f"sha{bits}")


def prove_signature(world, key, spec):
    """`verify` raises where the signature is not the key's."""
    public_key = key_for(spec).public_key()
    if spec in RSA:
        signature = sign(world, key, "RSASSA_PSS_SHA_256")
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        public_key.verify(signature, MESSAGE, pss, hashes.SHA256())
    elif spec == ED25519:
        public_key.verify(sign(world, key, "ED25519_SHA_512"), MESSAGE)
    else:
        hash_ = {"ECC_NIST_P384": hashes.SHA384(), "ECC_NIST_P521": hashes.SHA512()}.get(spec, hashes.SHA256())
        signature = sign(world, key, f"ECDSA_{hash_.name.upper().replace('SHA', 'SHA_')}")
        public_key.verify(signature, MESSAGE, ec.ECDSA(hash_))


def sign(world, key, algorithm):
    return world.call("Sign", KeyId=key, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]


def prove_agreement(world, key, spec):
    """Both sides agree on one secret: KMS with the imported key, the library with the other key."""
    other = ec.generate_private_key(CURVES[spec])
    agreed = world.call("DeriveSharedSecret", KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=spki_der(other))
    assert agreed["SharedSecret"] == other.exchange(ec.ECDH(), key_for(spec).public_key())


PROOFS = {ENCRYPT: prove_encryption, SIGN: prove_signature, MAC: prove_mac, AGREE: prove_agreement}

# ------------------------------------------------------------------------------------------------------- what is created


@pytest.mark.parametrize(("spec", "usage"), USAGES)
def test_a_key_of_any_spec_and_usage_works_with_the_secret_s_key(world, spec, usage):
    key = world.external_key(spec, usage)

    answer = world.create(key, SecretId=world.secret(secret_for(spec)).name)

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"
    PROOFS[usage](world, key, spec)


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_384", "RSA_2048", "ECC_NIST_P256", ED25519])
def test_the_answer_has_the_key_s_arn_and_every_attribute(world, spec):
    key = world.external_key(spec)

    answer = world.create(key, SecretId=world.secret(secret_for(spec)).name)

    public_key_hash = "" if spec in SECRET_BYTES else hashlib.sha256(spki_der(key_for(spec))).hexdigest().upper()
    assert answer["PhysicalResourceId"] == key
    assert answer["Data"] == {
        "KeyArn": key,
        "KeyId": key.rsplit("/", 1)[1],
        "KeySpec": spec,
        "KeyMaterialId": world.describe(key).get("CurrentKeyMaterialId", ""),
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "ValidTo": "",
        "CheckValue": f"SHA256:{public_key_hash}" if public_key_hash else "",
    }
    assert bool(answer["Data"]["KeyMaterialId"]) == (spec == "SYMMETRIC_DEFAULT")


@pytest.mark.parametrize(
    ("spec", "confirmed_by", "asked"),
    [
        ("SYMMETRIC_DEFAULT", "KEY_MATERIAL_ID", "ListKeyRotations"),
        ("HMAC_256", "MAC", "VerifyMac"),
        ("RSA_2048", "PUBLIC_KEY", "GetPublicKey"),
        ("ECC_NIST_P384", "PUBLIC_KEY", "GetPublicKey"),
        (ED25519, "PUBLIC_KEY", "GetPublicKey"),
    ],
)
def test_after_the_import_kms_is_asked_whether_it_holds_these_bytes(world, spec, confirmed_by, asked):
    key = world.external_key(spec)

    world.create(key, SecretId=world.secret(secret_for(spec)).name)

    assert f'"confirmed_by": "{confirmed_by}"' in world.log.getvalue()
    assert world.aws.operations()[-3:] == ["ImportKeyMaterial", "DescribeKey", asked]


# -------------------------------------------------------------------------------------------------- on the way to KMS


@pytest.mark.parametrize("spec", WRAPPING)
def test_every_wrapping_that_kms_takes_for_a_key_spec_carries_its_key(world, spec):
    usage = next(usage for known, usage in USAGES if known == spec)
    secret = world.secret(secret_for(spec))
    taken = [(algorithm, size) for algorithm, size in COMBINATIONS if kms_takes(spec, algorithm, size)]

    for algorithm, size in taken:
        key = world.external_key(spec, usage)
        answer = world.create(key, SecretId=secret.name, WrappingAlgorithm=algorithm, WrappingKeySpec=size)
        assert answer["Status"] == "SUCCESS", (algorithm, size, answer["Reason"])
        PROOFS[usage](world, key, spec)

    assert re.findall('"wrapping_algorithm": "([A-Z0-9_]+)"', world.log.getvalue()) == [way[0] for way in taken]


@pytest.mark.parametrize("spec", WRAPPING)
def test_every_wrapping_that_kms_does_not_take_is_refused_in_words(world, refused, spec):
    key = world.external_key(spec)
    secret = world.secret(secret_for(spec))

    for algorithm, size in COMBINATIONS:
        if kms_takes(spec, algorithm, size):
            continue
        reason = refused(key, SecretId=secret.name, WrappingAlgorithm=algorithm, WrappingKeySpec=size)
        if algorithm in WRAPPING[spec]:
            assert reason == (
                f"WrappingAlgorithm: KMS does not take {spec} keys by {algorithm} under an RSA_2048 wrapping public key. "
                "Set WrappingKeySpec to RSA_4096, or WrappingAlgorithm to RSA_AES_KEY_WRAP_SHA_256."
            )
        else:
            assert reason == (
                f"WrappingAlgorithm: KMS does not take {algorithm} for {spec} keys here. "
                f"Set one of {', '.join(WRAPPING[spec])}, or leave WrappingAlgorithm out."
            )

    assert world.aws.count("GetParametersForImport") == 0


@pytest.mark.parametrize(
    ("spec", "wrapping_key_spec", "chosen"),
    [
        ("SYMMETRIC_DEFAULT", None, "RSAES_OAEP_SHA_256"),
        ("HMAC_512", "RSA_2048", "RSAES_OAEP_SHA_256"),
        ("RSA_2048", None, "RSA_AES_KEY_WRAP_SHA_256"),
        ("ECC_NIST_P256", "RSA_2048", "RSAES_OAEP_SHA_256"),
        ("ECC_NIST_P521", None, "RSAES_OAEP_SHA_256"),
        ("ECC_NIST_P521", "RSA_2048", "RSA_AES_KEY_WRAP_SHA_256"),
        (ED25519, "RSA_2048", "RSA_AES_KEY_WRAP_SHA_256"),
    ],
)
def test_without_a_declared_algorithm_the_best_one_that_goes_is_used(world, spec, wrapping_key_spec, chosen):
    secret = world.secret(secret_for(spec))

    answer = world.create(world.external_key(spec), SecretId=secret.name, WrappingKeySpec=wrapping_key_spec)

    assert answer["Status"] == "SUCCESS"
    assert re.findall('"wrapping_algorithm": "([A-Z0-9_]+)"', world.log.getvalue()) == [chosen]


def test_without_a_declared_wrapping_key_spec_the_largest_is_asked_for(world, monkeypatch):
    asked = []
    real = world.kms.call

    def call(operation, params, **caller):
        if operation == "GetParametersForImport":
            asked.append(params["WrappingKeySpec"])
        return real(operation, params, **caller)

    monkeypatch.setattr(world.kms, "call", call)
    world.create(world.external_key(), SecretId=world.secret(random_key(32)).name, WrappingKeySpec=None)

    assert asked == ["RSA_4096"]
