"""What `key-custodian verify` compares a key with: values that the user types from paper, and values in reports.

A report saves typing, and that is all: it travelled, and it is not signed. So a typed value always counts, a report that
contradicts it is refused, and the receipt names the source of each value. Two reports must be of the same material.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import click

from key_custodian import report_file
from key_custodian.errors import refused
from key_custodian.report import WrapReport
from key_custodian.report_file import ReportFile

_MOST_REPORTS: Final = 2
FIND_OUT: Final = "Find out which is right: it may be the report of other material, or somebody changed it."


@dataclass(frozen=True, slots=True)
class UsedReport:
    """A report file, and what verify took from it, in words; nothing if all of it was typed."""

    file: str
    sha256: str
    gave: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """`check_value`, `mac`, `secret`, `version_id`: "" if neither typed nor reported. `typed`: the names of what was typed.

    `reported_key_spec`, `reported_mac`, `reported_secret`: what a report says even if something else counts; "" without one.
    """

    check_value: str
    mac: str
    secret: str
    version_id: str
    typed: frozenset[str]
    reported_key_spec: str
    reported_mac: str
    reported_secret: str
    reports: tuple[UsedReport, ...]


CHECK_VALUE: Final = "the check value"
MAC: Final = "the confirmation MAC"
SECRET: Final = "the secret"  # noqa: S105  # words for people
VERSION: Final = "the version"


def of(
    files: Sequence[str], *, check_value: str | None, mac: str | None, secret: str | None, version_id: str | None
) -> Compared:
    """The other arguments are the typed values. UsageError for too many reports; Refused for what contradicts a report."""
    if len(files) > _MOST_REPORTS:
        raise click.UsageError("--report is given once or twice: for the wrapped file, and for the stored version.")
    read = [report_file.read(file) for file in files]
    for one, other in combinations(read, 2):
        _require_same(one, other)
    typed = {CHECK_VALUE: check_value, MAC: mac, SECRET: secret, VERSION: version_id}
    reported: dict[str, str] = {}
    used: list[UsedReport] = []
    for report in read:
        says = dict(_says(report))
        gave = tuple(name for name in says if not typed[name] and name not in reported)
        used.append(UsedReport(report.file, report.sha256, gave))
        reported = says | reported
    _require_agreement(read, check_value, mac, version_id)
    values = {name: value or reported.get(name, "") for name, value in typed.items()}
    return Compared(
        check_value=values[CHECK_VALUE],
        mac=values[MAC],
        secret=values[SECRET],
        version_id=values[VERSION],
        typed=frozenset(name for name, value in typed.items() if value),
        reported_key_spec=next((report.content.key_spec for report in read), ""),
        reported_mac=reported.get(MAC, ""),
        reported_secret=reported.get(SECRET, ""),
        reports=tuple(used),
    )


def _says(report: ReportFile) -> Iterator[tuple[str, str]]:
    """The values in a report, without those that it does not have."""
    content = report.content
    if content.check_value:
        yield CHECK_VALUE, content.check_value
    if isinstance(content, WrapReport):
        if content.material.confirmation_mac:
            yield MAC, content.material.confirmation_mac
    else:
        yield from ((SECRET, content.secret), (VERSION, content.version_id))


def _require_same(one: ReportFile, other: ReportFile) -> None:
    """Refused (--report) for two reports of one kind, or of different material."""
    if type(one.content) is type(other.content):
        problem = f"{one.file} and {other.file} are reports of the same kind."
        remedy = "Name one of wrap, generate or combine, and one of put."
        raise refused(report_file.WHERE, problem, remedy)
    differs = (
        one.content.key_spec != other.content.key_spec
        or not _agree(_check_values(one), _check_values(other))
        or _differ(_wrapped_sha256(one), _wrapped_sha256(other))
    )
    if differs:
        problem = f"{one.file} and {other.file} are not of the same wrapped file."
        raise refused(report_file.WHERE, problem, FIND_OUT)


def _require_agreement(
    reports: Sequence[ReportFile], check_value: str | None, mac: str | None, version_id: str | None
) -> None:
    for report in reports:
        reported, says = _check_values(report), dict(_says(report))
        if check_value and not _agree([check_value], reported):
            problem = f"It is not the check value in {report.file}, which is {' or '.join(reported)}."
            raise refused("--expected-check-value", problem, FIND_OUT)
        if mac and _differ(mac.upper(), says.get(MAC, "").upper()):
            raise refused("--mac", f"It is not the confirmation MAC in {report.file}.", FIND_OUT)
        if version_id and _differ(version_id, says.get(VERSION, "")):
            problem = f"It is not the version in {report.file}, which is {says[VERSION]}."
            raise refused("--version-id", problem, FIND_OUT)


def _check_values(report: ReportFile) -> Sequence[str]:
    content = report.content
    if isinstance(content, WrapReport):
        return content.material.check_values
    return [content.check_value] if content.check_value else []


def _wrapped_sha256(report: ReportFile) -> str:
    content = report.content
    return content.sha256 if isinstance(content, WrapReport) else content.wrapped_sha256


def _agree(ones: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two lists have a check value in common: of one method, with the same digits as far as both go.

    An empty list contradicts nothing.
    """
    if not ones or not others:
        return True
    return any(_same(one.upper(), other.upper()) for one in ones for other in others)


def _same(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _differ(one: str, other: str) -> bool:
    """Whether both are known, and differ."""
    return bool(one and other and one != other)
