"""Every refusal of a secret's content names the secret and the version, in Secrets Manager's words.

No error repeats a property's value. It shows DescribeSecret's Name and GetSecretValue's VersionId, which are surely names of a
secret and a version.
"""

import hashlib
import json

import pytest

from lab.keys.at_rest import encrypted, transport_key
from lab.keys.by_hand import import_material
from lab.keys.private_keys import key_for, pkcs8_pem, spki_der
from lab.keys.random_keys import random_keys
from lab.secretsmanager.reads import said_by_iam

KEY, OTHER = random_keys(32, 2)
FIRST, SECOND = "11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"
NAME = "orders/master-key"
P384_SHA256 = hashlib.sha256(spki_der(key_for("ECC_NIST_P384"))).hexdigest().upper()
READ = f"(secret {NAME}, version {FIRST})"


def reason(world, key, **declared):
    """The whole reason of a refused Create."""
    before = world.snapshot()
    answer = world.create(key, **declared)
    assert answer["Status"] == "FAILED"
    assert world.snapshot() == before
    return answer["Reason"]


@pytest.mark.parametrize(
    ("spec", "value", "declared", "sentence"),
    [
        pytest.param(
            "SYMMETRIC_DEFAULT",
            KEY + b"\n",
            {},
            f"SecretId {READ}: The material is 33 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. Often a newline "
            "was "
            "stored, too: write it with printf, not echo. Nothing was imported.",
            id="length",
        ),
        pytest.param(
            "SYMMETRIC_DEFAULT",
            KEY,
            {"ExpectedCheckValue": "CMAC:000000"},
            f"ExpectedCheckValue {READ}: The material has another check value than the one declared. Name the secret and "
            "version "
            "that hold the right key, or correct ExpectedCheckValue. Nothing was imported.",
            id="check value",
        ),
        pytest.param(
            "SYMMETRIC_DEFAULT",
            json.dumps({"key": "x"}),
            {"SecretJsonKey": "material"},
            f"SecretJsonKey {READ}: The secret's JSON object has no field of this name. Correct SecretJsonKey; upper and lower "
            "case count. Nothing was imported.",
            id="field",
        ),
        pytest.param(
            "SYMMETRIC_DEFAULT",
            KEY,
            {"MaterialEncoding": "PEM"},
            f"MaterialEncoding {READ}: It says PEM, and the secret holds no PEM: no BEGIN line was found. Set it to what the "
            "secret holds, or leave it out. Nothing was imported.",
            id="encoding",
        ),
        pytest.param(
            "ECC_NIST_P256",
            pkcs8_pem(key_for("ECC_NIST_P384")),
            {"ExpectedCheckValue": f"SHA256:{'0' * 64}"},
            f"2 things are wrong. (1) SecretId {READ}: The private key is an EC key on P-384, and an ECC_NIST_P256 key takes "
            "an EC key on P-256. Name the secret that holds the right key, or a KMS key of the fitting key spec. (2) "
            f"ExpectedCheckValue {READ}: The public key's check value is SHA256:{P384_SHA256}, and another one is declared. "
            "Name the secret and version that hold the right key, or correct ExpectedCheckValue. Nothing was "
            "imported.",
            id="all that is wrong",
        ),
    ],
)
def test_what_is_refused_of_a_value_names_secret_and_version(world, spec, value, declared, sentence):
    world.secret(value, version_id=FIRST)

    said = reason(world, world.external_key(spec), SecretId=NAME, **declared)

    assert said == sentence


def test_the_version_is_named_that_was_current_when_it_was_read(world):
    world.secret(KEY, version_id=FIRST)
    world.secret(KEY + b"\n", version_id=SECOND)

    said = reason(world, world.external_key(), SecretId=NAME)

    assert said.startswith(f"SecretId (secret {NAME}, version {SECOND}): The material is 33 bytes long,")


def test_a_secret_that_is_declared_by_its_arn_is_reported_by_its_name(world):
    secret = world.secret(KEY + b"\n", version_id=FIRST)

    said = reason(world, world.external_key(), SecretId=secret.arn)

    assert said.startswith(f"SecretId {READ}: The material is 33 bytes long,")
    assert secret.arn not in said


def test_a_long_name_is_cut(world):
    world.secret(KEY + b"\n", name="n" * 512, version_id=FIRST)

    said = reason(world, world.external_key(), SecretId="n" * 512)

    assert said.startswith(f"SecretId (secret {'n' * 100}..., version {FIRST}): The material is 33 bytes long,")


def test_a_ciphertext_that_does_not_open_shows_the_context_that_its_secret_needs(world):
    unwrap = transport_key(world, "SYMMETRIC_DEFAULT")
    world.secret(encrypted(world, unwrap, KEY, name="payments/copied"), version_id=FIRST)
    wrapping = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": unwrap}

    assert reason(world, world.external_key(), SecretId=NAME, SecretWrapping=wrapping) == (
        f"SecretWrapping {READ}: kms:Decrypt was refused with InvalidCiphertextException. The transport key does not open what "
        "the secret holds. It was encrypted with another encryption context, for example for another secret, or was changed. "
        "Encrypt the material again, with the encryption context imported-key-material=111122223333/orders/master-key: the "
        "secret's account and name. Nothing was imported."
    )


def test_an_earlier_version_that_holds_no_key_is_named(world):
    key = world.external_key()
    world.secret(KEY + b"\n", version_id=FIRST)
    world.secret(OTHER, version_id=SECOND)
    import_material(world.session().client("kms"), key, OTHER)
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    said = reason(world, key, SecretId=NAME, SecretVersionId=SECOND, PreviousSecretVersionIds=[FIRST])

    assert said == (
        f"PreviousSecretVersionIds {READ}: The material is 33 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. Often "
        "a newline was stored, too: write it with printf, not echo. Nothing was imported."
    )


def test_before_a_version_is_read_only_the_secret_is_named(world):
    secret = world.secret(KEY, tag="payments")
    world.secrets.mark_for_deletion(secret)

    assert reason(world, world.external_key(), SecretId=NAME) == (
        f"SecretId (secret {NAME}): The secret is marked for deletion, and Secrets Manager does not give its value. aws "
        "secretsmanager restore-secret takes that back. Nothing was imported."
    )
    world.secrets.restore(secret)
    assert reason(world, world.external_key(), SecretId=NAME) == (
        f"SecretId (secret {NAME}): The secret has the tag imported-key-material, but it does not name the stack orders, so "
        "this stack may not use it. If its owner agrees, set the tag imported-key-material to 'payments orders'. Nothing was "
        "imported."
    )


def test_a_version_that_is_not_there_is_named_by_its_own_property(world):
    world.secret(KEY, version_id=FIRST)

    assert reason(world, world.external_key(), SecretId=NAME, SecretVersionStage="blue") == (
        f"SecretVersionStage (secret {NAME}): secretsmanager:GetSecretValue was refused with ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret value for staging label: blue. No version of the secret has this "
        "staging label. aws secretsmanager list-secret-version-ids --include-deprecated shows its versions. Nothing was "
        "imported."
    )


def test_where_secrets_manager_did_not_answer_no_secret_is_named(world):
    denied = said_by_iam("DescribeSecret", "<SecretId>")

    said = reason(world, world.external_key(), SecretId="orders/none")

    assert said.startswith(
        f"SecretId: secretsmanager:DescribeSecret was refused with AccessDeniedException: {denied} IAM "
    )


def test_bytes_that_kms_refuses_name_the_secret_as_well(world):
    key = world.external_key("HMAC_256")
    import_material(world.session().client("kms"), key, OTHER)
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    world.secret(KEY, version_id=FIRST)

    assert reason(world, key, SecretId=NAME) == (
        f"SecretId {READ}: The secret holds other material than the key holds or ever used (IncorrectKeyMaterialException), "
        "and an HMAC_256 key never takes other material than its first, not even after a deletion. Name the secret version "
        "that holds the key's material, or declare a new key for the new material. Nothing was imported."
    )
