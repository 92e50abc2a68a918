"""Deviations in what a stack shows."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, stacks

from lab.local.corrections import stack_statuses

type Answer = tuple[int, dict[str, str], bytes]
type Record = dict[str, Any]

LATE = timedelta(seconds=15)  # more than STATUS_LEAD
_CLEAN_UP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"


def statuses_after_their_requests() -> None:
    """Of Creates."""
    set_ = stack_statuses._set

    def changed(record: Record, status: str) -> None:
        set_(record, status)
        if status == "CREATE_IN_PROGRESS":
            record["Timestamp"] = _in(LATE)

    stack_statuses._set = changed


def statuses_that_lag() -> None:
    """Of Updates: they are not shown at all."""
    answer = handlers._ACTION_HANDLERS["DescribeStackResource"]

    def changed(parameters: Record) -> Answer:
        status, headers, body = _bytes(answer(parameters))
        return status, headers, body.replace(b">UPDATE_IN_PROGRESS<", b">UPDATE_COMPLETE<")

    handlers._ACTION_HANDLERS["DescribeStackResource"] = changed


def updates_that_begin_after_their_requests() -> None:
    def later(found: re.Match[str]) -> str:
        time = datetime.fromisoformat(found[1]) + LATE
        return f"<LastUpdatedTime>{_text(time)}</LastUpdatedTime>"

    _described(lambda text: re.sub("<LastUpdatedTime>(.*?)</LastUpdatedTime>", later, text))


def replaced_ids_are_shown() -> None:
    """While a clean-up deletes a replaced id, its resource shows that id."""

    def before(stack: Record, logical_id: str, physical_id: str) -> Callable[[], None]:
        record = stack["_resources"].get(logical_id)
        if record is None or record["PhysicalResourceId"] == physical_id:
            return _nothing
        shown = dict(record)
        record["PhysicalResourceId"] = physical_id
        stack_statuses._set(record, "DELETE_IN_PROGRESS")

        def after() -> None:
            record.update(shown)

        return after

    _clean_up(before)


def removed_resources_are_forgotten_at_once() -> None:
    def before(stack: Record, logical_id: str, physical_id: str) -> Callable[[], None]:
        record = stack["_resources"].get(logical_id)
        if record is not None and record["PhysicalResourceId"] == physical_id:
            del stack["_resources"][logical_id]
        return _nothing

    _clean_up(before)


def removed_resources_are_never_forgotten() -> None:
    """After the update the stack shows them as DELETE_COMPLETE."""
    add_event = stacks._add_event
    removed: list[tuple[str, str, Record]] = []

    def remembering(*event: Any, **more: Any) -> None:
        add_event(*event, **more)
        stack_id, stack_name, logical_id, resource_type, status = event[:5]
        stack = cloudformation._stacks.get(stack_name)
        if stack is not None and status == "DELETE_COMPLETE" and stack["StackStatus"] == _CLEAN_UP:
            physical_id = event[6]  # the corrections give it there
            record = {
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": physical_id,
                "ResourceType": resource_type,
                "ResourceStatus": status,
                "Timestamp": _in(timedelta()),
            }
            removed.append((stack_id, logical_id, record))

    describe = handlers._ACTION_HANDLERS["DescribeStackResource"]

    def changed(parameters: Record) -> Answer:
        stack = handlers._resolve_stack(handlers._p(parameters, "StackName"))
        logical_id = handlers._p(parameters, "LogicalResourceId")
        found = [record for id_, name, record in removed if (id_, name) == (stack and stack["StackId"], logical_id)]
        if not found or logical_id in stack["_resources"] or stack["StackStatus"].endswith("_IN_PROGRESS"):
            return _bytes(describe(parameters))
        stack["_resources"][logical_id] = found[0]
        try:
            return _bytes(describe(parameters))
        finally:
            del stack["_resources"][logical_id]

    stacks._add_event = remembering
    handlers._ACTION_HANDLERS["DescribeStackResource"] = changed


def no_events_of_a_clean_up() -> None:
    """Until a Delete is over."""
    add_event = stacks._add_event

    def changed(*event: Any, **more: Any) -> None:
        _stack_id, stack_name, _logical_id, _type, status = event[:5]
        if status != "DELETE_IN_PROGRESS" or cloudformation._stacks[stack_name]["StackStatus"] != _CLEAN_UP:
            add_event(*event, **more)

    stacks._add_event = changed


def failed_updates_are_complete_in_events() -> None:
    add_event = stacks._add_event

    def changed(*event: Any, **more: Any) -> None:
        stack_id, stack_name, logical_id, resource_type, status, *rest = event
        if status == "UPDATE_FAILED" and logical_id != stack_name:
            status = "UPDATE_COMPLETE"
        add_event(stack_id, stack_name, logical_id, resource_type, status, *rest, **more)

    stacks._add_event = changed


def answers_are_taken_over_unseen() -> None:
    def changed(stack: Record, record: Record, physical_id: str, status: str, reason: str) -> None:
        del stack, reason  # the event would need them
        record["PhysicalResourceId"] = physical_id
        stack_statuses._set(record, status)

    stack_statuses._taken_over = changed


# ----------------------------------------------------------------------------------------------------------- their means


def _clean_up(before: Callable[[Record, str, str], Callable[[], None]]) -> None:
    """Calls `before` at the beginning of each Delete of an update's clean-up, and what it returns at the end."""
    delete = stack_statuses._delete

    def changed(resource_type: str, physical_id: str, properties: Record, stack_name: str, logical_id: str) -> None:
        stack = cloudformation._stacks[stack_name]
        after = before(stack, logical_id, physical_id) if stack["StackStatus"] == _CLEAN_UP else _nothing
        try:
            delete(resource_type, physical_id, properties, stack_name, logical_id)
        finally:
            after()

    stack_statuses._delete = changed


def _nothing() -> None:
    pass


def _described(change: Callable[[str], str]) -> None:
    """Changes each answer of DescribeStacks."""
    describe = handlers._ACTION_HANDLERS["DescribeStacks"]

    def changed(parameters: Record) -> Answer:
        status, headers, body = _bytes(describe(parameters))
        return status, headers, change(body.decode()).encode()

    handlers._ACTION_HANDLERS["DescribeStacks"] = changed


def _bytes(answer: Any) -> Answer:
    status, headers, body = answer
    return status, headers, body.encode() if isinstance(body, str) else body


def _in(span: timedelta) -> str:
    return _text(datetime.now(UTC) + span)


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


DEVIATIONS = {
    one.__name__: one
    for one in (
        statuses_after_their_requests,
        statuses_that_lag,
        updates_that_begin_after_their_requests,
        replaced_ids_are_shown,
        removed_resources_are_forgotten_at_once,
        removed_resources_are_never_forgotten,
        no_events_of_a_clean_up,
        failed_updates_are_complete_in_events,
        answers_are_taken_over_unseen,
    )
}
