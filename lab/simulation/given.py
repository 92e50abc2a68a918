"""What Fn::GetAtt gives, against what KMS holds: part of rule 3 of docs/internals/simulation.md, for updates and rollbacks
alike.

CheckValue is evidence. It is what KMS proves, or the declared value of a key that can hold no other bytes, or "". One excuse
for "": the invocation had no consent by the tags that it read last, or its last try at one of the reads got no answer. Without
consent nothing else will do.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
    """The first attribute that says what is not so; "" where all are true."""
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
    for name, values in so.items():
        if data.get(name) not in values:
            return f"gives {name} {data.get(name)!r} of {{key}}, where it is {' or '.join(map(repr, values))}"
    return ""


def _check_values(truth: Truth, arn: str, evidence: Evidence) -> tuple[str, ...]:
    """Those that are true."""
    if not evidence.consents:
        return ("",)
    value = _check_value(truth, arn, evidence.declared)
    return (value,) if evidence.answered else (value, "")


def _check_value(truth: Truth, arn: str, declared: str) -> str:
    """Of an asymmetric key: the hash of its public key. Of a secret key: what is declared, where it has one material only."""
    if truth.state(arn) not in _HOLDS_ITS_MATERIAL:
        return ""
    (secret, *_) = (holding.secret for holding in truth.holdings(arn).values())
    if secret.private_key is not None:
        public = secret.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"SHA256:{hashlib.sha256(public).hexdigest().upper()}"
    states = [material.state for material in truth.materials(arn)]
    return declared if states == [MaterialState.CURRENT] else ""
