"""Rule 2: Delete does not touch a key that another resource of the stack holds, and says so in the log.

A renamed logical id (test_physical_ids.py), two resources on one key, a key that is held again. If the function can't
read the stack's resources, it removes nothing.
"""

import pytest

from lab.keys.random_keys import random_key
from lab.wire.transport import Fault, Refusal

KEY = random_key(32)


def created(world):
    key = world.external_key()
    assert world.create(key, SecretId=world.secret(KEY).name)["Status"] == "SUCCESS"
    return key


@pytest.mark.parametrize("form", [lambda arn: arn, lambda arn: arn.rsplit("/", 1)[1]], ids=["its ARN", "its id"])
@pytest.mark.parametrize(
    "type_", ["Custom::ImportedKeyMaterial", "Custom::Another", "AWS::CloudFormation::CustomResource"]
)
@pytest.mark.parametrize(
    "status", ["CREATE_IN_PROGRESS", "CREATE_FAILED", "UPDATE_COMPLETE", "UPDATE_FAILED", "DELETE_FAILED"]
)
def test_a_key_that_another_custom_resource_holds_keeps_its_material(world, form, type_, status):
    key = created(world)
    world.stack.set("Other", status, world.clock.now(), type=type_, physical_id=form(key))
    before = world.snapshot()

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    assert world.snapshot() == before


@pytest.mark.parametrize(
    ("type_", "status"),
    [
        ("Custom::ImportedKeyMaterial", "DELETE_IN_PROGRESS"),
        ("Custom::ImportedKeyMaterial", "DELETE_COMPLETE"),
        ("AWS::KMS::Key", "CREATE_COMPLETE"),
        ("AWS::KMS::Alias", "CREATE_COMPLETE"),
    ],
)
def test_what_is_being_deleted_or_is_no_custom_resource_holds_nothing(world, type_, status):
    """The key's own resource has the bare id, too."""
    key = created(world)
    world.stack.set("Other", status, world.clock.now(), type=type_, physical_id=key.rsplit("/", 1)[1])

    assert world.delete()["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


def test_a_holder_on_a_later_page_of_the_stack_s_resources_counts(world):
    key = created(world)
    for number in range(150):
        world.stack.set(
            f"Queue{number}", "CREATE_COMPLETE", world.clock.now(), type="AWS::SQS::Queue", physical_id=f"q{number}"
        )
    world.stack.set("Other", "CREATE_COMPLETE", world.clock.now(), type="Custom::ImportedKeyMaterial", physical_id=key)

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    asked = world.aws.count("ListStackResources")
    assert asked > 2  # the function believes after a minute that another resource holds the key
    assert asked % 2 == 0  # two pages each time
    assert world.state(key) == "Enabled"


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (
            Refusal(403, "AccessDenied", "not authorized"),
            "cloudformation:ListStackResources was refused with AccessDenied",
        ),
        (
            Refusal(400, "ValidationError", "Stack does not exist"),
            "cloudformation:ListStackResources was refused with ValidationError",
        ),
        (Fault.INTERNAL_ERROR, "cloudformation:ListStackResources was refused with InternalFailure"),
        (Fault.READ_TIMEOUT, "cloudformation:ListStackResources got no answer (ReadTimeoutError)"),
        (Fault.THROTTLED, "cloudformation:ListStackResources was throttled (Throttling)"),
    ],
    ids=lambda value: "" if isinstance(value, str) else getattr(value, "code", str(value)),
)
def test_where_the_stack_s_resources_can_t_be_read_nothing_is_removed(world, fault, found):
    key = created(world)
    world.aws.faults.inject("ListStackResources", fault, times=10**6)
    before, changes = world.snapshot(), world.changes()

    answer = world.delete()

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == key
    assert answer["Reason"].startswith(f"StackId: {found}")
    assert answer["Reason"].endswith(" Nothing was removed.")
    assert world.changes() == changes
    assert world.snapshot() == before


def test_the_resource_s_own_status_that_lags_is_read_again_for_a_minute(world):
    """CloudFormation has begun the Delete, and its list still shows the resource as it was."""
    key = created(world)
    event = world.delete_request()
    world.stack.set("Material", "CREATE_COMPLETE", world.clock.now())
    world.clock.after(30, lambda: world.stack.set("Material", "DELETE_IN_PROGRESS", world.clock.now()))

    answer = world.invoke(event)

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


@pytest.mark.parametrize("lists_unfinished", [True, False])
@pytest.mark.parametrize("lag_seconds", [3, 19])
def test_a_key_that_a_new_resource_has_just_taken_over_keeps_its_material(world, lists_unfinished, lag_seconds):
    """The old resource went to another key, and its old id is cleaned up. The list lags, and may miss a new resource.

    Recorded: 1.1 s after a clean-up has begun its first Delete comes. Documented: while
    CloudFormation creates a stack, the list has only complete resources.
    """
    key, other = created(world), world.external_key()
    assert world.update(other, SecretId="orders/master-key")["PhysicalResourceId"] == other
    world.stack.set("New", "CREATE_IN_PROGRESS", world.clock.now(), type="Custom::ImportedKeyMaterial")
    world.clock.after(
        lag_seconds, lambda: world.stack.set("New", "CREATE_COMPLETE", world.clock.now(), physical_id=key)
    )
    world.cloudformation.lists_unfinished = lists_unfinished

    answer = world.delete(physical_id=key, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"
    assert '"held_by": "New"' in world.log.getvalue()


def test_an_old_id_that_nobody_holds_is_emptied_twenty_seconds_after_the_request(world):
    """The list does not show the Delete."""
    key, other = created(world), world.external_key()
    world.update(other, SecretId="orders/master-key")
    before = world.clock.now()

    assert world.delete(physical_id=key, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"
    assert 20 <= (world.clock.now() - before).total_seconds() < 40
