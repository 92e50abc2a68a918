"""What CloudFormation showed when it was asked whether it waits for a request, for one line of the log.

If rule 9 says "no" and a user wonders why, this line has all that it depended on: the stack's and the resource's status and
times, the request's time, and the function's clock. It has no property and no ResponseURL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from imported_key_material.cloudformation.request import Request
from imported_key_material.cloudformation.stack_events import Event

NOT_SHOWN: Final = "not shown"
_STACK_TIMES: Final = {
    "CreationTime": "stack_created_at",
    "LastUpdatedTime": "stack_updated_at",
    "DeletionTime": "stack_deleted_at",
}


@dataclass(slots=True, repr=False)
class Shown:
    """`fields`: for the log, only of what was asked. `now`: the function's clock, just before it asked."""

    request: Request
    now: datetime
    fields: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        request = self.request
        self.fields = {
            "request_type": request.type,
            "request_made_at": _text(request.made_at),
            "request_physical_id": request.physical_id or "",
            "service_timeout": str(request.service_timeout_seconds),
            "function_clock": _text(self.now),
        }

    def stack(self, shown: Mapping[str, Any]) -> None:
        """DescribeStacks' answer."""
        self.fields["stack_status"] = shown["StackStatus"]
        self.fields |= {name: _text(shown.get(theirs)) for theirs, name in _STACK_TIMES.items()}

    def resource(self, shown: Mapping[str, Any]) -> None:
        """DescribeStackResource's answer; empty if the stack does not have the resource."""
        self.fields["resource_status"] = shown.get("ResourceStatus", NOT_SHOWN)
        self.fields["resource_status_set_at"] = _text(shown.get("LastUpdatedTimestamp"))
        self.fields["resource_physical_id"] = shown.get("PhysicalResourceId", NOT_SHOWN)

    def event(self, newest: Event | None) -> None:
        """The newest event of the request's own id: in a clean-up it decides."""
        self.fields["event_status"] = newest.status if newest else NOT_SHOWN
        self.fields["event_at"] = _text(newest.at if newest else None)


def _text(time: datetime | None) -> str:
    return NOT_SHOWN if time is None else time.isoformat(timespec="milliseconds")
