"""Rolls failed operations back as CloudFormation does.

MiniStack forgets a Create that failed. It deletes the new resource of a replacement without an Update back to the old one. On
AWS, as authors of custom resources have seen (aws-cdk, issues 5525 and 13527):

- a failed Create is followed by a Delete with the id of the FAILED answer, or with an id that CloudFormation made up
- the rollback of a replacement sends an Update back to the old properties, then Deletes the new id; so does the rollback of
  an Update that failed under another id than it came with

It corrects only custom resources. MiniStack rolls its own resource types (AWS::KMS::Key and so on) back well enough.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ministack.core.concurrency import run_reentrant
from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, stacks

from lab.local.corrections.custom_resources import Refused
from lab.local.corrections.stack_statuses import Record, is_custom, set_stack

_roll_back = stacks._roll_back_operation


def apply() -> None:
    stacks._roll_back_operation = roll_back
    handlers._roll_back_operation = roll_back


@dataclass(frozen=True, slots=True)
class _Superseded:
    """A custom resource that got another physical id in the failed operation. `record`: its previous record."""

    logical_id: str
    resource_type: str
    physical_id: str
    properties: Record
    record: Record


async def roll_back(
    stack_name: str, stack_id: str, stack: Record, operation: Record, reason_override: str = ""
) -> None:
    _adopt_failed_create(stack, operation)
    superseded = list(_send_back(stack, operation))
    await _roll_back(stack_name, stack_id, stack, operation, reason_override)
    left = [one for one in superseded if one.record["PhysicalResourceId"] != one.physical_id]
    if left and stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE":
        cloudformation._stack_events[stack_id].pop()  # it says COMPLETE, but the clean-up is still to come
        await _clean_up_after_rollback(stack, left)


def _adopt_failed_create(stack: Record, operation: Record) -> None:
    """Makes the rollback also delete the resource of a failed Create."""
    logical_id = operation["failed_logical_id"]
    record = stack["_resources"].get(logical_id)
    if record is not None and record["ResourceStatus"] == "CREATE_FAILED":
        operation["created"].append(logical_id)


def _send_back(stack: Record, operation: Record) -> Iterable[_Superseded]:
    """Makes MiniStack's rollback treat replacements as updates: it then sends an Update back, under the new id."""
    before = (operation["previous_stack"] or {}).get("_resources", {})
    failed = operation["failed_update"]
    changed = [*operation["created"], *([failed[0]] if failed else [])]
    for logical_id in changed:
        now, then = stack["_resources"][logical_id], before.get(logical_id)
        if then is None or not is_custom(now["ResourceType"]):
            continue
        new_id = now["PhysicalResourceId"]
        if new_id == then["PhysicalResourceId"]:
            continue
        then["PhysicalResourceId"] = new_id  # the Update back answers with the old id
        if failed and logical_id == failed[0]:
            operation["failed_update"] = [*failed[:2], new_id, *failed[3:]]
        if logical_id in operation["replaced_ids"]:
            operation["replaced_ids"].remove(logical_id)
        yield _Superseded(logical_id, now["ResourceType"], new_id, now["Properties"], then)


async def _clean_up_after_rollback(stack: Record, superseded: Iterable[_Superseded]) -> None:
    stack["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"  # the events already have it
    for one in superseded:
        event = (stack["StackId"], stack["StackName"], one.logical_id, one.resource_type)
        stacks._add_event(*event, "DELETE_IN_PROGRESS", "", one.physical_id)
        try:
            await run_reentrant(
                stacks._delete_resource,
                one.resource_type,
                one.physical_id,
                one.properties,
                stack["StackName"],
                one.logical_id,
            )
        except Refused as refused:
            stacks._add_event(*event, "DELETE_FAILED", str(refused), one.physical_id)
        else:
            stacks._add_event(*event, "DELETE_COMPLETE", "", one.physical_id)
    set_stack(stack, "UPDATE_ROLLBACK_COMPLETE")
