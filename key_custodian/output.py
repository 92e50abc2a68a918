"""The only way out for words: standard output, standard error, and what a terminal is asked.

A line is given as a line, and stays one. Whatever is not printable (escape sequences, line breaks within a name, marks that
turn text around, half of a character) is replaced by `?`, at a terminal, in a pipe and in a file: what AWS answers, or whoever
answers in its place, and what a file is called, moves no cursor, hides no line and begins none. A very long line is cut.

On standard error no line repeats a key that was given in a wrong place (`redaction.py`). Results repeat none either: what looks
like one is refused before there is a result (`argument_types.py`). JSON escapes such characters by itself.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import click

from key_custodian import redaction

LINE_MAX_CHARACTERS: Final = 4096
REPLACED_BY: Final = "?"
_CLEAR: Final = "\x1b[H\x1b[2J\x1b[3J"  # ECMA-48: home, erase the display; xterm: and what was scrolled out
_keys: ContextVar[tuple[str, ...]] = ContextVar("keys", default=())


@contextmanager
def without(words: Sequence[str]) -> Iterator[None]:
    """Within, no line on standard error repeats what may be a key of these words: the command line."""
    token = _keys.set(tuple(redaction.keys_among(words)))
    try:
        yield
    finally:
        _keys.reset(token)


def say(*lines: str, err: bool = False) -> None:
    """Prints each as one line."""
    if not lines:
        return
    shown = (redaction.redact(line, _keys.get()) for line in lines) if err else lines
    text = "\n".join(map(printable, shown))
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), err=err)


def say_json(value: Any, *, err: bool = False) -> None:
    click.echo(as_json(value), err=err)


def as_json(value: Any) -> str:
    """One object over many lines, in ASCII: what else there is, is escaped."""
    return json.dumps(value, indent=2)


def ask(question: str) -> bool:
    """No where nothing is answered."""
    return click.confirm(printable(question), default=False, err=True)


def pause(what: str) -> None:
    click.prompt(printable(what), default="", show_default=False, prompt_suffix=" ", err=True)


def clear() -> None:
    """The screen, and what was scrolled out of it; nothing where there is no terminal."""
    click.echo(_CLEAR, nl=False, err=True)


def printable(line: str) -> str:
    shown = "".join(char if char.isprintable() else REPLACED_BY for char in line[: LINE_MAX_CHARACTERS + 1])
    return shown if len(shown) <= LINE_MAX_CHARACTERS else f"{shown[: LINE_MAX_CHARACTERS - 3]}..."
