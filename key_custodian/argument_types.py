"""What an option or an argument takes, so that nothing else is sent to AWS or written: least of all a key in its place.

Each option has one of these types, or one of click's own that take only what they list. What does not fit is a wrong call, and
is not repeated.

    name         of a profile, a stack, a field, a version: what does not look like key material
    account, region, kms_key, secret    as AWS writes them
    file         a file that is there, or `-`. Its name may be any; one that is not found is `sources.py`'s to tell
    new_file     a name for a file: what does not look like key material
    public_key   a file with one, or a key in KMS
    material_id, check_value, digits    what may look like a key. It goes nowhere, and is repeated where KMS shows the same
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
    """A file that is called like a key in KMS is given as ./NAME."""
    return kms_key(text) if text.startswith(("arn:", "alias/")) else text


def material_id(text: str) -> str:
    return _require_form(forms.MATERIAL_ID, text, "That is no KeyMaterialId: 64 hex digits.")


def check_value(text: str) -> str:
    """Its form is compared where the key spec is known."""
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
