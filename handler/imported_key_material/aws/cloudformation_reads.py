"""The reads of CloudFormation that several functions make: the calls, how a list is paged, which errors are waited out.

cloudformation/ says what they mean: `stack.py` (present statuses), `stack_events.py`, `stack_resources.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

BELIEVED_AFTER_SECONDS: Final = 60.0  # CloudFormation's statuses lag: believe a "no" only after this time
# For a right that was granted a moment ago, and a stack that was made a moment ago.
NOT_YET_READABLE: Final[Mapping[str, float]] = {
    "AccessDenied": BELIEVED_AFTER_SECONDS,
    "ValidationError": BELIEVED_AFTER_SECONDS,
}

GONE: Final = frozenset({"DELETE_IN_PROGRESS", "DELETE_COMPLETE"})  # a resource with this status holds nothing


class CloudFormation(Protocol):
    """The calls of boto3's client that are used. The roles in template.yaml allow only these."""

    def describe_stacks(self, **parameters: object) -> Mapping[str, Any]: ...
    def describe_stack_resource(self, **parameters: object) -> Mapping[str, Any]: ...
    def describe_stack_events(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_stack_resources(self, **parameters: object) -> Mapping[str, Any]: ...


def pages(page: Callable[[Mapping[str, str]], Mapping[str, Any]], **parameters: str) -> Iterator[Mapping[str, Any]]:
    """All pages of one of CloudFormation's lists. `page` makes the call with the parameters for one page."""
    while True:
        answer = page(parameters)
        yield answer
        if not answer.get("NextToken"):
            return
        parameters["NextToken"] = answer["NextToken"]
