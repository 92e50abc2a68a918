"""Material that must not become a permanent key: a sentence for each row of checks, through the whole function.

`test_material*.py` try the checks themselves at their limits. The tests here show that the function makes each check, and that
refused material never reaches the key. With a matching ExpectedCheckValue it accepts material that was only improbable.
"""

import base64
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from lab.keys.private_keys import key_for, pkcs8_der
from lab.keys.random_keys import random_key

KEY = random_key(32)
BASE64 = base64.b64encode(KEY).decode()
PASSPHRASE = b"correct horse battery staple 12!"

RANDOM = "Store 32 bytes of a random number generator, for example of openssl rand 32."
NOT_BASE64 = "Encode the bytes again, for example with base64, or set MaterialEncoding to what it is."
HEX_PERHAPS = (
    "SecretId: The text consists of hex digits only, and would be read as base64. If it is hex, set MaterialEncoding "
    "to HEX."
)
WRAPPED = "Is it wrapped? Then declare SecretWrapping, which says how and under which key."
TEXT = (
    "and a SYMMETRIC_DEFAULT key is random bytes: a passphrase, or base64 or hex that was not decoded. Store "
    "or wrap the bytes themselves, or declare the ExpectedCheckValue if the key is really text. MaterialEncoding says "
    "how a secret's text is encoded."
)


@pytest.mark.parametrize(
    ("value", "declared", "sentence"),
    [
        # --- base64 (row 2)
        pytest.param(
            BASE64[:-3],
            {},
            "SecretId: The text is not base64: its length or its padding does not fit, so it was cut off or changed. "
            f"{NOT_BASE64}",
            id="base64 cut off",
        ),
        pytest.param(
            BASE64[:-2] + "B=",
            {},
            "SecretId: The text is not base64: its last character has bits that no encoder writes, so it was cut off "
            f"or changed. {NOT_BASE64}",
            id="base64 with tail bits",
        ),
        pytest.param(
            "+" + BASE64[1:-2] + "_=",
            {},
            f"SecretId: The text is not base64: it mixes the standard alphabet with the URL alphabet. {NOT_BASE64}",
            id="two alphabets",
        ),
        pytest.param(
            "not base64!",
            {},
            f"SecretId: The text is not base64: it has characters that base64 does not have. {NOT_BASE64}",
            id="no base64",
        ),
        pytest.param(" \n", {}, f"SecretId: The text is not base64: it is empty. {NOT_BASE64}", id="only white space"),
        # --- hex (rows 3 and 4)
        pytest.param(KEY.hex(), {}, HEX_PERHAPS, id="hex taken for base64"),
        pytest.param(
            KEY.hex(" "),
            {"MaterialEncoding": "HEX"},
            "SecretId: The text is not hex: an even number of hex digits is expected, with no spaces or other "
            "characters within. Write two digits for each byte, or set MaterialEncoding to what it is.",
            id="hex with spaces",
        ),
        # --- text (row 5)
        pytest.param(
            PASSPHRASE, {}, f"SecretId: The material reads as text (printable ASCII), {TEXT}", id="a passphrase"
        ),
        pytest.param(
            "correct horse ba".encode("utf-16-le"),
            {},
            f"SecretId: The material reads as text (UTF-16), {TEXT}",
            id="a passphrase in UTF-16",
        ),
        # --- PEM (row 6)
        pytest.param(
            "-----BEGIN PRIVATE KEY-----\n",
            {},
            "SecretId: The secret holds a PEM, and a SYMMETRIC_DEFAULT key is random bytes. Name the secret that "
            "holds the right key, or another KMS key.",
            id="a PEM",
        ),
        pytest.param(
            BASE64,
            {"MaterialEncoding": "RAW"},
            "MaterialEncoding: RAW is for a SecretBinary, and the secret holds text. Set it to BASE64, HEX or PEM, or "
            "store the bytes as a SecretBinary.",
            id="text declared RAW",
        ),
        pytest.param(
            KEY,
            {"MaterialEncoding": "PEM"},
            "MaterialEncoding: It says PEM, and the secret holds no PEM: no BEGIN line was found. Set it to what the "
            "secret holds, or leave it out.",
            id="declared PEM and none",
        ),
        # --- length and randomness (rows 7 and 8)
        pytest.param(
            KEY + b"\n",
            {},
            "SecretId: The material is 33 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. Often a newline "
            "was stored, too: write it with printf, not echo.",
            id="a newline too many",
        ),
        pytest.param(
            KEY[:16],
            {},
            f"SecretId: The material is 16 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. {RANDOM}",
            id="AES-128",
        ),
        *(
            pytest.param(
                random_key(size),
                {},
                f"SecretId: The material is {size} bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. {WRAPPED} If it "
                "is not, name the secret that holds the key.",
                id=f"{size} random bytes",
            )
            for size in (110, 256, 512)  # a ciphertext of kms:Encrypt, of RSA_2048, of RSA_4096
        ),
        # --- text in a SecretBinary
        *(
            pytest.param(
                value,
                declared,
                f"SecretId: The bytes are a text that nobody decoded: a SYMMETRIC_DEFAULT key in {name}. Set "
                f"MaterialEncoding to {name}, or store the decoded bytes.",
                id=f"{name} in a SecretBinary{kind}",
            )
            for name, value, declared, kind in [
                ("BASE64", BASE64.encode(), {}, ""),
                ("BASE64", BASE64.encode() + b"\n", {}, " and a newline"),
                ("BASE64", BASE64.encode(), {"MaterialEncoding": "RAW"}, " that is declared RAW"),
                ("HEX", KEY.hex().encode(), {}, ""),
                ("HEX", KEY.hex().upper().encode() + b"\r\n", {}, " and a newline"),
            ]
        ),
        pytest.param(
            base64.b64encode(KEY + b"\n"),
            {},
            "2 things are wrong. (1) SecretId: The material is 44 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. "
            f"(2) SecretId: The material reads as text (printable ASCII), {TEXT}",
            id="BASE64 of no good key in a SecretBinary",
        ),
        pytest.param(
            bytes(32), {}, f"SecretId: The material is not random: all of its bytes are equal. {RANDOM}", id="zeros"
        ),
        pytest.param(
            bytes(range(32)),
            {},
            f"SecretId: The material is not random: its bytes count up or down in one constant step. {RANDOM}",
            id="a counter",
        ),
        pytest.param(
            KEY[:16] * 2,
            {},
            f"SecretId: The material is not random: it is a shorter sequence of bytes, repeated. {RANDOM}",
            id="repeated",
        ),
        pytest.param(
            KEY[:16] + bytes(16),
            {},
            "SecretId: The material is not random: all bytes of one half are equal: a shorter key was padded. "
            f"{RANDOM}",
            id="padded",
        ),
        pytest.param(
            bytes(byte % 7 for byte in KEY),
            {},
            f"SecretId: The material is not random: it has fewer than 8 different bytes. {RANDOM}",
            id="few values",
        ),
        # --- check value
        pytest.param(
            KEY,
            {"ExpectedCheckValue": "CMAC:000000"},
            "ExpectedCheckValue: The material has another check value than the one declared. Name the secret and "
            "version that hold the right key, or correct ExpectedCheckValue.",
            id="another check value",
        ),
    ],
)
def test_symmetric_material_that_breaks_a_rule_is_refused(world, refused, value, declared, sentence):
    assert refused(world.external_key(), SecretId=world.secret(value).name, **declared) == sentence


@pytest.mark.parametrize(
    ("spec", "value", "sentence"),
    [
        pytest.param(
            "HMAC_224",
            lambda: random_key(27),
            "SecretId: The material is 27 bytes long, and an HMAC_224 key takes 28 to 128. Store 28 bytes of a random "
            "number generator, for example of openssl rand 28.",
            id="too short",
        ),
        pytest.param(
            "HMAC_512",
            lambda: random_key(129),
            f"SecretId: The material is 129 bytes long, and an HMAC_512 key takes 64 to 128. {WRAPPED} If it is the key "
            "itself, store its SHA-512 hash, which gives the same MACs (RFC 2104).",
            id="too long",
        ),
        pytest.param(
            "HMAC_512",
            lambda: b"correct horse battery staple; " * 4 + b"and other words, too",
            "2 things are wrong. (1) SecretId: The material is 140 bytes long, and an HMAC_512 key takes 64 to 128. If it is "
            "the key itself, store its SHA-512 hash, which gives the same MACs (RFC 2104). (2) SecretId: The material reads as "
            f"text (printable ASCII), {TEXT.replace('a SYMMETRIC_DEFAULT', 'an HMAC_512')}",
            id="a long text",
        ),
        pytest.param(
            "HMAC_256",
            lambda: random_key(40),
            "SecretId: The material is 40 bytes long, and an HMAC_256 key takes 32; a length up to 128 bytes is taken "
            "with a matching ExpectedCheckValue. Store 32 bytes, or declare the ExpectedCheckValue if the key is "
            "really so long.",
            id="longer than the hash",
        ),
        pytest.param(
            "HMAC_384",
            lambda: pkcs8_der(key_for("ECC_NIST_EDWARDS25519")),
            "SecretId: The material is a PKCS#8 private key, and an HMAC_384 key is random bytes. Name another secret "
            "or another KMS key, or declare the ExpectedCheckValue if it is really raw key bytes.",
            id="an Ed25519 key of just its length",
        ),
        # 64 hex digits are valid base64 of 48 bytes, and 128 of 96: KMS would take both, permanently.
        pytest.param("HMAC_384", lambda: random_key(32).hex(), HEX_PERHAPS, id="hex of 32 bytes read as 48"),
        pytest.param("HMAC_512", lambda: random_key(64).hex(), HEX_PERHAPS, id="hex of 64 bytes read as 96"),
    ],
)
def test_hmac_material_that_kms_would_take_wrongly_is_refused(world, refused, spec, value, sentence):
    assert refused(world.external_key(spec), SecretId=world.secret(value()).name) == sentence


# ----------------------------------------------------------------------------- what a matching check value lets through


def cmac(key):
    made = CMAC(AES(key))
    made.update(bytes(16))
    return f"CMAC:{made.finalize().hex()[:10]}"


def hmac_value(key, hash_name):
    return f"HMAC:{hmac.digest(key, b'', hash_name).hex()[:10]}"


@pytest.mark.parametrize(
    ("spec", "value", "expected"),
    [
        pytest.param("SYMMETRIC_DEFAULT", PASSPHRASE, cmac(PASSPHRASE), id="a passphrase"),
        pytest.param("HMAC_256", random_key(40), hmac_value(random_key(40), "sha256"), id="longer than the hash"),
        pytest.param(
            "HMAC_384",
            random_key(32).hex(),
            hmac_value(base64.b64decode(random_key(32).hex()), "sha384"),
            id="base64 that may be hex",
        ),
    ],
)
def test_what_was_only_improbable_is_taken_with_a_check_value_that_somebody_compared(world, spec, value, expected):
    key = world.external_key(spec)

    answer = world.create(key, SecretId=world.secret(value).name, ExpectedCheckValue=expected)

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["CheckValue"] == expected
    assert (
        '"check_value": ""' in world.log.getvalue()
    )  # the function computes no check value of a key that may be guessable
    assert world.state(key) == "Enabled"


def test_a_pattern_is_refused_whatever_the_check_value_says(world, refused):
    reason = refused(world.external_key(), SecretId=world.secret(bytes(32)).name, ExpectedCheckValue=cmac(bytes(32)))

    assert reason == f"SecretId: The material is not random: all of its bytes are equal. {RANDOM}"


def test_the_check_value_that_a_wrong_secret_really_has_is_not_told(world, refused):
    """Several digits of it would help to guess."""
    reason = refused(world.external_key(), SecretId=world.secret(KEY).name, ExpectedCheckValue="CMAC:000000")

    digits = cmac(KEY).removeprefix("CMAC:")[:6]
    assert digits not in (reason + world.log.getvalue()).lower()
