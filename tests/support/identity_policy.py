"""Decides as IAM does whether the statements of a role's policies let a request through.

Only identity policies: an explicit Deny wins, else one Allow suffices, else no. It ignores what a key policy or a
resource policy adds. A condition operator that is not in the table is an error.

Source: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Condition operators", "Single-valued vs.
multivalued context keys".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lab.role_calls import Call, Context


def allows(statements: Iterable[Mapping[str, Any]], call: Call) -> bool:
    effects = {statement["Effect"] for statement in statements if _matches(statement, call)}
    return "Allow" in effects and "Deny" not in effects


def _matches(statement: Mapping[str, Any], call: Call) -> bool:
    return (
        any(_like(pattern.lower(), call.action.lower()) for pattern in _listed(statement["Action"]))
        and any(_like(pattern, call.resource) for pattern in _listed(statement["Resource"]))
        and all(
            _condition(operator, _listed(values), _value(call.context, key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _condition(operator: str, expected: list[str], found: str | tuple[str, ...] | None) -> bool:
    if operator == "Null":
        return (found is None) == (expected == ["true"])
    if operator.startswith("ForAllValues:"):
        test = _OPERATORS[operator.removeprefix("ForAllValues:")]
        return all(test(value, expected) for value in _listed(found or ()))
    test = _OPERATORS[operator]
    if isinstance(found, tuple):
        raise TypeError(f"{operator}: a multivalued key needs ForAllValues or ForAnyValue.")
    return test(found, expected)


_OPERATORS: Mapping[str, Callable[[str | None, list[str]], bool]] = {
    "ArnEquals": lambda found, expected: found is not None and any(_like(pattern, found) for pattern in expected),
    "StringEquals": lambda found, expected: found in expected,
    "StringNotEquals": lambda found, expected: found not in expected,  # a key that is not there: true
}


def _value(context: Context, key: str) -> str | tuple[str, ...] | None:
    """Names of condition keys are compared without regard to case."""
    return next((value for name, value in context.items() if name.lower() == key.lower()), None)


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
