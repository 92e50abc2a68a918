"""The attributes that Fn::GetAtt returns.

Attributes come only from KMS and the properties, so that updates without an import and rollbacks return the same values: a
changed attribute makes CloudFormation update every resource that uses it. What varies from run to run goes to the log.

CheckValue is evidence. It is what KMS proves, or a declared value if the key's bytes can't have changed since it was
verified, or "".
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from imported_key_material.aws.key_view import KeyView
from imported_key_material.key_id import KeyId, owned_key
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import KEY_SPECS, Kind
from imported_key_material.properties import Properties

# Every answer has every name.
NONE: Final = dict.fromkeys(
    ("KeyArn", "KeyId", "KeySpec", "KeyMaterialId", "ExpirationModel", "ValidTo", "CheckValue"), ""
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What KMS shows of a key's bytes to a stack that has consent.

    `public_key`: SubjectPublicKeyInfo in DER, for asymmetric keys; `material_ids`: all KeyMaterialIds of a symmetric key.
    """

    public_key: bytes | None = field(default=None, repr=False)
    material_ids: tuple[str, ...] = ()


def of_unseen(key: KeyId) -> dict[str, str]:
    """The attributes of a key that KMS does not show. Resources that use its ARN must not get an empty one."""
    if owned_key(key.arn, key.home) is None:  # no key can have such an ARN
        return dict(NONE)
    return NONE | {"KeyArn": key.arn, "KeyId": key.uuid}


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC, to the whole second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def of(view: KeyView, declared: Properties, evidence: Evidence | None) -> dict[str, str]:
    """`evidence`: None without consent, and if KMS could not be asked."""
    return {
        "KeyArn": view.arn,
        "KeyId": view.key_id.uuid,
        "KeySpec": view.spec,
        "KeyMaterialId": view.current_material_id,
        "ExpirationModel": view.expiration_model,
        "ValidTo": timestamp(view.valid_to) if view.valid_to else "",
        "CheckValue": _check_value(view, declared, evidence),
    }


def _check_value(view: KeyView, declared: Properties, evidence: Evidence | None) -> str:
    """Asymmetric keys: computed from KMS's public key. Other keys: the declared value, if the key can hold no other bytes.

    An HMAC key's bytes are permanent. A symmetric key's bytes are certain only if it has had no more than one material.
    """
    spec = KEY_SPECS.get(view.spec)
    if evidence is None or spec is None or not view.holds_material:
        return ""
    if spec.kind is Kind.SYMMETRIC:
        is_the_only_one = evidence.material_ids == (view.current_material_id,)
        return declared.expected_check_value or "" if is_the_only_one else ""
    if spec.kind is Kind.HMAC:
        return declared.expected_check_value or ""
    return "" if evidence.public_key is None else check_value.compute(spec, evidence.public_key)
