"""The command that comes after `key-custodian put`: verify, with everything that put knows.

It is one line for the user's shell, and runs as it stands, from any folder. What put can't know is a variable of the shell: the
key, which the stack makes, and values that are only on paper. So is a report's name that can't be printed. Every name is
quoted, so it stays one word.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imported_key_material.material.key_specs import Kind
from key_custodian.content import Content

_VARIABLES: Final[Mapping[str, str]] = {
    "KEY": "the key's id, ARN or alias/NAME",
    "REPORT": "the report's file",
    "KEY_MATERIAL_ID": "the resource's attribute KeyMaterialId",
    "CHECK_VALUE": "the check value on paper",
    "CONFIRMATION_MAC": "the confirmation MAC on paper",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyCommand:
    """`report`, `profile`, `region`: the options of put, None for a missing one. `secret`: the ARN."""

    content: Content
    report: str | None
    secret: str
    version_id: str
    profile: str | None
    region: str | None

    @property
    def line(self) -> str:
        return " ".join(["key-custodian verify", _variable("KEY"), *self._options()])

    def lines(self) -> list[str]:
        """What each variable stands for, and the command."""
        line = self.line
        needed = [f"{name} to {words}" for name, words in _VARIABLES.items() if _variable(name) in line]
        return [f"set {', and '.join(needed)}, and run:", f"  {line}"]

    def _options(self) -> Iterator[str]:
        kind, reported = self.content.spec.kind, self.content.report
        has_value = bool(reported and reported.check_value)
        has_mac = bool(reported and reported.material.confirmation_mac)
        if has_value and self.report is not None:
            path = str(Path(self.report).absolute())
            yield f"--report {shlex.quote(path) if path.isprintable() else _variable('REPORT')}"
        elif self.content.check_value:
            yield f"--expected-check-value {shlex.quote(self.content.check_value)}"
        else:
            yield f"--expected-check-value {_variable('CHECK_VALUE')}"
        if kind is Kind.HMAC and not (has_value and has_mac):
            yield f"--mac {_variable('CONFIRMATION_MAC')}"
        if kind is Kind.SYMMETRIC:
            yield f"--key-material-id {_variable('KEY_MATERIAL_ID')}"
        known = {
            "--secret": self.secret,
            "--version-id": self.version_id,
            "--profile": self.profile,
            "--region": self.region,
        }
        yield from (f"{option} {shlex.quote(value)}" for option, value in known.items() if value)


def _variable(name: str) -> str:
    return f'"${name}"'
