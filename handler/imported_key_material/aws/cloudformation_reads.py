"""The reads of CloudFormation that both functions make: the calls, how a list is paged, and what is waited out.

What they tell of a stack is in cloudformation/: `stack.py` (its present statuses), `stack_events.py`, `stack_resources.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

BELIEVED_AFTER_SECONDS: Final = 60.0  # a "no" of CloudFormation's, since what it shows may lag
# A right that was given a moment ago; a stack that was made a moment ago.
NOT_YET_READABLE: Final[Mapping[str, float]] = {
    "AccessDenied": BELIEVED_AFTER_SECONDS,
    "ValidationError": BELIEVED_AFTER_SECONDS,
}


class CloudFormation(Protocol):
    """The calls used of boto3's client. The roles in template.yaml allow these, and no other."""

    def describe_stacks(self, **parameters: object) -> Mapping[str, Any]: ...
    def describe_stack_resource(self, **parameters: object) -> Mapping[str, Any]: ...
    def describe_stack_events(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_stack_resources(self, **parameters: object) -> Mapping[str, Any]: ...


def pages(stack_id: str, page: Callable[[Mapping[str, str]], Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """All pages of one of CloudFormation's lists of a stack. `page` gives the one that its parameters ask for."""
    parameters = {"StackName": stack_id}
    while True:
        given = page(parameters)
        yield given
        if not given.get("NextToken"):
            return
        parameters["NextToken"] = given["NextToken"]
