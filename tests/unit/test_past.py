"""What a stack's events tell of a resource's past, where they are many, and where they tell nothing."""

from datetime import timedelta

import pytest

from imported_key_material.calling import Caller
from imported_key_material.errors import ServiceRefused
from imported_key_material.past import PAGES_MAX, Past
from imported_key_material.waiting import Deadline
from tests.support.clock import VirtualClock
from tests.support.cloudformation import CloudFormation
from tests.support.in_process import InProcessAws
from tests.support.transport import Refusal

TYPE = "Custom::ImportedKeyMaterial"
REGION, ACCOUNT = "eu-central-1", "111122223333"
ARN, ID = "arn:aws:kms:eu-central-1:111122223333:key/a", "a"
AWS = InProcessAws(VirtualClock())
CLIENT = AWS.client("cloudformation", region=REGION, account=ACCOUNT)  # one for all tests: making one takes 50 ms


class Log:
    def info(self, msg, *, extra):
        pass


class Scene:
    """A stack, and the past of its resource Material."""

    def __init__(self, *, page_resources=3):
        self.clock = VirtualClock(seed=7)
        cloudformation = CloudFormation(self.clock, page_resources=page_resources)
        AWS.clock = self.clock
        AWS.calls.clear()
        AWS.plug(cloudformation)
        self.stack = cloudformation.stack("orders", region=REGION, account=ACCOUNT)
        deadline = Deadline(self.clock, self.clock.now() + timedelta(seconds=900))
        self.past = Past(self.stack.id, "Material", CLIENT, Caller(self.clock, deadline, Log()))

    def happened(self, *statuses, logical_id="Material", physical_id=ARN):
        for status in statuses:
            self.clock.advance(1)
            self.stack.set(logical_id, status, self.clock.now(), type=TYPE, physical_id=physical_id)

    def others(self, count):
        for number in range(count):
            self.happened("UPDATE_IN_PROGRESS", logical_id=f"Other{number}")

    def failed(self):
        with AWS:
            return self.past.failed()

    def held_as(self, *forms):
        with AWS:
            return self.past.held_as(forms)


@pytest.mark.parametrize(
    ("statuses", "failed"),
    [
        (["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "UPDATE_IN_PROGRESS"], False),
        (["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_FAILED", "UPDATE_IN_PROGRESS"], True),
        (["UPDATE_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"], False),
        (["CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_FAILED", "UPDATE_IN_PROGRESS"], True),
        (["UPDATE_IN_PROGRESS"], True),
        ([], True),
    ],
    ids=[
        "completed",
        "failed",
        "completed since it failed",
        "not deleted",
        "nothing is known but this",
        "nothing is known",
    ],
)
def test_whether_the_operation_before_this_one_failed(statuses, failed):
    scene = Scene()
    scene.happened(*statuses)
    scene.others(10)

    assert scene.failed() is failed


def test_no_more_events_are_read_than_so_many_pages():
    scene = Scene(page_resources=1)
    scene.happened("UPDATE_COMPLETE")
    scene.others(PAGES_MAX)

    assert scene.failed() is True
    assert len(AWS.calls) == PAGES_MAX


def test_the_last_page_that_is_read_counts():
    scene = Scene(page_resources=1)
    scene.happened("UPDATE_COMPLETE")
    scene.others(PAGES_MAX - 1)

    assert scene.failed() is False


def test_the_form_of_id_that_the_resource_bore_last():
    scene = Scene()
    scene.happened("CREATE_COMPLETE", physical_id=ARN)
    scene.happened("DELETE_COMPLETE", physical_id=ARN)
    scene.happened("CREATE_COMPLETE", physical_id=ID)
    scene.happened("UPDATE_COMPLETE", physical_id="arn:aws:kms:eu-central-1:111122223333:key/b")

    assert scene.held_as(ARN, ID) == ID


@pytest.mark.parametrize("logical_id", ["Material", "Other"])
def test_what_is_not_among_the_events_is_not_known(logical_id):
    scene = Scene()
    scene.happened("CREATE_COMPLETE", logical_id=logical_id, physical_id="b" if logical_id == "Material" else ARN)

    assert scene.held_as(ARN, ID) is None


def test_events_that_can_t_be_read_are_no_answer():
    scene = Scene()
    AWS.faults.inject("DescribeStackEvents", Refusal(403, "AccessDenied", "not authorized"), times=10**6)
    try:
        with pytest.raises(ServiceRefused) as refused:
            scene.failed()
    finally:
        AWS.faults = type(AWS.faults)()

    assert str(refused.value).startswith(
        "StackId: cloudformation:DescribeStackEvents was refused with AccessDenied: not authorized."
    )
