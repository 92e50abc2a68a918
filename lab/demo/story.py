"""Prints what the demo does: numbered acts with their times, plain sentences, facts to compare."""

import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

WIDTH = 110
INDENT = "   "


class Story:
    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._acts = 0
        self._begun = time.monotonic()

    def tell(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    @contextmanager
    def act(self, title: str) -> Iterator[None]:
        """Prints an act's title, and its time when it ends."""
        self._acts += 1
        begun = time.monotonic()
        self.tell(f"\n{self._acts}. {title}")
        yield
        self.tell(f"{INDENT}[{time.monotonic() - begun:.1f} s]")

    def say(self, text: str) -> None:
        self.tell(textwrap.fill(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))

    def quote(self, text: str) -> None:
        """Prints a quoted text: an error, a command."""
        self.tell(textwrap.fill(text, WIDTH, initial_indent=f"{INDENT}> ", subsequent_indent=f"{INDENT}> "))

    def show(self, text: str) -> None:
        """Prints lines as they are: a message, what a program prints."""
        for line in text.rstrip().splitlines():
            self.tell(f"{INDENT}| {line}".rstrip())

    def facts(self, facts: Mapping[str, str]) -> None:
        """Prints names and values, one a line."""
        width = max(map(len, facts))
        for name, value in facts.items():
            self.tell(f"{INDENT}  {name:<{width}}  {value}")

    def end(self, text: str) -> None:
        self.tell(f"\nAll of it took {time.monotonic() - self._begun:.0f} s.\n{text}")
