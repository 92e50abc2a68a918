"""Sentences for a secret that can't be read or decrypted: AWS's refusals, with our account, Region and encryption context.

`error_texts.py` says what a code means in general; this module adds what only the reader of one secret knows. No sentence
repeats the value of a property (docs/internals/design.md, rule 3): it names a secret only by the name in Secrets Manager's
answer.
"""

import re
from collections.abc import Mapping
from typing import Final

from imported_key_material import consent
from imported_key_material.aws.meanings import Meaning
from imported_key_material.errors import Fault, Refused
from imported_key_material.key_id import Home

CONTEXT_KEY: Final = consent.TAG  # of the encryption context with SYMMETRIC_DEFAULT; IAM asks for it, too
NAME_SHOWN_MAX_CHARACTERS: Final = 100  # a secret's name may have 512

_ARN_PARTS: Final = 7  # arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX
_REGION: Final = re.compile(
    r"[a-z]{2,4}(-[a-z]{2,10}){1,3}-\d{1,2}"
)  # a declared ARN may hold any text: quote only this
_ACCOUNT: Final = re.compile(r"\d{12}")

_NOT_OPENED: Final = "The transport key does not open what the secret holds. It was encrypted"
_SHA_1: Final = "OAEP and MGF1 must both use SHA-1; if both use SHA-256, declare"
_SHA_256: Final = (
    "OAEP and MGF1 must both use SHA-256 (Java and `openssl pkeyutl` use SHA-1 by default); if both use SHA-1, as in Azure's "
    "BYOK tools and many HSMs, declare"
)
_RSA_FIRST: Final = "The RSA block comes first, and the AES block behind it."
# By SecretWrapping.Algorithm: why its ciphertext most often can't be decrypted.
_TRAPS: Final[Mapping[str, str]] = {
    "RSAES_OAEP_SHA_1": f"{_SHA_1} RSAES_OAEP_SHA_256.",
    "RSAES_OAEP_SHA_256": f"{_SHA_256} RSAES_OAEP_SHA_1.",
    "RSA_AES_KEY_WRAP_SHA_1": f"{_SHA_1} RSA_AES_KEY_WRAP_SHA_256. {_RSA_FIRST}",
    "RSA_AES_KEY_WRAP_SHA_256": f"{_SHA_256} RSA_AES_KEY_WRAP_SHA_1. {_RSA_FIRST}",
}


def place(name: str, version_id: str = "") -> str:
    """A secret, and one of its versions, in Secrets Manager's names: for `errors.found_in`."""
    shown = name if len(name) <= NAME_SHOWN_MAX_CHARACTERS else f"{name[:NAME_SHOWN_MAX_CHARACTERS]}..."
    return f"secret {shown}, version {version_id}" if version_id else f"secret {shown}"


def account_of(secret_id: str, home: Home) -> str:
    """The account of a secret. Raises Refused (SecretId) if its ARN is of another Region, or is no secret's ARN."""
    if not secret_id.startswith("arn:"):
        return home.account
    parts = secret_id.split(":", _ARN_PARTS - 1)
    if (
        len(parts) < _ARN_PARTS
        or (parts[2], parts[5]) != ("secretsmanager", "secret")
        or not _ACCOUNT.fullmatch(parts[4])
    ):
        problem = "The value begins like an ARN, but is not the ARN of a Secrets Manager secret."
        raise Refused(
            Fault("SecretId", problem, "Declare arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, or the name.")
        )
    if parts[3] != home.region:
        region = f" ({parts[3]})" if _REGION.fullmatch(parts[3]) else ""
        problem = (
            f"The secret is in another Region{region}, and the function reads secrets only in its own ({home.region})."
        )
        remedy = (
            "Name a secret in the stack's Region; aws secretsmanager replicate-secret-to-regions replicates this one "
            "there."
        )
        raise Refused(Fault("SecretId", problem, remedy))
    return parts[4]


def of_missing_secret(account: str, home: Home) -> Mapping[str, Meaning]:
    """What DescribeSecret's refusals may mean. `account`: the secret's, by its ARN."""
    which = f"in account {account} and Region {home.region}"
    if account != home.account:
        denied = Meaning(
            f"IAM answers this in two cases: there is no secret of this ARN {which}; or a policy forbids the function's role "
            "to read it.",
            "Check the ARN first, with the hyphen and the six characters at its end, then that account's policy of the secret: "
            "it must name the role.",
        )
        return {"AccessDeniedException": denied}
    denied = Meaning(
        f"IAM answers this in three cases: there is no secret of this name {which}; or it has no tag {consent.TAG}; or a "
        "policy forbids the function's role to read it.",
        "Check them in this order: aws secretsmanager describe-secret shows name and tags. A secret of another account needs "
        "its full ARN.",
    )
    not_found = Meaning(f"There is no secret of this name {which}.", "Check SecretId.")
    return {"AccessDeniedException": denied, "ResourceNotFoundException": not_found}


def of_missing_version(version: Mapping[str, str], entry: int | None) -> Mapping[str, Meaning]:
    """What GetSecretValue's ResourceNotFoundException means. `version`: VersionId, VersionStage or nothing, as it was sent.

    `entry`: the place in PreviousSecretVersionIds, from 0.
    """
    listed = "aws secretsmanager list-secret-version-ids --include-deprecated shows its versions."
    if entry is not None:
        meaning = Meaning(f"The secret has no version with the id in entry {entry + 1} of the list.", listed)
    elif "VersionId" in version:
        meaning = Meaning("The secret has no version of this id.", listed, "SecretVersionId")
    elif "VersionStage" in version:
        meaning = Meaning("No version of the secret has this staging label.", listed, "SecretVersionStage")
    else:
        meaning = Meaning(
            "No version of the secret has the staging label AWSCURRENT, which is read if no version is declared.",
            f"Store the material in it, or declare SecretVersionId: {listed}",
        )
    return {"ResourceNotFoundException": meaning}


def of_missing_transport_key(home: Home) -> Mapping[str, Meaning]:
    """What DescribeKey's refusals may mean for the key of SecretWrapping.KeyId, which may be an alias."""
    which = f"There is no such key or alias in account {home.account} and Region {home.region}"
    remedy = "Check SecretWrapping.KeyId; aws kms list-aliases shows the aliases there are."
    return {
        "NotFoundException": Meaning(f"{which}, or it was made a moment ago.", remedy),
        "AccessDeniedException": Meaning(f"{which}, or a policy forbids the function's role to look at it.", remedy),
    }


def of_refused_decrypt(algorithm: str, context: str) -> Mapping[str, Meaning]:
    """What kms:Decrypt's empty refusal means. `algorithm`: SecretWrapping.Algorithm; `context`: the value of CONTEXT_KEY."""
    if algorithm == "SYMMETRIC_DEFAULT":
        meaning = Meaning(
            f"{_NOT_OPENED} with another encryption context, for example for another secret, or was changed.",
            f"Encrypt the material again, with the encryption context {CONTEXT_KEY}={context}: the secret's account and name.",
        )
    else:
        meaning = Meaning(
            f"{_NOT_OPENED} under another key or with another algorithm, or was changed.", _TRAPS[algorithm]
        )
    return {"InvalidCiphertextException": meaning}
