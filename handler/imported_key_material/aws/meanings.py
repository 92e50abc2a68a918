"""What AWS's refusals mean, as far as it is the same for whoever called: the function's role, or a custodian.

AWS's code and text are kept; here are the cause that is meant most often, and the remedy. What only one caller can be told is
in `error_texts.py` for the function, and in the custodian's tool for people. Source of the codes: the API references of KMS and
Secrets Manager.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

MESSAGE_MAX_CHARACTERS: Final = 300


class Meaning(NamedTuple):
    """Why AWS says it, and what to do. `where`: the property that is at fault, if not the one that the call was made for."""

    cause: str
    remedy: str
    where: str = ""


NO_MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType({})

FOR_EVERYBODY: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "KMSInvalidStateException": Meaning(
            "The key's state does not allow it: it is being created, updated or deleted, or its material is not there.",
            "Look at KeyState with aws kms describe-key; aws kms cancel-key-deletion takes a deletion back.",
        ),
        "DisabledException": Meaning("The key is disabled.", "Enable it, if it was not disabled for a reason."),
    }
)
_PASSING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DependencyTimeoutException": "KMS did not get an answer from a service that it depends on.",
        "KMSInternalException": "KMS failed inside.",
        "KeyUnavailableException": "KMS can't reach the key at the moment.",
        "InvalidMarkerException": "KMS does not take its own mark of where a list goes on.",
        "InternalServiceError": "Secrets Manager failed inside.",
    }
)
FAILED_INSIDE: Final = "The service failed inside."  # of a code that is not known, with an HTTP status of 500 or more
UNKNOWN: Final = Meaning("", "Look the code up in the API reference of that operation.")

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


def passing(remedy: str) -> dict[str, Meaning]:
    """Code -> meaning, of what passes by itself. `remedy`: how the caller tries again."""
    return {code: Meaning(cause, remedy) for code, cause in _PASSING.items()}


def denial(code: str, text: str, *, who: str) -> Meaning | None:
    """What an explicit Deny means, in whatever policy; None where there is none.

    `text`: AWS's own, whole; only there does AWS say it. `who`: the caller, in words.
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
    """AWS's text with one full stop; the beginning of a long one; "" where it says nothing."""
    text = text.strip()
    if len(text) > MESSAGE_MAX_CHARACTERS:
        return f"{text[:MESSAGE_MAX_CHARACTERS].rstrip()}..."
    return f"{text.rstrip('.')}." if text else ""
