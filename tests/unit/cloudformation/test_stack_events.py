"""What a stack's events show of a resource's past, also where they are many, or show nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from imported_key_material.aws.calls import Caller
from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.stack_events import PAGES_MAX, Past
from imported_key_material.errors import Refused, ServiceRefused
from lab.clock import START, VirtualClock
from lab.cloudformation.stack_reads import CloudFormation
from lab.wire.in_process import InProcessAws
from lab.wire.transport import Refusal

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

    def __init__(self, *, page_resources=3, name="orders"):
        self.clock = VirtualClock(seed=7)
        cloudformation = CloudFormation(self.clock, page_resources=page_resources)
        AWS.clock = self.clock
        AWS.calls.clear()
        AWS.plug(cloudformation)
        self.stack = cloudformation.stack(name, region=REGION, account=ACCOUNT)
        self.stack.events.clear()
        deadline = Deadline(self.clock, self.clock.now() + timedelta(seconds=900))
        self.past = Past(self.stack.id, "Material", CLIENT, Caller(self.clock, deadline, Log()))

    def told(self, *statuses):
        """Makes events of the resource's statuses, and of the stack's own, which begin with "stack "."""
        for status in statuses:
            if status.startswith("stack "):
                self.clock.advance(1)
                self.stack.enter(status.removeprefix("stack "), self.clock.now())
            else:
                self.happened(status)

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


MADE = ["stack CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "stack CREATE_COMPLETE"]
BEGUN = ["stack UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"]
FAILED = [*BEGUN, "UPDATE_FAILED", "stack UPDATE_FAILED"]  # --disable-rollback
DONE = [*BEGUN, "UPDATE_COMPLETE", "stack UPDATE_COMPLETE"]
NOT_CLEANED_UP = [
    *("stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_FAILED", "stack UPDATE_COMPLETE"),
]


@pytest.mark.parametrize(
    ("happened", "failed"),
    [
        pytest.param([*MADE, *BEGUN], False, id="made"),
        pytest.param([*MADE, *FAILED, *BEGUN], True, id="failed"),
        pytest.param([*MADE, *FAILED, *DONE, *BEGUN], False, id="completed since it failed"),
        pytest.param([*MADE, *DONE, *FAILED, *BEGUN], True, id="failed since it was completed"),
        pytest.param(
            [*MADE, *FAILED, "stack UPDATE_IN_PROGRESS", "stack UPDATE_FAILED", *BEGUN],
            True,
            id="failed, and not tried again by an update that another resource failed",
        ),
        pytest.param(
            [*MADE, *BEGUN, "UPDATE_COMPLETE", "stack UPDATE_FAILED", *BEGUN],
            False,
            id="completed in an update that another resource failed",
        ),
        pytest.param(
            [*MADE, "stack UPDATE_IN_PROGRESS", "stack UPDATE_FAILED", *BEGUN],
            False,
            id="not touched in an update that another resource failed",
        ),
        pytest.param(
            [*MADE, *FAILED[:-1], "stack UPDATE_ROLLBACK_IN_PROGRESS", "stack UPDATE_ROLLBACK_COMPLETE", *BEGUN],
            False,
            id="failed, and the stack was rolled back",
        ),
        pytest.param([*MADE, *DONE[:-1], *NOT_CLEANED_UP, *BEGUN], False, id="an old id was not deleted"),
        pytest.param(
            [*MADE, *DONE[:-1], *NOT_CLEANED_UP[:-1], "stack UPDATE_FAILED", *BEGUN],
            False,
            id="an old id was not deleted, whatever the stack's end",
        ),
        pytest.param(
            ["stack CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "stack CREATE_FAILED", *BEGUN],
            False,
            id="made by a creation that another resource failed",
        ),
        pytest.param(["UPDATE_FAILED", "stack UPDATE_FAILED", *BEGUN], True, id="what was before is forgotten"),
        pytest.param([*BEGUN], False, id="all that was before is forgotten"),
        pytest.param([], False, id="all is forgotten"),
        pytest.param(["stack CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"], True, id="it never was made"),
    ],
)
def test_whether_the_operation_before_this_one_failed(happened, failed):
    scene = Scene()
    scene.told(*happened)
    scene.others(10)

    assert scene.failed() is failed


def test_the_stack_s_own_end_counts_where_the_stack_is_named_like_the_resource():
    scene = Scene(name="Material")
    scene.told(*MADE, *FAILED, *BEGUN)
    assert scene.failed() is True

    scene.told("stack UPDATE_FAILED", *DONE, *BEGUN)
    assert scene.failed() is False


@pytest.mark.parametrize("left_out", ["LogicalResourceId", "ResourceStatus"])
def test_an_event_without_a_logical_id_or_a_status_is_passed_over(left_out):
    """Hooks have events, and StackEvent requires neither."""
    scene = Scene()
    scene.told(*MADE, *FAILED, *BEGUN)
    real, strange = CLIENT.describe_stack_events, {"EventId": "e", "StackId": "s", "StackName": "n", "Timestamp": START}
    named = {"LogicalResourceId": "Material", "ResourceStatus": "UPDATE_COMPLETE"}

    class Hooked:
        def describe_stack_events(self, **parameters):
            answer = real(**parameters)
            hook = strange | {name: value for name, value in named.items() if name != left_out}
            return answer | {"StackEvents": [hook, *answer["StackEvents"], hook]}

    past = replace(scene.past, cloudformation=Hooked())
    with AWS:
        assert past.failed() is True
        assert past.held_as({ARN}) == ARN
        assert past.newest(ARN, START).status == "UPDATE_IN_PROGRESS"


def test_it_is_read_back_to_the_stack_s_own_end_and_no_further():
    """It reads the present operation, and one page more: for 500 resources that are updated at once, at most 11 pages."""
    scene = Scene(page_resources=10)
    scene.told(*MADE)
    scene.others(300)
    scene.told("stack UPDATE_IN_PROGRESS", "stack UPDATE_COMPLETE", "stack UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
    scene.others(99)

    assert scene.failed() is False
    assert len(AWS.calls) == 11


def test_more_pages_than_are_read_are_no_answer():
    scene = Scene(page_resources=1)
    scene.told("UPDATE_COMPLETE")
    scene.others(PAGES_MAX)

    with pytest.raises(Refused) as refused:
        scene.failed()

    assert str(refused.value) == f"StackId: The stack has more events than the {PAGES_MAX} pages that are read."
    assert len(AWS.calls) == PAGES_MAX


@pytest.mark.parametrize("statuses", [["UPDATE_FAILED"], ["stack UPDATE_COMPLETE"]])
def test_the_last_page_that_is_read_counts(statuses):
    scene = Scene(page_resources=1)
    scene.told(*statuses)
    scene.others(PAGES_MAX - 1)

    assert scene.failed() is (statuses == ["UPDATE_FAILED"])


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


# ------------------------------------------------------------------------------------------------------ one physical id


def test_the_newest_event_of_one_logical_and_physical_id():
    scene = Scene(page_resources=2)
    scene.happened("DELETE_IN_PROGRESS", physical_id=ARN)
    scene.happened("DELETE_COMPLETE", physical_id=ID)
    scene.happened("DELETE_COMPLETE", logical_id="Other")
    scene.others(5)

    with AWS:
        newest = scene.past.newest(ARN, START)

    assert (newest.status, newest.physical_id, newest.at) == ("DELETE_IN_PROGRESS", ARN, START + timedelta(seconds=1))


@pytest.mark.parametrize(("seconds", "found"), [(0, True), (0.001, False)])
def test_what_is_older_than_was_asked_for_is_not_read(seconds, found):
    scene = Scene(page_resources=1)
    scene.happened("DELETE_IN_PROGRESS")
    at = scene.clock.now()
    scene.others(3)

    with AWS:
        assert (scene.past.newest(ARN, at + timedelta(seconds=seconds)) is not None) is found
    assert len(AWS.calls) == 4
