"""When the material expires, by its declaration (E9907, W9913)."""

import contextlib
import itertools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from cfn_lint_imported_key_material._schema import SOURCE_URL, TYPE
from cfn_lint_imported_key_material._template import KEY_TYPES, branches, named_by, properties


class OtherExpiryOfOneKey(CloudFormationLintRule):
    """KMS keeps only one expiry of a key's material: if two declarations differ, one of them is not kept.

    The function can't find this: it sees that another resource of the stack holds the key, but not what that declares.
    """

    id = "E9907"
    shortdesc = "Resources that hold the same key declare the same expiry"
    description = "Compares ValidTo and ValidForDays of those resources of the template whose KeyId names the same key"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(
                ["Resources", second, "Properties", "KeyId"],
                f"KeyId: {first} holds the same key, and declares another expiry. KMS keeps only the expiry of the last "
                "import. Declare the same ValidTo or ValidForDays in both.",
            )
            for (first, one), (second, other) in itertools.combinations(cfn.get_resources(TYPE).items(), 2)
            if _may_be_there_together(one, other)
            and _key_named(cfn, one) == _key_named(cfn, other) is not None
            and _surely_differ(_expiry(one), _expiry(other))
        ]


def _may_be_there_together(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Two different conditions may exclude each other: their values are not known."""
    conditions = {one.get("Condition"), other.get("Condition")}
    return None in conditions or len(conditions) == 1


def _key_named(cfn: Template, material: Mapping[str, Any]) -> str | None:
    """What identifies the key: its logical id, the last part of its id or ARN, or the expression; None: no KeyId."""
    key_id = properties(material).get("KeyId")
    if not isinstance(key_id, dict):
        return None if key_id is None else str(key_id).rsplit("/", 1)[-1]
    named = {name for name in named_by(key_id) if not name.startswith("AWS::")}
    keys = cfn.get_resources([*KEY_TYPES])
    if len(named) == 1 and "Fn::If" not in key_id and named <= keys.keys():
        return named.pop()
    return json.dumps(key_id, sort_keys=True, default=str)


def _expiry(material: Mapping[str, Any]) -> tuple[object, object]:
    """ValidTo and ValidForDays for a comparison: a time, a number, None; or a function of CloudFormation's."""
    declared = properties(material)
    valid_to, days = declared.get("ValidTo"), declared.get("ValidForDays")
    time = _time(valid_to)
    return valid_to if time is None else time.timestamp(), str(days) if isinstance(days, int) else days


def _surely_differ(one: tuple[object, object], other: tuple[object, object]) -> bool:
    """False if only a deployment knows: a function may return any value, or none."""
    known = not any(isinstance(value, dict) for value in (*one, *other))
    return known and one != other


class ExpiryInThePast(CloudFormationLintRule):
    """Only a warning: a template gets old. While nothing changes in the resource, CloudFormation sends the function no request.

    The next create or update of the resource is refused, also an update that changes something else: KMS has deleted the
    material by then, so each would have to import it.
    """

    id = "W9913"
    shortdesc = "ValidTo is in the future"
    description = "Compares ValidTo, where it is written out, with the clock"
    source_url = SOURCE_URL
    tags = ("resources", "kms")

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._now = now

    def match(self, cfn: Template) -> list[RuleMatch]:
        now = self._now()
        return [
            RuleMatch(
                ["Resources", name, "Properties", "ValidTo", *path],
                "ValidTo: The time has passed, and KMS would refuse it. Declare a later time, or ValidForDays.",
            )
            for name, material in cfn.get_resources(TYPE).items()
            for path, value in branches(properties(material).get("ValidTo"))
            if _has_passed(value, now)
        ]


def _has_passed(valid_to: object, now: datetime) -> bool:
    time = _time(valid_to)
    return time is not None and time <= now


def _time(valid_to: object) -> datetime | None:
    """None for everything that is no time with its zone: E9901 finds that. A time without quotes is a datetime already."""
    if isinstance(valid_to, str):
        with contextlib.suppress(ValueError):
            valid_to = datetime.fromisoformat(valid_to)
    return valid_to if isinstance(valid_to, datetime) and valid_to.tzinfo is not None else None
