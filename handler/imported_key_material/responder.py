"""A CloudFormation request in, one answer out: crhelper, with its traps closed.

crhelper 2.0.12 carries the protocol: which handler, what becomes of its return value or exception, which id, when to
answer. This subclass overrides where it is trapped; docs/internals/crhelper.md lists the 24 traps, each with its remedy and its
test. Held here (docs/internals/design.md, rule 10):

- an event is a request of CloudFormation to this function, or nothing happens at all;
- each execution makes one effort to deliver one answer; the first answer wins. `Leave` ends an execution without one;
- only sentences that were written for users reach CloudFormation; of any other exception, its class;
- an answer that can't be delivered is raised: Lambda sees a failure, repeats the request, and in the end hands it to
  the on-failure destination. crhelper reports success;
- crhelper gets an event without ResponseURL and properties: what it does not have, it can't log or hand on.

What the answer looks like is `answer.py`; how it is delivered, `delivery.py`; what is done, the handlers passed in. No
log line of this module carries a property, a URL or the text of an unvetted exception.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from crhelper import FAILED, CfnResource

from imported_key_material.answer import TooLong, body, log_outcome, usable_id, vetted
from imported_key_material.delivery import DELIVERY_MAX_SECONDS, Context, DeliveryFailed, Put
from imported_key_material.errors import ImportedKeyMaterialError, Leave
from imported_key_material.quiet import log_unexpected, quieten_libraries
from imported_key_material.request import Answer, Failed, NotARequest, Request, RequestType
from imported_key_material.waiting import Clock, Deadline

AFTERWARDS_SECONDS: Final = 2.0  # to log what became of the answer, and to end the invocation

logger = logging.getLogger(__name__)


type Handler = Callable[[Request, Context], Answer]  # raises Failed, an ImportedKeyMaterialError, or Leave
type Read = Callable[[object, Context], Request]  # raises NotARequest


@dataclass(slots=True)
class _Execution:
    """One invocation, from a valid request to its answer."""

    request: Request
    context: Context
    answering: bool = False  # set before the first byte goes out, and never taken back
    undelivered: str = "The function ended without an answer to CloudFormation."  # "" once one is delivered


class Responder(CfnResource):
    """The Lambda handler. One instance serves one request at a time, as a Lambda environment does."""

    def __init__(self, handlers: Mapping[RequestType, Handler], *, read: Read, put: Put, clock: Clock) -> None:
        self._read = read
        self._put = put
        self._clock = clock
        self._execution: _Execution | None = None
        self._one_at_a_time = threading.Lock()
        with _without_side_effects():
            super().__init__(sleep_on_delete=0)
        # crhelper takes a request type without a handler for a success; here it is a KeyError, before any request.
        self.create(self._adapted(handlers[RequestType.CREATE]))
        self.update(self._adapted(handlers[RequestType.UPDATE]))
        self.delete(self._adapted(handlers[RequestType.DELETE]))

    def __call__(self, event: object, context: Context) -> None:
        """Answers a request, or leaves. Raises DeliveryFailed; an event that is not a request is logged, and that is all."""
        if not self._one_at_a_time.acquire(blocking=False):
            raise RuntimeError("A responder serves one request at a time.")
        try:
            request = self._request(event, context)
            if request is None:
                return
            execution = self._execution = _Execution(request, context)
            super().__call__(_what_crhelper_needs(request), context)
        except Leave:
            # Not let out: the runtime would die of it, and Lambda repeat the request.
            left = execution.request
            which = (left.type, left.logical_id, left.request_id, left.stack_id)
            logger.info("Left %s of %s without an answer, request %s, stack %s.", *which)
            return
        finally:
            self._execution = None  # nothing is left that a later event could be answered with
            self._one_at_a_time.release()
        if execution.undelivered:
            raise DeliveryFailed(execution.undelivered)

    def _request(self, event: object, context: Context) -> Request | None:
        try:
            return self._read(event, context)
        except NotARequest as error:
            # Not raised: Lambda would repeat it, and hand it on to those who look after real requests.
            logger.warning("Nothing was done, and nobody answered. %s", error)
            return None
        except Exception as error:  # noqa: BLE001  # no text of an unvetted exception leaves the function
            problem = f"The event could not be read, and nobody was answered: {type(error).__name__}."
            log_unexpected(logger, problem, error)
        raise ImportedKeyMaterialError(problem)

    def _adapted(self, handler: Handler) -> Callable[[object, Context], str]:
        """A handler as crhelper calls it: returns the id, or raises what crhelper makes FAILED of."""

        def adapted(_event: object, context: Context) -> str:
            outcome = _outcome(handler, self._current.request, context)
            self.PhysicalResourceId = outcome.physical_id  # kept when this raises; crhelper finds another for ""
            if isinstance(outcome, Failed):
                raise outcome
            self.Data = dict(outcome.data)
            return outcome.physical_id

        return adapted

    @property
    def _current(self) -> _Execution:
        if self._execution is None:
            raise RuntimeError("There is no request to answer.")
        return self._execution

    # ------------------------------------------------------------------------------------------ what crhelper calls

    def _send(self, status: str | None = None, _reason: str = "", _send_response: object = None) -> None:
        """Answers, once: crhelper calls again when the first call raised, and after errors of its own."""
        execution = self._current
        if execution.answering:
            return
        execution.answering = True
        request = execution.request
        outcome: Answer | Failed
        if status is not None:  # an error inside crhelper; its text is not vetted
            outcome = Failed(
                "The function could not finish this request: an error in its protocol code.", request.fallback_id
            )
        elif self.Status == FAILED:
            outcome = Failed(self.Reason, self.PhysicalResourceId)
        else:
            outcome = Answer(self.PhysicalResourceId, self.Data)
        log_outcome(logger, request, outcome)  # before it is sent: what is cut from a long reason is found here
        try:
            self._put(request.response_url, body(request, outcome), self._deadline(execution.context))
        except DeliveryFailed as error:
            execution.undelivered = str(error)
        except TooLong:
            execution.undelivered = "The answer to CloudFormation was not sent: the request's ids leave it no room."
        except Exception as error:  # noqa: BLE001  # no text of an unvetted exception leaves the function
            execution.undelivered = f"The answer to CloudFormation was not delivered: {type(error).__name__}."
            log_unexpected(logger, execution.undelivered, error)
        else:
            execution.undelivered = ""

    def _deadline(self, context: Context) -> Deadline:
        left_seconds = context.get_remaining_time_in_millis() / 1000 - AFTERWARDS_SECONDS
        return Deadline(self._clock, self._clock.now() + timedelta(seconds=min(left_seconds, DELIVERY_MAX_SECONDS)))

    def _set_timeout(self) -> None:
        """No timer. crhelper's answers from a second thread while the handler goes on, and may yet change a key.

        The life cycle has deadlines of its own (`waiting.py`), which leave DELIVERY_MAX_SECONDS for the answer.
        """

    def _wait_for_cwlogs(self) -> None:
        """No sleep. crhelper holds each Delete for two minutes, until its log is in CloudWatch; Lambda sees to that."""

    def _log_setup(self, _event: object, _context: object) -> None:
        """Leaves the root logger alone, which crhelper sets with every call, and keeps the libraries quiet."""
        quieten_libraries()

    def generate_physical_id(self, _event: object) -> str:
        """Where no id is known: one that says so, in place of crhelper's random one."""
        return self._current.request.not_imported_id

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


def _outcome(handler: Handler, request: Request, context: Context) -> Answer | Failed:
    """What a handler comes to; the id is "" where the handler named none that can be used.

    A Failed made here carries no cause: those of the caught one may hold anything.
    """
    try:
        return vetted(request, handler(request, context))
    except Failed as failed:
        return Failed(failed.reason, usable_id(failed.physical_id))
    except ImportedKeyMaterialError as error:
        return Failed(str(error), "")
    except Exception as error:  # noqa: BLE001  # answered with its class's name, and logged with its places
        problem = f"The function met an error of its own, {type(error).__name__}."
        log_unexpected(logger, problem, error)
        return Failed(f"{problem} Its log has the place under this request's id.", "")
