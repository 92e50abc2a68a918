"""The on-failure function answers only requests that CloudFormation waits for, and says nothing that it could not find out.

Anyone who may invoke it can forge its records. CloudFormation hears a forged failure only at the request's own pre-signed
address. And by rule 9 the function sends an answer only while CloudFormation works on that very resource.
"""

from datetime import timedelta

import pytest

from imported_key_material.cloudformation.delivery import DeliveryFailed
from imported_key_material.errors import ImportedKeyMaterialError, OutOfTime, ServiceRefused
from lab.on_failure import DROPPED, KILLED, TIMEOUT_SECONDS, OnFailureWorld
from lab.wire.transport import Fault
from tests.support.requests import REQUESTS, creating, deleting, updating

ANSWER_ARRIVES_SECONDS = 10
BELIEVED_AFTER_SECONDS = 60


@pytest.fixture
def on_failure(world):
    return OnFailureWorld(world)


@pytest.fixture
def left(world, on_failure):
    """Delivers a record that nobody waits for, and returns the log's text."""

    def left(event, end=KILLED):
        begin = len(world.log.getvalue())
        assert on_failure.told(end, event) is None
        return world.log.getvalue()[begin:].splitlines()[-1]

    return left


# --------------------------------------------------------------------------------------------- CloudFormation does not wait


@pytest.mark.parametrize("request_of", REQUESTS)
@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_is_not_being_worked_on_is_left(world, left, request_of, status):
    event = request_of(world)
    world.stack.status = status

    assert left(event) == (
        f"Left without an answer. CloudFormation does not wait for this {event['RequestType']} request: the stack is {status}."
    )


@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        (creating, "CREATE_FAILED"),
        (creating, "DELETE_IN_PROGRESS"),
        (updating, "UPDATE_FAILED"),
        (deleting, "DELETE_FAILED"),
    ],
)
def test_a_resource_that_has_failed_already_is_left(world, left, request_of, status):
    event = request_of(world)
    world.stack.set("Material", status, world.clock.now())

    assert left(event).endswith(f" request: Material is {status}.")


@pytest.mark.parametrize("request_of", [creating, updating])
def test_a_resource_that_is_complete_is_left(world, left, request_of):
    """The function answered, and died before it could report to Lambda."""
    event = request_of(world)
    world.clock.advance(5)
    world.settle(event, world.invoke(event))

    assert left(event) == "Left without an answer. CloudFormation already has an answer."


def test_a_delete_that_is_complete_is_left_while_the_stack_still_works_on_others(world, left):
    event = deleting(world)
    world.clock.advance(5)
    world.stack.set("Material", "DELETE_COMPLETE", world.clock.now())

    assert left(event) == "Left without an answer. CloudFormation already has an answer."


def test_a_delete_is_answered_once_cloudformation_shows_it_and_no_earlier_one_of_the_same_id(world, on_failure, left):
    event = deleting(world)
    world.stack.set("Material", "DELETE_COMPLETE", world.clock.now() - timedelta(seconds=30))

    assert left(event).endswith("request: Material is DELETE_COMPLETE, and CloudFormation shows no Delete since then.")

    world.clock.after(30, lambda: world.stack.set("Material", "DELETE_IN_PROGRESS", world.clock.now()))
    assert on_failure.told(KILLED, event)["Status"] == "FAILED"


@pytest.mark.parametrize("request_of", REQUESTS)
def test_an_answer_that_is_on_its_way_is_waited_for(world, left, request_of):
    """The function sent it at the last moment, and the resource does not show it yet."""
    event = request_of(world)
    answer = world.invoke(event)
    done = "DELETE_COMPLETE" if request_of is deleting else event["RequestType"].upper() + "_COMPLETE"

    def arrives():
        world.stack.set("Material", done, world.clock.now(), physical_id=answer["PhysicalResourceId"])

    world.clock.after(ANSWER_ARRIVES_SECONDS - 1, arrives)

    assert left(event) == "Left without an answer. CloudFormation already has an answer."


@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_request_that_is_older_than_its_service_timeout_is_left(world, left, request_of):
    event = request_of(world, ServiceTimeout="300")
    world.clock.advance(301)

    assert "seconds old, and ServiceTimeout is 300." in left(event, DROPPED)


def test_a_request_of_an_earlier_operation_is_left(world, left):
    event = creating(world)
    world.clock.advance(30)
    world.stack.updated_at = world.clock.now()

    assert left(event).endswith("it was made before the stack's present operation began.")


@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_status_that_lags_is_waited_for(world, on_failure, request_of):
    event = request_of(world)
    status = world.stack.resources["Material"].status
    since = world.clock.now()
    world.stack.set("Material", "CREATE_FAILED", since)
    world.clock.after(BELIEVED_AFTER_SECONDS / 2, lambda: world.stack.set("Material", status, since))

    assert on_failure.told(KILLED, event)["Status"] == "FAILED"


# ------------------------------------------------------------------------------------------------------------- no request

FORGED = {
    "another address": {"ResponseURL": "https://example.com/x?X-Amz-Signature=hunter2"},
    "another account": {"StackId": "arn:aws:cloudformation:eu-central-1:444455556666:stack/orders/0a1b"},
    "another Region": {"StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/orders/0a1b"},
    "another kind": {"RequestType": "Destroy"},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
def test_a_record_of_what_is_no_request_is_logged_and_that_is_all(world, left, changes):
    event = creating(world) | changes
    world.aws.calls.clear()

    assert left(event).startswith("Nothing was done, and nobody was answered. The event")
    assert world.aws.calls == []
    assert "hunter2" not in world.log.getvalue()


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "text",
        {},
        {"requestContext": "text"},
        {"requestContext": {}},
        {"requestContext": {}, "requestPayload": []},
    ],
)
def test_what_is_no_record_is_logged_and_that_is_all(world, on_failure, record):
    world.aws.calls.clear()

    assert on_failure.invoke(record) is None

    assert world.log.getvalue().startswith("Nothing was done, and nobody was answered. The event is not ")
    assert world.aws.calls == []


def test_a_request_itself_is_no_record_of_one(world, on_failure):
    assert on_failure.invoke(creating(world)) is None

    assert world.log.getvalue() == (
        "Nothing was done, and nobody was answered. The event is not Lambda's record of a request that failed: requestContext "
        "is missing.\n"
    )


def test_the_next_record_s_lines_do_not_have_the_ids_of_the_one_before(world, on_failure):
    on_failure.told(KILLED, creating(world))

    on_failure.invoke({})

    assert on_failure.logger.keys == {}


# ------------------------------------------------------------------------------------- what it could not find out, or send


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault.THROTTLED, OutOfTime), (Fault.INTERNAL_ERROR, ServiceRefused), (Fault.READ_TIMEOUT, ServiceRefused)],
)
def test_where_cloudformation_can_not_be_asked_nobody_is_answered_and_lambda_tries_again(
    world, on_failure, fault, error
):
    event = creating(world)
    world.aws.faults.inject("DescribeStacks", fault, times=10**6)
    started = world.clock.now()

    with pytest.raises(error):
        on_failure.told(KILLED, event)

    assert on_failure.bodies == []
    assert (world.clock.now() - started).total_seconds() < TIMEOUT_SECONDS


def test_a_throttle_is_waited_out(world, on_failure):
    """Hundreds of requests may be given up at once."""
    event = creating(world)
    world.aws.faults.inject("DescribeStackResource", Fault.THROTTLED, times=30)

    assert on_failure.told(DROPPED, event)["Status"] == "FAILED"


def test_an_answer_that_can_not_be_delivered_is_an_error_that_lambda_sees(world, on_failure):
    on_failure.put_error = DeliveryFailed("The answer to CloudFormation was not delivered: ...")

    with pytest.raises(DeliveryFailed):
        on_failure.told(KILLED, creating(world))


def test_an_error_of_its_own_shows_its_class_and_nothing_else(world, on_failure):
    on_failure.put_error = ValueError("hunter2")

    with pytest.raises(ImportedKeyMaterialError) as raised:
        on_failure.told(KILLED, creating(world))

    assert str(raised.value) == "The on-failure function met an error of its own, ValueError."
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert "hunter2" not in world.log.getvalue()
    assert "ValueError at on_failure.py:" in world.log.getvalue()
