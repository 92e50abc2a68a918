"""A request that Lambda delivers twice: right away, at the same time, or after a later operation has finished (rules 9, 10).

The second delivery finds what the first has done, and changes nothing. If the stack shows the resource as complete under its
key, nobody waits, and the function sends no answer.
"""

import pytest

from lab.keys.random_keys import random_keys
from lab.kms.materials import encrypts_with, states
from tests.support.delivered import carried_out, delivered_again

FIRST, SECOND = random_keys(32, 2)
SECRET = "orders/master-key"
V1, V2 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2))


@pytest.fixture
def key(world):
    key = world.external_key()
    world.secret(FIRST, version_id=V1)
    world.secret(SECOND, version_id=V2)
    return key


def done(world, status):
    """The operation ends; a minute passes."""
    world.stack.status = status
    world.clock.advance(60)


# --------------------------------------------------------------------------------------------------------------- Create


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
def test_a_duplicate_create_right_away(world, key, status):
    """The stack operation may have ended, or continue with other resources."""
    event = world.create_request(key, SecretId=SECRET, SecretVersionId=V1)
    carried_out(world, event)
    done(world, status)
    changes = world.changes()

    assert delivered_again(world, event) == {}
    assert world.changes() == changes


def test_a_duplicate_create_at_the_same_time(timeline):
    """Both see an empty key; KMS takes the same bytes twice, and CloudFormation the first answer."""
    key, secret, stack = timeline.external_key(), timeline.secret(FIRST), timeline.stack()
    timeline.delivers("Create", "Material", 0.1, 0.1)
    timeline.at(10, lambda: stack.create({"Material": timeline.declared(key, secret)}))
    timeline.run()

    first, second = timeline.of("Create")
    assert first.answer["Status"] == second.answer["Status"] == "SUCCESS"
    assert first.answer["PhysicalResourceId"] == second.answer["PhysicalResourceId"] == key
    assert first.answer["Data"] == second.answer["Data"]
    assert states(timeline, key) == [("CURRENT", "IMPORTED")]
    assert stack.resources["Material"].physical_id == key


def test_a_duplicate_create_after_a_later_update_has_finished(world, key):
    event = world.create_request(key, SecretId=SECRET, SecretVersionId=V1)
    carried_out(world, event)
    carried_out(world, world.update_request(key, SecretId=SECRET, SecretVersionId=V1, ValidForDays="30"))
    done(world, "UPDATE_COMPLETE")
    changes = world.changes()

    assert delivered_again(world, event) == {}
    assert world.changes() == changes


def test_a_duplicate_create_after_its_stack_was_deleted(world, key):
    event = world.create_request(key, SecretId=SECRET, SecretVersionId=V1)
    carried_out(world, event)
    carried_out(world, world.delete_request())
    done(world, "DELETE_COMPLETE")

    answer = delivered_again(world, event)

    assert answer["Reason"] == (
        "CloudFormation does not wait for this Create request: it was made before the stack's present operation began. "
        "Nothing was imported."
    )
    assert answer["PhysicalResourceId"] == f"not-imported:Material:{event['RequestId']}"
    assert world.state(key) == "PendingImport"


def test_a_duplicate_create_after_another_key_has_replaced_its_own(world, key):
    other = world.external_key()
    event = world.create_request(key, SecretId=SECRET, SecretVersionId=V1)
    carried_out(world, event)
    carried_out(world, world.update_request(other, SecretId=SECRET, SecretVersionId=V1))
    carried_out(world, world.delete_request(physical_id=key, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    done(world, "UPDATE_COMPLETE")

    answer = delivered_again(world, event)

    assert answer["Reason"] == (
        "CloudFormation does not wait for this Create request: it was made before the stack's present operation began. "
        "Nothing was imported."
    )
    assert (world.state(key), world.state(other)) == ("PendingImport", "Enabled")


# --------------------------------------------------------------------------------------------------------------- Update


def created(world, key, **more):
    carried_out(world, world.create_request(key, SecretId=SECRET, SecretVersionId=V1, **more))


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"])
def test_a_duplicate_update_right_away(world, key, status):
    created(world, key)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId=V1, Trigger="2")
    carried_out(world, event)
    done(world, status)
    changes = world.changes()

    assert delivered_again(world, event) == {}
    assert world.changes() == changes


def test_a_duplicate_update_that_has_nothing_to_do_answers_as_the_first_did(world, key):
    created(world, key)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId=V1, ServiceTimeout="1800")
    first = carried_out(world, event)

    second = delivered_again(world, event)

    assert (second["Status"], second["PhysicalResourceId"], second["Data"]) == (
        first["Status"],
        first["PhysicalResourceId"],
        first["Data"],
    )


def test_a_duplicate_update_at_the_same_time_rotates_once(timeline):
    key, secret, stack = timeline.external_key(), timeline.secret(FIRST), timeline.stack()
    first = timeline.declared(key, secret)
    timeline.secret(SECOND)
    second = timeline.declared(key, secret, NewMaterial="ROTATE")
    timeline.delivers("Update", "Material", 0.1, 0.3)
    timeline.at(10, lambda: stack.create({"Material": first}))
    timeline.at(100, lambda: stack.update({"Material": second}))
    timeline.run()

    one, two = timeline.of("Update")
    answers = [(each.answer["Status"], each.answer["PhysicalResourceId"], each.answer["Data"]) for each in (one, two)]
    assert answers[0] == answers[1]
    assert answers[0][:2] == ("SUCCESS", key)
    assert states(timeline, key) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
    assert encrypts_with(timeline, key, SECOND)
    assert timeline.aws.count("DeleteImportedKeyMaterial") == 0


def test_a_duplicate_update_after_a_later_update_has_finished(world, key):
    """The duplicate would set the expiry that the later update removed."""
    created(world, key)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId=V1, ValidForDays="30")
    carried_out(world, event)
    carried_out(world, world.update_request(key, SecretId=SECRET, SecretVersionId=V1))
    done(world, "UPDATE_COMPLETE")

    assert delivered_again(world, event) == {}
    assert world.describe(key)["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"


def test_a_duplicate_update_while_a_later_update_is_at_work(world, key):
    created(world, key)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId=V1, ValidForDays="30")
    carried_out(world, event)
    world.update_request(key, SecretId=SECRET, SecretVersionId=V1)

    answer = delivered_again(world, event)

    assert answer["Reason"] == (
        "CloudFormation does not wait for this Update request: it was made before the stack's present operation began. "
        "Nothing was imported."
    )


def test_a_duplicate_rotation_after_a_later_rotation_has_finished(world, key):
    third = random_keys(33, 1)
    world.secret(next(third)[:32], version_id="3" * 32)
    created(world, key)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="ROTATE")
    carried_out(world, event)
    carried_out(world, world.update_request(key, SecretId=SECRET, SecretVersionId="3" * 32, NewMaterial="ROTATE"))
    done(world, "UPDATE_COMPLETE")
    rotations = world.aws.count("RotateKeyOnDemand")

    delivered_again(world, event)

    assert world.aws.count("RotateKeyOnDemand") == rotations
    assert [state for state, _ in states(world, key)] == ["NON_CURRENT", "NON_CURRENT", "CURRENT"]
