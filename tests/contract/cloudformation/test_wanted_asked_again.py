"""Rule 9: the function reads a "no" of CloudFormation again for a minute; and before each change it asks once more."""

import re

import pytest

from lab.wire.faults import Moment
from lab.wire.transport import Fault
from tests.support.requests import REQUESTS, creating, deleting, updating

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


def test_a_response_url_without_a_date_is_asked_for_all_the_same(world, unwanted):
    """CloudFormation signed such URLs before Signature Version 4: the function knows the statuses, but not the age."""
    event = creating(world)
    event["ResponseURL"] = re.sub("X-Amz-Date=[^&]*&", "", event["ResponseURL"])
    world.stack.status = "CREATE_COMPLETE"

    assert unwanted(event) == "the stack is CREATE_COMPLETE."
    world.stack.status = "CREATE_IN_PROGRESS"
    assert world.invoke(event)["Status"] == "SUCCESS"


# ---------------------------------------------------------------------------------------------------- just before the act


@pytest.mark.parametrize(
    ("request_of", "last_look"),
    [(creating, "GetParametersForImport"), (updating, "GetParametersForImport"), (deleting, "ListResourceTags")],
)
def test_it_is_asked_again_right_before_the_change_since_waiting_may_have_taken_long(
    world, unwanted, request_of, last_look
):
    event = request_of(world)

    def move_on(call, moment):
        if call.operation == last_look and moment is Moment.AFTER:
            world.stack.status = "ROLLBACK_COMPLETE"

    world.aws.hooks.append(move_on)
    assert unwanted(event) == "the stack is ROLLBACK_COMPLETE."


def test_it_is_asked_again_before_every_single_try_to_import(world):
    event = creating(world)
    world.aws.faults.inject("ImportKeyMaterial", Fault.THROTTLED, times=3)

    world.invoke(event)

    operations = world.aws.operations()
    tries = [index for index, operation in enumerate(operations) if operation == "ImportKeyMaterial"]
    assert len(tries) == 4
    asked = ["DescribeSecret", "ListResourceTags", "DescribeStacks", "DescribeStackResource", "DescribeKey"]
    assert [operations[at - 5 : at] for at in tries] == [asked] * 4
