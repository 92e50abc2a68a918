"""The acts about AWS's speed and about a rollback's ids: "as assumed", and "otherwise" where AWS behaves otherwise."""

import base64
import io
from datetime import timedelta
from types import SimpleNamespace

import pytest

from lab.clock import START
from lab.live.acts import pace
from lab.live.acts.cloudformation import rollback_ids
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


class RolledBack:
    """The stack of the act. Its update is rolled back: so many Updates, and these Deletes."""

    status, deleted = "UPDATE_ROLLBACK_COMPLETE", ()

    def __init__(self, _stage, _suffix):
        self.create = self.update = lambda _resources: None

    def end(self):
        return SimpleNamespace(status=self.status)

    def received(self):
        ids = [*(("Update", one) for one in ("before", "after")), *(("Delete", one) for one in self.deleted)]
        return [Received({"event": {"RequestType": type_, "PhysicalResourceId": id_}}) for type_, id_ in ids]


@pytest.fixture
def rolled_back(monkeypatch):
    """Plays the act with such a stack."""

    def play(**shown):
        monkeypatch.setattr(rollback_ids, "Played", type("Shown", (RolledBack,), shown))
        stage = SimpleNamespace(probe=SimpleNamespace(resource=dict), made=SimpleNamespace(name=str))
        (found,) = rollback_ids.play(stage)
        return found

    return play


@pytest.mark.parametrize(
    ("deleted", "verdict"),
    [(["after"], Verdict.AS_ASSUMED), (["before"], Verdict.OTHERWISE), (["after", "before"], Verdict.OTHERWISE)],
)
def test_what_a_rollback_deletes_decides(rolled_back, deleted, verdict):
    assert rolled_back(deleted=deleted).verdict is verdict


def test_an_update_that_was_not_rolled_back_shows_nothing(rolled_back):
    assert rolled_back(status="UPDATE_COMPLETE").verdict is Verdict.NOT_SEEN
