"""Questions with one answer: asked of AWS by `make live`, and of the stand-ins by the tests, by the same code.

An answer is plain JSON. Names and numbers of the caller are replaced (`record.Replacing`), so that two accounts can be
compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError


class Asked(Protocol):
    """What a question gets: clients, and things that exist for it. `thing(name)`: as `things.py` makes them."""

    def client(self, service: str) -> Any: ...
    def name(self, suffix: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Question:
    """`id`: as in records. `asks`: in words."""

    id: str
    asks: str
    ask: Callable[[Asked], Any]


def error_of(call: Callable[[], Any]) -> dict[str, str]:
    """The code and the message of the error that the call must end with; {"code": "none"} if it succeeds."""
    try:
        call()
    except ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": error.response["Error"].get("Message", "")}
    return {"code": "none", "message": ""}


QUESTIONS: Final[tuple[Question, ...]] = ()


def ask_all(asked: Asked) -> Mapping[str, Any]:
    return {question.id: question.ask(asked) for question in QUESTIONS}
