"""What Fn::GetAtt gives, against what KMS holds: part of rule 3 of docs/simulation.md, for updates and rollbacks alike."""

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.simulation.truth import Truth

_SHOWS_ITS_PUBLIC_KEY = ("Enabled", "Disabled", "Updating")


def untrue(truth: Truth, arn: str, data: Mapping[str, Any]) -> str:
    """The first attribute that says what is not so; "" where all are true. No history declares ExpectedCheckValue."""
    shown = truth.described(arn)
    until = shown.get("ValidTo")
    so = {
        "KeyArn": arn,
        "KeyId": shown["KeyId"],
        "KeySpec": shown["KeySpec"],
        "KeyMaterialId": shown.get("CurrentKeyMaterialId", ""),
        "ExpirationModel": shown.get("ExpirationModel", ""),
        "ValidTo": "" if until is None else f"{until:%Y-%m-%dT%H:%M:%SZ}",
        "CheckValue": _check_value(truth, arn),
    }
    for name, value in so.items():
        if data.get(name) != value:
            return f"gives {name} {data.get(name)!r} of {{key}}, where KMS has {value!r}"
    return ""


def _check_value(truth: Truth, arn: str) -> str:
    """The hash of the public key, where there is one and KMS shows it: not of a key that is scheduled for deletion."""
    if truth.state(arn) not in _SHOWS_ITS_PUBLIC_KEY:
        return ""
    (secret, *_) = (holding.secret for holding in truth.holdings(arn).values())
    if secret.private_key is None:
        return ""
    public = secret.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"SHA256:{hashlib.sha256(public).hexdigest().upper()}"
