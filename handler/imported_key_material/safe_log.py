"""Keeps the log free of what passes through: libraries that would print it, tracebacks that would quote it.

No secret, material, property or ResponseURL may be logged at any level, whatever AWS_LAMBDA_LOG_LEVEL,
POWERTOOLS_LOG_LEVEL or a `logging.root.setLevel` say.
"""

import logging
from pathlib import PurePath
from traceback import walk_tb
from types import MappingProxyType
from typing import Final

# botocore's DEBUG lines hold whole secrets, and urllib3's the ResponseURL. crhelper's DEBUG lines hold the event, and
# its ERROR lines the texts of exceptions; what it has to say is said again in `responder.py`.
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
    """Gives the libraries levels of their own, which those of the root logger don't change."""
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)


def log_unexpected(logger: logging.Logger, sentence: str, error: BaseException) -> None:
    """Logs an exception whose text nobody has vetted.

    A log handler that fails prints, in the end, the whole of the exception that is just being handled: not here.
    """
    printing, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        logger.error("%s %s", sentence, places(error))
    finally:
        logging.raiseExceptions = printing


def places(error: BaseException) -> str:
    """A traceback without a word of what was in it: classes, files and lines of an exception and of what led to it."""
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(told) < _CAUSES_MAX:
        frames = [f"{PurePath(frame.f_code.co_filename).name}:{line}" for frame, line in walk_tb(cause.__traceback__)]
        told.append(f"{type(cause).__name__} at {' > '.join(frames[-_FRAMES_MAX:])}")
        cause = cause.__cause__ or cause.__context__
    return "; after ".join(told)
