"""The on-failure function answers requests that Lambda gave up: FAILED, where CloudFormation still waits.

The function, boto3 and botocore are real; CloudFormation, the clock and the delivery are stand-ins. test_on_failure_leaves.py
shows that a request gets no answer if nobody waits for it.
"""

import pytest

from lab.on_failure import KILLED, LAMBDA_REQUEST_ID, End, OnFailureWorld, ended_with, raised, too_old
from lab.world import FUNCTION_ARN
from tests.support.requests import creating, deleting, updating

RUN_AGAIN = "Run the deployment again."
CREATE_NOT_KNOWN = (
    "Whether the material was imported is not known. If it was, the key keeps it, and the Delete that follows does not "
    "remove it."
)
UPDATE_NOT_KNOWN = "Whether material was imported is not known. If it was, the key keeps it."
WHERE = f"Lambda's id of the request is {LAMBDA_REQUEST_ID}."
KILLED_PROBLEM = "the function was killed in the middle of its work; most often it has run out of memory."
KILLED_REMEDY = f"{RUN_AGAIN} If it happens again, raise MemorySize in the application's template."


@pytest.fixture
def on_failure(world):
    return OnFailureWorld(world)


def test_a_record_has_what_recorded_ones_have():
    """Lambda's response is in the record only if Lambda tried the event (recorded in November 2025)."""
    own = {"version", "timestamp", "requestContext", "requestPayload"}

    assert set(too_old(0).record({})) == own
    for tries in (1, 2):
        record = too_old(tries).record({})
        assert set(record) == own | {"responseContext", "responsePayload"}
        assert record["requestContext"]["condition"] == "EventAgeExceeded"
        assert record["requestContext"]["approximateInvokeCount"] == tries
        assert set(record["responsePayload"]) == {"errorMessage", "errorType", "requestId", "stackTrace"}


# ------------------------------------------------------------------------------------------------------- the sentences

ENDS = [
    (KILLED, f"after 2 tries: {KILLED_PROBLEM}", KILLED_REMEDY),
    (
        ended_with("Runtime.OutOfMemory", "Runtime exited"),
        f"after 2 tries: {KILLED_PROBLEM}",
        KILLED_REMEDY,
    ),
    (
        ended_with("Sandbox.Timedout", "Task timed out after 900.00 seconds"),
        "after 2 tries: the function did not end within its time, and Lambda stopped it.",
        f"{RUN_AGAIN} If it happens again, its log shows how far it got.",
    ),
    (
        End(
            error={"errorMessage": f"2026-12-01T12:03:11.123Z {LAMBDA_REQUEST_ID} Task timed out after 900.00 seconds"}
        ),
        "after 2 tries: the function did not end within its time, and Lambda stopped it.",
        f"{RUN_AGAIN} If it happens again, its log shows how far it got.",
    ),
    (
        End(
            error={
                "errorType": "Runtime.ImportModuleError",
                "errorMessage": "Unable to import module 'imported_key_material.app': No module named 'cryptography'",
                "requestId": "",
                "stackTrace": [],
            }
        ),
        "after 2 tries: the function's code could not be loaded.",
        "Build and deploy the application again; its log names what is missing.",
    ),
    (
        ended_with("Runtime.ExitError", "Runtime exited with error: exit status 3"),
        "after 2 tries: the function's process ended in the middle of its work.",
        RUN_AGAIN,
    ),
    (
        End(
            error={
                "errorType": "DeliveryFailed",
                "errorMessage": "The answer to CloudFormation was not delivered: ...",
            },
        ),
        "after 2 tries: the function could not deliver its answer.",
        "Its log has the answer. In a VPC the function needs a way to CloudFormation's bucket in Amazon S3.",
    ),
    (
        raised("ZeroDivisionError", "the secret is hunter2", tries=1),
        "after 1 try: the function failed with ZeroDivisionError.",
        f"{RUN_AGAIN} If it happens again, look at the function's log.",
    ),
    (
        too_old(0),
        ": it waited in Lambda's queue until it was too old.",
        "Raise the application's ReservedConcurrency or leave it empty, if it is set. Else ask Service Quotas for more "
        "concurrent executions of Lambda (L-B99A9384), or deploy fewer resources at once "
        "(chain them with DependsOn).",
    ),
    (
        End("EventAgeExceeded", 1, ended_with("Sandbox.Timedout", "Task timed out after 900.00 seconds").error),
        "after 1 try: the function did not end within its time, and Lambda stopped it.",
        f"{RUN_AGAIN} If it happens again, its log shows how far it got.",
    ),
    (
        too_old(1),
        "after 1 try: the function failed with KeyError.",
        f"{RUN_AGAIN} If it happens again, look at the function's log.",
    ),
    (
        too_old(2),
        "after 2 tries: the function failed with KeyError.",
        f"{RUN_AGAIN} If it happens again, look at the function's log.",
    ),
    (
        End("EventAgeExceeded", 1, {"errorMessage": "hunter2"}),
        "after 1 try: Lambda does not say why.",
        f"{RUN_AGAIN} If it happens again, look at the function's log.",
    ),
    (
        End("ZeroReservedConcurrency", 0),
        ": the function's reserved concurrency is 0, so that it never runs.",
        "Remove that limit with aws lambda delete-function-concurrency.",
    ),
    (
        End("ANewCondition", 0),
        ": Lambda does not say why.",
        f"{RUN_AGAIN} If it happens again, look at the function's log.",
    ),
]


@pytest.mark.parametrize(("end", "what", "remedy"), ENDS)
def test_a_create_is_failed_with_what_lambda_tells_of_its_end(world, on_failure, end, what, remedy):
    event = creating(world)

    answer = on_failure.told(end, event)

    space = "" if what.startswith(":") else " "
    assert answer == {
        "Status": "FAILED",
        "PhysicalResourceId": f"not-imported:Material:{event['RequestId']}",
        "StackId": world.stack.id,
        "RequestId": event["RequestId"],
        "LogicalResourceId": "Material",
        "NoEcho": False,
        "Reason": f"Lambda gave this Create request up{space}{what} {CREATE_NOT_KNOWN} {remedy} {WHERE}",
    }
    assert on_failure.urls == [event["ResponseURL"]]


@pytest.mark.parametrize("tries", [0, -1, 101, None, "2", 1.5])
def test_a_number_of_tries_that_is_none_is_not_shown(world, on_failure, tries):
    answer = on_failure.told(End(error=KILLED.error, tries=tries), creating(world))

    assert answer["Reason"].startswith(f"Lambda gave this Create request up: {KILLED_PROBLEM}")


def test_an_update_is_failed_under_the_id_that_it_came_with(world, on_failure):
    event = updating(world)

    answer = on_failure.told(KILLED, event)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", event["PhysicalResourceId"])
    assert answer["Reason"] == (
        f"Lambda gave this Update request up after 2 tries: {KILLED_PROBLEM} {UPDATE_NOT_KNOWN} {KILLED_REMEDY} {WHERE}"
    )


def test_an_update_of_a_rollback_fails_and_says_how_the_rollback_goes_on(world, on_failure):
    """A success would be untrue: nobody has looked at the key, and its attributes for other resources are not known."""
    event = updating(world)
    world.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"

    answer = on_failure.told(KILLED, event)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", event["PhysicalResourceId"])
    assert answer["Reason"] == (
        f"Lambda gave this Update request up after 2 tries: {KILLED_PROBLEM} {UPDATE_NOT_KNOWN} {KILLED_REMEDY} "
        f"The rollback stops here; aws cloudformation continue-update-rollback goes on with it. {WHERE}"
    )


def test_a_delete_of_imported_material_is_failed_under_its_id(world, on_failure):
    event = deleting(world)

    answer = on_failure.told(KILLED, event)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", event["PhysicalResourceId"])
    assert answer["Reason"] == (
        f"Lambda gave this Delete request up after 2 tries: {KILLED_PROBLEM} Whether the material was removed is not known. "
        f"{KILLED_REMEDY} {WHERE}"
    )


@pytest.mark.parametrize(
    "physical_id",
    [
        "not-imported:Material:5e4d3c2b",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "orders-Material-1A2B3C4D5E6F7",
        "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ],
)
def test_a_delete_of_an_id_that_stands_for_no_material_is_a_success(world, on_failure, physical_id):
    """Rule 2: such a Delete touches nothing. So the rollback of a Create that could not run ends well."""
    event = deleting(world)
    world.stack.set("Material", "DELETE_IN_PROGRESS", world.clock.now(), physical_id=physical_id)

    answer = on_failure.told(KILLED, event | {"PhysicalResourceId": physical_id})

    assert answer == {
        "Status": "SUCCESS",
        "PhysicalResourceId": physical_id,
        "StackId": world.stack.id,
        "RequestId": event["RequestId"],
        "LogicalResourceId": "Material",
        "NoEcho": False,
    }


# --------------------------------------------------------------------------------------------------------- what it touches


def test_it_asks_cloudformation_and_nobody_else(world, on_failure):
    event = updating(world)
    before = world.snapshot()
    world.aws.calls.clear()

    on_failure.told(KILLED, event)

    assert {call.service for call in world.aws.calls} == {"cloudformation"}
    assert world.aws.operations() == [
        "DescribeStacks",
        "DescribeStackResource",
        "DescribeStacks",
    ]  # the last: a rollback?
    assert world.snapshot() == before


def test_a_create_that_was_killed_after_its_import_leaves_the_material_and_the_log_says_so(world, on_failure):
    event = creating(world)
    key = event["ResourceProperties"]["KeyId"]
    world.invoke(event)  # its answer is lost, too
    assert world.state(key) == "Enabled"

    answer = on_failure.told(KILLED, event)
    world.settle(event, answer)

    assert answer["PhysicalResourceId"].startswith("not-imported:")
    assert f'the key may hold material that no Delete removes {{"key": "{key}"}}' in world.log.getvalue()
    world.clock.advance(5)
    assert world.delete()["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"


def test_what_the_user_put_into_key_id_is_not_logged_unless_it_is_one(world, on_failure):
    event = creating(world)
    event["ResourceProperties"]["KeyId"] = "hunter2"

    assert on_failure.told(KILLED, event)["Status"] == "FAILED"

    assert 'the key may hold material that no Delete removes {"key": ""}' in world.log.getvalue()
    assert "hunter2" not in world.log.getvalue()


def test_neither_the_answer_nor_the_log_quotes_an_exception_or_the_address(world, on_failure):
    event = creating(world)
    error = {"errorType": "hunter2 \n", "errorMessage": "hunter2", "stackTrace": ["hunter2"]}

    answer = on_failure.told(End("hunter2", error=error), event)

    assert "Lambda does not say why." in answer["Reason"]
    assert "hunter2" not in answer["Reason"] + world.log.getvalue()
    assert "X-Amz-Signature" not in answer["Reason"] + world.log.getvalue()


def test_the_log_shows_the_answer_with_the_request_s_id_in_every_line(world, on_failure):
    event = creating(world)

    answer = on_failure.told(KILLED, event)

    which = f"request {event['RequestId']}, stack {world.stack.id}"
    told = f"FAILED Create of Material as {answer['PhysicalResourceId']}, {which}. {answer['Reason']}"
    assert told in world.log.getvalue().splitlines()
    assert on_failure.logger.keys == {
        "request_id": event["RequestId"],
        "stack_id": world.stack.id,
        "logical_id": "Material",
    }


def test_its_own_function_is_not_what_decides_about_the_account(world, on_failure):
    """Both functions are in one account: the record's function name does not matter, so a forged name gains nothing."""
    record = KILLED.record(creating(world))
    record["requestContext"]["functionArn"] = FUNCTION_ARN.replace("111122223333", "444455556666")

    assert on_failure.invoke(record)["Status"] == "FAILED"
