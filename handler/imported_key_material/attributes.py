"""What CloudFormation keeps of a key: the physical id's forms (rule 1), and what Fn::GetAtt gives.

Attributes come from KMS and the properties alone, so that no-ops and rollbacks give the same: a changed attribute makes
CloudFormation update whatever uses it. What varies from run to run goes to the log.
"""

from datetime import UTC, datetime
from typing import Final

from imported_key_material import check_value
from imported_key_material.key_specs import KEY_SPECS
from imported_key_material.key_view import KeyView
from imported_key_material.properties import Properties
from imported_key_material.request import Home, is_own_key_arn

# Every name is in every answer.
NONE: Final = dict.fromkeys(
    ("KeyArn", "KeyId", "KeySpec", "KeyMaterialId", "ExpirationModel", "ValidTo", "CheckValue"), ""
)


def is_id_of(physical_id: str, view: KeyView) -> bool:
    """Whether a physical id, in either of its forms, is that of the key."""
    return physical_id in (view.arn, view.id)


def of_unseen(key_id: str, home: Home, declared: Properties) -> dict[str, str]:
    """What can be said of a key that can't be looked at. Whatever uses its ARN must not be given an empty one."""
    arn = home.key_arn(key_id)
    if not is_own_key_arn(arn, home):
        return dict(NONE)
    return NONE | {"KeyArn": arn, "KeyId": key_id, "CheckValue": declared.expected_check_value or ""}


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC, to the whole second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def of(view: KeyView, declared: Properties, public_key: bytes | None) -> dict[str, str]:
    """`public_key`: SubjectPublicKeyInfo in DER, as KMS gives it; None for keys that have none."""
    if public_key is None:
        shown = declared.expected_check_value or ""
    else:
        shown = check_value.compute(KEY_SPECS[view.spec], public_key)
    return {
        "KeyArn": view.arn,
        "KeyId": view.id,
        "KeySpec": view.spec,
        "KeyMaterialId": view.current_material_id,
        "ExpirationModel": view.expiration_model,
        "ValidTo": timestamp(view.valid_to) if view.valid_to else "",
        "CheckValue": shown,
    }
