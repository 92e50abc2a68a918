"""One answer to each request: crhelper's 24 traps, each closed.

crhelper_adapter.py lists the traps; test_crhelper_alone.py shows that crhelper still has them. Answers go to a `put` that
keeps them; tests about the network send them over TLS.
"""

import json
import logging
import re
import threading
import time
from contextlib import nullcontext
from typing import Any, cast

import pytest
from crhelper import utils as crhelper_utils

from imported_key_material.cloudformation import crhelper_adapter
from imported_key_material.cloudformation.delivery import DeliveryFailed
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.cloudformation.request import Request
from imported_key_material.errors import CannotHappen, Fault, Leave, Refused
from imported_key_material.invocation import Context
from lab.clock import VirtualClock
from lab.cloudformation.events import KEY_ARN, REQUEST_ID, Remaining, event
from lab.cloudformation.response_bucket import ResponseBucket, connect_proxy, reset, status
from tests.support.responding import KeptAnswers, done, in_turn, over_tls, raising, responder, returning, warnings_of
from tests.support.traps import Traps

NOT_IMPORTED = f"not-imported:Material:{REQUEST_ID}"

OWN_FAULT = "The function met a fault of its own: {}. Its log shows where, under this request's id."
MALFORMED = (
    "Nothing was done, and nobody was answered. The event is not a CloudFormation request: {} is missing or malformed."
)

traps = Traps()


@pytest.fixture
def kept() -> KeptAnswers:
    return KeptAnswers()


# -------------------------------------------------------------------------------------------------------- the traps


@traps(1)
def test_a_handler_that_fails_past_the_time_limit_is_answered_under_the_id_there_was(kept: KeptAnswers) -> None:
    threads_before = threading.active_count()
    threads_within = 0

    def slow(_request: Request, _context: Context) -> Answer:
        nonlocal threads_within
        threads_within = threading.active_count()
        time.sleep(0.1)
        raise Refused(Fault("KeyId", "there is no such key."))

    responder(kept, slow)(event("Update"), Remaining(0.52))

    assert kept.only["PhysicalResourceId"] == KEY_ARN
    assert kept.only["Reason"] == "KeyId: there is no such key."
    assert threads_within == threads_before


@traps(2)
@pytest.mark.parametrize(("request_type", "physical_id"), [("Create", NOT_IMPORTED), ("Update", KEY_ARN)])
def test_a_handler_that_returns_nothing_fails_under_the_id_there_was(
    kept: KeptAnswers, request_type: str, physical_id: str
) -> None:
    responder(kept, returning(None))(event(request_type), Remaining())

    assert kept.only["Status"] == "FAILED"
    assert kept.only["PhysicalResourceId"] == physical_id
    assert kept.only["Reason"] == OWN_FAULT.format("it ended without an answer")


@traps(3)
def test_a_handler_that_succeeds_past_the_time_limit_answers_once(kept: KeptAnswers) -> None:
    def slow(request: Request, context: Context) -> Answer:
        time.sleep(0.1)
        return done(request, context)

    responder(kept, slow)(event("Create"), Remaining(0.52))

    assert kept.only["Status"] == "SUCCESS"


@traps(4)
def test_a_handler_that_ends_in_the_last_half_second_is_still_answered(bucket: ResponseBucket) -> None:
    over_tls(bucket)(event("Create", origin=bucket.url("")), Remaining(0.2))

    (put,) = bucket.received
    assert json.loads(put.body)["Status"] == "SUCCESS"


@traps(5)
def test_a_bucket_that_resets_every_connection_ends_in_an_error_within_a_minute(bucket: ResponseBucket) -> None:
    clock = VirtualClock()
    start = clock.now()
    bucket.will(*[reset] * 200)

    with pytest.raises(DeliveryFailed, match=r"^The answer to CloudFormation was not delivered: 127\.0\.0\.1 gave "):
        over_tls(bucket, clock=clock)(event("Create", origin=bucket.url("")), Remaining(900))

    assert (clock.now() - start).total_seconds() == 60
    assert len(bucket.received) < 60


@traps(6)
def test_an_address_that_has_expired_ends_in_an_error(bucket: ResponseBucket) -> None:
    bucket.will(status(403))

    with pytest.raises(DeliveryFailed) as caught:
        over_tls(bucket)(event("Create", origin=bucket.url("")), Remaining())

    assert str(caught.value) == (
        "The answer to CloudFormation was not delivered: 127.0.0.1 gave HTTP 403. The request's address may have "
        "expired. In a VPC the function needs a way to S3: a gateway endpoint whose policy allows CloudFormation's "
        "bucket, or a proxy."
    )
    assert len(bucket.received) == 1


@traps(7)
def test_behind_a_proxy_with_a_ca_of_its_own_the_answer_arrives(
    bucket: ResponseBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy() as (address, tunnels):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        over_tls(bucket)(event("Create", origin=bucket.url("")), Remaining())

    assert tunnels == [(bucket.netloc, "")]
    assert len(bucket.received) == 1


@traps(8)
def test_a_delete_is_answered_at_once(kept: KeptAnswers) -> None:
    start = time.monotonic()

    responder(kept)(event("Delete"), Remaining(900))

    assert time.monotonic() - start < 1.0
    assert kept.only["Status"] == "SUCCESS"


@traps(9)
def test_no_echo_is_false_whatever_an_earlier_request_left(kept: KeptAnswers) -> None:
    warm = responder(kept)
    warm(event("Create"), Remaining())
    warm._crhelper.NoEcho = True
    warm(event("Create"), Remaining())

    assert [answer["NoEcho"] for answer in kept.answers] == [False, False]


@traps(10)
def test_attributes_come_only_from_this_success(kept: KeptAnswers) -> None:
    warm = responder(kept, in_turn(done, raising(Failed("Later.", KEY_ARN)), returning(Answer(KEY_ARN))))

    warm._crhelper.Data = {"Left": "over"}
    warm(event("Create"), Remaining())
    warm(event("Update"), Remaining())
    warm(event("Delete"), Remaining())

    assert [answer.get("Data") for answer in kept.answers] == [{"KeyArn": KEY_ARN, "ValidTo": ""}, None, None]


@traps(11)
def test_an_attribute_that_is_no_text_fails_with_every_id_in_place(kept: KeptAnswers) -> None:
    responder(kept, returning(Answer(KEY_ARN, cast("dict[str, str]", {"KeyArn": b"\x00\xff"}))))(
        event("Create"), Remaining()
    )

    assert kept.only == {
        "Status": "FAILED",
        "PhysicalResourceId": KEY_ARN,
        "StackId": event("Create")["StackId"],
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Material",
        "NoEcho": False,
        "Reason": OWN_FAULT.format("it answered with an attribute that is not text"),
    }


@traps(12)
def test_attributes_beyond_4096_bytes_fail_in_place_of_being_sent(kept: KeptAnswers) -> None:
    responder(kept, returning(Answer(KEY_ARN, {"KeyArn": "x" * 5000})))(event("Create"), Remaining())

    assert kept.only["Status"] == "FAILED"
    assert kept.only["PhysicalResourceId"] == KEY_ARN
    assert kept.only["Reason"] == OWN_FAULT.format("its answer has 5,365 bytes, and CloudFormation takes 4,096")


@traps(13)
@pytest.mark.parametrize("error", [Refused(Fault("KeyId", "there is no such key.")), ValueError("x")])
def test_a_create_that_failed_before_its_import_has_an_id_that_says_so(kept: KeptAnswers, error: Exception) -> None:
    responder(kept, raising(error))(event("Create"), Remaining())

    assert kept.only["PhysicalResourceId"] == NOT_IMPORTED


@traps(14)
def test_a_failed_start_is_a_crash_and_sticks_to_no_later_request(kept: KeptAnswers) -> None:
    warm = responder(kept)

    with pytest.raises(OSError, match=r"^schema\.json is missing$"):
        warm._crhelper.init_failure(OSError("schema.json is missing"))

    warm(event("Delete"), Remaining())
    assert kept.only["Status"] == "SUCCESS"


@traps(15)
@pytest.mark.parametrize("missing", ["StackId", "RequestId", "LogicalResourceId", "ResponseURL", "PhysicalResourceId"])
def test_a_malformed_event_in_a_warm_process_answers_nobody(
    kept: KeptAnswers, caplog: pytest.LogCaptureFixture, missing: str
) -> None:
    warm = responder(kept)
    warm(event("Create"), Remaining())
    without: dict[str, Any] = {missing: None}
    warm(event("Update", **without), Remaining())

    assert len(kept.answers) == 1
    assert warnings_of(caplog) == [MALFORMED.format(missing)]


@traps(16)
def test_a_reason_keeps_its_beginning_and_says_nothing_that_was_not_written_for_users(kept: KeptAnswers) -> None:
    faults = Refused(
        *(Fault(f"Property{n}", "it is not known" + " at all" * 20 + ".", "Take it out.") for n in range(300))
    )
    responder(kept, raising(faults))(event("Create"), Remaining())
    responder(kept, raising(ValueError("{'SecretString': 'hunter2'}")))(event("Create"), Remaining())

    assert kept.answers[0]["Reason"].startswith(
        f"300 things are wrong. (1) Property0: it is not known{' at all' * 20}. Take it out. (2) Property1:"
    )
    assert kept.answers[0]["Reason"].endswith("Take it out. [The whole text is in the function's log.]")
    assert kept.answers[1]["Reason"] == (
        "The function met an error of its own, ValueError. Its log shows where, under this request's id."
    )


@traps(17)
def test_with_debug_logging_the_log_has_neither_address_nor_properties(
    bucket: ResponseBucket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    over_tls(bucket)(event("Create", origin=bucket.url(""), ResourceProperties={"KeyId": "planted-value"}), Remaining())

    assert len(bucket.received) == 1
    assert "SUCCESS Create of Material" in caplog.text  # the log works
    assert "X-Amz-" not in caplog.text
    assert "planted-value" not in caplog.text


@traps(18)
def test_the_root_logger_keeps_its_level_and_its_formatters(kept: KeptAnswers) -> None:
    root = logging.getLogger()
    formatter = logging.Formatter("mine: %(message)s")
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    level = root.level
    root.addHandler(handler)
    try:
        root.setLevel(logging.ERROR)
        responder(kept)(event("Create"), Remaining())

        assert root.level == logging.ERROR
        assert handler.formatter is formatter
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@traps(19)
@pytest.mark.parametrize("way_out", [Leave(), SystemExit(1)])
def test_an_invocation_that_leaves_answers_nothing(kept: KeptAnswers, way_out: BaseException) -> None:
    warm = responder(kept, in_turn(raising(way_out), done))

    # What the runtime does not catch ends the environment, and Lambda repeats the request: only a real exit may do that.
    with nullcontext() if isinstance(way_out, Leave) else pytest.raises(SystemExit):
        warm(event("Create"), Remaining())
    assert kept.answers == []

    warm(event("Create"), Remaining())  # and the next request is not affected
    assert kept.only["Status"] == "SUCCESS"


@traps(20)
def test_answers_go_through_the_put_that_was_passed_in_and_nowhere_else(
    kept: KeptAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Opened(BaseException):
        """crhelper does not catch it: it would try again without end."""

    def opened(*_: object, **__: object) -> None:
        raise Opened

    monkeypatch.setattr(crhelper_utils, "HTTPSConnection", opened)

    responder(kept)(event("Create"), Remaining())
    responder(kept, raising(ValueError()))(event("Create"), Remaining())

    assert kept.urls == [event("Create")["ResponseURL"]] * 2


@traps(21)
@pytest.mark.parametrize("request_type", ["Read", "create", "Create\n", "", 1])
def test_an_unknown_request_type_answers_nobody(
    kept: KeptAnswers, caplog: pytest.LogCaptureFixture, request_type: object
) -> None:
    responder(kept)(event("Update", RequestType=request_type), Remaining())

    assert kept.answers == []
    assert warnings_of(caplog) == [MALFORMED.format("RequestType")]


@traps(22)
@pytest.mark.parametrize("physical_id", ["", "x" * 1025, "é" * 513, 17, True, None, ["x"]])
@pytest.mark.parametrize("failing", [False, True])
def test_an_id_that_cloudformation_does_not_take_does_not_go_out(
    kept: KeptAnswers, physical_id: object, *, failing: bool
) -> None:
    bad_id = cast("str", physical_id)
    handler = raising(Failed("KeyId: there is no such key.", bad_id)) if failing else returning(Answer(bad_id))

    responder(kept, handler)(event("Update"), Remaining())

    assert kept.only["Status"] == "FAILED"
    assert kept.only["PhysicalResourceId"] == KEY_ARN
    assert kept.only["Reason"] == (
        "KeyId: there is no such key."
        if failing
        else OWN_FAULT.format("it answered with a PhysicalResourceId that CloudFormation does not take")
    )


@traps(23)
def test_a_repeated_request_reaches_the_life_cycle_each_time_and_is_answered_alike(kept: KeptAnswers) -> None:
    seen: list[Request] = []

    def idempotent(request: Request, context: Context) -> Answer:
        seen.append(request)
        return done(request, context)

    warm = responder(kept, idempotent)
    for _ in range(3):
        warm(event("Create"), Remaining())

    assert len(seen) == 3
    assert seen == [seen[0]] * 3
    assert kept.answers == [kept.answers[0]] * 3


@traps(24)
def test_a_second_request_at_the_same_time_is_refused_and_the_first_unharmed(kept: KeptAnswers) -> None:
    refused: list[str] = []

    def intrude() -> None:
        try:
            busy(event("Delete", RequestId="another"), Remaining())
        except CannotHappen as error:
            refused.append(str(error))

    def handler(request: Request, context: Context) -> Answer:
        intruder = threading.Thread(target=intrude)
        intruder.start()
        intruder.join()
        return done(request, context)

    busy = responder(kept, handler)
    busy(event("Create"), Remaining())

    assert refused == ["A responder serves one request at a time."]
    assert kept.only["RequestId"] == REQUEST_ID
    assert kept.only["Status"] == "SUCCESS"


def test_the_adapter_lists_each_trap_and_each_has_its_test() -> None:
    rows = re.findall(r"^ +(\d+)  (\S.*?)  +(\S.*)$", str(crhelper_adapter.__doc__), re.MULTILINE)

    assert [int(number) for number, _, _ in rows] == sorted(traps.names) == list(range(1, 25))
