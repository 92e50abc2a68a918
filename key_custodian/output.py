"""All output of the tool: standard output, standard error, and questions at the terminal.

Callers pass whole lines, and each stays one line. Every character that is not printable (escape sequences, line breaks in a
name, marks that reverse text, half of a character) becomes `?`, at a terminal, in a pipe and in a file. So neither a file's
name nor an answer, from AWS or a server in its place, can move the cursor, hide a line or begin one. A very long line is cut.

On standard error no line repeats a key that was given in a wrong place (`redaction.py`). Results don't repeat it either: a
value that looks like a key is refused before there is a result (`argument_types.py`). JSON escapes such characters by itself.

Only a new component is ever shown (`new_components.py`): on standard output, at a terminal, inside `erased_screen`.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Final

import click

from key_custodian import redaction

LINE_MAX_CHARACTERS: Final = 4096
REPLACED_BY: Final = "?"
_CLEAR: Final = "\x1b[H\x1b[2J\x1b[3J"  # ECMA-48: home, erase the display; xterm: erase the scrollback, too
_OWN_SCREEN: Final = "\x1b[?1049h"  # xterm: the alternate screen, which has no scrollback
_USUAL_SCREEN: Final = "\x1b[?1049l"
_keys: ContextVar[tuple[str, ...]] = ContextVar("keys", default=())


@contextlib.contextmanager
def without(words: Sequence[str]) -> Iterator[None]:
    """Inside the block, no line on standard error repeats a word of the command line that may be a key."""
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
    """JSON on several lines, in ASCII: other characters are escaped."""
    return json.dumps(value, indent=2)


def ask(question: str) -> bool:
    """An empty answer means no."""
    _forget_typed()
    return click.confirm(printable(question), default=False, err=True)


def pause(what: str) -> None:
    """Goes on after Enter."""
    _read_line(what)


def wait_for(answer: str, what: str) -> None:
    """Asks until the user types the answer. A second press of Enter does not answer it."""
    while _read_line(what).strip() != answer:
        pass


def _read_line(what: str) -> str:
    _forget_typed()
    line: str = click.prompt(printable(what), default="", show_default=False, prompt_suffix=" ", err=True)
    return line


def _forget_typed() -> None:
    """What was typed before a question does not answer it."""
    if not sys.stdin.isatty():
        return
    if os.name == "posix":
        termios = importlib.import_module("termios")
        with contextlib.suppress(termios.error, OSError, ValueError):  # the read that follows reports a lost terminal
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
    else:
        msvcrt = importlib.import_module("msvcrt")
        while msvcrt.kbhit():
            msvcrt.getwch()


def clear() -> None:
    """Clears the screen and its scrollback. Does nothing without a terminal."""
    click.echo(_CLEAR, nl=False, err=True)


def can_erase() -> bool:
    """Whether the terminal knows the sequences of `erased_screen`. Windows has no TERM."""
    return os.name != "posix" or os.environ.get("TERM", "") not in {"", "dumb"}


def window() -> tuple[int, int]:
    """The terminal's columns and rows; where it does not know its size, as many as are ever needed."""
    size = os.get_terminal_size(sys.stdout.fileno())
    return size.columns or sys.maxsize, size.lines or sys.maxsize


@contextlib.contextmanager
def erased_screen() -> Iterator[None]:
    """Standard output inside the block goes to a separate screen, which is erased at the block's end, however it ends.

    Ctrl-Z is ignored meanwhile: the shell would come back with the text still on the screen.
    """
    stop = getattr(signal, "SIGTSTP", None)  # Windows has none
    before = None if stop is None else signal.signal(stop, signal.SIG_IGN)
    try:
        click.echo(_OWN_SCREEN + _CLEAR, nl=False)
        yield
    finally:
        click.echo(_CLEAR + _USUAL_SCREEN, nl=False)
        if stop is not None:
            signal.signal(stop, before)


def printable(line: str) -> str:
    shown = "".join(char if char.isprintable() else REPLACED_BY for char in line[: LINE_MAX_CHARACTERS + 1])
    return shown if len(shown) <= LINE_MAX_CHARACTERS else f"{shown[: LINE_MAX_CHARACTERS - 3]}..."
