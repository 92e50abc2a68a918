"""Options that several commands share, each defined once."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from imported_key_material.material.encoding import ENCODINGS
from imported_key_material.material.key_specs import KEY_SPECS
from key_custodian import argument_types

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]
Options = TypeVar("Options")

SECRET_WRAPPINGS = (
    "SYMMETRIC_DEFAULT",
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
)


def key_spec(names: tuple[str, ...] = tuple(KEY_SPECS), *, required: bool = True) -> Decorator[Any]:
    return click.option(
        "--key-spec",
        required=required,
        metavar="SPEC",
        type=argument_types.KeySpecChoice(names),
        help=f"KeySpec of the KMS key that takes the material, in any case: {', '.join(names)}.",
    )


encoding = click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    help="How the material is encoded. Without it: PEM where there is a PEM header, else RAW bytes. Hex and base64 are "
    "never guessed.",
)
json_key = click.option(
    "--json-key",
    metavar="FIELD",
    type=argument_types.name,
    help="The file is a JSON object, and this field holds the material. Without --encoding: PEM or BASE64.",
)
expected_check_value = click.option(
    "--expected-check-value",
    metavar="VALUE",
    type=argument_types.check_value,
    help="The check value on paper, such as CMAC:377822C093. A different one is an error.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
profile = click.option(
    "--profile",
    metavar="NAME",
    type=argument_types.name,
    help="AWS profile. Without it: as the AWS CLI chooses.",
)
region = click.option(
    "--region",
    metavar="REGION",
    type=argument_types.region,
    help="AWS Region. Without it: as the AWS CLI chooses.",
)


def pass_as(kind: Callable[..., Options]) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Passes all options of a command as one value of `kind`, a dataclass with one field for each option."""

    def decorate(run: Callable[[Options], None]) -> Callable[..., None]:
        @functools.wraps(run)
        def command(**values: object) -> None:
            run(kind(**values))

        return command

    return decorate
