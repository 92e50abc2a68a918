"""Rule 10: every invocation answers its own request once, within CloudFormation's limits; a completed one not at all.

And whom nobody answers: events that are not requests of CloudFormation to this function.
"""

import json

import pytest

from lab.awslambda.invocation import Context
from lab.keys.random_keys import random_key
from lab.wire.faults import Moment
from lab.world import FUNCTION_ARN, LAMBDA_TIMEOUT_SECONDS

KEY = random_key(32)
SECRET = "orders/master-key"
BUCKET = "cloudformation-custom-resource-response-eucentral1"


def creating(world, **declared):
    return world.create_request(world.external_key(in_stack=True), SecretId=world.secret(KEY).name, **declared)


# ------------------------------------------------------------------------------------------------------------ duplicates


def test_a_create_that_was_answered_and_comes_again_leaves_without_a_word(world):
    """Lambda delivers at least once. The stack stands complete under this very id."""
    event = creating(world)
    world.settle(event, world.invoke(event))
    world.stack.status = "CREATE_COMPLETE"
    before, changes = world.snapshot(), world.changes()

    assert world.invoke(event) is None
    assert world.snapshot() == before
    assert world.changes() == changes


def test_an_update_that_was_answered_and_comes_again_leaves_without_a_word(world):
    event = creating(world)
    world.settle(event, world.invoke(event))
    world.clock.advance(100)
    update = world.update_request(event["ResourceProperties"]["KeyId"], SecretId=SECRET, ValidForDays="30")
    world.settle(update, world.invoke(update))
    world.stack.status = "UPDATE_COMPLETE"
    before, changes = world.snapshot(), world.changes()

    assert world.invoke(update) is None
    assert world.snapshot() == before
    assert world.changes() == changes


def test_an_old_create_that_comes_again_when_its_material_was_removed_brings_nothing_back(world):
    event = creating(world)
    world.settle(event, world.invoke(event))
    world.clock.advance(100)
    world.delete()
    world.stack.status = "DELETE_COMPLETE"
    before = world.snapshot()

    answer = world.invoke(event)

    assert answer["Status"] == "FAILED"
    assert world.snapshot() == before


def test_a_delete_that_comes_again_answers_again_and_removes_nothing_more(world):
    event = creating(world)
    world.settle(event, world.invoke(event))
    delete = world.delete_request()
    first = world.invoke(delete)
    before = world.snapshot()

    second = world.invoke(delete)

    assert first == second
    assert world.snapshot() == before


@pytest.mark.parametrize("overtaken_at", ["GetSecretValue", "GetParametersForImport", "ImportKeyMaterial"])
@pytest.mark.parametrize("moment", Moment)
def test_invocations_of_one_create_that_overlap_answer_alike(world, overtaken_at, moment):
    """The second one is delivered while the first is at work, and is done before it: whose answer comes first is chance."""
    event = creating(world)
    overtaking = world._function()

    def overtake(call, at):
        if (call.operation, at) == (overtaken_at, moment):
            world.aws.hooks.remove(overtake)
            overtaking(event, Context(world.clock, LAMBDA_TIMEOUT_SECONDS, FUNCTION_ARN))

    world.aws.hooks.append(overtake)
    world.function(event, Context(world.clock, LAMBDA_TIMEOUT_SECONDS, FUNCTION_ARN))

    first, second = (json.loads(body) for body in world.bodies)
    assert first["Status"] == "SUCCESS"
    assert first == second


# ---------------------------------------------------------------------------------------------------------------- limits


def test_an_answer_that_names_very_much_is_cut_to_what_cloudformation_takes(world):
    """Unknown properties, at two places, with names of the longest kind that is quoted, and with references: too much."""
    colors = {f"Colour{chr(65 + n) * 34}": "{{resolve:ssm-secure:x}}" for n in range(26)}
    event = creating(world, SecretWrapping=colors, **colors)

    answer = world.invoke(event)

    (body,) = world.bodies
    assert answer["Status"] == "FAILED"
    assert len(body) <= 4096
    assert answer["Reason"].startswith(
        "96 things are wrong. (1) SecretWrapping.Algorithm: The property is missing. Declare one of SYMMETRIC_DEFAULT, "
    )
    assert answer["Reason"].endswith(" [The whole text is in the function's log.]")
    assert " 56 more are not listed here. Nothing was imported." in world.log.getvalue()


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_every_answer_bears_the_request_s_own_names(world, kind):
    event = creating(world)
    if kind != "Create":
        world.settle(event, world.invoke(event))
        world.clock.advance(1)
        key = event["ResourceProperties"]["KeyId"]
        event = world.update_request(key, SecretId=SECRET) if kind == "Update" else world.delete_request()

    answer = world.invoke(event)

    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
        name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")
    }
    assert answer["NoEcho"] is False
    assert ("Data" in answer) == (kind != "Delete")


# ------------------------------------------------------------------------------------------------------- no request at all

OWN_URL = f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/x?X-Amz-Date=20261201T120000Z"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"ResponseURL": "https://example.com/x"}, id="another's address"),
        pytest.param({"ResponseURL": OWN_URL.replace("https:", "http:")}, id="no TLS"),
        pytest.param({"ResponseURL": OWN_URL.replace("eucentral1", "euwest1")}, id="another Region's bucket"),
        pytest.param(
            {"ResponseURL": OWN_URL.replace("eucentral1.", "eucentral1-evil.")}, id="a bucket that looks like it"
        ),
        pytest.param(
            {"ResponseURL": OWN_URL.replace("amazonaws.com/", "amazonaws.com.example.com/")}, id="a domain behind it"
        ),
        pytest.param({"ResponseURL": OWN_URL.replace("https://", "https://user@")}, id="a user"),
        pytest.param({"ResponseURL": OWN_URL.replace(".com/", ".com:8443/")}, id="another port"),
        pytest.param({"ResponseURL": None}, id="no address"),
        pytest.param(
            {"StackId": "arn:aws:cloudformation:eu-central-1:999988887777:stack/orders/1234"},
            id="a stack of another account",
        ),
        pytest.param(
            {"StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/orders/1234"},
            id="a stack of another Region",
        ),
        pytest.param({"RequestType": "Import"}, id="another type of request"),
        pytest.param({"LogicalResourceId": "../x"}, id="a logical id that is none"),
        pytest.param({"ResourceType": "AWS::KMS::Key"}, id="another type of resource"),
        pytest.param({"ResourceProperties": "x"}, id="properties that are none"),
    ],
)
def test_an_event_that_is_not_cloudformation_s_request_changes_nothing_and_nobody_is_answered(world, changes):
    event = creating(world) | changes

    assert world.invoke(event) is None
    assert world.aws.calls == []
    assert "Nothing was done, and nobody was answered." in world.log.getvalue()


@pytest.mark.parametrize("event", [None, [], "Create", {}, {"Records": []}, {"source": "aws.events"}])
def test_whatever_else_the_function_is_invoked_with_does_nothing(world, event):
    assert world.invoke(event) is None
    assert world.aws.calls == []
