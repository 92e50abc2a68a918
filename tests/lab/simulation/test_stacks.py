"""The simulation's CloudFormation, against what real stacks were recorded to show. Each date is a recording's."""

import pytest
from botocore.exceptions import ClientError

from lab.world import ACCOUNT, REGION, TYPE
from tests.support.two_keys import TwoKeys

GENERAL_TYPE = "AWS::CloudFormation::CustomResource"


@pytest.fixture
def stacked(timeline):
    return TwoKeys(timeline)


@pytest.fixture
def client(timeline):
    return timeline.aws.session(region=REGION, account=ACCOUNT).client("cloudformation")


def told(stacked, since=0):
    """(logical id, physical id, status) of each event since so many seconds; the stack's own events have no ids."""
    return [
        ("", "", one.status)
        if one.physical_id == stacked.stack.id
        else (one.logical_id, one.physical_id or "", one.status)
        for one in stacked.stack._shown.stack.events
        if stacked.timeline.seconds(one.at) >= since
    ]


def test_a_replacement_is_told_under_its_old_id_its_new_one_and_its_old_one_again(stacked):
    """2018-02-26 to 2026-01-14: the clean-up's events are under the same logical id."""
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.then(stacked.stack.update, Material=stacked.on_b)
    stacked.run()

    assert told(stacked, since=600) == [
        ("", "", "UPDATE_IN_PROGRESS"),
        ("Material", stacked.a, "UPDATE_IN_PROGRESS"),
        ("Material", stacked.b, "UPDATE_IN_PROGRESS"),
        ("Material", stacked.b, "UPDATE_COMPLETE"),
        ("", "", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Material", stacked.a, "DELETE_IN_PROGRESS"),
        ("Material", stacked.a, "DELETE_COMPLETE"),
        ("", "", "UPDATE_COMPLETE"),
    ]
    types = [one.type for one in stacked.stack._shown.stack.events[-3:-1]]
    assert types == [GENERAL_TYPE] * 2  # 2020-10-22


def test_a_creation_is_reported_twice_as_being_under_way_the_second_time_under_the_answered_id(stacked):
    """2020-10-22, 2025-03-11: when the answer is taken over, 0.15 to 0.7 s before the end."""
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.run()

    assert told(stacked)[2:] == [
        ("Material", "", "CREATE_IN_PROGRESS"),
        ("Material", stacked.a, "CREATE_IN_PROGRESS"),
        ("Material", stacked.a, "CREATE_COMPLETE"),
        ("", "", "CREATE_COMPLETE"),
    ]
    _, taken_over, done = [one for one in stacked.stack._shown.stack.events if one.logical_id == "Material"]
    assert 0.15 <= (done.at - taken_over.at).total_seconds() <= 0.7
    assert done.type == TYPE


def test_an_update_that_deletes_nothing_cleans_up_too(stacked):
    """2025, 2026."""
    stacked.then(stacked.stack.create, Material=stacked.on_a)
    stacked.then(stacked.stack.update, Material=stacked.on_a | {"Trigger": "2"})
    stacked.run()

    statuses = [status for logical_id, _, status in told(stacked, since=600) if not logical_id]
    assert statuses == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert [one for one in told(stacked, since=600) if one[2].startswith("DELETE_")] == []


def test_a_clean_up_s_delete_that_fails_is_tried_three_times_and_the_stack_ends_complete(stacked):
    """2021-01-12 to 2023-05-26: the last event of the logical id is DELETE_FAILED."""
    timeline = stacked.timeline
    stacked.then(stacked.stack.create, Material=stacked.on_a, Left=stacked.on_b)
    timeline.at(300, lambda: timeline.call("UntagResource", KeyId=stacked.a, TagKeys=["imported-key-material"]))
    stacked.then(stacked.stack.update, Left=stacked.on_b)
    stacked.run()

    deletes = [(id_, status) for name, id_, status in told(stacked) if name == "Material" and "DELETE" in status]
    assert deletes == [(stacked.a, "DELETE_IN_PROGRESS"), (stacked.a, "DELETE_FAILED")] * 3
    assert stacked.stack.status == "UPDATE_COMPLETE"


@pytest.mark.parametrize("at_once", [False, True])
def test_a_removed_resource_is_forgotten(stacked, client, at_once):
    """2025-10-16."""
    stacked.stack._shown.forgets_at_once = at_once
    stacked.then(stacked.stack.create, Material=stacked.on_a, Left=stacked.on_b)
    stacked.then(stacked.stack.update, Left=stacked.on_b)
    stacked.run()

    with pytest.raises(ClientError) as missing:
        client.describe_stack_resource(StackName=stacked.stack.id, LogicalResourceId="Material")
    assert missing.value.response["Error"]["Message"] == (
        f"Resource Material does not exist for stack {stacked.stack.id}"
    )
    listed = client.list_stack_resources(StackName=stacked.stack.id)["StackResourceSummaries"]
    assert [one["LogicalResourceId"] for one in listed] == ["Left"]


def test_a_resource_whose_creation_failed_is_forgotten_once_it_is_rolled_back_and_listed_all_the_same(stacked, client):
    """2025-10-16; 2021-06-22 and 2022-04-02. DeletionTime: 2018-06-18 to 2022-04-02."""
    stacked.then(stacked.stack.create, Material=stacked.on_a, Failing=stacked.failing)
    stacked.run()

    assert stacked.stack.status == "ROLLBACK_COMPLETE"
    for logical_id in ("Material", "Failing"):
        with pytest.raises(ClientError):
            client.describe_stack_resource(StackName=stacked.stack.id, LogicalResourceId=logical_id)
    listed = client.list_stack_resources(StackName=stacked.stack.id)["StackResourceSummaries"]
    assert {one["LogicalResourceId"]: one["ResourceStatus"] for one in listed} == {
        "Material": "DELETE_COMPLETE",
        "Failing": "DELETE_COMPLETE",
    }
    began = next(one for one in stacked.stack._shown.stack.events if one.status == "ROLLBACK_IN_PROGRESS")
    shown = client.describe_stacks(StackName=stacked.stack.id)["Stacks"][0]
    assert shown["DeletionTime"] == began.at.replace(microsecond=began.at.microsecond // 1000 * 1000)
