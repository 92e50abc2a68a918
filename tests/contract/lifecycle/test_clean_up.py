"""A clean-up's Deletes, each delivered twice (rule 9): a key that another stack has filled in between keeps its material.

A clean-up takes as long as its slowest Delete. CloudFormation forgets what an update has removed (recorded 2025-10-16), and
shows the old id of a replacement only in its events (recorded 2018 to 2026-01-14). So only an event can show that
CloudFormation is deleting such an id now.
"""

import json

import pytest

from lab.keys.by_hand import import_material
from lab.kms.materials import encrypts_with
from lab.on_failure import KILLED, OnFailureWorld
from lab.wire.transport import Fault, Refusal
from lab.world import TYPE
from tests.support.delivered import delivered_again
from tests.support.pinned import FIRST, SECOND, SECRET, V1, created
from tests.support.two_keys import EMPTY, USABLE, TwoKeys

CLEANS_UP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
ROLLED_BACK = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
MINUTE = 60.0
REMOVAL = "DeleteImportedKeyMaterial"
DENIED = Refusal(403, "AccessDenied", "not authorized to perform: cloudformation:DescribeStackEvents")


# --------------------------------------------------------------------------------- a second stack fills the key meanwhile


@pytest.fixture
def stacked(timeline):
    return TwoKeys(timeline)


@pytest.fixture(params=[False, True], ids=["forgotten at the end", "forgotten at once"])
def refilled(stacked, request):
    """Plays: another stack fills A while Slow's Delete keeps the clean-up going, and A's Delete comes a second time."""
    timeline = stacked.timeline
    stacked.stack._shown.forgets_at_once = request.param  # no recording shows when CloudFormation forgets

    def refilled(**then):
        slow = stacked.on_b | {"KeyId": timeline.external_key()}
        timeline.delivers("Delete", "Material", 0.1, 60.0)
        timeline.delivers("Delete", "Slow", 200.0)
        timeline.at(10, lambda: stacked.stack.create({"Material": stacked.on_a, "Slow": slow}))
        timeline.at(100, lambda: stacked.stack.update(then))
        other = timeline.stack("payments")
        timeline.at(140, lambda: other.create({"Material": stacked.on_a}))
        timeline.run()
        first, again = timeline.of("Delete")
        assert (first.answer["Status"], REMOVAL in first.operations) == ("SUCCESS", True)
        assert timeline.seconds(again.started_at) > 150
        assert (stacked.stack.status, other.status) == ("UPDATE_COMPLETE", "CREATE_COMPLETE")
        assert other.resources["Material"].physical_id == stacked.a  # this stack imported the material
        return again

    return refilled


def test_a_removed_resource_s_delete_that_comes_again_takes_nothing_from_the_stack_that_filled_the_key(
    stacked, refilled
):
    again = refilled(Left=stacked.on_b)

    assert (again.answer, REMOVAL in again.operations) == (None, False)
    assert encrypts_with(stacked.timeline, stacked.a, FIRST)


def test_a_replaced_id_s_delete_that_comes_again_takes_nothing_from_the_stack_that_filled_the_key(stacked, refilled):
    again = refilled(Material=stacked.on_b)

    assert (again.answer, REMOVAL in again.operations) == (None, False)
    assert encrypts_with(stacked.timeline, stacked.a, FIRST)


@pytest.mark.parametrize("forgets_at_once", [False, True])
def test_in_a_rollback_s_clean_up_too(stacked, forgets_at_once):
    """There CloudFormation deletes what the failed update made."""
    timeline, made = stacked.timeline, stacked.on_b | {"KeyId": stacked.timeline.external_key()}
    stacked.stack._shown.forgets_at_once = forgets_at_once  # the same
    timeline.delivers("Delete", "New", 0.1, 90.0)
    timeline.delivers("Delete", "Slow", 200.0)
    timeline.at(10, lambda: stacked.stack.create({"Material": stacked.on_b}))
    failing = {"Material": stacked.on_b, "New": stacked.on_a, "Slow": made, "Failing": stacked.failing}
    timeline.delivers("Create", "Failing", 10.0)
    timeline.at(100, lambda: stacked.stack.update(failing))
    other = timeline.stack("payments")
    timeline.at(160, lambda: other.create({"Material": stacked.on_a}))
    timeline.run()

    first, again = timeline.of("Delete", "New")
    assert (first.answer["Status"], REMOVAL in first.operations) == ("SUCCESS", True)
    assert (again.answer, REMOVAL in again.operations) == (None, False)
    assert (stacked.stack.status, other.status) == ("UPDATE_ROLLBACK_COMPLETE", "CREATE_COMPLETE")
    assert stacked.states == (USABLE, USABLE)


def test_both_ids_of_a_logical_id_that_is_replaced_and_removed_are_deleted(stacked):
    """--disable-rollback: the first update replaces A by B and fails, the next one removes the resource."""
    left = stacked.on_b | {"KeyId": stacked.timeline.external_key()}
    stacked.then(stacked.stack.create, Material=stacked.on_a, Left=left)
    stacked.timeline.delivers("Create", "Failing", 10.0)
    moved = {"Material": stacked.on_b, "Left": left, "Failing": stacked.failing}
    stacked.then(lambda: stacked.stack.update(moved, keep_failed=True))
    stacked.then(lambda: stacked.stack.update({"Left": left}, keep_failed=True))
    stacked.run()

    assert stacked.stack.status == "UPDATE_COMPLETE"
    deleted = [one for one in stacked.deletes() if one[0] == "Material"]
    assert sorted(deleted) == sorted([("Material", stacked.a, True), ("Material", stacked.b, True)])
    assert stacked.states == (EMPTY, EMPTY)


# ------------------------------------------------------------------------------------------------ what the events tell


def replaced(world, status=CLEANS_UP):
    """The old key, and its clean-up Delete: the resource is complete on another key."""
    old, new = created(world), world.external_key()
    assert world.update(new, SecretId=SECRET, SecretVersionId=V1)["Status"] == "SUCCESS"
    world.clock.advance(5)
    return old, world.delete_request(physical_id=old, status=status)


def removed(world, status=CLEANS_UP):
    """The same for a resource that is no longer in the template."""
    key = created(world)
    world.clock.advance(5)
    return key, world.delete_request(status=status)


EACH = pytest.mark.parametrize("of", [replaced, removed])
EACH_STATUS = pytest.mark.parametrize("status", [CLEANS_UP, ROLLED_BACK])


def ended(world, event, status, seconds=5.0):
    """The id's Delete has ended, and CloudFormation forgets what it has removed."""
    world.clock.advance(seconds)
    resource = world.stack.resources["Material"]
    if resource.status == "DELETE_IN_PROGRESS":
        world.stack.set("Material", status, world.clock.now())
        world.stack.forget("Material", listed=False)
    else:
        world.stack.set_old("Material", status, world.clock.now(), event["PhysicalResourceId"])


@EACH
@EACH_STATUS
def test_a_delete_is_wanted_while_its_id_is_being_deleted(world, of, status):
    key, event = of(world, status)

    assert world.invoke(event)["Status"] == "SUCCESS"
    assert world.state(key) == EMPTY


@EACH
@EACH_STATUS
def test_a_delete_leaves_at_once_where_its_id_was_deleted_since(world, of, status):
    key, event = of(world, status)
    assert world.invoke(event)["Status"] == "SUCCESS"
    ended(world, event, "DELETE_COMPLETE")
    import_material(world.session().client("kms"), key, FIRST)  # now the key is another stack's
    started = world.clock.now()

    assert delivered_again(world, event) == {}
    assert world.state(key) == USABLE
    assert (world.clock.now() - started).total_seconds() < 1


@EACH
def test_a_delete_that_failed_and_is_not_tried_again_is_not_wanted(world, unwanted, of):
    _, event = of(world)
    ended(world, event, "DELETE_FAILED")

    assert unwanted(event) == "Material is DELETE_FAILED under this PhysicalResourceId."


@EACH
def test_a_delete_that_failed_is_wanted_once_cloudformation_tries_it_again(world, of):
    """CloudFormation tries a clean-up's Delete three times (recorded 2021 to 2023)."""
    key, event = of(world)
    ended(world, event, "DELETE_FAILED")

    def tries_again():
        world.stack.set_old("Material", "DELETE_IN_PROGRESS", world.clock.now(), event["PhysicalResourceId"])

    world.clock.after(20, tries_again)

    assert world.invoke(event)["Status"] == "SUCCESS"
    assert world.state(key) == EMPTY


@EACH
def test_an_id_that_was_deleted_before_the_request_was_made_is_not_wanted_until_it_is_deleted_again(
    world, unwanted, of
):
    """One id was deleted twice in one operation (recorded 2025-03-11): the shown end may be the first Delete's."""
    key, first = of(world)
    ended(world, first, "DELETE_COMPLETE")
    world.clock.advance(20)
    again = world.event("Delete", "Material", {}, physical_id=key)

    assert unwanted(again) == "Material is DELETE_COMPLETE, and CloudFormation shows no Delete since then."
    world.clock.after(30, lambda: world.stack.set_old("Material", "DELETE_IN_PROGRESS", world.clock.now(), str(key)))
    assert world.invoke(again)["Status"] == "SUCCESS"


def test_an_id_that_no_event_shows_is_not_wanted(world, unwanted):
    """A forged Delete: the clean-up is real, but deletes something else."""
    key, _ = removed(world)
    other = world.external_key()
    import_material(world.session().client("kms"), other, FIRST)
    not_told = "no event of the stack shows that {} is being deleted under this PhysicalResourceId."

    assert unwanted(world.event("Delete", "Material", {}, physical_id=other)) == not_told.format("Material")
    assert unwanted(world.event("Delete", "Nowhere", {}, physical_id=key)) == not_told.format("Nowhere")


def test_an_event_that_comes_late_is_waited_for(world):
    key, event = replaced(world)
    late = world.stack.events.pop()
    world.clock.after(40, lambda: world.stack.events.append(late))

    assert world.invoke(event)["Status"] == "SUCCESS"
    assert world.state(key) == EMPTY


@pytest.mark.parametrize("seconds", [0, 2, 10, 59])
def test_an_event_that_was_shown_before_the_request_was_made_is_its_own(world, seconds):
    """CloudFormation sets the status before it sends the request. How long before is not known."""
    key, _ = replaced(world)
    world.clock.advance(seconds)
    event = world.event("Delete", "Material", {}, physical_id=key)

    assert world.invoke(event)["Status"] == "SUCCESS"


def test_nothing_older_than_the_operation_is_read(world, unwanted):
    """An operation long ago has left an event without an end; this request has no time."""
    key, event = replaced(world)
    world.clock.advance(300)
    world.stack.updated_at = world.clock.now()
    url = event["ResponseURL"].partition("&X-Amz-Date=")
    undated = event | {"ResponseURL": f"{url[0]}&{url[2].partition('&')[2]}"}

    assert unwanted(undated).startswith("no event of the stack shows ")
    world.stack.set_old("Material", "DELETE_IN_PROGRESS", world.clock.now(), key)
    assert world.invoke(undated)["Status"] == "SUCCESS"


def test_a_request_without_a_time_takes_nothing_where_its_id_is_deleted(world, unwanted):
    """The id may have been deleted before the request or after it: the function can't know."""
    _, event = replaced(world)
    url = event["ResponseURL"].partition("&X-Amz-Date=")
    undated = event | {"ResponseURL": f"{url[0]}&{url[2].partition('&')[2]}"}
    ended(world, event, "DELETE_COMPLETE")

    assert unwanted(undated) == "Material is DELETE_COMPLETE, and CloudFormation shows no Delete since then."


@pytest.mark.parametrize("fault", [DENIED, Fault.READ_TIMEOUT, Fault.THROTTLED])
def test_events_that_cant_be_read_are_a_failure_and_never_a_removal(world, fault):
    key, event = replaced(world)
    world.aws.faults.inject("DescribeStackEvents", fault, times=10**6)

    answer = world.invoke(event)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("StackId: cloudformation:DescribeStackEvents ")
    assert answer["Reason"].endswith("Nothing was removed.")
    assert world.state(key) == USABLE


def test_the_events_are_asked_again_right_before_every_removal(world):
    key, event = replaced(world)
    import_material(world.session().client("kms"), key, SECOND, ImportType="NEW_KEY_MATERIAL")

    world.invoke(event)

    operations = world.aws.operations()
    removals = [index for index, operation in enumerate(operations) if operation == REMOVAL]
    asked = ["DescribeStacks", "DescribeStackResource", "DescribeStackEvents"]
    assert len(removals) == 2
    assert [operations[at - 3 : at] for at in removals] == [asked] * 2


# ------------------------------------------------------------------------------------------- what Lambda has given up


@EACH
def test_the_on_failure_function_follows_the_same_rule(world, of):
    _, event = of(world)
    on_failure = OnFailureWorld(world)

    assert on_failure.told(KILLED, event)["Status"] == "FAILED"
    ended(world, event, "DELETE_COMPLETE")
    assert on_failure.told(KILLED, event) is None
    assert world.log.getvalue().splitlines()[-1] == "Left without an answer. CloudFormation already has an answer."


def test_the_on_failure_function_leaves_an_id_that_no_event_shows(world):
    key, _ = removed(world)
    forged = world.event("Delete", "Nowhere", {}, physical_id=key)

    assert OnFailureWorld(world).told(KILLED, json.loads(json.dumps(forged))) is None
    assert (
        world.log.getvalue()
        .splitlines()[-1]
        .startswith(
            "Left without an answer. CloudFormation does not wait for this Delete request: no event of the stack shows "
        )
    )


def test_a_custom_resource_s_type_in_the_clean_up_s_events_is_not_compared(world):
    """AWS::CloudFormation::CustomResource (recorded 2020-10-22), whatever the template calls it."""
    _, event = replaced(world)

    assert world.stack.events[-1].type == "AWS::CloudFormation::CustomResource" != TYPE
    assert world.invoke(event)["Status"] == "SUCCESS"
