"""A stack on a timeline and two keys, A and B, with a secret each: for what CloudFormation does to resources that move."""

from collections.abc import Callable
from typing import Any

from lab.keys.random_keys import random_keys
from tests.support.timeline import Timeline

FIRST, SECOND, THIRD = random_keys(32, 3)
EMPTY, USABLE = "PendingImport", "Enabled"
BETWEEN_SECONDS = 600.0


class TwoKeys:
    """Operations come one after the other. `on_a`, `on_b`, `failing`: properties of a resource; the last ones fail."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.stack = timeline.stack()
        self.a, self.b = timeline.external_key(), timeline.external_key()
        self.on_a = timeline.declared(self.a, timeline.secret(FIRST, "orders/a"))
        self.on_b = timeline.declared(self.b, timeline.secret(SECOND, "orders/b"))
        self.failing = self.on_a | {"SecretId": "orders/none", "KeyId": timeline.external_key()}
        self._next_at = 10.0

    def then(self, act: Callable[..., object], **template: Any) -> None:
        """Adds the next operation, with a template if it needs one."""
        self.timeline.at(self._next_at, lambda: act(template) if template else act())
        self._next_at += BETWEEN_SECONDS

    def run(self) -> None:
        self.timeline.run()

    @property
    def states(self) -> tuple[str, str]:
        return self.timeline.state(self.a), self.timeline.state(self.b)

    def ids(self) -> dict[str, str]:
        """The physical ids of the stack's resources."""
        return {name: resource.physical_id for name, resource in self.stack.resources.items()}

    def deletes(self) -> list[tuple[str, str, bool]]:
        """(logical id, what the Delete was for, whether anything was taken out), in the order in which they began."""
        return [
            (str(one.event["LogicalResourceId"]), str(one.event["PhysicalResourceId"]), _REMOVAL in one.operations)
            for one in self.timeline.invocations
            if one.event["RequestType"] == "Delete"
        ]


_REMOVAL = "DeleteImportedKeyMaterial"


def bare(arn: str) -> str:
    return arn.rsplit("/", 1)[1]
