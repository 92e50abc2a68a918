"""What AWS's answers look like, as far as the tool shows them or puts them into a command or a template.

Whoever answers in AWS's place (AWS_ENDPOINT_URL and its like) chooses every text of an answer. One that has not the form that
AWS gives it is no answer of AWS's, and nothing of it is used. What has no form of its own (a description, a tag's value, an
error's sentence) is shown as one line (`output.py`), and stands in no command.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from key_custodian import forms

_KEY: Final = {
    "Arn": forms.KEY_ARN,
    "KeySpec": forms.WORD,
    "KeyUsage": forms.WORD,
    "KeyState": forms.WORD,
    "Origin": forms.WORD,
    "ExpirationModel": forms.WORD,
    "CurrentKeyMaterialId": forms.MATERIAL_ID,
    "MultiRegionKeyType": forms.WORD,
}
_SECRET: Final = {
    "ARN": forms.SECRET_ARN,
    "Name": forms.ANY_SECRET_NAME,
    "KmsKeyId": forms.KMS_KEY,
    "OwningService": forms.SERVICE,
    "VersionId": forms.VERSION_ID,
    "VersionStages": forms.STAGE,
    "VersionIdsToStages": forms.STAGE,  # its ids, too
}
_MANY: Final = frozenset({"VersionStages", "VersionIdsToStages"})
# operation -> the fields that count, wherever they stand in its answer
_FIELDS: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = {
    "sts:GetCallerIdentity": {"Account": forms.ACCOUNT, "Arn": forms.CALLER_ARN},
    "kms:DescribeKey": _KEY,
    "kms:ListKeyRotations": {"KeyMaterialId": forms.MATERIAL_ID, "KeyMaterialState": forms.WORD},
    "secretsmanager:DescribeSecret": _SECRET,
    "secretsmanager:CreateSecret": _SECRET,
    "secretsmanager:PutSecretValue": _SECRET,
}


def odd_field(operation: str, answer: object) -> str:
    """The name of a field whose text is not AWS's; "" where there is none."""
    return next(_odd(answer, _FIELDS.get(operation, {})), "")


def _odd(value: object, fields: Mapping[str, re.Pattern[str]]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in fields:
                texts = _texts(inner) if name in _MANY else [inner]
                yield from (name for text in texts if not _fits(fields[name], text))
            else:
                yield from _odd(inner, fields)
    elif isinstance(value, list):
        for inner in value:
            yield from _odd(inner, fields)


def _fits(form: re.Pattern[str], text: object) -> bool:
    """An empty text shows nothing, and stands for a field that is not there."""
    return isinstance(text, str) and (not text or form.fullmatch(text) is not None)


def _texts(value: Any) -> Iterator[object]:
    """Those of a list, or the names and lists of a table."""
    yield from value
    if isinstance(value, Mapping):
        yield from (text for inner in value.values() for text in inner)
