"""The declaration: ResourceProperties against `schema.json`, as a frozen dataclass.

`schema.json` is the only source of what may be declared. The validator (`schema_validator.py`) and the reference page are
written from it, and the lint rule reads it. Its `$comment`s are the rules in words, which errors quote. No error quotes a
value: a user may have put plaintext anywhere. Every scalar arrives from CloudFormation as a string. Pure: no AWS, no clock.
"""

import difflib
import enum
import json
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fastjsonschema import JsonSchemaValuesException

from imported_key_material import schema_validator
from imported_key_material.errors import Faults

SCHEMA: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("schema.json").read_text("utf-8"))
_ATTRIBUTES = {pointer.rsplit("/", 1)[-1] for pointer in SCHEMA["readOnlyProperties"]}
DECLARABLE = {name: rule for name, rule in SCHEMA["properties"].items() if name not in _ATTRIBUTES}

_LISTS = {name: rule for name, rule in DECLARABLE.items() if rule["type"] == "array"}
_DOES_NOT_FIT = "The value does not fit the property's rule."

# The user also chose the properties' names: an error quotes only what looks like a name.
_NAME = re.compile(r"[A-Za-z]{1,40}")

RESOLVE = "{{resolve:"

UNKNOWN_NAMED_MOST = 20  # an event has room for a hundred thousand, and each is compared with all known names


class NewMaterial(enum.StrEnum):
    """What to do with bytes that the key does not know (docs/internals/design.md, rule 5)."""

    REFUSE = "REFUSE"
    STAGE = "STAGE"
    ROTATE = "ROTATE"


@dataclass(frozen=True, slots=True, repr=False)
class SecretWrapping:
    """How the material in the secret is wrapped. Its repr shows nothing, as with `Properties`."""

    algorithm: str
    key_id: str


@dataclass(frozen=True, slots=True, repr=False)
class Properties:
    """What the stack declares; None where nothing is declared and there is no default. Its repr shows no value."""

    key_id: str  # "" if the declared KeyId is faulty; likewise for secret_id
    secret_id: str
    secret_version_id: str | None
    secret_version_stage: str | None
    secret_json_key: str | None
    material_encoding: str | None
    secret_wrapping: SecretWrapping | None
    wrapping_algorithm: str | None
    wrapping_key_spec: str
    valid_to: datetime | None
    valid_for_days: int | None
    key_material_description: str | None
    previous_secret_version_ids: tuple[str, ...]
    new_material: NewMaterial
    expected_check_value: str | None
    trigger: str | None


def read(declared: Mapping[str, Any], faults: Faults) -> Properties:
    """Returns what is declared. Adds what is wrong to `faults`; a faulty field takes its default."""
    unresolved = dict.fromkeys(_unresolved(declared))
    plain = _for_the_validator(declared, faults)
    faulty = {where.split(".", 1)[0] for where in unresolved} | (set(declared) - set(plain))
    faulty |= set(_schema_faults(plain, unresolved, faults))
    for where in unresolved:
        faults.add(
            where,
            f"The value contains {RESOLVE}, and CloudFormation does not resolve secretsmanager and ssm-secure references "
            "in custom resources.",
            "Name the secret in SecretId; its value never goes through a template.",
        )
    valid = {name: value for name, value in declared.items() if name in DECLARABLE and name not in faulty}

    def text(name: str) -> str | None:
        value = valid.get(name)
        return None if value is None else str(value)

    days = text("ValidForDays")
    wrapping = valid.get("SecretWrapping")
    properties = Properties(
        key_id=text("KeyId") or "",
        secret_id=text("SecretId") or "",
        secret_version_id=text("SecretVersionId"),
        secret_version_stage=text("SecretVersionStage"),
        secret_json_key=text("SecretJsonKey"),
        material_encoding=text("MaterialEncoding"),
        secret_wrapping=SecretWrapping(wrapping["Algorithm"], wrapping["KeyId"]) if wrapping else None,
        wrapping_algorithm=text("WrappingAlgorithm"),
        wrapping_key_spec=text("WrappingKeySpec") or "RSA_4096",
        valid_to=_time(text("ValidTo"), faults),
        valid_for_days=int(float(days)) if days else None,  # JSON Schema takes 30.0 for an integer
        key_material_description=text("KeyMaterialDescription"),
        previous_secret_version_ids=tuple(valid.get("PreviousSecretVersionIds", ())),
        new_material=NewMaterial(text("NewMaterial") or NewMaterial.REFUSE),
        expected_check_value=text("ExpectedCheckValue"),
        trigger=text("Trigger"),
    )
    _check_together(properties, declared, faults)
    return properties


def _for_the_validator(declared: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    """What the validator gets, with long lists cut: it compares each item of a list with all others, whatever the items are.

    So a list that is too long becomes a fault, and is left out. Each item that is no text is replaced by its number.
    """
    plain = dict(declared)
    for name, rule in _LISTS.items():
        value = plain.get(name)
        if not isinstance(value, list):
            continue
        if len(value) > rule["maxItems"]:
            faults.add(name, _DOES_NOT_FIT, f"It must be {rule['$comment']}.")
            del plain[name]
        else:
            plain[name] = [item if isinstance(item, str) else number for number, item in enumerate(value)]
    return plain


def _schema_faults(declared: Mapping[str, Any], explained: Collection[str], faults: Faults) -> Iterator[str]:
    """Adds a fault for each broken rule of the schema, but not where it is `explained`. Gives the faulty top-level names."""
    try:
        schema_validator.validate(declared)
    except JsonSchemaValuesException as refused:
        broken = refused.errors
    else:
        return
    for error in broken:
        path = error.path[1:]  # the first part is the validator's own name for the data
        where = ".".join(path) or "Properties"
        if error.rule == "additionalProperties":
            _add_all_unknown(error.value, path, error.definition["properties"], faults)
        elif error.rule == "required":
            for name in sorted(set(error.definition["required"]) - set(error.value)):
                rule = error.definition["properties"][name]["$comment"]
                faults.add(".".join([*path, name]), "The property is missing.", f"Declare {rule}.")
        elif where not in explained:
            faults.add(where, _DOES_NOT_FIT, f"It must be {error.definition['$comment']}.")
        if path:
            yield path[0]


def _add_all_unknown(declared: Collection[object], path: list[str], known: Mapping[str, Any], faults: Faults) -> None:
    unknown = sorted(set(declared) - set(known), key=str)
    for name in unknown[:UNKNOWN_NAMED_MOST]:
        _add_unknown(name, path, known, faults)
    if (more := len(unknown) - UNKNOWN_NAMED_MOST) > 0:
        problem = f"There are {more:,} more properties that this resource does not have."
        faults.add(".".join(path) or "Properties", problem, "Take them out.")


def _add_unknown(name: object, path: list[str], known: Mapping[str, Any], faults: Faults) -> None:
    inside = ".".join(path) or "Properties"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        faults.add(inside, "There is a property that this resource does not have.", "Take it out.")
        return
    where = ".".join([*path, name])
    if name in _ATTRIBUTES and not path:
        faults.add(where, "This is an attribute, not a property.", "Take it out, and read it with Fn::GetAtt.")
        return
    spelled = {right.casefold(): right for right in known}
    near = difflib.get_close_matches(name.casefold(), spelled, n=1, cutoff=0.5)
    remedy = f"Is it {'.'.join([*path, spelled[near[0]]])}?" if near else "Take it out."
    faults.add(where, "There is no such property.", remedy)


def _unresolved(declared: Mapping[str, Any]) -> Iterator[str]:
    """Gives each place where CloudFormation left a dynamic reference: `Name` or `Name.Inner`, even if it is deeper."""
    waiting: deque[tuple[str, object]] = deque([("", declared)])
    while waiting:
        where, value = waiting.popleft()
        if isinstance(value, str):
            if RESOLVE in value:
                yield where
        elif isinstance(value, Mapping):
            waiting.extend((_inside(where, name), inner) for name, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((where, inner) for inner in value)


def _inside(where: str, name: object) -> str:
    shown = name if isinstance(name, str) and _NAME.fullmatch(name) else ""
    if not where:
        return shown or "Properties"
    return f"{where}.{shown}" if shown and "." not in where else where


def _time(value: str | None, faults: Faults) -> datetime | None:
    """The schema checks the form; it can't check that there is such a day."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        faults.add("ValidTo", "There is no such date and time.", f"It must be {DECLARABLE['ValidTo']['$comment']}.")
        return None


def _check_together(properties: Properties, declared: Mapping[str, Any], faults: Faults) -> None:
    """The rules between properties."""
    if "ValidTo" in declared and "ValidForDays" in declared:
        faults.add(
            "ValidTo",
            "ValidTo and ValidForDays are both declared, and they are two ways to say one thing.",
            "Keep one.",
        )
    if "SecretVersionId" in declared and "SecretVersionStage" in declared:
        faults.add(
            "SecretVersionId",
            "SecretVersionId and SecretVersionStage are both declared, and they are two ways to say one thing.",
            "Keep SecretVersionId: a pinned version makes updates and rollbacks exact.",
        )
    if properties.new_material is not NewMaterial.REFUSE and "SecretVersionId" not in declared:
        faults.add(
            "NewMaterial",
            f"{properties.new_material} needs a pinned SecretVersionId, since a rotation can't be taken back.",
            "Declare SecretVersionId, the version that holds the new material.",
        )
    wrapped, encoding = properties.secret_wrapping, properties.material_encoding
    if wrapped and encoding == "PEM":
        faults.add(
            "MaterialEncoding",
            "PEM can't hold wrapped material. With SecretWrapping, MaterialEncoding is the encoding of the ciphertext.",
            "Use BASE64 or HEX, or leave it out. PEM inside the wrapping is recognized.",
        )
