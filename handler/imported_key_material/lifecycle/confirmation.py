"""After an import: checks that KMS shows what was requested.

Only a proven mismatch is a failure. If KMS does not show something yet, we ask again (docs/internals/design.md, rule 4).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from imported_key_material.aws.held_materials import Expiry, HeldMaterial, HeldMaterials, State
from imported_key_material.aws.key_view import KeyView
from imported_key_material.clock import Seen
from imported_key_material.errors import OutOfTime, Refused
from imported_key_material.lifecycle.attributes import timestamp
from imported_key_material.lifecycle.checks import Prepared
from imported_key_material.lifecycle.declared_expiry import shown_expiry
from imported_key_material.lifecycle.job import Job
from imported_key_material.lifecycle.refusals import other_material, superseded_material
from imported_key_material.lifecycle.sealing import Sealed
from imported_key_material.material.proof import Confirmation, OtherMaterial


class Confirmed(NamedTuple):
    """What KMS showed at the confirmation, and how it confirmed the bytes."""

    view: KeyView
    materials: HeldMaterials
    how: Confirmation


class NothingNew(Refused):
    """KMS took the bytes as earlier material of the key: nothing new was imported."""


def confirm(job: Job, prepared: Prepared, sealed: Sealed, material_id: str, accepted: frozenset[str]) -> Confirmed:
    """Waits until KMS shows the key usable, with these bytes and this expiry.

    `accepted`: the states in which a symmetric key's material may be. Raises Refused if KMS proves that something differs.
    """
    key = job.key(prepared.view.arn)

    def look() -> Seen[Confirmed | str]:
        view = key.look()
        materials = job.materials(view)
        lost = materials.lost(job.caller.clock.now())
        problem = _why_unusable(view, lost) or _why_unconfirmed(
            view, materials, prepared.expiry, material_id, accepted, sealed.place
        )
        if problem:
            return Seen(problem, enough=False)
        try:
            how = key.shows(sealed.proof)
        except OtherMaterial:
            raise Refused(other_material(prepared.spec, sealed.place)) from None
        known = prepared.view.current_material_id == material_id
        how = how or (Confirmation.SAME_MATERIAL if known else Confirmation.KEY_MATERIAL_ID)
        return Seen(Confirmed(view, materials, how), enough=True)

    # Report what KMS showed last: that says more than "no time for another call".
    seen = job.until_consistent(look, out_of_time=OutOfTime).value
    if isinstance(seen, str):
        raise OutOfTime(f"KeyId: KMS took the material, and did not confirm it in time: {seen}")
    return seen


def _why_unusable(view: KeyView, lost: Sequence[HeldMaterial]) -> str:
    """Why the key is not usable yet, or ""."""
    if view.holds_material:
        return ""
    if not lost:
        return f"the key is {view.state}."
    return (
        f"the key is {view.state}, because it lost material that it once had ({', '.join(one.id for one in lost)}). "
        f"PreviousSecretVersionIds names the secret versions that bring it back."
    )


def _why_unconfirmed(
    view: KeyView, materials: HeldMaterials, expiry: Expiry, material_id: str, accepted: frozenset[str], place: str
) -> str:
    """What KMS does not yet show of the material, or "". Raises NothingNew for bytes that a rotation has superseded."""
    if material_id:
        material = materials.of(material_id)
        state = material.state if material else "not listed"
        if state == State.SUPERSEDED and state not in accepted:
            raise NothingNew(superseded_material(view, place))
        if state not in accepted or (state == State.CURRENT and view.current_material_id != material_id):
            return f"these bytes are material {material_id}, which is {state}; current is {view.current_material_id}."
    shown = shown_expiry(view, materials, material_id).is_that_of(expiry)
    # The attributes come from DescribeKey, which may lag behind the list. It shows the earliest expiry of all materials.
    if all(one.expiry.is_that_of(expiry) for one in materials):
        shown = shown and view.expiry.is_that_of(expiry)
    if not shown:
        return (
            f"it shows {_expiry(view.valid_to)}, and {_expiry(expiry.valid_to)} was asked for. Resources that hold one key "
            "must declare the same expiry."
        )
    return ""


def _expiry(valid_to: datetime | None) -> str:
    return f"the expiry {timestamp(valid_to)}" if valid_to else "no expiry"
