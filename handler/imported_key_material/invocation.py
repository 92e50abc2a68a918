"""What Lambda gives a handler about one invocation."""

from typing import Protocol


class Context(Protocol):
    """The part of Lambda's context object that is used here."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int: ...


def seconds_left(context: Context) -> float:
    """How long this invocation may still run."""
    return context.get_remaining_time_in_millis() / 1000
