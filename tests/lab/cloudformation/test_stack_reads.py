"""The stand-in for CloudFormation, through boto3: what a function sees of its own stack."""

import uuid
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from lab.clock import VirtualClock
from lab.cloudformation import request_shape
from lab.cloudformation.stack_reads import CloudFormation
from lab.wire.in_process import InProcessAws
from lab.wire.transport import Fault

TYPE = "Custom::ImportedKeyMaterial"


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def stacks(clock):
    return CloudFormation(clock, page_resources=2)


@pytest.fixture
def aws(clock, stacks):
    with InProcessAws(clock, [stacks]) as aws:
        yield aws


@pytest.fixture
def client(aws):
    return aws.client("cloudformation")


def refusal(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_stack_is_described_by_name_and_by_id_with_the_times_that_it_has(client, stacks, clock):
    stack = stacks.stack("orders")
    clock.advance(60)
    stack.status, stack.updated_at = "UPDATE_IN_PROGRESS", clock.now()

    for reference in ("orders", stack.id):
        shown = client.describe_stacks(StackName=reference)["Stacks"][0]
        assert (shown["StackId"], shown["StackStatus"]) == (stack.id, "UPDATE_IN_PROGRESS")
        assert shown["LastUpdatedTime"] - shown["CreationTime"] == timedelta(seconds=60)
        assert "DeletionTime" not in shown


def test_the_unique_part_of_a_stack_s_id_is_the_time_just_before_its_creation(client, stacks, clock):
    """A UUID of version 1 (recorded 2018 to 2024)."""
    for _ in range(20):
        shown = client.describe_stacks(StackName=stacks.stack("orders").id)["Stacks"][0]
        unique = uuid.UUID(shown["StackId"].rsplit("/", 1)[-1])
        assert unique.version == 1
        before = shown["CreationTime"] - request_shape.time_of(str(unique))
        assert 0.01 <= before.total_seconds() <= 0.18
        clock.advance(86_400.5)


def test_a_deleted_stack_is_found_only_by_its_id_and_its_name_is_free(client, stacks):
    old = stacks.stack("orders")
    old.status = "DELETE_COMPLETE"
    missing = ("ValidationError", "Stack with id orders does not exist")
    assert refusal(client.describe_stacks, StackName="orders") == missing

    new = stacks.stack("orders")

    assert client.describe_stacks(StackName="orders")["Stacks"][0]["StackId"] == new.id != old.id
    assert client.describe_stacks(StackName=old.id)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    assert [one["StackId"] for one in client.describe_stacks()["Stacks"]] == [new.id]


@pytest.mark.parametrize(
    ("operation", "more", "sentence"),
    [
        ("describe_stacks", {}, "Stack with id none does not exist"),
        ("list_stack_resources", {}, "Stack with id none does not exist"),
        ("describe_stack_resource", {"LogicalResourceId": "Material"}, "Stack 'none' does not exist"),
    ],
)
def test_a_stack_that_is_not_there_does_not_exist(client, operation, more, sentence):
    assert refusal(getattr(client, operation), StackName="none", **more) == ("ValidationError", sentence)


def test_a_stack_of_another_region_or_account_does_not_exist_here(aws, stacks):
    stack = stacks.stack("orders")
    missing = ("ValidationError", f"Stack with id {stack.id} does not exist")

    for place in ({"region": "eu-west-1"}, {"account": "999988887777"}):
        assert refusal(aws.client("cloudformation", **place).describe_stacks, StackName=stack.id) == missing


def test_a_resource_is_described_by_its_logical_id(client, stacks, clock):
    stack = stacks.stack("orders")
    stack.set("Material", "CREATE_IN_PROGRESS", clock.now(), type=TYPE)
    how = {"StackName": stack.id, "LogicalResourceId": "Material"}
    assert "PhysicalResourceId" not in client.describe_stack_resource(**how)["StackResourceDetail"]

    clock.advance(5)
    stack.set("Material", "CREATE_COMPLETE", clock.now(), physical_id="arn")

    shown = client.describe_stack_resource(**how)["StackResourceDetail"]
    assert (shown["PhysicalResourceId"], shown["ResourceType"], shown["ResourceStatus"]) == (
        "arn",
        TYPE,
        "CREATE_COMPLETE",
    )
    assert shown["LastUpdatedTimestamp"] == clock.now()


def test_a_resource_without_an_id_has_an_empty_one_in_events_and_none_in_the_list(client, stacks, clock):
    """Recorded: events have the member (2017 to 2025), ListStackResources does not (2016 to 2022)."""
    stack = stacks.stack("orders")
    stack.set("Material", "CREATE_IN_PROGRESS", clock.now(), type=TYPE)

    event, _of_the_stack = client.describe_stack_events(StackName="orders")["StackEvents"]
    (listed,) = client.list_stack_resources(StackName="orders")["StackResourceSummaries"]

    assert (event["ResourceStatus"], event["PhysicalResourceId"]) == ("CREATE_IN_PROGRESS", "")
    assert (listed["ResourceStatus"], "PhysicalResourceId" in listed) == ("CREATE_IN_PROGRESS", False)


def test_a_resource_that_is_not_there_does_not_exist(client, stacks):
    stacks.stack("orders")
    missing = ("ValidationError", "Resource Material does not exist for stack orders")

    assert refusal(client.describe_stack_resource, StackName="orders", LogicalResourceId="Material") == missing


def test_the_list_of_resources_pages(client, stacks, clock):
    stack = stacks.stack("orders")
    for number in range(5):
        stack.set(f"Material{number}", "CREATE_COMPLETE", clock.now(), type=TYPE, physical_id=f"id-{number}")
    pages = list(client.get_paginator("list_stack_resources").paginate(StackName="orders"))

    assert [len(page["StackResourceSummaries"]) for page in pages] == [2, 2, 1]
    listed = [one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]]
    assert listed == [f"id-{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("stack_status", "listed"),
    [
        ("CREATE_IN_PROGRESS", ["Done"]),
        ("ROLLBACK_IN_PROGRESS", ["Done", "Failed"]),
        ("UPDATE_COMPLETE", ["Done", "Failed"]),
    ],
)
def test_the_list_of_resources_may_leave_out_what_is_being_made(client, stacks, clock, stack_status, listed):
    """AWS's documentation: while a stack is created, the list has only resources that are CREATE_COMPLETE."""
    stack = stacks.stack("orders", status=stack_status)
    for name, status in (("Done", "CREATE_COMPLETE"), ("Made", "CREATE_IN_PROGRESS"), ("Failed", "CREATE_FAILED")):
        stack.set(name, status, clock.now(), type=TYPE)

    def names():
        pages = client.get_paginator("list_stack_resources").paginate(StackName="orders")
        return [one["LogicalResourceId"] for page in pages for one in page["StackResourceSummaries"]]

    assert names() == ["Done", "Made", "Failed"]
    stacks.lists_unfinished = False
    assert names() == listed


def test_a_token_that_cloudformation_did_not_give_is_refused(client, stacks):
    stacks.stack("orders")
    wrong = ("ValidationError", "NextToken is not valid")

    assert refusal(client.list_stack_resources, StackName="orders", NextToken="elsewhere") == wrong


def test_text_that_is_not_plain_survives_the_xml(client, stacks, clock):
    stack = stacks.stack("orders")
    stack.set("Material", "CREATE_FAILED", clock.now(), type=TYPE, reason='<a> & "b" ü')

    listed = client.list_stack_resources(StackName="orders")["StackResourceSummaries"]

    assert listed[0]["ResourceStatusReason"] == '<a> & "b" ü'


def test_a_throttle_is_tried_again_by_botocore(aws, client, stacks):
    stacks.stack("orders")
    aws.faults.inject("DescribeStacks", Fault.THROTTLED, times=2)

    assert client.describe_stacks(StackName="orders")["ResponseMetadata"]["RetryAttempts"] == 2


def test_an_operation_that_is_not_modelled_is_refused(client):
    refused = ("InvalidAction", "Could not find operation ListStacks")

    assert refusal(client.list_stacks) == refused


# --------------------------------------------------------------------------------------- events, and what is forgotten


def events(client, **how):
    pages = client.get_paginator("describe_stack_events").paginate(StackName="orders", **how)
    return [event for page in pages for event in page["StackEvents"]]


def test_events_come_newest_first_the_stack_s_own_among_them(client, stacks, clock):
    """Recorded 2017-10-20. The first event of a resource has an empty id (2017-10-20 to 2025-03-11)."""
    stack = stacks.stack("orders")
    clock.advance(1)
    stack.set("Material", "CREATE_IN_PROGRESS", clock.now(), type=TYPE)
    clock.advance(1)
    stack.set("Material", "CREATE_COMPLETE", clock.now(), physical_id="arn")
    clock.advance(1)
    stack.enter("CREATE_COMPLETE", clock.now())

    shown = [
        (one["LogicalResourceId"], one["PhysicalResourceId"], one["ResourceType"], one["ResourceStatus"])
        for one in events(client)
    ]
    assert shown == [
        ("orders", stack.id, "AWS::CloudFormation::Stack", "CREATE_COMPLETE"),
        ("Material", "arn", TYPE, "CREATE_COMPLETE"),
        ("Material", "", TYPE, "CREATE_IN_PROGRESS"),
        ("orders", stack.id, "AWS::CloudFormation::Stack", "CREATE_IN_PROGRESS"),
    ]
    assert events(client)[0]["Timestamp"] == clock.now()


def test_only_events_show_a_clean_up_s_old_id_and_under_the_custom_resource_s_general_type(client, stacks, clock):
    """Recorded 2018 to 2026-01-14; the type 2020-10-22."""
    stack = stacks.stack("orders")
    stack.set("Material", "UPDATE_COMPLETE", clock.now(), type=TYPE, physical_id="new")
    stack.set("Removed", "UPDATE_COMPLETE", clock.now(), type=TYPE, physical_id="id")
    stack.enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", clock.now())
    stack.set_old("Material", "DELETE_IN_PROGRESS", clock.now(), "old")
    stack.set("Removed", "DELETE_IN_PROGRESS", clock.now())

    removed, old = events(client)[:2]
    assert (removed["LogicalResourceId"], removed["ResourceStatus"]) == ("Removed", "DELETE_IN_PROGRESS")
    assert (old["LogicalResourceId"], old["PhysicalResourceId"]) == ("Material", "old")
    assert removed["ResourceType"] == old["ResourceType"] == "AWS::CloudFormation::CustomResource"
    shown = client.describe_stack_resource(StackName="orders", LogicalResourceId="Material")["StackResourceDetail"]
    assert (shown["PhysicalResourceId"], shown["ResourceStatus"], shown["ResourceType"]) == (
        "new",
        "UPDATE_COMPLETE",
        TYPE,
    )


@pytest.mark.parametrize("listed", [True, False])
def test_a_resource_that_is_forgotten_does_not_exist_and_may_be_listed_all_the_same(client, stacks, clock, listed):
    """Removed by an update, or rolled back: recorded 2025-10-16; listed after a rollback to nothing: 2021-06-22, 2022-04-02."""
    stack = stacks.stack("orders")
    stack.set("Material", "DELETE_COMPLETE", clock.now(), type=TYPE, physical_id="arn")
    stack.forget("Material", listed=listed)

    missing = ("ValidationError", "Resource Material does not exist for stack orders")
    assert refusal(client.describe_stack_resource, StackName="orders", LogicalResourceId="Material") == missing
    summaries = client.list_stack_resources(StackName="orders")["StackResourceSummaries"]
    assert [one["ResourceStatus"] for one in summaries] == ["DELETE_COMPLETE"] * listed
    assert events(client)[0]["ResourceStatus"] == "DELETE_COMPLETE"

    stack.set("Material", "CREATE_IN_PROGRESS", clock.now(), type=TYPE)  # made anew
    summaries = client.list_stack_resources(StackName="orders")["StackResourceSummaries"]
    assert [one["ResourceStatus"] for one in summaries] == ["CREATE_IN_PROGRESS"]


def test_an_operation_that_begins_ends_the_one_before(client, stacks, clock):
    stack = stacks.stack("orders")
    stack.set("Material", "UPDATE_COMPLETE", clock.now(), type=TYPE, physical_id="arn")
    stack.begin("UPDATE_IN_PROGRESS", clock.now())
    stack.set("Material", "UPDATE_FAILED", clock.now())
    stack.begin("UPDATE_IN_PROGRESS", clock.now())
    stack.begin("UPDATE_ROLLBACK_IN_PROGRESS", clock.now())
    stack.begin("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", clock.now())
    stack.set("Material", "UPDATE_COMPLETE", clock.now())
    stack.begin("DELETE_IN_PROGRESS", clock.now())

    own = [one["ResourceStatus"] for one in reversed(events(client)) if one["PhysicalResourceId"] == stack.id]
    assert own == [
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
        "UPDATE_IN_PROGRESS",
        "UPDATE_FAILED",
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
        "DELETE_IN_PROGRESS",
    ]


def test_the_stacks_that_import_an_export_are_listed_by_name_in_pages(client, stacks):
    for name in ("c", "a", "b", "old", "other"):
        stacks.stack(name, status="UPDATE_IN_PROGRESS").imports.add("other" if name == "other" else "token")
    stacks._find("old", ("123456789012", "us-east-1")).status = "DELETE_COMPLETE"

    first = client.list_imports(ExportName="token")
    second = client.list_imports(ExportName="token", NextToken=first["NextToken"])

    assert (first["Imports"], second["Imports"], "NextToken" in second) == (["a", "b"], ["c"], False)


def test_an_export_that_no_stack_imports_is_an_error_of_its_own(client):
    assert refusal(client.list_imports, ExportName="token") == (
        "ValidationError",
        "Export 'token' is not imported by any stack.",
    )
