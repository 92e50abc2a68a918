"""The on-failure function: answers FAILED for a request that Lambda gave up, so that its stack need not wait for an hour.

Lambda calls it as the first function's on-failure destination: memory ran out, the process was killed, a module could not be
loaded, or the event grew too old in the queue. Held here (docs/internals/design.md, "What Lambda gives up"):

- it reads a request with all the checks of the first function: own account, own Region, CloudFormation's own bucket;
- it answers only if CloudFormation still waits (rule 9). It asks after a moment, since an answer may be in flight. The right
  to invoke this function gives nobody more than the request's pre-signed address does;
- it answers FAILED under the request's id, and under `not-imported:` on Create (rule 1). Under the ARN the rollback's Delete
  would remove the material of a key that was adopted long before and is in use;
- one exception: a Delete of an id that stands for no material touches nothing (rule 2), and succeeds. So the stack of a Create
  that could not run at all still rolls back to a clean end;
- it touches no key, and its role has no right to. It loads nothing that the life cycle needs: it must run even if the first
  function can't start.

If it can't find out whether CloudFormation waits, or can't deliver the answer, it raises. Lambda then tries twice more.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from imported_key_material.aws.calls import RESERVE_SECONDS, Caller, Log
from imported_key_material.aws.cloudformation_reads import CloudFormation
from imported_key_material.clock import Clock, Deadline
from imported_key_material.cloudformation import answer, lambda_failure, request
from imported_key_material.cloudformation.delivery import DELIVERY_MAX_SECONDS, Put
from imported_key_material.cloudformation.lambda_failure import GivenUp
from imported_key_material.cloudformation.outcome import Answer, Failed, Outcome
from imported_key_material.cloudformation.request import NotARequest, Request, RequestType
from imported_key_material.cloudformation.stack import Stack
from imported_key_material.errors import ImportedKeyMaterialError, Leave, NotWanted
from imported_key_material.invocation import Context, seconds_left
from imported_key_material.key_id import Home, for_log, owned_key
from imported_key_material.safe_log import log_unexpected

# How long an answer takes from CloudFormation's bucket to the resource's status. Wait this long: the first function may have
# answered just before it died.
ANSWER_ARRIVES_SECONDS: Final = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OnFailure:
    """The Lambda handler. `dns_suffix`: of the partition, "amazonaws.com"; `response_host`: as in `app.py`."""

    cloudformation: CloudFormation
    clock: Clock
    put: Put
    log: Log
    dns_suffix: str
    response_host: str = ""

    def __call__(self, record: object, context: Context) -> None:
        """Answers, or leaves. Raises ImportedKeyMaterialError, so that Lambda tries again."""
        self.log.append_keys(request_id=None, stack_id=None, logical_id=None)  # removes the previous record's
        problem = ""
        try:
            failure, received = self._read(record, context)
            self._answer(failure, received, context)
        except NotARequest as error:
            logger.warning("Nothing was done, and nobody was answered. %s", error)
        except NotWanted as error:
            logger.info("Left without an answer. %s", error)
        except Leave:
            logger.info("Left without an answer. CloudFormation already has an answer.")
        except ImportedKeyMaterialError:
            raise
        except Exception as error:  # noqa: BLE001  # no text of an unvetted exception leaves the function
            problem = f"The on-failure function met an error of its own, {type(error).__name__}."
            log_unexpected(logger, problem, error)
        if problem:  # raised out here: inside `except` the caught error would become __context__
            raise ImportedKeyMaterialError(problem)

    def _read(self, record: object, context: Context) -> tuple[GivenUp, Request]:
        failure = lambda_failure.read(record)
        home = Home.of_arn(context.invoked_function_arn)
        hosts = request.response_hosts(home, self.dns_suffix, self.response_host)
        received = request.read(failure.event, home, hosts)
        self.log.append_keys(request_id=received.request_id, stack_id=received.stack_id, logical_id=received.logical_id)
        return failure, received

    def _answer(self, failure: GivenUp, received: Request, context: Context) -> None:
        deadline = self._in(seconds_left(context) - RESERVE_SECONDS)
        stack = Stack(received, self.cloudformation, Caller(self.clock, deadline, self.log))
        self._require_waiting(stack)
        outcome = self._outcome(failure, stack, Home.of_arn(context.invoked_function_arn))
        answer.log_outcome(logger, received, outcome)
        self.put(received.response_url, answer.body(received, outcome), self._in(DELIVERY_MAX_SECONDS))

    def _in(self, seconds: float) -> Deadline:
        return Deadline(self.clock, self.clock.now() + timedelta(seconds=seconds))

    def _require_waiting(self, stack: Stack) -> None:
        """Raises NotWanted; Leave if CloudFormation has an answer."""
        self.clock.sleep(ANSWER_ARRIVES_SECONDS)
        stack.require_wanted()

    def _outcome(self, failure: GivenUp, stack: Stack, home: Home) -> Outcome:
        received = stack.request
        physical_id = received.fallback_id
        if received.type is RequestType.DELETE and owned_key(physical_id, home) is None:
            self.log.info("nothing to remove: the resource owns no material", extra={"physical_id": physical_id})
            return Answer(physical_id)
        rolling_back = received.type is RequestType.UPDATE and stack.shows_rollback()
        if received.type is RequestType.CREATE:
            key = for_log(received.properties.get("KeyId"))
            self.log.warning("the key may hold material that no Delete removes", extra={"key": key})
        return Failed(lambda_failure.reason(failure, received, rolling_back=rolling_back), physical_id)
