"""An event that fails on the local AWS: it is tried again, given up, and sent to the on-failure destination.

The tests run on the corrected MiniStack and on the plain one, as in test_corrections.py.
"""

import json
import time
from contextlib import contextmanager

import pytest

from lab.local import places
from lab.local.clients import client
from lab.local.ministack import MiniStack
from lab.local.scripted import CrashedOnPurpose, Scripted

pytestmark = pytest.mark.xdist_group("local-aws-asynchronous")

QUIET_SECONDS = 0.5  # after this time nothing more comes: the longest wait here is 0.2 s


class Pair:
    """A function, and the function of its on-failure destination."""

    def __init__(self, settings, first, second):
        self.lambda_ = client(settings, "lambda")
        self.first, self.second = first, second
        self.first_arn, self.second_arn = first.deploy(settings), second.deploy(settings)

    def fails(self, retries, *, destination_fails=0):
        """The records that the destination got for one event whose every try fails."""
        self.first.events.clear()
        self.second.events.clear()
        self.lambda_.put_function_event_invoke_config(
            FunctionName="first",
            Qualifier="$LATEST",
            MaximumRetryAttempts=retries,
            DestinationConfig={"OnFailure": {"Destination": self.second_arn}},
        )

        def crash(_event):
            raise CrashedOnPurpose

        def crash_at_first(_event):
            if len(self.second.events) <= destination_fails:
                raise CrashedOnPurpose

        self.first.play, self.second.play = crash, crash_at_first
        self.lambda_.invoke(FunctionName="first", InvocationType="Event", Payload=json.dumps({"a": 1}).encode())
        self.second.wait_for_events(1 + destination_fails, seconds=5)
        time.sleep(QUIET_SECONDS)
        return list(self.second.events)


@contextmanager
def pair(*, plain):
    folder = places.temporary_folder("asynchronous")
    first, second = Scripted("first"), Scripted("second")
    proxies = {"first": first.url, "second": second.url}
    ministack = MiniStack(folder, proxies=proxies, plain=plain, retry_seconds=0.1)
    try:
        yield Pair(ministack.start(), first, second)
    finally:
        ministack.stop()
        first.close()
        second.close()
        places.remove_tree(folder)


@pytest.fixture(scope="module")
def corrected():
    with pair(plain=False) as one:
        yield one


@pytest.fixture(scope="module")
def plain():
    with pair(plain=True) as one:
        yield one


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_the_record_shows_how_often_it_was_tried(corrected, plain, retries):
    (record,) = corrected.fails(retries)
    assert len(corrected.first.events) == 1 + retries
    assert record["version"] == "1.0"
    assert record["requestContext"] == {
        "requestId": record["requestContext"]["requestId"],
        "functionArn": f"{corrected.first_arn}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 1 + retries,
    }
    assert record["requestPayload"] == {"a": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorMessage"].startswith("Proxy target returned HTTP 500")

    (other,) = plain.fails(retries)
    assert other["requestContext"] == {
        "functionArn": plain.first_arn,
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }


def test_a_destination_that_fails_is_tried_again(corrected, plain):
    first, second = corrected.fails(0, destination_fails=1)
    assert first == second

    assert len(plain.fails(0, destination_fails=1)) == 1
