"""cfn-lint rules for Custom::ImportedKeyMaterial that look at more than one resource of a template.

    E9902  Fn::GetAtt and Fn::Sub name an attribute that there is
    E9903  the key in the same template has Origin EXTERNAL
    W9904  the key in the same template has the tag imported-key-material
    W9905  material is retained where its key is
    W9906  the type's name is Custom::ImportedKeyMaterial: under another one none of this is checked
    E9907  resources that hold one key declare one expiry

The properties themselves are checked by `declared_properties.py`, which says how both are loaded.
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
# KeyId and ValidTo are both: declared, and given back as KMS shows them.
ATTRIBUTES: Final = (*(pointer.rsplit("/", 1)[-1] for pointer in _SCHEMA["readOnlyProperties"]), "KeyId", "ValidTo")

_SUB_VARIABLE: Final = re.compile(r"\$\{([^!}][^}]*)\}")
_KEPT: Final = ("Retain", "RetainExceptOnCreate")
_WHEN: Final = {
    "DeletionPolicy": "when the resource or the stack is deleted",
    "UpdateReplacePolicy": "when another key takes its place",
}


class Pair(NamedTuple):
    """A material, and a key of the same template that its KeyId names."""

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
    """CloudFormation itself finds this only when the material is in the key already."""

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
    """Gives path, logical id and attribute of what Fn::GetAtt and Fn::Sub refer to; outputs, too."""
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
    """The key's own declaration says that it takes no imported material. (A replica has its primary's origin.)"""

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
    """A warning: the stack's own tags, which no template shows, reach the key, too."""

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
    """False where a function may yet put it there."""
    return isinstance(tags, list) and all(
        isinstance(tag, dict) and isinstance(tag.get("Key"), str) and tag["Key"] != TAG for tag in tags
    )


class MaterialOfRetainedKey(CloudFormationLintRule):
    """A key that is kept without its material can't decrypt what was encrypted under it."""

    id = "W9905"
    shortdesc = "Material is retained where its key is"
    description = (
        "Compares DeletionPolicy and UpdateReplacePolicy of the material with those of the key in the template"
    )
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", pair.name],
                f"{policy}: The key {pair.key_name} is retained, and its material is not: {when}, the material is taken out of "
                f"the key that is kept. Set {policy}: {pair.key[policy]} here, too.",
            )
            for pair in _pairs(cfn)
            for policy, when in _WHEN.items()
            if pair.key.get(policy) in _KEPT
            and isinstance(declared := pair.material.get(policy, "Delete"), str)
            and declared not in _KEPT
        ]


class OtherTypeName(CloudFormationLintRule):
    """The function serves every type of custom resource; these rules know one."""

    id = "W9906"
    shortdesc = f"The type is {TYPE}"
    description = "Finds custom resources of the function under another type, at which no rule here looks"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", name, "Type"],
                f"Type: The function serves {resource['Type']} as it serves {TYPE}, but nothing of it is checked here. Write "
                f"{TYPE}, in a new resource: CloudFormation can't change the type of one that exists.",
            )
            for name, resource in cfn.get_resources().items()
            if resource["Type"] != TYPE and (_is_nearly_ours(str(resource["Type"])) or _asks_the_function(resource))
        ]


def _is_nearly_ours(type_name: str) -> bool:
    return bool(difflib.get_close_matches(type_name.lower(), [TYPE.lower()], cutoff=0.85))


def _asks_the_function(resource: Mapping[str, Any]) -> bool:
    """Whether its ServiceToken is the application's export, under its usual name."""
    token = _properties(resource).get("ServiceToken")
    return isinstance(token, dict) and f"{TAG}-ServiceToken" in str(token.get("Fn::ImportValue", ""))


class OtherExpiryOfOneKey(CloudFormationLintRule):
    """KMS keeps one expiry of a key's material: of two that differ, one is not what is declared.

    The function can't find it: it sees that another resource of the stack holds the key, and not what it declares.
    """

    id = "E9907"
    shortdesc = "Resources that hold one key declare one expiry"
    description = "Compares ValidTo and ValidForDays of those resources of the template whose KeyId names the same key"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", second, "Properties", "KeyId"],
                f"KeyId: {first} holds the same key, and declares another expiry. KMS keeps one, that of whichever imports "
                "last. Declare the same ValidTo or ValidForDays in both.",
            )
            for (first, one), (second, other) in itertools.combinations(cfn.get_resources(TYPE).items(), 2)
            if _may_be_there_together(one, other)
            and _key_named(cfn, one) == _key_named(cfn, other) is not None
            and _surely_differ(_expiry(one), _expiry(other))
        ]


def _may_be_there_together(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Two conditions may exclude each other: what they come to is not asked."""
    conditions = {one.get("Condition"), other.get("Condition")}
    return None in conditions or len(conditions) == 1


def _key_named(cfn: Template, material: Mapping[str, Any]) -> str | None:
    """What tells a key from others: its logical id, the last part of its id or ARN, or the expression; None: no KeyId."""
    key_id = _properties(material).get("KeyId")
    if not isinstance(key_id, dict):
        return None if key_id is None else str(key_id).rsplit("/", 1)[-1]
    named = {name for name in _named_by(key_id) if not name.startswith("AWS::")}
    keys = cfn.get_resources(["AWS::KMS::Key", "AWS::KMS::ReplicaKey"])
    if len(named) == 1 and "Fn::If" not in key_id and named <= keys.keys():
        return named.pop()
    return json.dumps(key_id, sort_keys=True, default=str)


def _expiry(material: Mapping[str, Any]) -> tuple[object, object]:
    """ValidTo and ValidForDays as they are compared: a moment, a number, None; or a function of CloudFormation's."""
    declared = _properties(material)
    valid_to, days = declared.get("ValidTo"), declared.get("ValidForDays")
    if isinstance(valid_to, str):
        with contextlib.suppress(ValueError):
            valid_to = datetime.fromisoformat(valid_to).timestamp()
    return valid_to, str(days) if isinstance(days, int) else days


def _surely_differ(one: tuple[object, object], other: tuple[object, object]) -> bool:
    """Not where only a deployment knows: a function may give any value, and none at all."""
    known = not any(isinstance(value, dict) for value in (*one, *other))
    return known and one != other
