"""The tag rule: who may use a key or a secret is what its owner wrote, and nothing that resembles it."""

import pytest

from imported_key_material import consent
from imported_key_material.errors import Refused

STACK = "orders-prod"


def require(tags, stack_name=STACK, *, where="KeyId", what="the KMS key"):
    consent.require(tags, stack_name, where=where, what=what)


def refusal(tags, **how):
    with pytest.raises(Refused) as refused:
        require(tags, **how)
    return str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "orders-prod",
        "billing orders-prod",
        "orders-prod billing",
        "  billing   orders-prod  ",
        "orders-/",
        "orders/",
        "orders-prod/",
        "billing orders-/ shop",
        "o/",
        "/",
        "billing /",
    ],
)
def test_a_stack_that_the_tag_names_may(value):
    require({consent.TAG: value, "team": "x"})


@pytest.mark.parametrize(
    "value",
    [
        "orders",  # a beginning without the slash
        "orders-prod2",
        "prod",
        "rders-prod",
        "Orders-prod",  # names are compared with their case, as CloudFormation does
        "ORDERS-/",
        "orders-production/",
        "rders-/",
        "prod/",
        "orders-prod;",
        "orders-prod.",
        "orders-*",
        "*",
        ".*/",
        "orders-prod/billing",
        "/orders-prod",
        "-/",
        "//",
        "orders-//",
        "all",
    ],
)
def test_a_stack_that_the_tag_does_not_name_may_not(value):
    assert refusal({consent.TAG: value}) == (
        "KeyId: The KMS key has the tag imported-key-material, but it does not name the stack orders-prod, so this stack "
        f"may not use it. If its owner agrees, set the tag imported-key-material to '{value} orders-prod'."
    )


def test_a_longer_name_that_begins_alike_is_another_stack():
    assert refusal({consent.TAG: "orders"}, stack_name="orders-prod")
    assert refusal({consent.TAG: "orders-prod"}, stack_name="orders")


NO_TAG = "KeyId: The KMS key has no tag imported-key-material, so this stack may not use it."
TEMPLATE = "(in the stack's own template: !Ref AWS::StackName)"


def test_without_the_tag_nobody_may():
    assert refusal({"team": "/", "imported-key-materials": "/"}) == (
        f"{NO_TAG} If its owner agrees, set the tag imported-key-material to 'orders-prod' {TEMPLATE}."
    )


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("Imported-Key-Material", "orders-prod", "orders-prod"),
        ("IMPORTED-KEY-MATERIAL", "billing", "billing orders-prod"),
        ("imported-key-Material", "", "orders-prod"),
    ],
)
def test_a_tag_in_another_case_is_none_and_is_named(key, value, wanted):
    assert refusal({"team": "x", key: value}) == (
        f"{NO_TAG} It has a tag {key}; the key is written in lower case. If its owner agrees, set the tag "
        f"imported-key-material to '{wanted}' {TEMPLATE}."
    )


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("orders-prod,billing", "orders-prod billing"),
        ("orders-prod, billing", "orders-prod billing"),
        ("billing,shop", "billing shop orders-prod"),
        ("billing,orders-/", "billing orders-/"),
        (",", "orders-prod"),
    ],
)
def test_names_with_commas_between_them_are_no_names_and_the_remedy_has_spaces(value, wanted):
    assert refusal({consent.TAG: value}) == (
        "KeyId: The KMS key has the tag imported-key-material, but it does not name the stack orders-prod, so this stack may "
        "not use it. Names are separated by spaces, not commas. If its owner agrees, set the tag imported-key-material to "
        f"'{wanted}'."
    )


def test_commas_in_a_tag_of_another_case_are_two_things_to_mend():
    assert refusal({"Imported-Key-Material": "billing,orders-prod"}) == (
        f"{NO_TAG} It has a tag Imported-Key-Material; the key is written in lower case. Names are separated by spaces, not "
        f"commas. If its owner agrees, set the tag imported-key-material to 'billing orders-prod' {TEMPLATE}."
    )


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_tag_is_there_and_names_nobody(value):
    assert refusal({consent.TAG: value}) == (
        "KeyId: The KMS key has the tag imported-key-material, but it does not name the stack orders-prod, so this stack "
        "may not use it. If its owner agrees, set the tag imported-key-material to 'orders-prod'."
    )


def test_the_sentence_names_what_it_is_about():
    assert refusal({}, where="SecretWrapping.KeyId", what="the transport key") == (
        "SecretWrapping.KeyId: The transport key has no tag imported-key-material, so this stack may not use "
        f"it. If its owner agrees, set the tag imported-key-material to 'orders-prod' {TEMPLATE}."
    )


def test_a_tag_with_just_enough_room_is_shown_whole():
    value = "x" * (256 - len(f" {STACK}"))

    assert refusal({consent.TAG: value}).endswith(f"set the tag imported-key-material to '{value} orders-prod'.")


def test_a_tag_without_room_for_another_name_gets_another_remedy():
    value = "x" * (257 - len(f" {STACK}"))

    assert refusal({consent.TAG: value}) == (
        "KeyId: The KMS key has the tag imported-key-material, but it does not name the stack orders-prod, so this stack "
        "may not use it. The tag has no room for another name (256 characters): its owner can use a name that ends in / "
        "for all stacks that begin alike."
    )


def test_the_longest_stack_name_fits_a_fresh_tag():
    assert f"to '{'s' * 128}' {TEMPLATE}." in refusal({}, stack_name="s" * 128)
