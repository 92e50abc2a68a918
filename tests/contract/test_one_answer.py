"""Rule 10: every execution answers its own request once, within CloudFormation's limits; a completed one not at all.

And whom nobody answers: events that are not requests of CloudFormation to this function.
"""

import json
import threading

import pytest

from tests.support.faults import Moment
from tests.support.random_keys import random_key

KEY = random_key(32)
SECRET = "orders/master-key"
BUCKET = "cloudformation-custom-resource-response-eucentral1"


def creating(world, **declared):
    return world.create_request(world.external_key(), SecretId=world.secret(KEY).name, **declared)


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


@pytest.mark.parametrize("overtakes_at", ["GetSecretValue", "GetParametersForImport"])
def test_executions_of_one_create_that_overlap_answer_alike(world, overtakes_at):
    """The second one is delivered while the first is at work, and overtakes it before either has imported."""
    event = creating(world)
    answers = []

    def overtake(call, moment):
        if call.operation == overtakes_at and moment is Moment.BEFORE:
            world.aws.hooks.remove(overtake)
            own, world.function = world.function, world._function()
            answers.append(world.invoke(event))
            world.function = own

    world.aws.hooks.append(overtake)
    world.bodies.clear()
    world.function(event, world_context(world))
    answers = [json.loads(body) for body in world.bodies]

    assert [answer["Status"] for answer in answers] == ["SUCCESS", "SUCCESS"]
    assert answers[0]["Data"] == answers[1]["Data"]
