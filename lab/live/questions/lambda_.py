"""Questions to Lambda."""

from typing import Final

from lab.live.questions.question import Asked, Question, error_of


def _unknown(asked: Asked) -> dict[str, str]:
    account = asked.made.account
    name = asked.things.name("function")
    arn = f"arn:{account.partition}:lambda:{account.region}:{account.number}:function:{name}"
    return error_of(lambda: asked.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=b"{}"))


QUESTIONS: Final = (
    Question("lambda:unknown-function", "What does Invoke say of a function that does not exist?", _unknown),
)
