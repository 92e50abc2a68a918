"""The clocks of rules 6 and 9: what CloudFormation shows of a stack when its request arrives (the probe).

Two stacks, side by side:

    moves   created; updated: Kept gets another id, Removed goes, Added comes; deleted
    back    created; updated: Good gets another property, then Bad fails under another id, and both are rolled back; deleted
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from lab.live.act import Act
from lab.live.acts.cloudformation import shown
from lab.live.acts.cloudformation.played import Played, delete_of, request
from lab.live.probe import DidNotCome, Received
from lab.live.stage import Stage
from lab.live.verdicts import Finding


def clocks(stage: Stage) -> Iterator[Finding]:
    moves, back = Played(stage, "moves"), Played(stage, "back")
    resource = stage.probe.patient
    late = {"DependsOn": "Kept"}
    moves.create(
        {
            "Kept": resource(Id="kept-1", Value="1"),
            "Removed": resource(Id="removed"),
            "Late": resource(Id="late") | late,
        }
    )
    back.create(_back(stage, "1"))
    created = moves.end()
    back.end()

    moves.update(
        {"Kept": resource(Id="kept-2", Value="2"), "Late": resource(Id="late") | late, "Added": resource(Id="added")}
    )
    back.update(_back(stage, "2", Answer="FAILED", OnDelete="SUCCESS"))
    moves.end()
    rolled_back = back.end()
    removed = stage.made.stacks().resource(moves.stack_id, "Removed")
    operations = _last_operations(stage, back.stack_id)

    moves.delete()
    back.delete()
    moves.end()
    back.end()

    received, returned = moves.received(), back.received()
    forward, back_again = request(returned, "Update", "Good"), _found(lambda: request(returned, "Update", "Good", 1))
    found = {
        "Create": request(received, "Create", "Kept"),
        "Create in an update": request(received, "Create", "Added"),
        "Update": request(received, "Update", "Kept"),
        shown.REPLACED: _found(lambda: delete_of(received, "Kept", "kept-1")),
        shown.REMOVED: _found(lambda: delete_of(received, "Removed", "removed")),
        "Delete of a stack": delete_of(received, "Late", "late"),
        shown.ROLLBACK: back_again,
        "rollback's Delete": _found(lambda: delete_of(returned, "Bad", "bad-2")),
    }
    requests = {kind: one for kind, one in found.items() if one is not None}
    yield shown.status_of_the_resource(requests)
    yield shown.status_lag(requests)
    yield shown.status_of_the_stack(requests)
    yield shown.event_of_a_delete(requests)
    yield shown.shown_of_a_replaced_id(found[shown.REPLACED], "kept-2")
    yield shown.shown_of_a_removed_resource(found[shown.REMOVED])
    yield shown.forgotten(removed)
    yield shown.taken_over([one for one in created.events if one["LogicalResourceId"] == "Kept"], "kept-1")
    yield shown.listed_while_created(request(received, "Create", "Late"), local=stage.account.is_local)
    yield shown.rolled_back_properties(forward, back_again)
    yield shown.failed_id(_found(lambda: request(returned, "Update", "Bad", 1)), "bad-2")
    yield shown.last_operations(rolled_back.status, operations, back_again, local=stage.account.is_local)


def _found(find: Callable[[], Received]) -> Received | None:
    try:
        return find()
    except DidNotCome:
        return None


def _back(stage: Stage, value: str, **bad: str) -> dict[str, Any]:
    good = stage.probe.patient(Id="good", Value=value)
    return {"Good": good, "Bad": stage.probe.patient(Id=f"bad-{value}", **bad) | {"DependsOn": "Good"}}


def _last_operations(stage: Stage, stack_id: str) -> list[str] | None:
    """The types of DescribeStacks' LastOperations; None if the answer has none."""
    stack = stage.client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"][0]
    return shown.operation_types(stack)


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "clocks",
        "What CloudFormation shows of a stack when a request arrives",
        (
            "status-before-request",
            "status-lag",
            "stack-status-first",
            "delete-event-first",
            "clean-up-replaced",
            "clean-up-removed",
            "removed-forgotten",
            "create-taken-over",
            "list-while-created",
            "rollback-update",
            "failed-id-kept",
            "last-operations",
        ),
        makes="2 stacks",
        deadline_seconds=240,
        play=clocks,
    ),
)
