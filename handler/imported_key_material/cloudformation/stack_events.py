"""What a stack's events show of a resource, if its present status does not show it.

- Whether its previous operation failed. With --disable-rollback CloudFormation tries a failed Update again, and its
  OldResourceProperties may be the failed ones. Equal properties then prove nothing about the key (rule 5).
- Which form of id the resource held a key in before, when a change of KeyId is rolled back (rule 1).
- Whether a clean-up is deleting an id that the resource no longer shows (rule 9).

Events come newest first, the stack's own among them. Each question reads only as far back as its answer can lie. An event
without a logical id or a status is skipped: it is not about a resource (API reference: StackEvent requires neither; hooks have
events, too).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from imported_key_material.aws.calls import Caller
from imported_key_material.aws.cloudformation_reads import NOT_YET_READABLE, CloudFormation, pages
from imported_key_material.errors import Fault, Refused

PAGES_MAX: Final = 30  # of 100 events each
_ENDED: Final = frozenset({"CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_COMPLETE", "UPDATE_FAILED"})


class Event(NamedTuple):
    """A status, and when it was set. In the stack's own events the physical id is the stack's id."""

    logical_id: str
    physical_id: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """The events of one logical id of one stack."""

    stack_id: str
    logical_id: str
    cloudformation: CloudFormation
    caller: Caller

    def failed(self) -> bool:
        """Whether the resource's previous operation failed.

        Reads back to the stack's newest *_COMPLETE: a stack operation that ended so left nothing failed. It reads past the
        stack's *_FAILED, since the resource may have failed in the first of several such operations. It ignores the resource's
        Deletes: the DELETE_FAILED of a clean-up belongs to an id that the resource had before.
        """
        for event in self._events():
            if event.physical_id == self.stack_id:
                if event.status.endswith("_COMPLETE"):
                    return False
                if event.status == "CREATE_IN_PROGRESS":  # the resource was never created: the Update is forged
                    return True
            elif event.logical_id == self.logical_id and event.status in _ENDED:
                return event.status.endswith("_FAILED")
        return False  # CloudFormation no longer has the older events

    def held_as(self, forms: Collection[str]) -> str | None:
        """Which of these physical ids the resource had last; None if the events don't show it."""
        earlier_ids = (event.physical_id for event in self._events() if event.logical_id == self.logical_id)
        return next((id_ for id_ in earlier_ids if id_ in forms), None)

    def newest(self, physical_id: str, since: datetime) -> Event | None:
        """The resource's newest event under this id; None if there is none since then."""
        for event in self._events():
            if event.at < since:
                return None
            if (event.logical_id, event.physical_id) == (self.logical_id, physical_id):
                return event
        return None

    def _events(self) -> Iterator[Event]:
        """All events of the stack, newest first. Raises Refused if there are more than `PAGES_MAX` pages."""

        def page(parameters: Mapping[str, str]) -> Mapping[str, Any]:
            return self.caller.call(
                "cloudformation:DescribeStackEvents",
                lambda: self.cloudformation.describe_stack_events(**parameters),
                where="StackId",
                waits=NOT_YET_READABLE,
            )

        for number, one in enumerate(pages(page, StackName=self.stack_id), start=1):
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
