"""Keeps the function's log lines with their invocation."""

import logging
from collections.abc import Callable, Mapping


class Log:
    """The function's logger. It writes the fields into the line, as the deployed function does in JSON."""

    def __init__(self, keep: Callable[[str], None]) -> None:
        self._keep = keep

    def info(self, msg: str, *, extra: Mapping[str, object]) -> None:
        self._keep(f"{msg} {dict(extra)}")

    warning = info

    def append_keys(self, **keys: str | None) -> None:
        """Ignores the keys: the story shows each line's invocation."""


class LogHandler(logging.Handler):
    """Writes the lines of the modules' loggers into the invocation's log."""

    def __init__(self, keep: Callable[[str], None]) -> None:
        super().__init__()
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        self._keep(record.getMessage())
