"""What an error may repeat of the command line. The error of a wrong call repeats no value of any option or argument.

A user may give the key itself instead of a name: `key-custodian check "$(cat key.pem)"`, or hex in groups, as an HSM shows it.
Errors go into logs, so they must not spread the key. click's own sentences quote values, so a wrong call gets our own sentence
(`without_values`). Other errors need names, for example of files. They use two tests, for two kinds of mistakes:

    is_quotable       whether an error may repeat a file's name. If in doubt, no: the error then says FILE
    looks_like_a_key  whether a word is a key in one of the usual forms. If in doubt, no. A word that looks like a key is not
                      accepted as a name (`argument_types.py`), and no line on standard error repeats it (`output.py`)
"""

import base64
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import click

from imported_key_material.material import pem
from key_custodian import forms

REMEDY: Final = (
    "If it is: other programs see arguments, and the shell keeps them in its history, so treat this key as compromised. "
    "Give material as a file, through a pipe, or at the prompt: -."
)
_ONE_IS_A_KEY: Final = f"One of the arguments looks like key material. {REMEDY}"
NOT_REPEATED: Final = f"It is not repeated: it may be key material. {REMEDY}"
_MOST_CHARACTERS: Final = 100
_LEAST_OF_A_KEY: Final = 32  # characters in a row: 16 bytes in hex; every key of KMS is longer
_MAY_BE_MATERIAL: Final = re.compile(rf"[A-Za-z0-9+/=_]{{{_LEAST_OF_A_KEY},}}")
_BETWEEN_GROUPS: Final = re.compile(r"[\s:-]")
_PEM: Final = pem.HEADER.strip()  # without the space: the shell splits an unquoted PEM there
_ADDED_BY_QUOTING: Final = re.compile(r"\\[nrt]|[\s:'\"\\-]")  # added by repr, or standing between groups

_PATH_MAX_CHARACTERS: Final = 4096  # Linux's PATH_MAX: no name is longer
_HEX: Final = re.compile(r"[0-9A-Fa-f]{48,}")  # 24 bytes: every key of KMS is longer
_BASE64: Final = re.compile(r"([A-Za-z0-9+/]+|[A-Za-z0-9_-]+)={0,2}")  # RFC 4648, sections 4 and 5
_KEY_SIZES_BYTES: Final = frozenset({28, 32, 48, 64})  # of SYMMETRIC_DEFAULT and HMAC keys
_DER_LEAST_BYTES: Final = 65  # of PKCS#8; Ed25519 has only 48, a size in the line above
_MIXED: Final = (
    1 / 3
)  # share of neighbours of different kinds: random text has 0.65, words with capitals and digits 0.3


def is_quotable(word: str) -> bool:
    """Whether it is too short or too different to be a key."""
    return (
        len(word) <= _MOST_CHARACTERS
        and word.isprintable()
        and _PEM not in word
        and not _MAY_BE_MATERIAL.fullmatch(_BETWEEN_GROUPS.sub("", word))
        and not looks_like_a_key(word)
    )


def looks_like_a_key(word: str) -> bool:
    """Whether it is PEM, hex, or base64 of a key's size. A part of a path counts, too."""
    if _PEM in word or len(word) > _PATH_MAX_CHARACTERS:
        return True
    if forms.CHECK_VALUE.fullmatch(word):
        return False
    if _HEX.search(_BETWEEN_GROUPS.sub("", forms.KEY_ID.sub(".", word))):
        return True
    return any(map(_is_base64_of_a_key, _parts("".join(word.split()))))


def keys_among(words: Sequence[str]) -> Iterator[str]:
    """The parts of a command line that look like a key: a word, a value after `--option=`, or an option's name."""
    for word in words:
        yield from filter(looks_like_a_key, (word, word.partition("=")[2], word.lstrip("-")))


def _parts(path: str) -> Iterator[str]:
    """The parts of a path, single and joined with their neighbours, since base64 also has slashes."""
    names = path.split("/")
    longest = 4 * max(_KEY_SIZES_BYTES) // 3 + 4
    yield path
    for first, name in enumerate(names):
        part = name
        yield part
        for more in names[first + 1 :]:
            part = f"{part}/{more}"
            if len(part) > longest:
                break
            yield part


def _is_base64_of_a_key(text: str) -> bool:
    if not _BASE64.fullmatch(text):
        return False
    digits = text.rstrip("=").replace("-", "+").replace("_", "/")
    size_bytes = len(digits) * 6 // 8
    if size_bytes not in _KEY_SIZES_BYTES and size_bytes < _DER_LEAST_BYTES:
        return False
    try:
        decoded = base64.b64decode(digits + "=" * (-len(digits) % 4))
    except ValueError:  # a single character is left over
        return False
    return base64.b64encode(decoded).decode().rstrip("=") == digits and _is_mixed(digits)


def _is_mixed(text: str) -> bool:
    kinds = ["A" if char.isupper() else "a" if char.islower() else "1" if char.isdigit() else char for char in text]
    changes = sum(one != other for one, other in pairwise(kinds))
    return changes >= _MIXED * (len(text) - 1)


def redact(line: str, keys: Sequence[str]) -> str:
    """Returns the line. If it repeats one of the `keys`, returns a sentence instead that says what the line was about."""
    if not any(_repeats(line, key) for key in keys):
        return line
    where, colon, _ = line.partition(": ")
    about = f"{where}: " if colon and is_quotable(where) else ""
    return f"{about}This line would repeat an argument. {NOT_REPEATED}"


class UnknownWordError(click.UsageError):
    """The command line has an unknown word. The message does not repeat it."""


class UnknownKeySpecError(click.BadParameter):
    """The command line has an unknown key spec. `hint` does not repeat it."""

    def __init__(self, hint: str, ctx: click.Context | None, param: click.Parameter | None) -> None:
        super().__init__("", ctx, param)
        self.hint = hint


def without_values(error: click.UsageError, words: Sequence[str]) -> click.UsageError:
    """Returns an error for the same wrong call without any of its values. `words`: the command line."""
    rule = _rule(error)
    if rule is None:  # our own error, or one of click's that quotes no value
        return error
    return click.UsageError(f"{rule} {_ONE_IS_A_KEY}" if _hold_a_key(words) else rule, error.ctx)


def _rule(error: click.UsageError) -> str | None:
    """The sentence that replaces an error of click's which quotes a value; None for other errors."""
    if isinstance(error, UnknownWordError):
        return error.message
    if isinstance(error, click.NoSuchOption):
        return (
            f"No such option. Did you mean {' or '.join(error.possibilities)}?"
            if error.possibilities
            else "No such option."
        )
    if isinstance(error, click.MissingParameter) or not isinstance(error, click.BadParameter) or error.param is None:
        return None
    kind, where = error.param.type, error.param.get_error_hint(error.ctx)
    if isinstance(kind, click.Choice):
        hint = f" {error.hint}" if isinstance(error, UnknownKeySpecError) and error.hint else ""
        return f"Invalid value for {where}: it is not one of {', '.join(kind.choices)}.{hint}"
    if isinstance(kind, click.IntRange):
        return f"Invalid value for {where}: it is not a number from {kind.min} to {kind.max}."
    return None


def _hold_a_key(words: Sequence[str]) -> bool:
    """Whether a word looks like a key, or all words together: the shell splits a key in groups into words."""
    return any(keys_among(words)) or looks_like_a_key("".join(words))


def _repeats(line: str, key: str) -> bool:
    """Compares runs of characters, since a line may group the key in another way, or quote it."""
    plain_line, plain_key = (_ADDED_BY_QUOTING.sub("", text).casefold() for text in (line, key))
    return any(
        plain_line[at : at + _LEAST_OF_A_KEY] in plain_key for at in range(len(plain_line) - _LEAST_OF_A_KEY + 1)
    )
