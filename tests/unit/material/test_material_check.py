"""From a secret's value to checked material: how it is read (rows 1 to 4 and 6), and what the result can do."""

import base64
import copy
import hashlib
import hmac
import json
import pickle
from contextlib import suppress
from typing import Any

import pytest

from imported_key_material.errors import Refused
from imported_key_material.material.key_specs import KEY_SPECS, KeySpec, key_spec
from imported_key_material.material.material_check import CheckedMaterial, check
from imported_key_material.material.words import PROPERTIES
from lab.keys.private_keys import ec_key, key_for, pkcs8_der, pkcs8_pem, spki_der
from lab.keys.random_keys import random_key
from tests.support.traces import assert_untraceable

AES = KEY_SPECS["SYMMETRIC_DEFAULT"]
HMAC_384 = KEY_SPECS["HMAC_384"]
P256 = KEY_SPECS["ECC_NIST_P256"]
KEY = random_key(32)
PEM = pkcs8_pem(ec_key())
TEXT_KEY = base64.b64encode(KEY).decode()
ENCODINGS = "Set one of RAW, BASE64, HEX, PEM."


def refusal(source: bytes | str, spec: KeySpec = AES, **options: Any) -> str:
    with pytest.raises(Refused) as refused:
        check(source, spec, **options)
    assert_untraceable(refused.value, KEY, TEXT_KEY, pkcs8_der(ec_key()))
    return str(refused.value)


# ---------------------------------------------------------------------------------------------------- what is read how


@pytest.mark.parametrize(
    ("source", "options"),
    [
        (KEY, {}),
        (KEY, {"encoding": "RAW"}),
        (TEXT_KEY, {}),
        (TEXT_KEY + "\n", {"encoding": "BASE64"}),
        (base64.urlsafe_b64encode(KEY).decode().rstrip("="), {}),
        (KEY.hex(), {"encoding": "HEX"}),
        ("0x" + KEY.hex().upper() + "\n", {"encoding": "HEX"}),
        (TEXT_KEY.encode(), {"encoding": "BASE64"}),  # text that was stored as SecretBinary
        (KEY.hex().encode() + b"\r\n", {"encoding": "HEX"}),
        (json.dumps({"key": TEXT_KEY}), {"json_key": "key"}),
        (json.dumps({"key": KEY.hex()}), {"json_key": "key", "encoding": "HEX"}),
    ],
)
def test_a_secret_key_is_read_as_declared_or_as_found(source: bytes | str, options: dict[str, Any]) -> None:
    material = check(source, AES, **options)
    assert material.encoded == KEY
    assert material.check_value.startswith("CMAC:")


@pytest.mark.parametrize(
    ("source", "options"),
    [
        (PEM, {}),
        (PEM, {"encoding": "PEM"}),
        (PEM.encode(), {}),  # aws secretsmanager create-secret --secret-binary fileb://key.pem
        (PEM.encode(), {"encoding": "PEM"}),
        (b"\xef\xbb\xbf" + PEM.encode(), {}),
        (json.dumps({"pem": PEM}), {"json_key": "pem"}),
        (pkcs8_der(ec_key()), {}),
        (pkcs8_der(ec_key()), {"encoding": "RAW"}),
        (base64.b64encode(pkcs8_der(ec_key())).decode(), {}),
        (pkcs8_der(ec_key()).hex(), {"encoding": "HEX"}),
    ],
)
def test_a_private_key_is_read_as_declared_or_as_found(source: bytes | str, options: dict[str, Any]) -> None:
    material = check(source, P256, **options)
    assert material.encoded == pkcs8_der(ec_key())
    assert material.public_key == spki_der(ec_key())


def test_secret_binary_with_a_pem_header_that_is_declared_raw_is_refused() -> None:
    for spec in (P256, AES):
        assert refusal(PEM.encode(), spec, encoding="RAW") == (
            "MaterialEncoding: It says RAW, and the secret holds a PEM. Set it to PEM, or leave it out."
        )


@pytest.mark.parametrize("encoding", ["BASE64", "HEX"])
def test_a_pem_that_is_declared_otherwise_is_refused(encoding: str) -> None:
    for source in (PEM, PEM.encode()):
        assert refusal(source, P256, encoding=encoding) == (
            f"MaterialEncoding: It says {encoding}, and the secret holds a PEM. Set it to PEM, or leave it out."
        )


def test_what_is_declared_pem_and_is_none_is_refused() -> None:
    for source in (TEXT_KEY, KEY):
        assert refusal(source, P256, encoding="PEM") == (
            "MaterialEncoding: It says PEM, and the secret holds no PEM: no BEGIN line was found. "
            "Set it to what the secret holds, or leave it out."
        )


def test_text_that_is_declared_raw_is_refused() -> None:
    for source in (TEXT_KEY, PEM):
        assert refusal(source, encoding="RAW") == (
            "MaterialEncoding: RAW is for a SecretBinary, and the secret holds text. "
            "Set it to BASE64, HEX or PEM, or store the bytes as a SecretBinary."
        )


def test_a_pem_that_was_encoded_once_more_is_refused() -> None:
    assert refusal(base64.b64encode(PEM.encode()).decode(), P256) == (
        "SecretId: The text is a PEM that was encoded again, as BASE64. "
        "Store the PEM itself as the secret's text, and leave MaterialEncoding out."
    )
    assert refusal(PEM.encode().hex(), P256, encoding="HEX").startswith(
        "SecretId: The text is a PEM that was encoded again, as HEX. "
    )


def test_a_pem_for_a_key_of_random_bytes_is_refused() -> None:
    assert refusal(PEM, AES) == (
        "SecretId: The secret holds a PEM, and a SYMMETRIC_DEFAULT key is random bytes. "
        "Name the secret that holds the right key, or another KMS key."
    )


def test_binary_bytes_that_are_declared_text_are_refused() -> None:
    assert refusal(b"\xff" + KEY, encoding="BASE64").startswith(
        "SecretId: The text is not base64: it has characters that base64 does not have."
    )
    assert refusal(KEY, encoding="HEX").startswith("SecretId: The text is not hex:")


@pytest.mark.parametrize("source", [KEY.hex(), "0x" + KEY.hex(), KEY.hex().upper() + "\n", KEY.hex()[:62]])
@pytest.mark.parametrize("spec", [AES, HMAC_384, P256], ids=lambda spec: spec.name)
def test_text_that_may_be_hex_is_refused_whatever_it_would_be_as_base64(source: str, spec: KeySpec) -> None:
    """64 hex digits are base64 of 48 bytes, which an HMAC_384 key takes; the error says nothing else about them."""
    assert refusal(source, spec) == (
        "SecretId: The text consists of hex digits only, and would be read as base64. "
        "If it is hex, set MaterialEncoding to HEX."
    )


def test_a_json_field_of_secret_binary_is_refused() -> None:
    assert refusal(json.dumps({"key": TEXT_KEY}).encode(), json_key="key") == (
        "SecretJsonKey: The secret is a SecretBinary, and only a SecretString has JSON fields. "
        "Store the JSON as a SecretString (--secret-string file://...), or take SecretJsonKey out."
    )


def test_json_that_is_not_one_field_is_refused() -> None:
    twice = f'{{"key": "AAAA", "key": "{TEXT_KEY}"}}'
    assert refusal(twice, json_key="key").startswith(
        "SecretJsonKey: The secret's JSON has an object with two fields of the same name."
    )
    assert refusal(TEXT_KEY, json_key="key").startswith("SecretJsonKey: The secret's text is not a JSON object.")


def test_an_unknown_encoding_and_an_unreadable_field_and_a_malformed_check_value_are_named_at_once() -> None:
    sentence = refusal(TEXT_KEY, json_key="key", encoding="base64", expected_check_value="377822")
    assert sentence == (
        "3 things are wrong. (1) ExpectedCheckValue: The value is not a check value of a key of spec SYMMETRIC_DEFAULT. "
        "Write CMAC: and 6 to 10 hex digits (an even number), or ECB: and 6 hex digits. "
        f"(2) MaterialEncoding: The value is not a known encoding. {ENCODINGS} "
        "(3) SecretJsonKey: The secret's text is not a JSON object. "
        'Write the secret as {"name": "value"}, or leave SecretJsonKey out.'
    )


def test_the_place_of_the_material_is_named_as_the_caller_says() -> None:
    assert refusal(KEY[:31], words=PROPERTIES.at("PreviousSecretVersionIds")).startswith(
        "PreviousSecretVersionIds: The material is 31"
    )


@pytest.mark.parametrize("source", [b"", "", " \n"])
def test_an_empty_secret_is_refused(source: bytes | str) -> None:
    assert "empty" in refusal(source)
    assert "empty" in refusal(source, P256)


# ------------------------------------------------------------------------------------------- what passed, and nothing else


def test_only_the_check_makes_checked_material() -> None:
    with pytest.raises(TypeError, match=r"^Only material_check\.check makes CheckedMaterial\.$"):
        CheckedMaterial(
            object(),  # type: ignore[arg-type] # the mistake of this test
            spec=AES,
            encoded=bytearray(KEY),
            check_value="",
            verified_check_value="",
        )


def test_checked_material_can_not_be_changed_copied_or_pickled() -> None:
    material = check(KEY, AES)
    for name in ("spec", "encoded", "check_value", "anything"):
        with pytest.raises(AttributeError):
            setattr(material, name, b"")
    for taking in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"^CheckedMaterial is neither copied nor pickled\.$"):
            taking(material)
    with pytest.raises(TypeError):
        json.dumps(material)
    with pytest.raises(TypeError):
        vars(material)


@pytest.mark.parametrize("name", ["SYMMETRIC_DEFAULT", "ECC_NIST_P256"])
def test_checked_material_shows_only_its_key_spec(name: str) -> None:
    material = check(KEY if name == "SYMMETRIC_DEFAULT" else PEM, KEY_SPECS[name])
    for text in (repr(material), str(material), f"{material}", repr([material])):
        assert text.strip("[]") == f"<CheckedMaterial {name}>"


def test_wiped_material_is_zeros_and_can_not_be_used() -> None:
    material = check(KEY, AES)
    buffer = material.encoded
    material.wipe()
    assert buffer == bytes(32)
    with pytest.raises(ValueError, match=r"^The material was wiped\.$"):
        _ = material.encoded
    material.wipe()  # twice is no harm


def test_a_buffer_is_taken_over_and_not_copied() -> None:
    buffer = bytearray(KEY)
    assert check(buffer, AES).encoded is buffer


@pytest.mark.parametrize(
    ("source", "spec", "options"),
    [
        (bytes(32), AES, {}),
        (KEY[:31], AES, {}),
        (KEY, AES, {"expected_check_value": "CMAC:000000"}),
        (KEY, AES, {"expected_check_value": "none"}),
        (KEY, AES, {"json_key": "key"}),
        (KEY, AES, {"encoding": "PEM"}),
        (TEXT_KEY.encode(), AES, {"encoding": "BASE64"}),
        (PEM.encode(), P256, {}),
        (PEM.encode(), AES, {}),
        (pkcs8_der(ec_key()), P256, {}),
        (pkcs8_der(ec_key())[:-1], P256, {}),
    ],
)
def test_a_buffer_that_does_not_become_the_material_is_wiped(
    source: bytes, spec: KeySpec, options: dict[str, Any]
) -> None:
    buffer = bytearray(source)
    with suppress(Refused):
        check(buffer, spec, **options)
    assert buffer == bytes(len(source))


def test_a_buffer_is_wiped_when_a_defect_ends_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("imported_key_material.material.material_check.secret_key_rules.check", broken)
    buffer = bytearray(KEY)
    with pytest.raises(ZeroDivisionError):
        check(buffer, AES)
    assert buffer == bytes(32)


def test_a_mac_uses_the_key_specs_hash() -> None:
    for name, hash_name in (
        ("HMAC_224", "sha224"),
        ("HMAC_256", "sha256"),
        ("HMAC_384", "sha384"),
        ("HMAC_512", "sha512"),
    ):
        key = random_key(hashlib.new(hash_name).digest_size)
        assert check(key, KEY_SPECS[name]).mac(b"message") == hmac.digest(key, b"message", hash_name)


@pytest.mark.parametrize("name", ["SYMMETRIC_DEFAULT", "ECC_NIST_P256"])
def test_a_key_that_makes_no_macs_makes_none(name: str) -> None:
    material = check(KEY if name == "SYMMETRIC_DEFAULT" else PEM, KEY_SPECS[name])
    with pytest.raises(ValueError, match=f"^The material of an? {name} key makes no MACs\\.$"):
        material.mac(b"message")


@pytest.mark.parametrize("name", list(KEY_SPECS))
def test_good_material_of_every_key_spec_passes(name: str) -> None:
    spec = key_spec(name)
    sizes = {"SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
    if name in sizes:
        material = check(random_key(sizes[name]), spec)
        assert (bytes(material.encoded), material.public_key) == (random_key(sizes[name]), None)
        return
    key = key_for(name)
    material = check(pkcs8_pem(key), spec)
    assert (bytes(material.encoded), material.public_key) == (pkcs8_der(key), spki_der(key))
    assert material.check_value == f"SHA256:{hashlib.sha256(spki_der(key)).hexdigest().upper()}"


def test_in_china_a_symmetric_key_has_16_bytes_and_no_check_value() -> None:
    sm4 = key_spec("SYMMETRIC_DEFAULT", partition="aws-cn")
    material = check(KEY[:16], sm4)
    assert (bytes(material.encoded), material.check_value) == (KEY[:16], "")
    assert refusal(KEY, sm4, expected_check_value="CMAC:377822") == (
        "2 things are wrong. (1) ExpectedCheckValue: In China a SYMMETRIC_DEFAULT key is an SM4 key, for which no check "
        "value is agreed. Leave ExpectedCheckValue out. "
        "(2) SecretId: The material is 32 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 16. "
        "Store 16 bytes of a random number generator, for example of openssl rand 16."
    )
