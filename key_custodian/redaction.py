"""What of the command line is repeated. Of a wrong call: no value of any option or argument, whatever it is.

Somebody may give the key itself where a name belongs: `key-custodian check "$(cat key.pem)"`, or hex as an HSM shows it, in
groups. It can't be taken back, but need not be spread: errors go into logs. click's own sentences quote what was given, so a
wrong call is told in sentences of ours (`without_values`). Other errors need names, of files for example. There two questions
are asked, since a mistake costs differently:

    is_quotable       whether a file's name may stand in an error. Errs towards silence: such an error says FILE
    looks_like_a_key  whether it is a key in one of the forms in which keys are given. Errs towards names: what looks like a key
                      is not taken as a name (`argument_types.py`), and no line on standard error repeats it (`output.py`)
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
    "If it is: arguments are seen by other programs and kept in the shell's history, so take this key for known. Give "
    "material as a file, by a pipe, or at the prompt: -."
)
_ONE_IS_A_KEY: Final = f"One of the arguments looks like key material. {REMEDY}"
NOT_REPEATED: Final = f"It is not repeated: it may be key material. {REMEDY}"
_MOST_CHARACTERS: Final = 100
_LEAST_OF_A_KEY: Final = 32  # characters in a row: 16 bytes in hex, and no key of KMS is as short as that
_MAY_BE_MATERIAL: Final = re.compile(rf"[A-Za-z0-9+/=_]{{{_LEAST_OF_A_KEY},}}")
_BETWEEN_GROUPS: Final = re.compile(r"[\s:-]")
_PEM: Final = pem.HEADER.strip()  # of an unquoted PEM the shell makes a word of it
_ADDED_BY_QUOTING: Final = re.compile(r"\\[nrt]|[\s:'\"\\-]")  # by repr, and what stands between groups

_PATH_MAX_CHARACTERS: Final = 4096  # Linux's PATH_MAX: longer is no name
_HEX: Final = re.compile(r"[0-9A-Fa-f]{48,}")  # 24 bytes: no key of KMS is as short as that
_BASE64: Final = re.compile(r"([A-Za-z0-9+/]+|[A-Za-z0-9_-]+)={0,2}")  # RFC 4648, sections 4 and 5
_KEY_SIZES_BYTES: Final = frozenset({28, 32, 48, 64})  # of SYMMETRIC_DEFAULT and HMAC keys
_DER_LEAST_BYTES: Final = 65  # of PKCS#8; that of Ed25519 has 48, as some secret keys have
_MIXED: Final = 1 / 3  # of neighbours of another kind: random text has 0.65, words of capitals and digits 0.3


def is_quotable(word: str) -> bool:
    """Whether it is too short, or too unlike a key, to be one."""
    return (
        len(word) <= _MOST_CHARACTERS
        and word.isprintable()
        and _PEM not in word
        and not _MAY_BE_MATERIAL.fullmatch(_BETWEEN_GROUPS.sub("", word))
        and not looks_like_a_key(word)
    )


def looks_like_a_key(word: str) -> bool:
    """Whether it is, or begins or ends with (as a path does), PEM, hex, or base64 of a key's size."""
    if _PEM in word or len(word) > _PATH_MAX_CHARACTERS:
        return True
    if forms.CHECK_VALUE.fullmatch(word):
        return False
    if _HEX.search(_BETWEEN_GROUPS.sub("", forms.KEY_ID.sub(".", word))):
        return True
    return any(map(_is_base64_of_a_key, _parts("".join(word.split()))))


def keys_among(words: Sequence[str]) -> Iterator[str]:
    """Of a command line: what looks like a key, by itself, behind `--option=`, or as the name of an option."""
    for word in words:
        yield from filter(looks_like_a_key, (word, word.partition("=")[2], word.lstrip("-")))


def _parts(path: str) -> Iterator[str]:
    """Neighbours in a path, joined again: base64 has slashes, too."""
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
    """The line; or, where it repeats one of the `keys`, that it is kept back, with what the line is about."""
    if not any(_repeats(line, key) for key in keys):
        return line
    where, colon, _ = line.partition(": ")
    about = f"{where}: " if colon and is_quotable(where) else ""
    return f"{about}What belongs here repeats an argument. {NOT_REPEATED}"


class UnknownWordError(click.UsageError):
    """A word of the command line that nothing takes. The message does not repeat it."""


def without_values(error: click.UsageError, words: Sequence[str]) -> click.UsageError:
    """The same wrong call, told without any value of it. `words`: the command line."""
    rule = _rule(error)
    if rule is None:  # ours, or of click's that name only what it knows itself
        return error
    return click.UsageError(f"{rule} {_ONE_IS_A_KEY}" if _hold_a_key(words) else rule, error.ctx)


def _rule(error: click.UsageError) -> str | None:
    """What is wrong, in place of a sentence of click's that quotes what was given; None for other errors."""
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
        return f"Invalid value for {where}: it is none of {', '.join(kind.choices)}."
    if isinstance(kind, click.IntRange):
        return f"Invalid value for {where}: it is no number from {kind.min} to {kind.max}."
    return None


def _hold_a_key(words: Sequence[str]) -> bool:
    """Whether one of them looks like a key, or all of them together: the shell makes many words of a key in groups."""
    return any(keys_among(words)) or looks_like_a_key("".join(words))


def _repeats(line: str, key: str) -> bool:
    """A line may group a key in another way, or quote it: so what counts is a run of characters."""
    plain_line, plain_key = (_ADDED_BY_QUOTING.sub("", text).casefold() for text in (line, key))
    return any(
        plain_line[at : at + _LEAST_OF_A_KEY] in plain_key for at in range(len(plain_line) - _LEAST_OF_A_KEY + 1)
    )
