"""Material in: from a file, a pipe (`-`), or a prompt that does not echo. Never from an argument or the environment.

A key is short: more bytes than Secrets Manager stores are not read. A typed key is text, so its encoding must be said.
"""

import getpass
import os
import stat
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from imported_key_material.material import material_check
from imported_key_material.material.encoding import BASE64, HEX
from imported_key_material.material.key_specs import KeySpec
from imported_key_material.material.material_check import CheckedMaterial
from key_custodian import output, redaction
from key_custodian.errors import refused
from key_custodian.words import OPTIONS

PIPE: Final = "-"
MOST_BYTES: Final = 65_536  # of a secret's value in Secrets Manager
TYPED: Final = "the typed material"
PIPED: Final = "standard input"


@dataclass(frozen=True, slots=True)
class Source:
    """What was read, and what to call it in a sentence. Its repr shows no bytes."""

    value: bytes | str
    where: str

    def __repr__(self) -> str:
        return f"<Source {self.where}>"


def read(source: str, *, encoding: str | None, json_key: str | None = None, option: str = "FILE") -> Source:
    """Returns bytes; text where it was typed, or where a field of a JSON object is to be taken. Refused (`source`).

    `option`: in place of a name that is not repeated.
    """
    if source == PIPE and sys.stdin.isatty():
        if encoding not in (BASE64, HEX) or json_key is not None:
            raise click.UsageError("Typed material is text: say --encoding HEX or --encoding BASE64.")
        return Source(ask("Material (is not shown)"), TYPED)
    data, where = (_read_pipe(), PIPED) if source == PIPE else (_read_file(source, option=option, secret=True), source)
    return Source(data if json_key is None else _decode(data, where), where)


def check(
    source: Source,
    spec: KeySpec,
    *,
    encoding: str | None,
    json_key: str | None = None,
    expected_check_value: str | None = None,
) -> CheckedMaterial:
    """What was read, through all checks of the function. Refused with all faults, in this tool's words."""
    return material_check.check(
        source.value,
        spec,
        encoding=encoding,
        json_key=json_key,
        expected_check_value=expected_check_value,
        words=OPTIONS.at(source.where),
    )


def read_public(source: str, *, option: str) -> bytes:
    """Returns the bytes of a file that is no secret. Refused (`source`)."""
    return _read_file(source, option=option, secret=False)


def ask(prompt: str) -> str:
    """Returns a typed line without echo. Refused where there is no terminal that can hide it."""
    if not at_terminal():
        raise _no_terminal()
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(f"{prompt}: ")
        except EOFError:
            raise click.Abort from None
        except getpass.GetPassWarning:
            pass  # getpass would go on, and echo
    raise _no_terminal()


def at_terminal() -> bool:
    """Whether somebody sits there to type, and to read what is asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _no_terminal() -> Exception:
    problem = "There is no terminal at which material could be typed without being shown."
    return refused(PIPED, problem, "Run it at a terminal, or name files.")


def _read_pipe() -> bytes:
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    _require_size(len(data), PIPED)
    return data


def _read_file(source: str, *, option: str, secret: bool) -> bytes:
    try:
        with Path(source).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        reason = "it is not there"
    except OSError as error:
        reason = str(error.strerror)
    else:
        if secret and os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
            warning = f"{source}: others than its owner may read this file (mode {mode & 0o777:04o}): chmod 600."
            output.say(f"Warning: {warning}", err=True)
        _require_size(len(data), source)
        return data
    problem = f"The file can't be read: {reason}."
    if not redaction.is_quotable(source):
        raise refused(option, f"{problem} Its name is not repeated: it may be key material.", redaction.REMEDY)
    raise refused(source, problem, "Check the name and the rights.")


def _require_size(size_bytes: int, where: str) -> None:
    if not size_bytes:
        problem = "It is empty." if where == PIPED else "The file is empty."
        raise refused(where, problem, "What should have written it may have failed: look there first.")
    if size_bytes > MOST_BYTES:
        problem = f"It holds more than {MOST_BYTES:,} bytes, which is all that a secret can hold."
        raise refused(where, problem, "Name the file with the key alone.")


def _decode(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass  # it carries the bytes along
    raise refused(
        where, "It is no UTF-8 text, so it holds no JSON object.", "Leave --json-key out, or name another file."
    )
