"""What of the command line an error may repeat: never what may be key material, which errors carry on into logs.

Somebody may give the key itself where a file's name belongs: `custodian check "$(cat key.pem)"`, or hex as an HSM shows it,
in groups. It can't be taken back, but need not be spread.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click

REMEDY: Final = (
    "If it is: arguments are seen by other programs and kept in the shell's history, so take this key for known. Give "
    "material as a file, by a pipe, or at the prompt: -."
)
_MOST_CHARACTERS: Final = 100
_LEAST_OF_A_KEY: Final = 32  # characters in a row: 16 bytes in hex, and no key of KMS is as short as that
_MAY_BE_MATERIAL: Final = re.compile(rf"[A-Za-z0-9+/=_]{{{_LEAST_OF_A_KEY},}}")
_BETWEEN_GROUPS: Final = re.compile(r"[\s:-]")
_PEM: Final = "-----BEGIN"
_ADDED_BY_QUOTING: Final = re.compile(r"\\[nrt]|[\s:'\"\\-]")  # by click (repr), and what stands between groups


def is_quotable(word: str) -> bool:
    """Whether it is too short, or too unlike a key, to be one."""
    return (
        len(word) <= _MOST_CHARACTERS
        and word.isprintable()
        and _PEM not in word
        and not _MAY_BE_MATERIAL.fullmatch(_BETWEEN_GROUPS.sub("", word))
    )


@contextmanager
def nothing_of(words: Sequence[str]) -> Iterator[None]:
    """A UsageError that is raised within repeats no key of the command line (`words`): it says less, then."""
    try:
        yield
    except click.UsageError as error:
        if not _repeats(error.format_message(), words):
            raise
        found = error
    else:
        return
    raise click.UsageError(f"{_what(found)} It is not repeated: it may be key material. {REMEDY}", found.ctx)


def _repeats(message: str, words: Sequence[str]) -> bool:
    """A key may be given as many words, and click quotes in more than one way: so what counts is a run of characters."""
    said, given = (_ADDED_BY_QUOTING.sub("", text) for text in (message, "".join(words)))
    return any(said[at : at + _LEAST_OF_A_KEY] in given for at in range(len(said) - _LEAST_OF_A_KEY + 1))


def _what(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return "No such option."
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"Invalid value for {error.param.get_error_hint(error.ctx)}."
    return "An argument is wrong, or one too many."
