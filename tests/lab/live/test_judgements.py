"""The judgements that no local AWS can show: fed with what AWS was recorded to do, and with what it could do otherwise."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from lab.live.acts.cloudformation import answers, shown
from lab.live.probe import Received
from lab.live.verdicts import Verdict
from lab.local.stacks import Stack

SENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STACK_ID = "arn:aws:cloudformation:eu-central-1:111122223333:stack/live-cancelled/5e2c7e20-e77d-11f0-8de9-0242ac120002"
REQUEST_ID = "5e2c7e20-0000-4000-8000-000000000001"


def received(type_="Create", *, seconds=0, physical_id=None, listed=(), stack=None):
    """A request for the resource Slow, sent so many seconds after the Create."""
    event = {"RequestType": type_, "StackId": STACK_ID, "LogicalResourceId": "Slow", "RequestId": REQUEST_ID}
    summaries = [{"LogicalResourceId": name, "ResourceStatus": status} for name, status in listed]
    return Received(
        {
            "event": event if physical_id is None else event | {"PhysicalResourceId": physical_id},
            "url": {"X-Amz-Date": f"{SENT + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}"},
            "resources": {"StackResourceSummaries": summaries},
            "stack": {"Stacks": [stack or {}]},
        }
    )


def event(status, *, seconds, reason=""):
    at = SENT + timedelta(seconds=seconds)
    return {"LogicalResourceId": "Slow", "ResourceStatus": status, "ResourceStatusReason": reason, "Timestamp": at}


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([event("CREATE_FAILED", seconds=9, reason="Resource creation cancelled")], Verdict.AS_ASSUMED),
        ([event("CREATE_FAILED", seconds=46, reason="Resource creation cancelled")], Verdict.OTHERWISE),
        ([event("CREATE_FAILED", seconds=9, reason="asked to")], Verdict.OTHERWISE),
        ([event("CREATE_COMPLETE", seconds=46)], Verdict.OTHERWISE),
    ],
    ids=["cancelled at once", "cancelled after its answer", "failed for another reason", "not cancelled"],
)
def test_a_create_that_is_not_cancelled_at_once_is_otherwise(events, verdict):
    assert answers.told_as_cancelled(events, received()).verdict is verdict


@pytest.mark.parametrize(
    ("delete", "verdict"),
    [
        (received("Delete", seconds=11, physical_id="live-cancelled-Slow-1ABCDEF23GHIJ"), Verdict.AS_ASSUMED),
        (received("Delete", seconds=46, physical_id="live-cancelled-Slow-1ABCDEF23GHIJ"), Verdict.OTHERWISE),
        (received("Delete", seconds=11, physical_id=f"probe-{REQUEST_ID}"), Verdict.OTHERWISE),
        (received("Delete", seconds=11, physical_id="something"), Verdict.OTHERWISE),
    ],
    ids=["under way, made up", "after its answer", "the answered id", "another id"],
)
def test_a_cancelled_create_s_delete_with_another_id_or_after_the_answer_is_otherwise(delete, verdict):
    assert answers.deleted_while_under_way(delete, received()).verdict is verdict


class Cancelling:
    """A CloudFormation that cancels Slow when Fails has failed, or waits for its answer."""

    cancels = True

    def __init__(self, _stage, _suffix):
        self.declared = {}

    def create(self, resources):
        self.declared = resources

    def end(self):
        assert self.declared["Slow"]["After"] > self.declared["Fails"]["After"]
        after, reason = (9, "Resource creation cancelled") if self.cancels else (46, "")
        status = "CREATE_FAILED" if self.cancels else "CREATE_COMPLETE"
        return Stack(
            "live-cancelled", STACK_ID, "ROLLBACK_COMPLETE", events=(event(status, seconds=after, reason=reason),)
        )

    def received(self):
        made_up, answered = "live-cancelled-Slow-1ABCDEF23GHIJ", f"probe-{REQUEST_ID}"
        if self.cancels:
            return [received(), received("Delete", seconds=11, physical_id=made_up)]
        return [received(), received("Delete", seconds=47, physical_id=answered)]


@pytest.mark.parametrize(("cancels", "verdict"), [(True, Verdict.AS_ASSUMED), (False, Verdict.OTHERWISE)])
def test_the_act_tells_a_create_that_is_not_cancelled(cancels, verdict, monkeypatch):
    monkeypatch.setattr(answers, "Played", Cancelling)
    monkeypatch.setattr(Cancelling, "cancels", cancels)
    stage = SimpleNamespace(probe=SimpleNamespace(resource=dict))

    findings = {one.assumption: one.verdict for one in answers.cancelled(stage)}

    assert findings == {"create-cancelled": verdict, "cancelled-delete": verdict}


def test_a_list_that_has_what_is_being_created_is_otherwise():
    out = shown.listed_while_created(received(listed=[("Kept", "CREATE_COMPLETE")]))
    in_ = shown.listed_while_created(received(listed=[("Kept", "CREATE_COMPLETE"), ("Slow", "CREATE_IN_PROGRESS")]))

    assert (out.verdict, in_.verdict) == (Verdict.AS_ASSUMED, Verdict.OTHERWISE)
    assert in_.seen == "it lists the resource as CREATE_IN_PROGRESS"


def test_last_operations_without_the_rollback_are_otherwise():
    back = received(stack={"LastOperations": [{"OperationType": "ROLLBACK", "OperationId": "1"}]})
    named = shown.last_operations("UPDATE_ROLLBACK_COMPLETE", ["UPDATE_STACK", "ROLLBACK"], back)
    unnamed = shown.last_operations("UPDATE_ROLLBACK_COMPLETE", ["UPDATE_STACK"], back)

    assert (named.verdict, unnamed.verdict) == (Verdict.AS_ASSUMED, Verdict.OTHERWISE)
    assert named.facts["during"] == ["ROLLBACK"]
    assert shown.last_operations("UPDATE_ROLLBACK_COMPLETE", None, back).verdict is Verdict.NOT_SEEN


def test_without_an_update_back_the_rollback_is_otherwise():
    assert shown.rolled_back_properties(received("Update"), None).verdict is Verdict.OTHERWISE
