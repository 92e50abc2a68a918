"""The traps of wrapped secrets: the function's error names each, and nothing reaches the key.

First the refusals of kms:Decrypt, whose own text is empty; then faults that show after it; then unfit transport keys, which the
function refuses before it reads the secret.
"""

import base64
import os

import pytest

from lab.keys.at_rest import blocks, encrypted, public_key_of, transport_key, with_mgf1_sha_1, with_pkcs7, wrapped
from lab.keys.by_hand import oaep
from lab.keys.private_keys import key_for, pkcs8_pem
from lab.keys.random_keys import random_key

SYMMETRIC, OAEP, AES_WRAP = "SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"
KEY = random_key(32)


def declared(algorithm, unwrap):
    return {"SecretWrapping": {"Algorithm": algorithm, "KeyId": unwrap}}


def test_a_wrapped_secret_is_not_taken_for_the_material_itself_where_secret_wrapping_is_wrong(world):
    """The function would see 200 wrong bytes; the fault of SecretWrapping already says what is wrong."""
    key, unwrap = world.external_key(), transport_key(world, SYMMETRIC)
    secret = world.secret(encrypted(world, unwrap, KEY))

    answer = world.create(key, SecretId=secret.name, **declared("ROT13", unwrap))

    assert answer["Reason"] == (
        "SecretWrapping.Algorithm: The value does not fit the property's rule. It must be one of "
        "SYMMETRIC_DEFAULT, RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, RSA_AES_KEY_WRAP_SHA_1, RSA_AES_KEY_WRAP_SHA_256. "
        "Nothing was imported."
    )
    assert not world.aws.count("GetSecretValue")


# -------------------------------------------------------------------------------------------- what the transport key refuses

REFUSED = (
    "SecretWrapping: kms:Decrypt was refused with InvalidCiphertextException. The transport key does not open what"
)
UNDER_ANOTHER = "the secret holds. It was encrypted under another key or with another algorithm, or was changed."
WITH_SHA_256 = (
    "OAEP and MGF1 must both use SHA-256 (Java and `openssl pkeyutl` use SHA-1 by default); if both use SHA-1, as in Azure's "
    "BYOK tools and many HSMs, declare"
)
WITH_SHA_1 = "OAEP and MGF1 must both use SHA-1; if both use SHA-256, declare"
RSA_FIRST = "The RSA block comes first, and the AES block behind it."
# By SecretWrapping.Algorithm: the hints for another algorithm would mislead.
DOES_NOT_OPEN = {
    SYMMETRIC: (
        f"{REFUSED} the secret holds. It was encrypted with another encryption context, for example for another secret, or was "
        "changed. Encrypt the material again, with the encryption context "
        "imported-key-material=111122223333/orders/master-key: the secret's account and name."
    ),
    OAEP: f"{REFUSED} {UNDER_ANOTHER} {WITH_SHA_256} RSAES_OAEP_SHA_1.",
    "RSAES_OAEP_SHA_1": f"{REFUSED} {UNDER_ANOTHER} {WITH_SHA_1} RSAES_OAEP_SHA_256.",
    AES_WRAP: f"{REFUSED} {UNDER_ANOTHER} {WITH_SHA_256} RSA_AES_KEY_WRAP_SHA_1. {RSA_FIRST}",
    "RSA_AES_KEY_WRAP_SHA_1": f"{REFUSED} {UNDER_ANOTHER} {WITH_SHA_1} RSA_AES_KEY_WRAP_SHA_256. {RSA_FIRST}",
}


@pytest.mark.parametrize(
    ("algorithm", "made"),
    [
        pytest.param(
            SYMMETRIC,
            lambda world, unwrap: world.call("Encrypt", KeyId=unwrap, Plaintext=KEY)["CiphertextBlob"],
            id="without the encryption context",
        ),
        pytest.param(
            SYMMETRIC, lambda world, unwrap: encrypted(world, unwrap, KEY, name="payments/key"), id="of another secret"
        ),
        pytest.param(
            SYMMETRIC,
            lambda world, unwrap: encrypted(world, unwrap, KEY, account="999988887777"),
            id="of another account's secret of this name",
        ),
        pytest.param(SYMMETRIC, lambda *_: KEY, id="the bare material"),
        pytest.param(SYMMETRIC, lambda world, unwrap: encrypted(world, unwrap, KEY)[:-1], id="cut off"),
        pytest.param(OAEP, lambda world, unwrap: with_mgf1_sha_1(world, unwrap, KEY), id="MGF1 with SHA-1"),
        pytest.param(OAEP, lambda world, unwrap: wrapped(world, unwrap, "RSAES_OAEP_SHA_1", KEY), id="OAEP with SHA-1"),
        pytest.param(
            OAEP, lambda world, _: wrapped(world, transport_key(world, OAEP), OAEP, KEY), id="under another RSA key"
        ),
        pytest.param(
            OAEP, lambda world, unwrap: wrapped(world, unwrap, AES_WRAP, KEY), id="with an AES block behind it"
        ),
        pytest.param(
            AES_WRAP,
            lambda world, unwrap: b"".join(reversed(blocks(world, unwrap, AES_WRAP, KEY))),
            id="the AES block first",
        ),
        pytest.param(
            AES_WRAP,
            lambda world, unwrap: wrapped(world, unwrap, "RSA_AES_KEY_WRAP_SHA_1", KEY),
            id="AES wrap with SHA-1",
        ),
        pytest.param(
            "RSAES_OAEP_SHA_1", lambda world, unwrap: wrapped(world, unwrap, OAEP, KEY), id="OAEP with SHA-256"
        ),
        pytest.param(
            "RSA_AES_KEY_WRAP_SHA_1",
            lambda world, unwrap: wrapped(world, unwrap, AES_WRAP, KEY),
            id="AES wrap with SHA-256",
        ),
    ],
)
def test_a_ciphertext_that_does_not_open_is_refused_with_the_likely_causes(world, refused, algorithm, made):
    unwrap = transport_key(world, algorithm)
    secret = world.secret(made(world, unwrap))

    reason = refused(world.external_key(), SecretId=secret.name, **declared(algorithm, unwrap))

    assert reason == DOES_NOT_OPEN[algorithm]
    assert world.aws.count("GetParametersForImport") == 0


def test_a_ciphertext_under_another_key_is_not_confused_with_a_damaged_one(world, refused):
    secret = world.secret(encrypted(world, transport_key(world, SYMMETRIC), KEY))

    reason = refused(world.external_key(), SecretId=secret.name, **declared(SYMMETRIC, transport_key(world, SYMMETRIC)))

    assert reason == (
        "SecretWrapping: kms:Decrypt was refused with IncorrectKeyException: The key ID in the request does not "
        "identify a CMK that can perform this operation. The secret was encrypted under another key. Name that key in "
        "SecretWrapping.KeyId."
    )


# ---------------------------------------------------------------------------------------------- what the AES block shows


def under_another_aes_key(world, unwrap):
    return blocks(world, unwrap, AES_WRAP, KEY)[0] + blocks(world, unwrap, AES_WRAP, KEY)[1]


def with_an_aes_key_of_20_bytes(world, unwrap):
    return public_key_of(world, unwrap).encrypt(os.urandom(20), oaep(AES_WRAP)) + os.urandom(40)


WRONG_BLOCKS = [
    pytest.param(
        lambda world, unwrap: with_pkcs7(world, unwrap, KEY),
        "SecretId: The material is wrapped by RFC 3394 with PKCS#7 padding, and not by RFC 5649. Some HSMs mean that "
        "by CKM_AES_KEY_WRAP_PAD: wrap it with CKM_AES_KEY_WRAP_KWP, or with CKM_RSA_AES_KEY_WRAP as a whole.",
        id="PKCS#7 padding",
    ),
    pytest.param(
        under_another_aes_key,
        "SecretId: The material does not open under the AES key in the RSA block: it was not wrapped by RFC 5649, or "
        "was changed. Wrap it with CKM_RSA_AES_KEY_WRAP or CKM_AES_KEY_WRAP_KWP (OpenSSL: -id-aes256-wrap-pad), "
        "under the AES key that is in the RSA block, and store the RSA block first.",
        id="under another AES key",
    ),
    pytest.param(
        with_an_aes_key_of_20_bytes,
        "SecretId: The RSA block holds 20 bytes, and an AES key has 16, 24 or 32. Wrap an AES key by RSA, "
        "and the material under that AES key. If the material itself was wrapped by RSA, the algorithm is "
        "RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1.",
        id="no AES key inside",
    ),
    pytest.param(
        lambda world, unwrap: wrapped(world, unwrap, OAEP, KEY),
        "SecretId: The wrapped material is 256 bytes long, and the RSA_AES_KEY_WRAP algorithms give 256 under this RSA "
        "key, and a multiple of 8 behind them, 16 or more. Store both blocks, the RSA block first, wrapped under "
        "this key. If it was wrapped by RSA only, the algorithm is RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1; a "
        "TR-31 key block can't be unwrapped here.",
        id="wrapped by RSA only",
    ),
]


@pytest.mark.parametrize(("made", "sentence"), WRONG_BLOCKS)
def test_blocks_that_are_not_rsa_and_rfc_5649_are_refused_by_name(world, refused, made, sentence):
    unwrap = transport_key(world, AES_WRAP)
    secret = world.secret(made(world, unwrap))

    assert refused(world.external_key(), SecretId=secret.name, **declared(AES_WRAP, unwrap)) == sentence


# ----------------------------------------------------------------------------------------- what the ciphertext is kept as


@pytest.mark.parametrize(
    ("value", "more", "sentence"),
    [
        pytest.param(
            lambda blob: blob.hex(),
            {},
            "SecretId: The text consists of hex digits only, and would be read as base64. If it is hex, set "
            "MaterialEncoding to HEX.",
            id="hex that is not declared",
        ),
        pytest.param(
            lambda blob: base64.b64encode(blob).decode(),
            {"MaterialEncoding": "RAW"},
            "MaterialEncoding: The secret's text holds wrapped material, which is encoded as BASE64 or HEX. Set one of "
            "these, or leave it out for BASE64.",
            id="text declared RAW",
        ),
        pytest.param(
            lambda blob: base64.b64encode(blob).decode(),
            {"MaterialEncoding": "PEM"},
            "MaterialEncoding: PEM can't hold wrapped material. With SecretWrapping, MaterialEncoding is the encoding "
            "of the ciphertext. Use BASE64 or HEX, or leave it out. PEM inside the wrapping is recognized.",
            id="PEM",
        ),
        pytest.param(
            lambda blob: blob,
            {"SecretJsonKey": "wrapped"},
            "SecretJsonKey: The secret is a SecretBinary, and only a SecretString has JSON fields. "
            "Store the JSON as a SecretString (--secret-string file://...), or take SecretJsonKey out.",
            id="a JSON field of a SecretBinary",
        ),
        pytest.param(
            lambda _: os.urandom(6145),
            {},
            "SecretId: The secret holds 6145 bytes, and wrapped material has at most 6144. Store only the wrapped material.",
            id="longer than kms:Decrypt takes",
        ),
    ],
)
def test_a_ciphertext_that_is_kept_in_a_wrong_form_is_refused(world, refused, value, more, sentence):
    unwrap = transport_key(world, SYMMETRIC)
    secret = world.secret(value(encrypted(world, unwrap, KEY)))

    reason = refused(world.external_key(), SecretId=secret.name, **declared(SYMMETRIC, unwrap), **more)

    assert sentence in reason.split(" (2) ")[0]
    assert world.aws.count("Decrypt") == 0


@pytest.mark.parametrize(
    ("spec", "inside", "sentence"),
    [
        pytest.param(
            SYMMETRIC,
            lambda: KEY + b"\n",
            "SecretId: The material is 33 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. Often a newline "
            "was stored, too: write it with printf, not echo.",
            id="a newline too many",
        ),
        pytest.param(
            "ECC_NIST_P256",
            lambda: pkcs8_pem(key_for("ECC_NIST_P256"), b"a password").encode(),
            "SecretId: The private key in the PEM is encrypted. Decrypt it before it is stored (openssl pkey -in "
            "encrypted.pem -out key.pem), and wrap it with a KMS key instead: SecretWrapping.",
            id="a PEM with a password",
        ),
    ],
)
def test_what_is_inside_is_checked_like_any_material(world, refused, spec, inside, sentence):
    unwrap = transport_key(world, SYMMETRIC)
    secret = world.secret(encrypted(world, unwrap, inside()))

    assert refused(world.external_key(spec), SecretId=secret.name, **declared(SYMMETRIC, unwrap)) == sentence
