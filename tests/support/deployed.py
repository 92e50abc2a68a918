"""The deployed entry point, `app.py`, in one process: with its own logger, its own PUT over TLS, a hostile environment.

    with deployed(world, bucket, monkeypatch) as app:
        out = app.everything_from(event)   # all that came out anywhere, as one text

Every setting that could make it log more is on: the root logger at DEBUG, Powertools' variables, Lambda's log level.
"""

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import Any

import boto3
import botocore.session
import pytest
from aws_lambda_powertools import package_logger

from lab.awslambda.invocation import Context
from lab.cloudformation.response_bucket import ResponseBucket
from lab.world import ACCOUNT, FUNCTION_ARN, LAMBDA_TIMEOUT_SECONDS, REGION, World

HOSTILE = {
    "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
    "POWERTOOLS_DEBUG": "true",
    "POWERTOOLS_DEV": "true",
    "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    "POWERTOOLS_LOGGER_SAMPLE_RATE": "1",
    "POWERTOOLS_LOG_LEVEL": "DEBUG",
}
PACKAGE = "imported_key_material"
LOUD = ("boto3", "botocore", "crhelper", "urllib3", "s3transfer", "aws_lambda_powertools")


class Deployed:
    def __init__(
        self,
        world: World,
        bucket: ResponseBucket,
        handler: Any,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        self._world, self._bucket, self._handler = world, bucket, handler
        self._caplog, self._capfd = caplog, capfd

    def everything_from(self, event: Mapping[str, Any]) -> str:
        """One invocation: log records with all their fields, stdout, stderr, what was PUT, and what was raised."""
        origin, slash, target = event["ResponseURL"].removeprefix("https://").partition("/")
        del origin
        raised = ""
        _write_to_present_stdout(PACKAGE, "aws_lambda_powertools")
        try:
            self._handler(
                {**event, "ResponseURL": self._bucket.url(slash + target)},
                Context(self._world.clock, LAMBDA_TIMEOUT_SECONDS, FUNCTION_ARN),
            )
        except BaseException as error:  # noqa: BLE001  # a crash, too: Lambda writes it into its log
            raised = "".join(_told_by(error))
        fields = "".join(repr(vars(record)) for record in self._caplog.records)
        answers = "".join(put.body.decode() for put in self._bucket.received)
        return "\n".join([raised, fields, self._caplog.text, *self._capfd.readouterr(), answers])


def _told_by(error: BaseException) -> Iterator[str]:
    """What a runtime, a debugger or an error reporter reads of an exception and of its causes."""
    yield "".join(traceback.format_exception(error))
    linked: BaseException | None = error
    while linked is not None:
        yield f"{linked!r} {vars(linked)!r}"
        for name in ("doc", "object", "msg", "reason"):  # JSONDecodeError, UnicodeDecodeError
            yield repr(getattr(linked, name, ""))
        linked = linked.__cause__ or linked.__context__


@contextmanager
def deployed(
    world: World,
    bucket: ResponseBucket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Deployed]:
    """Restores the loggers afterwards, because Powertools takes over the package's logger."""
    for name, value in {**HOSTILE, "AWS_DEFAULT_REGION": REGION, "RESPONSE_HOST": bucket.netloc}.items():
        monkeypatch.setenv(name, value)
    session = _real_session(world)
    with _loggers_restored(PACKAGE, *LOUD):
        logging.getLogger(PACKAGE).handlers = []  # the test's own handler: Powertools would take it over
        caplog.set_level(logging.DEBUG)
        for name in LOUD:
            logging.getLogger(name).setLevel(logging.NOTSET)  # as in a new process
        with warnings.catch_warnings(action="ignore"):  # Powertools warns that its debugging is on
            package_logger.set_package_logger_handler()  # type: ignore[no-untyped-call]  # Powertools' own, without types
            from imported_key_material import app  # noqa: PLC0415  # reads its environment when it is imported

            monkeypatch.setattr(boto3.session, "Session", lambda: session)
            monkeypatch.setattr(app, "SystemClock", lambda: world.clock)
            handler = app._from_environment()  # noqa: SLF001  # what the import does
        yield Deployed(world, bucket, handler, caplog, capfd)


def _real_session(world: World) -> boto3.Session:
    """As in Lambda: it signs, and at DEBUG it logs what it signs."""
    inner = botocore.session.Session()
    world.aws.attach(inner)
    return boto3.Session(
        aws_access_key_id=ACCOUNT,  # the services take it as the account
        aws_secret_access_key="not-checked",  # noqa: S106  # no service here checks a signature
        region_name=REGION,
        botocore_session=inner,
    )


def _write_to_present_stdout(*names: str) -> None:
    """Powertools' handlers keep the stdout of their import, which no test captures."""
    for name in names:
        for handler in logging.getLogger(name).handlers:
            if type(handler) is logging.StreamHandler and not isinstance(handler.stream, StringIO):
                handler.stream = sys.stdout  # setStream would flush what is closed


@contextmanager
def _loggers_restored(*names: str) -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in names]
    before = [dict(vars(logger)) for logger in loggers]
    lists = [(list(logger.handlers), list(logger.filters)) for logger in loggers]
    try:
        yield
    finally:
        for logger, kept, (handlers, filters) in zip(loggers, before, lists, strict=True):
            vars(logger).clear()
            vars(logger).update(kept)
            logger.handlers, logger.filters = handlers, filters
            logger.setLevel(logger.level)  # clears the logger's cache of levels
