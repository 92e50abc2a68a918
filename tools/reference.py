"""Writes docs/properties.md, the reference of properties and attributes, from the function's schema.json.

    python -m tools.reference            writes the page
    python -m tools.reference --check    writes nothing; exit code 1 if the page is not what it would write

The schema says what may be declared, and in which words. It has no place for a default in words, nor for what a change does
to an existing resource. Two tables here have these. A missing row raises KeyError; tests/unit/test_docs.py keeps the rows
true.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tools.generated import write_or_check

ROOT: Final = Path(__file__).resolve().parents[1]
SCHEMA: Final = ROOT / "handler" / "imported_key_material" / "schema.json"
PAGE: Final = ROOT / "docs" / "properties.md"

NONE: Final = "none"
DEFAULTS: Final[Mapping[str, str]] = {
    "ServiceTimeout": "3600",
    "SecretVersionId": NONE,
    "SecretVersionStage": "AWSCURRENT, without SecretVersionId",
    "SecretJsonKey": "the whole value",
    "MaterialEncoding": "by the value's form",
    "SecretWrapping": "not wrapped",
    "WrappingAlgorithm": "by key spec",
    "WrappingKeySpec": "RSA_4096",
    "ValidTo": "does not expire",
    "ValidForDays": "does not expire",
    "KeyMaterialDescription": NONE,
    "PreviousSecretVersionIds": NONE,
    "NewMaterial": "REFUSE",
    "ExpectedCheckValue": NONE,
    "Trigger": NONE,
}

IMPORTS: Final = "imports"
NOTHING: Final = "nothing"
REPLACES: Final = "replacement"
NOT_POSSIBLE: Final = "refused"
BY_EXPIRY: Final = "imports, unless KMS shows this expiry already"
CHANGES: Final[Mapping[str, str]] = {
    "ServiceToken": NOT_POSSIBLE,
    "ServiceTimeout": NOTHING,
    "KeyId": REPLACES,
    "SecretId": IMPORTS,
    "SecretVersionId": IMPORTS,
    "SecretVersionStage": IMPORTS,
    "SecretJsonKey": IMPORTS,
    "MaterialEncoding": IMPORTS,
    "SecretWrapping": IMPORTS,
    "WrappingAlgorithm": NOTHING,
    "WrappingKeySpec": NOTHING,
    "ValidTo": BY_EXPIRY,
    "ValidForDays": IMPORTS,
    "KeyMaterialDescription": IMPORTS,
    "PreviousSecretVersionIds": NOTHING,
    "NewMaterial": IMPORTS,
    "ExpectedCheckValue": IMPORTS,
    "Trigger": IMPORTS,
}

_AS_ATTRIBUTE: Final = " As an attribute: "

_HEAD: Final = """\
# Properties and attributes of `{type}`

<!-- `make reference` writes this page from handler/imported_key_material/schema.json. -->

{description}

The function refuses any other property, and a value that CloudFormation left unresolved: `{{{{resolve:secretsmanager:` and
`{{{{resolve:ssm-secure:` do not work in custom resources. Numbers may be numbers or text.

## Properties

| Property | Default | A change |
| --- | --- | --- |
"""

_CHANGES: Final = f"""
What a change does to an existing resource:

- *{IMPORTS}*: the update reads the secret, checks the material and imports it again. For new bytes NewMaterial decides.
- *{NOTHING}*: this change imports nothing. But every update without SecretVersionId imports again, and so does one if KMS does
  not have what the properties ask for.
- *{REPLACES}*: the other key gets the material. Then CloudFormation deletes the old resource, and the old key loses its
  material, if this resource imported it.
- *{NOT_POSSIBLE}*: by CloudFormation ("Modifying service token is not allowed.").
"""


def page(schema: Mapping[str, Any]) -> str:
    """The whole page, in Markdown. Raises KeyError for a property that a table here does not know."""
    read_only = only_attributes(schema)
    properties = {name: rule for name, rule in schema["properties"].items() if name not in read_only}
    parts = [_HEAD.format(type=schema["typeName"], description=schema["description"])]
    parts.extend(
        f"| [{name}](#{name.lower()}) | {_default(name, schema['required'])} | {CHANGES[name]} |\n"
        for name in properties
    )
    parts.append(_CHANGES)
    for name, rule in properties.items():
        parts.extend(_section(name, rule, "###"))
    parts.append(
        "\n## Attributes\n\n`Ref` gives the key's ARN, or its bare id if the key was adopted. `Fn::GetAtt` gives these:\n\n"
        "| Attribute | Meaning |\n| --- | --- |\n"
    )
    for name in attributes(schema):
        description = schema["properties"][name]["description"]
        _, both, meaning = description.partition(_AS_ATTRIBUTE)
        text = meaning[0].upper() + meaning[1:] if both else description
        parts.append(f"| {name} | {text} |\n")
    return "".join(parts)


def only_attributes(schema: Mapping[str, Any]) -> list[str]:
    return [pointer.rsplit("/", 1)[-1] for pointer in schema["readOnlyProperties"]]


def attributes(schema: Mapping[str, Any]) -> list[str]:
    """In the order of the page. The description of a name that is a property, too, has both meanings."""
    only = only_attributes(schema)
    return [name for name, rule in schema["properties"].items() if name in only or _AS_ATTRIBUTE in rule["description"]]


def _default(name: str, required: list[str]) -> str:
    return "required" if name in required else DEFAULTS[name]


def _section(name: str, rule: Mapping[str, Any], level: str) -> Iterator[str]:
    """A property's heading, what it is for, and which values it takes."""
    yield f"\n{level} {name}\n\n{_escape(rule['description'].partition(_AS_ATTRIBUTE)[0])}\n"
    yield f"\nTakes {rule['$comment']}.\n"
    for inner, inner_rule in rule.get("properties", {}).items():
        yield from _section(inner, inner_rule, "####")


def _escape(text: str) -> str:
    """Escapes the star of RSAES_OAEP_*, which is no emphasis."""
    return text.replace("_*", r"_\*")


def main(arguments: list[str]) -> int:
    text = page(json.loads(SCHEMA.read_text("utf-8")))
    return write_or_check(arguments, program="reference", page=PAGE, text=text, source="schema.json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
