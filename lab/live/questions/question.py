"""A question, what it gets, and how it is asked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from lab.live.made import Made
from lab.live.questions.stacks import Stacks
from lab.live.questions.things import Things
from lab.live.record import Replacing
from lab.local.stacks import DidNotEnd

THROTTLED: Final = ("ThrottlingException", "Throttling", "TooManyRequestsException")
TRIES: Final = 6
PAUSE_SECONDS: Final = 4.0  # GetParametersForImport's quota may be one request in four seconds
DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked. `stacks` and `things` make what a question is about when the first question needs it."""

    made: Made
    stacks: Stacks
    things: Things

    def client(self, service: str) -> Any:
        return self.made.account.client(service)


@dataclass(frozen=True, slots=True)
class Question:
    """`id`: as in records. `asks`: in words. `ask` returns JSON.

    `not_local`: what the local AWS does otherwise, so that it is not asked there; "" if it answers as AWS does.
    """

    id: str
    asks: str
    ask: Callable[[Asked], Any]
    not_local: str = ""

    @property
    def service(self) -> str:
        return self.id.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """`value`: with everything replaced that names the caller. `failed`: why there is none; "" if there is one."""

    value: Any = None
    failed: str = ""


def answer(question: Question, asked: Asked) -> Answer:
    """Asks it, again if it is throttled. An error that the question did not ask for is no answer."""
    failed = ""
    for _ in range(TRIES):
        try:
            value = question.ask(asked)
        except ClientError as error:
            code, failed = (
                error.response["Error"]["Code"],
                f"{error.response['Error']['Code']} at {error.operation_name}",
            )
        except (LookupError, DidNotEnd) as error:
            return Answer(failed=f"an answer is not whole: {type(error).__name__}: {error}")
        else:
            code = value.get("code", "") if isinstance(value, dict) else ""
            if code not in (*THROTTLED, *DENIED):
                return Answer(normal(value, asked))
            failed = f"{code}: the caller may not ask, or not so often"
        if code not in THROTTLED:
            break
        asked.made.account.sleep(PAUSE_SECONDS)
    return Answer(failed=failed)


def normal(value: Any, asked: Asked) -> Any:
    """Each answer by itself, so that it does not depend on the questions before it."""
    return _of_any_region(Replacing(asked.made.run)(value), asked.made.account.region)


def _of_any_region(value: Any, region: str) -> Any:
    match value:
        case str():
            return value.replace(region, "REGION")
        case dict():
            return {name: _of_any_region(item, region) for name, item in value.items()}
        case list():
            return [_of_any_region(item, region) for item in value]
    return value


def error_of(call: Callable[[], Any]) -> dict[str, str]:
    """The code and the message of the error that the call must end with; {"code": "none"} if it succeeds."""
    try:
        call()
    except ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": error.response["Error"].get("Message", "")}
    return {"code": "none"}


def which_of(answer: Any, names: Iterable[str]) -> dict[str, bool]:
    """Which of these keys an answer has."""
    return {name: name in answer for name in names}
