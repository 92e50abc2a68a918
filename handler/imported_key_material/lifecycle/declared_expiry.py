"""Compares the declared expiry with what KMS shows of a key and of each of its materials.

DescribeKey shows the earliest expiry of a rotated key's materials; the list shows each. With ValidForDays, every expiry that
is no later than that many days from now counts as declared: a deployment that changes nothing does not renew it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from imported_key_material.aws.held_materials import Expiry, HeldMaterials, ShownExpiry
from imported_key_material.aws.key_view import KeyView
from imported_key_material.errors import Fault, Refused
from imported_key_material.properties import Properties

VALID_TO_MAX: Final = timedelta(days=365)  # KMS takes only less than that


def asked_expiry(properties: Properties, now: datetime) -> Expiry:
    """The expiry that the properties ask for; ValidForDays counts from `now`."""
    if properties.valid_for_days is not None:
        return Expiry(now + timedelta(days=properties.valid_for_days))
    if properties.valid_to is None:
        return Expiry(None)
    if properties.valid_to <= now:
        raise Refused(
            Fault("ValidTo", "The time has passed, and KMS would refuse it.", "Declare a later time, or ValidForDays.")
        )
    if properties.valid_to - now >= VALID_TO_MAX:
        raise Refused(
            Fault(
                "ValidTo",
                "The time is 365 days away or more, and KMS takes less than that.",
                "Declare an earlier time, or ValidForDays (at most 364).",
            )
        )
    return Expiry(properties.valid_to)


def shown_expiry(view: KeyView, materials: HeldMaterials, material_id: str) -> ShownExpiry:
    """The expiry of one material; the key's expiry if the list does not have the material."""
    material = materials.of(material_id)
    return view.expiry if material is None else material.expiry


@dataclass(frozen=True, slots=True)
class DeclaredExpiry:
    """The expiry that the properties ask for, at one moment."""

    declared: Properties
    now: datetime

    def is_kept_by(self, shown: ShownExpiry) -> bool:
        """Whether the expiry that a material has is as declared."""
        days = self.declared.valid_for_days
        if days is None:
            return shown.is_that_of(Expiry(self.declared.valid_to))
        return shown.is_no_later_than(self.now + timedelta(days=days))

    def is_kept(self, view: KeyView, materials: HeldMaterials, material_id: str) -> bool:
        """Like `is_kept_by`, for the declared material; with PreviousSecretVersionIds, for all that the key needs."""
        others = materials.needed if self.declared.previous_secret_version_ids else ()
        shown = (shown_expiry(view, materials, material_id), *(one.expiry for one in others))
        return all(self.is_kept_by(each) for each in shown)
