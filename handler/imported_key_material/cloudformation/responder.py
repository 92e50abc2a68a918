"""The Lambda handler: it reads one CloudFormation request, has it handled, and sends one answer.

Held here (docs/internals/design.md, rule 10):

- for an event that is no request of CloudFormation to this function, nothing is done, and nobody is answered;
- each invocation tries to deliver at most one answer. `Leave` ends an invocation without an answer;
- only sentences that were written for users reach CloudFormation. Of any other exception it gets only the class;
- if the answer can't be delivered, the responder raises. Lambda then repeats the request, and at last sends it to the
  on-failure destination.

The `handle` passed in does the work. `crhelper_adapter.py` makes an outcome of it, `answer.py` writes the answer, `delivery.py`
sends it. No log line of this module has a property, a URL or the text of an unvetted exception.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from imported_key_material.clock import Clock, Deadline
from imported_key_material.cloudformation.answer import TooLong, body, log_outcome, usable_id, vet
from imported_key_material.cloudformation.crhelper_adapter import CrHelper
from imported_key_material.cloudformation.delivery import DELIVERY_MAX_SECONDS, DeliveryFailed, Put
from imported_key_material.cloudformation.outcome import Answer, Failed, Outcome
from imported_key_material.cloudformation.request import NotARequest, Request
from imported_key_material.errors import CannotHappen, ImportedKeyMaterialError, Leave
from imported_key_material.invocation import Context, seconds_left
from imported_key_material.meter import Ended, Ending, Meter
from imported_key_material.safe_log import log_unexpected, metrics_may_fail

LOG_AND_END_SECONDS: Final = 2.0  # reserved to log whether the answer was delivered, and to end

logger = logging.getLogger(__name__)


type Handle = Callable[[Request, Context], Answer]  # raises Failed, an ImportedKeyMaterialError, or Leave
type Read = Callable[[object, Context], Request]  # raises NotARequest


class Responder:
    """The Lambda handler. One instance serves one request at a time, as a Lambda environment does."""

    def __init__(self, handle: Handle, *, read: Read, put: Put, clock: Clock, meter: Meter) -> None:
        self._handle = handle
        self._read = read
        self._put = put
        self._clock = clock
        self._meter = meter
        self._crhelper = CrHelper()
        self._one_at_a_time = threading.Lock()

    def __call__(self, event: object, context: Context) -> None:
        """Answers a request, or leaves. Raises DeliveryFailed. An event that is not a request is only logged."""
        if not self._one_at_a_time.acquire(blocking=False):
            raise CannotHappen("A responder serves one request at a time.")
        try:
            request = self._request(event, context)
            if request is not None:
                self._respond(request, context)
        finally:
            self._one_at_a_time.release()

    def _request(self, event: object, context: Context) -> Request | None:
        """The event as a request; None if it is none."""
        try:
            return self._read(event, context)
        except NotARequest as error:
            # Not raised: Lambda would repeat the event, and then send it to the on-failure function.
            logger.warning("Nothing was done, and nobody was answered. %s", error)
            return None
        except Exception as error:  # noqa: BLE001  # no text of an unvetted exception leaves the function
            problem = f"The event could not be read, and nobody was answered: {type(error).__name__}."
            log_unexpected(logger, problem, error)
        raise ImportedKeyMaterialError(problem)

    def _respond(self, request: Request, context: Context) -> None:
        try:
            outcome = self._crhelper.run(request, lambda: self._outcome(request, context))
        except Leave:
            # Swallow it here. If it escaped, the runtime would crash and Lambda would retry.
            which = (request.type, request.logical_id, request.request_id, request.stack_id)
            logger.info("No answer was sent to the %s of %s, request %s, stack %s.", *which)
            self._measure(request, Ending.LEFT)
            return
        if outcome is None:
            raise DeliveryFailed("The function ended without an answer to CloudFormation.")
        self._answer(request, outcome, context)

    def _outcome(self, request: Request, context: Context) -> Outcome:
        """The handler's outcome. Its id is "" if the handler named none that can be used.

        A Failed that is made here has no cause: the cause of a caught exception may hold anything.
        """
        try:
            return vet(request, self._handle(request, context))
        except Failed as failed:
            return Failed(failed.reason, usable_id(failed.physical_id), failed.failure_class)
        except ImportedKeyMaterialError as error:
            return Failed(str(error), "", error.failure_class)
        except Exception as error:  # noqa: BLE001  # the answer names its class, the log where it was raised
            problem = f"The function met an error of its own, {type(error).__name__}."
            log_unexpected(logger, problem, error)
            return Failed(f"{problem} Its log shows where, under this request's id.", "")

    def _answer(self, request: Request, outcome: Outcome, context: Context) -> None:
        """Delivers the one answer. Raises DeliveryFailed."""
        try:
            log_outcome(logger, request, outcome)  # before it is sent: the log has what is cut from a long reason
            self._put(request.response_url, body(request, outcome), self._deadline(context))
        except DeliveryFailed as error:
            undelivered = str(error)
        except TooLong:
            undelivered = "The answer to CloudFormation was not sent: the request's ids leave it no room."
        except Exception as error:  # noqa: BLE001  # no text of an unvetted exception leaves the function
            undelivered = f"The answer to CloudFormation was not delivered: {type(error).__name__}."
            log_unexpected(logger, undelivered, error)
        else:
            self._measure(request, Ending.FAILED if isinstance(outcome, Failed) else Ending.SUCCESS, outcome)
            return
        self._measure(request, Ending.UNDELIVERED)
        # Raised out here: inside `except` the caught error, which may know the URL, would become __context__.
        raise DeliveryFailed(undelivered)

    def _measure(self, request: Request, ending: Ending, outcome: Outcome | None = None) -> None:
        age = None if request.made_at is None else (self._clock.now() - request.made_at).total_seconds()
        ended = Ended(
            ending,
            str(request.type),
            age_seconds=None if outcome is None else age,
            failure_class=outcome.failure_class if isinstance(outcome, Failed) else None,
            request_id=request.request_id,
            stack_id=request.stack_id,
            logical_id=request.logical_id,
            physical_id="" if outcome is None else outcome.physical_id,
        )
        with metrics_may_fail(logger):
            self._meter.ended(ended)

    def _deadline(self, context: Context) -> Deadline:
        seconds = min(seconds_left(context) - LOG_AND_END_SECONDS, DELIVERY_MAX_SECONDS)
        return Deadline(self._clock, self._clock.now() + timedelta(seconds=seconds))
