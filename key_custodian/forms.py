"""The forms of AWS's names: of keys, secrets, versions, stacks, Regions, callers.

They are used twice. What a user names must have its form before AWS is asked, so that only names are sent. What AWS answers
must have its form before it is shown, so that a server in AWS's place can't put any text into a command, a plan or a receipt.
Sources: patterns and lengths in the API references of KMS, Secrets Manager, CloudFormation and STS, and their lists of ARNs.
"""

import re
from typing import Final

_ACCOUNT: Final = r"\d{12}"
_REGION: Final = r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-\d{1,2}"
_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY_ID: Final = rf"(?:{_UUID}|mrk-[0-9a-f]{{32}})"
_ALIAS: Final = r"alias/[A-Za-z0-9/_-]{1,250}"
_OF_KMS: Final = rf"arn:aws[a-z-]*:kms:{_REGION}:{_ACCOUNT}"
_NAME: Final = r"[A-Za-z0-9/_+=.@-]{1,512}"
_SECRET_ARN: Final = rf"arn:aws[a-z-]*:secretsmanager:{_REGION}:{_ACCOUNT}:secret:[A-Za-z0-9/_+=.@-]{{1,519}}"

ACCOUNT: Final = re.compile(_ACCOUNT, re.ASCII)
REGION: Final = re.compile(_REGION, re.ASCII)
KEY_ARN: Final = re.compile(rf"{_OF_KMS}:key/{_KEY_ID}", re.ASCII)
ALIAS: Final = re.compile(_ALIAS, re.ASCII)
KMS_KEY: Final = re.compile(rf"{_KEY_ID}|{_ALIAS}|{_OF_KMS}:(?:key/{_KEY_ID}|{_ALIAS})", re.ASCII)
SECRET_NAME: Final = re.compile(_NAME, re.ASCII)
ANY_SECRET_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")  # names that services choose may have a !
SECRET_ARN: Final = re.compile(_SECRET_ARN, re.ASCII)
SECRET: Final = re.compile(rf"{_NAME}|{_SECRET_ARN}", re.ASCII)
CALLER_ARN: Final = re.compile(rf"arn:aws[a-z-]*:(?:iam|sts)::{_ACCOUNT}:[!-~]{{1,700}}", re.ASCII)
MATERIAL_ID: Final = re.compile(r"[0-9A-Fa-f]{64}")
VERSION_ID: Final = re.compile(r"[!-~]{1,64}")
STAGE: Final = re.compile(r"[ -~]{1,256}")
SERVICE: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
WORD: Final = re.compile(r"[A-Za-z0-9_]{1,64}")  # a key's spec, usage, state, origin; an error's code
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9+/=._-]{1,128}")
CODE: Final = re.compile(r"[A-Za-z0-9._:#-]{1,128}")
CHECK_VALUE: Final = re.compile(r"(?:CMAC|ECB|HMAC):[0-9A-F]{6,10}|SHA256:[0-9A-F]{64}", re.IGNORECASE)
KEY_ID: Final = re.compile(_KEY_ID, re.ASCII)  # its 32 hex digits are no key
STACK: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII)
LOGICAL_ID: Final = re.compile(r"[A-Za-z0-9]{1,255}", re.ASCII)
