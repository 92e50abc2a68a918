"""The watch's Lambda handler: look at the keys, find, log, measure, and publish what is due.

It raises if it could not look or could not publish: Lambda's metric Errors then says so, and Lambda tries again. A digest that
arrives twice does no harm.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from imported_key_material.aws.calls import Caller, Log, invocation_deadline
from imported_key_material.clock import Clock
from imported_key_material.errors import ImportedKeyMaterialError
from imported_key_material.invocation import Context, seconds_left
from imported_key_material.key_id import Home
from imported_key_material.safe_log import log_unexpected, metrics_may_fail
from imported_key_material.watch import occasion
from imported_key_material.watch.calls import Calls, Clients
from imported_key_material.watch.digest import digest
from imported_key_material.watch.estate import Estate
from imported_key_material.watch.findings import Finding, find
from imported_key_material.watch.look import look
from imported_key_material.watch.occasion import NothingToLookAt, Occasion

LOGGED_MAX: Final = 1_000

type Measure = Callable[[Estate, Sequence[Finding], datetime], None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """`topic_arn`: where digests go; `export`: the name of the exported ServiceToken."""

    topic_arn: str
    warning_days: int
    export: str


@dataclass(frozen=True, slots=True)
class Watch:
    """The Lambda handler."""

    clients: Clients
    settings: Settings
    clock: Clock
    log: Log
    measure: Measure

    def __call__(self, event: object, context: Context) -> None:
        """Raises ImportedKeyMaterialError."""
        problem = ""
        try:
            home = Home.of_arn(context.invoked_function_arn)
            self._run(occasion.read(event, home, self.clock.now()), home, context)
        except NothingToLookAt as reason:
            logger.info("Looked at nothing. %s", reason)
        except ImportedKeyMaterialError as error:
            logger.error("The watch failed. %s", error)  # noqa: TRY400  # its text says all; a traceback may quote more
            raise
        except Exception as error:  # noqa: BLE001  # no text of an unvetted exception leaves the function
            problem = f"The watch met an error of its own, {type(error).__name__}."
            log_unexpected(logger, problem, error)
        if problem:  # raised out here: inside `except` the caught error would become __context__
            raise ImportedKeyMaterialError(problem)

    def _run(self, why: Occasion, home: Home, context: Context) -> None:
        deadline = invocation_deadline(self.clock, seconds_left(context))
        calls = Calls(self.clients, Caller(self.clock, deadline, self.log))
        estate = look(calls, home, self.settings.export, only=why.key_id)
        now = self.clock.now()
        found = find(estate, now, self.settings.warning_days)
        due = [finding for finding in found if why.is_due(finding)]
        self._log(estate, found, due)
        if due:
            text = digest(due, home, now)
            calls.publish(self.settings.topic_arn, text.subject, text.body)
        if why.key_id is None:
            with metrics_may_fail(logger):  # last: the digest is sent
                self.measure(estate, found, now)

    def _log(self, estate: Estate, found: Sequence[Finding], due: Sequence[Finding]) -> None:
        for finding in found[:LOGGED_MAX]:
            self.log.warning(
                "finding",
                extra={
                    "kind": finding.kind,
                    "urgent": finding.urgent,
                    "key_arn": finding.key_id.arn,
                    "stacks": [f"{holder.stack}/{holder.logical_id}" for holder in finding.holders],
                    "at": None if finding.at is None else finding.at.isoformat(),
                },
            )
        self.log.info(
            "looked at the keys",
            extra={
                "keys": len(estate.keys),
                "hidden": len(estate.hidden),
                "stacks": len(estate.stacks),
                "findings": len(found),
                "sent": len(due),
            },
        )
