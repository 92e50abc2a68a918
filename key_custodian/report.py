"""The reports about material and about a wrapped file, as text and as JSON. They never hold the material itself.

`report_file.py` reads the JSON again, for `put --report` and `verify --report`.
"""

import base64
import hashlib
import shlex
from dataclasses import dataclass
from typing import Any, Final, Protocol

from imported_key_material.consent import TAG
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import MacKey
from imported_key_material.material.material_check import CheckedMaterial
from imported_key_material.material.proof import CONFIRMATION_MESSAGE
from key_custodian import new_file, output
from key_custodian.wrapping_key import WrappingKey

VERSION: Final = 1
WRAPPED: Final = "wrapped file"  # the kinds of reports
STORED: Final = "stored version"
UNKNOWN_KEY: Final = "<the RSA key in KMS that has this public key>"
_GUESSABLE: Final = "not shown: the material passed by --expected-check-value, and may be guessable"
_WIDTH: Final = 19


@dataclass(frozen=True, slots=True)
class MaterialReport:
    """`material_bytes`: the size that KMS gets. `check_values`: the preferred first; none if the material may be guessable.

    `confirmation_mac`: for HMAC keys, not secret; KMS can later verify it (`verify --mac`). `public_key`: for private keys,
    PEM. "" for none.
    """

    key_spec: str
    material_bytes: int
    check_values: tuple[str, ...]
    confirmation_mac: str = ""
    public_key: str = ""

    @classmethod
    def of(cls, checked: CheckedMaterial) -> "MaterialReport":
        may_show, mac = bool(checked.check_value), ""
        if may_show and isinstance(checked.spec.form, MacKey):
            mac = checked.mac(CONFIRMATION_MESSAGE).hex().upper()
        shown = check_value.compute_all(checked.spec, checked.public_key or checked.encoded) if may_show else ()
        return cls(
            key_spec=checked.spec.name,
            material_bytes=len(checked.encoded),
            check_values=tuple(shown),
            confirmation_mac=mac,
            public_key="" if checked.public_key is None else pem(checked.public_key),
        )

    def to_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "key_spec": self.key_spec,
            "material_bytes": self.material_bytes,
            "check_values": list(self.check_values),
        }
        if self.confirmation_mac:
            shown["confirmation_mac"] = self.confirmation_mac
        if self.public_key:
            shown["public_key"] = self.public_key
        return shown

    def lines(self) -> list[str]:
        return [
            *row("Key spec", self.key_spec),
            *row("Material", f"{self.material_bytes} bytes, valid"),
            *row("Check value", *(self.check_values or (_GUESSABLE,))),
            *row("Confirmation MAC", self.confirmation_mac),
            *row("Public key", *self.public_key.splitlines()),
        ]


@dataclass(frozen=True, slots=True)
class WrapReport:
    """A wrapped file, and its properties in the template. `file`: "" for standard output.

    `kms_key`: the ARN of the transport key, "" where only its public key is known. `opens_for`: "<account id>/<secret's
    name>", "" for any secret. Fields with a default are only for people; no command reads them.
    """

    material: MaterialReport
    algorithm: str
    kms_key: str
    opens_for: str
    sha256: str
    file: str = ""
    wrapped_bytes: int = 0
    wrapping_key: str = ""
    wrapping_key_check_value: str = ""

    @classmethod
    def of(cls, checked: CheckedMaterial, key: WrappingKey, algorithm: str, wrapped: bytes, out: str) -> "WrapReport":
        return cls(
            material=MaterialReport.of(checked),
            algorithm=algorithm,
            kms_key=key.kms_key,
            opens_for=key.opens_for,
            sha256=hashlib.sha256(wrapped).hexdigest(),
            file="" if out == new_file.STDOUT else out,
            wrapped_bytes=len(wrapped),
            wrapping_key=key.words,
            wrapping_key_check_value=key.check_value,
        )

    @property
    def key_spec(self) -> str:
        return self.material.key_spec

    @property
    def check_value(self) -> str:
        return next(iter(self.material.check_values), "")

    def to_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"report": WRAPPED, "report_version": VERSION}
        shown |= self.material.to_json() | {"wrapping_key": self.wrapping_key}
        if self.wrapping_key_check_value:
            shown["wrapping_key_check_value"] = self.wrapping_key_check_value
        shown["algorithm"] = self.algorithm
        if self.opens_for:
            shown["encryption_context"] = {TAG: self.opens_for}
        shown["wrapped"] = {"file": self.file or None, "bytes": self.wrapped_bytes}
        shown["wrapped_sha256"] = self.sha256
        properties: dict[str, Any] = {"SecretWrapping": {"Algorithm": self.algorithm, "KeyId": self.kms_key or None}}
        if self.check_value:
            properties["ExpectedCheckValue"] = self.check_value
        return shown | {"properties": properties}

    def lines(self) -> list[str]:
        expected = [f"  ExpectedCheckValue: {self.check_value}"] if self.check_value else []
        return [
            *self.material.lines(),
            *row("Wrapping key", self.wrapping_key),
            *row("  its check value", self.wrapping_key_check_value),
            *row("Wrapped with", self.algorithm),
            *row("Opens for", f"{TAG} = {self.opens_for}" if self.opens_for else ""),
            *row("Wrapped material", f"{self.file or 'standard output'}, {self.wrapped_bytes} bytes"),
            *row("  its SHA-256", self.sha256),
            "",
            "In the template, as properties of the resource:",
            f"  SecretWrapping: {{Algorithm: {self.algorithm}, KeyId: {self.kms_key or UNKNOWN_KEY}}}",
            *expected,
            "",
            "Write down the check value. Next, where there is a network:",
            *self._next(),
        ]

    def _next(self) -> list[str]:
        """The command that stores the file. Unknown values are in capitals."""
        secret = self.opens_for.partition("/")[2] or "SECRET"
        file = self.file if self.file.isprintable() else ""
        file = f"./{file}" if file.startswith("-") else file  # not an option
        return [
            f"  key-custodian put {shlex.quote(file or 'FILE')} --secret {shlex.quote(secret)} --stack STACK \\",
            f"      --key-spec {self.key_spec} --algorithm {self.algorithm} \\",
            f"      --expected-check-value {self.check_value or 'VALUE'} \\",
            f"      --wrapping-key {shlex.quote(self.kms_key or 'KEY')}",
        ]


class _Report(Protocol):
    def to_json(self) -> dict[str, Any]: ...
    def lines(self) -> list[str]: ...


def show(report: _Report, *, as_json: bool, err: bool = False) -> None:
    if as_json:
        output.say_json(report.to_json(), err=err)
    else:
        output.say(*report.lines(), err=err)


def pem(der: bytes, label: str = "PUBLIC KEY") -> str:
    """PEM (RFC 7468)."""
    text = base64.b64encode(der).decode("ascii")
    body = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def row(label: str, *values: str) -> list[str]:
    """No row if there is no value."""
    labels = (f"{label}:", *[""] * (len(values) - 1))
    return [f"{left:<{_WIDTH}}{value}" for left, value in zip(labels, values, strict=False) if value]
