"""The types of options and arguments. A key that was pasted in place of another value is neither sent to AWS nor written.

Each option has one of these types, or one of click's types with a fixed list. A value that does not fit is a wrong call, and
no output repeats it.

    name         of a profile, a stack, a field, a version: must not look like key material
    account, region, kms_key, secret    as AWS writes them
    file         an existing file, or `-`, with any name; `sources.py` reports a missing file
    new_file     a name for a file: must not look like key material
    public_key   a file with a public key, or a key in KMS
    material_id, check_value, digits    may look like a key. Not sent anywhere, and shown only where KMS shows the same
"""

import re

import click

from key_custodian import forms, redaction


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


def file(text: str) -> str:
    return text


def new_file(text: str) -> str:
    return _refuse_key(text, "No file gets such a name.")


def public_key(text: str) -> str:
    """To name a file that is called like a key in KMS, write ./NAME."""
    return kms_key(text) if text.startswith(("arn:", "alias/")) else text


def material_id(text: str) -> str:
    return _require_form(forms.MATERIAL_ID, text, "That is no KeyMaterialId: 64 hex digits.")


def check_value(text: str) -> str:
    """Its form is checked later, when the key spec is known."""
    return text


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
