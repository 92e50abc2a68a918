"""For tests that break things on purpose: they watch every invocation of a function, and lead its calls elsewhere."""

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
    """Called from the threads that handle events."""

    def variables(self, given: dict[str, str]) -> dict[str, str]:
        """The variables that a new process gets in place of `given`: endpoint, certificate, the role's credentials."""

    def began(self, invocation: Invocation) -> None:
        """Called just before the process gets the event."""

    def ended(self, invocation: Invocation, outcome: Outcome) -> None:
        """Called when the process has answered, or has died."""
