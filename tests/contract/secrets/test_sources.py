"""Every form of a secret's value, and every way to name a secret and its version.

Each test asks KMS afterwards whether it holds exactly these bytes; the function's answer is no proof.
"""

import base64
import hmac
import json
import textwrap

import pytest

from lab.keys.private_keys import key_for, pkcs8_der, pkcs8_pem, spki_der, traditional_der, traditional_pem
from lab.keys.random_keys import random_key, random_keys
from lab.secretsmanager.reads import said_by_iam

KEY = random_key(32)
BASE64 = base64.b64encode(KEY).decode()
OTHER_ACCOUNT = "999988887777"
BAG_ATTRIBUTES = "Bag Attributes\n    friendlyName: orders\nKey Attributes: <No Attributes>\n"
# `openssl ecparam -genkey` writes the curve's name before the key.
EC_PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def holds(world, key, material):
    """Whether this HMAC_256 key makes the MACs of these bytes."""
    made = world.call("GenerateMac", KeyId=key, Message=b"whose?", MacAlgorithm="HMAC_SHA_256")["Mac"]
    return made == hmac.digest(material, b"whose?", "sha256")


# ------------------------------------------------------------------------------------------------- what the secret holds


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        pytest.param(KEY, {}, id="SecretBinary is raw"),
        pytest.param(KEY, {"MaterialEncoding": "RAW"}, id="SecretBinary declared RAW"),
        pytest.param(BASE64, {}, id="text is base64"),
        pytest.param(BASE64, {"MaterialEncoding": "BASE64"}, id="text declared BASE64"),
        pytest.param(BASE64.encode(), {"MaterialEncoding": "BASE64"}, id="SecretBinary declared BASE64"),
        pytest.param(base64.urlsafe_b64encode(KEY).decode().rstrip("="), {}, id="the URL alphabet, no padding"),
        pytest.param("\n".join(textwrap.wrap(BASE64, 16)) + "\n", {}, id="base64 in lines, as base64 writes it"),
        pytest.param(KEY.hex(), {"MaterialEncoding": "HEX"}, id="hex"),
        pytest.param(f"0x{KEY.hex().upper()}\n", {"MaterialEncoding": "HEX"}, id="hex with 0x, capitals, a newline"),
        pytest.param(KEY.hex().encode(), {"MaterialEncoding": "HEX"}, id="SecretBinary declared HEX"),
        pytest.param(json.dumps({"key": BASE64, "by": "hsm-7"}), {"SecretJsonKey": "key"}, id="a JSON field in base64"),
        pytest.param(
            json.dumps({"key": KEY.hex()}),
            {"SecretJsonKey": "key", "MaterialEncoding": "HEX"},
            id="a JSON field in hex",
        ),
    ],
)
def test_bytes_arrive_as_they_are_however_the_secret_holds_them(world, value, declared):
    key = world.external_key("HMAC_256")

    answer = world.create(key, SecretId=world.secret(value).name, **declared)

    assert answer["Status"] == "SUCCESS"
    assert holds(world, key, KEY)


RSA, P256, P256K1, ED25519 = "RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"


@pytest.mark.parametrize(
    ("spec", "written", "declared"),
    [
        pytest.param(RSA, pkcs8_pem, {}, id="PKCS#8"),
        pytest.param(RSA, traditional_pem, {}, id="PKCS#1"),
        pytest.param(P256, pkcs8_pem, {"MaterialEncoding": "PEM"}, id="PKCS#8 of a curve"),
        pytest.param(P256, traditional_pem, {}, id="SEC1"),
        pytest.param(P256, lambda key: EC_PARAMETERS + traditional_pem(key), {}, id="SEC1 behind EC PARAMETERS"),
        pytest.param(P256K1, traditional_pem, {}, id="SEC1 of secp256k1"),
        pytest.param(ED25519, pkcs8_pem, {}, id="PKCS#8 of Ed25519"),
        pytest.param(RSA, lambda key: BAG_ATTRIBUTES + pkcs8_pem(key), {}, id="behind Bag Attributes"),
        pytest.param(RSA, lambda key: pkcs8_pem(key).replace("\n", "\r\n"), {}, id="with Windows' line ends"),
        pytest.param(RSA, lambda key: pkcs8_pem(key).encode(), {}, id="a PEM as SecretBinary"),
        pytest.param(RSA, pkcs8_der, {}, id="PKCS#8 in DER as SecretBinary"),
        pytest.param(RSA, traditional_der, {}, id="PKCS#1 in DER as SecretBinary"),
        pytest.param(P256, lambda key: base64.b64encode(traditional_der(key)).decode(), {}, id="SEC1 in base64"),
        pytest.param(
            P256, lambda key: json.dumps({"pem": pkcs8_pem(key)}), {"SecretJsonKey": "pem"}, id="a PEM in a JSON field"
        ),
    ],
)
def test_a_private_key_arrives_from_every_container_it_may_be_in(world, spec, written, declared):
    key = world.external_key(spec)

    answer = world.create(key, SecretId=world.secret(written(key_for(spec))).name, **declared)

    assert answer["Status"] == "SUCCESS"
    assert world.call("GetPublicKey", KeyId=key)["PublicKey"] == spki_der(key_for(spec))


# ------------------------------------------------------------------------------------------------ which secret is meant


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(lambda secret: secret.name, id="name"),
        pytest.param(lambda secret: secret.arn, id="ARN"),
        pytest.param(lambda secret: secret.arn[:-7], id="ARN without its suffix"),
    ],
)
def test_a_secret_of_the_own_account_is_found_by_name_and_by_arn(world, reference):
    key = world.external_key("HMAC_256")

    answer = world.create(key, SecretId=reference(world.secret(KEY)))

    assert answer["Status"] == "SUCCESS"
    assert holds(world, key, KEY)


def test_a_secret_of_another_account_is_read_by_its_full_arn(world):
    key = world.external_key("HMAC_256")
    secret = world.secret(KEY, account=OTHER_ACCOUNT)
    secret.readers.add("111122223333")

    answer = world.create(key, SecretId=secret.arn)

    assert answer["Status"] == "SUCCESS"
    assert holds(world, key, KEY)


def test_a_secret_of_another_account_needs_that_account_s_consent_tag_too(world, refused):
    secret = world.secret(KEY, account=OTHER_ACCOUNT, tag="payments")
    secret.readers.add("111122223333")

    reason = refused(world.external_key("HMAC_256"), SecretId=secret.arn)

    assert reason == (
        "SecretId: The secret has the tag imported-key-material, but it does not name the stack orders, so this stack may not "
        "use it. If its owner agrees, set the tag imported-key-material to 'payments orders'."
    )
    assert world.aws.count("GetSecretValue") == 0


def test_the_name_of_another_account_s_secret_finds_nothing(world, refused):
    secret = world.secret(KEY, account=OTHER_ACCOUNT)
    secret.readers.add("111122223333")

    reason = refused(world.external_key("HMAC_256"), SecretId=secret.name)

    assert reason == (
        "SecretId: secretsmanager:DescribeSecret was refused with AccessDeniedException: "
        f"{said_by_iam('DescribeSecret', '<SecretId>')} IAM answers this in three cases: there is no secret of this name in "
        "account 111122223333 and Region eu-central-1; or it has no tag imported-key-material; or a policy forbids the "
        "function's role to read it. Check them in this order: aws secretsmanager describe-secret shows name and tags. A "
        "secret of another account needs its full ARN."
    )


def test_another_account_s_secret_whose_policy_does_not_let_the_function_in_is_refused(world, refused):
    secret = world.secret(KEY, account=OTHER_ACCOUNT)

    reason = refused(world.external_key("HMAC_256"), SecretId=secret.arn)

    assert reason == (
        "SecretId: secretsmanager:DescribeSecret was refused with AccessDeniedException: "
        f"{said_by_iam('DescribeSecret', '<SecretId>', kind='resource-based')} IAM answers this in two cases: there is no "
        "secret of this ARN in account 999988887777 and Region eu-central-1; or a policy forbids the function's role to read "
        "it. Check the ARN first, with the hyphen and the six characters at its end, then that account's policy of the "
        "secret: it must name the role."
    )


# ------------------------------------------------------------------------------------------------ which version is meant


@pytest.mark.parametrize(
    ("declared", "which"),
    [
        pytest.param({}, "current", id="AWSCURRENT unless another is named"),
        pytest.param({"SecretVersionStage": "AWSCURRENT"}, "current", id="AWSCURRENT"),
        pytest.param({"SecretVersionStage": "AWSPREVIOUS"}, "previous", id="AWSPREVIOUS"),
        pytest.param({"SecretVersionStage": "for-kms"}, "pending", id="the user's own label"),
        pytest.param({"SecretVersionId": "version-of-the-previous-material-1"}, "previous", id="a version id"),
        pytest.param(
            {"SecretVersionId": "version-of-the-pending-material-01"}, "pending", id="a version id without AWSCURRENT"
        ),
    ],
)
def test_the_version_that_is_named_is_the_one_that_arrives(world, declared, which):
    key = world.external_key("HMAC_256")
    previous, current, pending = random_keys(32, 3)
    world.secret(previous, version_id="version-of-the-previous-material-1")
    world.secret(current, version_id="version-of-the-current-material-01")
    secret = world.secret(pending, version_id="version-of-the-pending-material-01", stages=["for-kms"])

    answer = world.create(key, SecretId=secret.name, **declared)

    assert answer["Status"] == "SUCCESS"
    assert holds(world, key, {"previous": previous, "current": current, "pending": pending}[which])
    assert f'"secret_version_id": "version-of-the-{which}-material' in world.log.getvalue()


def test_a_secret_is_described_before_it_is_read_and_read_once(world):
    world.create(world.external_key("HMAC_256"), SecretId=world.secret(KEY).name)

    assert [one.operation for one in world.aws.calls if one.service == "secrets-manager"] == [
        "DescribeSecret",
        "GetSecretValue",
        "DescribeSecret",  # its consent, once more, right before the import
    ]
