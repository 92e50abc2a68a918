"""Reads material from a file, a pipe (`-`), or a prompt that does not echo. Never from an argument or the environment.

It never reads more bytes than Secrets Manager can store. A typed key is text, so the user must give its encoding.
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
from imported_key_material.material.words import Words
from key_custodian import looks_wrapped, output, redaction
from key_custodian.errors import refused
from key_custodian.words import OPTIONS

PIPE: Final = "-"
MOST_BYTES: Final = 65_536  # of a secret's value in Secrets Manager
_LARGER_THAN_A_SECRET: Final = (
    f"It holds more than {MOST_BYTES:,} bytes, which is all that a secret can hold.",
    "Name a file that holds only the key.",
)
TYPED: Final = "the typed material"
PIPED: Final = "standard input"


@dataclass(frozen=True, slots=True)
class Source:
    """The material, and its name in a sentence. Its repr shows no bytes."""

    value: bytes | str
    where: str

    def __repr__(self) -> str:
        return f"<Source {self.where}>"


def read(source: str, *, encoding: str | None, json_key: str | None = None, option: str = "FILE") -> Source:
    """Returns bytes; or text if a person typed it at the terminal, or if `json_key` names a field of it. Refused (`source`).

    `option`: replaces a name that must not be repeated.
    """
    if source == PIPE and sys.stdin.isatty():
        if encoding not in (BASE64, HEX) or json_key is not None:
            raise click.UsageError("Typed material is text: add --encoding HEX or --encoding BASE64.")
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
    """Makes all checks of the function. Refused with all faults, in this tool's words."""
    return material_check.check(
        source.value,
        spec,
        encoding=encoding,
        json_key=json_key,
        expected_check_value=expected_check_value,
        words=_words(source.value).at(source.where),
    )


def _words(value: bytes | str) -> Words:
    if_wrapped = "" if isinstance(value, str) else looks_wrapped.words(value)
    return OPTIONS._replace(if_wrapped=if_wrapped) if if_wrapped else OPTIONS


def read_public(source: str, *, option: str) -> bytes:
    """Returns the bytes of a file that is not secret. Refused (`source`)."""
    return _read_file(source, option=option, secret=False)


def read_report(source: str, *, option: str, remedy: str) -> bytes:
    """Returns the bytes of a regular file: a pipe could keep the command waiting without end. Refused (`source`).

    `remedy`: what to name instead.
    """
    if os.path.exists(source) and not os.path.isfile(source):  # noqa: PTH110, PTH113  # those raise for a name that is too long
        raise refused(source, "It is no regular file, so it is no report.", remedy)
    problem = f"It holds more than {MOST_BYTES:,} bytes, so it is no report."
    return _read_file(source, option=option, secret=False, too_large=(problem, remedy))


def ask(prompt: str) -> str:
    """Returns a line that the user types without echo. Refused where no terminal can hide it."""
    if not at_terminal():
        raise _no_terminal()
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(f"{prompt}: ")
        except EOFError:
            raise click.Abort from None
        except getpass.GetPassWarning:
            pass  # getpass would continue with echo
    raise _no_terminal()


def at_terminal() -> bool:
    """Whether a person can type, and read the questions."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _no_terminal() -> Exception:
    problem = "There is no terminal at which material could be typed without being shown."
    return refused(PIPED, problem, "Run it at a terminal, or name files.")


def _read_pipe() -> bytes:
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    _require_content(data, PIPED)
    return data


def _read_file(source: str, *, option: str, secret: bool, too_large: tuple[str, str] = _LARGER_THAN_A_SECRET) -> bytes:
    try:
        with Path(source).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        reason = "it does not exist"
    except OSError as error:
        reason = str(error.strerror)
    else:
        if secret and os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
            warning = f"{source}: not only its owner may read this file (mode {mode & 0o777:04o}): chmod 600."
            output.say(f"Warning: {warning}", err=True)
        _require_content(data, source, too_large)
        return data
    problem = f"The file can't be read: {reason}."
    if not redaction.is_quotable(source):
        raise refused(option, f"{problem} Its name is not repeated: it may be key material.", redaction.REMEDY)
    raise refused(source, problem, "Check the name and the permissions.")


def _require_content(data: bytes, where: str, too_large: tuple[str, str] = _LARGER_THAN_A_SECRET) -> None:
    if not data or data.isspace():
        problem = "It is empty" if where == PIPED else "The file is empty"
        problem += ", except for white space." if data else "."
        raise refused(where, problem, "The program that should have written it may have failed: check it first.")
    if len(data) > MOST_BYTES:
        problem, remedy = too_large
        raise refused(where, problem, remedy)


def _decode(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass  # the exception holds the bytes
    raise refused(
        where, "It is no UTF-8 text, so it holds no JSON object.", "Leave --json-key out, or name another file."
    )
