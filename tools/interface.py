"""What users' templates rely on, and whether this version keeps what earlier versions promised.

    python -m tools.interface            writes tests/records/interface/VERSION.json
    python -m tools.interface --check    writes nothing; exit code 1 if that record is not current, or a promise is broken

The promise stands in docs/deploying.md, "Upgrade": what an earlier version accepted, this one accepts. So no name goes, a rule
only gets wider, and a default stays. A change of the interface shows as a change of the record.
"""

import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from samtranslator.yaml_helper import yaml_parse

from tools import reference
from tools.generated import write_or_check
from tools.reference import SCHEMA

REPOSITORY: Final = Path(__file__).resolve().parents[1]
RECORDS: Final = REPOSITORY / "tests" / "records" / "interface"

type Rule = dict[str, Any]
type Interface = Mapping[str, Mapping[str, Rule]]
"""properties, attributes, parameters, outputs -> name -> its rule. SecretWrapping.KeyId and PreviousSecretVersionIds[] are
names, too; the name "" has the rule of all properties together."""

_NO_RULES: Final = {"description", "$comment", "Description", "ConstraintDescription", "properties", "items"}
_MAY_GROW: Final = {"maximum", "MaxValue", "maxLength", "MaxLength", "maxItems"}
_MAY_SHRINK: Final = {"minimum", "MinValue", "minLength", "MinLength", "minItems"}
_MAY_GAIN: Final = {"enum", "AllowedValues", "type"}


def version() -> str:
    project: str = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return project


def present() -> Interface:
    """The interface that schema.json and template.yaml have now."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    template = yaml_parse((REPOSITORY / "template.yaml").read_text("utf-8"))
    no_properties = reference.only_attributes(schema)
    return {
        "attributes": {name: {} for name in reference.attributes(schema)},
        "outputs": {name: output.get("Export", {}) for name, output in template["Outputs"].items()},
        "parameters": {name: _rule(parameter) for name, parameter in template["Parameters"].items()},
        "properties": {name: rule for name, rule in _named("", schema) if name not in no_properties},
    }


def _named(name: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Rule]]:
    """A schema's own rule, and those of the properties and items inside it."""
    yield (
        name,
        _rule({key: schema[key] for key in schema if name or key in {"additionalProperties", "required", "type"}}),
    )
    for inner, rule in schema.get("properties", {}).items():
        yield from _named(f"{name}.{inner}".lstrip("."), rule)
    if "items" in schema:
        yield from _named(f"{name}[]", schema["items"])


def _rule(written: Mapping[str, Any]) -> Rule:
    return {key: value for key, value in written.items() if key not in _NO_RULES}


def broken_promises(earlier: Interface, now: Interface) -> list[str]:
    """One sentence for each thing that `earlier` accepted or gave and `now` does not."""
    return [
        *(f"{kind}: {name} is gone." for kind, names in earlier.items() for name in names if name not in now[kind]),
        *(
            f"{kind}: {name}: {sentence}"
            for kind, names in earlier.items()
            for name, rule in names.items()
            if name in now[kind]
            for sentence in _narrower(rule, now[kind][name])
        ),
        *(
            f"parameters: {name} is new and has no default."
            for name, rule in now["parameters"].items()
            if name not in earlier["parameters"] and "Default" not in rule
        ),
    ]


def _narrower(earlier: Rule, now: Rule) -> Iterator[str]:
    """What the rule of now refuses or gives otherwise. Whether one pattern is wider than another only a person can see."""
    yield from (f"the rule {key} is new." for key in now if key not in earlier)
    for key, old in earlier.items():
        if key not in now:
            if key == "Default":
                yield "it has no default any more."
        elif not _as_wide(key)(old, now[key]):
            yield f"{key} was {json.dumps(old)}, and is {json.dumps(now[key])}."


def _as_wide(key: str) -> Callable[[Any, Any], bool]:
    if key in _MAY_GROW:
        return lambda old, new: bool(new >= old)
    if key in _MAY_SHRINK:
        return lambda old, new: bool(new <= old)
    if key in _MAY_GAIN:
        return lambda old, new: _values(old) <= _values(new)
    if key == "required":
        return lambda old, new: _values(new) <= _values(old)
    return lambda old, new: bool(new == old)


def _values(written: object) -> set[object]:
    return set(written) if isinstance(written, list) else {written}


def main(arguments: list[str]) -> int:
    now, current = present(), RECORDS / f"{version()}.json"
    broken = [
        f"{path.stem}: {sentence}"
        for path in sorted(RECORDS.glob("*.json"))
        if path != current
        for sentence in broken_promises(json.loads(path.read_text("utf-8")), now)
    ]
    for sentence in broken:
        print(f"Version {sentence} Stacks that rely on it would fail: docs/deploying.md, Upgrade.", file=sys.stderr)
    code = write_or_check(
        arguments,
        program="interface",
        page=current,
        text=json.dumps(now, indent=1, sort_keys=True) + "\n",
        source="the interface",
        folder="tests/records/interface",
    )
    return 1 if broken else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
