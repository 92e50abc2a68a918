"""Secrets that hold wrapped material, which a reader of the secret can't use: the five algorithms, and all forms of content.

KMS's Encrypt, the library and the `openssl` program wrap it. For wrapped secrets with faults see
test_wrapped_secrets_that_do_not_open.py.
"""

import base64
import json

import pytest

from imported_key_material.aws import secret as secret_reading
from imported_key_material.material.wrapping import unwrap_with_aes
from lab.keys.at_rest import by_openssl, encrypted, transport_key, wrapped
from lab.keys.private_keys import key_for, pkcs8_der, pkcs8_pem, spki_der
from lab.keys.random_keys import random_key
from lab.kms import ciphertext
from lab.world import ACCOUNT

SYMMETRIC = "SYMMETRIC_DEFAULT"
OAEP = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
AES_WRAP = ("RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")
ALGORITHMS = (SYMMETRIC, *OAEP, *AES_WRAP)
OTHER_ACCOUNT = "999988887777"
KEY = random_key(32)


def holds_key(world, key):
    """Whether this symmetric key encrypts with KEY."""
    blob = world.call("Encrypt", KeyId=key, Plaintext=b"to be opened outside")["CiphertextBlob"]
    return ciphertext.open_sealed(ciphertext.take_apart(blob), KEY, {}) == b"to be opened outside"


def declared(algorithm, unwrap):
    return {"SecretWrapping": {"Algorithm": algorithm, "KeyId": unwrap}}


# ------------------------------------------------------------------------------------------------------ what is inside


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_symmetric_key_wrapped_by_any_algorithm_arrives(world, algorithm):
    unwrap = transport_key(world, algorithm)
    secret = world.secret(wrapped(world, unwrap, algorithm, KEY))
    key = world.external_key()

    answer = world.create(key, SecretId=secret.name, **declared(algorithm, unwrap))

    assert answer["Status"] == "SUCCESS"
    assert holds_key(world, key)


# An OAEP block under RSA_2048 carries 190 bytes: no PEM, no RSA key.
@pytest.mark.parametrize(
    ("algorithm", "spec", "written"),
    [
        *(
            (algorithm, spec, pkcs8_der)
            for algorithm in ALGORITHMS
            for spec in ("ECC_NIST_P256", "ECC_NIST_EDWARDS25519")
        ),
        *((algorithm, "RSA_2048", pkcs8_der) for algorithm in (SYMMETRIC, *AES_WRAP)),
        *(
            (algorithm, spec, lambda key: pkcs8_pem(key).encode())
            for algorithm in (SYMMETRIC, *AES_WRAP)
            for spec in ("RSA_2048", "ECC_NIST_P384")
        ),
    ],
)
def test_a_private_key_in_der_or_pem_may_be_inside(world, algorithm, spec, written):
    unwrap = transport_key(world, algorithm)
    secret = world.secret(wrapped(world, unwrap, algorithm, written(key_for(spec))))
    key = world.external_key(spec)

    answer = world.create(key, SecretId=secret.name, **declared(algorithm, unwrap))

    assert answer["Status"] == "SUCCESS"
    assert world.call("GetPublicKey", KeyId=key)["PublicKey"] == spki_der(key_for(spec))


@pytest.mark.parametrize("inside", [KEY, KEY[:31]], ids=["taken", "refused"])
def test_what_was_unwrapped_here_is_wiped(world, monkeypatch, inside):
    """The function's own buffer, not a copy of it, becomes the material."""
    unwrapped = []

    def watching(*given):
        unwrapped.append(unwrap_with_aes(*given))
        return unwrapped[-1]

    monkeypatch.setattr(secret_reading.wrapping, "unwrap_with_aes", watching)
    unwrap = transport_key(world, AES_WRAP[1])
    secret = world.secret(wrapped(world, unwrap, AES_WRAP[1], inside))

    answer = world.create(world.external_key(), SecretId=secret.name, **declared(AES_WRAP[1], unwrap))

    assert answer["Status"] == ("SUCCESS" if inside is KEY else "FAILED")
    assert unwrapped == [bytearray(len(inside))] * len(unwrapped)
    assert unwrapped


@pytest.mark.parametrize("algorithm", AES_WRAP)
@pytest.mark.parametrize("aes_key_bytes", [16, 24, 32])
def test_the_aes_key_of_an_hsm_may_have_any_size_that_aes_has(world, algorithm, aes_key_bytes):
    unwrap = transport_key(world, algorithm)
    secret = world.secret(wrapped(world, unwrap, algorithm, KEY, aes_key_bytes=aes_key_bytes))
    key = world.external_key()

    answer = world.create(key, SecretId=secret.name, **declared(algorithm, unwrap))

    assert answer["Status"] == "SUCCESS"
    assert holds_key(world, key)


@pytest.mark.parametrize(
    ("algorithm", "aes_bits"),
    [*((algorithm, 256) for algorithm in (*OAEP, *AES_WRAP)), *((AES_WRAP[1], bits) for bits in (128, 192))],
)
def test_what_openssl_wraps_on_the_command_line_arrives(world, tmp_path, algorithm, aes_bits):
    unwrap = transport_key(world, algorithm)
    secret = world.secret(by_openssl(world, unwrap, algorithm, KEY, tmp_path, aes_bits=aes_bits))
    key = world.external_key()

    answer = world.create(key, SecretId=secret.name, **declared(algorithm, unwrap))

    assert answer["Status"] == "SUCCESS"
    assert holds_key(world, key)


@pytest.mark.parametrize("unwrap_spec", ["RSA_3072", "RSA_4096"])
def test_a_larger_transport_key_has_a_longer_rsa_block(world, unwrap_spec):
    unwrap = transport_key(world, AES_WRAP[1], KeySpec=unwrap_spec)
    secret = world.secret(wrapped(world, unwrap, AES_WRAP[1], KEY))
    key = world.external_key()

    answer = world.create(key, SecretId=secret.name, **declared(AES_WRAP[1], unwrap))

    assert answer["Status"] == "SUCCESS"
    assert holds_key(world, key)


# --------------------------------------------------------------------------------------------- how the ciphertext is kept


@pytest.mark.parametrize(
    ("kept", "more"),
    [
        pytest.param(lambda blob: blob, {}, id="SecretBinary"),
        pytest.param(lambda blob: blob, {"MaterialEncoding": "RAW"}, id="SecretBinary declared RAW"),
        pytest.param(lambda blob: base64.b64encode(blob).decode(), {}, id="text is base64"),
        pytest.param(lambda blob: base64.encodebytes(blob).decode(), {}, id="base64 in lines"),
        pytest.param(base64.b64encode, {"MaterialEncoding": "BASE64"}, id="SecretBinary declared BASE64"),
        pytest.param(lambda blob: blob.hex(), {"MaterialEncoding": "HEX"}, id="hex"),
        pytest.param(
            lambda blob: json.dumps({"wrapped": base64.b64encode(blob).decode()}),
            {"SecretJsonKey": "wrapped"},
            id="a JSON field",
        ),
        pytest.param(
            lambda blob: json.dumps({"wrapped": blob.hex()}),
            {"SecretJsonKey": "wrapped", "MaterialEncoding": "HEX"},
            id="a JSON field in hex",
        ),
    ],
)
@pytest.mark.parametrize("algorithm", [SYMMETRIC, "RSA_AES_KEY_WRAP_SHA_256"])
def test_the_ciphertext_may_be_kept_in_every_form_that_bytes_may(world, algorithm, kept, more):
    unwrap = transport_key(world, algorithm)
    secret = world.secret(kept(wrapped(world, unwrap, algorithm, KEY)))
    key = world.external_key()

    answer = world.create(key, SecretId=secret.name, **declared(algorithm, unwrap), **more)

    assert answer["Status"] == "SUCCESS"
    assert holds_key(world, key)


# --------------------------------------------------------------------------------------------------- which key unwraps


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(lambda arn: arn, id="ARN"),
        pytest.param(lambda arn: arn.rsplit("/", 1)[1], id="id"),
        pytest.param(lambda arn: arn.rsplit(":", 1)[1], id="key/id"),
        pytest.param(lambda _: "alias/transport", id="alias"),
        pytest.param(lambda arn: f"{arn.rsplit(':', 1)[0]}:alias/transport", id="ARN of an alias"),
    ],
)
def test_the_transport_key_may_be_named_in_every_way_that_kms_decrypt_takes(world, reference):
    unwrap = transport_key(world, SYMMETRIC)
    world.call("CreateAlias", AliasName="alias/transport", TargetKeyId=unwrap)
    secret = world.secret(encrypted(world, unwrap, KEY))
    key = world.external_key()

    answer = world.create(key, SecretId=secret.name, **declared(SYMMETRIC, reference(unwrap)))

    assert answer["Status"] == "SUCCESS"
    assert holds_key(world, key)


def test_the_encryption_context_is_made_of_the_secret_s_own_account_and_name(world):
    """The secret is named by its ARN, in another account, and its name seems to have a suffix."""
    unwrap = transport_key(world, SYMMETRIC)
    name = "payments/master-abcdef"
    blob = encrypted(world, unwrap, KEY, name=name, account=OTHER_ACCOUNT)
    secret = world.secret(blob, name, account=OTHER_ACCOUNT)
    secret.readers.add(ACCOUNT)
    key = world.external_key()

    answer = world.create(key, SecretId=secret.arn, **declared(SYMMETRIC, unwrap))

    assert answer["Status"] == "SUCCESS"
    assert holds_key(world, key)


def test_the_check_value_is_that_of_what_is_inside(world):
    unwrap = transport_key(world, SYMMETRIC)
    secret = world.secret(encrypted(world, unwrap, KEY))
    key = world.external_key()

    answer = world.create(key, SecretId=secret.name, ExpectedCheckValue="CMAC:000000", **declared(SYMMETRIC, unwrap))

    assert answer["Reason"] == (
        f"ExpectedCheckValue {world.last_read()}: The material has another check value than the one declared. Name the secret "
        "and version that hold the right key, or correct ExpectedCheckValue. Nothing was imported."
    )


def test_the_transport_key_decrypts_once_and_only_after_all_keys_were_looked_at(world):
    unwrap = transport_key(world, SYMMETRIC)
    secret = world.secret(encrypted(world, unwrap, KEY))

    world.create(world.external_key(), SecretId=secret.name, **declared(SYMMETRIC, unwrap))

    operations = world.aws.operations()
    assert operations[2:10] == [
        "DescribeKey",  # the key that takes the material
        "ListResourceTags",
        "DescribeSecret",
        "DescribeKey",  # the transport key
        "ListResourceTags",
        "GetSecretValue",
        "Decrypt",
        "GetParametersForImport",
    ]
    assert operations.count("Decrypt") == 1
