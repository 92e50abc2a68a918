"""A Create that CloudFormation gives up before the function begins, while it works, or right after it ends (rule 9).

A person deletes the stack, or another resource fails. Then nobody waits for the answer any more, and a Delete follows, under an
id that CloudFormation made up. The keys are older than the stacks.
"""

import pytest

from lab.keys.random_keys import random_keys
from lab.kms.materials import encrypts_with
from lab.wire.faults import Moment
from lab.wire.transport import Fault

FIRST, SECOND = random_keys(32, 2)
CREATE = ("Create", "Material")
NOT_WANTED = "CloudFormation does not wait for this Create request: "
ROLLED_BACK = "it was made before the stack's present operation began."  # the begin of a rollback is a DeletionTime


@pytest.fixture
def key(timeline):
    return timeline.external_key()


@pytest.fixture
def stack(timeline):
    return timeline.stack()


@pytest.fixture
def template(timeline, key):
    return {"Material": timeline.declared(key, timeline.secret(FIRST))}


def invocation(timeline, kind):
    (only,) = timeline.of(kind)
    return only


def made_up(stack, timeline):
    """The physical id of the Delete: CloudFormation made it up."""
    physical_id = invocation(timeline, "Delete").event["PhysicalResourceId"]
    assert physical_id.startswith("orders-Material-")
    return physical_id


# ------------------------------------------------------------------------------------------------------ a stack's Create


def test_a_stack_cancelled_while_the_create_is_queued(timeline, stack, template, key):
    timeline.delivers(*CREATE, 300.0)
    timeline.at(10, lambda: stack.create(template))
    timeline.at(60, stack.cancel)

    timeline.run()

    assert stack.status == "ROLLBACK_COMPLETE"
    create, delete = invocation(timeline, "Create"), invocation(timeline, "Delete")
    assert create.started_at > delete.started_at
    assert create.answer["Reason"] == f"{NOT_WANTED}{ROLLED_BACK} Nothing was imported."
    assert create.answer["PhysicalResourceId"] == f"not-imported:Material:{create.event['RequestId']}"
    assert set(create.operations) == {"DescribeStacks", "DescribeStackResource"}
    assert delete.answer["Status"] == "SUCCESS"
    assert delete.answer["PhysicalResourceId"] == made_up(stack, timeline)
    assert delete.operations == []
    assert timeline.state(key) == "PendingImport"


def test_a_stack_cancelled_while_the_create_is_running(timeline, stack, template, key):
    """The Create waits for KMS's quota. After that it asks CloudFormation once more, right before the import."""
    timeline.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=20)
    timeline.at(10, lambda: stack.create(template))
    timeline.at(30, stack.cancel)

    timeline.run()

    assert stack.status == "ROLLBACK_COMPLETE"
    create = invocation(timeline, "Create")
    assert create.operations.count("GetParametersForImport") == 21
    assert "ImportKeyMaterial" not in create.operations
    assert create.answer["Reason"] == f"{NOT_WANTED}{ROLLED_BACK} Nothing was imported."
    assert create.answer["PhysicalResourceId"] == f"not-imported:Material:{create.event['RequestId']}"
    assert invocation(timeline, "Delete").operations == []
    assert timeline.state(key) == "PendingImport"


def test_a_stack_cancelled_while_the_create_is_done_but_unanswered(timeline, stack, template, key):
    """The answer is in flight when nobody waits for it any more. No resource has the made-up id, so the material stays.

    The log says what is in the key; the next stack that declares the same material adopts it.
    """
    timeline.answers_late(*CREATE, 60.0)
    timeline.at(10, lambda: stack.create(template))
    timeline.at(40, stack.cancel)
    second = timeline.stack("payments")
    timeline.at(3600, lambda: second.create(template))

    timeline.run()

    first, again = timeline.of("Create")
    assert stack.status == "ROLLBACK_COMPLETE"
    assert (first.answer["Status"], first.answer["PhysicalResourceId"]) == ("SUCCESS", key)
    assert f'imported {{"key_arn": "{key}"' in timeline.log.getvalue()
    made_up(stack, timeline)
    assert "DeleteImportedKeyMaterial" not in timeline.aws.operations()
    assert second.status == "CREATE_COMPLETE"
    assert again.answer["PhysicalResourceId"] == key.rsplit("/", 1)[1]
    assert encrypts_with(timeline, key, FIRST)


# ------------------------------------------------------------------------------------------- Delete and a late Create


def test_a_delete_before_a_late_create(timeline, stack, template, key):
    """The stack is still rolling back when the Create comes: another resource's Delete takes its time."""
    other = timeline.external_key("HMAC_256", "GENERATE_VERIFY_MAC")
    template["Other"] = timeline.declared(other, timeline.secret(SECOND, "orders/mac"))
    timeline.delivers(*CREATE, 120.0)
    timeline.delivers("Delete", "Other", 600.0)
    timeline.at(10, lambda: stack.create(template))
    timeline.at(60, stack.cancel)

    timeline.run()

    create = invocation(timeline, "Create")
    assert create.answer["Reason"] == f"{NOT_WANTED}{ROLLED_BACK} Nothing was imported."
    assert (timeline.state(key), timeline.state(other)) == ("PendingImport", "PendingImport")
    assert stack.status == "ROLLBACK_COMPLETE"


def test_a_delete_during_a_late_create(timeline, stack, template, key):
    """Between the last look and the import nothing can stop the import. The material stays, and the log says so."""
    timeline.delivers(*CREATE, 120.0)
    timeline.pauses(*CREATE, "ImportKeyMaterial", Moment.BEFORE, 30.0)
    timeline.at(10, lambda: stack.create(template))
    timeline.at(140, stack.cancel)

    timeline.run()

    create, delete = invocation(timeline, "Create"), invocation(timeline, "Delete")
    assert create.started_at < delete.started_at
    assert stack.status == "ROLLBACK_COMPLETE"
    assert (delete.answer["Status"], delete.operations) == ("SUCCESS", [])
    assert (create.answer["Status"], create.answer["PhysicalResourceId"]) == ("SUCCESS", key)
    assert create.operations.count("ImportKeyMaterial") == 1
    assert timeline.state(key) == "Enabled"


def test_a_delete_during_a_late_create_that_has_not_looked_for_the_last_time(timeline, stack, template, key):
    timeline.delivers(*CREATE, 120.0)
    timeline.pauses(*CREATE, "GetParametersForImport", Moment.AFTER, 30.0)
    timeline.at(10, lambda: stack.create(template))
    timeline.at(140, stack.cancel)

    timeline.run()

    create = invocation(timeline, "Create")
    assert "ImportKeyMaterial" not in create.operations
    assert create.answer["Reason"] == f"{NOT_WANTED}{ROLLED_BACK} Nothing was imported."
    assert timeline.state(key) == "PendingImport"


def test_a_delete_after_a_late_create(timeline, stack, template, key):
    """The Create was late, but CloudFormation took its answer. So its Delete removes what it imported."""
    timeline.delivers(*CREATE, 600.0)
    timeline.at(10, lambda: stack.create(template))
    timeline.at(1200, stack.delete)

    timeline.run()

    create, delete = invocation(timeline, "Create"), invocation(timeline, "Delete")
    assert create.answer["Status"] == "SUCCESS"
    assert delete.event["PhysicalResourceId"] == key
    assert stack.status == "DELETE_COMPLETE"
    assert timeline.state(key) == "PendingImport"


def test_a_create_that_is_later_than_its_service_timeout(timeline, stack, template, key):
    """CloudFormation has given up waiting, and the stack stays as it is for a person to look at."""
    template["Material"] |= {"ServiceTimeout": "120"}
    timeline.delivers(*CREATE, 130.0)
    timeline.at(10, lambda: stack.create(template, keep_failed=True))

    timeline.run()

    create = invocation(timeline, "Create")
    assert stack.status == "CREATE_FAILED"
    assert create.answer["Reason"].startswith(f"{NOT_WANTED}it is ")
    assert create.answer["Reason"].endswith(" seconds old, and ServiceTimeout is 120. Nothing was imported.")
    assert timeline.state(key) == "PendingImport"
