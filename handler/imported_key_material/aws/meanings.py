"""What AWS's refusals mean, if it is the same for every caller: for the function's role and for a custodian.

The texts here add the most frequent cause, and the remedy, to AWS's code and text. `error_texts.py` has the texts only for the
function; the custodian's tool has those only for people. Source of the codes: the API references of KMS and Secrets Manager.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

MESSAGE_MAX_CHARACTERS: Final = 300
DENIED: Final = frozenset({"AccessDeniedException", "AccessDenied"})  # in the words of KMS and of CloudFormation


class Meaning(NamedTuple):
    """Why AWS refused, and what to do. `where`: the property at fault, if it is not the property that the call was made for."""

    cause: str
    remedy: str
    where: str = ""


NO_MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType({})

FOR_EVERYBODY: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "KMSInvalidStateException": Meaning(
            "The key's state does not allow it: it is being created, updated or deleted, or it lacks its material.",
            "Look at KeyState with aws kms describe-key; aws kms cancel-key-deletion takes a deletion back.",
        ),
        "DisabledException": Meaning("The key is disabled.", "Enable it, if it was not disabled for a reason."),
    }
)
_PASSING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DependencyTimeoutException": "KMS did not get an answer from a service that it depends on.",
        "KMSInternalException": "KMS had an internal error.",
        "KeyUnavailableException": "KMS can't reach the key at the moment.",
        "InvalidMarkerException": "KMS refused its own marker for the next page of a list.",
        "InternalServiceError": "Secrets Manager had an internal error.",
    }
)
FAILED_INSIDE: Final = "The service had an internal error."  # for an unknown code with an HTTP status of 500 or more
UNKNOWN: Final = Meaning("", "Look the code up in the API reference of that operation.")

# What AWS writes after "with an explicit deny in". The sentence takes these words, and repeats nothing of AWS's text.
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


def passing(remedy: str) -> dict[str, Meaning]:
    """Code -> meaning, for errors that pass by themselves. `remedy`: how the caller tries again."""
    return {code: Meaning(cause, remedy) for code, cause in _PASSING.items()}


def denial(code: str, text: str, *, who: str) -> Meaning | None:
    """What an explicit Deny in any policy means; None if AWS's text has none.

    `text`: the whole text of AWS, since only the text says it. `who`: the caller, in words.
    """
    found = _EXPLICIT_DENY.search(text) if code.startswith("AccessDenied") else None
    if found is None:
        return None
    policy = found["policy"] or "a policy"
    return Meaning(
        f"{policy[0].upper()}{policy[1:]} denies it explicitly, and no tag and no permission outweighs that.",
        f"Take the Deny out of that policy, or except {who} from it.",
    )


def sentence(text: str) -> str:
    """AWS's text with one full stop; the beginning of a long text; "" if it is empty."""
    text = text.strip()
    if len(text) > MESSAGE_MAX_CHARACTERS:
        return f"{text[:MESSAGE_MAX_CHARACTERS].rstrip()}..."
    return f"{text.rstrip('.')}." if text else ""
