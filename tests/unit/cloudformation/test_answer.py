"""What an answer looks like: within CloudFormation's limits, whatever the reason, the attributes and the ids are."""

import json
import logging
import time
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imported_key_material.cloudformation.answer import (
    BODY_MAX_BYTES,
    REASON_CUT_NOTE,
    TooLong,
    body,
    log_outcome,
    usable_id,
    vet,
)
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.cloudformation.request import Request, RequestType
from imported_key_material.errors import Fault, Refused
from lab.cloudformation.events import KEY_ARN, REQUEST_ID, STACK_ID, request

OWN_FAULT = "The function met a fault of its own: {}. Its log shows where, under this request's id."
CREATE, UPDATE, DELETE = request("Create"), request("Update"), request("Delete")


def parsed(request_: Request, outcome: Answer | Failed) -> dict[str, Any]:
    encoded = body(request_, outcome)
    assert len(encoded) <= BODY_MAX_BYTES
    return cast("dict[str, Any]", json.loads(encoded))


def reason_of(reason: str) -> str:
    return cast("str", parsed(UPDATE, Failed(reason, KEY_ARN))["Reason"])


# ------------------------------------------------------------------------------------------------------- its fields


def test_a_success_has_these_fields() -> None:
    assert parsed(CREATE, Answer(KEY_ARN, {"KeyArn": KEY_ARN, "ValidTo": ""})) == {
        "Status": "SUCCESS",
        "PhysicalResourceId": KEY_ARN,
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Material",
        "NoEcho": False,
        "Data": {"KeyArn": KEY_ARN, "ValidTo": ""},
    }


def test_a_failure_has_these_fields() -> None:
    assert parsed(UPDATE, Failed("SecretId: there is no such secret.", KEY_ARN)) == {
        "Status": "FAILED",
        "PhysicalResourceId": KEY_ARN,
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Material",
        "NoEcho": False,
        "Reason": "SecretId: there is no such secret.",
    }


def test_a_finished_delete_has_no_attributes() -> None:
    assert "Data" not in parsed(DELETE, Answer(KEY_ARN, {"KeyArn": KEY_ARN}))


def test_a_failure_without_a_reason_gets_one() -> None:
    assert reason_of(" \n") == "The function gave no reason. Its log shows what happened, under this request's id."


def test_a_reason_is_one_printable_line() -> None:
    assert reason_of("Keyd:\r\n\tno\x1b[31m such\x00 property \ud800.") == "Keyd: no [31m such property ."


# ---------------------------------------------------------------------------------------------------- a long reason


def test_a_reason_that_fits_to_the_byte_is_not_cut() -> None:
    room = BODY_MAX_BYTES - len(body(UPDATE, Failed("x", KEY_ARN))) + 1
    whole = "é" + "x" * (room - len("\\u00e9"))

    assert len(body(UPDATE, Failed(whole, KEY_ARN))) == BODY_MAX_BYTES
    assert reason_of(whole) == whole
    assert reason_of(whole + "x").endswith(REASON_CUT_NOTE)


def test_many_faults_are_cut_after_a_whole_sentence_and_the_first_is_there() -> None:
    remedy = "Take 256" + ", not more" * 10 + "."
    refused = Refused(*(Fault(f"Tags{n}", "the value is 300 characters long.", remedy) for n in range(200)))

    reason = reason_of(str(refused))

    assert reason.startswith("200 things are wrong. (1) Tags0: the value is 300 characters long. Take 256, not")
    assert reason.endswith(". [The whole text is in the function's log.]")
    assert str(refused).startswith(reason.removesuffix(REASON_CUT_NOTE))
    assert len(reason) > 3000


def test_a_long_reason_without_sentences_is_cut_after_a_word() -> None:
    reason = reason_of("word " * 2000)

    assert reason.endswith(" word... [The whole text is in the function's log.]")


@pytest.mark.parametrize("char", ["x", "é", "鍵", "🔑", '"', "\\"])
def test_a_long_reason_without_words_is_cut_between_characters_and_fills_its_room(char: str) -> None:
    encoded = body(UPDATE, Failed(char * 5000, KEY_ARN))
    reason = json.loads(encoded)["Reason"]

    kept = reason.removesuffix(REASON_CUT_NOTE)
    assert kept == char * len(kept)
    assert BODY_MAX_BYTES - 16 <= len(encoded) <= BODY_MAX_BYTES


@given(
    reason=st.text(max_size=6000),
    physical_id=st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=1024),
)
def test_any_reason_with_any_printable_id_gives_an_answer_within_the_limit(reason: str, physical_id: str) -> None:
    answer = parsed(UPDATE, Failed(reason, physical_id))

    assert answer["PhysicalResourceId"] == physical_id
    assert (answer["StackId"], answer["RequestId"], answer["LogicalResourceId"]) == (STACK_ID, REQUEST_ID, "Material")
    assert answer["Reason"].strip()
    assert answer["Reason"].isprintable()


def test_the_longest_ids_there_are_leave_room_for_a_reason() -> None:
    longest = request(
        "Update",
        StackId=f"arn:aws:cloudformation:eu-central-1:111122223333:stack/{'s' * 128}/{'u' * 64}",
        RequestId="r" * 128,
        LogicalResourceId="L" * 255,
        PhysicalResourceId='"' * 1024,
    )

    reason = parsed(longest, Failed("SecretId: there is no such secret. " * 100, '"' * 1024))["Reason"]

    assert reason.startswith("SecretId: there is no such secret. SecretId:")
    assert len(reason) > 900


def test_ids_that_leave_no_room_make_no_answer() -> None:
    with pytest.raises(TooLong):
        body(UPDATE, Failed("SecretId: there is no such secret.", "\x01" * 1024))


# ------------------------------------------------------------------------------------------------------ in the log


@pytest.mark.parametrize("size", [10, 10_000, 10_001, 30_000_000])
def test_a_reason_has_a_limit_in_the_log_too(caplog: pytest.LogCaptureFixture, size: int) -> None:
    log_outcome(logging.getLogger("test"), UPDATE, Failed("x" * size, KEY_ARN))

    (line,) = caplog.messages
    assert ("x" * min(size, 10_000) in line) is True
    assert ("x" * 10_001 in line) is False
    assert line.endswith(" [The rest is too long for the log, too.]") is (size > 10_000)


def test_a_reason_without_an_end_is_answered_at_once() -> None:
    begun = time.process_time()

    assert reason_of("word " * 10_000_000).endswith(" [The whole text is in the function's log.]")

    assert time.process_time() - begun < 1


# ------------------------------------------------------------------------------------------------- what is not taken


@pytest.mark.parametrize("physical_id", ["x", "x" * 1024, "é" * 512, KEY_ARN])
def test_an_id_of_up_to_1024_bytes_is_usable(physical_id: str) -> None:
    assert usable_id(physical_id) == physical_id


@pytest.mark.parametrize("physical_id", ["", "x" * 1025, "é" * 513, "\ud800" * 342, None, 17, True, b"x"])
def test_any_other_id_is_not(physical_id: object) -> None:
    assert usable_id(physical_id) == ""


def failure(request_: Request, answer: object) -> tuple[str, str]:
    outcome = vet(request_, answer)
    assert isinstance(outcome, Failed)
    return outcome.reason, outcome.physical_id


def test_an_answer_that_is_none_is_a_failure() -> None:
    assert failure(CREATE, None) == (
        OWN_FAULT.format("it ended without an answer"),
        "",
    )


def test_an_answer_without_a_usable_id_is_a_failure() -> None:
    assert failure(CREATE, Answer("")) == (
        OWN_FAULT.format("it answered with a PhysicalResourceId that CloudFormation does not take"),
        "",
    )


@pytest.mark.parametrize("data", [{"KeyArn": b"x"}, {"KeyArn": None}, {"Count": 1}, {1: "x"}, {"KeyArn": ["x"]}])
def test_an_attribute_that_is_not_text_is_a_failure_under_the_same_id(data: Any) -> None:
    assert failure(UPDATE, Answer(KEY_ARN, data)) == (
        OWN_FAULT.format("it answered with an attribute that is not text"),
        KEY_ARN,
    )


def test_attributes_that_fill_the_answer_to_the_byte_are_taken_and_one_more_byte_is_a_failure_under_the_same_id() -> (
    None
):
    room = BODY_MAX_BYTES - len(body(UPDATE, Answer(KEY_ARN, {"KeyArn": ""})))
    fits = Answer(KEY_ARN, {"KeyArn": "x" * room})

    assert vet(UPDATE, fits) is fits
    assert len(body(UPDATE, fits)) == BODY_MAX_BYTES
    assert failure(UPDATE, Answer(KEY_ARN, {"KeyArn": "x" * (room + 1)})) == (
        OWN_FAULT.format("its answer has 4,097 bytes, and CloudFormation takes 4,096"),
        KEY_ARN,
    )


def test_attributes_of_a_delete_are_dropped_and_not_measured() -> None:
    assert vet(DELETE, Answer(KEY_ARN, {"KeyArn": "x" * 5000})) == Answer(KEY_ARN)
    assert DELETE.type is RequestType.DELETE
