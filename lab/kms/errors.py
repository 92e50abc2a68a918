"""KMS's refusals: code and message, in the words of docs/internals/kms-contract.md.

Each sentence has one function, so that it is written once. If a message is None, the body has no message member (C-82).
"""

from lab.wire.transport import AwsError


class KmsError(AwsError):
    """KMS says no."""


def validation(message: str) -> KmsError:
    return KmsError("ValidationException", message)


def unsupported(message: str | None) -> KmsError:
    return KmsError("UnsupportedOperationException", message)


def invalid_state(message: str) -> KmsError:
    return KmsError("KMSInvalidStateException", message)


def invalid_key_usage(message: str) -> KmsError:
    return KmsError("InvalidKeyUsageException", message)


def not_found(message: str) -> KmsError:
    return KmsError("NotFoundException", message)


def wrong_origin(arn: str, origin: str) -> KmsError:
    return unsupported(f"{arn} origin is {origin} which is not valid for this operation.")


def not_modelled(what: str) -> KmsError:
    """Real KMS knows it, this KMS does not: a refusal is better than a guess."""
    return unsupported(f"The strict KMS of these tests does not know {what}.")
