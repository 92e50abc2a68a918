"""What of the command line may be repeated: never what may be key material, which errors carry on into logs.

Somebody may give the key itself where a name belongs: `custodian check "$(cat key.pem)"`, or hex as an HSM shows it, in groups.
It can't be taken back, but need not be spread. Two questions, since a mistake costs differently:

    is_quotable       whether a file's name may stand in an error. Errs towards silence: such an error says FILE
    looks_like_a_key  whether it is a key in one of the forms in which keys are given. Errs towards names: what looks like a key
                      is not taken as a name (`argument_types.py`), and no line on standard error repeats it (`output.py`)
"""

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

import click

from custodian import forms
from imported_key_material import pem

REMEDY: Final = (
    "If it is: arguments are seen by other programs and kept in the shell's history, so take this key for known. Give "
    "material as a file, by a pipe, or at the prompt: -."
)
NOT_REPEATED: Final = f"It is not repeated: it may be key material. {REMEDY}"
_MOST_CHARACTERS: Final = 100
_LEAST_OF_A_KEY: Final = 32  # characters in a row: 16 bytes in hex, and no key of KMS is as short as that
_MAY_BE_MATERIAL: Final = re.compile(rf"[A-Za-z0-9+/=_]{{{_LEAST_OF_A_KEY},}}")
_BETWEEN_GROUPS: Final = re.compile(r"[\s:-]")
_PEM: Final = pem.HEADER.strip()  # of an unquoted PEM the shell makes a word of it
_ADDED_BY_QUOTING: Final = re.compile(r"\\[nrt]|[\s:'\"\\-]")  # by click (repr), and what stands between groups

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
    """Of a command line: what looks like a key, by itself or behind `--option=`."""
    for word in words:
        yield from filter(looks_like_a_key, (word, word.partition("=")[2]))


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


def kept_back(line: str, keys: Sequence[str]) -> str:
    """The line; or, where it repeats one of the `keys`, that it is kept back, with what the line is about."""
    if not any(_repeats(line, (key,)) for key in keys):
        return line
    where, colon, _ = line.partition(": ")
    about = f"{where}: " if colon and is_quotable(where) else ""
    return f"{about}What belongs here repeats an argument. {NOT_REPEATED}"


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
    raise click.UsageError(f"{_what(found)} {NOT_REPEATED}", found.ctx)


def _repeats(message: str, words: Sequence[str]) -> bool:
    """A key may be given as many words, and click quotes in more than one way: so what counts is a run of characters."""
    said, given = (_ADDED_BY_QUOTING.sub("", text).casefold() for text in (message, "".join(words)))
    return any(said[at : at + _LEAST_OF_A_KEY] in given for at in range(len(said) - _LEAST_OF_A_KEY + 1))


def _what(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return "No such option."
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"Invalid value for {error.param.get_error_hint(error.ctx)}."
    return "An argument is wrong, or one too many."
