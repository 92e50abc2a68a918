"""After a failure: an update that failed with --disable-rollback is tried again; a clean-up's Delete fails (the probe).

Two stacks, side by side:

    again    created with Value 1; updated to 2, which fails, with DisableRollback; updated to 3
    unclean  created; updated without Removed, whose Delete always fails
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lab.live.act import Act
from lab.live.acts.cloudformation.played import Played, request
from lab.live.probe import Received
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged

TRIES: Final = 3
_ENDED: Final = frozenset({"CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_COMPLETE", "UPDATE_FAILED"})


def failures(stage: Stage) -> Iterator[Finding]:
    again, unclean = Played(stage, "again"), Played(stage, "unclean")
    resource = stage.probe.resource
    again.create({"Probe": resource(Id="one", Value="1")})
    unclean.create({"Kept": resource(Id="kept"), "Removed": resource(Id="removed", OnDelete="FAILED")})
    again.end()
    unclean.end()

    again.update({"Probe": resource(Id="one", Value="2", Answer="FAILED")}, DisableRollback=True)
    unclean.update({"Kept": resource(Id="kept")})
    again.end()
    again.update({"Probe": resource(Id="one", Value="3")}, DisableRollback=True)
    again.end()
    second = request(again.received(), "Update", "Probe", 1)
    yield old_properties(second)
    yield shown_as_failed(second)

    ended = unclean.end()
    deletes = [one for one in unclean.received() if (one.type, one.logical_id) == ("Delete", "Removed")]
    yield tried_again(deletes, ended.status, [one for one in ended.events if one["LogicalResourceId"] == "Removed"])


# ----------------------------------------------------------------------------------------------------------- judgements


def old_properties(second: Received) -> Finding:
    """`second`: the Update to 3, after the one to 2 failed."""
    old = second.event["OldResourceProperties"].get("Value")
    whose = {"1": "those before the failed update", "2": "the failed update's"}.get(str(old), "neither")
    return judged(
        "old-properties-after-failure",
        "OldResourceProperties are those before the failed update",
        f"they are {whose}",
        holds=old == "1",
        old_properties=whose,
    )


def shown_as_failed(second: Received) -> Finding:
    """What stack_events.Past.failed reads: newest first, back to the stack's own *_COMPLETE."""
    for event in second.events:
        status = event["ResourceStatus"]
        is_stack = event.get("PhysicalResourceId") == event["StackId"]
        if is_stack and status.endswith("_COMPLETE"):
            break
        if event["LogicalResourceId"] == second.logical_id and status in _ENDED:
            break
    else:
        status = "nothing"
    return judged(
        "failure-in-events",
        "before a stack's own *_COMPLETE, the newest event that ends an operation of the resource is UPDATE_FAILED",
        f"it is {status}",
        holds=status == "UPDATE_FAILED",
        status=status,
    )


def tried_again(deletes: Sequence[Received], status: str, events: Sequence[Mapping[str, Any]]) -> Finding:
    """`status`: of the stack at its end. `events`: of the removed resource, oldest first."""
    last = events[-1]["ResourceStatus"] if events else "nothing"
    times = [one.made_at for one in deletes]
    return judged(
        "clean-up-tries",
        f"a clean-up's Delete that fails is tried {TRIES} times; then it is DELETE_FAILED, and the stack UPDATE_COMPLETE",
        f"{len(deletes)} Deletes; {last}; the stack is {status}",
        holds=(len(deletes), last, status) == (TRIES, "DELETE_FAILED", "UPDATE_COMPLETE"),
        deletes=len(deletes),
        seconds=[(one - times[0]).total_seconds() for one in times],
        last_event=last,
    )


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "failures",
        "An update after a failed one, and a clean-up's Delete that fails",
        ("old-properties-after-failure", "failure-in-events", "clean-up-tries"),
        makes="2 stacks",
        deadline_seconds=150,
        play=failures,
    ),
)
