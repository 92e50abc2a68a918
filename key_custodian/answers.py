"""The forms of AWS's answers, for fields that the tool shows or puts into a command or a template.

A server that answers in AWS's place (AWS_ENDPOINT_URL and similar settings) chooses every text of an answer. If a field does
not have AWS's form, the tool uses nothing of the answer. Texts without a fixed form (a description, a tag's value, an error's
sentence) are shown as one line (`output.py`), and never become part of a command.
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
    "VersionIdsToStages": forms.STAGE,  # and its version ids
}
_MANY: Final = frozenset({"VersionStages", "VersionIdsToStages", "Imports"})
# operation -> the fields that are checked, at any depth of its answer
_FIELDS: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = {
    "sts:GetCallerIdentity": {"Account": forms.ACCOUNT, "Arn": forms.CALLER_ARN},
    "kms:DescribeKey": _KEY,
    "kms:ListKeyRotations": {"KeyMaterialId": forms.MATERIAL_ID, "KeyMaterialState": forms.WORD},
    "kms:ListKeys": {"KeyId": forms.KEY_ID},
    "kms:ListAliases": {"AliasName": forms.ALIAS, "TargetKeyId": forms.KEY_ID},
    "cloudformation:ListImports": {"Imports": forms.STACK},
    "cloudformation:ListStackResources": {"LogicalResourceId": forms.LOGICAL_ID},
    "secretsmanager:DescribeSecret": _SECRET,
    "secretsmanager:CreateSecret": _SECRET,
    "secretsmanager:PutSecretValue": _SECRET,
}


def odd_field(operation: str, answer: object) -> str:
    """The name of the first field that does not have AWS's form; "" where there is none."""
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
    """An empty text is accepted: it stands for a missing field."""
    return isinstance(text, str) and (not text or form.fullmatch(text) is not None)


def _texts(value: Any) -> Iterator[object]:
    """The items of a list, or the keys of a mapping and the items of its lists."""
    yield from value
    if isinstance(value, Mapping):
        yield from (text for inner in value.values() for text in inner)
