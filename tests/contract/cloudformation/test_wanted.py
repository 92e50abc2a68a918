"""Rule 9: the function changes nothing for a request that CloudFormation does not wait for (any more).

The right to invoke the function must not be enough to move keys, and a request may be queued, repeated or forged. The
function believes a "no" of CloudFormation after a minute, since statuses may lag. Then the answer is FAILED; if the "no" was
right, nobody reads it. test_wanted_asked_again.py shows when it asks again.
"""

import json
import re

import pytest

from lab.keys.by_hand import import_material
from lab.wire.transport import Fault
from tests.support.requests import KEY, REQUESTS, creating, deleting, updating

# ------------------------------------------------------------------------------------------------------------ the stack


@pytest.mark.parametrize("request_of", REQUESTS)
@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"]
)
def test_a_request_outside_the_minutes_in_which_the_stack_is_worked_on_changes_nothing(
    world, unwanted, request_of, status
):
    event = request_of(world)
    world.stack.status = status

    assert unwanted(event) == f"the stack is {status}."


@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_request_for_a_stack_that_does_not_exist_changes_nothing(world, request_of):
    event = request_of(world)
    event["StackId"] = event["StackId"].replace("stack/orders", "stack/payments")
    before, changes = world.snapshot(), world.changes()

    answer = world.invoke(event)

    assert answer["Status"] == "FAILED"
    assert "was refused with ValidationError" in answer["Reason"]
    assert world.changes() == changes
    assert world.snapshot() == before


@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_request_that_came_after_the_stack_moved_on_changes_nothing(world, unwanted, request_of):
    """The request was queued while one stack operation ended and the next began, which works on the logical id, too."""
    event = request_of(world)
    world.clock.advance(30)
    world.stack.updated_at = world.clock.now()

    assert unwanted(event) == "it was made before the stack's present operation began."


NO_TIME = "KeyId: There was no time left for kms:DescribeKey. Run the deployment again."


@pytest.mark.parametrize(
    ("request_of", "found"),
    [
        (
            creating,
            "CloudFormation does not wait for this Create request: it is 301 seconds old, and ServiceTimeout is 300. "
            "Nothing was imported.",
        ),
        (updating, f"{NO_TIME} Nothing was imported."),
        (deleting, f"{NO_TIME} Nothing was removed."),
    ],
)
def test_a_request_that_is_older_than_its_service_timeout_changes_nothing(world, request_of, found):
    event = request_of(world, ServiceTimeout="300")
    world.clock.advance(301)
    before, changes = world.snapshot(), world.changes()

    answer = world.invoke(event)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == found
    assert world.changes() == changes
    assert world.snapshot() == before


def test_a_request_that_waits_for_the_quota_until_nobody_waits_for_it_any_more_imports_nothing(world):
    event = creating(world, ServiceTimeout="120")
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=10**6)

    answer = world.invoke(event)

    assert answer["Status"] == "FAILED"
    assert "of a request that is 108 seconds old" in answer["Reason"]  # the function keeps a tenth of its time
    assert world.changes() == 0


# --------------------------------------------------------------------------------------------------------- the resource


@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        (creating, "CREATE_FAILED"),
        (creating, "DELETE_IN_PROGRESS"),
        (creating, "UPDATE_IN_PROGRESS"),
        (updating, "CREATE_IN_PROGRESS"),
        (updating, "UPDATE_FAILED"),
        (updating, "DELETE_IN_PROGRESS"),
    ],
)
def test_a_request_for_a_resource_that_is_not_being_worked_on_changes_nothing(world, unwanted, request_of, status):
    """A Create that was cancelled but still runs; and a forged Create while the stack works on another resource."""
    event = request_of(world)
    world.stack.set("Material", status, world.clock.now())

    assert unwanted(event) == f"Material is {status}."


def test_a_request_for_a_resource_that_the_stack_does_not_have_changes_nothing(world, unwanted):
    event = creating(world)
    event["LogicalResourceId"] = "Another"

    assert unwanted(event) == "Another is not in the stack."


@pytest.mark.parametrize("request_of", [creating, updating])
def test_a_request_of_an_earlier_operation_changes_nothing_while_a_later_one_works_on_the_resource(
    world, unwanted, request_of
):
    """Both operations set the same status; only the status's time differs."""
    event = request_of(world)
    world.clock.advance(11)
    status = world.stack.resources["Material"].status
    world.stack.set("Material", status, world.clock.now())

    assert unwanted(event) == "a later operation is at work on Material."


def test_a_delete_that_comes_while_its_logical_id_is_created_anew_removes_nothing(world, unwanted):
    event = deleting(world)
    world.stack.set("Material", "CREATE_IN_PROGRESS", world.clock.now(), physical_id=None)

    assert unwanted(event) == "Material is being created."


# ------------------------------------------------------------------------------------- what the "no" depended on, in one line

STACK_TIMES = ("stack_created_at", "stack_updated_at", "stack_deleted_at")


@pytest.fixture
def line(world):
    """The only line that says what a "no" depended on."""

    def line():
        [fields] = re.findall(
            r"^CloudFormation does not wait for this request (\{.*\})$", world.log.getvalue(), re.MULTILINE
        )
        return json.loads(fields)

    return line


def at(time):
    return time.isoformat(timespec="milliseconds")


def test_the_log_has_what_a_no_depended_on(world, unwanted, line):
    event = updating(world)
    made_at = world.clock.now()
    world.clock.advance(3)
    stack, resource = world.stack, world.stack.set("Material", "UPDATE_FAILED", world.clock.now())

    why = unwanted(event)

    assert line() == {
        "why": why,
        "request_type": "Update",
        "request_made_at": at(made_at),
        "request_physical_id": event["PhysicalResourceId"],
        "service_timeout": "3600",
        "function_clock": line()["function_clock"],
        "stack_status": "UPDATE_IN_PROGRESS",
        "stack_created_at": at(stack.created_at),
        "stack_updated_at": at(stack.updated_at),
        "stack_deleted_at": "not shown",
        "resource_status": "UPDATE_FAILED",
        "resource_status_set_at": at(resource.status_since),
        "resource_physical_id": event["PhysicalResourceId"],
    }
    assert at(made_at) < line()["function_clock"] <= at(world.clock.now())


def test_the_log_shows_what_was_asked_last_and_only_that(world, unwanted, line):
    """The stack is at rest: the resource was not asked for. Its status changed during the minute of asking again."""
    event = creating(world)
    world.stack.status = "CREATE_FAILED"
    world.clock.after(30, lambda: setattr(world.stack, "status", "ROLLBACK_COMPLETE"))

    assert unwanted(event) == "the stack is ROLLBACK_COMPLETE."

    assert line()["stack_status"] == "ROLLBACK_COMPLETE"
    assert not [name for name in line() if name.startswith(("resource_", "event_"))]


def test_the_log_shows_the_event_that_decided_in_a_clean_up(world, unwanted, line):
    key = world.external_key()
    import_material(world.session().client("kms"), key, KEY)
    world.stack.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    world.stack.set_old("Material", "DELETE_FAILED", world.clock.now(), key)
    failed_at = world.clock.now()

    unwanted(world.event("Delete", "Material", {}, physical_id=key))

    shown = line()
    assert (shown["event_status"], shown["event_at"]) == ("DELETE_FAILED", at(failed_at))
    assert (shown["resource_status"], shown["resource_status_set_at"]) == ("not shown", "not shown")


def test_no_property_and_no_response_url_is_in_the_log_of_a_no(world, unwanted, line):
    event = updating(world, KeyMaterialDescription="a property of the user")
    world.stack.status = "UPDATE_COMPLETE"

    unwanted(event)

    values = [*_leaves(event["ResourceProperties"]), *_leaves(event["OldResourceProperties"]), event["ResponseURL"]]
    known = {event["PhysicalResourceId"], "2"}  # the key's ARN is the resource's id; each time has the digit of Trigger
    assert not [value for value in values if value not in known and value in json.dumps(line())]


def test_a_request_that_is_wanted_after_a_while_leaves_no_such_line(world):
    event = creating(world)
    real, world.stack.status = world.stack.status, "CREATE_COMPLETE"
    world.clock.after(45, lambda: setattr(world.stack, "status", real))

    assert world.invoke(event)["Status"] == "SUCCESS"
    assert "CloudFormation does not wait" not in world.log.getvalue()


def _leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    return [leaf for item in value for leaf in _leaves(item)] if isinstance(value, list) else [str(value)]
