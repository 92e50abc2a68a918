"""`key-custodian combine`: combines two or more components into one key, under split knowledge, and wraps it at once."""

import click

from imported_key_material.material.encoding import BASE64, HEX, RAW
from imported_key_material.material.key_specs import KEY_SPECS
from key_custodian import argument_types, components, key_wrap, options
from key_custodian.components import FEWEST, MOST, SECRET_KEYS, Declaration
from key_custodian.key_wrap import WrapOptions


@click.command(
    "combine",
    short_help="Combine the components of a key, and wrap it.",
    epilog="""\b
Examples:
  Two holders type their components:
  key-custodian combine --key-spec SYMMETRIC_DEFAULT --wrapping-key transport.pem --out wrapped.bin

\b
  Three holders, and the key's own check value is known:
  key-custodian combine --key-spec SYMMETRIC_DEFAULT --components 3 --expected-check-value CMAC:377822C093 \\
      --wrapping-key transport.pem --out wrapped.bin

\b
  Two files of an HSM, compared without questions:
  key-custodian combine --key-spec HMAC_256 --component a.bin --component b.bin \\
      --component-check-value HMAC:D38B42096D --component-check-value HMAC:0A1B2C3D4E \\
      --wrapping-key transport.pem --out wrapped.bin

\b
What is on the screen of each holder:
  Component 1 of 2. Only its holder is at the screen and types it.
  Component 1, 64 hex digits (is not shown):
  Check value of component 1: CMAC:377822C093 or ECB:F29000
  Is it the one on paper? [y/N]: y
""",
)
@options.key_spec(SECRET_KEYS)
@click.option(
    "--components",
    "count",
    metavar="N",
    type=click.IntRange(FEWEST, MOST),
    help="How many components are typed, each by its holder. Default: 2.",
)
@click.option(
    "--component",
    "sources",
    metavar="FILE",
    type=argument_types.file,
    multiple=True,
    help="A file with one component; - for a typed one. Give the option once for each component, in order.",
)
@click.option(
    "--component-check-value",
    "check_values",
    metavar="VALUE",
    type=argument_types.check_value,
    multiple=True,
    help="A component's check value on paper, in the order of the components. Without them each holder is asked.",
)
@click.option(
    "--encoding",
    type=click.Choice([RAW, BASE64, HEX]),
    help="How components are encoded. Without it: HEX where typed, RAW in files.",
)
@options.expected_check_value
@key_wrap.add_options
@options.as_json
def command(  # noqa: PLR0913, PLR0917  # one argument for each option
    key_spec: str,
    count: int | None,
    sources: tuple[str, ...],
    check_values: tuple[str, ...],
    encoding: str | None,
    expected_check_value: str | None,
    as_json: bool,  # noqa: FBT001  # click passes it by name
    wrapping: WrapOptions,
) -> None:
    """Combine the components of a key (XOR) in memory, and wrap the result.

    Each holder types a component without echo, or gives a file, and compares its check value with paper. The screen is cleared
    before the next holder. No component is shown, and neither is the key; none of them is written unwrapped.
    """
    declared = _declarations(count, sources, check_values)
    if encoding == RAW and any(one.source == components.TYPED for one in declared):
        raise click.UsageError("A typed component is text: --encoding is HEX or BASE64.")
    wrap = key_wrap.prepare(wrapping)
    spec = KEY_SPECS[key_spec]
    with components.collect(spec, declared, encoding=encoding) as found:
        checked = components.combine(spec, found, expected_check_value=expected_check_value)
    wrap.write(checked, as_json=as_json)


def _declarations(count: int | None, sources: tuple[str, ...], check_values: tuple[str, ...]) -> list[Declaration]:
    if count is not None and sources:
        raise click.UsageError(
            "--components is for typed components only: give --component for each, - for a typed one."
        )
    sources = sources or (components.TYPED,) * (count or FEWEST)
    if not FEWEST <= len(sources) <= MOST:
        raise click.UsageError(f"A key has {FEWEST} to {MOST} components, and {len(sources)} --component was given.")
    if check_values and len(check_values) != len(sources):
        raise click.UsageError(f"Give --component-check-value for each of the {len(sources)} components, or for none.")
    expected = check_values or (None,) * len(sources)
    return [
        Declaration(number, len(sources), source, value)
        for number, (source, value) in enumerate(zip(sources, expected, strict=True), start=1)
    ]
