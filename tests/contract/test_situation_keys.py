"""Which resource answers for which key (rules 1 and 2): keys that are changed, shared, swapped, adopted, retained.

CloudFormation's engine does what it does: a replaced id is deleted in the clean-up, a removed resource too. No step of it may
take material out of a key that a resource of the stack holds, and none out of a key that held it before.
"""

import pytest

from tests.support.importing import import_material
from tests.support.materials import encrypts_with, states
from tests.support.random_keys import random_keys

FIRST, SECOND, THIRD = random_keys(32, 3)
EMPTY, USABLE = "PendingImport", "Enabled"


class Stacked:
    """A stack on a timeline, and two keys with a secret each: A and B."""

    def __init__(self, timeline):
        self.timeline = timeline
        self.stack = timeline.stack()
        self.a, self.b = timeline.external_key(), timeline.external_key()
        self.on_a = timeline.declared(self.a, timeline.secret(FIRST, "orders/a"))
        self.on_b = timeline.declared(self.b, timeline.secret(SECOND, "orders/b"))
        # What makes an operation fail: it names a secret that is not there.
        self.failing = self.on_a | {"SecretId": "orders/none", "KeyId": timeline.external_key()}
        self.next_at = 10

    def then(self, act, **template):
        """The next operation, ten minutes after the one before."""
        self.timeline.at(self.next_at, lambda: act(template) if template else act())
        self.next_at += 600

    def run(self):
        self.timeline.run()

    @property
    def states(self):
        return self.timeline.state(self.a), self.timeline.state(self.b)

    def ids(self):
        return {name: resource.physical_id for name, resource in self.stack.resources.items()}

    def deletes(self):
        """(logical id, what it was asked to delete, whether anything was taken out)"""
        return [
            (one.event["LogicalResourceId"], one.event["PhysicalResourceId"], "DeleteImportedKeyMaterial" in one.operations)
            for one in self.timeline.executions
            if one.event["RequestType"] == "Delete"
        ]


def bare(arn):
    return arn.rsplit("/", 1)[1]


@pytest.fixture
def stacked(timeline):
    return Stacked(timeline)


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
    """Back on A, which never lost anything. That A was brought in by this resource is not known any more: it is spared."""
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.timeline.delivers("Create", "Other", 30.0)  # it fails when Material is done
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
    assert stacked.ids() == {"Material": bare(stacked.a)}


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
    """Each finds the other being deleted, too: the key is emptied, by whichever comes first."""
    stacked.then(stacked.stack.create, First=stacked.on_a)
    stacked.then(stacked.stack.update, First=stacked.on_a, Second=stacked.on_a)
    stacked.then(stacked.stack.delete)
    stacked.run()

    assert stacked.stack.status == "DELETE_COMPLETE"
    assert stacked.states[0] == EMPTY


@pytest.mark.parametrize("late", [0.1, 60.0], ids=["at the same time", "one after the other"])
def test_resources_that_swap_keys_in_one_update(stacked, late):
    """Nobody's clean-up may take out what the other one holds by now."""
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
    # The later one finds that nobody answers for the key any more, and so adopts it.
    assert ids["Right"] == (stacked.a if late < 1 else bare(stacked.a))


def test_resources_that_swap_keys_and_are_rolled_back(stacked):
    stacked.then(stacked.stack.create, Left=stacked.on_a, Right=stacked.on_b)
    stacked.timeline.delivers("Create", "Other", 30.0)
    stacked.then(stacked.stack.update, Left=stacked.on_b, Right=stacked.on_a, Other=stacked.failing)
    stacked.run()

    assert stacked.stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert not any(taken for _, _, taken in stacked.deletes())
    assert stacked.states == (USABLE, USABLE)


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
    told = 'nothing to remove: the id is not that of material brought in {"physical_id": "%s"}' % bare(stacked.a)
    assert stacked.timeline.log.getvalue().count(told) == 2


@pytest.mark.usefixtures("foreign")
def test_a_key_adopted_then_rotated_then_deleted_keeps_every_material(stacked):
    """It was somebody else's before: what this stack added is part of a key that is in use elsewhere."""
    stacked.timeline.secret(THIRD, "orders/a", version_id="3" * 32)
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.then(stacked.stack.update, Material=stacked.on_a | {"SecretVersionId": "3" * 32, "NewMaterial": "ROTATE"})
    stacked.then(stacked.stack.delete)
    stacked.run()

    assert stacked.stack.status == "DELETE_COMPLETE"
    assert stacked.timeline.aws.count("DeleteImportedKeyMaterial") == 0
    assert states(stacked.timeline, stacked.a) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]


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
