"""Which resource owns which key's material (rules 1 and 2): stacks that change, share or swap keys.

In the clean-up CloudFormation deletes replaced ids and removed resources. None of these Deletes may remove material from a key
that a resource of the stack holds.
"""

import pytest

from lab.kms.materials import encrypts_with
from lab.wire.transport import Fault
from tests.support.two_keys import EMPTY, FIRST, SECOND, USABLE, TwoKeys, bare


@pytest.fixture
def stacked(timeline):
    return TwoKeys(timeline)


# ------------------------------------------------------------------------------------------------------ another KeyId


def test_another_key_id_is_a_replacement_and_the_clean_up_empties_the_old_key(stacked):
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.then(stacked.stack.update, Material=stacked.on_b)
    stacked.run()

    assert stacked.stack.status == "UPDATE_COMPLETE"
    assert stacked.ids() == {"Material": stacked.b}
    assert stacked.deletes() == [("Material", stacked.a, True)]
    assert stacked.states == (EMPTY, USABLE)


def test_key_id_changed_and_rolled_back(stacked):
    """The resource is back on A, which never lost anything, under its former id: the stack's events show that id."""
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.timeline.delivers("Create", "Other", 30.0)  # it fails after Material is complete
    stacked.then(stacked.stack.update, Material=stacked.on_b, Other=stacked.failing)
    stacked.run()

    assert stacked.stack.status == "UPDATE_ROLLBACK_COMPLETE"
    forward, back = stacked.timeline.of("Update")
    assert forward.answer["PhysicalResourceId"] == stacked.b
    assert back.answer["Status"] == "SUCCESS"
    assert not {"GetSecretValue", "ImportKeyMaterial"} & set(back.operations)
    assert back.answer["Data"]["KeyArn"] == stacked.a
    assert ("Material", stacked.b, True) in stacked.deletes()
    assert stacked.states == (USABLE, EMPTY)
    assert encrypts_with(stacked.timeline, stacked.a, FIRST)
    assert stacked.ids() == {"Material": stacked.a}


def test_key_id_changed_and_rolled_back_to_a_key_that_was_adopted(stacked):
    """Somebody else imported A's material; it stays when the stack is deleted."""
    elsewhere = stacked.timeline.stack("payments")
    stacked.then(elsewhere.create, Material=stacked.on_a)
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.timeline.delivers("Create", "Other", 30.0)
    stacked.then(stacked.stack.update, Material=stacked.on_b, Other=stacked.failing)
    stacked.then(stacked.stack.delete)
    stacked.run()

    _, back = stacked.timeline.of("Update")
    assert back.answer["PhysicalResourceId"] == bare(stacked.a)
    assert stacked.states == (USABLE, EMPTY)


def test_key_id_changed_and_rolled_back_where_the_events_cant_be_read(stacked):
    """Then the function treats A as adopted, and never removes its material. The clean-up does not remove B's either."""
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.timeline.delivers("Create", "Other", 30.0)
    stacked.then(stacked.stack.update, Material=stacked.on_b, Other=stacked.failing)
    stacked.timeline.aws.faults.inject("DescribeStackEvents", Fault.READ_TIMEOUT, times=10**6)
    stacked.run()

    assert stacked.ids() == {"Material": bare(stacked.a)}
    assert stacked.states == (USABLE, USABLE)
    assert "the stack's events can't be read" in stacked.timeline.log.getvalue()


def test_key_id_changed_and_rolled_back_before_the_new_key_was_filled(stacked):
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.then(stacked.stack.update, Material=stacked.on_b | {"SecretId": "orders/none"})
    stacked.then(stacked.stack.delete)
    stacked.run()

    forward, back = stacked.timeline.of("Update")
    assert forward.answer["Reason"].startswith("SecretId: secretsmanager:DescribeSecret was refused with ")
    assert forward.answer["PhysicalResourceId"] == back.answer["PhysicalResourceId"] == stacked.a
    assert stacked.deletes() == [("Material", stacked.a, True)]
    assert stacked.states == (EMPTY, EMPTY)


def test_a_to_b_to_a(stacked):
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.then(stacked.stack.update, Material=stacked.on_b)
    stacked.then(stacked.stack.update, Material=stacked.on_a)
    stacked.run()

    assert stacked.stack.status == "UPDATE_COMPLETE"
    assert stacked.ids() == {"Material": stacked.a}
    assert stacked.deletes() == [("Material", stacked.a, True), ("Material", stacked.b, True)]
    assert stacked.states == (USABLE, EMPTY)
    assert encrypts_with(stacked.timeline, stacked.a, FIRST)


def test_a_to_b_to_a_and_the_clean_up_of_a_is_delivered_again_when_a_is_held_again(stacked):
    stacked.timeline.delivers("Delete", "Material", 0.1, 900.0)
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.then(stacked.stack.update, Material=stacked.on_b)
    stacked.then(stacked.stack.update, Material=stacked.on_a)
    stacked.run()

    assert stacked.deletes() == [
        ("Material", stacked.a, True),
        ("Material", stacked.b, True),
        ("Material", stacked.a, False),
    ]
    assert stacked.states == (USABLE, EMPTY)


# --------------------------------------------------------------------------------------------------- two on one key


def test_two_resources_on_one_key_one_removed(stacked):
    stacked.then(stacked.stack.create, First=stacked.on_a)
    stacked.then(stacked.stack.update, First=stacked.on_a, Second=stacked.on_a)
    stacked.then(stacked.stack.update, Second=stacked.on_a)
    stacked.run()

    assert stacked.ids() == {"Second": stacked.a}
    assert stacked.deletes() == [("First", stacked.a, False)]
    assert stacked.states[0] == USABLE


def test_two_resources_on_one_key_and_the_stack_deleted(stacked):
    """Each sees that the other is being deleted, too: the first Delete empties the key."""
    stacked.then(stacked.stack.create, First=stacked.on_a)
    stacked.then(stacked.stack.update, First=stacked.on_a, Second=stacked.on_a)
    stacked.then(stacked.stack.delete)
    stacked.run()

    assert stacked.stack.status == "DELETE_COMPLETE"
    assert stacked.states[0] == EMPTY


@pytest.mark.parametrize("late", [0.1, 60.0], ids=["at the same time", "one after the other"])
def test_resources_that_swap_keys_in_one_update(stacked, late):
    """No clean-up may remove what the other resource holds by then."""
    stacked.then(stacked.stack.create, Left=stacked.on_a, Right=stacked.on_b)
    stacked.timeline.delivers("Update", "Right", late)
    stacked.then(stacked.stack.update, Left=stacked.on_b, Right=stacked.on_a)
    stacked.run()

    assert stacked.stack.status == "UPDATE_COMPLETE"
    assert sorted(stacked.deletes()) == [("Left", stacked.a, False), ("Right", stacked.b, False)]
    assert stacked.states == (USABLE, USABLE)
    assert encrypts_with(stacked.timeline, stacked.a, FIRST)
    assert encrypts_with(stacked.timeline, stacked.b, SECOND)
    ids = stacked.ids()
    assert ids["Left"] == stacked.b
    # The later resource finds that no resource owns the key any more, and so adopts it.
    assert ids["Right"] == (stacked.a if late < 1 else bare(stacked.a))


def test_resources_that_swap_keys_and_are_rolled_back(stacked):
    stacked.then(stacked.stack.create, Left=stacked.on_a, Right=stacked.on_b)
    stacked.timeline.delivers("Create", "Other", 30.0)
    stacked.then(stacked.stack.update, Left=stacked.on_b, Right=stacked.on_a, Other=stacked.failing)
    stacked.run()

    assert stacked.stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert not any(taken for _, _, taken in stacked.deletes())
    assert stacked.states == (USABLE, USABLE)
