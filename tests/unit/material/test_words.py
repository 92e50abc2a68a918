"""The checks of material serve two readers, users of the function and of the tool: each sentence uses its reader's words."""

import ast
from pathlib import Path

import pytest

from imported_key_material.errors import Refused
from imported_key_material.material import material_check
from imported_key_material.material.key_specs import KEY_SPECS, OAEP_CAPACITY_BYTES, WRAPPING_KEY_SPECS, choose_wrapping
from imported_key_material.material.words import PROPERTIES, Words
from key_custodian.words import OPTIONS, of_component

PACKAGE = Path(material_check.__file__).parent
OF_BOTH_READERS = (
    *(
        "material_check",
        "secret_value",
        "secret_key_rules",
        "encoding",
        "pem",
        "private_key",
        "private_key_rules",
        "check_value",
    ),
)
OF_THE_FUNCTION = ("Secret", "secret", "MaterialEncoding", "ExpectedCheckValue", "Store")
HMAC = KEY_SPECS["HMAC_256"]
MARKED = Words(**{name: f"<{name}>" for name in Words._fields})


def sentences(module):
    """All strings of a module but its docstrings."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def refusal(source, words, **options):
    with pytest.raises(Refused) as refused:
        material_check.check(source, HMAC, words=words, **options)
    return str(refused.value)


@pytest.mark.parametrize("module", OF_BOTH_READERS)
def test_a_check_that_the_tool_shares_names_no_property_itself(module):
    found = sentences(module)

    assert found
    assert [text for text in found if " " in text and any(word in text for word in OF_THE_FUNCTION)] == []


def test_the_tool_has_no_word_of_the_function():
    for words in (OPTIONS, of_component(2)):
        for name, phrase in words._asdict().items():
            assert not any(word in phrase for word in OF_THE_FUNCTION), name


def test_each_sentence_takes_the_words_it_is_given():
    assert refusal(b"correct horse battery staple", MARKED) == (
        "2 things are wrong. (1) <material>: The material is 28 bytes long, and an HMAC_256 key takes 32 to 128. "
        "(2) <material>: The material reads as text (printable ASCII), and an HMAC_256 key is random bytes: a passphrase, "
        "or base64 or hex that was not decoded. <store_or_wrap> the bytes themselves, or declare <the_check_value> if the "
        "key is really text. <encoding> says how a <holder>'s text is encoded."
    )


def test_the_words_of_one_place_are_those_of_any_other():
    assert PROPERTIES.at("PreviousSecretVersionIds").at("SecretId") == PROPERTIES


def test_a_component_s_holder_hears_of_the_component_s_own_check_value():
    """The error must not name --expected-check-value, which is for the whole key."""
    heard = refusal(b"a component that is typed text!!", of_component(2).at("component 2"))

    assert heard == (
        "component 2: The material reads as text (printable ASCII), and an HMAC_256 key is random bytes: a passphrase, or "
        "base64 or hex that was not decoded. Give the bytes themselves, or declare --component-check-value if the key is "
        "really text. --encoding says how a file's text is encoded."
    )


@pytest.mark.parametrize("wrapping_key_spec", WRAPPING_KEY_SPECS)
def test_the_tool_finds_an_algorithm_for_every_key_and_so_hears_of_no_property(wrapping_key_spec):
    """The tool leaves the choice to `choose_wrapping`, whose errors name properties if there is no algorithm."""
    for spec in KEY_SPECS.values():
        found = choose_wrapping(
            spec, algorithm=None, wrapping_key_spec=wrapping_key_spec, size_bytes=spec.most_bytes or 2_500
        )
        assert found in spec.wrapping
        assert (found in OAEP_CAPACITY_BYTES) <= (spec.most_bytes is not None)
