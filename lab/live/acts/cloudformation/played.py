"""The stacks of an act with the probe, several at the same time: an operation is begun for all of them, then waited for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lab.live.probe import DidNotCome, Received
from lab.live.stage import Stage
from lab.local.stacks import Begun, Stack

LEAST_SECONDS: Final = 1.0


@dataclass
class Played:
    """One stack of an act. `suffix`: of its name."""

    stage: Stage
    suffix: str
    stack_id: str = ""
    _begun: Begun = field(default_factory=lambda: Begun(""))

    def create(self, resources: Mapping[str, Any], **more: Any) -> None:
        name = self.stage.made.note("stack", self.suffix)
        self.stack_id = self.stage.made.stacks().begin(name, {"Resources": dict(resources)}, **more)
        self._begun = Begun(self.stack_id)

    def update(self, resources: Mapping[str, Any], **more: Any) -> None:
        self._begun = self.stage.made.stacks().begin_update(self.stack_id, {"Resources": dict(resources)}, **more)

    def delete(self) -> None:
        self._begun = self.stage.made.stacks().begin_delete(self.stack_id)

    def end(self) -> Stack:
        """The stack when the operation has ended, with only this operation's events. Raises DidNotEnd."""
        left = (self.stage.until - self.stage.now()).total_seconds()
        return self.stage.made.stacks(max(left, LEAST_SECONDS)).end_of(self._begun)

    def received(self) -> list[Received]:
        """The requests so far, the oldest first."""
        return self.stage.probe.received(self.stack_id)


def request(received: list[Received], type_: str, logical_id: str, number: int = 0) -> Received:
    """The first request of this type for this resource; the second if `number` is 1. Raises DidNotCome."""
    found = [one for one in received if (one.type, one.logical_id) == (type_, logical_id)]
    if len(found) <= number:
        raise DidNotCome(f"{type_} request {number + 1} of {logical_id}")
    return found[number]


def delete_of(received: list[Received], logical_id: str, physical_id: str) -> Received:
    """The first Delete of this id. Raises DidNotCome."""
    for one in received:
        if (one.type, one.logical_id, one.physical_id) == ("Delete", logical_id, physical_id):
            return one
    raise DidNotCome(f"Delete of {logical_id} {physical_id}")
