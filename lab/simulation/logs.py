"""What the function logs, kept with the invocation that logs it."""

import logging
from collections.abc import Callable, Mapping


class Log:
    """What the function gets for a logger: its fields stand in the line, as in the JSON of the deployed one."""

    def __init__(self, keep: Callable[[str], None]) -> None:
        self._keep = keep

    def info(self, msg: str, *, extra: Mapping[str, object]) -> None:
        self._keep(f"{msg} {dict(extra)}")

    warning = info

    def append_keys(self, **keys: str | None) -> None:
        """The story tells which invocation a line belongs to."""


class LogHandler(logging.Handler):
    """The loggers of the function's modules, into the log of the invocation that logs."""

    def __init__(self, keep: Callable[[str], None]) -> None:
        super().__init__()
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        self._keep(record.getMessage())
