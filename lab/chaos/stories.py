"""What a story is: the steps of one stack, and what each must leave in which key. The stories themselves are in kinds.py.

A story begins with what its owner prepares (secrets, keys that no stack makes), and goes on with the steps of one stack. Each
step names the status that it must come to, unless Lambda gives a request up, and what its keys then hold: `KEY` is the key that
the stack makes, other names are keys that were there before.
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
    """`holds`: by key, names of material, of which it holds one afterwards, or material.EMPTY. `before`: done by hand first.

    `days`: that KMS must show until the material of KEY expires; None where it does not expire, or that is not the point.
    """

    verb: str
    status: str
    holds: Mapping[str, frozenset[str]]
    template: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[str], None] | None = None  # gets the ARN of KEY
    refused: bool = False  # the function says FAILED, and is right
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """`keys`: those that no stack makes, and what they hold at the beginning. `materials`: all that may be found in a key."""

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
        raise ValueError(f"examples/{name} declares its SecretId in another way than it did")
    return text.replace(line, line + "".join(f"      {key}: {value}\n" for key, value in properties.items()))


def declared(token: str, resources: Mapping[str, Mapping[str, Any]]) -> str:
    """A template of resources Custom::ImportedKeyMaterial, by logical id: their properties."""
    common = {"ServiceToken": token, "WrappingKeySpec": "RSA_2048"}
    whole = {
        name: {"Type": "Custom::ImportedKeyMaterial", "Properties": common | dict(properties)}
        for name, properties in resources.items()
    } or {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
    return json.dumps({"Resources": whole})
