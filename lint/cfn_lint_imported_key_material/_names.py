"""Names that CloudFormation takes, and that nothing answers to: an attribute, and the resource's type (E9902, W9906)."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from cfn_lint_imported_key_material._schema import ATTRIBUTES, SOURCE_URL, TAG, TYPE
from cfn_lint_imported_key_material._template import SUB_VARIABLE, properties


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
        for variable in map(str.strip, SUB_VARIABLE.findall(str(text))):
            name, dot, attribute = variable.partition(".")
            if dot and variable not in variables:
                yield path, name, attribute


def _no_such_attribute(name: str, attribute: str) -> str:
    near = difflib.get_close_matches(attribute, ATTRIBUTES, n=1, cutoff=0.6)
    remedy = f"Is it {near[0]}?" if near else f"There are {', '.join(ATTRIBUTES)}."
    return f"{name}.{attribute}: {TYPE} has no such attribute. {remedy}"


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
    token = properties(resource).get("ServiceToken")
    return isinstance(token, dict) and f"{TAG}-ServiceToken" in str(token.get("Fn::ImportValue", ""))
