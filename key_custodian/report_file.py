"""Reads the reports that wrap, generate, combine and put print with --json, for `put --report` and `verify --report`.

A report is not signed: anyone who can change the file chooses what it says. So it only says what to compare, and is never
evidence of what a key holds. Each text must have its form, since it is shown, sent to AWS, and put into templates and commands.
An error names what the file is instead: a receipt, a report of check, a changed report. It repeats nothing of the file.

Reports of version 0.2.0 have the same fields, without `report`, `report_version` and a stored version's `wrapped_sha256`.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from imported_key_material.aws.transport_key import SYMMETRIC
from imported_key_material.consent import TAG
from imported_key_material.errors import Refused
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import KEY_SPECS, WRAPPING_ALGORITHMS, MacKey
from key_custodian import forms, report, sources
from key_custodian.errors import refused
from key_custodian.report import MaterialReport, WrapReport

WHERE: Final = "--report"
_OPENS_FOR: Final = re.compile(rf"{forms.ACCOUNT.pattern}/{forms.SECRET_NAME.pattern}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CHANGED: Final = "Somebody may have changed the file."
_BY_WRAP: Final = "Name what key-custodian wrap, generate or combine printed with --json."
_BY_WRAP_OR_PUT: Final = "Name what key-custodian wrap, generate, combine or put printed with --json."


@dataclass(frozen=True, slots=True)
class StoredReport:
    """What put reported of a stored version. `check_value`, `wrapped_sha256`: "" where the report has none."""

    key_spec: str
    check_value: str
    secret: str
    version_id: str
    wrapped_sha256: str


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report, with the name and the SHA-256 of its file."""

    file: str
    sha256: str
    content: WrapReport | StoredReport


class _NotTheFormError(Exception):
    """A field of a report is missing, or does not have its form. Holds only the field's name."""


class _TwiceError(Exception):
    """An object has a field twice."""


def read(source: str) -> ReportFile:
    """Refused (`source`) where it is no report."""
    text = sources.read_report(source, option=WHERE, remedy=_BY_WRAP_OR_PUT)
    found = _object(text, source)
    kind = found.get("report") or _kind_by_fields(found)
    if kind not in (report.WRAPPED, report.STORED):
        raise refused(source, _what_it_is(found), _BY_WRAP_OR_PUT)
    its_version = found.get("report_version", report.VERSION)
    if type(its_version) is not int or its_version != report.VERSION:  # True and 1.0 equal 1
        problem = f"The report has another version than {report.VERSION}, which this tool reads."
        raise refused(source, problem, "Use the version of the tool that made it.")
    field = ""
    try:
        content = _wrapped(found) if kind == report.WRAPPED else _stored(found)
        return ReportFile(source, hashlib.sha256(text).hexdigest(), content)
    except _NotTheFormError as error:
        field = str(error)
    problem = f"The report's field {field} is missing or does not have its form: this tool did not write it so."
    raise refused(source, problem, f"{_CHANGED} {_BY_WRAP_OR_PUT}")


def read_wrapped(source: str) -> WrapReport:
    """Refused (`source`) where it is no report of a wrapped file."""
    content = read(source).content
    if isinstance(content, StoredReport):
        raise refused(source, "The file is a report of put, and not the report of a wrapped file.", _BY_WRAP)
    return content


def _object(text: bytes, source: str) -> Mapping[str, Any]:
    is_twice = False
    try:
        found = json.loads(text, object_pairs_hook=_fields)
    except _TwiceError:
        is_twice = True
    except (ValueError, RecursionError):
        found = None  # the exception holds the text
    if is_twice:
        problem = "A field is in the report twice: this tool did not write it so."
        raise refused(source, problem, f"{_CHANGED} {_BY_WRAP_OR_PUT}")
    if isinstance(found, dict):
        return found
    raise refused(source, "The file holds no JSON object, so it is no report.", _BY_WRAP_OR_PUT)


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Another program may show the first value of such a field, and this one would take the last."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _TwiceError
    return fields


def _kind_by_fields(found: Mapping[str, Any]) -> str:
    """Of a report that does not name its kind."""
    if {"wrapped_sha256", "algorithm"} <= found.keys():
        return report.WRAPPED
    return report.STORED if {"secret", "version_id", "stages"} <= found.keys() else ""


def _what_it_is(found: Mapping[str, Any]) -> str:
    if "receipt" in found:
        return "The file is a receipt of verify, and no report: it says what KMS showed, not what to compare."
    if "in_order" in found:
        return "The file is a report of check, and not the report of a wrapped file or a stored version."
    return "The file holds a JSON object that is no report of a wrapped file or a stored version."


# ---------------------------------------------------------------------------------------------------------- the two kinds


def _wrapped(found: Mapping[str, Any]) -> WrapReport:
    key_spec = _text(found, "key_spec", form=KEY_SPECS)
    expected = _text(found, "properties", "ExpectedCheckValue", form=forms.CHECK_VALUE, needed=False)
    check_values = _check_values(found, key_spec)
    if check_values and check_values[0] != expected:
        raise _NotTheFormError("properties.ExpectedCheckValue")
    return WrapReport(
        material=MaterialReport(
            key_spec, 0, check_values or tuple(filter(None, [expected])), confirmation_mac=_mac(found, key_spec)
        ),
        algorithm=_text(found, "algorithm", form=(SYMMETRIC, *WRAPPING_ALGORITHMS)),
        kms_key=_text(found, "properties", "SecretWrapping", "KeyId", form=forms.KEY_ARN, needed=False),
        opens_for=_text(found, "encryption_context", TAG, form=_OPENS_FOR, needed=False),
        sha256=_text(found, "wrapped_sha256", form=_SHA256),
    )


def _stored(found: Mapping[str, Any]) -> StoredReport:
    key_spec = _text(found, "key_spec", form=KEY_SPECS)
    expected = _text(found, "check_value", form=forms.CHECK_VALUE, needed=False)
    if expected:
        _require_check_value("check_value", expected, key_spec)
    stored = StoredReport(
        key_spec=key_spec,
        check_value=expected,
        secret=_text(found, "secret", form=forms.SECRET_ARN),
        version_id=_text(found, "version_id", form=forms.VERSION_ID),
        wrapped_sha256=_text(found, "wrapped_sha256", form=_SHA256, needed=False),
    )
    for name, value in {
        "SecretId": stored.secret,
        "SecretVersionId": stored.version_id,
        "ExpectedCheckValue": stored.check_value,
    }.items():
        if _text(found, "properties", name, form=re.compile(".*"), needed=False) != value:
            raise _NotTheFormError(f"properties.{name}")
    return stored


def _check_values(found: Mapping[str, Any], key_spec: str) -> tuple[str, ...]:
    values = found.get("check_values", [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _NotTheFormError("check_values")
    for value in values:
        _require_check_value("check_values", value, key_spec)
    if len({value.upper().partition(":")[0] for value in values}) != len(values):
        raise _NotTheFormError("check_values")  # two values of one method: any of them would agree
    return tuple(values)


def _require_check_value(field: str, value: str, key_spec: str) -> None:
    fits = True
    try:
        check_value.check_expected_form(value, KEY_SPECS[key_spec])
    except Refused:
        fits = False
    if not fits:
        raise _NotTheFormError(field)


def _mac(found: Mapping[str, Any], key_spec: str) -> str:
    form = KEY_SPECS[key_spec].form
    digits = 2 * form.size_bytes if isinstance(form, MacKey) else 0
    return _text(found, "confirmation_mac", form=re.compile(rf"[0-9A-Fa-f]{{{digits}}}"), needed=False)


def _text(found: Mapping[str, Any], *path: str, form: re.Pattern[str] | Collection[str], needed: bool = True) -> str:
    """Returns a field's text. "" for a missing or empty field that is not `needed`."""
    value: Any = found
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if value in (None, "") and not needed:
        return ""
    fits = isinstance(value, str) and (form.fullmatch(value) if isinstance(form, re.Pattern) else value in form)
    if not fits:
        raise _NotTheFormError(".".join(path))
    return str(value)
