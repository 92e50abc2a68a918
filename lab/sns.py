"""SNS's Publish to a topic, over the query protocol. It keeps what was published, and refuses what SNS refuses.

Source: API reference of SNS, Publish: a subject is ASCII text of less than 100 characters without line breaks and control
characters, that begins with a letter, number, or punctuation mark; a message has at most 262,144 bytes of UTF-8.
"""

import re
from dataclasses import dataclass
from typing import Final

from lab.wire import aws_json, aws_query
from lab.wire.transport import Refusal, Request, Response

_SUBJECT: Final = re.compile(r"[!-~][ -~]{0,98}")
_MESSAGE_MAX_BYTES: Final = 262_144


@dataclass(frozen=True, slots=True)
class Message:
    topic_arn: str
    subject: str
    body: str


class Sns:
    """Knows one topic."""

    name = "sns"
    fault_answers = aws_query.FAULT_ANSWERS

    def __init__(self, topic_arn: str) -> None:
        self._topic_arn = topic_arn
        self.published: list[Message] = []

    def operation(self, request: Request) -> str:
        return aws_query.parameters(request.body).get("Action", "")

    def refuse(self, refusal: Refusal) -> Response:
        return aws_query.refused(refusal)

    def handle(self, request: Request) -> Response:
        given = aws_query.parameters(request.body)
        if given.get("Action") != "Publish":
            return self.refuse(Refusal(400, "InvalidAction", "These tests' stand-in for SNS only knows Publish."))
        message = Message(given.get("TopicArn", ""), given.get("Subject", ""), given.get("Message", ""))
        if message.topic_arn != self._topic_arn:
            return self.refuse(Refusal(404, "NotFound", "Topic does not exist"))
        if not _SUBJECT.fullmatch(message.subject):
            return self.refuse(Refusal(400, "InvalidParameter", "Invalid parameter: Subject"))
        if not message.body or len(message.body.encode()) > _MESSAGE_MAX_BYTES:
            return self.refuse(Refusal(400, "InvalidParameter", "Invalid parameter: Message too long"))
        self.published.append(message)
        answer = {"MessageId": f"00000000-0000-4000-8000-{len(self.published):012}"}
        return aws_query.ok(aws_json.service_model("sns"), "Publish", answer)
