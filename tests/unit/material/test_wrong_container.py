"""What a secret may hold in place of a key, recognized only by its form; and material that only looks like it.

The sentences of whole deployments are in tests/contract/hsm/test_traps.py.
"""

import base64

import pytest

from imported_key_material.errors import Refused
from imported_key_material.material.words import PROPERTIES
from imported_key_material.material.wrong_container import refuse_in_place_of_material, refuse_in_place_of_wrapped
from lab.keys.random_keys import random_key, random_keys
from tests.support.traces import assert_untraceable

TR_31 = "SecretId: The secret holds a TR-31 key block, and KMS can't unwrap those."


def refusal(value, *, is_field=False):
    with pytest.raises(Refused) as refused:
        refuse_in_place_of_material(value, is_field=is_field, words=PROPERTIES)
    assert refused.value.__context__ is None
    assert_untraceable(refused.value, value.encode() if isinstance(value, str) else value)
    return str(refused.value)


def block(header, *, length=80):
    """A key block of so many characters: header, then hex."""
    return f"{header[0]}{length:04}{header[1:]}" + random_key(length).hex().upper()[: length - 16]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("AP0TE00N0000", id="A, a PIN key"),
        pytest.param("BB0TX12S0000", id="B, a base derivation key"),
        pytest.param("CK0TB00E0000", id="C, a key encryption key"),
        pytest.param("DD0AB00E0000", id="D, a data key"),
        pytest.param("DM7HG00E0100", id="D, an HMAC key with an optional block"),
        pytest.param("DS0RSc1N0001", id="D, an RSA key with a key context"),
    ],
)
@pytest.mark.parametrize("kept", [str, str.encode, lambda text: f"{text}\n", lambda text: f" {text}".encode()])
def test_a_tr_31_key_block_is_known_by_its_header(header, kept):
    assert refusal(kept(block(header))).startswith(TR_31)


def test_a_tr_31_key_block_in_a_json_field_is_known_too():
    assert refusal(block("DD0AB00E0000"), is_field=True).startswith(TR_31)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(block("DD0AB00E0000")[:-1], id="another length than it says"),
        pytest.param("E" + block("DD0AB00E0000")[1:], id="another version"),
        pytest.param(block("DD0AB00Q0000"), id="no exportability"),
    ],
)
def test_what_is_no_tr_31_key_block_is_left_to_the_decoders(text):
    refuse_in_place_of_material(text, is_field=False, words=PROPERTIES)
    refuse_in_place_of_wrapped(text, is_field=False, is_encoded=False)


def test_a_field_of_json_may_hold_json():
    """The field is no material either. But the user named it, and the decoders say what is wrong."""
    refuse_in_place_of_material('{"a": "b"}', is_field=True, words=PROPERTIES)
    refuse_in_place_of_wrapped('{"a": "b"}', is_field=True, is_encoded=False)


@pytest.mark.parametrize("size_bytes", [28, 32, 64, 296])
def test_random_bytes_in_any_encoding_pass(size_bytes):
    for data in random_keys(size_bytes, 2000):
        for value in (data, data.hex().upper(), data.hex(), base64.b64encode(data).decode()):
            refuse_in_place_of_material(value, is_field=False, words=PROPERTIES)
            refuse_in_place_of_wrapped(value, is_field=False, is_encoded=False)


def test_text_in_a_secret_binary_passes_where_its_encoding_is_declared():
    text = base64.b64encode(random_key(296))
    refuse_in_place_of_wrapped(text, is_field=False, is_encoded=True)
    with pytest.raises(Refused):
        refuse_in_place_of_wrapped(text, is_field=False, is_encoded=False)
