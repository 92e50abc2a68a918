"""Imports declared material into one key, and confirms that KMS holds it: rules 3, 4, 5 and 7 of docs/internals/design.md.

    check everything -> parameters, seal, wipe -> (guard -> import) -> confirm -> answer

The plaintext never lives through a wait. If the first try gets no import parameters, the plaintext is wiped at once. When the
parameters are there, consent is read again; then the checked version is read again, checked, sealed and wiped. A request that
has waited long reads the secret only at that point.

Before the first import KMS holds nothing new. On Create a failure then answers under an id whose Delete touches nothing.
After the import a failure answers under the id of rule 1, so that CloudFormation's own rollback removes what was imported.
`symmetric.py` does what only symmetric keys need (earlier material, staging, rotation).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from imported_key_material import consent
from imported_key_material.aws.held_materials import NO_MATERIALS, PENDING, Expiry, HeldMaterials, State
from imported_key_material.aws.key_view import KeyView
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.errors import FailureClass, Faults, ImportedKeyMaterialError, Refused, ServiceRefused
from imported_key_material.lifecycle import attributes, checks
from imported_key_material.lifecycle.attributes import Evidence
from imported_key_material.lifecycle.checks import Prepared, SeenKey
from imported_key_material.lifecycle.confirmation import Confirmed, NothingNew, confirm
from imported_key_material.lifecycle.declared_expiry import DeclaredExpiry
from imported_key_material.lifecycle.job import Job
from imported_key_material.lifecycle.key_change import KeyChange
from imported_key_material.lifecycle.refusals import other_material, refused_material, superseded_material
from imported_key_material.lifecycle.rotation import Rotation
from imported_key_material.lifecycle.sealing import Sealed, Sealing
from imported_key_material.lifecycle.symmetric import SupersededMaterial, SymmetricImport, UnknownMaterial
from imported_key_material.material.key_specs import Kind
from imported_key_material.properties import NewMaterial, Properties
from imported_key_material.safe_log import places

NOTHING_IMPORTED: Final = "Nothing was imported."
_NOTHING_NEW: Final = "No new material was imported."
_FORGOTTEN: Final = "If KMS imported it in a call whose answer was lost, it was removed since."
_MAY_HOLD: Final = "KMS may hold the material already: a rollback or the next update handles it."


# A request older than this counts as handed over: its material is read only when the import parameters are there.
HANDED_OVER_AFTER: Final = timedelta(seconds=300)


class Purpose(NamedTuple):
    """What an import is for.

    `failed_id`: the physical id of a failure before the import. `kept_id` (if None, the id of rule 1): the physical id of
    success, and of a later failure. `forward`: False for a rollback, which stages nothing and rotates nothing.
    `located_as_before`: the properties that locate the secret are unchanged. Then superseded bytes are no error.
    """

    failed_id: str
    kept_id: str | None = None
    forward: bool = True
    located_as_before: bool = False


@dataclass(frozen=True, slots=True)
class Importing:
    """One request's import into one key."""

    job: Job
    declared: Properties
    purpose: Purpose

    def run(self, view: KeyView | None, faults: Faults) -> Answer:
        """`view`: the key; None if KMS did not show it, which is a fault. `faults`: the faults so far. Raises Failed."""
        change: KeyChange | None = None
        try:
            prepared = self._prepare(view, faults)  # rule 3: all faults at once
            key = self.job.key(prepared.view.arn)
            sealed = Sealing(self.job, self.declared, prepared, key).run()  # KMS holds nothing new yet
            change = KeyChange(self.job, key, prepared.found, self.purpose.kept_id, prepared.view)
            material_id = self._import(prepared, change, sealed)  # rule 4: PERMANENT
            confirmation = confirm(self.job, prepared, sealed, material_id, self._accepted(prepared))
            self._log(prepared, sealed, material_id, confirmation)
            self._warn(prepared.expiry, confirmation.view)
            evidence = Evidence(sealed.proof.public_key, confirmation.materials.ids)
            answer = Answer(change.physical_id, attributes.of(confirmation.view, self.declared, evidence))
        except ImportedKeyMaterialError as error:
            what_may_be = _NOTHING_NEW if isinstance(error, NothingNew) else _MAY_HOLD
            raise self._failed(str(error), change, error.failure_class, what_may_be) from None
        except Exception as error:
            if change is None or not change.imports.may_have_taken_effect:
                raise
            # A defect of ours. The Delete must still remove what was imported.
            problem = f"The function met an error of its own after the import, {type(error).__name__}."
            at = places(error)
        else:
            return answer
        # Log outside the handler: if the log fails, logging prints the current exception, whose text may hold a secret.
        self.job.log.warning("the function met an error of its own after the import", extra={"at": at})
        raise self._failed(problem, change, FailureClass.DEFECT)

    def _failed(
        self, problem: str, change: KeyChange | None, failure_class: FailureClass, what_may_be: str = _MAY_HOLD
    ) -> Failed:
        if change is not None and change.imports.may_have_taken_effect:
            return Failed(f"{problem} {what_may_be}", change.physical_id, failure_class)
        forgotten = change is not None and change.imports.may_be_forgotten
        what_was = _FORGOTTEN if forgotten else NOTHING_IMPORTED
        return Failed(f"{problem} {what_was}", self.purpose.failed_id, failure_class)

    def _prepare(self, view: KeyView | None, faults: Faults) -> Prepared:
        """Runs all checks of rule 3. Only a request that has waited long has its material checked later."""
        job = self.job
        seen = None if view is None else self._read_key(view, faults)
        now, made_at = job.caller.clock.now(), job.request.made_at
        reads_secret = made_at is None or now - made_at <= HANDED_OVER_AFTER
        return checks.prepare(self.declared, seen, job.reader(), now, faults, reads_secret=reads_secret)

    def _read_key(self, view: KeyView, faults: Faults) -> SeenKey:
        job = self.job
        tags: Mapping[str, str] | None = None
        materials = NO_MATERIALS
        with faults.collected():
            tags = job.consent_tags.read(job.key(view.arn).tags)
            # Without the tag, IAM does not let the function read the list.
            if consent.TAG in tags and (view.current_material_id or view.is_replica):
                materials = job.materials(view)
        return SeenKey(view, tags, self._wants_earlier(materials))

    def _wants_earlier(self, materials: HeldMaterials) -> bool:
        """Whether material is lost, or an expiry must change. Only then are PreviousSecretVersionIds read."""
        now = self.job.caller.clock.now()
        if materials.lost(now) or self.declared.valid_for_days is not None:  # the days count from this import
            return True
        expiry = DeclaredExpiry(self.declared, now)
        return not all(expiry.is_kept_by(one.expiry) for one in materials.needed)

    @property
    def _new_material(self) -> NewMaterial:
        return self.declared.new_material if self.purpose.forward else NewMaterial.REFUSE

    def _import(self, prepared: Prepared, change: KeyChange, sealed: Sealed) -> str:
        """Returns the KeyMaterialId; "" for keys that are not symmetric."""
        current, *earlier = sealed.materials
        try:
            if prepared.spec.kind is not Kind.SYMMETRIC:
                return change.key.import_material(current, prepared.expiry, change.imports, symmetric={})
            imports = SymmetricImport(
                key=change.key,
                view=prepared.view,
                new_material=self._new_material,
                accepted=self._accepted(prepared),
                description=self.declared.key_material_description,
                expiry=prepared.expiry,
                attempt=change.imports,
                rotation=Rotation(change.key, change.guard),
            )
            return imports.run(current, earlier)
        except UnknownMaterial:
            fault = other_material(prepared.spec, sealed.place, on_replica=prepared.view.is_replica)
        except SupersededMaterial:
            raise NothingNew(superseded_material(prepared.view, sealed.place)) from None
        except ServiceRefused as refused:
            known_fault = refused_material(prepared, sealed.proof, sealed.place, refused.code)
            if known_fault is None:
                raise
            fault = known_fault
        raise Refused(fault)

    def _accepted(self, prepared: Prepared) -> frozenset[str]:
        """The states that the properties accept for a symmetric key's material."""
        accepted: set[str] = {State.CURRENT}
        if self._new_material is NewMaterial.STAGE or prepared.view.is_replica or not self.purpose.forward:
            accepted |= PENDING
        if self.purpose.located_as_before or not self.purpose.forward:
            accepted.add(State.SUPERSEDED)
        return frozenset(accepted)

    def _log(self, prepared: Prepared, sealed: Sealed, material_id: str, confirmation: Confirmed) -> None:
        """For a rotated key this line is the evidence: it has the material's id and the check value of the bytes we sent."""
        view = confirmation.view
        self.job.log.info(
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
        """A key is unusable once its first material expires. DescribeKey shows that expiry."""
        declared = expiry.valid_to
        if view.valid_to is not None and (declared is None or view.valid_to < declared.replace(microsecond=0)):
            self.job.log.warning(
                "earlier material expires before the current one, and the key goes out of use then",
                extra={"key_arn": view.arn, "valid_to": attributes.timestamp(view.valid_to)},
            )
