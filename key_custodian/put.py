"""`key-custodian put`: stores a wrapped file in Secrets Manager, as a new secret or a new version, after it has shown a plan.

Everything is checked before anything is changed. `secret_plan.py` decides the steps; the command shows them, and then does
exactly these. The caller needs no permission to read secrets or to decrypt. If a call would go to another address than AWS, the
plan says so; a plaintext goes there only by TLS.
"""

import re
from dataclasses import dataclass
from typing import Final

import click

from key_custodian import (
    argument_types,
    content,
    destination,
    elsewhere,
    options,
    output,
    secret_plan,
    storage,
)
from key_custodian.aws import Connection
from key_custodian.content import Content, FileOptions
from key_custodian.secret_plan import Order
from key_custodian.session import Session
from key_custodian.storage import PutReport, StoredVersion
from key_custodian.verify_command import VerifyCommand

_STACK: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}/?|/")
_VERSION: Final = re.compile(r"[A-Za-z0-9-]{32,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOptions(FileOptions):
    """The options of `key-custodian put`, as click gives them."""

    secret_id: str
    stacks: tuple[str, ...]
    kms_key_id: str | None
    version_id: str | None
    move_current: bool
    replace_tag: bool
    only_plan: bool
    yes: bool
    profile: str | None
    region: str | None
    as_json: bool


@click.command(
    "put",
    short_help="Store a wrapped file, and show what the template needs.",
    epilog="""\b
Examples:
  key-custodian put wrapped.bin --report wrapped.json --secret orders/master-key --stack orders
  key-custodian put wrapped.bin --key-spec HMAC_256 --algorithm RSAES_OAEP_SHA_256 \\
      --wrapping-key alias/transport-rsa --expected-check-value HMAC:D38B42096D \\
      --secret orders/mac-key --stack orders --yes

\b
The report is what --json prints where the file is made:
  key-custodian wrap key.bin --key-spec HMAC_256 --wrapping-key alias/transport-rsa \\
      --out wrapped.bin --json > wrapped.json
""",
)
@click.argument("file", metavar="FILE", type=argument_types.file)
@click.option(
    "--secret",
    "secret_id",
    required=True,
    metavar="NAME",
    type=argument_types.secret,
    help="Name or ARN of the secret. A name that does not exist yet is created.",
)
@click.option(
    "--stack",
    "stacks",
    multiple=True,
    metavar="NAME",
    type=argument_types.name,
    help="A stack that may use the secret (its tag imported-key-material); give it once for each. A name that ends in / "
    'is a prefix: "pay/" stands for all stacks named pay...',
)
@click.option(
    "--report",
    metavar="FILE",
    type=argument_types.file,
    help="What wrap, generate or combine printed with --json. It replaces the next four options. The secret's name is checked.",
)
@options.key_spec(required=False)
@click.option(
    "--algorithm",
    metavar="NAME",
    type=click.Choice(options.SECRET_WRAPPINGS),
    help=f"How the file was wrapped: {', '.join(options.SECRET_WRAPPINGS)}.",
)
@click.option(
    "--wrapping-key",
    metavar="KEY",
    type=argument_types.kms_key,
    help="The transport key in KMS: id, ARN or alias/NAME.",
)
@options.expected_check_value
@click.option(
    "--kms-key-id",
    metavar="KEY",
    type=argument_types.kms_key,
    help="KMS key that encrypts a new secret. Without it: Secrets Manager's own.",
)
@click.option(
    "--version-id",
    metavar="ID",
    type=argument_types.name,
    help="Id of the new version. Without it: an id computed from the file, so running twice stores it once.",
)
@click.option(
    "--move-current", is_flag=True, help="Move AWSCURRENT of a secret to the new version. Without it no stage moves."
)
@click.option("--replace-tag", is_flag=True, help="Replace the names in the secret's tag by those of --stack.")
@click.option(
    "--plaintext",
    is_flag=True,
    help="FILE is a key that is not wrapped: anyone who may read the secret then has the key.",
)
@options.encoding
@click.option("--plan", "only_plan", is_flag=True, help="Show the plan, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, for scripts. The plan is still shown.")
@options.profile
@options.region
@options.as_json
@options.pass_as(PutOptions)
def command(arguments: PutOptions) -> None:
    """Store a wrapped file in Secrets Manager, and show what the template needs.

    The plan is shown first. No stage of a secret moves unless --move-current says so: a new version gets its own stage, and
    the template pins it by SecretVersionId.

    With SYMMETRIC_DEFAULT the file opens only in the secret (account and name) that it was wrapped for.
    """
    _require_forms(arguments)
    item = content.of(arguments)
    session = Session(Connection(arguments.profile, arguments.region))
    if not item.algorithm:
        elsewhere.require_unseen(session.address("secretsmanager"), where="--plaintext")
    who = session.who()
    goal = destination.look(session, arguments.secret_id, arguments.stacks, who)
    remarks = destination.check(session, item, goal)
    not_aws = tuple(f"Warning: {line}" for line in elsewhere.warnings(session.not_aws()))
    steps = secret_plan.steps(_order(arguments, item, goal.name), goal.found)
    storage.show_plan(steps, (*not_aws, *remarks), f"{who.arn} in {session.region()}", err=not arguments.only_plan)
    if arguments.only_plan:
        return
    if not arguments.yes:
        storage.ask()
    stored = storage.carry_out(session, steps)
    report = PutReport(item, stored, who, tuple(session.requests), _verify(arguments, item, stored))
    if arguments.as_json:
        output.say_json(report.to_json())
    else:
        output.say(*report.lines())


# ------------------------------------------------------------------------------------------------------ before the plan


def _require_forms(arguments: PutOptions) -> None:
    if not all(_STACK.fullmatch(stack) for stack in arguments.stacks):
        raise click.UsageError("--stack is one stack's name, or the beginning of names followed by /.")
    if arguments.version_id is not None and not _VERSION.fullmatch(arguments.version_id):
        raise click.UsageError("--version-id is 32 to 64 letters, digits and hyphens, such as a UUID.")
    if arguments.plaintext:
        of_wrapping = {
            "--report": arguments.report,
            "--algorithm": arguments.algorithm,
            "--wrapping-key": arguments.wrapping_key,
        }
        for option, value in of_wrapping.items():
            if value is not None:
                raise click.UsageError(f"--plaintext does not go with {option}: nothing is wrapped.")
    elif arguments.encoding is not None:
        raise click.UsageError("--encoding goes with --plaintext: a wrapped file is stored as it is.")
    if arguments.replace_tag and not arguments.stacks:
        raise click.UsageError("--replace-tag needs --stack.")


def _verify(arguments: PutOptions, item: Content, stored: StoredVersion) -> VerifyCommand:
    return VerifyCommand(
        content=item,
        report=arguments.report,
        secret=stored.arn,
        version_id=stored.version_id,
        profile=arguments.profile,
        region=arguments.region,
    )


def _order(arguments: PutOptions, item: Content, secret_name: str) -> Order:
    version_id = arguments.version_id or item.version_id(secret_name)
    return Order(
        secret_id=arguments.secret_id,
        value=item.value,
        value_words=item.words,
        version_id=version_id,
        label=item.label(version_id),
        stacks=tuple(dict.fromkeys(arguments.stacks)),
        kms_key_id=arguments.kms_key_id,
        move_current=arguments.move_current,
        replace_tag=arguments.replace_tag,
    )
