"""No output shows a planted value: not in a log at DEBUG, on stdout or stderr, in an answer, in an exception.

The values: the signature of the ResponseURL, a property that a user filled with plaintext, the text of an exception. The
tests look for them as they are, in hex, in base64 and percent-encoded.
"""

import base64
import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from imported_key_material.cloudformation.delivery import Delivery, Https
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.cloudformation.request import Request, RequestType
from imported_key_material.cloudformation.responder import Handle, Responder
from imported_key_material.errors import Fault, ImportedKeyMaterialError, Leave, Refused
from imported_key_material.invocation import Context
from imported_key_material.meter import Unmetered
from imported_key_material.safe_log import quieten_libraries
from lab.clock import VirtualClock
from lab.cloudformation.events import KEY_ARN, SIGNATURE, Remaining, event, request
from lab.cloudformation.response_bucket import Behavior, ResponseBucket, endless_body, reset, status
from tests.support.responding import KeptAnswers, done, raising, responder

IN_A_PROPERTY = "plaintext put into a property: 7=+/&"
IN_AN_OLD_PROPERTY = "plaintext of the old property: 8=+/&"
IN_AN_EXCEPTION = "SecretString: correct horse battery: 9=+/&"
PLANTED = (SIGNATURE, IN_A_PROPERTY, IN_AN_OLD_PROPERTY, IN_AN_EXCEPTION)


def forms(planted: str) -> Iterator[str]:
    """A value in every form in which it could come out; base64 at its three offsets, less the uncertain ends."""
    raw = planted.encode()
    yield planted
    yield quote(planted)
    yield raw.hex()
    yield raw.hex().upper()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        yield encoded[4 if offset else 0 : -4].decode()
        yield base64.urlsafe_b64encode(b"\0" * offset + raw)[4 if offset else 0 : -4].decode()


def assert_nothing_planted(text: str) -> None:
    found = [form for planted in PLANTED for form in forms(planted) if form in text]
    assert found == []


def leaking(request_: Request, _context: Context) -> Answer:
    """A life cycle that fails with a secret in its exception, and another in the cause."""
    try:
        raise KeyError(IN_AN_EXCEPTION)
    except KeyError as error:
        raise ValueError(f"{IN_AN_EXCEPTION}: {request_.properties} {request_.response_url}") from error


def refusing_after(request_: Request, _context: Context) -> Answer:
    """A life cycle that refuses in a sentence, while it handles an exception that holds a secret."""
    try:
        raise KeyError(IN_AN_EXCEPTION, request_.response_url)
    except KeyError:
        raise Refused(Fault("SecretId", "the secret holds 33 bytes.")) from None


def failing_after(request_: Request, _context: Context) -> Answer:
    try:
        raise KeyError(IN_AN_EXCEPTION, request_.response_url)
    except KeyError as error:
        raise Failed("KMS did not confirm the import.", KEY_ARN) from error


class Seen:
    """All output of the process while something runs, with every logger at its most verbose."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        self._caplog, self._capfd = caplog, capfd
        caplog.set_level(logging.DEBUG)
        caplog.set_level(logging.DEBUG, "imported_key_material")

    def during(self, run: Callable[[], None]) -> str:
        raised = ""
        try:
            run()
        except (ImportedKeyMaterialError, Leave) as error:
            raised = f"{error!r} {vars(error)} {error.__cause__!r} {error.__context__!r}"
            raised += "".join(traceback.format_exception(error))
        fields = "".join(repr(vars(record)) for record in self._caplog.records)
        return "".join([raised, fields, self._caplog.text, *self._capfd.readouterr()])


@pytest.fixture
def seen(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Seen:
    return Seen(caplog, capfd)


FULL: dict[str, Any] = {
    "ResourceProperties": {"KeyId": IN_A_PROPERTY, IN_A_PROPERTY: {"Material": [IN_A_PROPERTY]}},
    "OldResourceProperties": {"SecretId": IN_AN_OLD_PROPERTY},
}


@pytest.mark.parametrize("request_type", list(RequestType))
@pytest.mark.parametrize("handler", [done, leaking, refusing_after, failing_after, raising(Leave())])
@pytest.mark.parametrize(
    "behaviors",
    [
        pytest.param([], id="delivered"),
        pytest.param([status(500), reset], id="delivered in the end"),
        pytest.param([status(403)], id="refused"),
        pytest.param([status(307, Location="https://127.0.0.1/?X-Amz-Signature=2")], id="redirected"),
        pytest.param([endless_body], id="answered without an end"),
        pytest.param([reset] * 200, id="never delivered"),
    ],
)
def test_nothing_planted_comes_out_of_a_request_however_it_ends(
    bucket: ResponseBucket, seen: Seen, request_type: RequestType, handler: Handle, behaviors: list[Behavior]
) -> None:
    bucket.will(*behaviors)
    clock = VirtualClock()
    answering = responder(Delivery(clock, Https()), handler, also=bucket.netloc, clock=clock)

    out = seen.during(lambda: answering(event(str(request_type), origin=bucket.url(""), **FULL), Remaining()))

    assert_nothing_planted(out + "".join(put.body.decode() for put in bucket.received))


@pytest.mark.parametrize("missing", ["StackId", "RequestType", "LogicalResourceId", "PhysicalResourceId"])
def test_nothing_planted_comes_out_of_a_malformed_event(seen: Seen, missing: str) -> None:
    kept = KeptAnswers()

    out = seen.during(lambda: responder(kept)(event("Update", **{**FULL, missing: None}), Remaining()))

    assert kept.answers == []
    assert_nothing_planted(out)


def test_nothing_planted_comes_out_of_a_foreign_address(seen: Seen) -> None:
    out = seen.during(
        lambda: responder(KeptAnswers())(event("Update", origin="https://example.com", **FULL), Remaining())
    )

    assert_nothing_planted(out)


def test_nothing_planted_comes_out_where_the_bucket_is_not_trusted(
    bucket: ResponseBucket, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    clock = VirtualClock()
    answering = responder(Delivery(clock, Https()), leaking, also=bucket.netloc, clock=clock)

    out = seen.during(lambda: answering(event("Update", origin=bucket.url(""), **FULL), Remaining()))

    assert "SSLCertVerificationError" in out
    assert bucket.received == []
    assert_nothing_planted(out)


def test_nothing_planted_comes_out_where_reading_or_putting_breaks(seen: Seen) -> None:
    def broken(*_: object) -> Request:
        raise ValueError(f"{IN_AN_EXCEPTION} {event('Create')['ResponseURL']}")

    kept = KeptAnswers()
    kept.error = ValueError(f"{IN_AN_EXCEPTION} {event('Create')['ResponseURL']}")
    unread = Responder(done, read=broken, put=kept, clock=VirtualClock(), meter=Unmetered())

    out = seen.during(lambda: unread(event("Create", **FULL), Remaining()))
    out += seen.during(lambda: responder(kept)(event("Create", **FULL), Remaining()))

    assert "The event could not be read" in out
    assert "was not delivered: ValueError" in out
    assert_nothing_planted(out)


def test_a_request_shows_nothing_planted() -> None:
    assert_nothing_planted(repr(request("Update", **FULL)))


def test_what_is_planted_is_found_in_each_form() -> None:
    for planted in PLANTED:
        for around in (b"", b"a", b"ab"):
            base64_text = base64.b64encode(around + planted.encode() + b"tail").decode()
            for text in (planted, quote(planted), planted.encode().hex(), base64_text):
                with pytest.raises(AssertionError):
                    assert_nothing_planted(f"before {text} after")


@pytest.mark.parametrize(
    "name",
    [
        "crhelper.resource_helper",
        "crhelper.utils",
        "boto3",
        "botocore.parsers",
        "botocore.endpoint",
        "urllib3.connectionpool",
    ],
)
def test_libraries_stay_quiet_whatever_the_root_logger_says(caplog: pytest.LogCaptureFixture, name: str) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger(name.split(".", maxsplit=1)[0]).setLevel(logging.DEBUG)

    quieten_libraries()

    assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_libraries_that_were_turned_up_are_quiet_again_with_the_next_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answering = responder(KeptAnswers())
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    logging.getLogger("crhelper").setLevel(logging.DEBUG)

    answering(event("Create"), Remaining())

    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.INFO)
    assert not logging.getLogger("crhelper.utils").isEnabledFor(logging.ERROR)
