"""The inventory as a table for people, as CSV for spreadsheets, or as JSON for programs. One row for each key.

A cell that a spreadsheet would take for a formula gets an apostrophe before it: the value of a consent tag may be any text.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Any, Final

from imported_key_material.aws.held_materials import ROTATIONS_MAX, HeldMaterial
from imported_key_material.watch.estate import (
    Estate,
    ExternalKey,
    HiddenKey,
    HoldingResource,
    MissingKey,
    names_of_no_stack,
)
from imported_key_material.watch.findings import find
from key_custodian import output
from key_custodian.session import timestamp

FORMATS: Final = ("table", "csv", "json")
WARNING_DAYS: Final = 30  # as the watch warns where its parameter is not changed
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Place:
    """One account and Region. `profile`: "" for the AWS CLI's own choice; `asked_as`: the caller's ARN."""

    profile: str
    asked_as: str
    estate: Estate


@dataclass(frozen=True, slots=True)
class Row:
    """One key as texts; its field names are the columns of the CSV. Times are ISO 8601, UTC.

    A key that the caller may not see has the state NotVisible, and a key that only a stack still names has KeyGone.
    """

    account: str
    region: str
    key_arn: str
    aliases: str
    key_spec: str
    key_state: str
    ends: str
    materials: str
    stack: str
    logical_id: str
    since: str
    rotations_left: str
    names_of_no_stack: str
    findings: str

    @property
    def key(self) -> str:
        return self.key_arn.rpartition("/")[2]


def show(places: Sequence[Place], now: datetime, form: str) -> None:
    """Prints all places in one of `FORMATS`."""
    if form == "json":
        output.say_json({"time": timestamp(now), "places": [_place(place, now) for place in places]})
    elif form == "csv":
        output.say(*_csv([row for place in places for row in _rows(place.estate, now)]))
    else:
        for place in places:
            output.say(*_table(place, _rows(place.estate, now)))


# --------------------------------------------------------------------------------------------------------------- rows


def _rows(estate: Estate, now: datetime) -> list[Row]:
    found: dict[str, list[str]] = {}
    for finding in find(estate, now, WARNING_DAYS):
        found.setdefault(finding.key_id.arn, []).append(finding.kind)
    rows = [
        *(_of_seen(key, estate, found) for key in estate.keys),
        *(_of_other(key, estate, found, "NotVisible") for key in estate.hidden),
        *(_of_other(key, estate, found, "KeyGone") for key in estate.missing),
    ]
    return sorted(rows, key=lambda row: (row.stack == "", row.stack, row.logical_id, row.key_arn))


def _of_seen(key: ExternalKey, estate: Estate, found: dict[str, list[str]]) -> Row:
    return Row(
        account=estate.home.account,
        region=estate.home.region,
        key_arn=key.view.arn,
        aliases=" ".join(key.aliases),
        key_spec=key.view.spec,
        key_state=key.view.state,
        ends=_time(key.ends_at),
        materials="; ".join(map(_material, key.materials)),
        **_declared_by(key.holders),
        rotations_left=_rotations_left(key),
        names_of_no_stack=" ".join(names_of_no_stack(key.tag, estate.stacks)),
        findings=" ".join(found.get(key.view.arn, ())),
    )


def _of_other(key: HiddenKey | MissingKey, estate: Estate, found: dict[str, list[str]], state: str) -> Row:
    return Row(
        account=estate.home.account,
        region=estate.home.region,
        key_arn=key.key_id.arn,
        aliases=" ".join(key.aliases) if isinstance(key, HiddenKey) else "",
        key_spec="",
        key_state=state,
        ends="",
        materials="",
        **_declared_by(key.holders),
        rotations_left="",
        names_of_no_stack="",
        findings=" ".join(found.get(key.key_id.arn, ())),
    )


def _declared_by(holders: Sequence[HoldingResource]) -> dict[str, str]:
    return {
        "stack": " ".join(holder.stack for holder in holders),
        "logical_id": " ".join(holder.logical_id for holder in holders),
        "since": " ".join(_time(holder.since) for holder in holders),
    }


def _material(material: HeldMaterial) -> str:
    held = "imported" if material.imported else "not imported"
    end = f", ends {_time(material.expiry.valid_to)}" if material.expiry.valid_to is not None else ""
    return f"{material.id} {material.state}, {held}{end}"


def _rotations_left(key: ExternalKey) -> str:
    """Nothing for a key without a list of materials: it can't be rotated, or was never filled."""
    return str(max(ROTATIONS_MAX - key.materials.rotations, 0)) if key.materials else ""


def _time(at: datetime | None) -> str:
    return "" if at is None else timestamp(at)


# ------------------------------------------------------------------------------------------------------------ formats


def _csv(rows: Sequence[Row]) -> list[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Row))
    writer.writerows([_cell(value) for value in astuple(row)] for row in rows)
    return text.getvalue().splitlines()


def _cell(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULAS) else value


def _table(place: Place, rows: Sequence[Row]) -> Iterator[str]:
    home = place.estate.home
    yield f"Account {home.account}, {home.region}: {len(rows):,} {'key' if len(rows) == 1 else 'keys'}"
    if rows:
        yield ""
        yield from _aligned([_HEADINGS, *map(_shown, rows)])
    undeclared = [row for row in rows if not row.stack]
    if undeclared:
        yield ""
        yield "Declared by no stack:"
        yield from (f"  {row.key} {row.aliases}".rstrip() for row in undeclared)
    stale = [row for row in rows if row.names_of_no_stack]
    if stale:
        yield ""
        yield "Consent tags that name no living stack:"
        yield from (f"  {row.key}: {row.names_of_no_stack}" for row in stale)
    yield ""


_HEADINGS: Final = ("KEY", "ALIAS", "SPEC", "STATE", "ENDS", "MATERIALS", "DECLARED BY", "SINCE", "LEFT", "FINDINGS")


def _shown(row: Row) -> tuple[str, ...]:
    """In the order of the headings. LEFT: rotations that are left."""
    declared = zip(row.stack.split(), row.logical_id.split(), strict=True)
    materials = str(row.materials.count(";") + 1) if row.materials else ""
    cells = (
        row.key,
        row.aliases,
        row.key_spec,
        row.key_state,
        row.ends,
        materials,
        " ".join(f"{stack}/{logical_id}" for stack, logical_id in declared),
        row.since,
        row.rotations_left,
        row.findings,
    )
    return tuple(cell or _NOTHING for cell in cells)


def _aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()


def _place(place: Place, now: datetime) -> dict[str, Any]:
    estate = place.estate
    rows = _rows(estate, now)
    by_arn = {key.view.arn: key for key in estate.keys}
    return {
        "account": estate.home.account,
        "region": estate.home.region,
        "profile": place.profile or None,
        "asked_as": place.asked_as,
        "keys": [_key(row, by_arn.get(row.key_arn)) for row in rows],
        "declared_by_no_stack": [row.key_arn for row in rows if not row.stack],
        "tags_of_no_stack": {row.key_arn: row.names_of_no_stack.split() for row in rows if row.names_of_no_stack},
    }


def _key(row: Row, seen: ExternalKey | None) -> dict[str, Any]:
    materials = () if seen is None else seen.materials
    declared = zip(row.stack.split(), row.logical_id.split(), row.since.split(), strict=True)
    return {
        "key_arn": row.key_arn,
        "aliases": row.aliases.split(),
        "key_spec": row.key_spec or None,
        "key_state": row.key_state,
        "ends": row.ends or None,
        "materials": [
            {
                "key_material_id": one.id,
                "state": one.state,
                "imported": one.imported,
                "ends": _time(one.expiry.valid_to) or None,
            }
            for one in materials
        ],
        "declared_by": [{"stack": stack, "logical_id": id_, "since": since} for stack, id_, since in declared],
        "rotations_left": int(row.rotations_left) if row.rotations_left else None,
        "findings": row.findings.split(),
    }
