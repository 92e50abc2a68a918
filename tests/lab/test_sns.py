"""The stand-in for SNS, through boto3: it keeps what was published, and refuses what SNS refuses."""

import pytest
from botocore.exceptions import ClientError

from lab.clock import VirtualClock
from lab.sns import Message, Sns
from lab.wire.in_process import InProcessAws

TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"


@pytest.fixture
def sns():
    return Sns(TOPIC)


@pytest.fixture
def client(sns):
    with InProcessAws(VirtualClock(), [sns]) as aws:
        yield aws.client("sns")


def test_a_message_is_kept(sns, client):
    assert client.publish(TopicArn=TOPIC, Subject="x" * 99, Message="ü" * 131_072)["MessageId"]
    assert sns.published == [Message(TOPIC, "x" * 99, "ü" * 131_072)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Subject": "x" * 100}, "InvalidParameter"),
        ({"Subject": "a\nb"}, "InvalidParameter"),
        ({"Subject": " a"}, "InvalidParameter"),
        ({"Subject": "ü"}, "InvalidParameter"),
        ({"Message": ""}, "InvalidParameter"),
        ({"Message": "ü" * 131_072 + "x"}, "InvalidParameter"),
        ({"TopicArn": f"{TOPIC}-2"}, "NotFound"),
    ],
)
def test_what_sns_refuses_is_refused(sns, client, changes, code):
    with pytest.raises(ClientError) as caught:
        client.publish(**{"TopicArn": TOPIC, "Subject": "a", "Message": "b"} | changes)

    assert caught.value.response["Error"]["Code"] == code
    assert sns.published == []
