"""Rule 9: nothing is changed for a request that CloudFormation does not wait for (any more).

The right to invoke the function must not be enough to move keys, and a request may be queued, repeated or forged. A "no" of
CloudFormation's is believed after a minute, since statuses may lag; then the answer is FAILED, and if the "no" was right,
nobody listens.
"""

import re

import pytest

from tests.support.faults import Moment
from tests.support.random_keys import random_key
from tests.support.transport import Fault

KEY = random_key(32)
SECRET = "orders/master-key"
BELIEVED_AFTER_SECONDS = 60


def creating(world, **declared):
    return world.create_request(world.external_key(), SecretId=world.secret(KEY).name, **declared)


def updating(world, **declared):
    """An Update that has to import again."""
    created = creating(world)
    world.settle(created, world.invoke(created))
    world.clock.advance(100)
    return world.update_request(created["ResourceProperties"]["KeyId"], SecretId=SECRET, Trigger="2", **declared)


def deleting(world, **declared):
    created = creating(world, **declared)
    world.settle(created, world.invoke(created))
    world.clock.advance(100)
    return world.delete_request()


REQUESTS = [creating, updating, deleting]


def not_wanted(world, event):
    """The answer, once it is shown that nothing was changed, and that "no" was not believed at once."""
    before, changes, started = world.snapshot(), world.changes(), world.clock.now()
    answer = world.invoke(event)
    assert world.changes() == changes
    assert world.snapshot() == before
    assert (world.clock.now() - started).total_seconds() >= BELIEVED_AFTER_SECONDS
    assert answer["Status"] == "FAILED"
    return answer


def reason(event, why):
    done = "Nothing was removed." if event["RequestType"] == "Delete" else "Nothing was imported."
    return f"CloudFormation does not wait for this {event['RequestType']} request: {why} {done}"


# ------------------------------------------------------------------------------------------------------------ the stack


@pytest.mark.parametrize("request_of", REQUESTS)
@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_request_outside_the_minutes_in_which_the_stack_is_worked_on_changes_nothing(world, request_of, status):
    event = request_of(world)
    world.stack.status = status

    answer = not_wanted(world, event)

    assert answer["Reason"] == reason(event, f"the stack is {status}.")


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
def test_a_request_that_came_after_the_stack_moved_on_changes_nothing(world, request_of):
    """It lay in the queue while one operation ended and the next began; the logical id is being worked on, too."""
    event = request_of(world)
    world.clock.advance(30)
    world.stack.updated_at = world.clock.now()

    answer = not_wanted(world, event)

    assert answer["Reason"] == reason(event, "it was made before the stack's present operation began.")


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
    assert "was throttled (ThrottlingException) for 108 seconds" in answer["Reason"]  # a tenth of its time is kept
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
def test_a_request_for_a_resource_that_is_not_being_worked_on_changes_nothing(world, request_of, status):
    """A Create that was cancelled, and runs still; one that was forged while something else of the stack goes on."""
    event = request_of(world)
    world.stack.set("Material", status, world.clock.now())

    answer = not_wanted(world, event)

    assert answer["Reason"] == reason(event, f"Material is {status}.")


def test_a_request_for_a_resource_that_the_stack_does_not_have_changes_nothing(world):
    event = creating(world)
    event["LogicalResourceId"] = "Another"

    answer = not_wanted(world, event)

    assert answer["Reason"] == reason(event, "Another is not in the stack.")


@pytest.mark.parametrize("request_of", [creating, updating])
def test_a_request_of_an_earlier_operation_changes_nothing_while_a_later_one_works_on_the_resource(world, request_of):
    """Both set the same status; only when it was set tells them apart."""
    event = request_of(world)
    world.clock.advance(11)
    status = world.stack.resources["Material"].status
    world.stack.set("Material", status, world.clock.now())

    answer = not_wanted(world, event)

    assert answer["Reason"] == reason(event, "a later operation is at work on Material.")


def test_a_delete_that_comes_while_its_logical_id_is_created_anew_removes_nothing(world):
    event = deleting(world)
    world.stack.set("Material", "CREATE_IN_PROGRESS", world.clock.now(), physical_id=None)

    answer = not_wanted(world, event)

    assert answer["Reason"] == reason(event, "Material is being created.")


# ------------------------------------------------------------------------------------------------- a "no" that is wrong


@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_status_that_lags_is_read_again_until_it_is_right(world, request_of):
    event = request_of(world)
    real = world.stack.status
    world.stack.status = "CREATE_COMPLETE"
    world.clock.after(45, lambda: setattr(world.stack, "status", real))

    assert world.invoke(event)["Status"] == "SUCCESS"


def test_a_resource_s_status_that_lags_is_read_again_until_it_is_right(world):
    event = creating(world)
    del world.stack.resources["Material"]

    def show():
        world.stack.set("Material", "CREATE_IN_PROGRESS", world.clock.now(), type="Custom::ImportedKeyMaterial")

    world.clock.after(8, show)

    assert world.invoke(event)["Status"] == "SUCCESS"


def test_a_response_url_without_a_date_is_asked_for_all_the_same(world):
    """As CloudFormation signed them before Signature Version 4: the age is not known, the statuses are."""
    event = creating(world)
    event["ResponseURL"] = re.sub("X-Amz-Date=[^&]*&", "", event["ResponseURL"])
    world.stack.status = "CREATE_COMPLETE"

    answer = not_wanted(world, event)

    assert answer["Reason"] == reason(event, "the stack is CREATE_COMPLETE.")
    world.stack.status = "CREATE_IN_PROGRESS"
    assert world.invoke(event)["Status"] == "SUCCESS"


# ---------------------------------------------------------------------------------------------------- just before the act


@pytest.mark.parametrize(
    ("request_of", "last_look"),
    [(creating, "GetParametersForImport"), (updating, "GetParametersForImport"), (deleting, "ListResourceTags")],
)
def test_it_is_asked_again_right_before_the_change_since_waiting_may_have_taken_long(world, request_of, last_look):
    event = request_of(world)

    def move_on(call, moment):
        if call.operation == last_look and moment is Moment.AFTER:
            world.stack.status = "ROLLBACK_COMPLETE"

    world.aws.hooks.append(move_on)
    answer = not_wanted(world, event)

    assert answer["Reason"] == reason(event, "the stack is ROLLBACK_COMPLETE.")


def test_it_is_asked_again_before_every_single_try_to_import(world):
    event = creating(world)
    world.aws.faults.inject("ImportKeyMaterial", Fault.THROTTLED, times=3)

    world.invoke(event)

    operations = world.aws.operations()
    tries = [index for index, operation in enumerate(operations) if operation == "ImportKeyMaterial"]
    assert len(tries) == 4
    assert all(operations[at - 3 : at] == ["DescribeStacks", "DescribeStackResource", "DescribeKey"] for at in tries)
