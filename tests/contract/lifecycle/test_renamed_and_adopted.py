"""Keys that outlive their resources (rules 1 and 2): under another name, adopted, retained.

No step of CloudFormation may remove material from a key that held it before the stack existed.
"""

import pytest

from lab.keys.by_hand import import_material
from lab.kms.materials import encrypts_with, states
from tests.support.two_keys import EMPTY, FIRST, THIRD, USABLE, TwoKeys, bare


@pytest.fixture
def stacked(timeline):
    return TwoKeys(timeline)


# ------------------------------------------------------------------------------------------------------- new names


def test_a_resource_renamed(stacked):
    stacked.then(stacked.stack.create, Old=stacked.on_a)
    stacked.then(stacked.stack.update, New=stacked.on_a)
    stacked.then(stacked.stack.delete)
    stacked.run()

    assert stacked.deletes() == [("Old", stacked.a, False), ("New", stacked.a, True)]
    assert stacked.states[0] == EMPTY


def test_a_resource_renamed_twice(stacked):
    stacked.then(stacked.stack.create, Old=stacked.on_a)
    stacked.then(stacked.stack.update, New=stacked.on_a)
    stacked.then(stacked.stack.update, Newer=stacked.on_a)
    stacked.run()

    assert stacked.ids() == {"Newer": stacked.a}
    assert stacked.deletes() == [("Old", stacked.a, False), ("New", stacked.a, False)]
    assert stacked.states[0] == USABLE


def test_a_resource_renamed_and_the_rename_rolled_back(stacked):
    stacked.then(stacked.stack.create, Old=stacked.on_a)
    stacked.timeline.delivers("Create", "Other", 30.0)
    stacked.then(stacked.stack.update, New=stacked.on_a, Other=stacked.failing)
    stacked.run()

    assert stacked.stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert stacked.ids() == {"Old": stacked.a}
    assert ("New", stacked.a, False) in stacked.deletes()
    assert stacked.states[0] == USABLE
    assert encrypts_with(stacked.timeline, stacked.a, FIRST)


def test_a_resource_renamed_with_new_material_staged_on_the_way(stacked):
    declared = stacked.on_a
    stacked.timeline.secret(THIRD, "orders/a", version_id="3" * 32)
    stacked.then(stacked.stack.create, Old=declared)
    stacked.then(stacked.stack.update, New=declared | {"SecretVersionId": "3" * 32, "NewMaterial": "STAGE"})
    stacked.run()

    assert stacked.ids() == {"New": stacked.a}
    assert states(stacked.timeline, stacked.a) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


# ------------------------------------------------------------------------------------------------- adopted and retained


@pytest.fixture
def foreign(stacked):
    """A live key that somebody else has filled, before the stack is created."""
    kms = stacked.timeline.aws.client("kms", region="eu-central-1", account="111122223333")
    import_material(kms, stacked.a, FIRST)
    return stacked.a


@pytest.mark.usefixtures("foreign")
def test_a_key_adopted_then_the_stack_rolled_back_then_deleted(stacked):
    stacked.timeline.delivers("Create", "Other", 30.0)
    stacked.then(stacked.stack.create, Material=stacked.on_a, Other=stacked.failing)
    second = stacked.timeline.stack("orders")
    stacked.then(second.create, Material=stacked.on_a)
    stacked.then(second.delete)
    stacked.run()

    assert (stacked.stack.status, second.status) == ("ROLLBACK_COMPLETE", "DELETE_COMPLETE")
    assert [one for one in stacked.deletes() if one[0] == "Material"] == [("Material", bare(stacked.a), False)] * 2
    assert stacked.states[0] == USABLE
    told = f'nothing to remove: the resource owns no material {{"physical_id": "{bare(stacked.a)}"}}'
    assert stacked.timeline.log.getvalue().count(told) == 2


@pytest.mark.usefixtures("foreign")
def test_a_key_adopted_then_rotated_then_deleted_keeps_every_material(stacked):
    """The key was somebody else's before: this stack's material is part of a key that is in use elsewhere."""
    stacked.timeline.secret(THIRD, "orders/a", version_id="3" * 32)
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.then(stacked.stack.update, Material=stacked.on_a | {"SecretVersionId": "3" * 32, "NewMaterial": "ROTATE"})
    stacked.then(stacked.stack.delete)
    stacked.run()

    assert stacked.stack.status == "DELETE_COMPLETE"
    assert stacked.timeline.aws.count("DeleteImportedKeyMaterial") == 0
    assert states(stacked.timeline, stacked.a) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]


@pytest.mark.usefixtures("foreign")
def test_an_adopted_key_whose_lost_material_an_update_brought_back_stays_adopted(stacked):
    """The material was somebody else's. Its loss does not make it this stack's."""
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.then(lambda: stacked.timeline.call("DeleteImportedKeyMaterial", KeyId=stacked.a))
    stacked.then(stacked.stack.update, Material=stacked.on_a | {"Trigger": "2"})
    stacked.then(stacked.stack.delete)
    stacked.run()

    (update,) = stacked.timeline.of("Update")
    assert (update.answer["Status"], update.answer["PhysicalResourceId"]) == ("SUCCESS", bare(stacked.a))
    assert stacked.deletes() == [("Material", bare(stacked.a), False)]
    assert stacked.states[0] == USABLE


def test_retained_material_stays_and_a_second_stack_takes_the_key_up(stacked):
    stacked.timeline.at(10, lambda: stacked.stack.create({"Material": stacked.on_a}, retained=frozenset({"Material"})))
    stacked.timeline.at(600, stacked.stack.delete)
    second = stacked.timeline.stack("payments")
    stacked.timeline.at(1200, lambda: second.create({"Material": stacked.on_a}))
    stacked.timeline.at(1800, second.delete)
    stacked.run()

    assert stacked.stack.status == second.status == "DELETE_COMPLETE"
    assert stacked.deletes() == [("Material", bare(stacked.a), False)]
    assert stacked.states[0] == USABLE
