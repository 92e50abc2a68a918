"""The person who gets the messages of an SNS topic: a queue that is subscribed to it."""

import json
import secrets
from typing import NamedTuple

from lab.local.session import LocalAws

RECEIVED_AT_ONCE_MAX = 10


class Mail(NamedTuple):
    """`text`: of an alarm, JSON; of the watch, a digest."""

    subject: str
    text: str


class Mailbox:
    """`topic_arn`: the topic, which is made if it does not exist."""

    def __init__(self, aws: LocalAws, topic: str) -> None:
        self._sqs = aws.client("sqs")
        sns = aws.client("sns")
        self.topic_arn: str = sns.create_topic(Name=topic)["TopicArn"]
        name = f"{topic}-{secrets.token_hex(4)}"
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = f"arn:aws:sqs:{aws.settings.region}:{aws.settings.account}:{name}"
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps(policy)})
        sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=arn)

    def take(self) -> list[Mail]:
        """What has arrived since the last time."""
        answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=RECEIVED_AT_ONCE_MAX)
        received = answer.get("Messages", [])
        for one in received:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=one["ReceiptHandle"])
        notices = [json.loads(one["Body"]) for one in received]
        return [Mail(notice.get("Subject", ""), notice["Message"]) for notice in notices]
