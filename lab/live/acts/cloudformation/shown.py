"""Judgements of the act `clocks`: what CloudFormation showed when a request arrived, against rules 6 and 9.

`requests`: by their kind, as STACK_STATUS names them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from imported_key_material.cloudformation.stack import (
    CUT_OFF,
    EVENT_LEAD,
    OWN_STATUS_LEAD,
    STATUS_LAG_SECONDS,
    STATUS_LEAD,
)
from lab.live.probe import Received
from lab.live.verdicts import Finding, judged, not_seen

_TIMES: Final = ("CreationTime", "LastUpdatedTime", "DeletionTime")
REPLACED: Final = "Delete of a replaced id"
REMOVED: Final = "Delete of a removed resource"
ROLLBACK: Final = "rollback's Update"
STACK_STATUS: Final = {  # what the stack shows when these requests arrive
    "Create": "CREATE_IN_PROGRESS",
    "Create in an update": "UPDATE_IN_PROGRESS",
    "Update": "UPDATE_IN_PROGRESS",
    REPLACED: "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    REMOVED: "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "Delete of a stack": "DELETE_IN_PROGRESS",
    ROLLBACK: "UPDATE_ROLLBACK_IN_PROGRESS",
    "rollback's Delete": "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
}


def status_of_the_resource(requests: Mapping[str, Received]) -> Finding:
    leads = {
        kind: _seconds(_time(one.resource["LastUpdatedTimestamp"]) - one.made_at)
        for kind, one in requests.items()
        if _is_of(one, one.resource)
    }
    low, high = -OWN_STATUS_LEAD.total_seconds(), STATUS_LEAD.total_seconds()
    if not leads:
        return not_seen("status-before-request", "no request met a status of its own")
    return judged(
        "status-before-request",
        f"each status is set {-low:.0f} s before X-Amz-Date at the earliest, and {high:.0f} s after it at the latest",
        _told(leads),
        holds=all(low <= lead <= high for lead in leads.values()),
        seconds_after_x_amz_date=leads,
    )


def status_lag(requests: Mapping[str, Received]) -> Finding:
    """Of Creates and Updates. What a Delete meets has rows of its own."""
    lags = {kind: one.shown_after_seconds for kind, one in requests.items() if one.type != "Delete"}
    return judged(
        "status-lag",
        f"each request's own statuses are shown {STATUS_LAG_SECONDS:.0f} s after it came at the latest",
        "; ".join(f"{kind}: {'not shown' if lag is None else f'{lag:.1f} s'}" for kind, lag in lags.items()),
        holds=all(lag is not None and lag <= STATUS_LAG_SECONDS for lag in lags.values()),
        seconds=lags,
    )


def status_of_the_stack(requests: Mapping[str, Received]) -> Finding:
    statuses = {kind: str(one.stack.get("StackStatus")) for kind, one in requests.items()}
    leads = {
        kind: _seconds(max(_time(one.stack[name]) for name in _TIMES if name in one.stack) - one.made_at)
        for kind, one in requests.items()
        if "StackStatus" in one.stack  # else DescribeStacks was refused
    }
    wrong = [kind for kind, status in statuses.items() if status != STACK_STATUS[kind]]
    late = [kind for kind, lead in leads.items() if lead > CUT_OFF.total_seconds()]
    return judged(
        "stack-status-first",
        "the stack shows its operation, which began before the request's X-Amz-Date",
        f"{_told(leads)}" + "".join(f"; {kind}: the stack is {statuses[kind]}" for kind in wrong),
        holds=not wrong and not late,
        statuses=statuses,
        seconds_after_x_amz_date=leads,
    )


def event_of_a_delete(requests: Mapping[str, Received]) -> Finding:
    found: dict[str, tuple[str, float]] = {}
    for kind, one in requests.items():
        newest = _newest(one) if one.type == "Delete" else None
        if newest is not None:
            found[kind] = (newest["ResourceStatus"], _seconds(_time(newest["Timestamp"]) - one.made_at))
    missing = [kind for kind, one in requests.items() if one.type == "Delete" and kind not in found]
    limit = EVENT_LEAD.total_seconds()
    return judged(
        "delete-event-first",
        f"the newest event of a Delete's id is DELETE_IN_PROGRESS, set {limit:.0f} s before X-Amz-Date at the earliest",
        "; ".join(
            [
                *(f"{kind}: {status}, {lead:+.1f} s" for kind, (status, lead) in found.items()),
                *(f"{kind}: no event" for kind in missing),
            ]
        ),
        holds=not missing and all(status == "DELETE_IN_PROGRESS" and lead >= -limit for status, lead in found.values()),
        seconds_after_x_amz_date={kind: lead for kind, (_, lead) in found.items()},
    )


def shown_of_a_replaced_id(received: Received | None, new_id: str) -> Finding:
    if received is None:
        return not_seen("clean-up-replaced", "the clean-up sent no Delete of the replaced id")
    shown = received.resource.get("PhysicalResourceId"), received.resource.get("ResourceStatus")
    return judged(
        "clean-up-replaced",
        "while a clean-up deletes a replaced id, DescribeStackResource shows the new id, UPDATE_COMPLETE",
        f"it shows {shown[0]}, {shown[1]}",
        holds=shown == (new_id, "UPDATE_COMPLETE"),
        shows_new_id=shown[0] == new_id,
        status=shown[1],
    )


def shown_of_a_removed_resource(received: Received | None) -> Finding:
    if received is None:
        return not_seen("clean-up-removed", "the clean-up sent no Delete of the removed resource")
    status = received.resource.get("ResourceStatus")
    return judged(
        "clean-up-removed",
        "while a clean-up deletes a removed resource, DescribeStackResource shows it, DELETE_IN_PROGRESS",
        f"it shows {status}" if status else f"it answers {received.resource.get('error')}",
        holds=status == "DELETE_IN_PROGRESS",
        status=status,
    )


def forgotten(resource: Mapping[str, Any] | None) -> Finding:
    """`resource`: DescribeStackResource after the update; None if CloudFormation knows no such resource."""
    return judged(
        "removed-forgotten",
        "after the update DescribeStackResource knows the removed resource no more",
        "it knows it no more" if resource is None else f"it shows {resource['ResourceStatus']}",
        holds=resource is None,
    )


def taken_over(events: Sequence[Mapping[str, Any]], physical_id: str) -> Finding:
    """`events`: of one resource's creation, oldest first."""
    statuses = [(one["ResourceStatus"], one.get("PhysicalResourceId", "") == physical_id) for one in events]
    expected = [("CREATE_IN_PROGRESS", False), ("CREATE_IN_PROGRESS", True), ("CREATE_COMPLETE", True)]
    return judged(
        "create-taken-over",
        "after the answer the resource is CREATE_IN_PROGRESS once more, under the answered id",
        ", ".join(f"{status} under {'the answered' if answered else 'no'} id" for status, answered in statuses),
        holds=statuses == expected,
        seconds=[_seconds(one["Timestamp"] - events[0]["Timestamp"]) for one in events],
    )


def listed_while_created(received: Received, *, local: bool = False) -> Finding:
    listed = received.resources.get(received.logical_id)
    if local:
        return not_seen("list-while-created", "The local AWS can't show it: it lists what is being created, too.")
    return judged(
        "list-while-created",
        "while a stack is created, ListStackResources leaves out what is not CREATE_COMPLETE",
        f"it lists the resource as {listed}" if listed else "it leaves the resource out",
        holds=listed is None,
        statuses=sorted(received.resources.values()),
    )


def rolled_back_properties(forward: Received, back: Received | None) -> Finding:
    expected = "a rollback sends a second Update, with the properties swapped"
    if back is None:
        return judged("rollback-update", expected, "it sends none", holds=False)
    there, again = (
        [one.event[which].get("Value") for which in ("ResourceProperties", "OldResourceProperties")]
        for one in (forward, back)
    )
    swapped = again == there[::-1]
    return judged("rollback-update", expected, "they are swapped" if swapped else "they are not swapped", holds=swapped)


def failed_id(back: Received | None, answered_id: str) -> Finding:
    """`back`: the rollback's Update of the resource whose Update answered FAILED under this id."""
    if back is None:
        return not_seen("failed-id-kept", "the rollback sent no Update of the failed resource")
    kept = back.physical_id == answered_id
    return judged(
        "failed-id-kept",
        "the rollback's Update has the id of the FAILED answer",
        f"it has {'the id of the FAILED answer' if kept else 'another id'}",
        holds=kept,
    )


def last_operations(
    status: str, afterwards: list[str] | None, back: Received | None, *, local: bool = False
) -> Finding:
    """`afterwards`: the types in LastOperations after the rollback. `back`: what the probe's own boto3 read during it."""
    if afterwards is None:
        why = "The local AWS can't show it: its DescribeStacks has no LastOperations."
        return not_seen("last-operations", why if local else "DescribeStacks has no LastOperations in this Region.")
    return judged(
        "last-operations",
        "DescribeStacks has LastOperations, and ROLLBACK is one of them after an update that was rolled back",
        f"the stack is {status}, and LastOperations has {', '.join(afterwards) or 'nothing'}",
        holds="ROLLBACK" in afterwards,
        during=None if back is None else operation_types(back.stack),
        afterwards=afterwards,
    )


def _is_of(received: Received, resource: Mapping[str, Any]) -> bool:
    """Whether the resource shows the status of this request: in a clean-up it may be another id's, or gone."""
    own = f"{received.type.upper()}_IN_PROGRESS"
    return resource.get("ResourceStatus") == own and resource.get("PhysicalResourceId", "") == received.physical_id


def _newest(received: Received) -> Mapping[str, Any] | None:
    me = received.logical_id, received.physical_id
    mine = (one for one in received.events if (one["LogicalResourceId"], one.get("PhysicalResourceId", "")) == me)
    return next(mine, None)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _seconds(span: timedelta) -> float:
    return round(span.total_seconds(), 3)


def _told(seconds: Mapping[str, float]) -> str:
    return "; ".join(f"{kind}: {value:+.1f} s" for kind, value in seconds.items())


def operation_types(stack: Mapping[str, Any]) -> list[str] | None:
    found = stack.get("LastOperations")
    return None if found is None else [str(one.get("OperationType")) for one in found]
