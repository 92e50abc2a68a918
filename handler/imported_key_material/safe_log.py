"""Keeps secrets out of the log: libraries would print them, and tracebacks would quote them.

No secret, material, property or ResponseURL may be logged at any level, whatever AWS_LAMBDA_LOG_LEVEL,
POWERTOOLS_LOG_LEVEL or a `logging.root.setLevel` say.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from traceback import walk_tb
from types import MappingProxyType
from typing import Final

# botocore's DEBUG lines hold whole secrets, and urllib3's the ResponseURL. crhelper's DEBUG lines hold the event, and
# its ERROR lines the texts of exceptions; `responder.py` logs the same facts without those texts.
_LEVELS: Final = MappingProxyType(
    {
        "crhelper": logging.CRITICAL,
        "boto3": logging.WARNING,
        "botocore": logging.WARNING,
        "s3transfer": logging.WARNING,
        "urllib3": logging.WARNING,
    }
)
_CAUSES_MAX: Final = 5
_FRAMES_MAX: Final = 20


def quieten_libraries() -> None:
    """Sets each library's own level, which a change of the root logger's level does not affect."""
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)


def log_unexpected(logger: logging.Logger, sentence: str, error: BaseException) -> None:
    """Logs an exception without its text, which may hold a secret.

    If a log handler fails, logging prints the exception with its text. `raiseExceptions = False` prevents that.
    """
    printing, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        logger.error("%s %s", sentence, places(error))
    finally:
        logging.raiseExceptions = printing


@contextmanager
def metrics_may_fail(logger: logging.Logger) -> Iterator[None]:
    """Logs a failure inside, and swallows it: whatever is measured is done by then, and the metrics must not fail it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # any failure: its text is not vetted, and does not help the user
        log_unexpected(logger, "The metrics could not be written.", error)


def places(error: BaseException) -> str:
    """A traceback without any text: classes, files and lines of an exception and of its causes."""
    texts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(texts) < _CAUSES_MAX:
        frames = [f"{PurePath(frame.f_code.co_filename).name}:{line}" for frame, line in walk_tb(cause.__traceback__)]
        texts.append(f"{type(cause).__name__} at {' > '.join(frames[-_FRAMES_MAX:])}")
        cause = cause.__cause__ or cause.__context__
    return "; after ".join(texts)
