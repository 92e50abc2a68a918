"""Wraps checked material for KMS; the plaintext never lives through a wait (docs/internals/design.md, "The plaintext").

    first: one try at the import parameters, without a wait -> seal, wipe
    else: wipe -> wait for the parameters -> consent of all three -> read the same versions again, check, seal, wipe

A request that has waited long has read nothing yet, and takes the second way at once.
"""

from dataclasses import dataclass, replace
from typing import Final

from imported_key_material.aws.import_parameters import ImportParameters, SealedMaterial
from imported_key_material.aws.kms_key import KmsKey
from imported_key_material.errors import Fault, Faults, OutOfTime, Refused, ServiceRefused
from imported_key_material.lifecycle.checks import Prepared
from imported_key_material.lifecycle.job import Job
from imported_key_material.lifecycle.refusals import other_material
from imported_key_material.lifecycle.secret_material import ReadMaterial, read
from imported_key_material.lifecycle.still_needed import StillNeeded
from imported_key_material.material.proof import OtherMaterial, Proof
from imported_key_material.properties import Properties

_OTHER_BYTES: Final = Fault(
    "SecretId",
    "The secret's version holds other bytes than when it was checked.",
    "Run the deployment again.",
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The wrapped materials, the current one first; and the current one's proof and version of the secret."""

    materials: list[SealedMaterial]
    proof: Proof
    version_id: str
    place: str  # as `Source.place`


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals the prepared material for one key."""

    job: Job
    declared: Properties
    prepared: Prepared
    key: KmsKey

    def run(self) -> Sealed:
        """Holds no plaintext while it waits, nor when it ends. Raises Refused, and what `ParameterRequest.wait` raises."""
        prepared = self.prepared
        request = self.key.parameter_request(prepared.wrapping_algorithm, self.declared.wrapping_key_spec)
        parameters, sealed, is_same = None, None, False
        try:
            if prepared.proof is not None:
                is_same = self._shows_same(prepared.proof)
                parameters = request.first()
            if parameters is not None and prepared.proof is not None and prepared.material is not None:
                current = parameters.seal(prepared.material)
                sealed = Sealed([current], prepared.proof, prepared.secret_version_id, prepared.place)
        finally:
            prepared.wipe()
        if prepared.proof is not None and not is_same:
            self._require_same(self.key, prepared.proof)
        if sealed is not None:
            return sealed
        if parameters is None:
            parameters = request.wait(StillNeeded(self.job, prepared.view))
        return self._read_and_seal(parameters)

    def _read_and_seal(self, parameters: ImportParameters) -> Sealed:
        """Reads the checked versions again, one at a time: each is wiped before the next is read."""
        prepared, reader = self.prepared, self.job.reader()
        self.job.consent_tags.require(self.key.tags, where="KeyId", what="the KMS key")
        reader.require_consent(prepared.found)
        current, *earlier = prepared.versions
        materials: list[SealedMaterial] = []
        first: ReadMaterial | None = None
        faults = Faults()
        for version in (current._replace(id=prepared.secret_version_id), *earlier):
            with faults.collected():
                one = read(self.declared, prepared.found, version, reader, prepared.spec)
                try:
                    materials.append(parameters.seal(one.material))
                finally:
                    one.material.wipe()
                first = first or one
        faults.raise_if_any()
        if first is None or prepared.proof not in (None, first.proof):
            raise Refused(_OTHER_BYTES)
        if prepared.proof is None:
            self._require_same(self.key, first.proof)
        return Sealed(materials, first.proof, first.version_id, first.place)

    def _shows_same(self, proof: Proof) -> bool:
        """Like `_require_same`, without any wait. False if KMS could not be asked."""
        kms = self.job.clients.kms_without_retries
        try:
            self._require_same(replace(self.job.impatient.key(self.key.arn), kms=kms), proof)
        except (ServiceRefused, OutOfTime):
            return False
        return True

    def _require_same(self, key: KmsKey, proof: Proof) -> None:
        """Raises Refused if KMS shows that the key holds other bytes: no import can change them."""
        if not self.prepared.view.holds_material:
            return
        try:
            key.shows(proof)
        except OtherMaterial:
            pass
        else:
            return
        raise Refused(other_material(self.prepared.spec, self.prepared.place))
