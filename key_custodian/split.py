"""`key-custodian split`: splits a key that exists into components, one for each holder."""

from typing import Any

import click

from imported_key_material.material.key_specs import KEY_SPECS
from imported_key_material.material.material_check import CheckedMaterial
from key_custodian import argument_types, new_components, new_file, options, output, sources
from key_custodian.components import FEWEST, MOST, SECRET_KEYS, size_bytes
from key_custodian.new_components import ComponentReport
from key_custodian.report import MaterialReport, row


@click.command(
    "split",
    short_help="Split a key that exists into components.",
    epilog="""\b
Examples:
  Two holders come to the screen, one after the other:
  key-custodian split key.bin --key-spec SYMMETRIC_DEFAULT

\b
  Three holders, and the key is typed:
  key-custodian split - --encoding HEX --key-spec HMAC_256 --components 3

\b
  A new file for each holder:
  key-custodian split key.bin --key-spec HMAC_256 --out a.bin --out b.bin
""",
)
@click.argument("file", metavar="FILE", type=argument_types.file)
@options.key_spec(SECRET_KEYS)
@click.option(
    "--components",
    "count",
    metavar="N",
    type=click.IntRange(FEWEST, MOST),
    help="How many components are shown, each to its holder. Default: 2.",
)
@click.option(
    "--out",
    "outs",
    metavar="FILE",
    type=argument_types.new_file,
    multiple=True,
    help="A new file for one component (mode 0600), in raw bytes. Give the option once for each component.",
)
@options.encoding
@options.json_key
@options.expected_check_value
@options.as_json
def command(  # noqa: PLR0913, PLR0917  # one argument for each option
    file: str,
    key_spec: str,
    count: int | None,
    outs: tuple[str, ...],
    encoding: str | None,
    json_key: str | None,
    expected_check_value: str | None,
    as_json: bool,  # noqa: FBT001  # click passes it by name
) -> None:
    """Split a key that exists into components, whose XOR is the key.

    FILE holds the plaintext key; - is a pipe, or at a terminal a prompt that does not echo. Each component is as long as the
    key, and all of them are needed: fewer reveal nothing. Each is shown to its holder in hex, on a screen that is erased, or
    written to a new file. The key itself is not shown, written or deleted.
    """
    count = _count(count, outs)
    source = sources.read(file, encoding=encoding, json_key=json_key)
    key = sources.check(
        source,
        KEY_SPECS[key_spec],
        encoding=encoding,
        json_key=json_key,
        expected_check_value=expected_check_value,
    )
    try:
        result = MaterialReport.of(key)
        needed = _needed_to_combine(key)
        if not outs:
            new_components.require_room(key.spec, len(key.encoded), _name(count, count))
        made = new_components.split(key, count)
    finally:
        key.wipe()
    try:
        reports = [ComponentReport.of(one, out) for one, out in zip(made, outs or (None,) * count, strict=True)]
        if outs:
            new_file.write_all([(out, one.encoded) for out, one in zip(outs, made, strict=True)], where="--out")
        else:
            _show(made)
    finally:
        for one in made:
            one.wipe()
    _report(result, reports, as_json=as_json)
    output.say(*needed, err=True)


def _count(count: int | None, outs: tuple[str, ...]) -> int:
    """How many components. Raises UsageError, or Refused where they can neither be shown nor written."""
    if not outs:
        new_components.require_screen()
        return count or FEWEST
    if count is not None:
        raise click.UsageError("--components is for shown components only: give --out for each one in a file.")
    if not FEWEST <= len(outs) <= MOST:
        raise click.UsageError(f"A key has {FEWEST} to {MOST} components, and {len(outs)} --out was given.")
    if new_file.STDOUT in outs:
        raise click.UsageError("Each component has a file of its own: --out is not -.")
    if len(set(outs)) < len(outs):
        raise click.UsageError("Two components in one file are no split key: name another file for each --out.")
    for out in outs:
        new_file.require_writable(out, where="--out")
    return len(outs)


def _needed_to_combine(key: CheckedMaterial) -> list[str]:
    """The check takes a longer HMAC key, and each of its components, only with a check value."""
    if len(key.encoded) == size_bytes(key.spec):
        return []
    options = "--component-check-value for each component, and --expected-check-value"
    return [f"The key is longer than usual, so combine needs {options} {key.verified_check_value}."]


def _name(number: int, count: int) -> str:
    return f"component {number} of {count}"


def _show(made: list[CheckedMaterial]) -> None:
    for number, one in enumerate(made, start=1):
        name = _name(number, len(made))
        output.wait_for(str(number), f"Next is {name}. Only its holder stays at the screen. Type {number} to see it:")
        new_components.show(one, name)


def _report(key: MaterialReport, made: list[ComponentReport], *, as_json: bool) -> None:
    if as_json:
        shown: dict[str, Any] = key.to_json()
        output.say_json(shown | {"components": [one.to_json() for one in made]})
        return
    lines = (
        row(f"Component {number}", f"{' or '.join(one.check_values)}{f', {one.file}' if one.file else ''}")
        for number, one in enumerate(made, start=1)
    )
    output.say(*key.lines(), *(line for one in lines for line in one))
