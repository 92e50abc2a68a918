"""The cfn-lint rules about what stays when a resource or a stack goes: W9905, W9911, W9912."""

import pytest
from cfnlint.rules import RulesCollection

from cfn_lint_imported_key_material import RetainedOnCreate
from tests.support.linted import GOOD, KEY, findings, linted


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_a_kept_key_whose_material_is_not_kept_is_a_warning(policy: str) -> None:
    kept = KEY.replace(
        "    Properties:", f"    DeletionPolicy: {policy}\n    UpdateReplacePolicy: Retain\n    Properties:"
    )
    assert findings(kept + GOOD) == [
        (
            "W9905 DeletionPolicy: The key Key is retained, and its material is not: when the resource or the stack is "
            f"deleted, the material is removed from the retained key. Set DeletionPolicy: {policy} here, too."
        ),
        (
            "W9905 UpdateReplacePolicy: The key Key is retained, and its material is not: when another key takes its place, "
            "the material is removed from the retained key. Set UpdateReplacePolicy: Retain here, too."
        ),
    ]


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_a_kept_key_with_kept_material_is_left_alone(policy: str) -> None:
    policies = f"    DeletionPolicy: {policy}\n    UpdateReplacePolicy: Retain\n    Properties:"
    assert findings((KEY + GOOD).replace("    Properties:", policies)) == []


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_kept_material_whose_key_is_not_kept_is_a_warning(policy: str) -> None:
    kept = GOOD.replace(
        "    Properties:", f"    DeletionPolicy: {policy}\n    UpdateReplacePolicy: Retain\n    Properties:"
    )
    assert findings(KEY + kept) == [
        (
            "W9911 DeletionPolicy: The material Material is retained, and its key is not: when the resource or the stack is "
            "deleted, KMS schedules the key for deletion, and its material goes with it. Set "
            f"DeletionPolicy: {policy} here, too."
        ),
        (
            "W9911 UpdateReplacePolicy: The material Material is retained, and its key is not: when another key takes its "
            "place, KMS schedules the key for deletion, and its material goes with it. Set UpdateReplacePolicy: Retain here, "
            "too."
        ),
    ]


def with_policies(of_key: str, of_material: str) -> str:
    both = [(KEY, of_key), (GOOD, of_material)]
    return "".join(
        one.replace(
            "    Properties:", f"    DeletionPolicy: {policy}\n    UpdateReplacePolicy: Retain\n    Properties:"
        )
        for one, policy in both
    )


def test_a_key_that_a_failed_first_deployment_would_leave_empty_is_a_warning() -> None:
    assert findings(with_policies("Retain", "RetainExceptOnCreate")) == [
        (
            "W9912 DeletionPolicy: If the deployment that creates them fails, the key is retained, and its material Material "
            "is not: an empty key stays, and the next deployment makes another one. Set DeletionPolicy: RetainExceptOnCreate "
            "here, too."
        )
    ]


def test_material_that_a_failed_first_deployment_would_keep_in_a_deleted_key_is_a_warning() -> None:
    assert findings(with_policies("RetainExceptOnCreate", "Retain")) == [
        (
            "W9912 DeletionPolicy: If the deployment that creates them fails, the material is retained, and its key Key is "
            "not: KMS schedules the key for deletion, and the material goes with it. Set DeletionPolicy: "
            "RetainExceptOnCreate here, too."
        )
    ]


def test_a_key_and_material_that_both_go_are_left_alone() -> None:
    policies = "    DeletionPolicy: Delete\n    UpdateReplacePolicy: Delete\n    Properties:"
    assert findings((KEY + GOOD).replace("    Properties:", policies)) == []


def test_material_of_a_key_that_is_not_in_the_template_is_left_alone() -> None:
    kept = GOOD.replace(
        "    Properties:", "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Properties:"
    )
    assert findings(kept.replace("!GetAtt Key.Arn", "!ImportValue orders-key")) == []


@pytest.mark.parametrize(
    ("of_key", "of_material", "found"),
    [("Retain", "Retain", 1), ("RetainExceptOnCreate", "Retain", 0), ("Retain", "RetainExceptOnCreate", 0)],
)
def test_retain_on_both_is_information_for_those_who_ask_for_it(of_key: str, of_material: str, found: int) -> None:
    rules = RulesCollection(include_rules=["I"])
    rules.register(RetainedOnCreate())
    sentence = (
        "I9914 DeletionPolicy: If the deployment that creates them fails, the key Key and its material are retained, and "
        "the next deployment makes another key. Set DeletionPolicy: RetainExceptOnCreate on both."
    )
    assert linted(f"Resources:\n{with_policies(of_key, of_material)}", rules) == [sentence] * found
