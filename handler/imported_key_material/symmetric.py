"""Symmetric encryption keys hold more than one material: which import is a first, a re-import, or a new one (rule 5).

    the key never held any   an import without ImportType: the first, for ever
    it knows the bytes       EXISTING_KEY_MATERIAL: current, earlier or pending; brings back what was lost, changes the expiry
    it does not              NEW_KEY_MATERIAL, where NewMaterial is STAGE or ROTATE; and the rotation, where it is ROTATE

Whether it knows the bytes is KMS's to say: nobody else can compute a KeyMaterialId. So a re-import is tried first, which KMS
refuses without any effect; by the id of each material that may be meant, so that none that a rotation has superseded gets
another expiry: with its end the whole key would end. What KMS does: docs/kms-contract.md, "More than one material".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from imported_key_material.confirming import SUPERSEDED, lost_material, lost_of, needed_of, shows_expiry
from imported_key_material.errors import Refused, ServiceRefused
from imported_key_material.import_parameters import SealedMaterial
from imported_key_material.key_view import KeyView
from imported_key_material.kms_key import Expiry, KmsKey
from imported_key_material.rotation import PENDING, Rotation, pending_of

EXISTING: Final = {"ImportType": "EXISTING_KEY_MATERIAL"}
NEW: Final = {"ImportType": "NEW_KEY_MATERIAL"}
_OTHER: Final = "IncorrectKeyMaterialException"


class UnknownMaterial(Exception):
    """The key does not know the bytes, and NewMaterial is REFUSE."""


class SupersededMaterial(Exception):
    """A rotation has superseded the bytes, and a key can't go back."""


@dataclass(frozen=True, slots=True, repr=False)
class SymmetricImport:
    """The imports into one key. `once` makes one ImportKeyMaterial and returns KeyMaterialId; `guard` comes before each.

    `accepted`: the states in which the material may be afterwards; `expiry`: what is declared.
    """

    key: KmsKey
    view: KeyView
    new_material: str
    accepted: frozenset[str]
    description: str | None
    expiry: Expiry
    once: Callable[[SealedMaterial, Mapping[str, str], Expiry], str]
    guard: Callable[[], None]

    def run(self, current: SealedMaterial, earlier: Sequence[SealedMaterial]) -> str:
        """Returns the KeyMaterialId of `current`. The earlier ones come first: without them the key stays unusable.

        Raises UnknownMaterial, SupersededMaterial.
        """
        lost = self._bring_back(earlier)
        described = {"KeyMaterialDescription": self.description} if self.description else {}
        if not self.view.current_material_id and not self.view.is_replica:
            material_id = self._known(current, described)
        else:
            material_id = self._again(current, described)
        if material_id is None:
            if self.new_material == "REFUSE":
                raise UnknownMaterial
            if lost:
                raise Refused(lost_material(lost))
            material_id = self._staged(current, described)
        if self.new_material == "ROTATE" and self._state(material_id) in PENDING:
            Rotation(self.key, self.guard).rotate_to(material_id)
        return material_id

    def _again(self, sealed: SealedMaterial, described: Mapping[str, str]) -> str | None:
        """A re-import; None where the key does not know the bytes."""
        if SUPERSEDED in self.accepted:
            return self._known(sealed, {**EXISTING, **described})
        materials = self.key.materials()
        superseded = [entry for entry in materials if entry.get("KeyMaterialState") == SUPERSEDED]
        named = [{"KeyMaterialId": entry["KeyMaterialId"]} for entry in materials if entry not in superseded]
        for parameters in named or [{}]:
            material_id = self._known(sealed, {**EXISTING, **parameters, **described})
            if material_id is not None:
                return material_id
        for entry in superseded:
            as_it_is = {**EXISTING, "KeyMaterialId": entry["KeyMaterialId"]}
            if self._known(sealed, as_it_is, self._expiry_of(entry)) is not None:
                raise SupersededMaterial
        return None

    def _expiry_of(self, entry: Mapping[str, Any]) -> Expiry:
        """A material's own expiry; the declared one for what is lost."""
        return self.expiry if lost_of([entry], self.key.caller.clock.now()) else Expiry(entry.get("ValidTo"))

    def _bring_back(self, earlier: Sequence[SealedMaterial]) -> list[str]:
        """Gives each material to the id under which KMS knows it, if that is lost, or expires otherwise than is declared.

        What belongs to none of them is left out. Returns the ids that are lost still, and make the key unusable.
        """
        materials = self.key.materials()
        pending = {entry["KeyMaterialId"] for entry in materials if entry.get("KeyMaterialState") in PENDING}
        lost = lost_of(materials, self.key.caller.clock.now())
        wanting = lost + [
            material_id
            for material_id in needed_of(materials)
            if material_id not in lost and not shows_expiry(self.view, self.expiry, materials, material_id)
        ]
        for sealed in earlier:
            for material_id in wanting:
                if self._known(sealed, EXISTING | {"KeyMaterialId": material_id}) is not None:
                    wanting.remove(material_id)
                    break
        return [material_id for material_id in lost if material_id in wanting and material_id not in pending]

    def _known(self, sealed: SealedMaterial, parameters: Mapping[str, str], expiry: Expiry | None = None) -> str | None:
        try:
            return self.once(sealed, parameters, expiry or self.expiry)
        except ServiceRefused as refused:
            if refused.code != _OTHER:
                raise
        return None

    def _staged(self, sealed: SealedMaterial, described: Mapping[str, str]) -> str:
        rotation, materials = Rotation(self.key, self.guard), self.key.materials()
        rotation.require_room(materials)
        if pending_of(materials) is not None:
            rotation.make_room()
        material_id = self._known(sealed, {**NEW, **described})
        if material_id is None:  # staged meanwhile, by another delivery of this request
            material_id = self.once(sealed, {**EXISTING, **described}, self.expiry)
        return material_id

    def _state(self, material_id: str) -> str:
        entries = {entry["KeyMaterialId"]: entry for entry in self.key.materials()}
        return str(entries.get(material_id, {}).get("KeyMaterialState", ""))
