"""Compares Fn::GetAtt's values with what KMS holds: part of rule 3 of docs/internals/simulation.md, also for rollbacks.

CheckValue is evidence. It is the value that KMS proves, or the declared value of a key that can hold no other bytes, or "". ""
is allowed if one of the reads got no answer at its last try. If the tags that the invocation read last give no consent,
CheckValue must be "".
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from imported_key_material.lifecycle import attributes
from lab.kms.keys import MaterialState
from lab.simulation.truth import Truth

_HOLDS_ITS_MATERIAL: Final = ("Enabled", "Disabled", "Updating")
READS: Final = frozenset({"ListResourceTags", "GetPublicKey", "ListKeyRotations"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an invocation could know of a key's bytes. `declared`: its ExpectedCheckValue, or ""."""

    consents: bool
    answered: bool
    declared: str


def untrue(truth: Truth, arn: str, data: Mapping[str, Any], evidence: Evidence) -> str:
    """What is wrong with the first attribute that is not true; "" if all are true."""
    shown = truth.described(arn)
    until = shown.get("ValidTo")
    so = {
        "KeyArn": (arn,),
        "KeyId": (shown["KeyId"],),
        "KeySpec": (shown["KeySpec"],),
        "KeyMaterialId": (shown.get("CurrentKeyMaterialId", ""),),
        "ExpirationModel": (shown.get("ExpirationModel", ""),),
        "ValidTo": ("" if until is None else f"{until:%Y-%m-%dT%H:%M:%SZ}",),
        "CheckValue": _check_values(truth, arn, evidence),
    }
    for name in attributes.NONE:
        values = so[name]
        if data.get(name) not in values:
            return f"gives {name} {data.get(name)!r} of {{key}}, where it is {' or '.join(map(repr, values))}"
    return ""


def _check_values(truth: Truth, arn: str, evidence: Evidence) -> tuple[str, ...]:
    """The values that are true."""
    if not evidence.consents:
        return ("",)
    value = _check_value(truth, arn, evidence.declared)
    return (value,) if evidence.answered else (value, "")


def _check_value(truth: Truth, arn: str, declared: str) -> str:
    """For an asymmetric key, its public key's hash. For a secret key with only one material, the declared value."""
    if truth.state(arn) not in _HOLDS_ITS_MATERIAL:
        return ""
    (secret, *_) = (holding.secret for holding in truth.holdings(arn).values())
    if secret.private_key is not None:
        public = secret.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"SHA256:{hashlib.sha256(public).hexdigest().upper()}"
    states = [material.state for material in truth.materials(arn)]
    return declared if states == [MaterialState.CURRENT] else ""
