"""Which key state allows which operation, by the contract's table; and KMS's refusals (C-85, C-90, C-91).

    y  allowed    S  KMSInvalidStateException    D  DisabledException

Where AWS's table says "DisabledException or KMSInvalidStateException" for a key that is pending deletion, this KMS answers the
second (C-85). GetParametersForImport works on a Disabled key (C-23). An operation that is not in the table is allowed in every
state.
"""

from collections.abc import Mapping

from lab.kms.errors import KmsError, invalid_state
from lab.kms.keys import KeyState

_COLUMNS = (
    KeyState.ENABLED,
    KeyState.DISABLED,
    KeyState.PENDING_IMPORT,
    KeyState.PENDING_DELETION,
    KeyState.PENDING_REPLICA_DELETION,
    KeyState.CREATING,
    KeyState.UPDATING,
)
CRYPTOGRAPHIC = (
    "Encrypt",
    "Decrypt",
    "ReEncrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "Sign",
    "Verify",
    "DeriveSharedSecret",
)
#                                Enabled Disabled PendImport PendDeletion PendReplDel Creating Updating
TABLE: Mapping[str, str] = {
    "GetParametersForImport":    "y       y        y          S            S           S        S",
    "ImportKeyMaterial":         "y       y        y          S            S           S        y",
    "DeleteImportedKeyMaterial": "y       y        y          y            y           S        S",
    "EnableKey":                 "y       y        S          S            S           S        S",
    "DisableKey":                "y       y        S          S            S           S        S",
    "GetPublicKey":              "y       y        S          S            S           S        y",
    "RotateKeyOnDemand":         "y       D        S          S            S           S        y",
    "EnableKeyRotation":         "y       D        y          S            S           S        y",
    "DisableKeyRotation":        "y       D        y          S            S           S        y",
    "ReplicateKey":              "y       D        S          S            S           S        S",
    "UpdatePrimaryRegion":       "y       D        S          S            S           S        y",
    "ScheduleKeyDeletion":       "y       y        y          S            S           y        S",
    "CancelKeyDeletion":         "S       S        S          y            y           S        S",
    "CreateAlias":               "y       y        y          S            S           y        y",
    "UpdateAlias":               "y       y        y          S            S           y        y",
    "UpdateKeyDescription":      "y       y        y          S            S           y        y",
    "TagResource":               "y       y        y          S            S           y        y",
    "UntagResource":             "y       y        y          S            S           y        y",
    **dict.fromkeys(CRYPTOGRAPHIC, "y       D        S          S            S           S        y"),
}  # fmt: skip

_IN_WORDS: Mapping[KeyState, str] = {
    KeyState.ENABLED: "enabled",
    KeyState.DISABLED: "disabled",
    KeyState.PENDING_IMPORT: "pending import",
    KeyState.PENDING_DELETION: "pending deletion",
    KeyState.PENDING_REPLICA_DELETION: "pending replica deletion",
    KeyState.CREATING: "creating",
    KeyState.UPDATING: "updating",
}
_CELLS = {
    (operation, state): cell
    for operation, row in TABLE.items()
    for state, cell in zip(_COLUMNS, row.split(), strict=True)
}


def require(operation: str, arn: str, state: KeyState) -> None:
    """Raises KMS's refusal if it refuses `operation` on a key in this state."""
    cell = _CELLS.get((operation, state), "y")
    if cell == "D":
        raise KmsError("DisabledException", f"{arn} is disabled.")
    if cell == "S":
        raise invalid_state(f"{arn} is {_IN_WORDS[state]}.")
