"""What Lambda gives an invocation of the function: a context whose time runs on a test's clock, and a log."""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta

from lab.clock import Now


class Context:
    """Lambda's context object."""

    function_name = "imported-key-material"
    aws_request_id = "d0c1b2a3-9485-4766-8574-635241302f1e"
    memory_limit_in_mb = 512

    def __init__(self, clock: Now, seconds: float, function_arn: str) -> None:
        self.invoked_function_arn = function_arn
        self._clock = clock
        self._end = clock.now() + timedelta(seconds=seconds)

    def get_remaining_time_in_millis(self) -> int:
        return round((self._end - self._clock.now()).total_seconds() * 1000)


class FieldsInText:
    """A logger that writes a line's fields into its text, as the deployed function writes them as JSON.

    `keys`: fields that the deployed function adds to every line. They are kept here, and not written into each line.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self.keys: dict[str, str] = {}

    def append_keys(self, **keys: str | None) -> None:
        self.keys = {name: value for name, value in (self.keys | keys).items() if value is not None}

    def info(self, msg: str, *, extra: Mapping[str, object]) -> None:
        self._logger.info("%s %s", msg, json.dumps(dict(extra)))

    def warning(self, msg: str, *, extra: Mapping[str, object]) -> None:
        self._logger.warning("%s %s", msg, json.dumps(dict(extra)))
