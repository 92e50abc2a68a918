"""One KMS key that takes imported material: what it holds, and the calls that change it.

Every read asks KMS, where the truth lives. lifecycle/ decides what may be done, and in which order. Behavior of KMS:
docs/internals/kms-contract.md.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from imported_key_material.aws import error_texts, kms_pages, kms_reads
from imported_key_material.aws.calls import NEW_KEY, TAGGED, Caller
from imported_key_material.aws.held_materials import Expiry, HeldMaterials
from imported_key_material.aws.import_parameters import ImportParameters, SealedMaterial
from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.kms_reads import Kms
from imported_key_material.aws.quota import ParameterRequest
from imported_key_material.errors import CannotHappen, ServiceRefused
from imported_key_material.material.proof import CONFIRMATION_MESSAGE, Confirmation, OtherMaterial, Proof
from imported_key_material.meter import Change

# Do not act on what was seen longer ago: stack operations may follow each other within seconds.
FRESH: Final = timedelta(seconds=5)
ASKED_MAX: Final = 3  # then the network is slow, and the last answer must do
_NEW_OR_TAGGED: Final = {**NEW_KEY, **TAGGED}


class KmsWithoutRetries(Kms, Protocol):
    """The calls whose every try must be seen here: one has a quota, the others can't be taken back.

    It has the reads, too: while the function holds plaintext it does not wait, not even for botocore's retries.
    """

    def get_parameters_for_import(self, **parameters: object) -> Mapping[str, Any]: ...
    def import_key_material(self, **parameters: object) -> Mapping[str, Any]: ...
    def delete_imported_key_material(self, **parameters: object) -> Mapping[str, Any]: ...
    def rotate_key_on_demand(self, **parameters: object) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class KmsKey:
    """The key with the `arn` that DescribeKey returned, and the calls on it."""

    arn: str
    kms: Kms
    kms_import: KmsWithoutRetries
    caller: Caller

    # ----------------------------------------------------------------------------------------------------- reading

    def look(self) -> KeyView:
        return kms_reads.look(self.arn, self.kms, self.caller)

    def tags(self) -> dict[str, str]:
        return kms_reads.tags(self.arn, self.kms, self.caller, where="KeyId")

    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo in DER."""
        answer = self.caller.call(
            "kms:GetPublicKey", lambda: self.kms.get_public_key(KeyId=self.arn), where="KeyId", waits=_NEW_OR_TAGGED
        )
        public_key: bytes = answer["PublicKey"]
        return public_key

    def materials(self) -> HeldMaterials:
        """All materials of a symmetric key: current, earlier, pending."""

        def page(marker: Mapping[str, object]) -> Mapping[str, Any]:
            return self.caller.call(
                "kms:ListKeyRotations",
                lambda: self.kms.list_key_rotations(KeyId=self.arn, IncludeKeyMaterial="ALL_KEY_MATERIAL", **marker),
                where="KeyId",
                waits=_NEW_OR_TAGGED,
            )

        return HeldMaterials.of_pages(kms_pages.of(page))

    def shows(self, proof: Proof) -> Confirmation | None:
        """How KMS shows that the usable key holds these bytes; None for symmetric keys, for which no call shows it.

        Raises OtherMaterial if KMS proves that the key holds other bytes.
        """
        if proof.public_key is not None:
            if self.public_key() != proof.public_key:
                raise OtherMaterial
            return Confirmation.PUBLIC_KEY
        if proof.mac is None:
            return None
        mac, algorithm, other = proof.mac, proof.mac_algorithm, False
        try:
            self.caller.call(
                "kms:VerifyMac",
                lambda: self.kms.verify_mac(
                    KeyId=self.arn, Message=CONFIRMATION_MESSAGE, Mac=mac, MacAlgorithm=algorithm
                ),
                where="KeyId",
                waits=_NEW_OR_TAGGED,
            )
        except ServiceRefused as refused:
            if refused.code != "KMSInvalidMacException":
                raise
            other = True
        if other:
            raise OtherMaterial
        return Confirmation.MAC

    def rotation_started(self) -> bool:
        """Whether KMS shows a rotation under way. A "no" does not prove that there is none."""
        try:
            answer = self.caller.call(
                "kms:GetKeyRotationStatus",
                lambda: self.kms.get_key_rotation_status(KeyId=self.arn),
                where="KeyId",
                waits=_NEW_OR_TAGGED,
            )
        except ServiceRefused as refused:
            if refused.code != "UnsupportedOperationException":  # KMS's code for a key that lacks a material
                raise
            return False
        return "OnDemandRotationStartDate" in answer

    # ---------------------------------------------------------------------------------------------------- changing

    def _ask(self, attempt: "ChangeAttempt") -> None:
        """Runs the guard; again if it took so long that what it saw first may no longer be true."""
        for _ in range(ASKED_MAX):
            started = self.caller.clock.now()
            attempt.guard()
            if self.caller.clock.now() - started <= FRESH:
                return

    def parameter_request(self, algorithm: str, wrapping_key_spec: str) -> "ParameterRequest[ImportParameters]":
        """A call of GetParametersForImport that is not made yet: the caller decides whether to wait for KMS's quota."""
        return ParameterRequest(
            self.caller,
            lambda: self.kms_import.get_parameters_for_import(
                KeyId=self.arn, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_key_spec
            ),
            waits=_NEW_OR_TAGGED,
            read=lambda answer: ImportParameters.of_answer(answer, key_arn=self.arn, algorithm=algorithm),
        )

    def import_material(
        self,
        sealed: SealedMaterial,
        expiry: Expiry,
        attempt: "ChangeAttempt",
        *,
        symmetric: Mapping[str, str],
    ) -> str:
        """PERMANENT, if it is the key's first import. Returns KeyMaterialId, "" for keys that are not symmetric.

        `attempt.guard` runs right before every call, before retries too. `symmetric`: ImportType and KeyMaterialDescription,
        which KMS takes only for symmetric encryption keys.
        """
        if sealed.key_arn != self.arn:
            raise CannotHappen("The material was sealed for another key.")

        def once() -> Mapping[str, Any]:
            self._ask(attempt)
            with attempt.watched():
                return self.kms_import.import_key_material(
                    KeyId=self.arn,
                    ImportToken=sealed.import_token,
                    EncryptedKeyMaterial=sealed.encrypted_key_material,
                    **expiry.parameters(),
                    **symmetric,
                )

        before = attempt.may_have_taken_effect
        try:
            answer = self.caller.call("kms:ImportKeyMaterial", once, where="KeyId", waits=_NEW_OR_TAGGED)
        except ServiceRefused as refused:
            # The key does not know the bytes, so it holds nothing of ours, even if answers were lost. Of all that a key once
            # took, KMS forgets only pending material that was removed (C-43). A first import is never pending.
            if refused.code == "IncorrectKeyMaterialException" and symmetric.get("ImportType") != "NEW_KEY_MATERIAL":
                lost_answers = attempt.may_have_taken_effect and not before
                attempt.may_be_forgotten |= lost_answers and "ImportType" in symmetric
                attempt.may_have_taken_effect = before
            raise
        self.caller.meter.changed(Change.IMPORTED)
        return str(answer.get("KeyMaterialId", ""))

    def delete_material(self, material_id: str | None, attempt: "ChangeAttempt") -> None:
        """Removes one material, or the only one. Removing it twice is no error. The guard runs right before every call.

        KMS forgets removed pending material: it refuses a second call as if the key had never had the material.
        """
        parameters = {"KeyId": self.arn} | ({"KeyMaterialId": material_id} if material_id else {})

        def once() -> Mapping[str, Any]:
            self._ask(attempt)
            with attempt.watched():
                return self.kms_import.delete_imported_key_material(**parameters)

        try:
            self.caller.call("kms:DeleteImportedKeyMaterial", once, where="KeyId", waits=_NEW_OR_TAGGED)
        except ServiceRefused as refused:
            if refused.code != "ValidationException" or material_id in (None, *self.materials().ids):
                raise
        self.caller.meter.changed(Change.REMOVED)

    def rotate(self, attempt: "ChangeAttempt") -> None:
        """RotateKeyOnDemand. A rotation can't be taken back, so the call is not repeated after a lost answer."""

        def once() -> Mapping[str, Any]:
            self._ask(attempt)
            with attempt.watched():
                return self.kms_import.rotate_key_on_demand(KeyId=self.arn)

        self.caller.call("kms:RotateKeyOnDemand", once, where="NewMaterial", waits=TAGGED, faults_seconds=0)
        self.caller.meter.changed(Change.ROTATED)


@dataclass(slots=True)
class ChangeAttempt:
    """A change of a key by one or more calls, and whether KMS may have made it, with or without an answer.

    `may_be_forgotten`: KMS may have taken pending material in a call whose answer was lost; it was then removed.
    """

    guard: Callable[[], None] = field(repr=False)
    may_have_taken_effect: bool = False
    may_be_forgotten: bool = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Wraps one call."""
        try:
            yield
        except ClientError as error:
            # A refused call took no effect; a call that ended in a fault may have.
            self.may_have_taken_effect |= error_texts.status_of(error) >= 500
            raise
        except BotoCoreError:
            self.may_have_taken_effect = True  # only the answer may be lost
            raise
        self.may_have_taken_effect = True
