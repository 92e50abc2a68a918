"""Brings declared material into one key, and confirms that KMS holds it: rules 3, 4, 5 and 7 of docs/design.md.

    check everything -> parameters, seal, wipe -> (guard -> import) -> confirm -> answer

The plaintext never lives through a wait. Where the first try brings no import parameters, it is wiped at once; when they are
there, consent is asked for again, and the version that was checked is read again, checked, sealed and wiped. A request that has
waited for long does not read the secret before.

Up to the first import KMS holds nothing new, and a failure answers under an id that a Delete leaves alone. From then on it
answers under the id that rule 1 gives, so that CloudFormation's own rollback finds what was brought in. What a symmetric key
needs besides (earlier material, staging, rotation) is `symmetric.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from imported_key_material import attributes, consent, preparation
from imported_key_material.attributes import Evidence
from imported_key_material.confirming import (
    SUPERSEDED,
    Confirmed,
    Entries,
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
from imported_key_material.operation import Operation, ids_of
from imported_key_material.preparation import Prepared, SeenKey
from imported_key_material.properties import Properties
from imported_key_material.quiet import places
from imported_key_material.request import Answer, Failed
from imported_key_material.rotation import PENDING
from imported_key_material.sealing import Sealed, Sealing
from imported_key_material.secret import FoundSecret
from imported_key_material.symmetric import SupersededMaterial, SymmetricImport, UnknownMaterial

NOTHING_IMPORTED: Final = "Nothing was imported."
_MAY_HOLD: Final = "KMS may hold the material already: a rollback or the next update sees to it."


# So old a request counts as handed over: its material is read once the import parameters are there.
HANDED_OVER_AFTER: Final = timedelta(seconds=300)


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
            key = self._operation.key(prepared.view.arn)
            sealed = Sealing(self._operation, self._declared, prepared, key).run()  # KMS holds nothing new yet
            self._name(prepared.view)
            self._attempt = ChangeAttempt(lambda: self._guard_import(key, prepared.found))
            material_id = self._import(prepared, key, self._attempt, sealed)  # rule 4: FOR EVER
            confirmation = confirmed(self._operation, prepared, sealed.proof, material_id, self._accepted(prepared))
            self._log(prepared, sealed, material_id, confirmation)
            self._warn(prepared.expiry, confirmation.view)
            evidence = Evidence(sealed.proof.public_key, ids_of(confirmation.materials))
            answer = Answer(self._physical_id, attributes.of(confirmation.view, self._declared, evidence))
        except ImportedKeyMaterialError as error:
            raise self._failed(str(error)) from None
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

    def _failed(self, problem: str) -> Failed:
        if self._may_have_imported:
            return Failed(f"{problem} {_MAY_HOLD}", self._physical_id)
        return Failed(f"{problem} {NOTHING_IMPORTED}", self._purpose.failed_id)

    def _prepared(self, view: KeyView | None, faults: Faults) -> Prepared:
        """Rule 3, whole; but for the material of a request that has waited for long."""
        operation = self._operation
        seen = None if view is None else self._seen(view, faults)
        now = operation.caller.clock.now()
        made_at = operation.request.made_at
        reads_secret = made_at is None or now - made_at <= HANDED_OVER_AFTER
        return preparation.prepare(self._declared, seen, operation.reader(), now, faults, reads_secret=reads_secret)

    def _seen(self, view: KeyView, faults: Faults) -> SeenKey:
        operation = self._operation
        tags: Mapping[str, str] | None = None
        materials: Entries = ()
        with faults.collected():
            tags = operation.consent_tags.read(operation.key(view.arn).tags)
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

    def _guard_import(self, key: KmsKey, found: FoundSecret) -> None:
        """Runs right before every import: consent of all three owners, who may have taken it back while this waited."""
        self._operation.reader().require_consent(found)
        self._guard(key)

    def _guard(self, key: KmsKey) -> None:
        """Runs right before every call that changes the key: its consent; rule 9; rule 7; rule 1."""
        operation = self._operation
        operation.consent_tags.require(key.tags, where="KeyId", what="the KMS key")
        operation.stack.require_wanted()
        view = key.look()
        preparation.require_importable(view)
        if not self._may_have_imported and view.holds_material != self._held:
            # Somebody was here since. What the key holds after a try of this execution may be its own.
            self._name(view)
            operation.stack.require_wanted()

    def _name(self, view: KeyView) -> None:
        """Rule 1: the id under which KMS holds what is about to be imported."""
        self._held = view.holds_material
        self._physical_id = self._purpose.kept_id or self._operation.id_for(view)

    def _import(self, prepared: Prepared, key: KmsKey, attempt: ChangeAttempt, sealed: Sealed) -> str:
        """Returns KeyMaterialId, "" for keys that are not symmetric."""
        current, *earlier = sealed.materials

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
                guard=lambda: self._guard(key),
            )
            return imports.run(current, earlier)
        except UnknownMaterial:
            fault = other_material(prepared.spec, on_replica=prepared.view.is_replica)
        except SupersededMaterial:
            fault = superseded_material(prepared.view)
        except ServiceRefused as refused:
            known_fault = refused_material(prepared, sealed.proof, refused.code)
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

    def _log(self, prepared: Prepared, sealed: Sealed, material_id: str, confirmation: Confirmed) -> None:
        """For a rotated key this line is the evidence: the material's id beside the check value of the bytes sent under it."""
        view = confirmation.view
        self._operation.log.info(
            "imported",
            extra={
                "key_arn": view.arn,
                "key_state": view.state,
                "key_material_id": material_id,
                "confirmed_by": str(confirmation.how),
                "wrapping_algorithm": prepared.wrapping_algorithm,
                "secret_version_id": sealed.version_id,
                "check_value": sealed.proof.check_value,
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
