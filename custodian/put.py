"""`custodian put`: a wrapped file into Secrets Manager, as a new secret or a new version, after a plan was shown.

Everything is checked before anything is changed. What will be done is decided in `secret_plan.py` and carried out here as it
was shown. No right to read secrets is needed, and none to decrypt. Where it would go elsewhere than to AWS, the plan says so; a
plaintext goes there by TLS alone.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import click

from custodian import (
    argument_types,
    content,
    elsewhere,
    opening_key,
    options,
    output,
    secret_plan,
    storing,
    wrapped_file,
)
from custodian.aws import Connection
from custodian.content import Content
from custodian.errors import refused
from custodian.secret_plan import Found, Wanted
from custodian.session import Session, Who
from imported_key_material.consent import TAG
from imported_key_material.errors import ServiceRefused

_STACK: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}/?|/")
_VERSION: Final = re.compile(r"[A-Za-z0-9-]{32,64}")
_ENDS_LIKE_A_SUFFIX: Final = re.compile(r".*-[A-Za-z0-9]{6}")
_WRAPPING: Final = ("report", "algorithm", "wrapping_key")


@click.command(
    "put",
    short_help="Store a wrapped file, and show what the template needs.",
    epilog="""\b
Examples:
  custodian put wrapped.bin --report wrapped.json --secret orders/master-key --stack orders
  custodian put wrapped.bin --key-spec HMAC_256 --algorithm RSAES_OAEP_SHA_256 \\
      --wrapping-key alias/transport-rsa --expected-check-value HMAC:D38B42096D \\
      --secret orders/mac-key --stack orders --yes

\b
The report is what --json prints where the file is made:
  custodian wrap key.bin --key-spec HMAC_256 --wrapping-key alias/transport-rsa \\
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
    help="Name or ARN of the secret. It is created if there is none of the name.",
)
@click.option(
    "--stack",
    "stacks",
    multiple=True,
    metavar="NAME",
    type=argument_types.name,
    help="A stack that may use the secret (its tag imported-key-material); give it once for each. A name that ends in / "
    "stands for all stacks that begin so.",
)
@click.option(
    "--report",
    metavar="FILE",
    type=argument_types.file,
    help="What wrap, generate or combine printed with --json. It says the next four, and the check of the secret's name.",
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
    help="The KMS key that opens the file: id, ARN or alias/NAME.",
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
    help="Id of the new version. Without it the id follows from the file: run twice, it is stored once.",
)
@click.option(
    "--move-current", is_flag=True, help="Move AWSCURRENT of a secret to the new version. Without it no stage moves."
)
@click.option("--replace-tag", is_flag=True, help="Replace the names in the tag of a secret by those of --stack.")
@click.option(
    "--plaintext", is_flag=True, help="FILE is a key that is not wrapped: who may read the secret then has the key."
)
@options.encoding
@click.option("--plan", "only_plan", is_flag=True, help="Show the plan, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, for scripts. The plan is shown all the same.")
@options.profile
@options.region
@options.as_json
def command(**given: Any) -> None:
    """Store a wrapped file in Secrets Manager, and show what the template needs.

    The plan is shown first. No stage of a secret moves unless --move-current says so: a new version gets one of its own, and
    the template pins it by SecretVersionId.

    With SYMMETRIC_DEFAULT the file opens only in the secret (account and name) that it was wrapped for.
    """
    _require_forms(given)
    item = content.of(content.Said(**{name: given[name] for name in content.Said.__slots__}))
    session = Session(Connection(given["profile"], given["region"]))
    if not item.algorithm:
        elsewhere.require_unseen(session.address("secretsmanager"), where="--plaintext")
    who = session.who()
    found = _found(session, given["secret_id"])
    name = given["secret_id"] if found is None else found.name
    mind = _check(session, item, given, found, f"{_account(found, who)}/{name}")
    mind = (*elsewhere.told(session.not_aws()), *mind)
    wanted = _wanted(given, item, name)
    steps = secret_plan.steps(wanted, found)
    storing.show_plan(steps, mind, f"{who.arn} in {session.region()}", err=not given["only_plan"])
    if given["only_plan"]:
        return
    if not given["yes"]:
        storing.ask()
    stored = storing.carry_out(session, steps)
    told = storing.told(item, stored, who) | {"requests": session.requests}
    if given["as_json"]:
        output.say_json(told)
    else:
        output.say(*storing.lines(told))


# ------------------------------------------------------------------------------------------------------ before the plan


def _require_forms(given: dict[str, Any]) -> None:
    if not all(_STACK.fullmatch(stack) for stack in given["stacks"]):
        raise click.UsageError("--stack is a stack's name, or how names begin and a / behind it; one for each --stack.")
    if given["version_id"] is not None and not _VERSION.fullmatch(given["version_id"]):
        raise click.UsageError("--version-id has 32 to 64 letters, digits and -, as a UUID has.")
    if given["plaintext"]:
        for name in _WRAPPING:
            if given[name] is not None:
                raise click.UsageError(f"--plaintext does not go with --{name.replace('_', '-')}: nothing is wrapped.")
    elif given["encoding"] is not None:
        raise click.UsageError("--encoding goes with --plaintext: a wrapped file is stored as it is.")
    if given["replace_tag"] and not given["stacks"]:
        raise click.UsageError("--replace-tag needs --stack.")


def _found(session: Session, secret_id: str) -> Found | None:
    """None where there is no secret of the name."""
    try:
        return Found.of(session.call("secretsmanager:DescribeSecret", where="--secret", SecretId=secret_id))
    except ServiceRefused as error:
        if error.code != "ResourceNotFoundException" or secret_id.startswith("arn:"):  # an ARN can't be chosen
            raise
    return None


def _account(found: Found | None, who: Who) -> str:
    return who.account if found is None else found.account


def _check(session: Session, item: Content, given: dict[str, Any], found: Found | None, secret: str) -> tuple[str, ...]:
    """Returns what the reader must know or do. Refused for what the function could not open.

    `secret`: "<account id>/<name>".
    """
    mind: list[str] = []
    if found is None and _ENDS_LIKE_A_SUFFIX.fullmatch(secret):
        mind.append(
            "The name ends in a hyphen and six characters, as ARNs of secrets do: Secrets Manager advises against it."
        )
    if found is not None and found.is_rotated:
        mind.append(
            "Secrets Manager rotates this secret, and will put other values into it: let templates pin the version id."
        )
    if not item.check_value:
        mind.append("No check value is given: nothing will tell a wrong key before it is imported for ever.")
    if not item.algorithm:
        return (
            *mind,
            "The key is stored in PLAINTEXT: whoever may read the secret has it. custodian wrap prevents that.",
        )
    stacks = given["stacks"] or tuple((found.tag or "").split() if found else ())
    key = opening_key.look(session, item.wrapping_key, item.algorithm, stacks)
    if item.wrapped_under and key.arn and item.wrapped_under != key.arn:
        problem = f"The file was wrapped under {item.wrapped_under}, says the report, and this is {key.arn}."
        raise refused(opening_key.WHERE, problem, "Leave --wrapping-key out, or find out which is right.")
    wrapped_file.check(item.value, item.spec, item.algorithm, modulus_bytes=key.modulus_bytes, where=item.file)
    return (*_opens(item, secret), *mind, key.seen, *key.mind)


def _opens(item: Content, secret: str) -> Iterator[str]:
    """The encryption context binds a ciphertext to the secret's account and name."""
    if item.algorithm != wrapped_file.SYMMETRIC:
        return
    if item.opens_for and item.opens_for != secret:
        problem = f"The file opens in the secret {item.opens_for} alone (account/name), and this is {secret}."
        raise refused("--secret", problem, "Name that secret, or wrap the material again for this one.")
    name = secret.split("/", 1)[1]
    known = "as the report says" if item.opens_for else f"so it must have been wrapped with --secret {name}"
    yield f"The file opens in this secret alone (encryption context {TAG} = {secret}), {known}."


def _wanted(given: dict[str, Any], item: Content, name: str) -> Wanted:
    version_id = given["version_id"] or item.version_id(name)
    return Wanted(
        secret_id=given["secret_id"],
        value=item.value,
        told=item.told,
        version_id=version_id,
        label=item.label(version_id),
        stacks=tuple(dict.fromkeys(given["stacks"])),
        kms_key_id=given["kms_key_id"],
        move_current=given["move_current"],
        replace_tag=given["replace_tag"],
    )
