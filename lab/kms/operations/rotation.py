"""Rotation, and the list of a key's materials (C-44 to C-55, C-63)."""

from datetime import timedelta

from lab.kms.call import Answer, Call, Target
from lab.kms.errors import KmsError, invalid_state, unsupported, validation, wrong_origin
from lab.kms.keys import AWS_KMS, EXTERNAL, Material, MaterialState, Rotation
from lab.kms.operations.keys import add_generated_material

MAX_ROTATIONS = 25
_DEFAULT_PERIOD_DAYS = 365
_MULTI_REGION_PENDING = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"


def rotate_key_on_demand(call: Call) -> Answer:
    target = call.target()
    family = target.family
    target.require_state(call.operation)  # before the key spec (C-85)
    if not family.is_symmetric:
        raise unsupported(None)  # C-82
    _require_not_replica(target)
    if family.rotation is not None:  # C-54
        return {"KeyId": target.arn}
    if family.rotations_accepted >= MAX_ROTATIONS:  # C-53
        raise KmsError(
            "LimitExceededException",
            "The on-demand rotations limit has been reached for the given keyId. "
            f"No more on-demand rotations can be performed for this key: {target.arn}",
        )
    if family.origin == EXTERNAL:
        _require_pending(target)  # its bytes may have expired meanwhile (C-49)
    else:
        add_generated_material(call, family, MaterialState.PENDING)
    timing = call.backstage.timing
    completes_at = call.now + call.backstage.draw(timing.rotation_seconds)
    shown_until = min(completes_at, call.now + timedelta(seconds=timing.rotation_status_seconds))
    family.rotation = Rotation(call.now, completes_at, shown_until)
    family.rotations_accepted += 1
    return {"KeyId": target.arn}


def _require_pending(target: Target) -> None:
    if target.family.pending is None:  # C-44
        raise invalid_state(f"No available key material pending rotation for the key: {target.arn}.")
    if not target.family.pending_is_everywhere():  # C-63
        raise invalid_state(
            "Cannot perform key material rotation: Key material has not been imported for replicas of the "
            "Multi-Region key."
        )


def get_key_rotation_status(call: Call) -> Answer:
    target = call.target(cross_account=True)
    family = target.family
    _require_rotatable(target)
    # An empty key's status is a success, too (C-55).
    answer: Answer = {"KeyId": target.arn, "KeyRotationEnabled": family.automatic_rotation_days is not None}
    if family.automatic_rotation_days is not None and family.automatic_rotation_since is not None:
        period = timedelta(days=family.automatic_rotation_days)
        answer["RotationPeriodInDays"] = family.automatic_rotation_days
        answer["NextRotationDate"] = family.automatic_rotation_since + period
    if family.rotation is not None and call.now < family.rotation.shown_until:  # C-45
        answer["OnDemandRotationStartDate"] = family.rotation.started_at
    return answer


def enable_key_rotation(call: Call) -> Answer:
    target = _automatic(call)
    target.family.automatic_rotation_days = call.params.get("RotationPeriodInDays", _DEFAULT_PERIOD_DAYS)
    target.family.automatic_rotation_since = call.now
    return {}


def disable_key_rotation(call: Call) -> Answer:
    target = _automatic(call)
    target.family.automatic_rotation_days = None
    return {}


def _automatic(call: Call) -> Target:
    """Automatic rotation is only for symmetric keys whose material KMS generates."""
    target = call.target()
    target.require_state(call.operation)
    _require_rotatable(target)
    _require_not_replica(target)
    if target.family.origin != AWS_KMS:
        raise wrong_origin(target.arn, target.family.origin)
    return target


def _require_not_replica(target: Target) -> None:
    """C-63: only the primary rotates."""
    if target.is_replica:
        raise unsupported(f"{target.arn} is not a multi-region primary key.")


def _require_rotatable(target: Target) -> None:
    if not target.family.is_symmetric:
        raise unsupported(None)


# ----------------------------------------------------------------------------------------------------------- the list


def list_key_rotations(call: Call) -> Answer:
    """C-50: the oldest first. Without ALL_KEY_MATERIAL only what a rotation made current."""
    target = call.target()
    if not target.family.is_symmetric:
        if "IncludeKeyMaterial" in call.params:
            raise validation("Input parameter includeKeyMaterial can only be used with symmetric keys.")
        raise validation(f"{target.arn} key spec is {target.family.spec_name} which is not valid for this operation.")
    everything = call.params.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
    listed = [one for one in target.family.materials if everything or one.rotation_date is not None]
    page, rest = call.page(listed, default_limit=100, max_limit=1000)
    return {"Rotations": [_entry(call, target, material) for material in page]} | rest


def _entry(call: Call, target: Target, material: Material) -> Answer:
    entry: Answer = {
        "KeyId": target.family.key_id,
        "KeyMaterialId": material.id,
        "KeyMaterialState": _state(target, material),
    }
    if material.rotation_date is not None:
        entry |= {"RotationDate": material.rotation_date, "RotationType": material.rotation_type}
    if target.family.origin == EXTERNAL:
        entry |= _import(call, target, material)
    return entry


def _state(target: Target, material: Material) -> str:
    waits = material.state is MaterialState.PENDING and not target.family.pending_is_everywhere()
    return _MULTI_REGION_PENDING if waits else str(material.state)


def _import(call: Call, target: Target, material: Material) -> Answer:
    holding = target.key.holdings.get(material.id)
    lapsed_at = target.key.lapsed.get(material.id)
    lag = timedelta(seconds=call.backstage.timing.import_state_lag_seconds)
    still_shown = lapsed_at is not None and call.now < lapsed_at + lag  # C-51
    shown: Answer = {"ImportState": "IMPORTED" if holding is not None or still_shown else "PENDING_IMPORT"}
    if material.description is not None:
        shown["KeyMaterialDescription"] = material.description
    valid_to = lapsed_at if holding is None and still_shown else holding.valid_to if holding else None
    if valid_to is not None:
        return shown | {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to}
    if holding is not None:
        shown["ExpirationModel"] = "KEY_MATERIAL_DOES_NOT_EXPIRE"
    return shown
