"""Symmetric encryption keys hold more than one material: which import is a first, a re-import, or a new one (rule 5).

    the key never held any material   an import without ImportType: the first import, which is permanent
    the key knows the bytes           EXISTING_KEY_MATERIAL: restores lost material, or changes the expiry
    the key does not know the bytes   NEW_KEY_MATERIAL, if NewMaterial is STAGE or ROTATE; with ROTATE also the rotation

Only KMS can compute a KeyMaterialId, so only KMS knows whether the key knows the bytes. So we try a re-import first: if KMS
refuses it, nothing has changed. We name the id of each material that is not superseded. A re-import without an id could give
a superseded material another expiry, and once that material expired, the whole key would be unusable.
What KMS does: docs/internals/kms-contract.md, "More than one material".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from imported_key_material.aws.held_materials import Expiry, HeldMaterial, State
from imported_key_material.aws.import_parameters import SealedMaterial
from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.kms_key import ChangeAttempt, KmsKey
from imported_key_material.errors import Refused, ServiceRefused
from imported_key_material.lifecycle.refusals import lost_material
from imported_key_material.lifecycle.rotation import Rotation
from imported_key_material.properties import NewMaterial

EXISTING: Final = {"ImportType": "EXISTING_KEY_MATERIAL"}
NEW: Final = {"ImportType": "NEW_KEY_MATERIAL"}
_OTHER: Final = "IncorrectKeyMaterialException"


class UnknownMaterial(Exception):
    """The key does not know the bytes, and NewMaterial is REFUSE."""


class SupersededMaterial(Exception):
    """A rotation has superseded the bytes, and a key can't go back."""


@dataclass(frozen=True, slots=True, repr=False)
class SymmetricImport:
    """The imports into one key. The guard of `attempt` runs before each import.

    `accepted`: the states in which the material may be afterwards; `expiry`: the declared expiry.
    """

    key: KmsKey
    view: KeyView
    new_material: NewMaterial
    accepted: frozenset[str]
    description: str | None
    expiry: Expiry
    attempt: ChangeAttempt
    rotation: Rotation

    def run(self, current: SealedMaterial, earlier: Sequence[SealedMaterial]) -> str:
        """Returns the KeyMaterialId of `current`. Imports the earlier materials first: without them the key stays unusable.

        Raises UnknownMaterial, SupersededMaterial.
        """
        lost = self._restore(earlier)
        description = {"KeyMaterialDescription": self.description} if self.description else {}
        if not self.view.current_material_id and not self.view.is_replica:
            material_id = self._try_import(current, description)
        else:
            material_id = self._reimport(current, description)
        if material_id is None:
            if self.new_material is NewMaterial.REFUSE:
                raise UnknownMaterial
            if lost:
                raise Refused(lost_material(lost))
            material_id = self._stage(current, description)
        if self.new_material is NewMaterial.ROTATE:
            material = self.key.materials().of(material_id)
            if material is not None and material.is_pending:
                self.rotation.rotate_to(material_id)
        return material_id

    def _reimport(self, sealed: SealedMaterial, description: Mapping[str, str]) -> str | None:
        """Returns None if the key does not know the bytes."""
        if State.SUPERSEDED in self.accepted:
            return self._try_import(sealed, {**EXISTING, **description})
        materials = self.key.materials()
        superseded = materials.in_state(State.SUPERSEDED)
        named = [{"KeyMaterialId": one.id} for one in materials if one not in superseded]
        for parameters in named or [{}]:
            material_id = self._try_import(sealed, {**EXISTING, **parameters, **description})
            if material_id is not None:
                return material_id
        for material in superseded:
            by_id = {**EXISTING, "KeyMaterialId": material.id}
            if self._try_import(sealed, by_id, self._expiry_of(material)) is not None:
                raise SupersededMaterial
        return None

    def _expiry_of(self, material: HeldMaterial) -> Expiry:
        """The material's own expiry; the declared expiry if the material is lost."""
        is_lost = material.is_lost(self.key.caller.clock.now())
        return self.expiry if is_lost else Expiry(material.expiry.valid_to)

    def _restore(self, earlier: Sequence[SealedMaterial]) -> list[HeldMaterial]:
        """Imports earlier materials again that are lost, or whose expiry is not the declared one.

        Ignores bytes that belong to none of these. Returns the materials that are still lost and make the key unusable.
        """
        materials = self.key.materials()
        lost = materials.lost(self.key.caller.clock.now())
        wanting = list(lost)
        wanting += [one for one in materials.needed if one not in lost and not one.expiry.is_that_of(self.expiry)]
        for sealed in earlier:
            for material in wanting:
                if self._try_import(sealed, EXISTING | {"KeyMaterialId": material.id}) is not None:
                    wanting.remove(material)
                    break
        return [one for one in lost if one in wanting and not one.is_pending]

    def _try_import(
        self, sealed: SealedMaterial, parameters: Mapping[str, str], expiry: Expiry | None = None
    ) -> str | None:
        """One import. Returns None if the key does not know the bytes."""
        try:
            return self.key.import_material(sealed, expiry or self.expiry, self.attempt, symmetric=parameters)
        except ServiceRefused as refused:
            if refused.code != _OTHER:
                raise
        return None

    def _stage(self, sealed: SealedMaterial, description: Mapping[str, str]) -> str:
        materials = self.key.materials()
        self.rotation.require_room(materials)
        if materials.pending is not None:
            self.rotation.make_room()
        material_id = self._try_import(sealed, {**NEW, **description})
        if material_id is None:  # another delivery of this request has staged it meanwhile
            again = {**EXISTING, **description}
            material_id = self.key.import_material(sealed, self.expiry, self.attempt, symmetric=again)
        return material_id
