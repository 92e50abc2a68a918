"""The reads of CloudFormation that both functions make: the calls, how a list is paged, and which errors are waited out.

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


class CloudFormation(Protocol):
    """The calls of boto3's client that are used. The roles in template.yaml allow only these."""

    def describe_stacks(self, **parameters: object) -> Mapping[str, Any]: ...
    def describe_stack_resource(self, **parameters: object) -> Mapping[str, Any]: ...
    def describe_stack_events(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_stack_resources(self, **parameters: object) -> Mapping[str, Any]: ...


def pages(stack_id: str, page: Callable[[Mapping[str, str]], Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """All pages of a CloudFormation list of one stack. `page` makes the call with the parameters for one page."""
    parameters = {"StackName": stack_id}
    while True:
        answer = page(parameters)
        yield answer
        if not answer.get("NextToken"):
            return
        parameters["NextToken"] = answer["NextToken"]
