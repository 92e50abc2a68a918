"""Calls to AWS: the function waits for what passes by itself, for a named time, on the test's clock."""

import math
from datetime import timedelta

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from imported_key_material.aws.calls import (
    NEW_KEY,
    NO_WAITS,
    TAGGED,
    Caller,
)
from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.deadline import deadline_of
from imported_key_material.errors import OutOfTime, Refused, ServiceRefused, Throttled
from lab.clock import START, VirtualClock
from lab.cloudformation.events import BUCKET, request
from tests.support.traces import assert_untraceable

NEW_OR_TAGGED = {**NEW_KEY, **TAGGED}
CANARY = "c2VjcmV0LW1hdGVyaWFs/Zm9vYmFy"
REMEDY_OF_UNREACHED = (
    "The service could not be reached. If the function runs in a VPC, it needs a way to KMS, Secrets Manager, "
    "CloudFormation, Lambda and CloudFormation's bucket in S3 (endpoints or NAT)."
)


class Log:
    """Keeps the lines, each with its fields."""

    def __init__(self):
        self.lines = []

    def info(self, msg, *, extra):
        self.lines.append((msg, dict(extra)))

    def warning(self, msg, *, extra):
        raise AssertionError((msg, extra))


class Clock(VirtualClock):
    """Keeps the waits; `roll` fixes the random numbers."""

    def __init__(self, *, seed=1, roll=None):
        super().__init__(seed=seed)
        self.roll = roll
        self.slept = []

    def random(self):
        return super().random() if self.roll is None else self.roll

    def sleep(self, seconds):
        self.slept.append(seconds)
        super().sleep(seconds)


class Service:
    """An AWS operation with scripted answers: raises an exception, returns anything else. The last one repeats."""

    def __init__(self, clock, *answers, seconds=0.0):
        self.clock = clock
        self.answers = list(answers)
        self.seconds = seconds
        self.begun = []

    def __call__(self):
        self.begun.append((self.clock.now() - START).total_seconds())
        self.clock.advance(self.seconds)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def refused(code, status=400, message=CANARY):
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}, "RequestId": CANARY},
        "Parameters": CANARY,
    }
    return ClientError(response, "DescribeKey")


def caller(clock, *, seconds=900.0, at_least_once=False):
    return Caller(clock, Deadline(clock, clock.now() + timedelta(seconds=seconds)), Log(), at_least_once=at_least_once)


def outcome(clock, service, *, seconds=900.0, operation="kms:DescribeKey", waits=NO_WAITS, **how):
    """The error of a call that fails, and the seconds until then."""
    with pytest.raises((ServiceRefused, OutOfTime)) as raised:
        caller(clock, seconds=seconds).call(operation, service, where="KeyId", waits=waits, **how)
    return raised.value, (clock.now() - START).total_seconds()


# ----------------------------------------------------------------------------------------------------- what goes well


def test_an_answer_is_given_as_it_is():
    clock = Clock()
    service = Service(clock, {"KeyMetadata": {}})
    maker = caller(clock)

    assert maker.call("kms:DescribeKey", service, where="KeyId") == {"KeyMetadata": {}}
    assert (service.begun, clock.slept, maker.log.lines) == ([0.0], [], [])


def test_what_passes_is_waited_out_and_the_answer_given():
    clock = Clock(roll=0.5)
    service = Service(
        clock,
        refused("ThrottlingException"),
        refused("KMSInternalException", 500),
        ConnectionClosedError(endpoint_url="https://kms"),
        "here",
    )

    assert caller(clock).call("kms:DescribeKey", service, where="KeyId") == "here"
    assert service.begun == [0.0, 0.75, 1.25, 2.25]  # three times as long after a throttle


def test_an_answer_of_none_is_one():
    clock = Clock()

    assert caller(clock).call("kms:DescribeKey", Service(clock, None), where="KeyId") is None


# ---------------------------------------------------------------------------------------------------------- throttles


@pytest.mark.parametrize(
    "code", ["Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"]
)
def test_a_throttle_is_waited_out_to_the_deadline(code):
    clock = Clock()
    service = Service(clock, refused(code))

    error, after = outcome(clock, service, seconds=600)

    assert isinstance(error, OutOfTime)
    assert str(error) == (
        f"KeyId: kms:DescribeKey was throttled ({code}) for 600 seconds, until no time was left. Run the deployment "
        "again when this account makes fewer calls in this Region."
    )
    assert after == 600
    assert service.begun[-1] == 600


def test_where_the_caller_waits_by_itself_a_throttle_is_reported_at_once():
    clock = Clock()

    error, after = outcome(clock, Service(clock, refused("ThrottlingException")), throttles_seconds=0)

    assert isinstance(error, Throttled)
    assert (error.code, after) == ("ThrottlingException", 0)


def test_a_throttle_counts_from_its_own_call_and_not_from_the_invocation_s_begin():
    clock = Clock()
    maker = caller(clock, seconds=600)
    clock.advance(500)

    with pytest.raises(
        OutOfTime, match=r"was throttled \(ThrottlingException\) for 100 seconds, until no time was left"
    ):
        maker.call("kms:DescribeKey", Service(clock, refused("ThrottlingException")), where="KeyId")


# ----------------------------------------------------------------------------------------------- what the caller names


@pytest.mark.parametrize(
    ("waits", "code", "patience"),
    [
        (NEW_KEY, "NotFoundException", 120),
        (NEW_KEY, "KMSInvalidStateException", 120),
        (TAGGED, "AccessDeniedException", 360),
        (NEW_OR_TAGGED, "NotFoundException", 120),
        (NEW_OR_TAGGED, "AccessDeniedException", 360),
        ({"NotFoundException": 20.0}, "NotFoundException", 20),
    ],
)
def test_a_code_that_is_named_is_waited_out_for_its_time_and_then_told(waits, code, patience):
    clock = Clock()
    service = Service(clock, refused(code, message="AWS's own words."))

    error, after = outcome(clock, service, waits=waits)

    assert isinstance(error, ServiceRefused)
    assert error.code == code
    assert str(error).startswith(f"KeyId: kms:DescribeKey was refused with {code}: AWS's own words. ")
    assert after == patience
    assert service.begun[-1] == patience


def test_a_rest_of_patience_that_no_clock_shows_is_none():
    """A difference of two times may be off by a trillionth of a second. A clock that stands still never gets there."""
    clock = Clock()
    service = Service(clock, *[refused("NotFoundException")] * 100, AssertionError("it never ends"))

    error, after = outcome(clock, service, waits={"NotFoundException": 20 + 1e-9})

    assert isinstance(error, ServiceRefused)
    assert after == 20


@pytest.mark.parametrize("code", ["NotFoundException", "KMSInvalidStateException", "AccessDeniedException"])
def test_a_code_that_is_not_named_is_reported_at_once(code):
    clock = Clock()

    error, after = outcome(clock, Service(clock, refused(code)))

    assert isinstance(error, ServiceRefused)
    assert (error.code, after, clock.slept) == (code, 0, [])


def test_the_deadline_ends_a_named_wait_and_the_error_is_still_aws_s():
    clock = Clock()

    error, after = outcome(clock, Service(clock, refused("NotFoundException")), seconds=30, waits=NEW_KEY)

    assert isinstance(error, ServiceRefused)
    assert (error.code, after) == ("NotFoundException", 30)


def test_codes_may_change_while_it_waits_and_each_has_its_own_patience():
    clock = Clock()
    service = Service(clock, *[refused("AccessDeniedException")] * 40, refused("NotFoundException"))

    error, after = outcome(clock, service, waits=NEW_OR_TAGGED)

    assert isinstance(error, ServiceRefused)
    assert error.code == "NotFoundException"
    assert 120 < after < 360  # the error came after its two minutes had passed


# -------------------------------------------------------------------------------------------------------------- faults

UNREACHED = [
    ConnectionClosedError(endpoint_url=CANARY),
    ConnectTimeoutError(endpoint_url=CANARY),
    EndpointConnectionError(endpoint_url=CANARY),
    HTTPClientError(error=OSError(CANARY)),
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ProxyConnectionError(proxy_url=CANARY),
    ReadTimeoutError(endpoint_url=CANARY),
    SSLError(endpoint_url=CANARY, error=OSError(CANARY)),
]


@pytest.mark.parametrize("fault", UNREACHED, ids=lambda fault: type(fault).__name__)
def test_a_service_that_can_not_be_reached_is_tried_for_two_minutes(fault):
    clock = Clock()

    error, after = outcome(clock, Service(clock, fault))

    assert isinstance(error, ServiceRefused)
    assert str(error) == f"KeyId: kms:DescribeKey got no answer ({type(fault).__name__}). {REMEDY_OF_UNREACHED}"
    assert after == 120


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("DependencyTimeoutException", 400),  # KMS's own codes, whatever the status
        ("KMSInternalException", 400),
        ("KeyUnavailableException", 400),
        ("InternalServiceError", 400),
        ("RequestTimeout", 408),
        ("InternalFailure", 500),
        ("ServiceUnavailable", 503),
        ("502", 502),
    ],
)
def test_a_service_that_fails_is_tried_for_two_minutes(code, status):
    clock = Clock()

    error, after = outcome(clock, Service(clock, refused(code, status)))

    assert isinstance(error, ServiceRefused)
    assert (error.code, after) == (code, 120)


@pytest.mark.parametrize("code", ["ValidationException", "InvalidCiphertextException", "SomethingNew", "Unknown"])
def test_any_other_refusal_is_reported_at_once(code):
    clock = Clock()
    service = Service(clock, refused(code))

    error, after = outcome(clock, service, waits=NEW_OR_TAGGED)

    assert isinstance(error, ServiceRefused)
    assert (error.code, after, service.begun) == (code, 0, [0.0])


@pytest.mark.parametrize(
    "error", [ParamValidationError(report=CANARY), NoCredentialsError()], ids=lambda error: type(error).__name__
)
def test_a_call_that_botocore_itself_does_not_send_is_reported_at_once(error):
    clock = Clock()

    told, after = outcome(clock, Service(clock, error))

    assert str(told) == (
        f"KeyId: kms:DescribeKey was not sent ({type(error).__name__}). It was stopped inside the function. If the properties "
        "are right, please report this as a defect."
    )
    assert after == 0


@pytest.mark.parametrize("error", [ValueError("a defect"), Refused(), KeyboardInterrupt()])
def test_what_is_not_aws_s_passes_through(error):
    clock = Clock()

    with pytest.raises(type(error)) as raised:
        caller(clock).call("kms:DescribeKey", Service(clock, error), where="KeyId")

    assert raised.value is error
    assert clock.slept == []


# ------------------------------------------------------------------------------------------------------- the deadline


@pytest.mark.parametrize("seconds", [0, -1, -1000])
def test_after_the_deadline_nothing_is_begun(seconds):
    clock = Clock()
    service = Service(clock, "here")

    error, after = outcome(clock, service, seconds=seconds)

    assert isinstance(error, OutOfTime)
    assert str(error) == "KeyId: There was no time left for kms:DescribeKey. Run the deployment again."
    assert (service.begun, after) == ([], 0)


@pytest.mark.parametrize("code", ["ThrottlingException", "NotFoundException", "KMSInternalException"])
@pytest.mark.parametrize("seed", range(20))
def test_no_try_begins_after_the_deadline(code, seed):
    clock = Clock(seed=seed)
    service = Service(clock, refused(code), seconds=3.7)

    outcome(clock, service, seconds=40, waits=NEW_KEY)

    assert len(service.begun) > 3
    assert max(service.begun) <= 40


def test_a_try_that_ends_after_the_deadline_is_the_last():
    clock = Clock(roll=0.5)
    service = Service(clock, refused("ThrottlingException"), seconds=30)

    error, after = outcome(clock, service, seconds=20)

    assert str(error).startswith(
        "KeyId: kms:DescribeKey was throttled (ThrottlingException) for 30 seconds, until no time was left"
    )
    assert (service.begun, after) == ([0.0], 30)


def test_what_must_be_known_in_any_case_is_asked_once_even_after_the_deadline():
    clock = Clock()
    asking = caller(clock, seconds=-10, at_least_once=True)
    service = Service(clock, "here")
    throttled = Service(clock, refused("ThrottlingException"))

    assert asking.call("cloudformation:DescribeStacks", service, where="StackId") == "here"
    with pytest.raises(OutOfTime, match=r"^StackId: cloudformation:DescribeStacks was throttled "):
        asking.call("cloudformation:DescribeStacks", throttled, where="StackId")
    assert (service.begun, throttled.begun, clock.slept) == ([0.0], [0.0], [])


# -------------------------------------------------------------------------------------------------------- full jitter


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("code", "times"), [("ThrottlingException", 3.0), ("KMSInternalException", 1.0)])
def test_waits_are_drawn_from_zero_to_a_doubling_step(seed, code, times):
    clock = Clock(seed=seed)

    outcome(clock, Service(clock, refused(code)), seconds=300)

    *whole, _last = clock.slept  # the last wait ends with the time there is
    steps = [times * min(0.5 * 2**n, 10.0) for n in range(len(whole))]
    assert all(0 <= wait <= step for wait, step in zip(whole, steps, strict=True))
    assert any(wait < step / 2 for wait, step in zip(whole, steps, strict=True))
    assert any(wait > step / 2 for wait, step in zip(whole, steps, strict=True))


# ------------------------------------------------------------------------------------------------- what is let through


@pytest.mark.parametrize(
    "error",
    [refused("AccessDeniedException", message=""), refused("ThrottlingException"), *UNREACHED],
    ids=lambda error: type(error).__name__,
)
def test_neither_the_log_nor_the_error_holds_what_aws_said(error):
    clock = Clock(roll=0.5)
    maker = caller(clock, seconds=30)

    with pytest.raises((ServiceRefused, OutOfTime)) as raised:
        maker.call("kms:DescribeKey", Service(clock, error), where="KeyId", waits=TAGGED)

    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert_untraceable(raised.value, CANARY)
    assert maker.log.lines
    assert CANARY not in str(maker.log.lines)


def test_each_wait_is_logged_with_what_it_waits_for():
    clock = Clock(roll=0.5)
    maker = caller(clock, seconds=30)

    maker.call("kms:DescribeKey", Service(clock, *[refused("ThrottlingException")] * 2, "here"), where="KeyId")

    assert maker.log.lines == [
        ("waiting", {"operation": "kms:DescribeKey", "code": "ThrottlingException", "waited_seconds": 0.0, "left_seconds": 30}),
        ("waiting", {"operation": "kms:DescribeKey", "code": "ThrottlingException", "waited_seconds": 0.8, "left_seconds": 29}),
    ]  # fmt: skip


# --------------------------------------------------------------------------------------------------- deadline_of


def of(remaining_seconds, *, age=None, timeout=None):
    """The seconds for calls, from an invocation's remaining seconds and the request's age."""
    clock = VirtualClock()
    date = "" if age is None else f"?X-Amz-Date={clock.now() - timedelta(seconds=age):%Y%m%dT%H%M%SZ}"
    properties = {} if timeout is None else {"ServiceTimeout": str(timeout)}
    made = request("Create", ResponseURL=f"https://{BUCKET}/x{date}", ResourceProperties=properties)
    return deadline_of(made, clock, remaining_seconds).left_seconds()


@pytest.mark.parametrize(
    ("remaining", "seconds"),
    [(900, 825), (300, 225), (151, 76), (150, 75), (149, 74.5), (100, 50), (60, 30), (3, 1.5), (0, 0)],
)
def test_a_fresh_request_has_its_invocation_s_time_but_for_the_reserve_or_half_of_it(remaining, seconds):
    assert of(remaining) == pytest.approx(seconds)
    assert of(remaining, age=5) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("age", "timeout", "seconds"),
    [
        (3000, None, 540),  # 3600 less a minute
        (3000, 3600, 540),
        (3540, 3600, 0),
        (3600, None, -60),
        (7200, None, -3660),
        (0, 600, 540),  # a minute is a tenth
        (300, 600, 240),
        (0, 300, 270),  # a tenth
        (0, 120, 108),
        (100, 120, 8),
        (0, 10, 9),
        (3000, 99999, 540),  # no more than CloudFormation's own
        (3000, "soon", 540),
    ],
)
def test_an_old_request_has_what_cloudformation_waits_but_for_a_minute_or_a_tenth(age, timeout, seconds):
    assert of(900, age=age, timeout=timeout) == pytest.approx(seconds)


@pytest.mark.parametrize(("timeout", "seconds"), [(120, 108), (600, 540), (3600, 825)])
def test_a_request_without_a_time_counts_from_now(timeout, seconds):
    assert of(900, timeout=timeout) == pytest.approx(seconds)


def test_the_earlier_of_the_two_ends_holds():
    assert of(900, age=2000) == 825
    assert of(200, age=3400) == 125
    assert of(900, age=3400) == 140
    assert math.isclose(of(900, age=0, timeout=900), 825)
