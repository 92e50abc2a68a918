"""What `custodian verify` found, and what that is worth: more than yes and no. PROVED is what KMS proves, and nothing else."""

import enum
from dataclasses import dataclass

from imported_key_material.proof import Confirmation


class Verdict(enum.Enum):
    PROVED = "PROVED"
    SAME_ID = "SAME ID"  # KMS shows the KeyMaterialId on paper; which check value belongs to it, KMS does not show
    OTHER = "NOT SO"  # KMS shows that the key holds other material
    NOT_SHOWN = "NOT SHOWN"


@dataclass(frozen=True, slots=True)
class Finding:
    """What KMS said, and what that is worth. `by`: how it was shown, None where nothing was.

    `compared_with`: what the check value on paper was compared with; "" with nothing, and `not_compared` says why.
    """

    verdict: Verdict
    by: Confirmation | None
    found: str
    proves: str = ""
    does_not_show: str = ""
    check_value: str = ""  # as KMS shows it: of public keys
    compared_with: str = ""
    not_compared: str = "KMS showed nothing"
