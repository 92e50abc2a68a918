"""The acts about AWS's speed and about a rollback's ids: "as assumed", and "otherwise" where AWS behaves otherwise."""

import base64
import io
from datetime import timedelta
from types import SimpleNamespace

import pytest

from lab.clock import START
from lab.live.acts import pace, rollback_ids
from lab.live.probe import Received
from lab.live.verdicts import Verdict


def started(count, seconds):
    """Events of a stack, the oldest first."""
    return [
        {
            "LogicalResourceId": f"Handle{number}",
            "ResourceStatus": status,
            "Timestamp": START + timedelta(seconds=seconds * number / count + later),
        }
        for number in range(count)
        for status, later in (("CREATE_IN_PROGRESS", 0), ("CREATE_IN_PROGRESS", 9), ("CREATE_COMPLETE", 9))
    ]


@pytest.mark.parametrize(("seconds", "verdict"), [(3, Verdict.AS_ASSUMED), (0.5, Verdict.OTHERWISE)])
def test_the_pace_of_cloudformation_is_counted_by_the_first_events(seconds, verdict):
    made = SimpleNamespace(stack=lambda *_: SimpleNamespace(events=started(pace.RESOURCES, seconds)))

    (found,) = pace.starts(SimpleNamespace(made=made))

    assert found.verdict is verdict
    assert found.facts == {"most": 20 if seconds == 3 else 60}


REPORT = "REPORT RequestId: x Duration: {} ms Billed Duration: 1 ms Memory Size: 512 MB Max Memory Used: 99 MB"


@pytest.mark.parametrize(
    ("log", "verdicts"),
    [
        (REPORT.format(120.5) + " Init Duration: 900.1 ms", [Verdict.AS_ASSUMED, Verdict.AS_ASSUMED]),
        (REPORT.format(900) + " Init Duration: 4000 ms", [Verdict.OTHERWISE, Verdict.OTHERWISE]),
        ('{"metrics": {"durationMs": 120.5, "initDurationMs": 812.3}}', [Verdict.AS_ASSUMED, Verdict.AS_ASSUMED]),
        (REPORT.format(120), [Verdict.NOT_SEEN, Verdict.AS_ASSUMED]),
        ("", [Verdict.NOT_SEEN, Verdict.NOT_SEEN]),
    ],
)
def test_the_times_of_lambda_are_read_in_its_log(log, verdicts):
    client = SimpleNamespace(
        update_function_configuration=lambda **_: None,
        get_waiter=lambda _: SimpleNamespace(wait=lambda **_: None),
        invoke=lambda **_: {"LogResult": base64.b64encode(log.encode()).decode(), "Payload": io.BytesIO()},
    )
    stage = SimpleNamespace(
        client=lambda _: client,
        application=SimpleNamespace(function="f"),
        probe=SimpleNamespace(token="p"),
        made=SimpleNamespace(run="0badcafe"),
    )

    assert [one.verdict for one in pace.seconds(stage)] == verdicts


def stage_of_rollback(deleted, status="UPDATE_ROLLBACK_COMPLETE"):
    ids = {"Update": ["before", "after"], "Delete": deleted}
    stacks = SimpleNamespace(
        create=lambda *_: SimpleNamespace(stack_id="id"), update=lambda *_: SimpleNamespace(status=status)
    )
    probe = SimpleNamespace(
        resource=lambda **_: {},
        received=lambda _, kind: [Received({"event": {"PhysicalResourceId": one}}) for one in ids[kind]],
    )
    made = SimpleNamespace(stack_name=lambda one: one, name=lambda one: one, stacks=lambda **_: stacks)
    return SimpleNamespace(made=made, probe=probe)


@pytest.mark.parametrize(
    ("deleted", "verdict"),
    [(["after"], Verdict.AS_ASSUMED), (["before"], Verdict.OTHERWISE), (["after", "before"], Verdict.OTHERWISE)],
)
def test_what_a_rollback_deletes_decides(deleted, verdict):
    (found,) = rollback_ids.play(stage_of_rollback(deleted))

    assert found.verdict is verdict


def test_an_update_that_was_not_rolled_back_shows_nothing():
    (found,) = rollback_ids.play(stage_of_rollback([], "UPDATE_COMPLETE"))

    assert found.verdict is Verdict.NOT_SEEN
