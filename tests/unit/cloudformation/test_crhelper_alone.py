"""crhelper by itself still has the traps that crhelper_adapter.py closes.

If one of these tests fails after an upgrade, crhelper has repaired the trap: perhaps its override can go. Numbers as in
crhelper_adapter.py.
"""

import gc
import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import pytest
from crhelper import CfnResource, resource_helper

from lab.certificate import Certificate
from lab.cloudformation.events import KEY_ARN, REQUEST_ID, Remaining, event
from lab.cloudformation.response_bucket import ResponseBucket, connect_proxy, reset, status
from tests.support.traps import Traps

# crhelper does not close its connections.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]

traps = Traps()


class Alone(CfnResource):
    """crhelper; the test keeps its answers."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.answers: list[dict[str, Any]] = []
        self.urls: list[str] = []

    def _send(self, status: str | None = None, reason: str = "") -> None:
        def keep(url: str, body: dict[str, Any], _ssl_verify: object) -> None:
            self.urls.append(url)
            self.answers.append(dict(body))

        crhelper: Any = super()
        crhelper._send(status, reason, send_response=keep)


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No boto3 clients; restores the log levels, which crhelper changes."""
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")
    names = ("", "boto", "boto3", "botocore", "urllib3", "crhelper")
    levels = {name: logging.getLogger(name).level for name in names}
    logging.getLogger("crhelper").setLevel(logging.NOTSET)  # a responder may have been made before in this process
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


class Trusting(NamedTuple):
    """A bucket, and the settings that make crhelper trust it."""

    bucket: ResponseBucket
    settings: dict[str, Any]


@pytest.fixture
def trusting(bucket: ResponseBucket, certificate: Certificate) -> Iterator[Trusting]:
    yield Trusting(bucket, {"ssl_verify": str(certificate.ca_bundle), "sleep_on_delete": 0})
    gc.collect()  # here, where the warning about crhelper's open connections is expected


def slow(_event: object, _context: object) -> str:
    time.sleep(0.2)
    return KEY_ARN


class Enough(BaseException):
    """Ends a loop that has no end."""


@traps(1)
def test_the_timer_answers_an_update_with_an_empty_id() -> None:
    alone = Alone()
    alone.update(slow)
    alone(event("Update"), Remaining(0.52))

    assert alone.answers[0]["Reason"] == "Execution timed out"
    assert alone.answers[0]["PhysicalResourceId"] == ""


@traps(2)
def test_a_handler_that_returns_nothing_succeeds_under_a_random_id() -> None:
    alone = Alone()

    def handler(_event: object, _context: object) -> None:
        alone.PhysicalResourceId = KEY_ARN

    alone.create(handler)
    alone(event("Create"), Remaining())

    assert alone.answers[0]["Status"] == "SUCCESS"
    assert alone.answers[0]["PhysicalResourceId"].startswith("orders_Material_")


@traps(3)
def test_a_handler_that_outlives_the_timer_answers_twice() -> None:
    alone = Alone()
    alone.create(slow)
    alone(event("Create"), Remaining(0.52))

    assert [answer["Status"] for answer in alone.answers] == ["FAILED", "SUCCESS"]


@traps(4)
def test_in_the_last_half_second_the_timer_fires_at_once() -> None:
    alone = Alone()
    alone.create(slow)
    alone(event("Create"), Remaining(0.2))

    assert alone.answers[0]["Reason"] == "Execution timed out"


@traps(5)
def test_a_put_that_fails_is_repeated_without_end(trusting: Trusting, monkeypatch: pytest.MonkeyPatch) -> None:
    server, settings = trusting
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if slept.count(5) == 3:  # the third round of five tries is over
            raise Enough

    server.will(*[reset] * 100)
    monkeypatch.setattr(time, "sleep", sleep)
    helper = CfnResource(**settings)
    helper.create(lambda _event, _context: KEY_ARN)

    with pytest.raises(Enough):
        helper(event("Create", origin=server.url("")), Remaining())

    assert len(server.received) == 15


@traps(6)
def test_an_expired_address_counts_as_delivered(trusting: Trusting) -> None:
    server, settings = trusting
    server.will(status(403))
    helper = CfnResource(**settings)
    helper.create(lambda _event, _context: KEY_ARN)

    helper(event("Create", origin=server.url("")), Remaining())  # as if all were well

    assert len(server.received) == 1


@traps(7)
def test_a_proxy_is_passed_by(trusting: Trusting, monkeypatch: pytest.MonkeyPatch) -> None:
    server, settings = trusting
    helper = CfnResource(**settings)
    helper.create(lambda _event, _context: KEY_ARN)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with connect_proxy() as (address, tunnels):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        helper(event("Create", origin=server.url("")), Remaining())

    assert len(server.received) == 1
    assert tunnels == []


@traps(8)
def test_a_delete_sleeps_for_two_minutes() -> None:
    slept: list[float] = []
    alone: Any = Alone()
    alone._context = Remaining(900)
    alone._wait_for_cwlogs(sleep=slept.append)

    assert slept == [120]


@traps(9)
def test_no_echo_stays() -> None:
    alone = Alone()
    alone.create(lambda _event, _context: KEY_ARN)
    alone.NoEcho = True
    alone(event("Create"), Remaining())

    assert alone.answers[0]["NoEcho"] is True


@traps(10)
def test_attributes_go_out_with_a_failure() -> None:
    alone = Alone()

    def handler(_event: object, _context: object) -> str:
        alone.Data = {"KeyArn": KEY_ARN}
        raise ValueError

    alone.create(handler)
    alone(event("Create"), Remaining())

    assert alone.answers[0]["Status"] == "FAILED"
    assert alone.answers[0]["Data"] == {"KeyArn": KEY_ARN}


@traps(11)
def test_an_attribute_that_json_can_not_hold_loses_every_id(trusting: Trusting) -> None:
    server, settings = trusting
    helper = CfnResource(**settings)

    def handler(_event: object, _context: object) -> str:
        helper.Data = {"KeyArn": b"\x00"}
        return KEY_ARN

    helper.create(handler)
    helper(event("Create", origin=server.url("")), Remaining())

    assert sorted(json.loads(server.received[0].body)) == ["Data", "Reason", "Status"]


@traps(12)
def test_an_answer_that_is_too_long_goes_out(trusting: Trusting) -> None:
    server, settings = trusting
    helper = CfnResource(**settings)

    def handler(_event: object, _context: object) -> str:
        helper.Data = {"KeyArn": "x" * 5000}
        return KEY_ARN

    helper.create(handler)
    helper(event("Create", origin=server.url("")), Remaining())

    assert len(server.received[0].body) > 5000


@traps(13)
def test_a_failed_create_gets_a_random_id() -> None:
    alone = Alone()

    def handler(_event: object, _context: object) -> str:
        raise ValueError

    alone.create(handler)
    alone(event("Create"), Remaining())
    alone(event("Create"), Remaining())

    assert alone.answers[0]["PhysicalResourceId"] != alone.answers[1]["PhysicalResourceId"]


@traps(14)
def test_a_failed_start_answers_every_request_with_an_empty_id() -> None:
    alone = Alone(sleep_on_delete=0)
    alone.delete(lambda _event, _context: KEY_ARN)
    alone.init_failure(OSError("schema.json is missing"))
    alone(event("Delete"), Remaining())
    alone(event("Delete"), Remaining())

    assert [(answer["Status"], answer["PhysicalResourceId"]) for answer in alone.answers] == [("FAILED", "")] * 2


@traps(15)
def test_a_malformed_event_answers_the_request_before_it() -> None:
    alone = Alone()
    alone.create(lambda _event, _context: KEY_ARN)
    alone(event("Create"), Remaining())
    alone(event("Create", RequestId="the-next", StackId=None), Remaining())

    assert alone.answers[1]["Status"] == "FAILED"
    assert alone.answers[1]["RequestId"] == REQUEST_ID
    assert alone.urls[1] == alone.urls[0]


@traps(16)
def test_a_reason_is_the_end_of_an_exceptions_text() -> None:
    alone = Alone()

    def handler(_event: object, _context: object) -> str:
        raise ValueError("KeyId: there is no such key. " + "x" * 300 + " SecretString=hunter2")

    alone.create(handler)
    alone(event("Create"), Remaining())

    assert alone.answers[0]["Reason"].startswith("ERROR: (truncated) xxx")
    assert alone.answers[0]["Reason"].endswith("SecretString=hunter2")


@traps(17)
def test_the_default_level_logs_address_and_properties(trusting: Trusting, caplog: pytest.LogCaptureFixture) -> None:
    server, settings = trusting
    helper = CfnResource(**settings)
    helper.create(lambda _event, _context: KEY_ARN)
    helper(event("Create", origin=server.url(""), ResourceProperties={"KeyId": "planted-value"}), Remaining())

    assert "X-Amz-Signature" in caplog.text
    assert "planted-value" in caplog.text


@traps(18)
def test_the_root_loggers_level_is_changed() -> None:
    alone = Alone()
    alone.create(lambda _event, _context: KEY_ARN)
    logging.getLogger().setLevel(logging.ERROR)
    alone(event("Create"), Remaining())

    assert logging.getLogger().level == logging.DEBUG


@traps(19)
def test_what_is_no_exception_passes_through_without_an_answer() -> None:
    alone = Alone()

    def handler(_event: object, _context: object) -> str:
        raise Enough

    alone.create(handler)
    with pytest.raises(Enough):
        alone(event("Create"), Remaining())

    assert alone.answers == []


@traps(20)
def test_replacing_the_function_that_sends_has_no_effect(trusting: Trusting, monkeypatch: pytest.MonkeyPatch) -> None:
    server, settings = trusting
    helper = CfnResource(**settings)
    helper.create(lambda _event, _context: KEY_ARN)
    monkeypatch.setattr(resource_helper, "_send_response", lambda *_: None)
    helper(event("Create", origin=server.url("")), Remaining())

    assert len(server.received) == 1


@traps(21)
def test_an_unknown_request_type_is_answered_with_an_errors_text_and_an_empty_id() -> None:
    alone = Alone()
    alone(event("Update", RequestType="Read"), Remaining())

    assert alone.answers[0]["Reason"] == "'Alone' object has no attribute '_read_func'"
    assert alone.answers[0]["PhysicalResourceId"] == ""


@traps(22)
def test_ids_of_any_length_and_type_go_out() -> None:
    alone = Alone()
    ids = iter(["x" * 2000, 17])
    alone.create(lambda _event, _context: cast("str", next(ids)))
    alone(event("Create"), Remaining())
    alone(event("Create"), Remaining())

    assert [answer["PhysicalResourceId"] for answer in alone.answers] == ["x" * 2000, "17"]


@traps(23)
def test_a_repeated_create_gets_another_id() -> None:
    alone = Alone()
    alone.create(lambda _event, _context: None)
    alone(event("Create"), Remaining())
    alone(event("Create"), Remaining())

    assert alone.answers[0]["PhysicalResourceId"] != alone.answers[1]["PhysicalResourceId"]


@traps(24)
def test_a_second_request_at_the_same_time_takes_the_firsts_answer_over() -> None:
    alone = Alone(sleep_on_delete=0)
    alone.delete(lambda _event, _context: KEY_ARN)

    def handler(_event: object, _context: object) -> str:
        second = threading.Thread(target=alone, args=(event("Delete", RequestId="another"), Remaining()))
        second.start()
        second.join()
        return KEY_ARN

    alone.create(handler)
    alone(event("Create"), Remaining())

    assert [answer["RequestId"] for answer in alone.answers] == ["another", "another"]


def test_each_trap_is_shown() -> None:
    assert sorted(traps.names) == list(range(1, 25))
