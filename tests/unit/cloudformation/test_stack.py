"""Rule 9, against a scripted CloudFormation: which requests are wanted, which are not, and when that is believed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from imported_key_material.aws.calls import Caller
from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.stack import Stack
from imported_key_material.cloudformation.stack_resources import Holder, Holders
from imported_key_material.errors import Leave, NotWanted, OutOfTime, ServiceRefused
from imported_key_material.key_id import KeyId
from lab.clock import VirtualClock
from lab.cloudformation.events import BUCKET, KEY_ARN, request
from lab.cloudformation.stack_reads import CloudFormation
from lab.wire.faults import Faults
from lab.wire.in_process import InProcessAws
from lab.wire.transport import Fault, Refusal

KEY = KeyId.of_arn(KEY_ARN)
KEY_ID = KEY.uuid
OTHER_ARN = KEY_ARN.replace("1234abcd", "9876fedc")
TYPE = "Custom::ImportedKeyMaterial"
REGION, ACCOUNT = "eu-central-1", "111122223333"

IN_PROGRESS = [
    "CREATE_IN_PROGRESS",
    "DELETE_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
]
AT_REST = [
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "DELETE_COMPLETE",
    "DELETE_FAILED",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "IMPORT_ROLLBACK_FAILED",
    "REVIEW_IN_PROGRESS",  # a change set that nobody has executed
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
]
STATUS_OF_STACK = {"Create": "CREATE_IN_PROGRESS", "Update": "UPDATE_IN_PROGRESS", "Delete": "UPDATE_IN_PROGRESS"}
OWN_STATUS = {"Create": "CREATE_IN_PROGRESS", "Update": "UPDATE_IN_PROGRESS", "Delete": "DELETE_IN_PROGRESS"}


AWS = InProcessAws(VirtualClock())
CLIENT = AWS.client("cloudformation", region=REGION, account=ACCOUNT)  # one for all tests: making one takes 50 ms


class Log:
    def info(self, msg, *, extra):
        pass

    def warning(self, msg, *, extra):
        assert msg == "CloudFormation does not wait for this request", (msg, extra)


class Scene:
    """A stack made at 12:00:00; its present operation, and the resource's status, set at 12:01:00; a request made then."""

    def __init__(self, request_type="Create", *, page_resources=100):
        self.request_type = request_type
        self.clock = VirtualClock(seed=7)
        self.cloudformation = CloudFormation(self.clock, page_resources=page_resources)
        self.aws = AWS
        self.aws.clock, self.aws.faults = self.clock, Faults()
        self.aws.calls.clear()
        self.aws.plug(self.cloudformation)
        self.stack = self.cloudformation.stack(
            "orders", status=STATUS_OF_STACK[request_type], region=REGION, account=ACCOUNT
        )
        self.clock.advance(60)
        self.made_at = self.clock.now()
        if request_type != "Create":
            self.stack.updated_at = self.made_at
        self.resource = self.stack.set(
            "Material",
            OWN_STATUS[request_type],
            self.made_at,
            type=TYPE,
            physical_id=None if request_type == "Create" else KEY_ARN,
        )

    def asking(self, *, seconds=900.0, dated=True, **changes):
        """The function's questions about this scene's request, with so many seconds to its deadline."""
        date = f"?X-Amz-Date={self.made_at:%Y%m%dT%H%M%SZ}" if dated else ""
        made = request(self.request_type, StackId=self.stack.id, ResponseURL=f"https://{BUCKET}/x{date}", **changes)
        deadline = Deadline(self.clock, self.clock.now() + timedelta(seconds=seconds))
        return Stack(made, CLIENT, Caller(self.clock, deadline, Log()))

    def wanted(self, **how):
        """Passes if the request is wanted; returns the seconds until the function knew."""
        start = self.clock.now()
        with self.aws:
            self.asking(**how).require_wanted()
        return (self.clock.now() - start).total_seconds()

    def refusal(self, **how):
        """The reason why the request is not wanted, and the seconds until the function believed it."""
        start = self.clock.now()
        with self.aws, pytest.raises(NotWanted) as refused:
            self.asking(**how).require_wanted()
        return str(refused.value), (self.clock.now() - start).total_seconds()

    def left(self, **how):
        """Passes if the function ends without an answer; returns the seconds until then."""
        start = self.clock.now()
        with self.aws, pytest.raises(Leave):
            self.asking(**how).require_wanted()
        return (self.clock.now() - start).total_seconds()


def not_wanted(request_type, why):
    return f"CloudFormation does not wait for this {request_type} request: {why}"


EACH = pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])


# ------------------------------------------------------------------------------------------------------------- wanted


@EACH
def test_a_request_that_the_stack_is_at_work_on_is_wanted_at_once(request_type):
    scene = Scene(request_type)
    scene.clock.advance(2)

    assert scene.wanted() == 0
    assert scene.aws.operations() == ["DescribeStacks", "DescribeStackResource"]


@EACH
def test_a_request_without_a_time_is_wanted_by_only_the_statuses(request_type):
    scene = Scene(request_type)
    scene.clock.advance(5000)
    scene.stack.updated_at = scene.clock.now()

    assert scene.wanted(dated=False) == 0


@EACH
@pytest.mark.parametrize("status", IN_PROGRESS)
def test_every_stack_that_is_at_work_may_want_it(request_type, status):
    scene = Scene(request_type)
    scene.stack.status = status

    assert scene.wanted() == 0


def test_the_rollback_of_an_update_is_an_update_of_its_own():
    scene = Scene("Update")
    scene.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"

    assert scene.wanted() == 0


def test_the_delete_of_a_failed_create_is_wanted():
    scene = Scene("Delete")
    scene.stack.status = "ROLLBACK_IN_PROGRESS"
    scene.stack.deleted_at = scene.made_at  # as CloudFormation shows the begin of a rollback

    assert scene.wanted() == 0


CLEAN_UPS = pytest.mark.parametrize(
    "clean_up", ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"]
)


@CLEAN_UPS
def test_a_clean_up_s_delete_of_what_shows_that_it_is_being_deleted_is_wanted_without_its_events(clean_up):
    scene = Scene("Delete")
    scene.stack.status = clean_up

    assert scene.wanted() == 0
    assert scene.aws.operations() == ["DescribeStacks", "DescribeStackResource"]


@CLEAN_UPS
@pytest.mark.parametrize(
    "change",
    [
        {"status": "UPDATE_COMPLETE", "physical_id": OTHER_ARN},
        {"status": "UPDATE_COMPLETE", "physical_id": KEY_ID},
        {"status": "CREATE_COMPLETE"},
        {"status": "UPDATE_IN_PROGRESS"},
        {"status": "CREATE_FAILED"},
        {"status": "DELETE_FAILED"},
        {"status": "DELETE_IN_PROGRESS", "physical_id": OTHER_ARN},
        {"status": "DELETE_COMPLETE", "physical_id": OTHER_ARN},
        {"status": "DELETE_IN_PROGRESS", "physical_id": None},
        None,
    ],
    ids=str,
)
def test_a_clean_up_s_delete_that_only_an_event_shows_is_wanted(clean_up, change):
    scene = Scene("Delete")
    scene.stack.status = clean_up
    scene.stack.events.clear()
    if change is None:
        scene.stack.resources.clear()
    for name, value in (change or {}).items():
        setattr(scene.resource, name, value)
    not_told = "no event of the stack shows that Material is being deleted under this PhysicalResourceId."

    assert scene.refusal() == (not_wanted("Delete", not_told), 60.0)

    scene.made_at = scene.clock.now()
    scene.stack.set_old("Material", "DELETE_IN_PROGRESS", scene.made_at, KEY_ARN)
    assert scene.wanted() == 0


@CLEAN_UPS
def test_in_a_clean_up_no_delete_acts_while_its_logical_id_is_being_created(clean_up):
    scene = Scene("Delete")
    scene.stack.status = clean_up
    scene.resource.status, scene.resource.physical_id = "CREATE_IN_PROGRESS", None

    assert scene.refusal() == (not_wanted("Delete", "Material is being created."), 60.0)


def in_a_clean_up(*told, page_resources=100):
    """A clean-up's Delete of an old id, and the id's events: (status, seconds after the request), oldest first."""
    scene = Scene("Delete", page_resources=page_resources)
    scene.stack.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    scene.resource.status, scene.resource.physical_id = "UPDATE_COMPLETE", OTHER_ARN
    scene.stack.events.clear()
    scene.stack.created_at = scene.stack.updated_at = scene.made_at - timedelta(seconds=600)
    for status, seconds in told:
        scene.stack.set_old("Material", status, scene.made_at + timedelta(seconds=seconds), KEY_ARN)
    return scene


BEGUN, DONE, FAILED = "DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_FAILED"


@pytest.mark.parametrize(
    "told",
    [
        [(BEGUN, 0)],
        [(BEGUN, -60)],
        [(BEGUN, 30)],  # an event of a second try, or a late one of this try
        [(BEGUN, -50), (FAILED, -20), (BEGUN, 0)],
        [(BEGUN, 0), (FAILED, 20), (BEGUN, 25)],
        [(BEGUN, -50), (DONE, -20), (BEGUN, 0)],
    ],
)
def test_a_clean_up_s_delete_is_wanted_where_its_id_s_newest_event_is_that_it_is_being_deleted(told):
    assert in_a_clean_up(*told).wanted() == 0


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([(BEGUN, 0), (FAILED, 20)], "Material is DELETE_FAILED under this PhysicalResourceId."),
        ([(BEGUN, 0), ("DELETE_SKIPPED", 1)], "Material is DELETE_SKIPPED under this PhysicalResourceId."),
        ([("UPDATE_COMPLETE", -20)], "Material is UPDATE_COMPLETE under this PhysicalResourceId."),
        ([(BEGUN, -30), (DONE, -10)], "Material is DELETE_COMPLETE, and CloudFormation shows no Delete since then."),
        (
            [(BEGUN, 0), (DONE, 1)],
            "Material is DELETE_COMPLETE, and CloudFormation shows no Delete since then.",
        ),  # without fractions of a second
        (
            [(BEGUN, -60.001)],
            "no event of the stack shows that Material is being deleted under this PhysicalResourceId.",
        ),
        ([], "no event of the stack shows that Material is being deleted under this PhysicalResourceId."),
    ],
)
def test_a_clean_up_s_delete_is_not_wanted_where_its_id_s_newest_event_is_anything_else(told, why):
    assert in_a_clean_up(*told).refusal() == (not_wanted("Delete", why), 60.0)


def test_a_clean_up_s_delete_leaves_at_once_where_its_id_was_deleted_since_the_request_was_made():
    assert in_a_clean_up((BEGUN, 0), (DONE, 1.001)).left() == 0


@pytest.mark.parametrize(
    ("told", "wanted"), [([(BEGUN, -600)], True), ([(BEGUN, -600.001)], False), ([(BEGUN, 0), (DONE, 20)], False)]
)
def test_without_the_request_s_time_the_events_of_the_stack_s_present_operation_count(told, wanted):
    scene = in_a_clean_up(*told)
    if wanted:
        assert scene.wanted(dated=False) == 0
    else:
        assert scene.refusal(dated=False)[1] == 60


def test_the_events_of_other_logical_and_physical_ids_do_not_count():
    scene = in_a_clean_up((BEGUN, 0), (DONE, -1))
    scene.stack.set_old("Other", BEGUN, scene.made_at, KEY_ARN)
    scene.stack.set_old("Material", BEGUN, scene.made_at, OTHER_ARN)
    scene.stack.tell("Material", BEGUN, scene.made_at, TYPE, None)

    assert "DELETE_COMPLETE" in scene.refusal()[0]


def test_no_more_events_are_read_than_those_since_the_request_was_made():
    scene = in_a_clean_up(page_resources=1)
    for seconds in (-700, -650, -100, -61, -59, -30, 0, 1):
        scene.stack.set_old("Other", BEGUN, scene.made_at + timedelta(seconds=seconds), KEY_ARN)
    with scene.aws, pytest.raises(NotWanted):
        scene.asking(seconds=-1).require_wanted()

    assert scene.aws.count("DescribeStackEvents") == 5  # the last of them is too old


@pytest.mark.parametrize("stack_status", ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "UPDATE_IN_PROGRESS"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "CREATE_IN_PROGRESS"}, "Material is being created."),
        ({"status": "CREATE_COMPLETE"}, "Material is CREATE_COMPLETE."),
        ({"status": "UPDATE_COMPLETE"}, "Material is UPDATE_COMPLETE."),
        ({"status": "UPDATE_IN_PROGRESS"}, "Material is UPDATE_IN_PROGRESS."),
        ({"status": "DELETE_FAILED"}, "Material is DELETE_FAILED."),
        ({"physical_id": OTHER_ARN}, "Material has another PhysicalResourceId."),
        ({"physical_id": KEY_ID}, "Material has another PhysicalResourceId."),
        (None, "Material is not in the stack."),
    ],
    ids=str,
)
def test_outside_of_a_clean_up_a_delete_is_of_the_resource_that_is_being_deleted(stack_status, change, why):
    scene = Scene("Delete")
    scene.stack.status = stack_status
    if change is None:
        scene.stack.resources.clear()
    for name, value in (change or {}).items():
        setattr(scene.resource, name, value)

    assert scene.refusal() == (not_wanted("Delete", why), 60)


def test_a_delete_whose_resource_shows_no_id_is_of_that_resource():
    scene = Scene("Delete")
    scene.resource.physical_id = None

    assert scene.wanted() == 0


def test_a_delete_whose_resource_is_deleted_since_it_was_made_has_its_answer():
    """The material in its key may be another stack's by now."""
    scene = Scene("Delete")
    scene.stack.set("Material", "DELETE_COMPLETE", scene.made_at + timedelta(seconds=1.001))

    assert scene.left() == 0


@pytest.mark.parametrize(("seconds", "dated"), [(-30, True), (0, True), (1, True), (-30, False), (30, False)])
def test_a_delete_whose_resource_was_not_surely_deleted_since_it_was_made_takes_nothing(seconds, dated):
    """The event may be an earlier Delete's end; and the request's time has whole seconds, or is missing."""
    scene = Scene("Delete")
    scene.resource.status, scene.resource.status_since = "DELETE_COMPLETE", scene.made_at + timedelta(seconds=seconds)
    why = "Material is DELETE_COMPLETE, and CloudFormation shows no Delete since then."

    assert scene.refusal(dated=dated) == (not_wanted("Delete", why), 60.0)


@pytest.mark.parametrize("timeout", [None, "600"])
def test_a_request_as_old_as_its_service_timeout_is_wanted_to_the_second(timeout):
    scene = Scene()
    scene.clock.advance(int(timeout or 3600))

    assert scene.wanted(ResourceProperties={"KeyId": KEY_ARN, "ServiceTimeout": timeout}) == 0


@EACH
def test_an_operation_that_began_in_the_second_to_which_the_request_s_time_is_cut_is_its_own(request_type):
    scene = Scene(request_type)
    scene.stack.updated_at = scene.made_at + timedelta(seconds=1)

    assert scene.wanted() == 0


def test_a_status_that_was_set_up_to_ten_seconds_after_the_request_was_made_is_its_own():
    scene = Scene("Update")
    scene.resource.status_since = scene.made_at + timedelta(seconds=10)

    assert scene.wanted() == 0


# --------------------------------------------------------------------------------------------------------- not wanted


@EACH
@pytest.mark.parametrize("status", AT_REST)
def test_a_stack_that_is_not_at_work_wants_nothing_and_that_is_believed_after_a_minute(request_type, status):
    scene = Scene(request_type)
    scene.stack.status = status

    assert scene.refusal() == (not_wanted(request_type, f"the stack is {status}."), 60.0)
    assert scene.aws.count("DescribeStacks") > 8


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 3600), ("600", 600), ("120", 120)])
@EACH
def test_a_request_older_than_its_service_timeout_is_not_wanted(request_type, timeout, seconds):
    scene = Scene(request_type)
    scene.clock.advance(seconds + 1)

    assert scene.refusal(ResourceProperties={"KeyId": KEY_ARN, "ServiceTimeout": timeout}) == (
        not_wanted(request_type, f"it is {seconds + 61} seconds old, and ServiceTimeout is {seconds}."),
        60.0,
    )


@EACH
@pytest.mark.parametrize("name", ["created_at", "updated_at", "deleted_at"])
def test_a_request_made_before_the_stack_s_present_operation_is_not_wanted(request_type, name):
    scene = Scene(request_type)
    setattr(scene.stack, name, scene.made_at + timedelta(seconds=1.001))

    assert scene.refusal() == (
        not_wanted(request_type, "it was made before the stack's present operation began."),
        60.0,
    )


def test_of_a_stack_s_times_the_newest_counts():
    scene = Scene("Delete")
    scene.stack.created_at = scene.made_at - timedelta(days=400)
    scene.stack.updated_at = scene.made_at - timedelta(days=2)
    scene.stack.deleted_at = scene.made_at + timedelta(seconds=5)

    assert scene.refusal()[0] == not_wanted("Delete", "it was made before the stack's present operation began.")


@pytest.mark.parametrize(
    ("request_type", "status"),
    [
        ("Create", "UPDATE_IN_PROGRESS"),
        ("Create", "DELETE_IN_PROGRESS"),
        ("Create", "CREATE_FAILED"),
        ("Create", "DELETE_COMPLETE"),
        ("Update", "CREATE_IN_PROGRESS"),
        ("Update", "DELETE_IN_PROGRESS"),
        ("Update", "UPDATE_FAILED"),
        ("Update", "DELETE_FAILED"),
    ],
)
def test_a_resource_that_is_not_in_the_request_s_own_operation_is_not_wanted(request_type, status):
    scene = Scene(request_type)
    scene.resource.status = status

    assert scene.refusal() == (not_wanted(request_type, f"Material is {status}."), 60.0)


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_resource_that_the_stack_does_not_know_is_not_wanted(request_type):
    scene = Scene(request_type)
    scene.stack.resources.clear()

    assert scene.refusal() == (not_wanted(request_type, "Material is not in the stack."), 60.0)


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_status_set_later_belongs_to_a_later_operation(request_type):
    scene = Scene(request_type)
    scene.resource.status_since = scene.made_at + timedelta(seconds=10.001)

    assert scene.refusal() == (not_wanted(request_type, "a later operation is at work on Material."), 60.0)


def test_no_delete_acts_while_its_logical_id_is_being_created():
    scene = Scene("Delete")
    scene.stack.status = "CREATE_IN_PROGRESS"
    scene.resource.status = "CREATE_IN_PROGRESS"

    assert scene.refusal() == (not_wanted("Delete", "Material is being created."), 60.0)


# ----------------------------------------------------------------------------------------------- statuses that lag


def show_stack(scene):
    scene.stack.status = STATUS_OF_STACK[scene.request_type]


def show_resource(scene):
    scene.resource.status = OWN_STATUS[scene.request_type]


def hide_the_stack_s_status(scene):
    scene.stack.status = "UPDATE_COMPLETE"


def hide_the_resource_s_status(scene):
    scene.resource.status, scene.resource.status_since = "UPDATE_COMPLETE", scene.made_at - timedelta(days=3)


LAGS = pytest.mark.parametrize(
    ("hide", "show", "why"),
    [
        (hide_the_stack_s_status, show_stack, "the stack is UPDATE_COMPLETE."),
        (hide_the_resource_s_status, show_resource, "Material is UPDATE_COMPLETE."),
    ],
)


@LAGS
@pytest.mark.parametrize("seconds", [1, 30, 59.9])
def test_a_status_that_lags_for_less_than_a_minute_is_waited_for(hide, show, why, seconds):
    scene = Scene("Update")
    hide(scene)
    scene.clock.after(seconds, lambda: show(scene))

    assert seconds <= scene.wanted() <= 60, why


@LAGS
def test_a_status_that_lags_longer_is_a_refusal_and_never_a_stack_that_hangs(hide, show, why):
    scene = Scene("Update")
    hide(scene)
    scene.clock.after(60.1, lambda: show(scene))

    assert scene.refusal() == (not_wanted("Update", why), 60.0)


def test_the_last_reason_is_the_one_that_is_reported():
    scene = Scene("Update")
    hide_the_stack_s_status(scene)
    scene.clock.after(20, lambda: show_stack(scene))
    scene.clock.after(20, scene.stack.resources.clear)

    assert scene.refusal()[0] == not_wanted("Update", "Material is not in the stack.")


# ----------------------------------------------------------------------------------------------- it has its answer


@pytest.mark.parametrize("physical_id", [KEY_ARN, KEY_ID])
@pytest.mark.parametrize("declared", [KEY_ARN, KEY_ID])
@pytest.mark.parametrize(
    ("request_type", "status"),
    [("Create", "CREATE_COMPLETE"), ("Update", "UPDATE_COMPLETE"), ("Create", "UPDATE_COMPLETE")],
)
def test_a_duplicate_of_an_answered_request_leaves_at_once(request_type, status, declared, physical_id):
    scene = Scene(request_type)
    scene.clock.advance(3)
    scene.stack.set("Material", status, scene.clock.now(), physical_id=physical_id)

    assert scene.left(ResourceProperties={"KeyId": declared}) == 0


@pytest.mark.parametrize(("seconds", "leaves_after"), [(0, 60), (0.5, 60), (1, 60), (1.001, 0), (300, 0)])
def test_a_status_of_the_second_to_which_the_request_s_time_is_cut_is_believed_after_a_minute_only(
    seconds, leaves_after
):
    """CloudFormation may still show the status from before the request. A status that was set later is a new one."""
    scene = Scene("Update")
    scene.stack.set("Material", "UPDATE_COMPLETE", scene.made_at + timedelta(seconds=seconds))

    assert scene.left() == leaves_after


@pytest.mark.parametrize("lag_seconds", [0.5, 20, 59])
@pytest.mark.parametrize("set_before_seconds", [-1, 0, 1, 5, 600])
def test_a_status_from_before_that_is_still_shown_never_passes_for_an_answer(lag_seconds, set_before_seconds):
    """CloudFormation waits for this request: without an answer the stack would hang for an hour."""
    scene = Scene("Update")
    scene.resource.status = "UPDATE_COMPLETE"
    scene.resource.status_since = scene.made_at - timedelta(seconds=set_before_seconds)
    scene.clock.after(
        lag_seconds, lambda: scene.stack.set("Material", "UPDATE_IN_PROGRESS", scene.made_at - timedelta(seconds=0.2))
    )

    assert lag_seconds <= scene.wanted() <= 60


def test_without_the_request_s_time_a_duplicate_leaves_after_a_minute():
    scene = Scene()
    scene.clock.advance(3)
    scene.stack.set("Material", "CREATE_COMPLETE", scene.clock.now(), physical_id=KEY_ARN)

    assert scene.left(dated=False) == 60


@pytest.mark.parametrize(("dated", "seconds"), [(True, 0), (False, 60)])
def test_a_duplicate_leaves_also_when_its_stack_is_complete(dated, seconds):
    scene = Scene()
    scene.clock.advance(3)
    scene.stack.set("Material", "CREATE_COMPLETE", scene.clock.now(), physical_id=KEY_ARN)
    scene.stack.status = "CREATE_COMPLETE"

    assert scene.left(dated=dated) == seconds


def test_a_duplicate_leaves_also_when_the_stack_has_gone_on_to_other_things():
    scene = Scene()
    scene.clock.advance(3)
    scene.stack.set("Material", "CREATE_COMPLETE", scene.clock.now(), physical_id=KEY_ARN)
    scene.clock.advance(600)
    scene.stack.status, scene.stack.updated_at = "UPDATE_IN_PROGRESS", scene.clock.now()

    assert scene.left() == 0


def test_a_duplicate_leaves_also_when_it_is_older_than_its_service_timeout():
    scene = Scene()
    scene.clock.advance(3)
    scene.stack.set("Material", "CREATE_COMPLETE", scene.clock.now(), physical_id=KEY_ARN)
    scene.clock.advance(4000)

    assert scene.left() == 0


def test_a_duplicate_leaves_when_the_answer_comes():
    scene = Scene()
    scene.resource.status = "CREATE_FAILED"
    scene.clock.after(
        30, lambda: scene.stack.set("Material", "CREATE_COMPLETE", scene.clock.now(), physical_id=KEY_ARN)
    )

    assert 30 <= scene.left() < 45


@pytest.mark.parametrize(("seconds", "waits"), [(3, False), (10.001, True), (40, True)])
@pytest.mark.parametrize("ends", ["CREATE_COMPLETE", "CREATE_FAILED"])
def test_while_an_answer_is_taken_over_the_resource_is_made_under_the_answered_id(ends, seconds, waits):
    """Recorded (2020, 2025): a second CREATE_IN_PROGRESS, 3 to 40 s after the first, 0.15 to 0.7 s before its end."""
    scene = Scene()
    scene.clock.advance(seconds)
    scene.stack.set("Material", "CREATE_IN_PROGRESS", scene.clock.now(), physical_id=KEY_ARN)
    scene.clock.after(0.7, lambda: scene.stack.set("Material", ends, scene.clock.now()))

    if not waits:
        assert scene.wanted() == 0
    elif ends == "CREATE_COMPLETE":
        assert 0.7 <= scene.left() < 5
    else:
        assert scene.refusal() == (not_wanted("Create", "Material is CREATE_FAILED."), 60)


@pytest.mark.parametrize(
    ("status", "physical_id"),
    [
        ("CREATE_COMPLETE", OTHER_ARN),
        ("CREATE_COMPLETE", None),
        ("CREATE_COMPLETE", "not-imported:Material:5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716"),
        ("CREATE_FAILED", KEY_ARN),
        ("UPDATE_FAILED", KEY_ARN),
        ("DELETE_FAILED", KEY_ARN),
    ],
)
def test_a_resource_that_does_not_stand_complete_under_this_key_is_no_answer(status, physical_id):
    scene = Scene()
    scene.clock.advance(3)
    scene.stack.set("Material", status, scene.clock.now(), physical_id=physical_id)

    assert scene.refusal() == (not_wanted("Create", f"Material is {status}."), 60.0)


def test_a_resource_that_stood_complete_before_the_request_was_made_is_no_answer():
    """The status may lag, and without an answer the stack would hang for an hour."""
    scene = Scene("Update")
    scene.resource.status, scene.resource.status_since = "UPDATE_COMPLETE", scene.made_at - timedelta(seconds=1)

    assert scene.refusal() == (not_wanted("Update", "Material is UPDATE_COMPLETE."), 60.0)


@pytest.mark.parametrize("key_id", [None, "", 17, ["x"]])
def test_without_a_key_in_its_properties_nothing_is_an_answer(key_id):
    scene = Scene()
    scene.stack.set("Material", "CREATE_COMPLETE", scene.clock.now(), physical_id=None)

    assert scene.refusal(ResourceProperties={"KeyId": key_id})[0] == not_wanted(
        "Create", "Material is CREATE_COMPLETE."
    )


def test_a_delete_never_leaves_without_an_answer():
    scene = Scene("Delete")
    scene.stack.status = "UPDATE_COMPLETE"
    scene.stack.set("Material", "UPDATE_COMPLETE", scene.clock.now(), physical_id=KEY_ARN)

    assert scene.refusal()[0] == not_wanted("Delete", "the stack is UPDATE_COMPLETE.")


# --------------------------------------------------------------------------------------------- what can't be read


def test_a_deadline_that_comes_sooner_is_when_it_is_believed():
    scene = Scene()
    scene.stack.status = "ROLLBACK_COMPLETE"

    assert scene.refusal(seconds=10) == (not_wanted("Create", "the stack is ROLLBACK_COMPLETE."), 10.0)


def test_after_the_deadline_it_is_asked_once_all_the_same():
    scene = Scene()
    assert scene.wanted(seconds=-5) == 0

    scene.clock.advance(3601)
    assert scene.refusal(seconds=-5) == (
        not_wanted("Create", "it is 3601 seconds old, and ServiceTimeout is 3600."),
        0.0,
    )

    scene.stack.set("Material", "CREATE_COMPLETE", scene.clock.now(), physical_id=KEY_ARN)
    assert scene.left(seconds=-5) == 0


@pytest.mark.parametrize("operation", ["DescribeStacks", "DescribeStackResource"])
@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.INTERNAL_ERROR, Fault.CONNECTION_CLOSED])
def test_what_can_not_be_read_for_a_while_is_read_again(operation, fault):
    scene = Scene()
    scene.aws.faults.inject(operation, fault, times=8)

    assert scene.wanted() > 0
    assert scene.aws.count(operation) == 9


DENIED = Refusal(403, "AccessDenied", "User is not authorized to perform: cloudformation:DescribeStacks")


def test_a_right_that_was_given_a_moment_ago_is_waited_for():
    scene = Scene()
    scene.aws.faults.inject("DescribeStacks", DENIED, times=4)

    assert 0 < scene.wanted() < 60


def test_a_right_that_is_missing_is_reported_after_a_minute_and_nothing_is_done():
    scene = Scene()
    scene.aws.faults.inject("DescribeStacks", DENIED, times=1000)
    start = scene.clock.now()

    with scene.aws, pytest.raises(ServiceRefused) as refused:
        scene.asking().require_wanted()

    assert str(refused.value) == (
        "StackId: cloudformation:DescribeStacks was refused with AccessDenied: User is not authorized to perform: "
        "cloudformation:DescribeStacks. The function's role does not allow it. Deploy the application again; its role is part "
        "of it."
    )
    assert (scene.clock.now() - start).total_seconds() == 60


def test_a_resource_that_may_not_be_read_is_not_taken_for_one_that_there_is_not():
    scene = Scene("Delete")
    scene.aws.faults.inject("DescribeStackResource", DENIED, times=1000)

    with (
        scene.aws,
        pytest.raises(
            ServiceRefused, match=r"^StackId: cloudformation:DescribeStackResource was refused with AccessDenied: "
        ),
    ):
        scene.asking().require_wanted()


def test_a_stack_that_there_is_not_is_reported_after_a_minute():
    scene = Scene()
    nowhere = scene.stack.id.replace("stack/orders", "stack/nowhere")
    asking = replace(scene.asking(), request=request("Create", StackId=nowhere))
    start = scene.clock.now()

    with scene.aws, pytest.raises(ServiceRefused) as refused:
        asking.require_wanted()

    assert str(refused.value) == (
        f"StackId: cloudformation:DescribeStacks was refused with ValidationError: Stack with id {nowhere} does not exist. "
        "CloudFormation does not know the stack or the resource. Run the deployment again."
    )
    assert (scene.clock.now() - start).total_seconds() == 60


def test_a_throttle_lasts_to_the_deadline_and_not_to_the_minute():
    scene = Scene()
    scene.aws.faults.inject("DescribeStacks", Fault.THROTTLED, times=10_000)

    with (
        scene.aws,
        pytest.raises(OutOfTime, match=r"^StackId: cloudformation:DescribeStacks was throttled \(Throttling\) for 3"),
    ):
        scene.asking(seconds=300).require_wanted()


# -------------------------------------------------------------------------------------------------------- rolling back


@pytest.mark.parametrize("status", [*IN_PROGRESS, *AT_REST])
def test_a_stack_rolls_an_update_back_in_two_statuses(status):
    scene = Scene("Update")
    scene.stack.status = status

    with scene.aws:
        assert scene.asking().rolling_back() is (
            status in {"UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"}
        )


def rolls_back(scene, **how):
    """Whether the function believes that the stack rolls back, and the seconds until then."""
    start = scene.clock.now()
    with scene.aws:
        believed = scene.asking(**how).rolling_back()
    return believed, (scene.clock.now() - start).total_seconds()


def test_the_status_of_the_rollback_before_is_not_believed_for_an_update_that_comes_after_it():
    """The resource still shows the rollback's own update, five seconds old, so the stack's status is as old."""
    scene = Scene("Update")
    scene.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    scene.resource.status_since = scene.made_at - timedelta(seconds=5)

    def shown():
        scene.stack.status = "UPDATE_IN_PROGRESS"
        scene.stack.set("Material", "UPDATE_IN_PROGRESS", scene.made_at)

    scene.clock.after(3, shown)
    believed, seconds = rolls_back(scene)

    assert believed is False
    assert 3 <= seconds < 20


def test_the_status_of_the_way_forward_is_not_believed_for_the_rollback_that_follows_it():
    scene = Scene("Update")
    scene.resource.status_since = scene.made_at - timedelta(seconds=5)

    def shown():
        scene.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        scene.stack.set("Material", "UPDATE_IN_PROGRESS", scene.made_at)

    scene.clock.after(3, shown)
    believed, seconds = rolls_back(scene)

    assert believed is True
    assert 3 <= seconds < 20


@pytest.mark.parametrize(("seconds", "at_once"), [(-2.1, False), (-2, True), (0, True), (10, True), (10.1, False)])
def test_the_status_of_this_very_request_was_set_about_when_it_was_made(seconds, at_once):
    scene = Scene("Update")
    scene.resource.status_since = scene.made_at + timedelta(seconds=seconds)

    believed, waited = rolls_back(scene)

    assert believed is False
    assert (waited == 0) is at_once


def test_where_the_resource_shows_no_status_of_the_request_the_stack_s_is_believed_after_a_while():
    """A duplicate that comes after the stack operation; or a resource that the function can't read."""
    scene = Scene("Update")
    scene.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    scene.stack.set("Material", "UPDATE_COMPLETE", scene.made_at)

    assert rolls_back(scene) == (True, 20)


# ------------------------------------------------------------------------------------------- what was made in an operation


@pytest.mark.parametrize(("seconds", "made_in_it"), [(-0.001, False), (0, True), (30, True), (-86400, False)])
@pytest.mark.parametrize("name", ["updated_at", "deleted_at"])
def test_what_was_made_since_the_newest_of_the_stack_s_times_was_made_in_its_present_operation(
    name, seconds, made_in_it
):
    scene = Scene("Update")
    setattr(scene.stack, name, scene.made_at)
    scene.stack.set("Key", "CREATE_COMPLETE", scene.made_at, type="AWS::KMS::Key", physical_id=KEY_ID)

    with scene.aws:
        assert Holders(scene.asking()).makes(KEY, scene.made_at + timedelta(seconds=seconds)) is made_in_it


def test_a_key_without_a_creation_date_was_not_made_in_it():
    scene = Scene("Update")
    scene.stack.set("Key", "CREATE_COMPLETE", scene.made_at, type="AWS::KMS::Key", physical_id=KEY_ID)

    assert Holders(scene.asking()).makes(KEY, None) is False


@pytest.mark.parametrize(
    ("type_", "physical_id", "its_own"),
    [
        ("AWS::KMS::Key", KEY_ID, True),
        ("AWS::KMS::ReplicaKey", KEY_ID, True),
        ("AWS::KMS::Key", KeyId.of_arn(OTHER_ARN).uuid, False),
        ("AWS::KMS::Key", None, False),
        ("AWS::KMS::Alias", KEY_ID, False),
        (TYPE, KEY_ID, False),
        (TYPE, KEY_ARN, False),
    ],
)
def test_a_key_is_the_stack_s_own_where_a_key_resource_of_the_stack_has_its_id(type_, physical_id, its_own):
    """Somebody else may make and fill a key meanwhile. The bare id of an adopted key belongs to a custom resource."""
    scene = Scene("Update", page_resources=1)
    for number in range(3):
        scene.stack.set(f"Other{number}", "CREATE_COMPLETE", scene.made_at, type="AWS::SNS::Topic", physical_id=KEY_ID)
    scene.stack.set("Key", "CREATE_COMPLETE", scene.made_at, type=type_, physical_id=physical_id)

    with scene.aws:
        assert Holders(scene.asking()).makes(KEY, scene.made_at) is its_own


# --------------------------------------------------------------------------------------------------------- who holds it


def holder(scene, key_arn=KEY_ARN):
    with scene.aws:
        return Holders(scene.asking()).holder_of(KeyId.of_arn(key_arn))


def empty_scene(**how):
    scene = Scene("Delete", **how)
    scene.stack.resources.clear()
    return scene


def test_a_key_that_no_custom_resource_of_the_stack_has_is_held_by_none():
    scene = empty_scene()
    now = scene.clock.now()
    scene.stack.set("Key", "CREATE_COMPLETE", now, type="AWS::KMS::Key", physical_id=KEY_ID)
    scene.stack.set("Alias", "CREATE_COMPLETE", now, type="AWS::KMS::Alias", physical_id=KEY_ARN)
    scene.stack.set(
        "Lookalike", "CREATE_COMPLETE", now, type="AWS::CloudFormation::CustomResourceX", physical_id=KEY_ARN
    )
    scene.stack.set("Other", "CREATE_COMPLETE", now, type=TYPE, physical_id=OTHER_ARN)
    scene.stack.set("New", "CREATE_IN_PROGRESS", now, type=TYPE)
    scene.stack.set("Failed", "CREATE_FAILED", now, type=TYPE, physical_id=f"not-imported:Failed:{KEY_ID}")

    assert holder(scene) is None


@pytest.mark.parametrize("type_", [TYPE, "Custom::RenamedType", "AWS::CloudFormation::CustomResource"])
@pytest.mark.parametrize("form", [KEY_ARN, KEY_ID])
def test_a_custom_resource_of_any_type_holds_a_key_in_either_form(type_, form):
    scene = empty_scene()
    scene.stack.set("Renamed", "CREATE_COMPLETE", scene.clock.now(), type=type_, physical_id=form)

    assert holder(scene) == Holder("Renamed", form)


@pytest.mark.parametrize(
    "status",
    [
        "CREATE_IN_PROGRESS",
        "CREATE_FAILED",
        "CREATE_COMPLETE",
        "UPDATE_IN_PROGRESS",
        "UPDATE_FAILED",
        "UPDATE_COMPLETE",
        "DELETE_FAILED",
        "DELETE_SKIPPED",  # retained
        "IMPORT_COMPLETE",
        "ROLLBACK_COMPLETE",
    ],
)
def test_it_holds_the_key_in_every_status_but_that_of_going(status):
    scene = empty_scene()
    scene.stack.set("Renamed", status, scene.clock.now(), type=TYPE, physical_id=KEY_ARN)

    assert holder(scene) == Holder("Renamed", KEY_ARN)


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"])
def test_what_is_going_holds_nothing(status):
    scene = empty_scene()
    scene.stack.set("Material", status, scene.clock.now(), type=TYPE, physical_id=KEY_ARN)

    assert holder(scene) is None


def at_rest(scene, **how):
    with scene.aws:
        return Holders(scene.asking(**how)).holder_and_rest(KEY) == (None, True)


@pytest.mark.parametrize(
    ("status", "physical_id", "seconds", "counts"),
    [
        ("DELETE_IN_PROGRESS", KEY_ARN, 0, True),
        ("DELETE_IN_PROGRESS", KEY_ARN, -2, True),
        ("DELETE_IN_PROGRESS", KEY_ARN, 5, True),
        ("DELETE_COMPLETE", KEY_ARN, 5, True),
        ("DELETE_IN_PROGRESS", KEY_ARN, -2.001, False),  # of an earlier try
        ("DELETE_IN_PROGRESS", OTHER_ARN, 0, False),
        ("UPDATE_COMPLETE", OTHER_ARN, 0, False),  # an old id's Delete is in no list
    ],
)
def test_a_list_without_a_holder_counts_once_it_shows_this_very_delete(status, physical_id, seconds, counts):
    scene = Scene("Delete")
    scene.resource.status, scene.resource.physical_id = status, physical_id
    scene.resource.status_since = scene.made_at + timedelta(seconds=seconds)

    assert at_rest(scene) is counts


@pytest.mark.parametrize(("seconds", "counts"), [(0, False), (19.9, False), (20, True), (3000, True)])
def test_a_list_without_a_holder_counts_twenty_seconds_after_the_request_whatever_it_shows(seconds, counts):
    """By then the list shows what existed before the request, even if it misses new resources."""
    scene = empty_scene()
    scene.clock.advance(seconds)

    assert at_rest(scene) is counts


def test_of_a_request_without_a_time_no_list_is_known_to_be_new():
    scene = Scene("Delete")
    scene.clock.advance(3000)

    assert at_rest(scene, dated=False) is False


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"])
def test_a_stack_in_which_a_resource_is_made_or_updated_is_not_at_rest(status):
    scene = Scene("Delete")
    scene.clock.advance(3000)
    scene.stack.set("Other", status, scene.clock.now(), type=TYPE)

    assert at_rest(scene) is False


@pytest.mark.parametrize("page_resources", [1, 2, 3, 100])
def test_a_holder_in_the_arn_form_comes_first_on_whichever_page_it_stands(page_resources):
    scene = empty_scene(page_resources=page_resources)
    now = scene.clock.now()
    for number in range(7):
        scene.stack.set(f"Queue{number}", "CREATE_COMPLETE", now, type="AWS::SQS::Queue", physical_id=KEY_ARN)
    scene.stack.set("Adopted", "CREATE_COMPLETE", now, type=TYPE, physical_id=KEY_ID)
    scene.stack.set("Going", "DELETE_IN_PROGRESS", now, type=TYPE, physical_id=KEY_ARN)
    scene.stack.set("First", "CREATE_COMPLETE", now, type=TYPE, physical_id=KEY_ARN)
    scene.stack.set("Second", "CREATE_COMPLETE", now, type=TYPE, physical_id=KEY_ARN)

    assert holder(scene) == Holder("First", KEY_ARN)
    assert scene.aws.count("ListStackResources") == -(-11 // page_resources)


@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_page_that_can_not_be_read_is_an_error_and_not_the_end_of_the_list(skip):
    scene = empty_scene(page_resources=1)
    for name in ("A", "B", "C"):
        scene.stack.set(name, "CREATE_COMPLETE", scene.clock.now(), type=TYPE, physical_id=OTHER_ARN)
    scene.aws.faults.inject("ListStackResources", DENIED, skip=skip, times=1000)

    with pytest.raises(
        ServiceRefused, match=r"^StackId: cloudformation:ListStackResources was refused with AccessDenied: "
    ):
        holder(scene)


def test_a_page_that_fails_once_is_read_again():
    scene = empty_scene(page_resources=1)
    scene.stack.set("Other", "CREATE_COMPLETE", scene.clock.now(), type=TYPE, physical_id=OTHER_ARN)
    scene.stack.set("Renamed", "CREATE_COMPLETE", scene.clock.now(), type=TYPE, physical_id=KEY_ARN)
    scene.aws.faults.inject("ListStackResources", Fault.INTERNAL_ERROR, skip=1, times=5)

    assert holder(scene) == Holder("Renamed", KEY_ARN)
