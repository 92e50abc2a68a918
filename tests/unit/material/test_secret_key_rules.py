"""Symmetric and HMAC keys: rows 3, 5, 7 and 8, what a matching check value overrides, and all faults at once."""

import base64
import string
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from imported_key_material.errors import Refused
from imported_key_material.material.check_value import aes_cmac, hmac_digest
from imported_key_material.material.key_specs import KEY_SPECS, CipherKey, KeySpec, MacKey
from imported_key_material.material.material_check import check
from lab.keys import der
from lab.keys.openssl import openssl
from lab.keys.private_keys import ec_key, ed25519_key, pkcs8_der, rsa_key, traditional_der
from lab.keys.random_keys import random_key, random_keys
from tests.support.traces import assert_untraceable

AES = KEY_SPECS["SYMMETRIC_DEFAULT"]
HMAC_224 = KEY_SPECS["HMAC_224"]
HMAC_256 = KEY_SPECS["HMAC_256"]
HMAC_384 = KEY_SPECS["HMAC_384"]
HMAC_512 = KEY_SPECS["HMAC_512"]
SECRET_SPECS = [AES, HMAC_224, HMAC_256, HMAC_384, HMAC_512]
KEY = random_key(32)
PASSPHRASE = b"correct horse battery staple 123"  # 32 bytes

NEWLINE = "Often a newline was stored, too: write it with printf, not echo."
MISMATCH = (
    "ExpectedCheckValue: The material has another check value than the one declared. "
    "Name the secret and version that hold the right key, or correct ExpectedCheckValue."
)
WRONG = "HMAC:000000"  # of no key here


def size_of(spec: KeySpec) -> int:
    assert isinstance(spec.form, CipherKey | MacKey)
    return spec.form.size_bytes


def random_remedy(size_bytes: int) -> str:
    return f"Store {size_bytes} bytes of a random number generator, for example of openssl rand {size_bytes}."


def cmac_of(key: bytes) -> str:
    return f"CMAC:{aes_cmac(key, bytes(16)).hex()[:10]}"


def hmac_of(key: bytes, spec: KeySpec) -> str:
    assert isinstance(spec.form, MacKey)
    return f"HMAC:{hmac_digest(key, b'', spec.form.hash_name).hex()[:10]}"


def refused(source: bytes | str, spec: KeySpec = AES, **options: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        check(source, spec, **options)
    assert caught.value.__context__ is None
    assert_untraceable(caught.value, source)
    return caught.value


def refusal(source: bytes | str, spec: KeySpec = AES, **options: Any) -> str:
    return str(refused(source, spec, **options))


# ------------------------------------------------------------------------------------------------------- row 7: lengths


@pytest.mark.parametrize("size", [16, 24, 31, 35, 48, 64])
def test_a_symmetric_key_has_exactly_32_bytes(size: int) -> None:
    assert refusal(random_key(size)) == (
        f"SecretId: The material is {size} bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. {random_remedy(32)}"
    )


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_one_or_two_bytes_too_many_are_most_often_a_newline(line_end: bytes) -> None:
    for spec in SECRET_SPECS:
        key = random_key(size_of(spec))
        assert NEWLINE in refusal(key + line_end, spec)
    assert refusal(KEY + line_end) == (
        f"SecretId: The material is {32 + len(line_end)} bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. {NEWLINE}"
    )


@pytest.mark.parametrize("spec", [HMAC_224, HMAC_256, HMAC_384, HMAC_512], ids=lambda spec: spec.name)
def test_an_hmac_key_is_as_long_as_its_hash_or_longer_with_a_check_value(spec: KeySpec) -> None:
    right = size_of(spec)
    assert check(random_key(right), spec).encoded == random_key(right)
    for size in (right + 3, 100, 128):
        key = random_key(size)
        assert refusal(key, spec) == (
            f"SecretId: The material is {size} bytes long, and an {spec.name} key takes {right}; a length up to 128 bytes is "
            f"taken with a matching ExpectedCheckValue. "
            f"Store {right} bytes, or declare the ExpectedCheckValue if the key is really so long."
        )
        material = check(key, spec, expected_check_value=hmac_of(key, spec))
        assert material.encoded == key
        assert (material.check_value, material.verified_check_value) == ("", hmac_of(key, spec))


FILLED = "It ends in zeros: some HSMs pad a key to a multiple of 8 bytes before they wrap it."


@pytest.mark.parametrize(
    ("key", "is_told"),
    [
        pytest.param(random_key(28) + bytes(4), True, id="filled up to 32 bytes"),
        pytest.param(random_key(28) + bytes(3) + b"\1", False, id="the end is no zero"),
        pytest.param(random_key(28) + bytes(5), False, id="not up to 8 bytes"),
        pytest.param(random_key(28) + bytes(12), False, id="8 bytes more than that"),
    ],
)
def test_zeros_that_an_hsm_filled_a_key_with_are_reported(key: bytes, is_told: bool) -> None:  # noqa: FBT001  # a column
    assert (FILLED in str(refused(key, HMAC_224))) is is_told


@pytest.mark.parametrize("spec", [HMAC_224, HMAC_256, HMAC_384, HMAC_512], ids=lambda spec: spec.name)
def test_no_check_value_lets_an_hmac_key_pass_that_kms_does_not_take(spec: KeySpec) -> None:
    right = size_of(spec)
    for size in (16, right - 1):
        key = random_key(size)
        assert refusal(key, spec, expected_check_value=hmac_of(key, spec)) == (
            f"SecretId: The material is {size} bytes long, and an {spec.name} key takes {right} to 128. {random_remedy(right)}"
        )
    key = random_key(129)
    sha = spec.name.replace("HMAC_", "SHA-")
    assert refusal(key, spec, expected_check_value=hmac_of(key, spec)) == (
        f"SecretId: The material is 129 bytes long, and an {spec.name} key takes {right} to 128. "
        "Is it wrapped? Then declare SecretWrapping, which says how and under which key. If it is the key itself, store its "
        f"{sha} hash, which gives the same MACs (RFC 2104)."
    )


@pytest.mark.parametrize("spec", [HMAC_224, HMAC_256, HMAC_384, HMAC_512], ids=lambda spec: spec.name)
def test_the_remedy_for_a_key_too_long_gives_the_same_macs(spec: KeySpec) -> None:
    key = random_key(129)
    hash_option = f"-sha{spec.name.removeprefix('HMAC_')}"
    hashed = openssl("dgst", hash_option, "-binary", stdin=key)
    material = check(hashed, spec)
    assert isinstance(spec.form, MacKey)
    assert material.mac(b"message") == hmac_digest(key, b"message", spec.form.hash_name)


# ---------------------------------------------------------------------------------------------------- row 5: text, keys

TEXT_REMEDY = (
    "Store or wrap the bytes themselves, or declare the ExpectedCheckValue if the key is really text. "
    "MaterialEncoding says how a secret's text is encoded."
)


def text_sentence(words: str, spec: KeySpec) -> str:
    return (
        f"SecretId: The material reads as text ({words}), and {spec.a_key} is random bytes: a passphrase, or base64 or hex "
        f"that was not decoded. {TEXT_REMEDY}"
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (PASSPHRASE, "printable ASCII"),
        (PASSPHRASE[:31] + b"\n", "printable ASCII"),
        (PASSPHRASE[:31] + b"\0", "printable ASCII"),
        (KEY.hex()[:32].encode(), "printable ASCII"),
        (base64.b64encode(KEY)[:32], "printable ASCII"),
        ("Schlüssel für die Aufträge 12".encode(), "UTF-8"),
        ("orders-key-2024!".encode("utf-16-le"), "UTF-16"),
        ("orders-key-2024".encode("utf-16"), "UTF-16"),
    ],
)
@pytest.mark.parametrize("spec", [AES, HMAC_256], ids=lambda spec: spec.name)
def test_a_key_of_the_right_length_that_reads_as_text_is_refused(source: bytes, words: str, spec: KeySpec) -> None:
    assert len(source) == 32
    assert refusal(source, spec) == text_sentence(words, spec)


def test_text_within_base64_is_refused_as_well() -> None:
    encoded_twice = base64.b64encode(base64.b64encode(random_key(24))).decode()
    assert refusal(encoded_twice) == text_sentence("printable ASCII", AES)


def test_text_is_taken_with_the_check_value_that_matches_and_nothing_is_computed_of_it() -> None:
    material = check(PASSPHRASE, AES, expected_check_value=cmac_of(PASSPHRASE))
    assert material.encoded == PASSPHRASE
    assert (material.check_value, material.verified_check_value) == ("", cmac_of(PASSPHRASE))


def test_text_with_a_check_value_that_does_not_match_has_two_faults() -> None:
    assert refusal(PASSPHRASE, AES, expected_check_value=cmac_of(KEY)) == (
        f"2 things are wrong. (1) {text_sentence('printable ASCII', AES)} (2) {MISMATCH}"
    )


@pytest.mark.parametrize("spec", SECRET_SPECS, ids=lambda spec: spec.name)
def test_a_random_key_is_never_taken_for_text_or_for_a_pattern(spec: KeySpec) -> None:
    for key in random_keys(size_of(spec), 3_000):
        assert check(key, spec).encoded == key


def rsa_2048_pkcs1() -> bytes:
    return traditional_der(rsa_key())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: pkcs8_der(ed25519_key()), "a PKCS#8 private key"),
        (lambda: pkcs8_der(ec_key()), "a PKCS#8 private key"),
        (rsa_2048_pkcs1, "a PKCS#1 private key"),
        (lambda: traditional_der(ec_key()), "a SEC1 private key"),
        (lambda: der.sec1(KEY), "a SEC1 private key"),
        (lambda: der.ed25519(KEY, version=1, public_key=KEY), "a PKCS#8 private key of version 2 (RFC 5958)"),
        (
            lambda: ed25519_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "a public key",
        ),
        (lambda: rsa_key().public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1), "a public key"),
    ],
)
@pytest.mark.parametrize("spec", [AES, HMAC_384], ids=lambda spec: spec.name)
def test_a_private_or_public_key_in_der_is_no_secret_key(make: Callable[[], bytes], words: str, spec: KeySpec) -> None:
    sentence = (
        f"SecretId: The material is {words}, and {spec.a_key} is random bytes. Name another secret or another KMS key, or "
        "declare the ExpectedCheckValue if it is really raw key bytes."
    )
    assert sentence in refusal(make(), spec)


def test_an_ed25519_key_fits_hmac_384_and_is_taken_only_with_its_check_value() -> None:
    key = pkcs8_der(ed25519_key())
    assert len(key) == 48
    assert "The material is a PKCS#8 private key" in refusal(key, HMAC_384)
    material = check(key, HMAC_384, expected_check_value=hmac_of(key, HMAC_384))
    assert (bytes(material.encoded), material.check_value) == (key, "")


# ---------------------------------------------------------------------------------------------------- row 8: patterns


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        (bytes(32), "all of its bytes are equal"),
        (b"\xff" * 32, "all of its bytes are equal"),
        (bytes(range(32)), "its bytes count up or down in one constant step"),
        (bytes(range(255, 191, -2)), "its bytes count up or down in one constant step"),
        (random_key(16) * 2, "it is a shorter sequence of bytes, repeated"),
        ((random_key(10) * 4)[:32], "it is a shorter sequence of bytes, repeated"),
        (random_key(16) + bytes(16), "all bytes of one half are equal: a shorter key was padded"),
        (bytes(16) + random_key(16), "all bytes of one half are equal: a shorter key was padded"),
        (
            bytes.fromhex("0001020304050600") * 3 + bytes.fromhex("0603050102040001"),
            "it has fewer than 8 different bytes",
        ),
    ],
)
@pytest.mark.parametrize("spec", [AES, HMAC_256], ids=lambda spec: spec.name)
def test_a_key_that_is_not_random_is_refused_whatever_its_check_value(key: bytes, pattern: str, spec: KeySpec) -> None:
    expected = cmac_of(key) if spec is AES else hmac_of(key, spec)
    for options in ({}, {"expected_check_value": expected}):
        assert refusal(key, spec, **options) == f"SecretId: The material is not random: {pattern}. {random_remedy(32)}"


# ------------------------------------------------------------------------------------------ row 3, with a check value

# 56 hex digits are base64 of 42 bytes, and 64 of 48: long enough for HMAC keys, which take them if the value matches.
HEX_TEXT = KEY.hex()
AS_BASE64 = base64.b64decode(HEX_TEXT)
MAY_BE_HEX = "SecretId: The text consists of hex digits only, and would be read as base64"
MAY_BE_HEX_REMEDY = "If it is hex, set MaterialEncoding to HEX."


def test_text_that_may_be_hex_is_taken_as_base64_with_the_check_value_that_matches() -> None:
    material = check(HEX_TEXT, HMAC_384, expected_check_value=hmac_of(AS_BASE64, HMAC_384))
    assert material.encoded == AS_BASE64
    assert (material.check_value, material.verified_check_value) == ("", hmac_of(AS_BASE64, HMAC_384))


def test_text_that_may_be_hex_with_another_check_value_has_that_one_fault() -> None:
    """The value may belong to the decoded hex digits: to call it a mismatch would mislead."""
    assert refusal(HEX_TEXT, HMAC_384, expected_check_value=hmac_of(KEY, HMAC_384)) == (
        f"{MAY_BE_HEX}, and then the ExpectedCheckValue does not match. {MAY_BE_HEX_REMEDY}"
    )
    assert refusal(HEX_TEXT, AES, expected_check_value=cmac_of(KEY)) == (
        f"{MAY_BE_HEX}, and then the ExpectedCheckValue does not match. {MAY_BE_HEX_REMEDY}"
    )
    assert check(HEX_TEXT, AES, encoding="HEX", expected_check_value=cmac_of(KEY)).verified_check_value == cmac_of(KEY)


def test_text_that_may_be_hex_and_is_no_base64_at_all_is_said_to_be_hex() -> None:
    odd_for_base64 = HEX_TEXT[:62]  # 62 characters, and the last has bits that no encoder writes
    assert refusal(odd_for_base64, HMAC_384) == f"{MAY_BE_HEX}. {MAY_BE_HEX_REMEDY}"


# ------------------------------------------------------------------------------------------------------- check values


def test_a_good_key_has_a_computed_check_value_and_none_that_was_verified() -> None:
    material = check(KEY, AES)
    assert (material.check_value, material.verified_check_value) == (cmac_of(KEY).upper(), "")


@pytest.mark.parametrize("declared", ["cmac:{0}", "CMAC:{1}"])
def test_a_verified_check_value_is_kept_as_it_was_declared(declared: str) -> None:
    digits = cmac_of(KEY).removeprefix("CMAC:")
    declared = declared.format(digits, digits[:6].upper())
    material = check(KEY, AES, expected_check_value=declared)
    assert (material.check_value, material.verified_check_value) == (cmac_of(KEY).upper(), declared)


def test_another_check_value_is_refused_and_the_real_one_is_not_shown() -> None:
    other = cmac_of(KEY[::-1])
    error = refused(KEY, AES, expected_check_value=other)
    assert str(error) == MISMATCH
    assert_untraceable(error, cmac_of(KEY)[5:11], cmac_of(KEY)[5:11].upper())


# ---------------------------------------------------------------------------------------------------- all faults at once


def test_length_and_pattern_and_check_value_are_three_faults_in_one_answer() -> None:
    assert refusal(bytes(31), HMAC_256, expected_check_value=WRONG) == (
        "3 things are wrong. "
        f"(1) SecretId: The material is 31 bytes long, and an HMAC_256 key takes 32 to 128. {random_remedy(32)} "
        f"(2) SecretId: The material is not random: all of its bytes are equal. {random_remedy(32)} "
        f"(3) {MISMATCH}"
    )


def test_length_and_text_and_check_value_are_three_faults_where_each_alone_would_be_a_doubt() -> None:
    source = (string.ascii_letters + "0123456789").encode()[:40]
    error = refused(source, HMAC_256, expected_check_value=WRONG)
    assert [fault.where for fault in error.faults] == ["SecretId", "SecretId", "ExpectedCheckValue"]
    assert [fault.problem[:30] for fault in error.faults] == [
        "The material is 40 bytes long,",
        "The material reads as text (pr",
        "The material has another check",
    ]
    material = check(source, HMAC_256, expected_check_value=hmac_of(source, HMAC_256))
    assert (bytes(material.encoded), material.check_value) == (source, "")


def test_a_symmetric_key_of_another_length_has_no_check_value_to_compare() -> None:
    error = refused(bytes(33), AES, expected_check_value="CMAC:000000")
    assert [fault.problem for fault in error.faults] == [
        "The material is 33 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32.",
        "The material is not random: all of its bytes are equal.",
    ]


def test_a_short_value_is_refused_only_for_its_length() -> None:
    assert refusal(b"\x01\x01\x01\x01\x02") == (
        f"SecretId: The material is 5 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. {random_remedy(32)}"
    )


def test_an_empty_value_is_refused_only_as_empty() -> None:
    with pytest.raises(Refused) as caught:
        check(b"", HMAC_256, expected_check_value=WRONG)
    assert str(caught.value) == f"SecretId: The material is empty. {random_remedy(32)}"


def test_a_good_key_is_wiped_where_its_declared_check_value_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytearray] = []

    def watching(key: bytearray) -> str:
        seen.append(key)
        return ""

    monkeypatch.setattr("imported_key_material.material.secret_key_rules.pattern_in", watching)
    with pytest.raises(Refused):
        check(KEY, AES, expected_check_value="377822")
    assert seen == [bytearray(32)]


def test_a_refused_key_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytearray] = []

    def watching(key: bytearray) -> str:
        seen.append(key)
        return "it was looked at"

    monkeypatch.setattr("imported_key_material.material.secret_key_rules.pattern_in", watching)
    with pytest.raises(Refused):
        check(KEY, AES)
    assert seen == [bytearray(32)]
