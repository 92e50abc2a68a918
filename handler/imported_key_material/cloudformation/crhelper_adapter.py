"""The only module that uses crhelper. It takes a request and its handler, and returns the outcome for CloudFormation.

crhelper 2.0.12 (https://github.com/aws-cloudformation/custom-resource-helper) implements the protocol of custom resources: it
runs the handler of a request's type, makes SUCCESS or FAILED of how that ended, and finds an id if the handler named none.
It does nothing else here. `responder.py` sends the answer. crhelper gets neither ResponseURL nor properties nor Lambda's
context, so it can't log them or pass them on. Its polling (`poll_create` and its sisters) is not used, because it stores
ResponseURL and properties in EventBridge rules.

By itself crhelper has 24 traps. For each, a test in `test_responder.py` (tests/unit/cloudformation) fails when the trap is open
again, and a test in `test_crhelper_alone.py` shows that crhelper still has it. When crhelper mends a trap, remove the override.

     #  crhelper by itself                                          here
     1  the timer's answer has an empty id, and hides the reason    no timer; deadlines leave a minute for the answer
     2  no return value: a success under a random new id            FAILED, under the request's id
     3  after the timer's FAILED, a SUCCESS follows                 one answer: the first
     4  in the last half second the timer fires at once             no timer; one attempt, however late it is
     5  the PUT has no timeout, and is repeated without end         delivery.py limits each attempt and all together
     6  any HTTP status counts as delivered                         2xx only; else DeliveryFailed, for Lambda's retry
     7  no proxy, no AWS_CA_BUNDLE; http taken for https            both found as boto3 does; https only
     8  each Delete sleeps for two minutes                          no sleep
     9  NoEcho stays from an earlier request                        answer.py writes False each time
    10  Data goes out with FAILED and with Delete                   only with a successful Create or Update
    11  Data that JSON can't hold: an answer without any id         attributes are text, else FAILED, same id
    12  answers over 4,096 bytes are sent                           FAILED, same id; Data is never cut
    13  a failed Create gets a random id, and a Delete for it       not-imported:...; a Delete of it touches nothing
    14  a failed start answers every later request FAILED           raised: Lambda starts a new environment
    15  a malformed event is answered to the request before it      nobody is answered; no request is kept
    16  the reason is the end of any exception's text               the beginning; of an unvetted exception, its class
    17  the default level logs event, address and answer            crhelper gets none of them; safe_log.py sets its level
    18  each call sets the root logger's level                      the root logger is not touched
    19  a BaseException passes through, and nobody is answered      kept: Leave ends an invocation this way
    20  the function that sends can't be replaced                   `put` is an argument of the responder
    21  an unknown RequestType is answered, with an empty id        not a request: nobody is answered
    22  ids of any type and length go out                           1 to 1,024 bytes of text, else FAILED, the request's id
    23  a repeated Create gets another id                           the life cycle's id is the key's; nothing is kept
    24  a second request meanwhile takes over the first's answer    the second is refused; the first is unharmed
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from crhelper import FAILED, CfnResource

from imported_key_material.cloudformation.outcome import Answer, Failed, Outcome
from imported_key_material.cloudformation.request import Request
from imported_key_material.errors import CannotHappen, FailureClass
from imported_key_material.safe_log import quieten_libraries

_BROKEN = "The function could not finish this request: an error in its protocol code."


@dataclass(slots=True)
class _Work:
    """One request on its way through crhelper."""

    request: Request
    handle: Callable[[], Outcome] = field(repr=False)
    failure_class: FailureClass = FailureClass.DEFECT  # crhelper keeps only the reason
    outcome: Outcome | None = None  # crhelper's first; later ones are dropped


class CrHelper(CfnResource):
    """crhelper with its traps closed. Callers use only `run`; crhelper calls the rest."""

    def __init__(self) -> None:
        self._at_work: _Work | None = None
        with _without_side_effects():
            super().__init__(sleep_on_delete=0)
        self.create(self._handler)
        self.update(self._handler)
        self.delete(self._handler)

    def run(self, request: Request, handle: Callable[[], Outcome]) -> Outcome | None:
        """The outcome for CloudFormation, under an id that is not empty. None if crhelper ends without an outcome.

        `handle` returns an id that CloudFormation takes, or "". A BaseException that it raises, as Leave, passes through.
        """
        work = self._at_work = _Work(request, handle)
        try:
            self(_what_crhelper_needs(request), None)
        finally:
            self._at_work = None  # a later event must not be answered with this request
        return work.outcome

    @property
    def _work(self) -> _Work:
        if self._at_work is None:
            raise CannotHappen("crhelper calls while there is no request.")
        return self._at_work

    def _handler(self, _event: object, _context: object) -> str:
        """`handle` as crhelper calls it: returns the id, or raises Failed, which crhelper answers as FAILED."""
        outcome = self._work.handle()
        self.PhysicalResourceId = outcome.physical_id  # crhelper keeps it when this raises, and replaces ""
        if isinstance(outcome, Failed):
            self._work.failure_class = outcome.failure_class
            raise outcome
        self.Data = dict(outcome.data)
        return outcome.physical_id

    def _send(self, status: str | None = None, _reason: str = "", _send_response: object = None) -> None:
        """Keeps what crhelper would send. After an internal error crhelper calls this again: the first outcome counts."""
        work = self._work
        if work.outcome is not None:
            return
        if status is not None:  # an error inside crhelper: nobody has vetted its text
            work.outcome = Failed(_BROKEN, work.request.fallback_id)
        elif self.Status == FAILED:
            work.outcome = Failed(self.Reason, self.PhysicalResourceId, work.failure_class)
        else:
            work.outcome = Answer(self.PhysicalResourceId, self.Data)

    def _set_timeout(self) -> None:
        """No timer. crhelper's timer answers from a second thread while the handler goes on and may still change a key.

        The life cycle has its own deadlines (`clock.py`), which leave DELIVERY_MAX_SECONDS for the answer.
        """

    def _wait_for_cwlogs(self) -> None:
        """No sleep. crhelper delays each Delete for two minutes, until its log is in CloudWatch; Lambda delivers the log."""

    def _log_setup(self, _event: object, _context: object) -> None:
        """Keeps the libraries quiet. Does not touch the root logger, which crhelper would set with every call."""
        quieten_libraries()

    def generate_physical_id(self, _event: object) -> str:
        """If no id is known: the `not-imported:` id, in place of crhelper's random id."""
        return self._work.request.not_imported_id

    def init_failure(self, error: BaseException) -> None:
        """Lets a function that can't start crash, so that Lambda starts a new one. crhelper would always answer FAILED."""
        raise error


@contextmanager
def _without_side_effects() -> Iterator[None]:
    """For crhelper's constructor: it makes three boto3 clients, unless it runs locally, and sets the root logger's level."""
    name = "AWS_SAM_LOCAL"
    before, level = os.environ.get(name), logging.root.level
    os.environ[name] = "true"
    try:
        yield
    finally:
        logging.root.setLevel(level)
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
    quieten_libraries()


def _what_crhelper_needs(request: Request) -> dict[str, str]:
    event = {
        "RequestType": str(request.type),
        "RequestId": request.request_id,
        "StackId": request.stack_id,
        "LogicalResourceId": request.logical_id,
        "ResponseURL": "",
    }
    if request.physical_id is not None:
        event["PhysicalResourceId"] = request.physical_id
    return event
