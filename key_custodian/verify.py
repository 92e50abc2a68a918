"""`key-custodian verify`: asks KMS whether a key holds the material on paper or in a report, and writes a receipt.

It uses the custodian's own permissions, and only calls that read: sts:GetCallerIdentity, kms:DescribeKey, and kms:GetPublicKey,
kms:VerifyMac or kms:ListKeyRotations by the kind of key; secretsmanager:DescribeSecret for --secret.
"""

from dataclasses import dataclass

import click

from key_custodian import (
    argument_types,
    compared,
    evidence,
    new_file,
    options,
    output,
    paper,
    version,
)
from key_custodian.aws import Connection
from key_custodian.compared import Compared
from key_custodian.errors import NOT_PROVED, REFUSED, refused
from key_custodian.evidence import Verdict
from key_custodian.paper import MaterialFile
from key_custodian.receipt import Receipt, SecretVersion
from key_custodian.secret_plan import SecretView
from key_custodian.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """The options of `key-custodian verify`, as click gives them."""

    key_id: str
    reports: tuple[str, ...]
    expected_check_value: str | None
    mac: str | None
    material_file: str | None
    encoding: str | None
    json_key: str | None
    key_material_id: str | None
    secret_id: str | None
    version_id: str | None
    out: str | None
    profile: str | None
    region: str | None
    as_json: bool


@click.command(
    "verify",
    short_help="Ask KMS whether a key holds the material.",
    epilog="""\b
How it is proved:
  asymmetric keys  by the public key: the check value is its hash
  HMAC keys        by a MAC that the material made: --mac, --material, or the report of the wrapped file
  symmetric keys   not by KMS: it shows the id of the material (--key-material-id); the line
                   "imported" of the function's log has the check value beside the id

\b
Examples:
  key-custodian verify alias/mac-key --report wrapped.json --report stored.json --out receipt.json
  key-custodian verify alias/signing --expected-check-value SHA256:9F86D081884C7D65...
  key-custodian verify 1234abcd-12ab-34cd-56ef-1234567890ab --expected-check-value HMAC:D38B42096D \\
      --mac 5F2C... --secret orders/mac-key --version-id 6f0c... --out receipt.json
  key-custodian verify alias/orders --expected-check-value CMAC:377822C093 --key-material-id 0d2e...

\b
Exit code 0: proved; 1: not so, not shown, or refused; 2: a wrong call; 3: for a symmetric key KMS shows
the given id, but only the function's log shows which check value belongs to it.
""",
)
@click.argument("key_id", metavar="KEY", type=argument_types.kms_key)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FILE",
    type=argument_types.file,
    help="What wrap, generate or combine printed with --json, and what put printed with --json; give one or both. It replaces "
    "--expected-check-value and --mac, or --secret and --version-id. A report is not signed: what you type from paper is "
    "compared with it, and counts.",
)
@click.option(
    "--expected-check-value",
    metavar="VALUE",
    type=argument_types.check_value,
    help="The check value on paper, such as CMAC:377822C093. Required without --report.",
)
@click.option(
    "--mac",
    metavar="HEX",
    type=argument_types.digits,
    help="HMAC keys: the confirmation MAC on paper, which check, wrap, generate and combine show beside the check value.",
)
@click.option(
    "--material",
    "material_file",
    metavar="FILE",
    type=argument_types.file,
    help="HMAC keys, instead of --mac: the material itself, - for a pipe or a prompt. The MAC is computed here; the material "
    "does not leave this machine.",
)
@options.encoding
@options.json_key
@click.option(
    "--key-material-id",
    metavar="ID",
    type=argument_types.material_id,
    help="Symmetric keys: KeyMaterialId in the record of the import (the line imported of the function's log).",
)
@click.option(
    "--secret",
    "secret_id",
    metavar="NAME",
    type=argument_types.secret,
    help="Secret to name in the receipt; with --version-id.",
)
@click.option(
    "--version-id",
    metavar="ID",
    type=argument_types.name,
    help="The version of the secret from which the key was imported.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=argument_types.new_file,
    help="Also write the receipt as JSON to a new file (mode 0600).",
)
@options.profile
@options.region
@options.as_json
@options.pass_as(VerifyOptions)
def command(arguments: VerifyOptions) -> None:
    """Ask KMS whether KEY holds the material whose check value is on paper, or in a report.

    KEY is the id, ARN or alias/NAME of a KMS key with Origin EXTERNAL. Nothing is changed. The receipt says what was proved,
    and what such a proof does not show.
    """
    _require_forms(arguments)
    if arguments.out is not None:
        new_file.require_writable(arguments.out, where="--out")
    given = compared.of(
        arguments.reports,
        check_value=arguments.expected_check_value,
        mac=arguments.mac,
        secret=arguments.secret_id,
        version_id=arguments.version_id,
    )
    _require_enough(given)
    session = Session(Connection(arguments.profile, arguments.region))
    who = session.who()
    key = evidence.look(session, arguments.key_id)
    on_paper = paper.of(key.spec, given, material=_material(arguments), material_id=arguments.key_material_id)
    secret = _secret(session, given) if given.secret else None
    receipt = Receipt(
        finding=evidence.prove(session, key, on_paper),
        key=key,
        expected=given.check_value,
        place=on_paper.place,
        reported_mac=on_paper.reported_mac,
        reports=given.reports,
        secret=secret,
        who=who,
        region=session.region(),
        not_aws=session.not_aws(),
        requests=tuple(session.requests),
        tool=version(),
    )
    if arguments.out is not None:
        new_file.write(arguments.out, f"{output.as_json(receipt.to_json())}\n".encode(), where="--out")
    if arguments.as_json:
        output.say_json(receipt.to_json())
    else:
        output.say(*receipt.lines())
    verdict = receipt.finding.verdict
    if verdict is not Verdict.PROVED:
        raise SystemExit(NOT_PROVED if verdict is Verdict.SAME_ID else REFUSED)


def _require_forms(arguments: VerifyOptions) -> None:
    if arguments.mac is not None and arguments.material_file is not None:
        raise click.UsageError("--mac and --material do the same: give only one.")
    if arguments.material_file is None and (arguments.encoding is not None or arguments.json_key is not None):
        raise click.UsageError("--encoding and --json-key go with --material.")
    if arguments.out == new_file.STDOUT:
        raise click.UsageError("--out is a new file; --json prints the receipt.")


def _require_enough(given: Compared) -> None:
    if not given.check_value:
        known = "the report does not say it" if given.reports else "or --report, which says it"
        raise click.UsageError(f"Missing --expected-check-value: {known}.")
    if bool(given.secret) != bool(given.version_id):
        raise click.UsageError("--secret and --version-id go together: a receipt names one version.")


def _material(arguments: VerifyOptions) -> MaterialFile | None:
    if arguments.material_file is None:
        return None
    return MaterialFile(arguments.material_file, arguments.encoding, arguments.json_key)


def _secret(session: Session, given: Compared) -> SecretVersion:
    """Refused (--version-id) where the secret shows no such version; (--secret) where it is not the one in the report."""
    found = SecretView.of(session.call("secretsmanager:DescribeSecret", where="--secret", SecretId=given.secret))
    if given.reported_secret not in ("", found.arn):
        problem = f"It is {found.arn}, and the report is of {given.reported_secret}."
        raise refused("--secret", problem, compared.FIND_OUT)
    if given.version_id not in found.stages:
        problem = f"The secret {found.name} has no version {given.version_id}, or the version has no stage."
        raise refused(
            "--version-id", problem, "aws secretsmanager list-secret-version-ids --include-deprecated shows all."
        )
    return SecretVersion(found.arn, found.name, given.version_id, found.stages[given.version_id])
