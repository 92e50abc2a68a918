"""cfn-lint rules for Custom::ImportedKeyMaterial that look at more than one resource of a template.

    E9902  the attributes in Fn::GetAtt and Fn::Sub exist
    E9903  the key in the same template has Origin EXTERNAL
    W9904  the key in the same template has the tag imported-key-material
    W9905  material is retained if its key is
    W9906  the type's name is Custom::ImportedKeyMaterial: these rules check no other type
    E9907  resources that hold the same key declare the same expiry

`declared_properties.py` checks the properties themselves, and says how cfn-lint loads both files.
"""

import contextlib
import difflib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

TYPE: Final = "Custom::ImportedKeyMaterial"
TAG: Final = "imported-key-material"
SOURCE_URL: Final = "https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html"

_SCHEMA: Final[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[1] / "handler" / "imported_key_material" / "schema.json").read_text("utf-8")
)
# KeyId and ValidTo are properties and attributes: as attributes they have KMS's values.
ATTRIBUTES: Final = (*(pointer.rsplit("/", 1)[-1] for pointer in _SCHEMA["readOnlyProperties"]), "KeyId", "ValidTo")

_SUB_VARIABLE: Final = re.compile(r"\$\{([^!}][^}]*)\}")
_KEPT: Final = ("Retain", "RetainExceptOnCreate")
_WHEN: Final = {
    "DeletionPolicy": "when the resource or the stack is deleted",
    "UpdateReplacePolicy": "when another key takes its place",
}


class Pair(NamedTuple):
    """A material, and the key of the same template that its KeyId names."""

    name: str
    material: Mapping[str, Any]
    key_name: str
    key: Mapping[str, Any]


def _pairs(cfn: Template) -> Iterator[Pair]:
    keys = cfn.get_resources(["AWS::KMS::Key", "AWS::KMS::ReplicaKey"])
    for name, material in cfn.get_resources(TYPE).items():
        for key_name in dict.fromkeys(_named_by(_properties(material).get("KeyId"))):
            if key_name in keys:
                yield Pair(name, material, key_name, keys[key_name])


def _properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = resource.get("Properties")
    return properties if isinstance(properties, dict) else {}


def _named_by(value: object) -> Iterator[str]:
    """The logical ids that a KeyId names, in every branch of a condition."""
    if not isinstance(value, dict) or len(value) != 1:
        return
    ((function, argument),) = value.items()
    if function == "Ref":
        yield str(argument)
    elif function == "Fn::GetAtt":
        yield str(argument[0] if isinstance(argument, list) else argument).split(".")[0]
    elif function == "Fn::Sub" and isinstance(argument, str):
        yield from (variable.split(".")[0] for variable in _SUB_VARIABLE.findall(argument))
    elif function == "Fn::If" and isinstance(argument, list):
        for branch in argument[1:]:
            yield from _named_by(branch)


class UnknownAttribute(CloudFormationLintRule):
    """CloudFormation finds this only after the material was imported."""

    id = "E9902"
    shortdesc = f"Attributes of {TYPE} exist"
    description = "Checks the names in Fn::GetAtt and Fn::Sub against the function's schema.json"
    source_url = SOURCE_URL
    tags = ("functions", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        materials = cfn.get_resources(TYPE)
        return [
            RuleMatch(path, _no_such_attribute(name, attribute))
            for path, name, attribute in _references(cfn)
            if name in materials and attribute not in ATTRIBUTES
        ]


def _references(cfn: Template) -> Iterator[tuple[list[Any], str, str]]:
    """Gives path, logical id and attribute of each Fn::GetAtt and Fn::Sub, also in outputs."""
    for *path, argument in cfn.search_deep_keys("Fn::GetAtt"):
        parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
        if len(parts) == 2 and isinstance(parts[1], str):
            yield path, str(parts[0]), parts[1]
    for *path, argument in cfn.search_deep_keys("Fn::Sub"):
        text, variables = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        for variable in map(str.strip, _SUB_VARIABLE.findall(str(text))):
            name, dot, attribute = variable.partition(".")
            if dot and variable not in variables:
                yield path, name, attribute


def _no_such_attribute(name: str, attribute: str) -> str:
    near = difflib.get_close_matches(attribute, ATTRIBUTES, n=1, cutoff=0.6)
    remedy = f"Is it {near[0]}?" if near else f"There are {', '.join(ATTRIBUTES)}."
    return f"{name}.{attribute}: {TYPE} has no such attribute. {remedy}"


class KeyOfOtherOrigin(CloudFormationLintRule):
    """By its declaration the key takes no imported material. (A replica has its primary's origin.)"""

    id = "E9903"
    shortdesc = "The key takes imported material"
    description = "Checks that the key that KeyId names, if it stands in the template, has Origin EXTERNAL"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", pair.name, "Properties", "KeyId"],
                f"KeyId: The Origin of {pair.key_name} is {origin}, and only a key with Origin EXTERNAL takes imported "
                "material.",
            )
            for pair in _pairs(cfn)
            if pair.key["Type"] == "AWS::KMS::Key"
            and isinstance(origin := _properties(pair.key).get("Origin", "AWS_KMS"), str)
            and origin != "EXTERNAL"
        ]


class KeyWithoutConsent(CloudFormationLintRule):
    """Only a warning: the stack's own tags are set on the key, too, and no template shows those."""

    id = "W9904"
    shortdesc = f"The key has the tag {TAG}"
    description = "Checks that the key that KeyId names, if it stands in the template, names the stacks that may use it"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", pair.name, "Properties", "KeyId"],
                f"KeyId: {pair.key_name} has no tag {TAG}, so this stack may not use it. Set it to !Ref AWS::StackName in the "
                "key's Tags.",
            )
            for pair in _pairs(cfn)
            if _shows_no_tag(_properties(pair.key).get("Tags", []))
        ]


def _shows_no_tag(tags: object) -> bool:
    """False if a CloudFormation function may add the tag."""
    return isinstance(tags, list) and all(
        isinstance(tag, dict) and isinstance(tag.get("Key"), str) and tag["Key"] != TAG for tag in tags
    )


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
            for pair in _pairs(cfn)
            for policy, when in _WHEN.items()
            if pair.key.get(policy) in _KEPT
            and isinstance(declared := pair.material.get(policy, "Delete"), str)
            and declared not in _KEPT
        ]


class OtherTypeName(CloudFormationLintRule):
    """The function serves every type of custom resource; these rules check only one."""

    id = "W9906"
    shortdesc = f"The type is {TYPE}"
    description = "Finds custom resources of the function that have another type, which no rule here checks"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", name, "Type"],
                f"Type: The function serves {resource['Type']} like {TYPE}, but no rule here checks it. Write "
                f"{TYPE}, in a new resource: CloudFormation can't change the type of an existing resource.",
            )
            for name, resource in cfn.get_resources().items()
            if resource["Type"] != TYPE and (_is_nearly_ours(str(resource["Type"])) or _asks_the_function(resource))
        ]


def _is_nearly_ours(type_name: str) -> bool:
    return bool(difflib.get_close_matches(type_name.lower(), [TYPE.lower()], cutoff=0.85))


def _asks_the_function(resource: Mapping[str, Any]) -> bool:
    """Whether its ServiceToken is the application's export with its usual name."""
    token = _properties(resource).get("ServiceToken")
    return isinstance(token, dict) and f"{TAG}-ServiceToken" in str(token.get("Fn::ImportValue", ""))


class OtherExpiryOfOneKey(CloudFormationLintRule):
    """KMS keeps only one expiry of a key's material: if two declarations differ, one of them is not kept.

    The function can't find this: it sees that another resource of the stack holds the key, but not what that declares.
    """

    id = "E9907"
    shortdesc = "Resources that hold the same key declare the same expiry"
    description = "Compares ValidTo and ValidForDays of those resources of the template whose KeyId names the same key"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", second, "Properties", "KeyId"],
                f"KeyId: {first} holds the same key, and declares another expiry. KMS keeps only the expiry of the last "
                "import. Declare the same ValidTo or ValidForDays in both.",
            )
            for (first, one), (second, other) in itertools.combinations(cfn.get_resources(TYPE).items(), 2)
            if _may_be_there_together(one, other)
            and _key_named(cfn, one) == _key_named(cfn, other) is not None
            and _surely_differ(_expiry(one), _expiry(other))
        ]


def _may_be_there_together(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Two different conditions may exclude each other: their values are not known."""
    conditions = {one.get("Condition"), other.get("Condition")}
    return None in conditions or len(conditions) == 1


def _key_named(cfn: Template, material: Mapping[str, Any]) -> str | None:
    """What identifies the key: its logical id, the last part of its id or ARN, or the expression; None: no KeyId."""
    key_id = _properties(material).get("KeyId")
    if not isinstance(key_id, dict):
        return None if key_id is None else str(key_id).rsplit("/", 1)[-1]
    named = {name for name in _named_by(key_id) if not name.startswith("AWS::")}
    keys = cfn.get_resources(["AWS::KMS::Key", "AWS::KMS::ReplicaKey"])
    if len(named) == 1 and "Fn::If" not in key_id and named <= keys.keys():
        return named.pop()
    return json.dumps(key_id, sort_keys=True, default=str)


def _expiry(material: Mapping[str, Any]) -> tuple[object, object]:
    """ValidTo and ValidForDays for a comparison: a time, a number, None; or a function of CloudFormation's."""
    declared = _properties(material)
    valid_to, days = declared.get("ValidTo"), declared.get("ValidForDays")
    if isinstance(valid_to, str):
        with contextlib.suppress(ValueError):
            valid_to = datetime.fromisoformat(valid_to).timestamp()
    return valid_to, str(days) if isinstance(days, int) else days


def _surely_differ(one: tuple[object, object], other: tuple[object, object]) -> bool:
    """False if only a deployment knows: a function may return any value, or none."""
    known = not any(isinstance(value, dict) for value in (*one, *other))
    return known and one != other
