"""`key-custodian inventory`: lists all keys with imported material, what declares them, and when they end.

It uses the caller's own permissions, and only calls that read: sts:GetCallerIdentity; kms:ListKeys, kms:ListAliases; for each
key kms:DescribeKey, kms:ListResourceTags, kms:ListKeyRotations; cloudformation:ListImports and
cloudformation:ListStackResources. What it sees, and what follows from it, is decided by the watch's own modules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import click

from imported_key_material.errors import Refused
from imported_key_material.key_id import Home
from imported_key_material.watch.look import look
from key_custodian import argument_types, elsewhere, inventory_report, options, output
from key_custodian.aws import Connection
from key_custodian.errors import REFUSED
from key_custodian.inventory_report import FORMATS, Place
from key_custodian.session import Session

APPLICATION: Final = "imported-key-material"
TRIES_PER_CALL: Final = 10  # botocore waits between them: others use KMS's quota, too
_KEYS_BETWEEN_LINES: Final = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryOptions:
    """The options of `key-custodian inventory`, as click gives them."""

    profiles: tuple[str, ...]
    regions: tuple[str, ...]
    application: str | None
    form: str | None


@click.command(
    "inventory",
    short_help="List all keys with imported material, their ends and their stacks.",
    epilog="""\b
Examples:
  key-custodian inventory
  key-custodian inventory --profile payments --profile cards --region eu-central-1 --region eu-west-1 \\
      --format csv > keys.csv

\b
Exit code 0: every account and Region was read; 1: refused, or one of them could not be read (the others
are listed); 2: a wrong call.
""",
)
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    type=argument_types.name,
    help="AWS profile; give it once for each account. Without it: as the AWS CLI chooses.",
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="REGION",
    type=argument_types.region,
    help="AWS Region; give it once for each. Each profile is used in each Region. Without it: as the AWS CLI chooses.",
)
@click.option(
    "--application",
    metavar="STACK",
    type=argument_types.name,
    help=f"The stack of the application, whose ServiceToken other stacks import. Without it: {APPLICATION}.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help=f"{', '.join(FORMATS)}. Without it: {FORMATS[0]}.",
)
@options.pass_as(InventoryOptions)
def command(arguments: InventoryOptions) -> None:
    """List all keys with imported material of accounts and Regions, with what declares them and when they end.

    Nothing is changed, and no key material is read. The list has each key with Origin EXTERNAL: its alias, spec, state,
    materials and their ends, the stack and the resource that declare it and since when, and how many rotations are left; then
    the keys that no stack declares, and the consent tags that name no living stack. Progress goes to standard error.
    """
    now = datetime.now(UTC)
    places: list[Place] = []
    failed = False
    for connection in _connections(arguments):
        try:
            places.append(_read(connection, arguments.application or APPLICATION))
        except Refused as refused:
            failed = True
            output.say(*_lines_of(connection, refused), err=True)
    if places:
        inventory_report.show(places, now, arguments.form or FORMATS[0])
    if failed:
        raise SystemExit(REFUSED)


def _connections(arguments: InventoryOptions) -> Iterator[Connection]:
    """Each profile in each Region, once."""
    for profile in dict.fromkeys(arguments.profiles) or (None,):
        for region in dict.fromkeys(arguments.regions) or (None,):
            yield Connection(profile, region, TRIES_PER_CALL)


def _lines_of(connection: Connection, refused: Refused) -> Iterator[str]:
    """Each fault, after the place as the user gave it: of many places one may fail."""
    given = {"--profile": connection.profile, "--region": connection.region}
    place = " ".join(f"{option} {value}" for option, value in given.items() if value) or "This account and Region"
    yield from (f"{place}: {fault.problem} {fault.remedy}".rstrip() for fault in refused.faults)


def _read(connection: Connection, application: str) -> Place:
    session = Session(connection)
    who = session.who()
    home = Home(Home.of_arn(who.arn).partition, session.region(), who.account)
    output.say(f"Account {home.account}, {home.region}, as {who.arn}", err=True)

    def ask(operation: str, /, **parameters: object) -> Mapping[str, Any]:
        return session.call(operation, where="--profile", **parameters)

    def progress(done: int, of: int) -> None:
        if done % _KEYS_BETWEEN_LINES == 0 or done == of:
            output.say(f"Account {home.account}, {home.region}: {done:,} of {of:,} keys", err=True)

    estate = look(ask, home, f"{application}-ServiceToken", progress=progress)
    output.say(*elsewhere.warnings(session.not_aws()), err=True)
    return Place(connection.profile or "", who.arn, estate)
