"""The types of options and arguments. A key that was pasted in place of another value is neither sent to AWS nor written.

Each option has one of these types, or one of click's types with a fixed list. A value that does not fit is a wrong call, and
no output repeats it. An empty value is none either: it is a variable of the shell that nobody set, and must not mean that the
option is missing.

    key_spec     one of KMS's, in any case
    name         of a profile, a stack, a field, a version: must not look like key material
    account, region, kms_key, secret    as AWS writes them
    file         an existing file, or `-`, with any name; `sources.py` reports a missing file. The shell completes it
    new_file     a name for a file: must not look like key material
    public_key   a file with a public key, or a key in KMS
    material_id, check_value, digits    may look like a key. Not sent anywhere, and shown only where KMS shows the same
"""

import contextlib
import difflib
import re
from collections.abc import Callable
from typing import Any, Final

import click
from click.shell_completion import CompletionItem
from click.types import StringParamType

from key_custodian import forms, redaction

_AES: Final = re.compile(r"(?:AES|RIJNDAEL)[-_ ]?(?:128|192|256)?(?:[-_ ][A-Z]{3})?", re.ASCII)
_NEAR: Final = 0.65
_OTHER_NAMES: Final = {  # of curves, by their letters and digits: SEC 2, X9.62, OpenSSL, RFC 8410
    "P256": "ECC_NIST_P256",
    "SECP256R1": "ECC_NIST_P256",
    "PRIME256V1": "ECC_NIST_P256",
    "P384": "ECC_NIST_P384",
    "SECP384R1": "ECC_NIST_P384",
    "P521": "ECC_NIST_P521",
    "SECP521R1": "ECC_NIST_P521",
    "SECP256K1": "ECC_SECG_P256K1",
    "ED25519": "ECC_NIST_EDWARDS25519",
}


class KeySpecChoice(click.Choice[str]):
    """Key specs in any case. An error gives a hint, and nothing is guessed: a wrong key spec makes another key."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(names, case_sensitive=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        with contextlib.suppress(click.BadParameter):  # it quotes the value
            return super().convert(value, param, ctx)
        raise redaction.UnknownKeySpecError(self._hint(str(value).upper()), ctx, param)

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002  # click's signature
        """In KMS's own spelling: click would write small letters."""
        return f"Choose from {', '.join(self.choices)}."

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's signature
        param: click.Parameter,  # noqa: ARG002  # the same
        incomplete: str,
    ) -> list[CompletionItem]:
        """In KMS's own spelling, which click would complete in small letters."""
        return [CompletionItem(name) for name in self.choices if name.startswith(incomplete.upper())]

    def _hint(self, text: str) -> str:
        """Names only choices, and never the text itself: it may be a key."""
        if _AES.fullmatch(text) and "SYMMETRIC_DEFAULT" in self.choices:
            return "For AES-256 it is SYMMETRIC_DEFAULT; KMS has no other AES keys."
        meant = self._other_name(text) or self._near_name(text)
        return f"Did you mean {meant}?" if meant in self.choices else ""

    @staticmethod
    def _other_name(text: str) -> str:
        letters_and_digits = re.sub("[^A-Z0-9]", "", text)
        return _OTHER_NAMES.get(re.sub(r"^(?:ECC?)?(?:NIST)?", "", letters_and_digits), "")

    def _near_name(self, text: str) -> str:
        """Returns none whose numbers differ: RSA_1024 is no RSA_3072."""
        near = difflib.get_close_matches(re.sub("[- ]", "_", text), self.choices, n=1, cutoff=_NEAR)
        return near[0] if near and _numbers(near[0]) == _numbers(text) else ""


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+", text)


class FileName(click.Path):
    """A file's name, which the shell completes. Neither that nor a call opens the file here: `sources.py` does."""

    def __init__(self, check: Callable[[str], str]) -> None:
        super().__init__()
        self._check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002  # click's signature
        return self._check(value)


class NotEmpty(StringParamType):
    """A text that is not empty. The other types take no empty text by their form."""

    def __init__(self, check: Callable[[str], str]) -> None:
        self._check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == "" and param is not None:
            raise click.UsageError(f"{param.opts[0]} is empty: is a variable of the shell not set?", ctx)
        return self._check(value)


@NotEmpty
def name(text: str) -> str:
    return _refuse_key(text, "That is no name.")


def account(text: str) -> str:
    return _name_of_form(forms.ACCOUNT, text, "That is no account id: 12 digits.")


def region(text: str) -> str:
    return _name_of_form(forms.REGION, text, "That is no Region, such as eu-central-1.")


def kms_key(text: str) -> str:
    return _name_of_form(forms.KMS_KEY, text, "That is no id, ARN or alias/NAME of a key in KMS.")


def secret(text: str) -> str:
    return _name_of_form(forms.SECRET, text, "That is no name (letters, digits and /_+=.@-) or ARN of a secret.")


@FileName
def file(text: str) -> str:
    return text


@FileName
def new_file(text: str) -> str:
    return _refuse_key(text, "No file gets such a name.")


@FileName
def public_key(text: str) -> str:
    """To name a file that is called like a key in KMS, write ./NAME."""
    return kms_key(text) if text.startswith(("arn:", "alias/")) else text


def material_id(text: str) -> str:
    return _require_form(forms.MATERIAL_ID, text, "That is no KeyMaterialId: 64 hex digits.")


@NotEmpty
def check_value(text: str) -> str:
    """Its form is checked later, when the key spec is known."""
    return text


@NotEmpty
def digits(text: str) -> str:
    return text


def _name_of_form(form: re.Pattern[str], text: str, rule: str) -> str:
    return _require_form(form, _refuse_key(text, rule), rule)


def _refuse_key(text: str, rule: str) -> str:
    if redaction.looks_like_a_key(text):
        raise click.BadParameter(f"{rule} {redaction.NOT_REPEATED}")
    return text


def _require_form(form: re.Pattern[str], text: str, rule: str) -> str:
    if not form.fullmatch(text):
        raise click.BadParameter(rule)
    return text
