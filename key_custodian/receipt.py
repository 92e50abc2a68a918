"""The receipt of `key-custodian verify`: who asked, when, about which key, and what KMS proved; as text and as JSON.

It holds no material. If a value came from a report, the receipt shows the value, the file and its SHA-256: who changed the file
chose what was compared, so people compare the value with the paper. An auditor finds each call in CloudTrail by the ids of the
requests. If answers are not from AWS, the receipt says so in its first and its last lines, since the lines between may fill a
screen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from key_custodian.compared import UsedReport
from key_custodian.evidence import Finding, Key, Verdict
from key_custodian.session import Who, timestamp

VERSION: Final = 1
_WIDTH: Final = 16
_PLACE_OF_MAC: Final = "in the report: compare it with the paper"


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """A version of a secret that existed when the receipt was made."""

    arn: str
    name: str
    version_id: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """`expected`: the check value to compare, as it is written; `place`: where. `reported_mac`: of a report, and used, or "".

    `not_aws`, `requests`: of the `Session`.
    """

    finding: Finding
    key: Key
    expected: str
    place: str
    reported_mac: str
    reports: tuple[UsedReport, ...]
    secret: SecretVersion | None
    who: Who
    region: str
    not_aws: Mapping[str, str]
    requests: tuple[dict[str, str], ...]
    tool: str

    def to_json(self) -> dict[str, Any]:
        return {
            "receipt": "key-custodian verify",
            "receipt_version": VERSION,
            "not_aws": dict(self.not_aws) or None,
            "proved": self.finding.verdict is Verdict.PROVED,
            "verdict": self.finding.verdict.value,
            "shown_by": self.finding.by.value if self.finding.by else None,
            "found": self.finding.found,
            "proves": self.finding.proves or None,
            "does_not_show": self.finding.does_not_show or None,
            "check_value": {
                "expected": self.expected,
                "compared": bool(self.finding.compared_with),
                "shown_by_kms": self.finding.check_value or None,
            },
            "confirmation_mac": {"expected": self.reported_mac, "place": _PLACE_OF_MAC} if self.reported_mac else None,
            "reports": [{"file": one.file, "sha256": one.sha256, "gave": list(one.gave)} for one in self.reports],
            "key": _key(self.key),
            "secret": self._secret(),
            "by": {"account": self.who.account, "arn": self.who.arn},
            "region": self.region,
            "time": self.who.time,
            "aws_time": self.who.aws_time or None,
            "requests": list(self.requests),
            "tool": self.tool,
        }

    def _secret(self) -> dict[str, Any] | None:
        if self.secret is None:
            return None
        return {
            "arn": self.secret.arn,
            "name": self.secret.name,
            "version_id": self.secret.version_id,
            "stages": list(self.secret.stages),
        }

    def lines(self) -> list[str]:
        return [f"{label + ':' if label else '':<{_WIDTH}}{value}" for label, value in self._rows()]

    def _compared(self) -> str:
        if self.finding.compared_with:
            return f"{self.place}; compared with {self.finding.compared_with}"
        return f"{self.place}; not compared: {self.finding.not_compared}"

    def _rows(self) -> Iterator[tuple[str, str]]:
        finding, key = self.finding, self.key.view
        for label, (service, address) in zip(
            ("NOT AWS", *[""] * len(self.not_aws)), self.not_aws.items(), strict=False
        ):
            yield label, f"{service} was asked at {address}"
        yield "Verdict", finding.verdict.value + (f" (by {finding.by.value})" if finding.by else "")
        yield "Found", finding.found
        if finding.proves:
            yield "Proves", finding.proves
        if finding.does_not_show:
            yield "Does not show", finding.does_not_show
        yield "Check value", f"{self.expected} ({self._compared()})"
        if self.reported_mac:
            yield "MAC", f"{self.reported_mac} ({_PLACE_OF_MAC})"
        for report in self.reports:
            yield (
                "Report",
                f"{report.file} gave {' and '.join(report.gave) or 'nothing, and agrees with what was typed'}",
            )
            yield "", f"its SHA-256 {report.sha256}"
        yield "Key", key.arn
        yield "", f"{key.spec}, {key.usage}, {key.state}"
        yield "", f"expires {timestamp(key.valid_to)}" if key.valid_to else (key.expiration_model or "no material")
        if key.current_material_id:
            yield "", f"KeyMaterialId {key.current_material_id}"
        if self.secret is not None:
            yield "Secret", self.secret.arn
            yield "", f"version {self.secret.version_id}, {', '.join(self.secret.stages)}"
        yield "Asked by", self.who.arn
        yield "Region", self.region
        yield "Time", f"{self.who.time} (this machine), {self.who.aws_time or 'unknown'} (AWS)"
        for label, request in zip(("Requests", *[""] * len(self.requests)), self.requests, strict=False):
            yield label, " ".join(filter(None, request.values()))
        yield "Tool", self.tool
        if self.not_aws:
            yield "NOT AWS", f"the answers of {' and '.join(self.not_aws)}, see above"


def _key(key: Key) -> dict[str, str | None]:
    view = key.view
    return {
        "arn": view.arn,
        "key_spec": view.spec,
        "key_usage": view.usage,
        "key_state": view.state,
        "expiration_model": view.expiration_model or None,
        "valid_to": timestamp(view.valid_to) if view.valid_to else None,
        "current_key_material_id": view.current_material_id or None,
        "multi_region_key_type": view.multi_region or None,
    }
