"""The cfn-lint rules about the declared key and the consent tag: E9903, W9904, W9909."""

import pytest

from imported_key_material import consent
from imported_key_material.errors import Refused
from tests.support.linted import GOOD, KEY, NEVER, findings


@pytest.mark.parametrize(
    "key_id", ["!GetAtt Key.Arn", "!Ref Key", "!Sub '${Key.Arn}'", "!If [Never, !Ref Other, !Ref Key]"]
)
def test_a_key_that_makes_its_own_material_is_an_error(key_id: str) -> None:
    resources = KEY.replace("      Origin: EXTERNAL\n", "") + GOOD.replace("!GetAtt Key.Arn", key_id)
    found = findings(resources, before=NEVER if "Never" in key_id else "")
    assert found == [
        "E9903 KeyId: The Origin of Key is AWS_KMS, and only a key with Origin EXTERNAL takes imported material."
    ]


def test_a_key_without_the_tag_is_a_warning() -> None:
    resources = KEY.replace("imported-key-material", "owner") + GOOD
    assert findings(resources) == [
        (
            "W9904 KeyId: Key has no tag imported-key-material, so this stack may not use it. Set it to !Ref AWS::StackName in "
            "the key's Tags."
        )
    ]


def secret_tagged(tags: str) -> str:
    return (
        "  Secret:\n    Type: AWS::SecretsManager::Secret\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n"
        f"    Properties:\n      Name: orders/key\n{tags}"
    )


@pytest.mark.parametrize(
    "secret_id",
    ["!Ref Secret", "!GetAtt Secret.Id", "!Sub '${Secret}'", "!If [Never, !Ref Other, !Ref Secret]"],
)
@pytest.mark.parametrize("tags", ["", "      Tags: [{Key: owner, Value: orders}]\n"])
def test_a_secret_without_the_tag_is_a_warning(secret_id: str, tags: str) -> None:
    resources = KEY + secret_tagged(tags) + GOOD.replace("orders/master-key", secret_id)
    assert findings(resources, before=NEVER if "Never" in secret_id else "") == [
        (
            "W9904 SecretId: Secret has no tag imported-key-material, so this stack may not use it. Set it to "
            "!Ref AWS::StackName in the secret's Tags."
        )
    ]


@pytest.mark.parametrize(
    ("secret_id", "tags"),
    [
        ("!Ref Secret", "      Tags: [{Key: imported-key-material, Value: !Ref AWS::StackName}]\n"),
        ("!Ref Secret", "      Tags: !If [Never, [{Key: imported-key-material, Value: orders}], !Ref AWS::NoValue]\n"),
        ("orders/other-key", ""),
        ("!ImportValue orders-secret", ""),
    ],
)
def test_a_secret_with_the_tag_or_of_which_the_template_shows_too_little_is_left_alone(
    secret_id: str, tags: str
) -> None:
    resources = KEY + secret_tagged(tags) + GOOD.replace("orders/master-key", secret_id)
    assert findings(resources, before=NEVER if "Never" in tags else "") == []


# --------------------------------------------------------------------------------------------------------------- commas


def with_tag(value: str) -> str:
    return KEY.replace("!Ref AWS::StackName", value)


def commas(names: str) -> str:
    return (
        "W9909 Tags: The tag imported-key-material has commas. Names are separated by spaces, not commas. Set the tag "
        f"imported-key-material to '{names}'."
    )


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("'orders,billing'", "orders billing"),
        ("'orders, billing'", "orders billing"),
        ("!Sub '${AWS::StackName},billing'", "${AWS::StackName} billing"),
        ("!Sub ['${A},${AWS::StackName}', {A: orders}]", "${A} ${AWS::StackName}"),
        ("!Join [',', [orders, !Ref AWS::StackName, !ImportValue other]]", "orders ${AWS::StackName} ${...}"),
        ("!If [Never, orders, 'orders,billing']", "orders billing"),
    ],
)
def test_names_with_commas_between_them_are_a_warning(value: str, names: str) -> None:
    assert findings(with_tag(value) + GOOD, before=NEVER if "Never" in value else "") == [commas(names)]


def test_the_tag_of_a_secret_is_checked_too_and_without_any_material() -> None:
    secret = secret_tagged("      Tags: [{Key: owner, Value: 'a,b'}, {Key: imported-key-material, Value: 'a,b'}]\n")
    assert findings(secret) == [commas("a b")]


@pytest.mark.parametrize(
    "value",
    [
        "orders billing",
        "orders-/",
        "!Sub '${AWS::StackName} billing'",
        "!Join [' ', [orders, !Ref AWS::StackName]]",
        "!ImportValue orders-names",
        "!Select [0, [orders, 'a,b']]",
    ],
)
def test_names_with_spaces_and_what_only_a_deployment_knows_are_left_alone(value: str) -> None:
    assert findings(with_tag(value) + GOOD) == []


def test_a_comma_is_called_what_the_function_calls_it() -> None:
    with pytest.raises(Refused) as refused:
        consent.require({consent.TAG: "orders,billing"}, "orders", where="KeyId", what="the KMS key")
    hint, remedy = str(refused.value).split(". ", 1)[0], str(refused.value)
    assert hint.startswith("KeyId: The KMS key has the tag")
    assert "Names are separated by spaces, not commas." in remedy
    assert remedy.endswith("set the tag imported-key-material to 'orders billing'.")
    (finding,) = findings(with_tag("'orders,billing'") + GOOD)
    assert "Names are separated by spaces, not commas." in finding
    assert finding.endswith("et the tag imported-key-material to 'orders billing'.")
