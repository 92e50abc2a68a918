"""One request at work: the request, its deadline, and what it talks to; the steps that create and update share.

What is done in which order, and what the answer is, stands in `resource.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from imported_key_material import key_view, kms_key, preparation
from imported_key_material.calling import Caller, Log
from imported_key_material.clients import Clients
from imported_key_material.errors import Fault, Faults, OutOfTime, Refused, ServiceRefused
from imported_key_material.import_parameters import SealedMaterial
from imported_key_material.key_specs import Kind
from imported_key_material.key_view import KeyView
from imported_key_material.kms_key import ChangeAttempt, Expiry, KmsKey
from imported_key_material.preparation import Prepared
from imported_key_material.proof import Confirmation, OtherMaterial, Proof
from imported_key_material.properties import Properties
from imported_key_material.request import Home, Request
from imported_key_material.secret import SecretReader
from imported_key_material.stack import Stack
from imported_key_material.waiting import Backoff, Deadline, poll

_CONFIRM_BACKOFF = Backoff(first_seconds=0.2, cap_seconds=5.0)


@dataclass(frozen=True, slots=True)
class Operation:
    """One execution for one request."""

    request: Request
    clients: Clients
    caller: Caller
    log: Log
    home: Home

    @property
    def stack(self) -> Stack:
        return Stack(self.request, self.clients.cloudformation, self.caller)

    def key(self, arn: str) -> KmsKey:
        return KmsKey(arn, self.clients.kms, self.clients.kms_without_retries, self.caller)

    def reader(self) -> SecretReader:
        return SecretReader(self.clients.secrets, self.clients.kms, self.caller, self.home, self.request.stack_name)

    # ------------------------------------------------------------------------------------------------------- looking

    def look(self, properties: Properties, faults: Faults) -> KeyView | None:
        """The declared key as it is now; None, and a fault, where there is none to look at."""
        if not properties.key_id:
            return None
        with faults.collected():
            key_id = preparation.of_this_home(properties.key_id, self.home)
            try:
                return self._settled(key_id)
            except ServiceRefused as refused:
                if refused.code != "NotFoundException":
                    raise
            faults.add(
                "KeyId",
                f"There is no such key in account {self.home.account} and Region {self.home.region}.",
                "Check KeyId; !GetAtt Key.Arn also makes CloudFormation wait for the key.",
            )
        return None

    def _settled(self, key_id: str) -> KeyView:
        """DescribeKey, once the key is no longer being created."""

        def settled() -> KeyView | None:
            view = key_view.look(key_id, self.clients.kms, self.caller)
            return None if view.state == "Creating" else view

        view = self.until_consistent(settled)
        if view is None:
            raise Refused(Fault("KeyId", "The key is still being created.", "Run the deployment again."))
        return view

    def prepare(self, properties: Properties, view: KeyView | None, faults: Faults) -> Prepared:
        """Rule 3, whole; and where the key can show that it holds other bytes, that too."""
        tags: Mapping[str, str] | None = None
        if view is not None:
            with faults.collected():
                tags = self.key(view.arn).tags()
        prepared = preparation.prepare(properties, view, tags, self.reader(), self.caller.clock.now(), faults)
        if prepared.view.holds_material:
            try:
                self.key(prepared.view.arn).shows(Proof.of(prepared.material))
            except OtherMaterial:
                prepared.material.wipe()
                raise Refused(other_material(prepared)) from None
        return prepared

    # ------------------------------------------------------------------------------------------------------ changing

    def seal(self, prepared: Prepared, wrapping_key_spec: str) -> SealedMaterial:
        """Fetches import parameters and wraps the material. The plaintext ends here."""
        parameters = self.key(prepared.view.arn).parameters_for_import(prepared.wrapping_algorithm, wrapping_key_spec)
        return parameters.seal(prepared.material)

    def import_sealed(
        self, prepared: Prepared, sealed: SealedMaterial, attempt: ChangeAttempt, description: str | None
    ) -> str:
        """FOR EVER. Returns KeyMaterialId, or ""."""
        symmetric = kms_key.symmetric_parameters(prepared.view, prepared.spec, description)
        try:
            return self.key(prepared.view.arn).import_material(sealed, prepared.expiry, attempt, symmetric=symmetric)
        except ServiceRefused as refused:
            fault = _refused_material(prepared, refused.code)
            if fault is None:
                raise
        raise Refused(fault)

    def confirm(self, prepared: Prepared, proof: Proof, material_id: str) -> tuple[KeyView, Confirmation]:
        """Waits until KMS shows the key usable, with these bytes and this expiry; raises what it proves or lacks."""
        key, last = self.key(prepared.view.arn), ["KMS showed nothing yet."]

        def confirmed() -> tuple[KeyView, Confirmation] | None:
            view = key.look()
            last[0] = self._lacks(view, prepared, material_id)
            if last[0]:
                return None
            try:
                shown = key.shows(proof)
            except OtherMaterial:
                raise Refused(other_material(prepared)) from None
            known = prepared.view.current_material_id == material_id
            return view, shown or (Confirmation.SAME_MATERIAL if known else Confirmation.KEY_MATERIAL_ID)

        found = self.until_consistent(confirmed)
        if found is None:
            raise OutOfTime(f"KeyId: KMS took the material, and did not confirm it in time: {last[0]}")
        return found

    def _lacks(self, view: KeyView, prepared: Prepared, material_id: str) -> str:
        """What DescribeKey does not show yet, or ""."""
        if not view.holds_material:
            lost = "".join(
                f" Material {entry['KeyMaterialId']} is {entry.get('ImportState', 'not imported')}."
                for entry in self.materials(view)
                if entry.get("ImportState") != "IMPORTED"
            )
            return f"the key is {view.state}.{lost}"
        if material_id and view.current_material_id != material_id:
            return f"its current material is {view.current_material_id}, and these bytes are {material_id}."
        materials = self.materials(view)
        shown = shows_expiry(view, prepared.expiry, materials, material_id)
        if len(materials) == 1:  # DescribeKey may lag behind the list, and the attributes come from there
            shown = shown and shows_expiry(view, prepared.expiry, [], "")
        if not shown:
            return (
                f"it shows {view.expiration_model or 'no expiration model'}, and {prepared.expiry.model} was asked for."
            )
        return ""

    def materials(self, view: KeyView) -> list[Mapping[str, Any]]:
        """A symmetric key's materials; other keys have one, and KMS lists none."""
        return self.key(view.arn).materials() if view.spec == "SYMMETRIC_DEFAULT" else []

    def until_consistent[T](self, attempt: Callable[[], T | None]) -> T | None:
        """Asks until KMS shows it, for as long as KMS may lag; None where it does not."""
        clock = self.caller.clock
        patience = Deadline(clock, clock.now() + preparation.CONSISTENCY_PATIENCE)
        return poll(patience.earlier(self.caller.deadline), _CONFIRM_BACKOFF, attempt)


def shows_expiry(view: KeyView, asked: Expiry, materials: list[Mapping[str, Any]], material_id: str) -> bool:
    """Whether KMS shows the expiry that was asked for, to the whole second as KMS keeps it.

    DescribeKey shows the earliest of a rotated key's materials; its list shows each.
    """
    entry = next((entry for entry in materials if entry["KeyMaterialId"] == material_id), None)
    model = entry.get("ExpirationModel", "") if entry else view.expiration_model
    valid_to = entry.get("ValidTo") if entry else view.valid_to
    if asked.valid_to is None or valid_to is None:
        return bool(model == asked.model)
    return bool(model == asked.model and int(valid_to.timestamp()) == int(asked.valid_to.timestamp()))


def other_material(prepared: Prepared) -> Fault:
    """The key and the secret hold different bytes, and NewMaterial is REFUSE."""
    if prepared.spec.kind is Kind.SYMMETRIC:
        rule = "a symmetric key takes new material only by a rotation, and NewMaterial is REFUSE"
    else:
        rule = f"an {prepared.spec.name} key never takes other material than its first, not even after a deletion"
    return Fault(
        "SecretId",
        f"The secret holds other material than the key holds or once held (IncorrectKeyMaterialException), and {rule}.",
        "Name the secret version that holds the key's material, or declare a new key for the new material.",
    )


def _refused_material(prepared: Prepared, code: str) -> Fault | None:
    """KMS's empty words about the material, in ours."""
    if code == "IncorrectKeyMaterialException":
        # DER of an RSA key is not canonical; Operation.prepare has seen that the public keys are equal.
        if prepared.material.public_key is not None and prepared.view.holds_material:
            return Fault(
                "SecretId",
                f"The secret holds the key's own {prepared.spec.name} key in another encoding, and KMS compares the encoding "
                f"({code}).",
                "Name the secret version from which the material was first imported.",
            )
        return other_material(prepared)
    if code == "InvalidCiphertextException" and prepared.spec.kind is Kind.RSA:
        exponent = prepared.material.public_exponent
        if exponent != 65537:  # the exponent that everybody uses
            return Fault(
                "SecretId",
                f"KMS does not take this {prepared.spec.name} key ({code}); its public exponent is {exponent}, not 65537.",
                "Make a key with the public exponent 65537.",
            )
    return None
