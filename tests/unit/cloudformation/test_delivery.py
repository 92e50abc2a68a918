"""The PUT of an answer, over real TLS against a server that behaves like S3, like proxies, and like a network that fails."""

import logging
import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest

from imported_key_material.clock import Deadline
from imported_key_material.cloudformation.delivery import ATTEMPT_MAX_SECONDS, Delivery, DeliveryFailed, Https, NotSent
from lab.certificate import Certificate
from lab.clock import START, VirtualClock
from lab.cloudformation.response_bucket import (
    Behavior,
    ResponseBucket,
    connect_proxy,
    drip,
    endless_body,
    reset,
    silence,
    status,
)

# As CloudFormation signs it: the path percent-encoded, the whole query a credential.
TARGET = (
    "/arn%3Aaws%3Acloudformation%3Aeu-central-1%3A111122223333%3Astack/orders/0a%7CMaterial%7C5e?X-Amz-Signature=5159"
)
BODY = b'{"Status": "SUCCESS"}'


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def deliver(bucket: ResponseBucket, clock: VirtualClock, *, seconds: float = 60.0) -> None:
    Delivery(clock, Https())(bucket.url(TARGET), BODY, Deadline(clock, clock.now() + timedelta(seconds=seconds)))


def closed_port() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{unused.getsockname()[1]}"


def not_delivered(problem: str) -> str:
    return (
        f"The answer to CloudFormation was not delivered: 127.0.0.1 gave {problem}. The request's address may have "
        "expired. In a VPC the function needs a way to S3: a gateway endpoint whose policy allows CloudFormation's "
        "bucket, or a proxy."
    )


# ------------------------------------------------------------------------------------------------------ what goes out


def test_an_answer_arrives_as_it_is_under_the_address_as_it_was_signed(
    bucket: ResponseBucket, clock: VirtualClock
) -> None:
    deliver(bucket, clock)

    (put,) = bucket.received
    assert put.path == TARGET
    assert put.body == BODY
    assert put.headers["content-type"] == ""
    assert put.headers["content-length"] == str(len(BODY))


def test_an_address_that_is_not_https_is_refused(bucket: ResponseBucket, clock: VirtualClock) -> None:
    url = bucket.url(TARGET).replace("https:", "http:")

    with pytest.raises(DeliveryFailed) as caught:
        Delivery(clock, Https())(url, BODY, Deadline(clock, clock.now() + timedelta(seconds=60)))

    assert str(caught.value) == not_delivered("an address that is not https")
    assert bucket.received == []


def test_a_bucket_whose_certificate_is_not_trusted_gets_nothing(
    bucket: ResponseBucket, clock: VirtualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Certificate.made_in(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(stranger.ca_bundle))

    with pytest.raises(DeliveryFailed) as caught:
        deliver(bucket, clock)

    assert str(caught.value) == not_delivered("SSLCertVerificationError")
    assert bucket.received == []
    assert clock.now() == START  # a wait would not help


def test_a_certificate_for_another_host_is_not_trusted(
    clock: VirtualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Certificate.made_in(tmp_path, address="127.0.0.2")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(elsewhere.ca_bundle))

    with ResponseBucket(elsewhere.chain) as bucket, pytest.raises(DeliveryFailed) as caught:
        deliver(bucket, clock)

    assert str(caught.value) == not_delivered("SSLCertVerificationError")
    assert bucket.received == []


def test_a_private_ca_without_key_identifiers_is_trusted_as_boto_trusts_it(
    clock: VirtualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = Certificate.made_in(tmp_path, key_identifiers=False)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(private.ca_bundle))

    with ResponseBucket(private.chain) as bucket:
        deliver(bucket, clock)

        assert len(bucket.received) == 1


def test_an_answer_goes_through_the_proxy_that_boto_uses(
    bucket: ResponseBucket, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy() as (address, tunnels):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass@{address}")
        deliver(bucket, clock)

    assert tunnels == [(bucket.netloc, "Basic dXNlcjpwYXNz")]
    assert [put.body for put in bucket.received] == [BODY]


def test_an_answer_goes_past_the_proxy_where_boto_goes_past_it(
    bucket: ResponseBucket, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy() as (address, tunnels):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        deliver(bucket, clock)

    assert tunnels == []
    assert len(bucket.received) == 1


# ---------------------------------------------------------------------------------------------------- what comes back


@pytest.mark.parametrize(
    "troubles",
    [
        pytest.param([status(500), status(500)], id="500 twice"),
        pytest.param([status(503), status(429)], id="slow down"),
        pytest.param([reset], id="the answer to the first PUT was lost"),
        pytest.param([reset, status(502), reset], id="all kinds"),
    ],
)
def test_an_answer_arrives_after_trouble_that_passes_with_the_same_bytes_each_time(
    bucket: ResponseBucket, clock: VirtualClock, troubles: list[Behavior]
) -> None:
    bucket.will(*troubles)

    deliver(bucket, clock)

    assert [put.body for put in bucket.received] == [BODY] * (len(troubles) + 1)


@pytest.mark.parametrize("code", [400, 403, 404, 412])
def test_a_refusal_is_final(bucket: ResponseBucket, clock: VirtualClock, code: int) -> None:
    bucket.will(status(code))

    with pytest.raises(DeliveryFailed) as caught:
        deliver(bucket, clock)

    assert str(caught.value) == not_delivered(f"HTTP {code}")
    assert len(bucket.received) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(bucket: ResponseBucket, clock: VirtualClock, code: int) -> None:
    bucket.will(status(code, Location=bucket.url("/elsewhere")))

    with pytest.raises(DeliveryFailed) as caught:
        deliver(bucket, clock)

    assert str(caught.value) == not_delivered(f"HTTP {code}")
    assert [put.path for put in bucket.received] == [TARGET]


def test_a_bucket_that_fails_on_and_on_is_given_up_at_the_deadline(bucket: ResponseBucket, clock: VirtualClock) -> None:
    bucket.will(*[status(500)] * 200)
    start = clock.now()

    with pytest.raises(DeliveryFailed) as caught:
        deliver(bucket, clock, seconds=60)

    assert str(caught.value) == not_delivered("HTTP 500")
    assert (clock.now() - start).total_seconds() == 60
    assert 8 <= len(bucket.received) <= 60  # spread over the minute, no storm


def test_a_bucket_that_can_not_be_reached_is_given_up_at_the_deadline(
    bucket: ResponseBucket, clock: VirtualClock
) -> None:
    start = clock.now()
    url = f"https://{closed_port()}{TARGET}"

    with pytest.raises(DeliveryFailed) as caught:
        Delivery(clock, Https())(url, BODY, Deadline(clock, start + timedelta(seconds=60)))

    assert str(caught.value) == not_delivered("NewConnectionError")
    assert (clock.now() - start).total_seconds() == 60
    assert bucket.received == []


@pytest.mark.parametrize(
    ("behavior", "problem"),
    [
        pytest.param(silence, "ReadTimeoutError", id="a server that takes the body and says nothing"),
        pytest.param(drip, "ReadTimeoutError", id="a server that answers a byte at a time"),
    ],
)
def test_an_attempt_ends_in_its_time(bucket: ResponseBucket, behavior: Behavior, problem: str) -> None:
    bucket.will(behavior)
    start = time.monotonic()

    with pytest.raises(NotSent) as caught:
        Https()(bucket.url(TARGET), BODY, 0.4)

    assert (caught.value.problem, caught.value.again) == (problem, True)
    assert 0.3 < time.monotonic() - start < 3.0


def test_a_body_that_does_not_end_is_not_read(bucket: ResponseBucket) -> None:
    bucket.will(endless_body)
    start = time.monotonic()

    assert Https()(bucket.url(TARGET), BODY, 10.0) == 200

    assert time.monotonic() - start < 3.0


def test_an_answer_is_tried_once_even_when_the_deadline_has_passed(bucket: ResponseBucket, clock: VirtualClock) -> None:
    deliver(bucket, clock, seconds=-3)

    assert len(bucket.received) == 1


def test_no_attempt_gets_more_time_than_is_left(clock: VirtualClock) -> None:
    seconds_given: list[float] = []

    def send(_url: str, _body: bytes, seconds: float) -> int:
        seconds_given.append(seconds)
        clock.advance(seconds)
        raise NotSent("ReadTimeoutError", again=True)

    with pytest.raises(DeliveryFailed):
        Delivery(clock, send)("https://127.0.0.1/", BODY, Deadline(clock, clock.now() + timedelta(seconds=40)))

    assert seconds_given[:2] == [ATTEMPT_MAX_SECONDS, ATTEMPT_MAX_SECONDS]
    assert sum(seconds_given) <= 41  # the last one may take a second


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted where Linux lists them")
def test_nothing_stays_open_after_an_answer(bucket: ResponseBucket, clock: VirtualClock) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    https = Https()
    deadline = Deadline(clock, clock.now() + timedelta(seconds=60))
    Delivery(clock, https)(bucket.url(TARGET), BODY, deadline)
    before = open_files()

    bucket.will(status(500), reset, status(200), status(500), endless_body)
    for _ in range(5):
        Delivery(clock, https)(bucket.url(TARGET), BODY, deadline)

    end = time.monotonic() + 5  # the server's side of the connections is in this process, too
    while open_files() > before and time.monotonic() < end:
        time.sleep(0.02)
    assert open_files() <= before


# -------------------------------------------------------------------------------------------------- what may be known


def test_neither_log_nor_error_has_more_of_the_address_than_its_host(
    bucket: ResponseBucket, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.will(status(500), reset, status(403))

    with caplog.at_level(logging.WARNING), pytest.raises(DeliveryFailed) as caught:
        deliver(bucket, clock)

    assert [record.getMessage() for record in caplog.records] == [
        "The answer was not delivered to 127.0.0.1: HTTP 500.",
        "The answer was not delivered to 127.0.0.1: ProtocolError.",
        "The answer was not delivered to 127.0.0.1: HTTP 403.",
    ]
    assert str(caught.value) == not_delivered("HTTP 403")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_an_attempt_that_failed_carries_no_error_that_knows_the_address(bucket: ResponseBucket) -> None:
    bucket.will(reset)

    with pytest.raises(NotSent) as caught:
        Https()(bucket.url(TARGET), BODY, 5.0)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
