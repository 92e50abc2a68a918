"""The application's template as CloudFormation sees it: SAM's own translator transforms it, its intrinsics are resolved.

Only what this one template needs: an intrinsic function that is not in the table is an error. Parameters that are not passed
have their defaults.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
ACCOUNT, REGION, STACK = "111122223333", "eu-central-1", "imported-key-material"
NO_VALUE = object()

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": NO_VALUE,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}


def source() -> dict[str, Any]:
    """template.yaml as it is written, short intrinsics in their long form."""
    parsed: dict[str, Any] = yaml_parse(TEMPLATE.read_text())
    return parsed


class Application:
    """The resources and outputs of a deployment with these parameters. Resources whose condition is false are left out."""

    def __init__(self, **parameters: str) -> None:
        template = _transformed(source())
        defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}
        unknown = set(parameters) - set(defaults)
        if unknown:
            raise KeyError(f"The template has no parameter {', '.join(sorted(unknown))}.")
        self.template = template
        self._conditions: dict[str, Any] = template["Conditions"]
        self._values: dict[str, Any] = {**_PSEUDO_PARAMETERS, **defaults, **parameters}
        self._types = {name: resource["Type"] for name, resource in template["Resources"].items()}
        self.resources: dict[str, dict[str, Any]] = {
            name: self._resolve(resource)
            for name, resource in template["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }
        self.outputs: dict[str, dict[str, Any]] = {
            name: self._resolve(output) for name, output in template["Outputs"].items()
        }

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        return [resource["Properties"] for resource in self.resources.values() if resource["Type"] == type_]

    def only(self, type_: str) -> dict[str, Any]:
        (properties,) = self.of_type(type_)
        return properties

    def properties(self, logical_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.resources[logical_id]["Properties"]
        return found

    def role_statements(self, role: str = "Role") -> list[dict[str, Any]]:
        """The statements of a role's policies: of the function's own role, of OnFailureRole, or of WatchRole."""
        policies = self.properties(role)["Policies"]
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]

    # ------------------------------------------------------------------------------------------------------ intrinsics

    def _holds(self, condition: str) -> bool:
        return self._resolve(self._conditions[condition]) is True

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in self._INTRINSICS:
                return self._INTRINSICS[name](self, argument)
            if name.startswith("Fn::"):
                raise NotImplementedError(f"{name} is not in the table of intrinsic functions.")
        resolved = {
            name: self._resolve(item) for name, item in value.items() if name != "Condition" or "Type" not in value
        }
        return {name: item for name, item in resolved.items() if item is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        """A parameter's value. For a resource, a text that names it."""
        return self._values[name] if name in self._values else f"Ref({self._types[name]}:{name})"

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{([A-Za-z0-9:]+)\}", lambda found: str(self._ref(found[1])), text)

    def _get_att(self, argument: list[str]) -> str:
        name, attribute = argument
        return f"GetAtt({self._types[name]}:{name}.{attribute})"

    def _find_in_map(self, argument: list[str]) -> Any:
        name, first, second = argument
        return self.template["Mappings"][name][first][second]

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self._resolve(then if self._holds(condition) else otherwise)

    _INTRINSICS: Mapping[str, Callable[["Application", Any], Any]] = {
        "Ref": _ref,
        "Condition": lambda self, name: (
            self._holds(name) if isinstance(name, str) else {"Condition": self._resolve(name)}
        ),
        "Fn::And": lambda self, argument: all(self._resolve(one) for one in argument),
        "Fn::Equals": lambda self, argument: self._resolve(argument[0]) == self._resolve(argument[1]),
        "Fn::FindInMap": _find_in_map,
        "Fn::GetAtt": _get_att,
        "Fn::If": _if,
        "Fn::Not": lambda self, argument: not self._resolve(argument[0]),
        "Fn::Split": lambda self, argument: self._resolve(argument[1]).split(argument[0]),
        "Fn::Sub": _sub,
    }


def _transformed(template: dict[str, Any]) -> dict[str, Any]:
    """The template as `sam package` and CloudFormation's transform leave it. Uses no network."""
    packaged = deepcopy(template)
    for resource in packaged["Resources"].values():
        for uri in {"CodeUri", "ContentUri"} & set(resource["Properties"]):
            resource["Properties"][uri] = "s3://bucket/" + resource["Properties"][uri]
    session = boto3.Session(region_name=REGION)
    transformed: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(packaged, {})
    return transformed
