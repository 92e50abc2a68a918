"""After an import: whether KMS shows what was asked for; and what its empty refusals of material mean.

Only a proven mismatch is a failure; what KMS does not show yet is asked for again (docs/design.md, "Confirmation").
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from imported_key_material.errors import Fault, OutOfTime, Refused
from imported_key_material.key_specs import Kind
from imported_key_material.key_view import KeyView
from imported_key_material.kms_key import Expiry
from imported_key_material.operation import Operation
from imported_key_material.preparation import Prepared
from imported_key_material.proof import Confirmation, OtherMaterial, Proof
from imported_key_material.properties import Properties

SUPERSEDED: Final = "NON_CURRENT"
Entries = Sequence[Mapping[str, Any]]  # ListKeyRotations', of symmetric keys; empty for others


class NothingNew(Refused):
    """KMS took the bytes as earlier material of the key: it holds nothing that it did not hold before, or once held."""


def confirmed(
    operation: Operation, prepared: Prepared, proof: Proof, material_id: str, accepted: frozenset[str]
) -> tuple[KeyView, Confirmation]:
    """Waits until KMS shows the key usable, with these bytes and this expiry.

    `accepted`: the states in which a symmetric key's material may be. Raises Refused where KMS proves that it is otherwise.
    """
    key, last = operation.key(prepared.view.arn), [""]

    def shown() -> tuple[KeyView, Confirmation] | None:
        view = key.look()
        materials = operation.materials(view)
        lost = lost_of(materials, operation.caller.clock.now())
        last[0] = _lacks_of_key(view, lost) or _lacks(view, materials, prepared, material_id, accepted)
        if last[0]:
            return None
        try:
            how = key.shows(proof)
        except OtherMaterial:
            raise Refused(other_material(prepared)) from None
        known = prepared.view.current_material_id == material_id
        return view, how or (Confirmation.SAME_MATERIAL if known else Confirmation.KEY_MATERIAL_ID)

    try:
        found = operation.until_consistent(shown)
    except OutOfTime:
        if not last[0]:
            raise
        found = None  # what was seen last is more to the point than that there is no time for another call
    if found is None:
        raise OutOfTime(f"KeyId: KMS took the material, and did not confirm it in time: {last[0]}")
    return found


def _lacks_of_key(view: KeyView, lost: Sequence[str]) -> str:
    """Why the key is not usable yet, or ""."""
    if view.holds_material:
        return ""
    if not lost:
        return f"the key is {view.state}."
    return (
        f"the key is {view.state}, because it lost material that it once had ({', '.join(lost)}). PreviousSecretVersionIds "
        f"names the secret versions that bring it back."
    )


def _lacks(view: KeyView, materials: Entries, prepared: Prepared, material_id: str, accepted: frozenset[str]) -> str:
    """What KMS does not show of the material yet, or ""; raises Refused for bytes that a rotation has superseded."""
    if material_id:
        entry = entry_of(materials, material_id)
        state = entry.get("KeyMaterialState", "not listed")
        if state == SUPERSEDED and state not in accepted:
            raise NothingNew(superseded_material(prepared, view))
        if state not in accepted or (state == "CURRENT" and view.current_material_id != material_id):
            return f"these bytes are material {material_id}, which is {state}; current is {view.current_material_id}."
    expiry = prepared.expiry
    shown = shows_expiry(view, expiry, materials, material_id)
    # DescribeKey may lag behind the list, and the attributes come from there. It shows the earliest expiry of all.
    if all(shows_expiry(view, expiry, materials, entry["KeyMaterialId"]) for entry in materials):
        shown = shown and shows_expiry(view, expiry, [], "")
    if not shown:
        return f"it shows {view.expiration_model or 'no expiration model'}, and {expiry.model} was asked for."
    return ""


def entry_of(materials: Entries, material_id: str) -> Mapping[str, Any]:
    return next((entry for entry in materials if entry["KeyMaterialId"] == material_id), {})


def lost_of(materials: Entries, now: datetime) -> list[str]:
    """The ids of materials that the key once had and has not now. After an expiry the list says IMPORTED for a while."""
    return [
        entry["KeyMaterialId"]
        for entry in materials
        if entry.get("ImportState") == "PENDING_IMPORT" or ("ValidTo" in entry and entry["ValidTo"] <= now)
    ]


def shows_expiry(view: KeyView, asked: Expiry, materials: Entries, material_id: str) -> bool:
    """Whether KMS shows the expiry that was asked for, to the whole second as KMS keeps it.

    DescribeKey shows the earliest of a rotated key's materials; its list shows each.
    """
    entry = entry_of(materials, material_id)
    model = entry.get("ExpirationModel", "") if entry else view.expiration_model
    valid_to = entry.get("ValidTo") if entry else view.valid_to
    if asked.valid_to is None or valid_to is None:
        return bool(model == asked.model)
    return bool(model == asked.model and int(valid_to.timestamp()) == int(asked.valid_to.timestamp()))


def expires_as_declared(
    view: KeyView, declared: Properties, materials: Entries, material_id: str, now: datetime
) -> bool:
    """Whether a material's expiry is to stay. With ValidForDays, any that is no later than that many days from now."""
    if declared.valid_for_days is None:
        return shows_expiry(view, Expiry(declared.valid_to), materials, material_id)
    entry = entry_of(materials, material_id)
    valid_to = entry.get("ValidTo") if entry else view.valid_to
    return valid_to is not None and valid_to <= now + timedelta(days=declared.valid_for_days)


def all_expire_as_declared(
    view: KeyView, declared: Properties, materials: Entries, material_id: str, now: datetime
) -> bool:
    """The same of the declared material, and of all others where PreviousSecretVersionIds are declared, too."""
    others = needed_of(materials) if declared.previous_secret_version_ids else []
    return all(expires_as_declared(view, declared, materials, each, now) for each in (material_id, *others))


def needed_of(materials: Entries) -> list[str]:
    """The ids of what the key can't be without: what rotations have superseded, and what is current."""
    return [
        entry["KeyMaterialId"]
        for state in (SUPERSEDED, "CURRENT")
        for entry in materials
        if entry.get("KeyMaterialState") == state
    ]


def other_material(prepared: Prepared, *, on_replica: bool = False) -> Fault:
    """The key and the secret hold different bytes, and NewMaterial is REFUSE."""
    spec = prepared.spec
    if on_replica:
        rule = "a multi-Region replica takes the bytes that its primary holds"
        remedy = "Name the secret version that holds them; new material is first staged in the primary's Region."
    elif spec.kind is Kind.SYMMETRIC:
        rule = "a symmetric key takes new material only by a rotation, and NewMaterial is REFUSE"
        remedy = (
            "Name the secret version that holds the key's material; or declare NewMaterial: STAGE or ROTATE, which can't be "
            "taken back; or declare a new key for the new material."
        )
    else:
        rule = f"{spec.a_key} never takes other material than its first, not even after a deletion"
        remedy = "Name the secret version that holds the key's material, or declare a new key for the new material."
    return Fault(
        "SecretId",
        f"The secret holds other material than the key holds or once held (IncorrectKeyMaterialException), and {rule}.",
        remedy,
        prepared.secret,
    )


def lost_material(lost: Sequence[str]) -> Fault:
    """The key is unusable, and new material would not make it usable."""
    return Fault(
        "KeyId",
        f"The key lost material that it once had ({', '.join(lost)}), and takes new material only once all of it "
        "is there again.",
        "PreviousSecretVersionIds names the secret versions that bring it back.",
    )


def superseded_material(prepared: Prepared, view: KeyView) -> Fault:
    """The key holds the bytes as earlier material, and other properties than before ask for them."""
    return Fault(
        "SecretVersionId",
        f"The key holds these bytes as earlier material; a rotation has made {view.current_material_id} current, "
        "and a key can't go back.",
        "Name the secret version that holds the current material, or declare a new key.",
        prepared.secret,
    )


def refused_material(prepared: Prepared, code: str) -> Fault | None:
    """KMS's empty words about the material, in ours."""
    if code == "IncorrectKeyMaterialException":
        # DER of an RSA key is not canonical; `Importing` has seen that the public keys are equal.
        if prepared.material.public_key is not None and prepared.view.holds_material:
            return Fault(
                "SecretId",
                f"The secret holds the key's own {prepared.spec.name} key in another encoding, and KMS compares the encoding "
                f"({code}).",
                "Name the secret version from which the material was first imported.",
                prepared.secret,
            )
        return other_material(prepared, on_replica=prepared.view.is_replica)
    if code == "InvalidCiphertextException" and prepared.spec.kind is Kind.RSA:
        exponent = prepared.material.public_exponent
        if exponent != 65537:
            return Fault(
                "SecretId",
                f"KMS does not take this {prepared.spec.name} key ({code}); its public exponent is {exponent}, not 65537.",
                "Make a key with the public exponent 65537.",
                prepared.secret,
            )
    return None
