"""Symmetric encryption keys hold more than one material: which import is a first, a re-import, or a new one (rule 5).

    the key never held any   an import without ImportType: the first, for ever
    it knows the bytes       EXISTING_KEY_MATERIAL: current, earlier or pending; brings back what was lost, changes the expiry
    it does not              NEW_KEY_MATERIAL, where NewMaterial is STAGE or ROTATE; and the rotation, where it is ROTATE

Whether it knows the bytes is KMS's to say: nobody else can compute a KeyMaterialId. So a re-import is tried first, which KMS
refuses without any effect; by the id of each material that may be meant, so that none that a rotation has superseded gets
another expiry: with its end the whole key would end. What KMS does: docs/internals/kms-contract.md, "More than one material".
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
    """The imports into one key. The guard of `attempt` comes before each of them.

    `accepted`: the states in which the material may be afterwards; `expiry`: what is declared.
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
            if self.new_material is NewMaterial.REFUSE:
                raise UnknownMaterial
            if lost:
                raise Refused(lost_material(lost))
            material_id = self._staged(current, described)
        if self.new_material is NewMaterial.ROTATE:
            material = self.key.materials().of(material_id)
            if material is not None and material.is_pending:
                self.rotation.rotate_to(material_id)
        return material_id

    def _again(self, sealed: SealedMaterial, described: Mapping[str, str]) -> str | None:
        """A re-import; None where the key does not know the bytes."""
        if State.SUPERSEDED in self.accepted:
            return self._known(sealed, {**EXISTING, **described})
        materials = self.key.materials()
        superseded = materials.in_state(State.SUPERSEDED)
        named = [{"KeyMaterialId": one.id} for one in materials if one not in superseded]
        for parameters in named or [{}]:
            material_id = self._known(sealed, {**EXISTING, **parameters, **described})
            if material_id is not None:
                return material_id
        for material in superseded:
            as_it_is = {**EXISTING, "KeyMaterialId": material.id}
            if self._known(sealed, as_it_is, self._expiry_of(material)) is not None:
                raise SupersededMaterial
        return None

    def _expiry_of(self, material: HeldMaterial) -> Expiry:
        """A material's own expiry; the declared one for what is lost."""
        is_lost = material.is_lost(self.key.caller.clock.now())
        return self.expiry if is_lost else Expiry(material.expiry.valid_to)

    def _bring_back(self, earlier: Sequence[SealedMaterial]) -> list[HeldMaterial]:
        """Gives each material to the id under which KMS knows it, if that is lost, or expires otherwise than is declared.

        What belongs to none of them is left out. Returns what is lost still, and makes the key unusable.
        """
        materials = self.key.materials()
        lost = materials.lost(self.key.caller.clock.now())
        wanting = list(lost)
        wanting += [one for one in materials.needed if one not in lost and not one.expiry.is_that_of(self.expiry)]
        for sealed in earlier:
            for material in wanting:
                if self._known(sealed, EXISTING | {"KeyMaterialId": material.id}) is not None:
                    wanting.remove(material)
                    break
        return [one for one in lost if one in wanting and not one.is_pending]

    def _known(self, sealed: SealedMaterial, parameters: Mapping[str, str], expiry: Expiry | None = None) -> str | None:
        """One import; None where the key does not know the bytes."""
        try:
            return self.key.import_material(sealed, expiry or self.expiry, self.attempt, symmetric=parameters)
        except ServiceRefused as refused:
            if refused.code != _OTHER:
                raise
        return None

    def _staged(self, sealed: SealedMaterial, described: Mapping[str, str]) -> str:
        materials = self.key.materials()
        self.rotation.require_room(materials)
        if materials.pending is not None:
            self.rotation.make_room()
        material_id = self._known(sealed, {**NEW, **described})
        if material_id is None:  # staged meanwhile, by another delivery of this request
            again = {**EXISTING, **described}
            material_id = self.key.import_material(sealed, self.expiry, self.attempt, symmetric=again)
        return material_id
