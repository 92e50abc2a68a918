"""Only the stack's events show whether the previous update failed. What the function does if it can't read them (rules 5, 6).

The simulation found this: a failed update was tried again under --disable-rollback, and the events could not be read. The
function believed that nothing had changed, though KMS did not hold the declared material.
"""

import pytest

from lab.kms.materials import listed
from lab.wire.transport import Fault, Refusal
from tests.support.pinned import SECOND, SECRET, V1, V2, created, rolled_back

DENIED = Refusal(403, "AccessDenied", "not authorized to perform: cloudformation:DescribeStackEvents")
TOLD = "the stack's events can't be read"


@pytest.fixture(params=[DENIED, Fault.READ_TIMEOUT], ids=["denied", "no answer"])
def unreadable(world, request):
    def unreadable():
        world.aws.faults.inject("DescribeStackEvents", request.param, times=10**6)

    return unreadable


def test_an_update_that_failed_and_is_tried_again_is_imported_though_the_events_cant_be_read(world, unreadable):
    """OldResourceProperties are the failed update's, so that nothing seems to have changed."""
    key = created(world)
    rotated = {"SecretId": SECRET, "SecretVersionId": V2, "NewMaterial": "ROTATE"}
    secret = world.secret(SECOND, version_id=V2)
    world.secrets.mark_for_deletion(secret)
    refused = world.update(key, **rotated)
    world.secrets.restore(secret)
    first = listed(world, key)
    unreadable()

    event = world.update_request(key, **rotated, ServiceTimeout="3600")
    answer = world.invoke(event | {"OldResourceProperties": event["ResourceProperties"]})

    assert (refused["Status"], answer["Status"]) == ("FAILED", "SUCCESS")
    assert TOLD in world.log.getvalue()
    current = next(one for one in listed(world, key) if one["KeyMaterialState"] == "CURRENT")
    assert current["KeyMaterialId"] == answer["Data"]["KeyMaterialId"] != first[0]["KeyMaterialId"]


def test_an_update_that_changes_nothing_verifies_the_material_where_the_events_cant_be_read(world, unreadable):
    key = created(world)
    unreadable()

    answer = world.update(key, SecretId=SECRET, SecretVersionId=V1, ServiceTimeout="3600")

    assert answer["Status"] == "SUCCESS"
    assert world.aws.count("ImportKeyMaterial") == 2


def test_events_that_are_throttled_to_the_end_of_the_time_there_is_are_no_proof_either(world):
    key = created(world)
    world.aws.faults.inject("DescribeStackEvents", Fault.THROTTLED, times=10**6)

    answer = world.update(key, SecretId=SECRET, SecretVersionId=V1, ServiceTimeout="3600")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].endswith("Run the deployment again. Nothing was imported.")


def test_a_rollback_goes_on_without_the_events(world, unreadable):
    key = created(world)
    unreadable()

    _, operations = rolled_back(world, key, V1)

    assert "ImportKeyMaterial" not in operations


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_where_the_stack_cant_be_read_either_an_update_that_changes_nothing_succeeds(world, status):
    """The Update may be a rollback's, and a rollback must not fail."""
    key = created(world)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId=V1, rollback="ROLLBACK" in status)
    for operation in ("DescribeStacks", "DescribeStackResource", "DescribeStackEvents"):
        world.aws.faults.inject(operation, DENIED, times=10**6)

    answer = world.invoke(event)

    assert answer["Status"] == "SUCCESS"
    assert world.aws.count("ImportKeyMaterial") == 1
