"""Turns AWS's errors into sentences: it keeps the code, and adds the cause and the remedy.

KMS gives some refusals an empty text, and others a text that does not say why. Some texts repeat the values of the call. A user
may have put plaintext there, so a declared value is replaced by its property's name. Source of the codes and their meanings:
the API references of KMS, Secrets Manager and CloudFormation; docs/internals/kms-contract.md for what KMS really answers. This
module only translates. `calls.py` decides which errors are waited out, and how long. `meanings.py` has what is the same for
every caller.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NotConnectedError

from imported_key_material.aws import meanings
from imported_key_material.aws.meanings import FAILED_INSIDE, NO_MEANINGS, UNKNOWN, Meaning, denial, sentence
from imported_key_material.errors import Fault, ServiceRefused

NO_MASKS: Final[Mapping[str, str]] = MappingProxyType({})
# The name in Service Quotas. No page of AWS has its code.
GET_PARAMETERS_QUOTA: Final = "GetParametersForImport request rate"

_PASSING: Final = "This passes by itself. Run the deployment again."
_CREDENTIALS_RAN_OUT: Final = Meaning("The function's credentials ran out.", _PASSING)
_OUR_DEFECT: Final = "If the properties are right, please report this as a defect."

# By code, or by "service:Operation code" if the code means something else in that operation.
_MEANINGS: Final[Mapping[str, Meaning]] = {
    **meanings.FOR_EVERYBODY,
    **meanings.passing(_PASSING),
    # --- KMS: GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial and the reads
    "InvalidArnException": Meaning(
        "KMS can't read the key's ARN, or it is of another Region.",
        "Use the id or the ARN of a key in the stack's Region; !GetAtt Key.Arn gives it.",
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
        "The key once held other material, and the first import into a key is permanent.",
        "Import the material that the key held, or make a new key for the new material.",
    ),
    # For kms:Decrypt the meaning depends on how the secret is wrapped: `secret_errors.of_refused_decrypt`.
    "kms:ImportKeyMaterial InvalidCiphertextException": Meaning(
        "KMS could not use what it unwrapped, though it passed every check made here.",
        "Check that the material fits the key spec.",
    ),
    "InvalidImportTokenException": Meaning(
        "KMS refused the import token for this key.", "Run the deployment again: it fetches a new one."
    ),
    "ExpiredImportTokenException": Meaning("The import token is older than 24 hours.", "Run the deployment again."),
    "IncorrectKeyException": Meaning(
        "The secret was encrypted under another key.", "Name that key in SecretWrapping.KeyId."
    ),
    "InvalidKeyUsageException": Meaning(
        "The key's usage or spec does not fit the operation.", "Unwrap with a key whose KeyUsage is ENCRYPT_DECRYPT."
    ),
    "LimitExceededException": Meaning("A quota of KMS is used up.", "See Service Quotas for KMS in this Region."),
    "KMSInvalidMacException": Meaning(
        "The key makes another MAC than the material in the secret.", "Name the secret that holds the key's material."
    ),
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
        "Lambda does not take an event of this size.", "Declare less: the properties are too large."
    ),
    "RecursiveInvocationException": Meaning(
        "Lambda took this for a function that calls itself without end, and stopped it.", "Run the deployment again."
    ),
    # --- any service
    "AccessDeniedException": Meaning(
        "The function's role, the key's policy or the secret's policy does not allow it.",
        "The key and the secret must have the tag imported-key-material (it may count up to five minutes late); the key's "
        "policy must let the account's IAM policies count, or name the role.",
    ),
    "ExpiredTokenException": _CREDENTIALS_RAN_OUT,
    "ExpiredToken": _CREDENTIALS_RAN_OUT,
    "ValidationException": Meaning("AWS does not take these values together.", _OUR_DEFECT),
}

_UNREACHED: Final = Meaning(
    "The service could not be reached.",
    "If the function runs in a VPC, it needs a way to KMS, Secrets Manager, CloudFormation, Lambda and CloudFormation's bucket "
    "in S3 (endpoints or NAT).",
)
_FAILED_INSIDE: Final = Meaning(FAILED_INSIDE, _PASSING)
_NOT_SENT: Final = Meaning("It was stopped inside the function.", _OUR_DEFECT)

# botocore's exceptions for a call that was sent. With any other exception it was not sent.
NO_ANSWER: Final = (HTTPClientError, NotConnectedError, IncompleteReadError)


def status_of(error: ClientError) -> int:
    """The HTTP status; 0 if the error has none."""
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


def code_of(error: ClientError | BotoCoreError) -> str:
    """AWS's code; if there was no answer, the class of the exception."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def _text(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _mask(text: str, masks: Mapping[str, str]) -> str:
    """Replaces the longest values first: one value may be a part of another."""
    if not masks:
        return text
    values = "|".join(map(re.escape, sorted(masks, key=len, reverse=True)))
    return re.sub(values, lambda found: masks[found[0]], text)


def translate(
    operation: str,
    error: ClientError | BotoCoreError,
    *,
    where: str,
    masks: Mapping[str, str] = NO_MASKS,
    meanings: Mapping[str, Meaning] = NO_MEANINGS,
) -> ServiceRefused:
    """`operation`: "kms:DescribeKey"; `where`: the property that the call was made for.

    `masks`: the values that AWS's text must not repeat, and what replaces each (`masks.py`). `meanings`: meanings of codes, if
    the caller knows more than the table here.

    The result holds no reference to `error`: botocore's exceptions keep the whole answer.
    """
    code = code_of(error)
    if isinstance(error, ClientError):
        # Lambda's text may quote the payload, which is the event with its ResponseURL.
        message = "" if operation == "lambda:Invoke" else sentence(_mask(_text(error), masks))
        problem = f"{operation} was refused with {code}" + (f": {message}" if message else ".")
        denied = denial(code, _text(error), who="the function's role")
        known = denied or meanings.get(code) or _MEANINGS.get(f"{operation} {code}") or _MEANINGS.get(code)
        meaning = known or (_FAILED_INSIDE if status_of(error) >= 500 else UNKNOWN)
    elif isinstance(error, NO_ANSWER):
        problem, meaning = f"{operation} got no answer ({code}).", _UNREACHED
    else:
        problem, meaning = f"{operation} was not sent ({code}).", _NOT_SENT
    problem = f"{problem} {meaning.cause}".rstrip()
    return ServiceRefused(Fault(meaning.where or where, problem, meaning.remedy), operation=operation, code=code)
