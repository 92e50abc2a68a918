"""What Lambda tells a handler about one run of its function."""

from typing import Protocol


class Context(Protocol):
    """What is used of Lambda's context object."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int: ...


def seconds_left(context: Context) -> float:
    """How long Lambda lets this invocation run on."""
    return context.get_remaining_time_in_millis() / 1000
