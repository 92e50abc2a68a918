"""Check values: published vectors, the forms that users may declare, and the error for a mismatch."""

import hashlib

import pytest

from imported_key_material.errors import Refused
from imported_key_material.material.check_value import (
    aes_block,
    aes_cmac,
    check_expected_form,
    compute,
    differs,
    hmac_digest,
)
from imported_key_material.material.key_specs import KEY_SPECS, key_spec
from imported_key_material.material.words import PROPERTIES
from lab.keys.openssl import openssl
from lab.keys.private_keys import ec_key, ed25519_key, spki_der
from tests.support.traces import assert_untraceable
from tests.support.vectors import vectors

AES = KEY_SPECS["SYMMETRIC_DEFAULT"]
HMAC_256 = KEY_SPECS["HMAC_256"]
P256 = KEY_SPECS["ECC_NIST_P256"]
COUNTING = bytes(range(64))
HASHES = ("sha224", "sha256", "sha384", "sha512")


# --------------------------------------------------------------------------------------------------- published vectors


@pytest.mark.parametrize("case", list(vectors("sp_800_38b.txt")), ids=lambda case: case["CMAC"].hex()[:8])
def test_aes_cmac_gives_the_published_values(case: dict[str, bytes]) -> None:
    assert aes_cmac(case["Key"], case["Message"]) == case["CMAC"]


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("number", range(1, 8))
def test_hmac_gives_the_values_of_rfc_4231(number: int, hash_name: str) -> None:
    case = list(vectors("rfc_4231.txt"))[number - 1]
    key, data, expected = case["Key"], case["Data"], case[hash_name]
    assert key is not None
    assert data is not None
    assert expected is not None
    assert hmac_digest(key, data, hash_name)[: len(expected)] == expected


def test_an_aes_block_is_that_of_fips_197() -> None:
    """FIPS 197, appendix C.3."""
    block = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert aes_block(COUNTING[:32], block).hex() == "8ea2b7ca516745bfeafc49904b496089"


def test_openssl_computes_the_same_check_values() -> None:
    key = COUNTING[1:33]
    cmac = openssl("mac", "-cipher", "AES-256-CBC", "-macopt", f"hexkey:{key.hex()}", "CMAC", stdin=bytes(16))
    assert compute(AES, key) == f"CMAC:{cmac.decode().strip()[:10]}"
    ecb = openssl("enc", "-aes-256-ecb", "-nopad", "-K", key.hex(), stdin=bytes(16))
    assert check_expected_form(f"ECB:{ecb.hex()[:6]}", AES).matches(key)
    mac = openssl("mac", "-digest", "SHA256", "-macopt", f"hexkey:{key.hex()}", "HMAC")
    assert compute(HMAC_256, key) == f"HMAC:{mac.decode().strip()[:10]}"


@pytest.mark.parametrize(
    ("name", "size", "value"),
    [
        ("SYMMETRIC_DEFAULT", 32, "CMAC:377822C093"),
        ("HMAC_224", 28, "HMAC:6E99E862E5"),
        ("HMAC_256", 32, "HMAC:D38B42096D"),
        ("HMAC_384", 48, "HMAC:44BE81C415"),
        ("HMAC_512", 64, "HMAC:D29B9E3F87"),
    ],
)
def test_the_check_value_of_counting_bytes(name: str, size: int, value: str) -> None:
    assert compute(KEY_SPECS[name], COUNTING[:size]) == value
    assert check_expected_form(value, KEY_SPECS[name]).matches(COUNTING[:size])


def test_the_check_values_of_known_aes_keys() -> None:
    assert compute(AES, bytes(32)) == "CMAC:9211053C55"
    assert check_expected_form("ECB:F29000", AES).matches(COUNTING[:32])


@pytest.mark.parametrize("name", ["ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
def test_an_asymmetric_keys_check_value_is_the_sha_256_of_its_public_key(name: str) -> None:
    public_key = spki_der(ec_key() if name == "ECC_NIST_P256" else ed25519_key())
    digits = hashlib.sha256(public_key).hexdigest()
    assert compute(KEY_SPECS[name], public_key) == f"SHA256:{digits.upper()}"
    assert check_expected_form(f"sha256:{digits}", KEY_SPECS[name]).matches(public_key)


# -------------------------------------------------------------------------------------------------- what may be declared


@pytest.mark.parametrize("digits", ["377822", "377822C0", "377822C093", "377822c093"])
@pytest.mark.parametrize("prefix", ["CMAC", "cmac"])
def test_a_declared_value_is_compared_as_far_as_it_goes_in_either_case(prefix: str, digits: str) -> None:
    expected = check_expected_form(f"{prefix}:{digits}", AES)
    assert expected.text == f"{prefix}:{digits}"
    assert expected.matches(COUNTING[:32])
    assert not expected.matches(COUNTING[1:33])


@pytest.mark.parametrize("at", range(10))
def test_each_declared_digit_counts(at: int) -> None:
    digits = "377822C093"
    other = digits[:at] + ("0" if digits[at] != "0" else "1") + digits[at + 1 :]
    assert not check_expected_form(f"CMAC:{other}", AES).matches(COUNTING[:32])


def test_cmac_and_ecb_are_not_taken_for_each_other() -> None:
    assert not check_expected_form("ECB:377822", AES).matches(COUNTING[:32])
    assert not check_expected_form("CMAC:F29000", AES).matches(COUNTING[:32])


AES_FORMS = "Write CMAC: and 6 to 10 hex digits (an even number), or ECB: and 6 hex digits."


@pytest.mark.parametrize(
    "value",
    [
        "",
        "377822C093",  # no prefix
        "CMAC377822",
        "CMAC:",
        "CMAC:3778",  # too short to be a guard
        "CMAC:377822C",  # odd
        "CMAC:377822C09348",  # longer than is ever shown
        "CMAC:37782G",
        "CMAC: 377822",
        "CMAC:377822 ",
        "CMAC:37:78:22",
        "CMAC:\ufb00\ufb00\ufb00",  # ligatures, whose capitals are FF
        "ECB:F290",
        "ECB:F2900000",
        "HMAC:D38B42",
        "SHA256:" + "00" * 32,
        "MD5:377822",
    ],
)
def test_a_value_of_another_form_is_refused_without_being_quoted(value: str) -> None:
    with pytest.raises(Refused) as refused:
        check_expected_form(value, AES)
    assert str(refused.value) == (
        f"ExpectedCheckValue: The value is not a check value of a key of spec SYMMETRIC_DEFAULT. {AES_FORMS}"
    )


@pytest.mark.parametrize(
    "value", ["CMAC:377822", "ECB:F29000", "HMAC:D38B", "HMAC:D38B42096D50", "SHA256:" + "00" * 32]
)
def test_an_hmac_key_has_its_own_form(value: str) -> None:
    with pytest.raises(Refused) as refused:
        check_expected_form(value, HMAC_256)
    assert str(refused.value) == (
        "ExpectedCheckValue: The value is not a check value of a key of spec HMAC_256. "
        "Write HMAC: and 6 to 10 hex digits (an even number)."
    )


@pytest.mark.parametrize("value", ["SHA256:" + "00" * 31, "SHA256:" + "00" * 33, "00" * 32, "CMAC:377822"])
def test_a_public_keys_hash_is_declared_whole(value: str) -> None:
    with pytest.raises(Refused) as refused:
        check_expected_form(value, P256)
    assert str(refused.value) == (
        "ExpectedCheckValue: The value is not a check value of a key of spec ECC_NIST_P256. "
        "Write SHA256: and 64 hex digits."
    )


def test_an_sm4_key_has_no_check_value() -> None:
    sm4 = key_spec("SYMMETRIC_DEFAULT", partition="aws-cn")
    assert compute(sm4, COUNTING[:16]) == ""
    with pytest.raises(Refused) as refused:
        check_expected_form("CMAC:377822", sm4)
    assert str(refused.value) == (
        "ExpectedCheckValue: In China a SYMMETRIC_DEFAULT key is an SM4 key, for which no check value is agreed. "
        "Leave ExpectedCheckValue out."
    )


# ---------------------------------------------------------------------------------------------------- what a mismatch says

REMEDY = "Name the secret and version that hold the right key, or correct ExpectedCheckValue."


def test_the_mismatch_of_a_secret_key_does_not_show_its_check_value() -> None:
    for spec in (AES, HMAC_256):
        fault = differs(spec, COUNTING[:32], words=PROPERTIES)
        assert str(fault) == (
            f"ExpectedCheckValue: The material has another check value than the one declared. {REMEDY}"
        )
        assert_untraceable(Refused(fault), COUNTING[:32], "377822", "D38B42")


def test_the_mismatch_of_a_public_key_shows_its_hash() -> None:
    public_key = spki_der(ec_key())
    assert str(differs(P256, public_key, words=PROPERTIES)) == (
        f"ExpectedCheckValue: The public key's check value is {compute(P256, public_key)}, and another one is declared. "
        f"{REMEDY}"
    )
