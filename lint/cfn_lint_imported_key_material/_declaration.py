"""The properties themselves, against the function's schema.json, in the words of its `properties.py` (E9901)."""

import difflib
import re
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from cfnlint.jsonschema import ValidationError
from cfnlint.rules.jsonschema.CfnLintJsonSchema import CfnLintJsonSchema

from cfn_lint_imported_key_material._schema import ONLY_ATTRIBUTES, PROPERTIES, SCHEMA, SOURCE_URL, TYPE
from cfn_lint_imported_key_material._template import branches, named_by, written_out

_WRAPPING: Final = PROPERTIES["SecretWrapping"]["properties"]

# Two ways to declare the same: the property that the error names -> the other.
_EXCLUDED: Final = {"ValidForDays": "ValidTo", "SecretVersionStage": "SecretVersionId"}
_NOT_PEM: Final = "BASE64 or HEX: with SecretWrapping it says how the ciphertext in the secret's text is encoded"
_PINNED: Final = {"required": ["SecretVersionId"]}
_RULES: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": SCHEMA["required"],
    "properties": PROPERTIES,
    "dependentExcluded": {other: [name] for name, other in _EXCLUDED.items()},
    "allOf": [
        {
            "if": {"required": ["SecretWrapping", "MaterialEncoding"]},
            "then": {"properties": {"MaterialEncoding": {"not": {"enum": ["PEM"]}, "$comment": _NOT_PEM}}},
        },
        {
            "if": {"required": ["NewMaterial"], "properties": {"NewMaterial": {"enum": ["STAGE", "ROTATE"]}}},
            "then": _PINNED,
        },
    ],
}
_OF_LISTS: Final = {
    "minItems",
    "maxItems",
    "uniqueItems",
}  # cfn-lint checks these separately, without our rule in words
_UNPINNED_SENTENCE: Final = (
    "STAGE and ROTATE need a pinned SecretVersionId, since a rotation can't be taken back. Declare SecretVersionId, the "
    "version that holds the new material."
)

# The references that CloudFormation resolves in custom resources, and the two that it leaves as they are.
_RESOLVED: Final = re.compile(r"\{\{\s*resolve:ssm:")
_UNRESOLVED: Final = re.compile(r"\{\{\s*resolve:(secretsmanager|ssm-secure)\b")
_UNRESOLVED_SENTENCE: Final = (
    "The value contains {{resolve:, and CloudFormation does not resolve secretsmanager and ssm-secure references in custom "
    "resources. Name the secret in SecretId; its value never goes through a template."
)


class DeclaredProperties(CfnLintJsonSchema):
    """The properties, against schema.json."""

    id = "E9901"
    shortdesc = f"The properties of {TYPE} are what its schema says"
    description = "Checks names, values and combinations of properties as the function does"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def __init__(self) -> None:
        super().__init__(keywords=[f"Resources/{TYPE}/Properties"], all_matches=True)

    def validate(self, validator: Any, keywords: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG002  # cfn-lint's own
        """Overrides cfn-lint's, which ignores parameters: this checks their default and allowed values, too."""
        functions = validator.function_filter.evolve(validate_dynamic_references=False, add_cfn_lint_keyword=False)
        own = self.extend_validator(validator.evolve(function_filter=functions), _RULES, validator.context.evolve())
        instance = _with_dates_as_text(instance)
        found = [*_unresolved(instance), *_aliases(instance, validator.context.resources)]
        names = {error.path[0] for error in found}  # cfn-lint changes an error's path after the yield
        found += [error for error in own.iter_errors(instance) if not error.path or error.path[0] not in names]
        seen = set()
        for error in found:
            if _RESOLVED.match(str(error.instance)):
                continue
            error.message = _sentence(error)
            if error.rule is None and not str(error.validator).startswith(("fn_", "ref")):
                error.rule = self
            if (here := (tuple(error.path), error.message)) not in seen:
                seen.add(here)
                yield error


# --------------------------------------------------------------------------------------------------- finding what is wrong


def _with_dates_as_text(value: Any) -> Any:
    """YAML makes a date of 2027-01-31 without quotes, CloudFormation a string. A time with its zone stays: it fits."""
    if isinstance(value, dict):
        return {name: _with_dates_as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_dates_as_text(item) for item in value]
    has_zone = isinstance(value, datetime) and value.tzinfo is not None
    return value.isoformat() if isinstance(value, date) and not has_zone else value


def _unresolved(value: Any, path: tuple[Any, ...] = ()) -> Iterator[ValidationError]:
    if isinstance(value, str) and _UNRESOLVED.search(value):
        yield ValidationError(f"{path[0]}: {_UNRESOLVED_SENTENCE}", path=deque(path))
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _unresolved(inner, (*path, key))


def _aliases(declared: Any, resources: Mapping[str, Any]) -> Iterator[ValidationError]:
    """Ref gives an alias's name. cfn-lint does not know that, so the schema's own pattern does not find it."""
    key_id = declared.get("KeyId") if isinstance(declared, dict) else None
    for path, value in branches(key_id, ("KeyId",)):
        names = [name for name in named_by(value) if written_out(value) == f"${{{name}}}"]
        if any(name in resources and resources[name].type == "AWS::KMS::Alias" for name in names):
            yield ValidationError("", path=deque(path), schema=PROPERTIES["KeyId"])


# ----------------------------------------------------------------------------------------------------- saying what is wrong


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    if name in ONLY_ATTRIBUTES and known is not _WRAPPING:
        return "This is an attribute, not a property. Take it out, and read it with Fn::GetAtt."
    spelled = {right.casefold(): right for right in known}
    near = difflib.get_close_matches(name.casefold(), spelled, n=1, cutoff=0.6)
    if not near:
        return "There is no such property. Take it out."
    inside = "SecretWrapping." if known is _WRAPPING else ""
    return f"There is no such property. Is it {inside}{spelled[near[0]]}?"


def _sentence(error: ValidationError) -> str:
    """The property, what is wrong with it, and the rule; cfn-lint's own message for its own errors."""
    parts = [str(part) for part in error.path if not isinstance(part, int) and part != "Fn::If"]
    names = [part for part in parts if not _is_function(part)]
    if error.validator == "required" and error.schema == _PINNED:
        return f"NewMaterial: {_UNPINNED_SENTENCE}"
    if error.validator == "required":
        names.append(error.message.split("'")[1])  # 'KeyId' is a required property
        return f"{'.'.join(names)}: The property is missing. Declare {_rule_of(names)}."
    where = ".".join(names) or "Properties"
    if error.validator == "additionalProperties":
        return f"{where}: {_unknown(str(error.path[-1]), error.schema['properties'])}"
    if error.validator == "dependentExcluded":
        other = _EXCLUDED[where]
        return f"{where}: {other} and {where} are both declared, and they are two ways to say one thing. Keep one."
    rule = error.schema.get("$comment") if isinstance(error.schema, dict) else None
    if error.validator in _OF_LISTS:
        rule = _rule_of(names)
    if rule is None:
        return str(error.message)
    by_function = "".join(f" that {part} gives" for part in parts if _is_function(part))
    return f"{where}: The value{by_function} does not fit the property's rule. It must be {rule}."


def _is_function(part: str) -> bool:
    return part == "Ref" or part.startswith("Fn::")


def _rule_of(names: list[str]) -> str:
    rules: dict[str, Any] = {"properties": PROPERTIES}
    for name in names:
        rules = rules["properties"][name]
    return str(rules["$comment"])
