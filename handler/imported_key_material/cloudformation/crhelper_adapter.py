"""crhelper behind one door: a request and its handler go in, what CloudFormation is to be told comes out.

crhelper 2.0.12 (https://github.com/aws-cloudformation/custom-resource-helper) carries the protocol of custom resources: it
runs the handler of a request's type, makes SUCCESS or FAILED of how that ended, and finds an id where the handler named none.
It does nothing else here. `responder.py` sends the answer. crhelper gets neither ResponseURL nor properties nor Lambda's
context: what it does not have, it can't log or pass on. Its polling (`poll_create` and its sisters) is not used: it keeps
ResponseURL and properties in EventBridge rules.

By itself crhelper has 24 traps. For each, a test in `test_responder.py` (tests/unit/cloudformation) fails when the trap is open
again, and one in `test_crhelper_alone.py` shows that crhelper still has it. When crhelper mends one, its override can go.

     #  crhelper by itself                                          here
     1  the timer's answer has an empty id, and hides the reason    no timer; deadlines leave a minute for the answer
     2  no return value: a success under a random new id            FAILED, under the id there was
     3  after the timer's FAILED, a SUCCESS follows                 one answer: the first
     4  in the last half second the timer fires at once             no timer; one attempt, however late it is
     5  the PUT has no timeout, and is repeated for ever            delivery.py: each attempt and the whole have an end
     6  any HTTP status counts as delivered                         2xx only; else DeliveryFailed, for Lambda's retry
     7  no proxy, no AWS_CA_BUNDLE; http taken for https            as boto3 finds them; https only
     8  each Delete sleeps for two minutes                          no sleep
     9  NoEcho stays from an earlier request                        answer.py writes False each time
    10  Data goes out with FAILED and with Delete                   only with a successful Create or Update
    11  Data that JSON can't hold: an answer without any id         attributes are text, else FAILED, same id
    12  answers over 4,096 bytes are sent                           FAILED, same id; Data is never cut
    13  a failed Create gets a random id, and a Delete for it       not-imported:..., of which a Delete touches nothing
    14  a failed start answers every later request FAILED           raised: Lambda starts anew
    15  a malformed event is answered to the request before it      nobody is answered; nothing is kept
    16  the reason is the end of any exception's text               the beginning; of an unvetted exception, its class
    17  the default level logs event, address and answer            it has none of them; safe_log.py sets its level
    18  each call sets the root logger's level                      the root logger is left alone
    19  what is no Exception passes through unanswered              kept: Leave ends an invocation this way
    20  the function that sends can't be replaced                   the `put` is an argument of the responder
    21  an unknown RequestType is answered, with an empty id        not a request: nobody is answered
    22  ids of any type and length go out                           1 to 1,024 bytes of text, else FAILED, the id there was
    23  a repeated Create gets another id                           the life cycle's id is the key's; nothing is kept
    24  a second request meanwhile takes the first's answer over    refused; the first is unharmed
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from crhelper import FAILED, CfnResource

from imported_key_material.cloudformation.outcome import Answer, Failed, Outcome
from imported_key_material.cloudformation.request import Request
from imported_key_material.errors import CannotHappen
from imported_key_material.safe_log import quieten_libraries

_BROKEN = "The function could not finish this request: an error in its protocol code."


@dataclass(slots=True)
class _Work:
    """One request on its way through crhelper."""

    request: Request
    handle: Callable[[], Outcome] = field(repr=False)
    outcome: Outcome | None = None  # the first that crhelper comes to; later ones are dropped


class CrHelper(CfnResource):
    """crhelper with its traps closed. `run` is all that is called from outside; the rest is what crhelper calls."""

    def __init__(self) -> None:
        self._at_work: _Work | None = None
        with _without_side_effects():
            super().__init__(sleep_on_delete=0)
        self.create(self._handler)
        self.update(self._handler)
        self.delete(self._handler)

    def run(self, request: Request, handle: Callable[[], Outcome]) -> Outcome | None:
        """The outcome that CloudFormation is to be told, under an id that is not empty. None where crhelper ends without one.

        `handle` gives an id that CloudFormation takes, or "". What it raises and is no Exception passes through.
        """
        work = self._at_work = _Work(request, handle)
        try:
            self(_what_crhelper_needs(request), None)
        finally:
            self._at_work = None  # nothing is left that a later event could be answered with
        return work.outcome

    @property
    def _work(self) -> _Work:
        if self._at_work is None:
            raise CannotHappen("crhelper calls while there is no request.")
        return self._at_work

    def _handler(self, _event: object, _context: object) -> str:
        """`handle` as crhelper calls it: returns the id, or raises what crhelper makes FAILED of."""
        outcome = self._work.handle()
        self.PhysicalResourceId = outcome.physical_id  # kept when this raises; crhelper finds another for ""
        if isinstance(outcome, Failed):
            raise outcome
        self.Data = dict(outcome.data)
        return outcome.physical_id

    def _send(self, status: str | None = None, _reason: str = "", _send_response: object = None) -> None:
        """Keeps what crhelper would send. After errors of its own it calls again: the first outcome counts."""
        work = self._work
        if work.outcome is not None:
            return
        if status is not None:  # an error inside crhelper; its text is not vetted
            work.outcome = Failed(_BROKEN, work.request.fallback_id)
        elif self.Status == FAILED:
            work.outcome = Failed(self.Reason, self.PhysicalResourceId)
        else:
            work.outcome = Answer(self.PhysicalResourceId, self.Data)

    def _set_timeout(self) -> None:
        """No timer. crhelper's answers from a second thread while the handler goes on, and may yet change a key.

        The life cycle has deadlines of its own (`clock.py`), which leave DELIVERY_MAX_SECONDS for the answer.
        """

    def _wait_for_cwlogs(self) -> None:
        """No sleep. crhelper holds each Delete for two minutes, until its log is in CloudWatch; Lambda sees to that."""

    def _log_setup(self, _event: object, _context: object) -> None:
        """Leaves the root logger alone, which crhelper sets with every call, and keeps the libraries quiet."""
        quieten_libraries()

    def generate_physical_id(self, _event: object) -> str:
        """Where no id is known: one that says so, in place of crhelper's random one."""
        return self._work.request.not_imported_id

    def init_failure(self, error: BaseException) -> None:
        """A function that can't start crashes, and Lambda tries a new one; crhelper would answer FAILED for ever."""
        raise error


@contextmanager
def _without_side_effects() -> Iterator[None]:
    """For crhelper's constructor: it makes three boto3 clients, unless it runs locally, and sets the root level."""
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
