"""What stays of a key and its material, when a resource or a stack goes (W9905, W9911, W9912, I9914).

CloudFormation sends no Delete for what is retained. So a retained key whose material is not retained loses the material: the
function's Delete takes it out. And material in a key that is not retained goes with the key, retained or not.

RetainExceptOnCreate is Retain, but for the operation that creates the resource: if that is rolled back, the resource is deleted
like any other. A rollback deletes the material before its key.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from cfn_lint_imported_key_material._schema import SOURCE_URL
from cfn_lint_imported_key_material._template import pairs

_RETAIN: Final = "Retain"
_EXCEPT_ON_CREATE: Final = "RetainExceptOnCreate"
_KEPT: Final = (_RETAIN, _EXCEPT_ON_CREATE)
_WHEN: Final = {
    "DeletionPolicy": "when the resource or the stack is deleted",
    "UpdateReplacePolicy": "when another key takes its place",
}


class MaterialOfRetainedKey(CloudFormationLintRule):
    """A retained key without its material can't decrypt what was encrypted under it."""

    id = "W9905"
    shortdesc = "Material is retained if its key is"
    description = (
        "Compares DeletionPolicy and UpdateReplacePolicy of the material with those of the key in the template"
    )
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", pair.name],
                f"{policy}: The key {pair.key_name} is retained, and its material is not: {when}, the material is removed from "
                f"the retained key. Set {policy}: {pair.key[policy]} here, too.",
            )
            for pair in pairs(cfn)
            for policy, when in _kept_without(pair.key, pair.material)
        ]


class KeyOfRetainedMaterial(CloudFormationLintRule):
    """Only a warning: until KMS deletes the key, somebody may cancel that, and the key then has its material."""

    id = "W9911"
    shortdesc = "A key is retained if its material is"
    description = (
        "Compares DeletionPolicy and UpdateReplacePolicy of the key in the template with those of the material"
    )
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", pair.key_name],
                f"{policy}: The material {pair.name} is retained, and its key is not: {when}, KMS schedules the key for "
                f"deletion, and its material goes with it. Set {policy}: {pair.material[policy]} here, too.",
            )
            for pair in pairs(cfn)
            for policy, when in _kept_without(pair.material, pair.key)
        ]


def _kept_without(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The policies by which one resource is retained and the other is not, each with the words for when it counts."""
    for policy, when in _WHEN.items():
        declared = other.get(policy, "Delete")
        if one.get(policy) in _KEPT and isinstance(declared, str) and declared not in _KEPT:
            yield policy, when


class OtherPolicyOnCreate(CloudFormationLintRule):
    """One of the two has RetainExceptOnCreate, so what the other one keeps is of no use. Retain on both: I9914."""

    id = "W9912"
    shortdesc = "A failed first deployment keeps key and material, or neither"
    description = "Finds a key and its material of which only one has RetainExceptOnCreate, and the other has Retain"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        policies = [(pair, pair.key.get("DeletionPolicy"), pair.material.get("DeletionPolicy")) for pair in pairs(cfn)]
        return [
            RuleMatch(
                ["Resources", pair.key_name],
                f"DeletionPolicy: If the deployment that creates them fails, the key is retained, and its material {pair.name} "
                "is not: an empty key stays, and the next deployment makes another one. Set DeletionPolicy: "
                f"{_EXCEPT_ON_CREATE} here, too.",
            )
            for pair, key, material in policies
            if (key, material) == (_RETAIN, _EXCEPT_ON_CREATE)
        ] + [
            RuleMatch(
                ["Resources", pair.name],
                "DeletionPolicy: If the deployment that creates them fails, the material is retained, and its key "
                f"{pair.key_name} is not: KMS schedules the key for deletion, and the material goes with it. Set "
                f"DeletionPolicy: {_EXCEPT_ON_CREATE} here, too.",
            )
            for pair, key, material in policies
            if (key, material) == (_EXCEPT_ON_CREATE, _RETAIN)
        ]


class RetainedOnCreate(CloudFormationLintRule):
    """Only information, which cfn-lint shows with `--include-checks I`: the key is whole, and its owner may want that."""

    id = "I9914"
    shortdesc = "A failed first deployment leaves no key behind"
    description = "Finds Retain on a key and its material, where RetainExceptOnCreate would do"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", pair.name],
                f"DeletionPolicy: If the deployment that creates them fails, the key {pair.key_name} and its material are "
                f"retained, and the next deployment makes another key. Set DeletionPolicy: {_EXCEPT_ON_CREATE} on both.",
            )
            for pair in pairs(cfn)
            if pair.key.get("DeletionPolicy") == pair.material.get("DeletionPolicy") == _RETAIN
        ]
