"""Who may watch every invocation of a function, and lead its calls elsewhere: tests that break things on purpose."""

from dataclasses import dataclass
from typing import Protocol

from lab.local.runtime import Environment, Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Invocation:
    """One try of one event, in one environment. `event`: JSON."""

    function: str
    event: str
    environment: Environment


class Observer(Protocol):
    """Called from the threads in which events are worked on."""

    def variables(self, given: dict[str, str]) -> dict[str, str]:
        """What a new process is to get for `given`: endpoint, certificate, the role's credentials."""

    def began(self, invocation: Invocation) -> None:
        """Just before the process gets the event."""

    def ended(self, invocation: Invocation, outcome: Outcome) -> None:
        """It has answered, or has died."""
