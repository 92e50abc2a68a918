"""What the responder promises besides crhelper's traps: which requests it answers, with what, and what it does after faults."""

import os

import boto3
import pytest

from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.crhelper_adapter import CrHelper
from imported_key_material.cloudformation.delivery import DeliveryFailed
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.cloudformation.request import Request, RequestType, read, response_hosts
from imported_key_material.cloudformation.responder import Responder
from imported_key_material.errors import Fault, ImportedKeyMaterialError, Refused
from imported_key_material.invocation import Context
from imported_key_material.lifecycle import resource
from imported_key_material.meter import Unmetered
from lab.clock import VirtualClock
from lab.cloudformation.events import HOME, KEY_ARN, REQUEST_ID, Remaining, event
from lab.cloudformation.response_bucket import ResponseBucket, reset, status
from tests.support.responding import KeptAnswers, done, over_tls, raising, responder, warnings_of

NOT_IMPORTED = f"not-imported:Material:{REQUEST_ID}"
FOREIGN_URL = "https://cloudformation-custom-resource-response-eucentral1.example.com/x?X-Amz-Signature=1"


@pytest.fixture
def kept() -> KeptAnswers:
    return KeptAnswers()


def test_a_success_is_answered_with_what_the_handler_said(kept: KeptAnswers) -> None:
    responder(kept)(event("Create"), Remaining())

    assert kept.urls == [event("Create")["ResponseURL"]]
    assert kept.only == {
        "Status": "SUCCESS",
        "PhysicalResourceId": KEY_ARN,
        "StackId": event("Create")["StackId"],
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Material",
        "NoEcho": False,
        "Data": {"KeyArn": KEY_ARN, "ValidTo": ""},
    }


def test_each_request_type_reaches_the_handler(kept: KeptAnswers) -> None:
    said: list[str] = []

    def handler(request: Request, context: Context) -> Answer:
        said.append(str(request.type))
        return done(request, context)

    all_three = responder(kept, handler)
    for type_ in RequestType:
        all_three(event(str(type_)), Remaining())

    assert said == ["Create", "Update", "Delete"]


def test_a_handler_sees_the_request_and_the_context_as_they_came(kept: KeptAnswers) -> None:
    seen: list[tuple[Request, Context]] = []
    context = Remaining()

    def handler(request: Request, context_: Context) -> Answer:
        seen.append((request, context_))
        return done(request, context_)

    responder(kept, handler)(event("Update"), context)

    ((request, context_seen),) = seen
    assert request.properties == event("Update")["ResourceProperties"]
    assert request.old_properties == event("Update")["OldResourceProperties"]
    assert request.response_url == event("Update")["ResponseURL"]
    assert context_seen is context


def test_a_failure_after_the_import_is_answered_under_the_keys_arn(kept: KeptAnswers) -> None:
    responder(kept, raising(Failed("KMS did not confirm the import in time.", KEY_ARN)))(event("Create"), Remaining())

    assert kept.only["Status"] == "FAILED"
    assert kept.only["Reason"] == "KMS did not confirm the import in time."
    assert kept.only["PhysicalResourceId"] == KEY_ARN


def test_the_life_cycle_has_a_handler_for_each_request_type() -> None:
    assert set(resource._HANDLERS) == set(RequestType)


@pytest.mark.parametrize("url", [FOREIGN_URL, "http://127.0.0.1/x", "https://169.254.170.2/x"])
def test_a_foreign_address_gets_nothing_and_nothing_is_done(
    kept: KeptAnswers, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    done_to: list[Request] = []

    def handler(request: Request, context: Context) -> Answer:
        done_to.append(request)
        return done(request, context)

    responder(kept, handler)(event("Create", ResponseURL=url), Remaining())

    assert (kept.answers, done_to) == ([], [])
    (warning,) = warnings_of(caplog)
    assert warning.startswith("Nothing was done, and nobody was answered. The event")
    assert url not in caplog.text


@pytest.mark.parametrize("junk", [None, [], "event", 7, {}])
def test_junk_is_no_request_and_no_error(kept: KeptAnswers, junk: object) -> None:
    responder(kept)(junk, Remaining())

    assert kept.answers == []


def test_fields_that_steer_crhelper_are_without_effect_in_an_event(kept: KeptAnswers) -> None:
    responder(kept)(
        event("Create", CrHelperPoll=True, CrHelperData={"KeyArn": "made up"}, CrHelperRule="a:b:c:d:e/f"), Remaining()
    )

    assert kept.only["Status"] == "SUCCESS"
    assert kept.only["Data"] == {"KeyArn": KEY_ARN, "ValidTo": ""}


def test_crhelper_holds_neither_address_nor_properties(kept: KeptAnswers) -> None:
    held: list[str] = []

    def handler(request: Request, context: Context) -> Answer:
        held.append(repr(vars(warm._crhelper)))
        return done(request, context)

    warm = responder(kept, handler)
    warm(event("Create", ResourceProperties={"KeyId": "planted-value"}), Remaining())

    assert "RequestId" in held[0]
    assert "X-Amz-" not in held[0]
    assert "planted-value" not in held[0]


def test_an_answer_that_can_not_be_delivered_is_not_followed_by_another(kept: KeptAnswers) -> None:
    kept.error = DeliveryFailed("The answer to CloudFormation was not delivered: 127.0.0.1 gave HTTP 403.")

    with pytest.raises(DeliveryFailed) as caught:
        responder(kept)(event("Create"), Remaining())

    assert str(caught.value) == "The answer to CloudFormation was not delivered: 127.0.0.1 gave HTTP 403."
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert len(kept.answers) == 1


def test_a_put_that_breaks_is_an_error_and_its_text_goes_nowhere(
    kept: KeptAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    kept.error = KeyError("https://bucket/?X-Amz-Signature=1")

    with pytest.raises(DeliveryFailed) as caught:
        responder(kept)(event("Create"), Remaining())

    assert str(caught.value) == "The answer to CloudFormation was not delivered: KeyError."
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert len(kept.answers) == 1
    (warning,) = warnings_of(caplog)
    assert warning.startswith("The answer to CloudFormation was not delivered: KeyError. KeyError at responder.py:")


def test_an_error_inside_crhelper_is_one_failure_without_its_text(
    kept: KeptAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: object, _event: object) -> None:
        raise RuntimeError("X-Amz-Signature=1")

    monkeypatch.setattr(CrHelper, "_cfn_response", broken)
    responder(kept)(event("Create"), Remaining())

    assert kept.only["Status"] == "FAILED"
    assert kept.only["PhysicalResourceId"] == NOT_IMPORTED
    assert kept.only["Reason"] == "The function could not finish this request: an error in its protocol code."


def test_a_crhelper_that_answers_and_then_breaks_does_not_answer_again(
    kept: KeptAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: CrHelper, _event: object) -> None:
        self._send()
        raise RuntimeError

    monkeypatch.setattr(CrHelper, "_cfn_response", broken)
    responder(kept)(event("Create"), Remaining())

    assert kept.only["Status"] == "SUCCESS"


def test_an_invocation_that_crhelper_ends_without_an_answer_is_an_error(
    kept: KeptAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CrHelper, "_cfn_response", lambda _self, _event: None)

    with pytest.raises(DeliveryFailed) as caught:
        responder(kept)(event("Create"), Remaining())

    assert str(caught.value) == "The function ended without an answer to CloudFormation."
    assert kept.answers == []


def test_a_request_whose_ids_leave_no_room_for_an_answer_is_an_error(kept: KeptAnswers) -> None:
    def read_without_checks(_event: object, _context: object) -> Request:
        good = read(event("Update"), HOME, response_hosts(HOME, "amazonaws.com"))
        return Request(
            type=good.type,
            request_id=good.request_id,
            stack_id=good.stack_id,
            logical_id=good.logical_id,
            properties={},
            old_properties={},
            physical_id="\x01" * 1024,
            made_at=None,
            response_url=good.response_url,
            event=good.event,
        )

    warm = Responder(raising(ValueError()), read=read_without_checks, put=kept, clock=VirtualClock(), meter=Unmetered())
    with pytest.raises(DeliveryFailed) as caught:
        warm(event("Update"), Remaining())

    assert str(caught.value) == "The answer to CloudFormation was not sent: the request's ids leave it no room."
    assert kept.answers == []


def test_an_event_that_breaks_the_reading_is_an_error_without_its_text(
    kept: KeptAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    def read_badly(_event: object, _context: object) -> Request:
        raise KeyError("X-Amz-Signature=1")

    broken = Responder(done, read=read_badly, put=kept, clock=VirtualClock(), meter=Unmetered())
    with pytest.raises(ImportedKeyMaterialError) as caught:
        broken(event("Create"), Remaining())

    assert str(caught.value) == "The event could not be read, and nobody was answered: KeyError."
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert "X-Amz-" not in caplog.text
    assert kept.answers == []


@pytest.mark.parametrize(
    ("seconds_left", "seconds_to_deliver"),
    [(900, 60), (62, 60), (30, 28), (2, 0), (0.5, -1.5)],
)
def test_an_answer_has_a_minute_or_what_is_left_less_two_seconds(
    kept: KeptAnswers, seconds_left: float, seconds_to_deliver: float
) -> None:
    responder(kept)(event("Create"), Remaining(seconds_left))

    assert kept.seconds == [pytest.approx(seconds_to_deliver)]


def test_a_reason_that_was_cut_is_whole_in_the_log_before_it_is_sent(
    kept: KeptAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Refused(*(Fault(f"Property{n}", "it is not known.") for n in range(300)))
    in_the_log: list[bool] = []

    def put(_url: str, _body: bytes, _deadline: Deadline) -> None:
        in_the_log.append(str(faults) in caplog.text)

    responder(put, raising(faults))(event("Create"), Remaining())

    assert in_the_log == [True]


def test_an_error_of_our_own_is_logged_with_its_places_and_those_of_its_causes(
    kept: KeptAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(_request: Request, _context: Context) -> Answer:
        try:
            raise KeyError("planted-value")
        except KeyError as error:
            raise ValueError("planted-value") from error

    responder(kept, handler)(event("Create"), Remaining())

    first = warnings_of(caplog)[0]
    start = "The function met an error of its own, ValueError. ValueError at responder.py:"
    assert first.startswith(start)
    assert "; after KeyError at test_responder_promises.py:" in first
    assert "planted-value" not in caplog.text


@pytest.mark.parametrize("before", [None, "1"])
def test_no_client_is_made_and_the_environment_is_as_before(
    kept: KeptAnswers, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    made: list[object] = []
    monkeypatch.setattr(boto3, "client", lambda *args, **_: made.append(args))
    monkeypatch.delenv("AWS_SAM_LOCAL", raising=False)
    if before is not None:
        monkeypatch.setenv("AWS_SAM_LOCAL", before)

    responder(kept)

    assert made == []
    assert os.environ.get("AWS_SAM_LOCAL") == before


def test_a_lost_answer_is_sent_again_as_it_was(bucket: ResponseBucket) -> None:
    bucket.will(reset, status(503))

    over_tls(bucket, clock=VirtualClock())(event("Create", origin=bucket.url("")), Remaining())

    assert len(bucket.received) == 3
    assert {put.body for put in bucket.received} == {bucket.received[0].body}
