"""What a stack's events tell of a resource, where its present status tells nothing.

- Whether its operation before failed. With --disable-rollback a failed Update is tried again, and its OldResourceProperties
  may be the failed ones: that nothing has changed then says nothing of the key (rule 5).
- In which form of id it held a key before, where a change of KeyId is rolled back (rule 1).
- Whether an id is being deleted that it does not show, since the stack cleans up (rule 9).

Events come newest first, the stack's own among them, and each question is read only as far back as its answer can lie. An
event without a logical id or a status tells of something else, and is passed over (API reference: StackEvent requires
neither; hooks have events, too).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from imported_key_material.aws.calls import Caller
from imported_key_material.aws.cloudformation_reads import NOT_YET_READABLE, CloudFormation, pages
from imported_key_material.errors import Fault, Refused

PAGES_MAX: Final = 30  # of 100 events each
_ENDED: Final = frozenset({"CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_COMPLETE", "UPDATE_FAILED"})


@dataclass(frozen=True, slots=True)
class Event:
    """A status, and when it was set. The stack's own events carry the stack's id as their physical id."""

    logical_id: str
    physical_id: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """Of one logical id of one stack."""

    stack_id: str
    logical_id: str
    cloudformation: CloudFormation
    caller: Caller

    def failed(self) -> bool:
        """Whether the resource's operation before the present one failed.

        Read back to the stack's newest end that is a *_COMPLETE: an operation that ended so left nothing failed. Ends that are
        a *_FAILED are read past, since the resource may have failed in the first of several such operations. Deletes are no
        operation of the resource: a clean-up's DELETE_FAILED is that of an id which it had before.
        """
        for event in self._events():
            if event.physical_id == self.stack_id:
                if event.status.endswith("_COMPLETE"):
                    return False
                if event.status == "CREATE_IN_PROGRESS":  # an Update of what was never made: somebody forged it
                    return True
            elif event.logical_id == self.logical_id and event.status in _ENDED:
                return event.status.endswith("_FAILED")
        return False  # CloudFormation has forgotten what was before

    def held_as(self, forms: Collection[str]) -> str | None:
        """Which of these physical ids the resource bore last; None where that is not known."""
        borne = (event.physical_id for event in self._events() if event.logical_id == self.logical_id)
        return next((id_ for id_ in borne if id_ in forms), None)

    def newest(self, physical_id: str, since: datetime) -> Event | None:
        """The resource's newest event under this id; None where there is none since then."""
        for event in self._events():
            if event.at < since:
                return None
            if (event.logical_id, event.physical_id) == (self.logical_id, physical_id):
                return event
        return None

    def _events(self) -> Iterator[Event]:
        """All of the stack, newest first. Raises Refused where there are more than are read."""

        def page(parameters: Mapping[str, str]) -> Mapping[str, Any]:
            return self.caller.call(
                "cloudformation:DescribeStackEvents",
                lambda: self.cloudformation.describe_stack_events(**parameters),
                where="StackId",
                waits=NOT_YET_READABLE,
            )

        for number, one in enumerate(pages(self.stack_id, page), start=1):
            for event in one["StackEvents"]:
                if "LogicalResourceId" in event and "ResourceStatus" in event:
                    yield Event(
                        event["LogicalResourceId"],
                        event.get("PhysicalResourceId", ""),
                        event["ResourceStatus"],
                        event["Timestamp"],
                    )
            if number == PAGES_MAX and one.get("NextToken"):
                raise Refused(Fault("StackId", f"The stack has more events than the {PAGES_MAX} pages that are read."))
