"""Defines a story: the steps of one stack, and what each step must leave in which key. The stories are in kinds.py.

First the owner prepares secrets, and keys that no stack makes; then come the steps of one stack. Each step names its final
status (unless Lambda gives a request up), and what its keys then hold. `KEY` is the key that the stack makes; other names are
keys that existed before.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lab.chaos.material import Material
from lab.local import places

KEY: Final = "Key"
EXAMPLES: Final = places.REPOSITORY / "examples"


@dataclass(frozen=True, slots=True)
class Step:
    """`holds`: by key, the materials of which it then holds one, or material.EMPTY. `before`: done by hand before the step.

    `days`: KMS must show that the material of KEY expires in so many days; None: this is not checked.
    """

    verb: str
    status: str
    holds: Mapping[str, frozenset[str]]
    template: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[str], None] | None = None  # gets the ARN of KEY
    refused: bool = False  # the function must answer FAILED
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """`keys`: keys that no stack makes, with what they hold first. `materials`: all materials that may be in a key."""

    name: str
    kind: str
    steps: tuple[Step, ...]
    materials: tuple[Material, ...]
    keys: Mapping[str, str] = field(default_factory=dict)
    holds: Mapping[str, frozenset[str]] = field(default_factory=dict)


def one(name: str) -> frozenset[str]:
    return frozenset({name})


def example(name: str, **properties: str) -> str:
    """A template of examples/; `properties` are added to its Material."""
    text = (EXAMPLES / name).read_text()
    line = "      SecretId: !Ref SecretId\n"
    if text.count(line) != 1:
        raise ValueError(f"examples/{name} must have this line once: {line.strip()}")
    return text.replace(line, line + "".join(f"      {key}: {value}\n" for key, value in properties.items()))


def declared(token: str, resources: Mapping[str, Mapping[str, Any]]) -> str:
    """A template of resources Custom::ImportedKeyMaterial, by logical id: their properties."""
    common = {"ServiceToken": token, "WrappingKeySpec": "RSA_2048"}
    whole = {
        name: {"Type": "Custom::ImportedKeyMaterial", "Properties": common | dict(properties)}
        for name, properties in resources.items()
    } or {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
    return json.dumps({"Resources": whole})
