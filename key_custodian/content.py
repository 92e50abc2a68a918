"""What `key-custodian put` stores, by its options: a wrapped file, or on purpose a key in plaintext.

This module makes all checks that need no AWS. A report of wrap, generate or combine replaces options; an option that
contradicts it is refused.
"""

import hashlib
import sys
import uuid
from dataclasses import dataclass, field
from typing import Final

import click

from imported_key_material.material import check_value
from imported_key_material.material.encoding import RAW
from imported_key_material.material.key_specs import KEY_SPECS, KeySpec
from key_custodian import report_file, sources
from key_custodian.errors import refused
from key_custodian.report import WrapReport
from key_custodian.words import OPTIONS

_NAMESPACE: Final = uuid.UUID(
    "2b6d8f0e-6a0c-5f3e-9d55-5f0b1c1f6a7d"
)  # of version ids that are computed from the content


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """The options that describe FILE; None for a missing one."""

    file: str
    report: str | None
    key_spec: str | None
    algorithm: str | None
    wrapping_key: str | None
    expected_check_value: str | None
    encoding: str | None
    plaintext: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What is to be stored. `algorithm` and `wrapping_key` are "" for plaintext, `check_value` where none is known.

    `report`: of the wrapped file, None without --report.
    """

    value: bytes = field(repr=False)
    file: str
    spec: KeySpec
    algorithm: str
    wrapping_key: str
    check_value: str
    report: WrapReport | None = None

    @property
    def opens_for(self) -> str:
        """The only secret where it opens, "<account id>/<name>", by the report; "" without a report."""
        return self.report.opens_for if self.report else ""

    @property
    def wrapped_under(self) -> str:
        """The key's ARN in the report, "" without a report."""
        return self.report.kms_key if self.report else ""

    @property
    def words(self) -> str:
        if not self.algorithm:
            return f"the PLAINTEXT of {self.file}, {len(self.value)} bytes"
        how = f"wrapped with {self.algorithm} under {self.wrapping_key}"
        return f"{self.file}, {len(self.value)} bytes, {how}, SHA-256 {self.sha256}"

    @property
    def sha256(self) -> str:
        """The hash of wrapped bytes, which are no secret."""
        if not self.algorithm:
            raise ValueError("A hash of plaintext would confirm guesses.")
        return hashlib.sha256(self.value).hexdigest()

    def version_id(self, secret_name: str) -> str:
        """The same file in the same secret gets the same id, so running twice stores it once. Plaintext: a random id."""
        if not self.algorithm:
            return str(uuid.uuid4())
        return str(uuid.uuid5(_NAMESPACE, f"{secret_name} {self.sha256}"))

    def label(self, version_id: str) -> str:
        parts = (self.spec.name, self.algorithm or "plaintext", self.check_value or "no check value")
        return f"Version {version_id}: {', '.join(parts)}."


def of(options: FileOptions) -> Content:
    """UsageError for a missing option; Refused for content that can't be stored."""
    report = None if options.report is None else report_file.read_wrapped(options.report)
    if options.plaintext:
        return _plaintext(options)
    key_spec = options.key_spec or (report.key_spec if report else "")
    algorithm = options.algorithm or (report.algorithm if report else "")
    wrapping_key = options.wrapping_key or (report.kms_key if report else "")
    _require(("--key-spec", key_spec), ("--algorithm", algorithm), ("--wrapping-key", wrapping_key), report=report)
    value = _read(options.file, encoding=RAW)
    if report is not None:
        _compare(options, report, value)
    spec, expected = KEY_SPECS[key_spec], options.expected_check_value or (report.check_value if report else "")
    if expected:
        check_value.check_expected_form(expected, spec, words=OPTIONS)
    return Content(
        value=value,
        file=_display_name(options.file),
        spec=spec,
        algorithm=algorithm,
        wrapping_key=wrapping_key,
        check_value=expected,
        report=report,
    )


def _require(*needed: tuple[str, str], report: WrapReport | None) -> None:
    missing = [option for option, value in needed if not value]
    if missing:
        known = "the report does not say it" if report else "or --report, which says it all"
        raise click.UsageError(f"Missing {' and '.join(missing)}: {known}.")


def _compare(options: FileOptions, report: WrapReport, value: bytes) -> None:
    """The options must not contradict the report, and the report must be about this file."""
    if hashlib.sha256(value).hexdigest() != report.sha256:
        problem = "The report is of another file: the SHA-256 in it is not this file's."
        raise refused("--report", problem, "Name the report that was printed when this file was made.")
    pairs = (
        ("--key-spec", options.key_spec, report.key_spec),
        ("--algorithm", options.algorithm, report.algorithm),
        ("--expected-check-value", options.expected_check_value, report.check_value),
    )
    for option, declared, reported in pairs:
        if declared and reported and declared.upper() != reported.upper():
            raise refused(
                option, f"It says {declared}, and the report {reported}.", "Leave it out, or find out which is right."
            )


def _plaintext(options: FileOptions) -> Content:
    """Checked like in the function, and stored as KMS gets it: raw bytes, or PKCS#8 in DER."""
    if options.key_spec is None:
        raise click.UsageError("Missing --key-spec.")
    source = sources.read(options.file, encoding=options.encoding)
    spec = KEY_SPECS[options.key_spec]
    checked = sources.check(source, spec, encoding=options.encoding, expected_check_value=options.expected_check_value)
    try:
        return Content(
            value=bytes(checked.encoded),  # boto3 takes a copy that can't be wiped
            file=_display_name(options.file),
            spec=spec,
            algorithm="",
            wrapping_key="",
            check_value=checked.verified_check_value or checked.check_value,
        )
    finally:
        checked.wipe()


def _read(file: str, *, encoding: str) -> bytes:
    if file != sources.PIPE:
        return sources.read_public(file, option="FILE")
    if sys.stdin.isatty():
        raise click.UsageError("- is a pipe, and standard input is a terminal: name the file.")
    value = sources.read(file, encoding=encoding).value
    return value if isinstance(value, bytes) else value.encode()


def _display_name(file: str) -> str:
    return sources.PIPED if file == sources.PIPE else file
