"""AWS's errors in words: the code is kept, the cause and the remedy are added.

KMS answers some refusals with an empty text, and others with one that says what but not why. Some texts repeat what was asked
for: a declared value is shown by its property's name, since a user may have put plaintext there. Source of the codes and their
meanings: the API references of KMS, Secrets Manager and CloudFormation; docs/internals/kms-contract.md for what KMS really
answers. This module only translates; what is waited out, and for how long, is in `calling.py`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NotConnectedError

from imported_key_material.errors import Fault, ServiceRefused

NO_MASKS: Final[Mapping[str, str]] = MappingProxyType({})
# As Service Quotas lists it. Its code was found in no page of AWS.
GET_PARAMETERS_QUOTA: Final = "GetParametersForImport request rate"
_MESSAGE_MAX_CHARACTERS = 300


class Meaning(NamedTuple):
    """Why AWS says it, and what to do. `where`: the property that is at fault, if not the one that the call was made for."""

    cause: str
    remedy: str
    where: str = ""


NO_MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType({})

_PASSING: Final = "This passes by itself. Run the deployment again."
_CREDENTIALS_RAN_OUT: Final = Meaning("The function's credentials ran out.", _PASSING)
_OUR_DEFECT: Final = "If the properties are right, please report this as a defect."

# code, or "service:Operation code" where one operation means something else by it
_MEANINGS: Final[dict[str, Meaning]] = {
    # --- KMS: GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial and the reads
    "DependencyTimeoutException": Meaning("KMS did not get an answer from a service that it depends on.", _PASSING),
    "KMSInternalException": Meaning("KMS failed inside.", _PASSING),
    "InvalidArnException": Meaning(
        "KMS can't read the key's ARN, or it is of another Region.",
        "Use the id or the ARN of a key in the stack's Region; !GetAtt Key.Arn gives it.",
    ),
    "KMSInvalidStateException": Meaning(
        "The key's state does not allow it: it is being created, updated or deleted, or its material is not there.",
        "Look at KeyState with aws kms describe-key; aws kms cancel-key-deletion takes a deletion back.",
    ),
    "NotFoundException": Meaning(
        "There is no such key in this account and Region, or it was made a moment ago and KMS does not show it yet.",
        "Check the id; !GetAtt Key.Arn also makes CloudFormation wait for the key.",
    ),
    "UnsupportedOperationException": Meaning(
        "The key does not take imported material: its Origin is not EXTERNAL, or it lives in a custom key store.",
        "Make a key with Origin EXTERNAL; the origin of a key can't be changed.",
    ),
    "IncorrectKeyMaterialException": Meaning(
        "The key once held other material, and the first import into a key is for ever.",
        "Import the material that the key held, or make a new key for the new material.",
    ),
    "InvalidCiphertextException": Meaning(
        "KMS could not use what it unwrapped, though it passed every check made here.",
        "Check that the material fits the key spec.",
    ),
    "InvalidImportTokenException": Meaning(
        "KMS does not take the import token as one of this key.", "Run the deployment again: it fetches a new one."
    ),
    "ExpiredImportTokenException": Meaning("The import token is older than 24 hours.", "Run the deployment again."),
    "kms:Decrypt InvalidCiphertextException": Meaning(
        "The unwrap key does not open what the secret holds.",
        "It was encrypted under another key or with another algorithm.",
    ),
    "IncorrectKeyException": Meaning(
        "The secret was encrypted under another key.", "Name that key in SecretWrapping.KeyId."
    ),
    "InvalidKeyUsageException": Meaning(
        "The key's usage or spec does not fit the operation.", "Unwrap with a key whose KeyUsage is ENCRYPT_DECRYPT."
    ),
    "DisabledException": Meaning("The key is disabled.", "Enable it, if it was not disabled for a reason."),
    "KeyUnavailableException": Meaning("KMS can't reach the key at the moment.", _PASSING),
    "LimitExceededException": Meaning("A quota of KMS is used up.", "See Service Quotas for KMS in this Region."),
    "KMSInvalidMacException": Meaning(
        "The key makes another MAC than the material in the secret.", "Name the secret that holds the key's material."
    ),
    "InvalidMarkerException": Meaning("KMS does not take its own mark of where a list goes on.", _PASSING),
    "ConflictException": Meaning("A rotation of the key is under way, or about to begin.", _PASSING),
    # --- Secrets Manager
    "ResourceNotFoundException": Meaning(
        "There is no such secret, or it has no such version or stage.",
        "Check SecretId, SecretVersionId and SecretVersionStage. A secret of another account needs its full ARN.",
    ),
    "InvalidRequestException": Meaning(
        "The secret can't be read in its present state; often it is marked for deletion.",
        "aws secretsmanager restore-secret takes that back.",
    ),
    "InvalidParameterException": Meaning(
        "Secrets Manager does not take the parameters together.",
        "Check SecretId, SecretVersionId and SecretVersionStage.",
    ),
    "DecryptionFailure": Meaning(
        "Secrets Manager can't decrypt the secret with its KMS key.",
        "Look at the state and the policy of the secret's own KMS key. It must not be the key that takes the material.",
    ),
    "InternalServiceError": Meaning("Secrets Manager failed inside.", _PASSING),
    # --- CloudFormation
    "ValidationError": Meaning("CloudFormation does not know the stack or the resource.", "Run the deployment again."),
    "AccessDenied": Meaning(
        "The function's role does not allow it.", "Deploy the application again; its role is part of it."
    ),
    # --- Lambda
    "lambda:Invoke AccessDeniedException": Meaning(
        "The function's role does not allow it to invoke itself.",
        "Deploy the application again; its role is part of it.",
    ),
    "lambda:Invoke ResourceNotFoundException": Meaning(
        "The function is gone, or is being replaced.", "Run the deployment again."
    ),
    "RequestTooLargeException": Meaning(
        "Lambda does not take an event of this size.", "Declare less: it is the properties that are large."
    ),
    "RecursiveInvocationException": Meaning(
        "Lambda takes it for a function that calls itself for ever, and has stopped it.", "Run the deployment again."
    ),
    # --- any service
    "AccessDeniedException": Meaning(
        "The function's role, the key's policy or the secret's policy does not allow it.",
        "The tag imported-key-material must be on the key and the secret before the role may touch them (up to five minutes "
        "before); the policy of a key must let the account's IAM policies count, or name the role.",
    ),
    "ExpiredTokenException": _CREDENTIALS_RAN_OUT,
    "ExpiredToken": _CREDENTIALS_RAN_OUT,
    "ValidationException": Meaning("AWS does not take these values together.", _OUR_DEFECT),
}

# What AWS names behind "with an explicit deny in". The words are ours: nothing of AWS's text is repeated for it.
_DENYING: Final = (
    "a service control policy",
    "a resource control policy",
    "a permissions boundary",
    "an identity-based policy",
    "a resource-based policy",
    "a session policy",
    "a VPC endpoint policy",
)
_EXPLICIT_DENY: Final = re.compile(rf"explicit deny(?: in (?P<policy>{'|'.join(_DENYING)}))?", re.IGNORECASE)
_UNREACHED = Meaning(
    "The service could not be reached.",
    "If the function runs in a VPC, it needs a way to KMS, Secrets Manager, CloudFormation, Lambda and CloudFormation's bucket "
    "in S3 (endpoints or NAT).",
)
_NOT_SENT = Meaning("It was stopped inside the function.", _OUR_DEFECT)
_FAILED_INSIDE = Meaning("The service failed inside.", _PASSING)
_UNKNOWN = Meaning("", "Look the code up in the API reference of that operation.")

# botocore's exceptions for a call that went out; every other one stopped it before.
NO_ANSWER: Final = (HTTPClientError, NotConnectedError, IncompleteReadError)


def status_of(error: ClientError) -> int:
    """The HTTP status; 0 where it is not told."""
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


def code_of(error: ClientError | BotoCoreError) -> str:
    """AWS's code; for a call that got no answer, the class of what stopped it."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def _message(error: ClientError, masks: Mapping[str, str]) -> str:
    """AWS's own text as a sentence, or the beginning of a long one; "" where it says nothing."""
    text = _masked(str(error.response.get("Error", {}).get("Message", "")), masks).strip()
    if len(text) > _MESSAGE_MAX_CHARACTERS:
        return f"{text[:_MESSAGE_MAX_CHARACTERS].rstrip()}..."
    return f"{text.rstrip('.')}." if text else ""


def _masked(text: str, masks: Mapping[str, str]) -> str:
    """The longest first: one value may be a part of another."""
    if not masks:
        return text
    values = "|".join(map(re.escape, sorted(masks, key=len, reverse=True)))
    return re.sub(values, lambda found: masks[found[0]], text)


def _denial(error: ClientError) -> Meaning | None:
    """What an explicit Deny means, in whatever policy. AWS tells it in its text only; looked for before that is cut."""
    if not code_of(error).startswith("AccessDenied"):
        return None
    found = _EXPLICIT_DENY.search(str(error.response.get("Error", {}).get("Message", "")))
    if found is None:
        return None
    policy = found["policy"] or "a policy"
    return Meaning(
        f"{policy[0].upper()}{policy[1:]} denies it explicitly, and no tag and no permission outweighs that.",
        "Take the Deny out of that policy, or except the function's role from it.",
    )


def translate(
    operation: str,
    error: ClientError | BotoCoreError,
    *,
    where: str,
    masks: Mapping[str, str] = NO_MASKS,
    meanings: Mapping[str, Meaning] = NO_MEANINGS,
) -> ServiceRefused:
    """`operation`: "kms:DescribeKey"; `where`: the property that the call was made for.

    `masks`: the values that AWS's text must not repeat, and what stands in their place (`masks.py`). `meanings`: of codes,
    where the caller knows more about them than the table here.

    The result holds no reference to `error`: botocore's exceptions keep the whole answer.
    """
    code = code_of(error)
    if isinstance(error, ClientError):
        # What Lambda says of a payload may quote it: the event, with its ResponseURL.
        message = "" if operation == "lambda:Invoke" else _message(error, masks)
        said = f"{operation} was refused with {code}" + (f": {message}" if message else ".")
        known = _denial(error) or meanings.get(code) or _MEANINGS.get(f"{operation} {code}") or _MEANINGS.get(code)
        meaning = known or (_FAILED_INSIDE if status_of(error) >= 500 else _UNKNOWN)
    elif isinstance(error, NO_ANSWER):
        said, meaning = f"{operation} got no answer ({code}).", _UNREACHED
    else:
        said, meaning = f"{operation} was not sent ({code}).", _NOT_SENT
    problem = f"{said} {meaning.cause}".rstrip()
    return ServiceRefused(Fault(meaning.where or where, problem, meaning.remedy), operation=operation, code=code)
