"""Brings declared material into one key, and confirms that KMS holds it: rules 3, 4, 5 and 7 of docs/design.md.

    check everything -> parameters, seal -> (guard -> import) -> confirm -> answer

Up to the first import KMS holds nothing new, and a failure answers under an id that a Delete leaves alone. From then on it
answers under the id that rule 1 gives, so that CloudFormation's own rollback finds what was brought in. What a symmetric key
needs besides (earlier material, staging, rotation) is `symmetric.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from imported_key_material import attributes, consent, preparation
from imported_key_material.confirming import (
    SUPERSEDED,
    Entries,
    NothingNew,
    confirmed,
    expires_as_declared,
    lost_of,
    needed_of,
    other_material,
    refused_material,
    superseded_material,
)
from imported_key_material.errors import Faults, ImportedKeyMaterialError, Refused, ServiceRefused
from imported_key_material.import_parameters import SealedMaterial
from imported_key_material.key_specs import Kind
from imported_key_material.key_view import KeyView
from imported_key_material.kms_key import ChangeAttempt, Expiry, KmsKey
from imported_key_material.operation import Operation
from imported_key_material.preparation import Prepared, SeenKey
from imported_key_material.proof import Confirmation, OtherMaterial, Proof
from imported_key_material.properties import Properties
from imported_key_material.quiet import places
from imported_key_material.request import Answer, Failed
from imported_key_material.rotation import PENDING
from imported_key_material.still_needed import StillNeeded
from imported_key_material.symmetric import SupersededMaterial, SymmetricImport, UnknownMaterial

NOTHING_IMPORTED: Final = "Nothing was imported."
_NOTHING_NEW: Final = "No new material was imported."
_MAY_HOLD: Final = "KMS may hold the material already: a rollback or the next update sees to it."


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an import is for.

    `failed_id` answers for a failure before it, `kept_id` (or else rule 1's id) for all that comes after. `forward`: STAGE and
    ROTATE count; a rollback stages nothing and rotates nothing. `located_as_before`: the properties that locate the secret are
    unchanged, so that it is no error if a rotation has superseded the bytes meanwhile.
    """

    failed_id: str
    kept_id: str | None = None
    forward: bool = True
    located_as_before: bool = False


class Importing:
    """One execution's import into one key; knows whether KMS may have taken anything, and the id that answers for it."""

    def __init__(self, operation: Operation, declared: Properties, purpose: Purpose) -> None:
        self._operation = operation
        self._declared = declared
        self._purpose = purpose
        self._new_material = declared.new_material if purpose.forward else "REFUSE"
        self._physical_id = purpose.kept_id or ""
        self._held = False
        self._attempt: ChangeAttempt | None = None

    def bring_in(self, view: KeyView | None, faults: Faults) -> Answer:
        """`view`: the key, None where looking at it gave a fault; `faults`: those so far. Raises Failed."""
        try:
            prepared = self._prepared(view, faults)  # rule 3: all that is wrong, at once
            key, proof = self._operation.key(prepared.view.arn), Proof.of(prepared.material)
            current, *earlier = self._sealed(prepared, key)  # KMS holds nothing new yet
            self._name(prepared.view)
            self._attempt = ChangeAttempt(lambda: self._guard(key))
            material_id = self._import(prepared, key, self._attempt, current, earlier)  # rule 4: FOR EVER
            shown, how = confirmed(self._operation, prepared, proof, material_id, self._accepted(prepared))
            self._log(prepared, shown, material_id, how)
            self._warn(prepared.expiry, shown)
            answer = Answer(self._physical_id, attributes.of(shown, self._declared, proof.public_key))
        except ImportedKeyMaterialError as error:
            raise self._failed(str(error), _NOTHING_NEW if isinstance(error, NothingNew) else _MAY_HOLD) from None
        except Exception as error:
            if not self._may_have_imported:
                raise
            # A defect, and still the Delete must find what was brought in.
            problem = f"The function met an error of its own after the import, {type(error).__name__}."
            at = places(error)
        else:
            return answer
        # Not while the exception is being handled: a log that can't be written prints it, and its text is not vetted.
        self._operation.log.warning("an error of its own after the import", extra={"at": at})
        raise self._failed(problem)

    @property
    def _may_have_imported(self) -> bool:
        return self._attempt is not None and self._attempt.may_have_taken_effect

    def _failed(self, problem: str, what_may_be: str = _MAY_HOLD) -> Failed:
        if self._may_have_imported:
            return Failed(f"{problem} {what_may_be}", self._physical_id)
        return Failed(f"{problem} {NOTHING_IMPORTED}", self._purpose.failed_id)

    def _prepared(self, view: KeyView | None, faults: Faults) -> Prepared:
        """Rule 3, whole; and where the key can show that it holds other bytes, that too."""
        operation = self._operation
        seen = None if view is None else self._seen(view, faults)
        prepared = preparation.prepare(
            self._declared, seen, operation.reader(forward=self._purpose.forward), operation.caller.clock.now(), faults
        )
        if prepared.view.holds_material:
            try:
                operation.key(prepared.view.arn).shows(Proof.of(prepared.material))
            except OtherMaterial:
                pass
            else:
                return prepared
            prepared.wipe()
            raise Refused(other_material(prepared))
        return prepared

    def _seen(self, view: KeyView, faults: Faults) -> SeenKey:
        operation = self._operation
        tags: Mapping[str, str] | None = None
        materials: Entries = ()
        with faults.collected():
            tags = operation.key(view.arn).tags()
            # Without the tag, IAM does not let the function read the list.
            if consent.TAG in tags and (view.current_material_id or view.is_replica):
                materials = operation.materials(view)
        return SeenKey(view, tags, self._wants_earlier(view, materials))

    def _wants_earlier(self, view: KeyView, materials: Entries) -> bool:
        """Whether material is lost, or an expiry is to change; else PreviousSecretVersionIds are not read."""
        declared, now = self._declared, self._operation.caller.clock.now()
        if lost_of(materials, now) or declared.valid_for_days is not None:  # days are counted from this import
            return True
        return not all(expires_as_declared(view, declared, materials, each, now) for each in needed_of(materials))

    def _sealed(self, prepared: Prepared, key: KmsKey) -> list[SealedMaterial]:
        """Fetches import parameters, once for all materials, and wraps them. The plaintext ends here."""
        try:
            parameters = key.parameters_for_import(
                prepared.wrapping_algorithm,
                self._declared.wrapping_key_spec,
                StillNeeded(self._operation, prepared.view),
            )
            return [parameters.seal(material) for material in (prepared.material, *prepared.earlier)]
        finally:
            prepared.wipe()

    def _guard(self, key: KmsKey) -> None:
        """Runs right before every call that changes the key: rule 9; rule 7 and consent, both read again; rule 1."""
        operation = self._operation
        operation.stack.require_wanted()
        view = key.look()
        preparation.require_importable(view)
        # KMS's quota, or a replica, may have been waited for until the owner took the consent back.
        consent.require(key.tags(), operation.request.stack_name, where="KeyId", what="the KMS key")
        if not self._may_have_imported and view.holds_material != self._held:
            # Somebody was here since. What the key holds after a try of this execution may be its own.
            self._name(view)
            operation.stack.require_wanted()

    def _name(self, view: KeyView) -> None:
        """Rule 1: the id under which KMS holds what is about to be imported."""
        self._held = view.holds_material
        self._physical_id = self._purpose.kept_id or self._operation.id_for(view)

    def _import(
        self,
        prepared: Prepared,
        key: KmsKey,
        attempt: ChangeAttempt,
        current: SealedMaterial,
        earlier: list[SealedMaterial],
    ) -> str:
        """Returns KeyMaterialId, "" for keys that are not symmetric."""

        def once(sealed: SealedMaterial, symmetric: Mapping[str, str], expiry: Expiry) -> str:
            return key.import_material(sealed, expiry, attempt, symmetric=symmetric)

        description = self._declared.key_material_description
        try:
            if prepared.spec.kind is not Kind.SYMMETRIC:
                return once(current, {}, prepared.expiry)
            imports = SymmetricImport(
                key=key,
                view=prepared.view,
                new_material=self._new_material,
                accepted=self._accepted(prepared),
                description=description,
                expiry=prepared.expiry,
                once=once,
                guard=attempt.guard,
            )
            return imports.run(current, earlier)
        except UnknownMaterial:
            fault = other_material(prepared, on_replica=prepared.view.is_replica)
        except SupersededMaterial:
            raise NothingNew(superseded_material(prepared, prepared.view)) from None
        except ServiceRefused as refused:
            known_fault = refused_material(prepared, refused.code)
            if known_fault is None:
                raise
            fault = known_fault
        raise Refused(fault)

    def _accepted(self, prepared: Prepared) -> frozenset[str]:
        """The states in which a symmetric key's material is what the properties ask for."""
        accepted = {"CURRENT"}
        if self._new_material == "STAGE" or prepared.view.is_replica or not self._purpose.forward:
            accepted |= PENDING
        if self._purpose.located_as_before or not self._purpose.forward:
            accepted.add(SUPERSEDED)
        return frozenset(accepted)

    def _log(self, prepared: Prepared, view: KeyView, material_id: str, how: Confirmation) -> None:
        self._operation.log.info(
            "imported",
            extra={
                "key_arn": view.arn,
                "key_state": view.state,
                "key_material_id": material_id,
                "confirmed_by": str(how),
                "wrapping_algorithm": prepared.wrapping_algorithm,
                "secret_version_id": prepared.secret_version_id,
                "check_value": prepared.material.check_value,
                "expiration_model": view.expiration_model,
            },
        )

    def _warn(self, expiry: Expiry, view: KeyView) -> None:
        """A key goes out of use with the first of its materials to expire; DescribeKey shows that one's end."""
        declared = expiry.valid_to
        if view.valid_to is not None and (declared is None or view.valid_to < declared.replace(microsecond=0)):
            self._operation.log.warning(
                "earlier material expires before the current one, and the key goes out of use then",
                extra={"key_arn": view.arn, "valid_to": attributes.timestamp(view.valid_to)},
            )
