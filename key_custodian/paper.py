"""What is on paper, or in a report in its place: the check value, and what some kinds of keys need beside it.

It is made for one key spec: an option that another kind of key takes is a wrong call. The material itself can be given in place
of the MAC: it is checked like in the function, and the MAC is computed here.
"""

import contextlib
from dataclasses import dataclass
from typing import Final

import click

from imported_key_material.material import check_value
from imported_key_material.material.check_value import ExpectedCheckValue
from imported_key_material.material.key_specs import KeySpec, Kind, MacKey
from imported_key_material.material.proof import CONFIRMATION_MESSAGE
from key_custodian import compared, redaction, report_file, sources
from key_custodian.compared import Compared
from key_custodian.errors import refused
from key_custodian.words import OPTIONS

ON_PAPER: Final = "on paper"  # where a value comes from
IN_REPORT: Final = "in the report"
_KEY_IN_REPORT: Final = (
    "If it is: a report is passed on, and anyone who got this one has the key, so treat this key as compromised."
)


@dataclass(frozen=True, slots=True)
class Paper:
    """`mac`: of CONFIRMATION_MESSAGE, b"" for none; `mac_made_here`: from the material, whose check value was compared.

    `place`, `mac_place`: ON_PAPER or IN_REPORT.
    """

    expected: ExpectedCheckValue
    place: str = ON_PAPER
    mac: bytes = b""
    mac_place: str = ON_PAPER
    mac_made_here: bool = False
    material_id: str = ""

    @property
    def whose_mac(self) -> str:
        return "that the material made" if self.mac_made_here else self.mac_place

    @property
    def reported_mac(self) -> str:
        """The MAC in hex if it comes from a report, and counts; else ""."""
        return self.mac.hex().upper() if self.mac_place == IN_REPORT and not self.mac_made_here else ""

    @property
    def is_reported(self) -> bool:
        """Whether a value that counts comes from a report."""
        return self.place == IN_REPORT or bool(self.reported_mac)

    @property
    def who_joins(self) -> str:
        """Who says that the MAC and the check value belong to one key."""
        if self.mac_place == IN_REPORT:
            return "Only the report says that the MAC and the check value belong to one key."
        if self.place == IN_REPORT:
            return "Nothing says that the MAC on paper and the check value in the report belong to one key."
        return "Only the paper says that the MAC and the check value belong to one key."


@dataclass(frozen=True, slots=True)
class MaterialFile:
    """The options --material, --encoding and --json-key."""

    file: str
    encoding: str | None
    json_key: str | None


def of(spec: KeySpec, given: Compared, *, material: MaterialFile | None, material_id: str | None) -> Paper:
    """UsageError for an option that is missing or does not fit the kind of key; Refused for other material."""
    kind = spec.kind
    if kind is not Kind.HMAC and (compared.MAC in given.typed or material is not None):
        raise click.UsageError(f"--mac and --material are for HMAC keys, and this is {spec.a_key}.")
    if kind is not Kind.SYMMETRIC and material_id is not None:
        raise click.UsageError(f"--key-material-id is for symmetric keys, and this is {spec.a_key}.")
    if given.reported_key_spec not in ("", spec.name):
        problem = f"The report is of {given.reported_key_spec} material, and KEY is {spec.a_key}."
        raise refused(report_file.WHERE, problem, "Name the report of this key's material, or the right key.")
    expected = check_value.check_expected_form(given.check_value, spec, words=OPTIONS)
    place = _place(compared.CHECK_VALUE, given)
    if kind is not Kind.HMAC:
        return Paper(expected, place, material_id=material_id or "")
    if material is not None:
        return Paper(expected, place, _mac_of_material(spec, material, given), mac_made_here=True)
    if given.mac:
        return Paper(expected, place, _mac(spec, expected, given), _place(compared.MAC, given))
    raise click.UsageError(
        "An HMAC key's check value is the MAC of an empty message, which KMS does not compute. Give the confirmation "
        "MAC on paper (--mac), the report of the wrapped file (--report), or the material itself (--material)."
    )


def _place(name: str, given: Compared) -> str:
    return ON_PAPER if name in given.typed else IN_REPORT


def _mac(spec: KeySpec, expected: ExpectedCheckValue, given: Compared) -> bytes:
    """Refused (--mac, --report) if it is the key itself, which has the same length: KMS must not get it."""
    mac = b""
    with contextlib.suppress(ValueError):  # refused below
        mac = bytes.fromhex(given.mac)
    if isinstance(spec.form, MacKey) and len(mac) != spec.form.size_bytes:
        raise click.UsageError(f"--mac has {2 * spec.form.size_bytes} hex digits for {spec.a_key}.")
    if expected.matches(mac):
        has = f"it has the check value {_place(compared.CHECK_VALUE, given)}"
        problem = f"It looks like the key itself, not its MAC: {has}. It was not sent to KMS."
        if compared.MAC in given.typed:
            raise refused("--mac", problem, redaction.REMEDY)
        raise refused(report_file.WHERE, problem, _KEY_IN_REPORT)
    return mac


def _mac_of_material(spec: KeySpec, material: MaterialFile, given: Compared) -> bytes:
    """Refused (--report) where the report has another MAC."""
    source = sources.read(material.file, encoding=material.encoding, json_key=material.json_key, option="--material")
    checked = sources.check(
        source,
        spec,
        encoding=material.encoding,
        json_key=material.json_key,
        expected_check_value=given.check_value,
    )
    try:
        mac = checked.mac(CONFIRMATION_MESSAGE)
    finally:
        checked.wipe()
    if given.reported_mac and bytes.fromhex(given.reported_mac) != mac:
        problem = "The report's confirmation MAC is not the one that the material makes."
        raise refused(report_file.WHERE, problem, compared.FIND_OUT)
    return mac
