"""Symmetric encryption keys hold more than one material: which import is a first, a re-import, or a new one (rule 5).

    the key never held any   an import without ImportType: the first, for ever
    it knows the bytes       EXISTING_KEY_MATERIAL: current, earlier or pending; brings back what was lost, changes the expiry
    it does not              NEW_KEY_MATERIAL, where NewMaterial is STAGE or ROTATE; and the rotation, where it is ROTATE

Whether it knows the bytes is KMS's to say: nobody else can compute a KeyMaterialId. So a re-import is tried first, which KMS
refuses without any effect. What KMS does: docs/kms-contract.md, "More than one material".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from imported_key_material.errors import ServiceRefused
from imported_key_material.import_parameters import SealedMaterial
from imported_key_material.key_view import KeyView
from imported_key_material.kms_key import KmsKey
from imported_key_material.rotation import PENDING, Rotation, pending_of

EXISTING: Final = {"ImportType": "EXISTING_KEY_MATERIAL"}
NEW: Final = {"ImportType": "NEW_KEY_MATERIAL"}
_OTHER: Final = "IncorrectKeyMaterialException"


class UnknownMaterial(Exception):
    """The key does not know the bytes, and NewMaterial is REFUSE."""


@dataclass(frozen=True, slots=True)
class SymmetricImport:
    """The imports into one key. `once` makes one ImportKeyMaterial and returns KeyMaterialId; `guard` comes before each."""

    key: KmsKey
    view: KeyView
    new_material: str
    description: str | None
    once: Callable[[SealedMaterial, Mapping[str, str]], str]
    guard: Callable[[], None]

    def run(self, current: SealedMaterial, earlier: Sequence[SealedMaterial]) -> str:
        """Returns the KeyMaterialId of `current`. The earlier ones come first: without them the key stays unusable."""
        self._bring_back(earlier)
        described = {"KeyMaterialDescription": self.description} if self.description else {}
        known = bool(self.view.current_material_id) or self.view.is_replica
        material_id = self._known(current, (EXISTING if known else {}) | described)
        if material_id is None:
            if self.new_material == "REFUSE":
                raise UnknownMaterial
            material_id = self._staged(current, described)
        if self.new_material == "ROTATE" and self._state(material_id) in PENDING:
            Rotation(self.key, self.guard).rotate_to(material_id)
        return material_id

    def _bring_back(self, earlier: Sequence[SealedMaterial]) -> None:
        """Gives each lost material to the id under which KMS knows it; what belongs to none of them is left out."""
        lost = [
            entry["KeyMaterialId"] for entry in self.key.materials() if entry.get("ImportState") == "PENDING_IMPORT"
        ]
        for sealed in earlier:
            for material_id in lost:
                if self._known(sealed, EXISTING | {"KeyMaterialId": material_id}) is not None:
                    lost.remove(material_id)
                    break

    def _known(self, sealed: SealedMaterial, parameters: Mapping[str, str]) -> str | None:
        try:
            return self.once(sealed, parameters)
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
            material_id = self.once(sealed, {**EXISTING, **described})
        return material_id

    def _state(self, material_id: str) -> str:
        entries = {entry["KeyMaterialId"]: entry for entry in self.key.materials()}
        return str(entries.get(material_id, {}).get("KeyMaterialState", ""))
