"""The text of one answer to CloudFormation, within CloudFormation's limits, and its line in the log.

What CloudFormation takes (User Guide, "Custom resource request and response reference"; both limits are its own):

- the whole answer has at most 4,096 bytes, else the resource fails with "Response object is too long.";
- PhysicalResourceId is a non-empty string of at most 1,024 bytes, else CloudFormation makes up an id and hides the
  reason;
- FAILED has a Reason; Data belongs to a successful Create or Update; its values are strings here, as Fn::GetAtt gives
  them.

Data is never cut: the stack would use an attribute with half its value. A long Reason is cut at its end, since it begins
with the first fault. The log has more of it, up to a limit. NoEcho is sent every time and is False: nothing in Data is
secret. `delivery.py` sends the answer.
"""

import json
import logging
from typing import Final

from imported_key_material.cloudformation.outcome import Answer, Failed, Outcome
from imported_key_material.cloudformation.request import PHYSICAL_ID_MAX_BYTES, Request, RequestType

BODY_MAX_BYTES: Final = 4096
REASON_LOGGED_MAX_CHARACTERS: Final = 10_000
REASON_LOGGED_CUT_NOTE: Final = " [The rest is too long for the log, too.]"
REASON_CUT_NOTE: Final = " [The whole text is in the function's log.]"
_NO_REASON: Final = "The function gave no reason. Its log shows what happened, under this request's id."


class TooLong(Exception):
    """Not even an answer without Reason and Data fits: the request's own ids leave no room."""


def usable_id(physical_id: object) -> str:
    """The id as it is, or "" if CloudFormation would not take it."""
    if not isinstance(physical_id, str):
        return ""
    # Without surrogatepass a lone surrogate would raise here, and nobody would be answered. It counts as three bytes.
    size_bytes = len(physical_id.encode("utf-8", "surrogatepass"))
    return physical_id if 1 <= size_bytes <= PHYSICAL_ID_MAX_BYTES else ""


def vet(request: Request, answer: object) -> Outcome:
    """A handler's answer if CloudFormation takes it; else the FAILED that says why.

    The FAILED keeps the id, so that the Delete of a rollback finds what was done under it; "" if the id can't be used.
    """
    if not isinstance(answer, Answer):
        return Failed(_own_fault("it ended without an answer"), "")
    physical_id = usable_id(answer.physical_id)
    if not physical_id:
        return Failed(_own_fault("it answered with a PhysicalResourceId that CloudFormation does not take"), "")
    if request.type is RequestType.DELETE:
        return Answer(physical_id)
    if not all(isinstance(text, str) for name_and_value in answer.data.items() for text in name_and_value):
        return Failed(_own_fault("it answered with an attribute that is not text"), physical_id)
    size_bytes = len(_json(_success(request, answer)))
    if size_bytes > BODY_MAX_BYTES:
        problem = f"its answer has {size_bytes:,} bytes, and CloudFormation takes {BODY_MAX_BYTES:,}"
        return Failed(_own_fault(problem), physical_id)
    return answer


def body(request: Request, outcome: Outcome) -> bytes:
    """The bytes to PUT: for a vetted Answer, or a Failed with a usable id. Raises TooLong."""
    encoded = _json(_failed(request, outcome) if isinstance(outcome, Failed) else _success(request, outcome))
    if len(encoded) > BODY_MAX_BYTES:
        raise TooLong
    return encoded


def log_outcome(logger: logging.Logger, request: Request, outcome: Outcome) -> None:
    """Writes the one log line that says how a request ended."""
    what = (request.type, request.logical_id, outcome.physical_id, request.request_id, request.stack_id)
    if isinstance(outcome, Failed):
        logger.warning("FAILED %s of %s as %s, request %s, stack %s. %s", *what, _limit(outcome.reason))
    else:
        logger.info("SUCCESS %s of %s as %s, request %s, stack %s.", *what)


def _success(request: Request, answer: Answer) -> dict[str, object]:
    fields = _fields(request, "SUCCESS", answer.physical_id)
    if request.type is not RequestType.DELETE:
        fields["Data"] = dict(answer.data)
    return fields


def _failed(request: Request, failed: Failed) -> dict[str, object]:
    fields = _fields(request, "FAILED", failed.physical_id)
    room = BODY_MAX_BYTES - len(_json({**fields, "Reason": ""}))
    fields["Reason"] = _fit(_one_line(_limit(failed.reason)) or _NO_REASON, room)
    return fields


def _fields(request: Request, status: str, physical_id: str) -> dict[str, object]:
    return {
        "Status": status,
        "PhysicalResourceId": physical_id,
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
        "NoEcho": False,
    }


def _json(value: object) -> bytes:
    # ASCII, everything else escaped: the PUT has no content type that could name a charset. One character is one byte,
    # so it does not matter which of the two CloudFormation counts.
    return json.dumps(value, ensure_ascii=True).encode("ascii")


def _limit(reason: str) -> str:
    """The reason, cut at the log's limit. None of our sentences is so long; no text may flood the log."""
    if len(reason) <= REASON_LOGGED_MAX_CHARACTERS:
        return reason
    return reason[:REASON_LOGGED_MAX_CHARACTERS] + REASON_LOGGED_CUT_NOTE


def _one_line(text: str) -> str:
    """The text as one printable line. This drops lone surrogates, too, which strict JSON parsers refuse."""
    return " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())


def _fit(reason: str, room: int) -> str:
    """The reason; if it is too long, its beginning, cut after a sentence, else after a word, else anywhere."""
    if _cost(reason) <= room:
        return reason
    beginning = _beginning(reason, room - _cost(REASON_CUT_NOTE))
    least = len(beginning) // 2  # a cut further up would lose too much text
    if (stop := beginning.rfind(". ")) >= least:
        beginning = beginning[: stop + 1]
    elif (space := beginning.rfind(" ")) >= least:
        beginning = beginning[:space] + "..."
    return (beginning + REASON_CUT_NOTE)[: max(room, 0)]


def _beginning(text: str, room: int) -> str:
    used = len("...")
    for index, char in enumerate(text):
        used += _cost(char)
        if used > room:
            return text[:index]
    return text


def _cost(text: str) -> int:
    """How many bytes a text takes inside the quotes of the answer's JSON."""
    return len(_json(text)) - len('""')


def _own_fault(problem: str) -> str:
    return f"The function met a fault of its own: {problem}. Its log shows where, under this request's id."
