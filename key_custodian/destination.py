"""The secret that `key-custodian put` writes to, and whether the function can open the content there.

Everything is checked before anything is changed. The caller needs no permission to read secrets or to decrypt.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from imported_key_material.aws.transport_key import SYMMETRIC
from imported_key_material.consent import TAG
from imported_key_material.errors import ServiceRefused
from key_custodian import transport_key, wrapped_file
from key_custodian.content import Content
from key_custodian.errors import refused
from key_custodian.secret_plan import SecretView
from key_custodian.session import Session, Who

_ENDS_LIKE_A_SUFFIX: Final = re.compile(r".*-[A-Za-z0-9]{6}")


@dataclass(frozen=True, slots=True)
class Destination:
    """`found`: None where no secret has this name yet. `stacks`: the stacks that will use it, by --stack or its tag."""

    account: str
    name: str
    stacks: tuple[str, ...]
    found: SecretView | None

    @property
    def context(self) -> str:
        """The value of the encryption context with SYMMETRIC_DEFAULT."""
        return f"{self.account}/{self.name}"


def look(session: Session, secret_id: str, stacks: tuple[str, ...], who: Who) -> Destination:
    """`secret_id`: name or ARN."""
    try:
        found = SecretView.of(session.call("secretsmanager:DescribeSecret", where="--secret", SecretId=secret_id))
    except ServiceRefused as error:
        if error.code != "ResourceNotFoundException" or secret_id.startswith(
            "arn:"
        ):  # a secret can't be created with a given ARN
            raise
        return Destination(who.account, secret_id, stacks, None)
    return Destination(found.account, found.name, stacks or tuple((found.tag or "").split()), found)


def check(session: Session, item: Content, goal: Destination) -> tuple[str, ...]:
    """Returns notes and warnings, each a line of the plan. Refused where the function could not open the content."""
    warnings = [f"Warning: {line}" for line in _of_secret(goal)]
    if not item.check_value:
        warnings.append(
            "Warning: No check value is given: nothing will detect a wrong key before it is imported permanently."
        )
    if not item.algorithm:
        plaintext = (
            "The key is stored in PLAINTEXT: anyone who may read the secret has it. key-custodian wrap prevents that."
        )
        return (*warnings, f"Warning: {plaintext}")
    key = transport_key.look(session, item.wrapping_key, item.algorithm, goal.stacks)
    if item.wrapped_under and key.arn and item.wrapped_under != key.arn:
        problem = f"The file was wrapped under {item.wrapped_under}, says the report, and this is {key.arn}."
        raise refused(transport_key.WHERE, problem, "Leave --wrapping-key out, or find out which is right.")
    wrapped_file.check(item.value, item.spec, item.algorithm, modulus_bytes=key.modulus_bytes, where=item.file)
    notes = (f"Note: {line}" for line in (*_opens(item, goal), key.seen))
    return (*notes, *warnings, *(f"Warning: {line}" for line in key.warnings))


def _of_secret(goal: Destination) -> Iterator[str]:
    if goal.found is None and _ENDS_LIKE_A_SUFFIX.fullmatch(goal.name):
        yield "The name ends in a hyphen and six characters, as ARNs of secrets do: Secrets Manager advises against it."
    if goal.found is not None and goal.found.is_rotated:
        yield "Secrets Manager rotates this secret, and will put other values into it: let templates pin the version id."


def _opens(item: Content, goal: Destination) -> Iterator[str]:
    """The encryption context binds a ciphertext to the secret's account and name."""
    if item.algorithm != SYMMETRIC:
        return
    if item.opens_for and item.opens_for != goal.context:
        problem = f"The file opens in the secret {item.opens_for} only (account/name), and this is {goal.context}."
        raise refused("--secret", problem, "Name that secret, or wrap the material again for this one.")
    known = "as the report says" if item.opens_for else f"so it must have been wrapped with --secret {goal.name}"
    yield f"The file opens in this secret only (encryption context {TAG} = {goal.context}), {known}."
