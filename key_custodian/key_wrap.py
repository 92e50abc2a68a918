"""Writes checked material to a wrapped file: the common part of generate, wrap and combine.

`prepare` checks everything that needs no material: the wrapping key, the name of the new file. `KeyWrap.write` chooses and
shows the algorithm, wraps, and only then opens the file.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import click

from imported_key_material.material.material_check import CheckedMaterial
from key_custodian import argument_types, new_file, options, output, report, wrapping_key
from key_custodian.aws import Connection
from key_custodian.errors import refused
from key_custodian.report import WrapReport
from key_custodian.session import Session
from key_custodian.wrapping_key import WrappingKey

_OPTIONS = (
    click.option(
        "--wrapping-key",
        metavar="KEY",
        type=argument_types.public_key,
        help="The key to wrap under: a file with a public RSA key (no network is needed), or a key in KMS by its id, ARN or "
        "alias/NAME.",
    ),
    click.option(
        "--wrapping-key-check-value",
        metavar="VALUE",
        type=argument_types.check_value,
        help="The wrapping key's SHA256: check value on paper. A different one is an error.",
    ),
    click.option(
        "--algorithm",
        metavar="NAME",
        type=click.Choice(options.SECRET_WRAPPINGS),
        help=f"SecretWrapping.Algorithm of the resource: {', '.join(options.SECRET_WRAPPINGS)}. Without it: the best one for "
        "the key and the size, which the command names.",
    ),
    click.option(
        "--out",
        metavar="FILE",
        type=argument_types.new_file,
        help="A new file for the wrapped material (mode 0600); - is standard output.",
    ),
    click.option(
        "--secret",
        metavar="NAME",
        type=argument_types.secret,
        help="Name of the secret that will hold it. Required with a symmetric key of KMS: the file then opens only there.",
    ),
    click.option(
        "--account",
        metavar="ID",
        type=argument_types.account,
        help="Account of that secret (12 digits). Without it: the account of the wrapping key.",
    ),
    options.profile,
    options.region,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapOptions:
    """These options as click passes them; None for a missing one."""

    wrapping_key: str | None
    wrapping_key_check_value: str | None
    algorithm: str | None
    out: str | None
    secret: str | None
    account: str | None
    profile: str | None
    region: str | None

    def present(self) -> list[str]:
        """The names of the options that the user gave."""
        names = (name for name in self.__slots__ if getattr(self, name) is not None)
        return [f"--{name.replace('_', '-')}" for name in names]


@dataclass(frozen=True, slots=True)
class KeyWrap:
    """The wrapping key and the name of the new file, both checked."""

    key: WrappingKey
    algorithm: str | None
    out: str

    def write(self, checked: CheckedMaterial, *, as_json: bool) -> None:
        """Wraps, writes and reports. Always wipes the material."""
        spec = checked.spec
        try:
            self._require_another(checked)
            chosen = self.key.choose(spec, len(checked.encoded), self.algorithm)
            output.say(f"Wrapping with {chosen.algorithm}: {chosen.reason}.", err=True)
            wrapped = self.key.wrap(chosen.algorithm, checked.encoded)
            result = WrapReport.of(checked, self.key, chosen.algorithm, wrapped, self.out)
        finally:
            checked.wipe()
        new_file.write(self.out, wrapped, where="--out")
        report.show(result, as_json=as_json, err=self.out == new_file.STDOUT)

    def _require_another(self, checked: CheckedMaterial) -> None:
        if self.key.check_value and checked.check_value == self.key.check_value:
            problem = "The material is the private key of --wrapping-key itself: anyone who has it opens all wrapped material."
            raise refused("FILE", problem, "Wrap under another key, which KMS made.")


def add_options(run: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that wraps. The command gets them as one value, `wrapping`."""
    kind: Callable[..., WrapOptions] = WrapOptions

    @functools.wraps(run)
    def command(**values: object) -> None:
        wrapping = kind(**{name: values.pop(name) for name in WrapOptions.__slots__})
        run(wrapping=wrapping, **values)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def prepare(wrapping: WrapOptions) -> KeyWrap:
    """Raises UsageError or Refused before any material is read, made or typed."""
    wrapping_key, out = wrapping.wrapping_key, wrapping.out
    if wrapping_key is None or out is None:
        missing = " and ".join(
            name for name, value in (("--wrapping-key", wrapping_key), ("--out", out)) if value is None
        )
        raise click.UsageError(f"Missing {missing}: material is written wrapped, under a key, to a new file.")
    _require_name(wrapping.secret)
    new_file.require_writable(out, where="--out")
    key = _key(wrapping_key, wrapping)
    if wrapping.wrapping_key_check_value is not None:
        _compare(key, wrapping.wrapping_key_check_value)
    if wrapping.secret is not None and not key.opens_for:
        binds_nothing = (
            "--secret binds nothing under an RSA key: the file opens in any secret whose tag names the stack."
        )
        output.say(f"Warning: {binds_nothing}", err=True)
    output.say(*(f"Warning: {line}" for line in key.warnings), err=True)
    return KeyWrap(key, wrapping.algorithm, out)


def _key(name: str, wrapping: WrapOptions) -> WrappingKey:
    if wrapping_key.is_of_kms(name):
        session = Session(Connection(wrapping.profile, wrapping.region))
        return wrapping_key.from_kms(name, session, secret=wrapping.secret, account=wrapping.account)
    return wrapping_key.from_file(name)


def _require_name(secret: str | None) -> None:
    if secret is not None and (secret.startswith("arn:")):
        raise click.UsageError("--secret is the secret's name, not its ARN: the encryption context holds the name.")


def _compare(key: WrappingKey, expected: str) -> None:
    where = "--wrapping-key-check-value"
    if not key.check_value:
        problem = "A symmetric key of KMS has no check value that could be compared."
        raise refused(where, problem, "Leave it out: the key's ARN says which key it is.")
    if expected.upper().removeprefix("SHA256:") != key.check_value.removeprefix("SHA256:"):
        problem = f"The wrapping key's check value is {key.check_value}, and another one is on paper."
        raise refused(where, problem, "Do not use this key: the holder of its private key could read the material.")
