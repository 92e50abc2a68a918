"""Reads a template: its materials, the keys that they name, and what is written out in a value.

Every function takes any template, also a wrong one: cfn-lint's own rules say what is wrong with it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from cfnlint.template import Template

from cfn_lint_imported_key_material._schema import TYPE

SUB_VARIABLE: Final = re.compile(r"\$\{([^!}][^}]*)\}")
KEY_TYPES: Final = ("AWS::KMS::Key", "AWS::KMS::ReplicaKey")


class Pair(NamedTuple):
    """A material, and the key of the same template that its KeyId names."""

    name: str
    material: Mapping[str, Any]
    key_name: str
    key: Mapping[str, Any]


def pairs(cfn: Template) -> Iterator[Pair]:
    for name, material in cfn.get_resources(TYPE).items():
        for key_name, key in named_resources(cfn, properties(material).get("KeyId"), KEY_TYPES):
            yield Pair(name, material, key_name, key)


def named_resources(cfn: Template, value: object, types: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those resources of the types that a property's value names, each once."""
    resources = cfn.get_resources([*types])
    yield from ((name, resources[name]) for name in dict.fromkeys(named_by(value)) if name in resources)


def properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    found = resource.get("Properties")
    return found if isinstance(found, dict) else {}


def named_by(value: object) -> Iterator[str]:
    """The logical ids that a KeyId or a SecretId names, in every branch of a condition."""
    if not isinstance(value, dict) or len(value) != 1:
        return
    ((function, argument),) = value.items()
    if function == "Ref":
        yield str(argument)
    elif function == "Fn::GetAtt":
        yield str(argument[0] if isinstance(argument, list) else argument).split(".")[0]
    elif function == "Fn::Sub" and isinstance(argument, str):
        yield from (variable.split(".")[0] for variable in SUB_VARIABLE.findall(argument))
    elif function == "Fn::If" and isinstance(argument, list):
        for branch in argument[1:]:
            yield from named_by(branch)


def written_out(value: object) -> str | None:
    """The text, with `${...}` for what a deployment puts in; None if the template does not show it."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((function, argument),) = value.items()
    if function == "Ref":
        return f"${{{argument}}}"
    if function == "Fn::Sub":
        text = argument[0] if isinstance(argument, list) and argument else argument
        return text if isinstance(text, str) else None
    if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
        delimiter, parts = argument
        return str(delimiter).join(written_out(part) or "${...}" for part in parts)
    return None


def branches(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], object]]:
    """The value in each branch of its conditions, with the path to it."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(choice := value.get("Fn::If"), list):
        for number, branch in enumerate(choice[1:], start=1):
            yield from branches(branch, (*path, "Fn::If", number))
    else:
        yield path, value
