"""Rows 1 to 4 of the checks: JSON, base64, text that may be hex, hex. It refuses what only Python's decoders accept."""

import base64
import binascii
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imported_key_material.errors import Refused
from imported_key_material.material.encoding import base64_bytes, decode_text, hex_bytes, json_field, reads_as_hex
from imported_key_material.material.words import PROPERTIES
from tests.support.traces import assert_untraceable

CANARY = "Zk3vQ8pT1yBw"  # base64 of 9 bytes; no error may hold it

BASE64_REMEDY = "Encode the bytes again, for example with base64, or set MaterialEncoding to what it is."
HEX_SENTENCE = (
    "SecretId: The text is not hex: an even number of hex digits is expected, with no spaces or other characters within. "
    "Write two digits for each byte, or set MaterialEncoding to what it is."
)
HEX_OR_BASE64 = (
    "SecretId: The text consists of hex digits only, and would be read as base64. "
    "If it is hex, set MaterialEncoding to HEX."
)


def refusal_of_base64(text: str) -> str:
    with pytest.raises(Refused) as refused:
        base64_bytes(text, words=PROPERTIES)
    assert_untraceable(refused.value, *([CANARY] if CANARY in text else []))
    return str(refused.value)


# --------------------------------------------------------------------------------------------------------- row 2: base64


@given(st.binary(min_size=1, max_size=300))
@example(b"\xfb\xff\xbe")  # "+/" and "-_"
def test_base64_comes_back_in_either_alphabet_padded_or_not(data: bytes) -> None:
    for text in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()):
        assert base64_bytes(text, words=PROPERTIES) == data
        assert base64_bytes(text.rstrip("="), words=PROPERTIES) == data


@given(st.binary(min_size=40, max_size=120))
def test_base64_broken_into_lines_comes_back(data: bytes) -> None:
    lines = base64.encodebytes(data).decode()
    assert base64_bytes(lines.replace("\n", "\r\n") + " \t", words=PROPERTIES) == data


@given(st.text("AQgw+/-_=x \n", max_size=12))
def test_what_is_accepted_is_what_some_encoder_writes(text: str) -> None:
    try:
        data = base64_bytes(text, words=PROPERTIES)
    except Refused:
        return
    compact = "".join(text.split())
    encoders = (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode())
    assert compact in [form for encoded in encoders for form in (encoded, encoded.rstrip("="))]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        (f"{CANARY}%", "it has characters that base64 does not have"),
        (f"{CANARY}\u00e9AAA", "it has characters that base64 does not have"),
        (f"\ufeff{CANARY}", "it has characters that base64 does not have"),
        (f"{CANARY}\u00a0", "it has characters that base64 does not have"),
        (f"{CANARY}=AAA", "it has characters that base64 does not have"),
        (f"{CANARY}A+_A", "it mixes the standard alphabet with the URL alphabet"),
        (f"{CANARY}/--/", "it mixes the standard alphabet with the URL alphabet"),
        (f"{CANARY}A", "its length or its padding does not fit, so it was cut off or changed"),
        (f"{CANARY}=", "its length or its padding does not fit, so it was cut off or changed"),
        (f"{CANARY}====", "its length or its padding does not fit, so it was cut off or changed"),
        (f"{CANARY}AA=", "its length or its padding does not fit, so it was cut off or changed"),
        (f"{CANARY}AAA==", "its length or its padding does not fit, so it was cut off or changed"),
        (f"{CANARY}AB==", "its last character has bits that no encoder writes, so it was cut off or changed"),
        (f"{CANARY}AAB", "its last character has bits that no encoder writes, so it was cut off or changed"),
    ],
)
def test_text_that_no_encoder_wrote_is_refused(text: str, problem: str) -> None:
    assert refusal_of_base64(text) == f"SecretId: The text is not base64: {problem}. {BASE64_REMEDY}"


def test_junk_that_pythons_decoder_skips_is_not_skipped() -> None:
    assert base64.b64decode("-_-_") == b""  # why Python's decoder is not enough
    assert base64_bytes("-_-_", words=PROPERTIES) == b"\xfb\xff\xbf"
    assert refusal_of_base64("Z!k@3").startswith("SecretId: The text is not base64: it has characters")


# --------------------------------------------------------------------------------------------------- row 3: hex or base64


@pytest.mark.parametrize("text", ["00112233445566778899aabbccddeeff" * 2, "0xDEADbeef", "0Xabcd12", "ab cd\nef 01"])
def test_text_that_may_be_hex_is_refused_as_base64(text: str) -> None:
    assert reads_as_hex(text)
    for encoding in (None, "BASE64"):
        with pytest.raises(Refused) as refused:
            decode_text(text, encoding, words=PROPERTIES)
        assert str(refused.value) == HEX_OR_BASE64


@pytest.mark.parametrize("text", ["", "abc", "0x", "0xabc", "abcg", "ab==", "x0ab"])
def test_text_that_can_not_be_hex_is_not_suspected(text: str) -> None:
    assert not reads_as_hex(text)


@given(st.binary(min_size=100, max_size=100))
def test_a_ciphertext_in_base64_is_never_suspected(data: bytes) -> None:
    assert decode_text(base64.b64encode(data).decode(), None, words=PROPERTIES) == data


# ------------------------------------------------------------------------------------------------------------ row 4: hex


@given(st.binary(min_size=1, max_size=100), st.sampled_from(["", "0x", "0X"]))
def test_hex_comes_back(data: bytes, prefix: str) -> None:
    assert hex_bytes(f" {prefix}{data.hex()}\n", words=PROPERTIES) == data
    assert decode_text(data.hex().upper(), "HEX", words=PROPERTIES) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "00112233445566778",  # odd
        "00112233 44556677",  # bytes.fromhex takes it
        "0011223344556677\n8899aabbccddeeff",
        "00112233445566gg",
        "00:11:22:33:44:55",
        "\uff10\uff11\uff12\uff13",  # digits, but not ASCII
    ],
)
def test_text_that_is_not_pairs_of_hex_digits_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        decode_text(text, "HEX", words=PROPERTIES)
    assert str(refused.value) == HEX_SENTENCE
    assert_untraceable(refused.value, *([text] if text else []))
    assert binascii.unhexlify("00") == b"\0"


@pytest.mark.parametrize("encoding", ["RAW", "PEM", "base64"])
def test_a_ciphertext_is_text_only_in_base64_or_hex(encoding: str) -> None:
    with pytest.raises(Refused) as refused:
        decode_text("AAAA", encoding, words=PROPERTIES)
    assert str(refused.value) == (
        "MaterialEncoding: The secret's text holds wrapped material, which is encoded as BASE64 or HEX. "
        "Set one of these, or leave it out for BASE64."
    )


# ----------------------------------------------------------------------------------------------------------- row 1: JSON

NOT_AN_OBJECT = (
    "SecretJsonKey: The secret's text is not a JSON object. "
    'Write the secret as {"name": "value"}, or leave SecretJsonKey out.'
)
TWICE = (
    "SecretJsonKey: The secret's JSON has an object with two fields of the same name. "
    "Write each field once: nothing says which of the two is right."
)
NO_FIELD = (
    "SecretJsonKey: The secret's JSON object has no field of this name. "
    "Correct SecretJsonKey; upper and lower case count."
)
NOT_A_STRING = (
    "SecretJsonKey: This field of the secret's JSON object is not a string. "
    "Write the material as a JSON string, in BASE64, HEX or PEM."
)


def test_a_field_of_a_json_object_is_taken() -> None:
    secret = json.dumps({"comment": "orders", "key": CANARY, "nested": {"key": "other"}, "n": 1})
    assert json_field(secret, "key", words=PROPERTIES) == CANARY


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        (CANARY, NOT_AN_OBJECT),
        ("", NOT_AN_OBJECT),
        (f'["{CANARY}"]', NOT_AN_OBJECT),
        (f'"{CANARY}"', NOT_AN_OBJECT),
        (f'{{"key": "{CANARY}"', NOT_AN_OBJECT),
        (f'{{"key": "{CANARY}"}} x', NOT_AN_OBJECT),
        (f'{{"key": "{CANARY}", "n": NaN}}', NOT_AN_OBJECT),  # Python's JSON takes it
        (f'{{"key": "{CANARY}", "n": {"9" * 5000}}}', NOT_AN_OBJECT),
        ("[" * 100_000, NOT_AN_OBJECT),  # deeper than Python's stack
        (f'{{"key": "AAAA", "key": "{CANARY}"}}', TWICE),  # Python's JSON takes the last
        (f'{{"key": "{CANARY}", "inner": {{"a": 1, "a": 2}}}}', TWICE),
        (f'{{"{CANARY}": "AAAA"}}', NO_FIELD),
        (f'{{"Key": "{CANARY}"}}', NO_FIELD),
        (f'{{"key": ["{CANARY}"]}}', NOT_A_STRING),
        ('{"key": 123456}', NOT_A_STRING),
        ('{"key": null}', NOT_A_STRING),
    ],
)
def test_json_in_which_the_field_is_not_plainly_one_string_is_refused(secret: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        json_field(secret, "key", words=PROPERTIES)
    assert str(refused.value) == sentence
    assert_untraceable(refused.value, CANARY)


def test_the_search_for_traces_does_find_what_pythons_json_leaves() -> None:
    """Proves the proof: the error that the function keeps out holds the secret's whole text."""
    with pytest.raises(json.JSONDecodeError) as kept:
        json.loads(CANARY)
    with pytest.raises(AssertionError, match="carries the canary"):
        assert_untraceable(kept.value, CANARY)
    outer = Refused()
    outer.__context__ = kept.value  # `raise ... from None` hides it, and keeps it
    with pytest.raises(AssertionError, match="carries the canary"):
        assert_untraceable(outer, CANARY)
