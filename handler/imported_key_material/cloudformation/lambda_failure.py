"""Why Lambda gave up a request, in sentences for the stack's events. Pure.

Lambda sends a record to the on-failure destination of a function that was invoked asynchronously. It has the event, how often
Lambda tried it, and how the last try ended (Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations").
Held here:

- no text of an exception is passed on, since nobody has vetted it. Lambda's own errors are recognized; of any other error the
  sentence names the class;
- the sentence says what is not known: nobody can know what an invocation did before it was killed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from imported_key_material.cloudformation.request import NotARequest, Request, RequestType


class Cause(NamedTuple):
    """What went wrong, and what to do about it."""

    problem: str
    remedy: str


@dataclass(frozen=True, slots=True, repr=False)
class GivenUp:
    """`event`: the request, as CloudFormation sent it. `tries`: 0 if none began, or if the record does not say."""

    event: object
    cause: Cause
    tries: int
    lambda_request_id: str  # "" if the record has none


_RUN_AGAIN: Final = "Run the deployment again."

# How the last try ended: searched in `errorType errorMessage`, first match. Source: Lambda Developer Guide, "Troubleshoot
# invocation issues" and "Lambda runtime API". Lambda has two texts for memory that has run out.
_ENDS: Final = (
    (
        re.compile(r"^Sandbox\.Timedout|\bTask timed out after "),
        Cause(
            "the function did not end within its time, and Lambda stopped it.",
            f"{_RUN_AGAIN} If it happens again, its log shows how far it got.",
        ),
    ),
    (
        re.compile(r"^Runtime\.OutOfMemory|\bsignal: killed\b"),
        Cause(
            "the function was killed in the middle of its work; most often it has run out of memory.",
            f"{_RUN_AGAIN} If it happens again, raise MemorySize in the application's template.",
        ),
    ),
    (
        re.compile(
            r"^Runtime\.(ImportModuleError|HandlerNotFound|MalformedHandlerName|UserCodeSyntaxError|InvalidEntrypoint)"
        ),
        Cause(
            "the function's code could not be loaded.",
            "Build and deploy the application again; its log names what is missing.",
        ),
    ),
    (
        re.compile(r"^(Runtime\.ExitError|Extension\.)"),
        Cause("the function's process ended in the middle of its work.", _RUN_AGAIN),
    ),
    (
        re.compile(r"^DeliveryFailed "),
        Cause(
            "the function could not deliver its answer.",
            "Its log has the answer. In a VPC the function needs a way to CloudFormation's bucket in Amazon S3.",
        ),
    ),
)

# Why Lambda stopped trying, if the last try did not end in one of the ways above.
_CONDITIONS: Final[Mapping[str, Cause]] = {
    "ZeroReservedConcurrency": Cause(
        "the function's reserved concurrency is 0, so that it never runs.",
        "Remove that limit with aws lambda delete-function-concurrency.",
    ),
}
# Why Lambda never tried it. A request that was tried can grow too old as well (recorded in 2025, after one try and after two);
# then the error of its last try is the cause.
_CONDITIONS_OF_THE_UNTRIED: Final[Mapping[str, Cause]] = {
    "EventAgeExceeded": Cause(
        "it waited in Lambda's queue until it was too old.",
        "Raise the application's ReservedConcurrency or leave it empty, if it is set. Else ask Service Quotas for more "
        "concurrent executions of Lambda (L-B99A9384), or deploy fewer resources at once (chain them with DependsOn).",
    ),
}
_UNKNOWN: Final = Cause("Lambda does not say why.", f"{_RUN_AGAIN} If it happens again, look at the function's log.")

_CLASS_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")
_LAMBDA_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


def read(record: object) -> GivenUp:
    """Raises NotARequest if it is no such record."""
    if not isinstance(record, Mapping) or not isinstance(record.get("requestContext"), Mapping):
        raise NotARequest("The event is not Lambda's record of a request that failed: requestContext is missing.")
    context = record["requestContext"]
    count = context.get("approximateInvokeCount")
    tries = count if isinstance(count, int) and 0 <= count <= 100 else 0
    return GivenUp(
        event=record.get("requestPayload"),
        cause=_cause(record.get("responsePayload"), context.get("condition"), tries),
        tries=tries,
        lambda_request_id=_match(_LAMBDA_REQUEST_ID, context.get("requestId")),
    )


def reason(given_up: GivenUp, request: Request, *, rolling_back: bool) -> str:
    """The whole text of the answer: what happened, what is not known, what to do."""
    tried = f" after {given_up.tries} {'try' if given_up.tries == 1 else 'tries'}" if given_up.tries else ""
    where = f" Lambda's id of the request is {given_up.lambda_request_id}." if given_up.lambda_request_id else ""
    in_rollback = f" {_ROLLBACK_STOPS}" if rolling_back else ""
    return (
        f"Lambda gave this {request.type} request up{tried}: {given_up.cause.problem} {_NOT_KNOWN[request.type]} "
        f"{given_up.cause.remedy}{in_rollback}{where}"
    )


_NOT_KNOWN: Final[Mapping[RequestType, str]] = {
    RequestType.CREATE: (
        "Whether the material was imported is not known. If it was, the key keeps it, and the Delete that follows does not "
        "remove it."
    ),
    RequestType.UPDATE: "Whether material was imported is not known. If it was, the key keeps it.",
    RequestType.DELETE: "Whether the material was removed is not known.",
}
_ROLLBACK_STOPS: Final = "The rollback stops here; aws cloudformation continue-update-rollback goes on with it."


def _cause(payload: object, condition: object, tries: int) -> Cause:
    error = payload if isinstance(payload, Mapping) else {}
    end = f"{error.get('errorType', '')} {error.get('errorMessage', '')}"
    for pattern, cause in _ENDS:
        if pattern.search(end):
            return cause
    known = _CONDITIONS if tries or error else {**_CONDITIONS, **_CONDITIONS_OF_THE_UNTRIED}
    if isinstance(condition, str) and condition in known:
        return known[condition]
    name = _match(_CLASS_NAME, error.get("errorType"))
    return Cause(f"the function failed with {name}.", _UNKNOWN.remedy) if name else _UNKNOWN


def _match(form: re.Pattern[str], value: object) -> str:
    """The value if it is text of this form, else ""."""
    return value if isinstance(value, str) and form.fullmatch(value) else ""
