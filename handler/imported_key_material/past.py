"""What a stack's events tell of a resource's past, where its present status tells nothing.

- Whether the operation before failed. With --disable-rollback a failed Update is tried again, and its OldResourceProperties
  may be the failed ones: that nothing has changed then says nothing of the key (rule 5).
- In which form of id the resource held a key before, where a change of KeyId is rolled back (rule 1).

Events come newest first, and only so many pages are read: what is not found there is not known.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from imported_key_material.calling import Caller
from imported_key_material.stack import NOT_YET_READABLE, CloudFormation, pages

PAGES_MAX: Final = 30  # of some 100 events each


@dataclass(frozen=True, slots=True)
class Past:
    """Of one logical id of one stack."""

    stack_id: str
    logical_id: str
    cloudformation: CloudFormation
    caller: Caller

    def failed(self) -> bool:
        """Whether the resource's operation before the present one failed; also where that is not known."""
        ended = (one for one in self._events() if not one["ResourceStatus"].endswith("_IN_PROGRESS"))
        last = next(ended, None)
        return last is None or last["ResourceStatus"].endswith("_FAILED")

    def held_as(self, forms: Collection[str]) -> str | None:
        """Which of these physical ids the resource bore last; None where that is not known."""
        borne = (one.get("PhysicalResourceId") for one in self._events())
        return next((id_ for id_ in borne if id_ in forms), None)

    def _events(self) -> Iterator[Mapping[str, Any]]:
        """The resource's, newest first."""

        def page(parameters: Mapping[str, str]) -> Mapping[str, Any]:
            return self.caller.call(
                "cloudformation:DescribeStackEvents",
                lambda: self.cloudformation.describe_stack_events(**parameters),
                where="StackId",
                waits=NOT_YET_READABLE,
            )

        for one in islice(pages(self.stack_id, page), PAGES_MAX):
            yield from (event for event in one["StackEvents"] if event["LogicalResourceId"] == self.logical_id)
