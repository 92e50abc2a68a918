"""Shows a custom resource its own stack as on AWS.

MiniStack lists a resource only when its Create is over, and shows old statuses during updates and deletes. On AWS
(CloudFormation User Guide, "Stack status codes", "Understand CloudFormation stack creation events"):

- during its own request a resource is CREATE_, UPDATE_ or DELETE_IN_PROGRESS, with the time at which that began
- a stack that cleans up after an update is UPDATE_COMPLETE_CLEANUP_IN_PROGRESS, its events show the Deletes, and a
  clean-up Delete is tried three times
- a resource that an update creates is CREATE_IN_PROGRESS, then CREATE_COMPLETE
- a stack that is being deleted, or rolls its creation back, has a DeletionTime
- a resource that could not be deleted keeps what it depends on

As recorded on AWS:

- after the answer to a Create, the resource is CREATE_IN_PROGRESS once more, under the answered id, 0.15 to 0.7 s before
  its final status (2020, 2025); after an Update that answers another id, it is UPDATE_IN_PROGRESS under that id (2018 to
  2026)
- an event has the resource's id of that moment (2020); the list of resources omits PhysicalResourceId if there is none
  (2016 to 2022)
- a stack's times are those of its own events (2016 to 2022)
- the last part of a StackId is a UUID of version 1 (2018 to 2024)

It corrects only custom resources, and what they keep: no other type runs code that reads its stack.
"""

import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, handlers, stacks

from lab.cloudformation import request_shape
from lab.local.corrections.custom_resources import NotAnswered, Refused

CLEANUP_TRIES = 3
TAKEN_OVER_SECONDS = 0.15
STACK_TYPE = "AWS::CloudFormation::Stack"
TIMES = {
    "CREATE_IN_PROGRESS": "CreationTime",
    "UPDATE_IN_PROGRESS": "LastUpdatedTime",
    "DELETE_IN_PROGRESS": "DeletionTime",
    "ROLLBACK_IN_PROGRESS": "DeletionTime",
}

type Record = dict[str, Any]

_provision: Callable[..., tuple[str, Record]] = stacks._provision_resource
_update: Callable[..., tuple[str, Record]] = stacks._update_resource
_delete = stacks._delete_resource
_delete_stack = stacks._delete_stack_async
_add_event = stacks._add_event
_describe_stacks = handlers._describe_stacks
_list_stack_resources = handlers._list_stack_resources


def apply() -> None:
    for module in (stacks, handlers):
        module._add_event = add_event
    stacks._provision_resource = provision
    stacks._update_resource = update
    stacks._delete_resource = delete
    for module in (stacks, handlers):
        module._delete_stack_async = delete_stack
    handlers._ACTION_HANDLERS["DescribeStacks"] = describe_stacks
    handlers._ACTION_HANDLERS["ListStackResources"] = list_stack_resources
    for module in (handlers, changesets):  # they use it as a StackId's last part
        module.new_uuid = unique_part


def is_custom(resource_type: str) -> bool:
    return resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource"


def _set(record: Record, status: str) -> None:
    record["ResourceStatus"] = status
    record["Timestamp"] = now_iso()


# ------------------------------------------------------------------------------------------- while a request is under way


def provision(resource_type: str, logical_id: str, properties: Record, stack_name: str) -> tuple[str, Record]:
    if not is_custom(resource_type):
        return _provision(resource_type, logical_id, properties, stack_name)
    stack = cloudformation._stacks[stack_name]
    record = {
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": "",
        "ResourceType": resource_type,
        "Properties": properties,
        "Attributes": {},
    }
    _set(record, "CREATE_IN_PROGRESS")
    stack["_resources"][logical_id] = record
    try:
        physical_id, attributes = _provision(resource_type, logical_id, properties, stack_name)
    except Exception as error:
        failed_id = error.physical_id if isinstance(error, Refused) else None
        if failed_id is None:
            del stack["_resources"][logical_id]
        else:
            if not isinstance(error, NotAnswered):
                _taken_over(stack, record, failed_id, "CREATE_IN_PROGRESS", "Resource creation Initiated")
            record["PhysicalResourceId"] = failed_id  # the rollback's Delete comes with it
            _set(record, "CREATE_FAILED")
        raise
    _taken_over(stack, record, physical_id, "CREATE_IN_PROGRESS", "Resource creation Initiated")
    return physical_id, attributes


def _taken_over(stack: Record, record: Record, physical_id: str, status: str, reason: str) -> None:
    """Shows the moment between an answer and the status that follows. Blocks."""
    record["PhysicalResourceId"] = physical_id
    _set(record, status)
    who = (stack["StackId"], stack["StackName"], record["LogicalResourceId"], record["ResourceType"])
    stacks._add_event(*who, status, reason, physical_id)
    time.sleep(TAKEN_OVER_SECONDS)


def update(  # noqa: PLR0913, PLR0917  # the signature of what it replaces
    resource_type: str,
    physical_id: str,
    old: Record,
    new: Record,
    stack_name: str,
    logical_id: str,
    attributes: Record | None = None,
) -> tuple[str, Record]:
    if not is_custom(resource_type) or old == new:  # no request if nothing has changed
        return _update(resource_type, physical_id, old, new, stack_name, logical_id, attributes)
    stack = cloudformation._stacks[stack_name]
    record = stack["_resources"][logical_id]
    _set(record, "UPDATE_IN_PROGRESS")
    try:
        result = _update(resource_type, physical_id, old, new, stack_name, logical_id, attributes)
    except Exception as error:
        _set(record, "UPDATE_FAILED")
        if isinstance(error, Refused) and error.physical_id:
            record["PhysicalResourceId"] = error.physical_id  # CloudFormation takes over the id of a FAILED answer
        raise
    if result[0] != physical_id:
        reason = "Requested update required the provider to create a new physical resource"
        _taken_over(stack, record, result[0], "UPDATE_IN_PROGRESS", reason)
    _set(record, "UPDATE_COMPLETE")
    return result


def delete(resource_type: str, physical_id: str, properties: Record, stack_name: str, logical_id: str) -> None:
    stack = cloudformation._stacks[stack_name]
    if stack["StackStatus"] == "UPDATE_IN_PROGRESS":
        _begin_clean_up(stack)
    if not is_custom(resource_type):
        _require_unused(stack, physical_id)
        _delete(resource_type, physical_id, properties, stack_name, logical_id)
        return
    listed = stack["_resources"].get(logical_id)
    # For an old id, the list keeps showing the resource that replaced it.
    own = listed if listed is not None and listed["PhysicalResourceId"] == physical_id else None
    if own is not None:
        _set(own, "DELETE_IN_PROGRESS")
    tells = stack["StackStatus"] == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"  # MiniStack adds no events then
    event = (stack["StackId"], stack_name, logical_id, resource_type)
    if tells:
        stacks._add_event(*event, "DELETE_IN_PROGRESS", "", physical_id)
    for left in reversed(range(CLEANUP_TRIES if stack["StackStatus"].endswith("_CLEANUP_IN_PROGRESS") else 1)):
        try:
            _delete(resource_type, physical_id, properties, stack_name, logical_id)
        except Refused:
            if left:
                continue
            if own is not None:
                _set(own, "DELETE_FAILED")
            raise
        break
    if tells:
        stacks._add_event(*event, "DELETE_COMPLETE", "", physical_id)


def _require_unused(stack: Record, physical_id: str) -> None:
    """A resource that could not be deleted keeps what its properties name. MiniStack deletes that all the same."""
    if stack["StackStatus"] != "DELETE_IN_PROGRESS":
        return
    for logical_id, record in stack["_resources"].items():
        failed = is_custom(record["ResourceType"]) and record["ResourceStatus"] == "DELETE_FAILED"
        if failed and physical_id in json.dumps(record["Properties"]):
            raise Refused(f"{logical_id}, which could not be deleted, uses it. (ours)", physical_id)


def _begin_clean_up(stack: Record) -> None:
    set_stack(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    for logical_id in _created(stack):
        record = stack["_resources"].get(logical_id)
        if record is not None:
            record["ResourceStatus"] = "CREATE_COMPLETE"  # MiniStack has UPDATE_COMPLETE for what an update created


def _created(stack: Record) -> set[str]:
    """The logical ids that the stack's current operation creates."""
    operation, created = stack.get("_local_created", ("", set()))
    if operation != stack["LastUpdatedTime"]:
        created = set()
        stack["_local_created"] = (stack["LastUpdatedTime"], created)
    logical_ids: set[str] = created
    return logical_ids


def add_event(  # noqa: PLR0913, PLR0917  # the signature of what it replaces
    stack_id: str,
    stack_name: str,
    logical_id: str,
    resource_type: str,
    status: str,
    reason: str = "",
    physical_id: str = "",
    detailed_status: str = "",
) -> None:
    """Adds events with the resource's present id. A resource that an update creates is CREATE_; MiniStack says UPDATE_."""
    stack = cloudformation._stacks.get(stack_name)
    if stack is not None and stack["StackStatus"] == "UPDATE_IN_PROGRESS" and logical_id != stack_name:
        if status == "UPDATE_IN_PROGRESS" and logical_id not in stack["_resources"]:
            _created(stack).add(logical_id)
        if logical_id in _created(stack):
            status = status.replace("UPDATE_", "CREATE_")
    if stack is not None and not physical_id and is_custom(resource_type):
        physical_id = stack["_resources"].get(logical_id, {}).get("PhysicalResourceId", "")
    _add_event(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, detailed_status)
    if stack is not None and physical_id == stack_id and status in TIMES:
        stack[TIMES[status]] = cloudformation._stack_events[stack_id][-1]["Timestamp"]


def set_stack(stack: Record, status: str) -> None:
    stack["StackStatus"] = status
    stacks._add_event(
        stack["StackId"], stack["StackName"], stack["StackName"], STACK_TYPE, status, "", stack["StackId"]
    )


# ------------------------------------------------------------------------------------------- the stack's own reads


def unique_part() -> str:
    return request_shape.unique_part(datetime.now(UTC), SystemRandom())


def list_stack_resources(parameters: Record) -> tuple[int, dict[str, str], bytes]:
    status, headers, body = _list_stack_resources(parameters)
    text = body.decode() if isinstance(body, bytes) else body
    return status, headers, text.replace("<PhysicalResourceId></PhysicalResourceId>", "").encode()


async def delete_stack(stack_name: str, stack_id: str, retain: Iterable[str] = (), *, force: bool = False) -> None:
    await _delete_stack(stack_name, stack_id, retain, force=force)


def describe_stacks(parameters: Record) -> tuple[int, dict[str, str], bytes]:
    status, headers, body = _describe_stacks(parameters)
    text = body.decode() if isinstance(body, bytes) else body
    for stack in cloudformation._stacks.values():
        if "DeletionTime" in stack:
            mark = f"<StackId>{stack['StackId']}</StackId><StackStatus>"
            time = f"<DeletionTime>{stack['DeletionTime']}</DeletionTime>"
            text = text.replace(mark, time + mark)
    return status, headers, text.encode()
