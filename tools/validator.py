"""Writes handler/imported_key_material/schema_validator.py: the rules of schema.json as code, by fastjsonschema.

    python -m tools.validator            writes the module
    python -m tools.validator --check    writes nothing; exit code 1 if the module is not what it would write

fastjsonschema turns a schema into Python code. Done at each cold start, this took 13 ms of it.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

import fastjsonschema

from tools.generated import write_or_check
from tools.reference import SCHEMA, only_attributes

MODULE: Final = SCHEMA.with_name("schema_validator.py")

_HEAD: Final = '''\
"""The rules of schema.json as code. fastjsonschema wrote it: change schema.json, then run `make reference`.

`validate` raises JsonSchemaValuesException with all faults. It goes into the package since writing it takes longer than
anything else that the package does while it loads.
"""
# mypy: ignore-errors

'''


def code(schema: Mapping[str, Any]) -> str:
    """The module's text: what may be declared, without the descriptions, which only the reference page shows."""
    read_only = only_attributes(schema)
    rules = {key: schema[key] for key in ("type", "additionalProperties", "required")}
    rules["properties"] = {
        name: _without_description(rule) for name, rule in schema["properties"].items() if name not in read_only
    }
    # fast_fail=False reports all faults at once.
    return _HEAD + fastjsonschema.compile_to_code(rules, use_default=False, fast_fail=False)


def _without_description(rule: Mapping[str, Any]) -> dict[str, Any]:
    short = {key: value for key, value in rule.items() if key != "description"}
    if "properties" in rule:
        short["properties"] = {name: _without_description(inner) for name, inner in rule["properties"].items()}
    return short


def main(arguments: list[str]) -> int:
    text = code(json.loads(SCHEMA.read_text("utf-8")))
    return write_or_check(
        arguments,
        program="validator",
        page=MODULE,
        text=text,
        source="schema.json",
        folder="handler/imported_key_material",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
