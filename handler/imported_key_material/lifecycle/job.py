"""One request: its deadline, its clients, and the questions to KMS and the stack that several rules need.

`resource.py` decides the order of the steps, and the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from imported_key_material import consent
from imported_key_material.aws import kms_reads
from imported_key_material.aws.calls import CONSISTENCY_PATIENCE_SECONDS, NEW_KEY, Caller, Log
from imported_key_material.aws.clients import Clients
from imported_key_material.aws.consent_tags import ConsentTags
from imported_key_material.aws.held_materials import NO_MATERIALS, HeldMaterials
from imported_key_material.aws.key_kind import is_asymmetric, kind_of
from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.kms_key import KmsKey
from imported_key_material.aws.secret import SecretReader
from imported_key_material.clock import Backoff, OutOfTimeAs, Seen, poll
from imported_key_material.cloudformation.request import Request
from imported_key_material.cloudformation.stack import Stack
from imported_key_material.cloudformation.stack_events import Past
from imported_key_material.cloudformation.stack_resources import Holders
from imported_key_material.errors import Fault, Faults, ImportedKeyMaterialError, Refused, ServiceRefused
from imported_key_material.key_id import Home, KeyId
from imported_key_material.lifecycle import checks
from imported_key_material.lifecycle.attributes import Evidence
from imported_key_material.material.key_specs import Kind
from imported_key_material.properties import Properties

FOREIGN_KEY_SECONDS: Final = 20.0  # how long to wait for a key that KMS does not show, if the stack does not create it
_LIST_SECONDS: Final = 8.0  # how long to wait for the list of the stack's resources, which shows that
_CONFIRM_BACKOFF = Backoff(first_seconds=0.2, cap_seconds=5.0)


@dataclass(frozen=True, slots=True)
class Job:
    """One invocation for one request."""

    request: Request
    clients: Clients
    caller: Caller
    log: Log
    home: Home
    consent_tags: ConsentTags

    @property
    def impatient(self) -> "Job":
        """The same job without waiting: for reads that only an attribute needs, and where only consent could help."""
        caller = replace(self.caller, patient=False)
        return replace(self, caller=caller, consent_tags=ConsentTags(caller, self.request.stack_name, patient=False))

    @property
    def stack(self) -> Stack:
        return Stack(self.request, self.clients.cloudformation, self.caller)

    @property
    def holders(self) -> Holders:
        return Holders(self.stack)

    @property
    def past(self) -> Past:
        request = self.request
        return Past(request.stack_id, request.logical_id, self.clients.cloudformation, self.caller)

    def key(self, arn: str) -> KmsKey:
        return KmsKey(arn, self.clients.kms, self.clients.kms_without_retries, self.caller)

    def reader(self) -> SecretReader:
        return SecretReader(self.clients.secrets, self.clients.kms, self.caller, self.home, self.consent_tags)

    # ------------------------------------------------------------------------------------------------------- looking

    def look(self, properties: Properties, faults: Faults) -> KeyView | None:
        """The declared key as it is now; None, with a fault, if KMS does not show it."""
        if not properties.key_id:
            return None
        with faults.collected():
            checks.require_at_home(properties.key_id, self.home)
            try:
                return self._wait_until_created(properties.key_id)
            except ServiceRefused as refused:
                if refused.code != "NotFoundException":
                    raise
            faults.add(
                "KeyId",
                f"There is no such key in account {self.home.account} and Region {self.home.region}.",
                "Check KeyId; !GetAtt Key.Arn also makes CloudFormation wait for the key.",
            )
        return None

    def _wait_until_created(self, key_id: str) -> KeyView:
        """DescribeKey, once the key is no longer being created."""

        def look() -> Seen[KeyView]:
            view = self._wait_until_shown(key_id)
            return Seen(view, enough=view.state != "Creating")

        seen = self.until_consistent(look)
        if not seen.enough:
            raise Refused(Fault("KeyId", "The key is still being created.", "Run the deployment again."))
        return seen.value

    def _wait_until_shown(self, key_id: str) -> KeyView:
        """DescribeKey. Waits for a key that KMS does not show yet, but only briefly if the stack itself does not create it."""
        clock = self.caller.clock
        started = clock.now()

        def look(seconds: float) -> KeyView:
            waits = {**NEW_KEY, "NotFoundException": seconds}
            return kms_reads.look(key_id, self.clients.kms, self.caller, waits=waits)

        try:
            return look(FOREIGN_KEY_SECONDS)
        except ServiceRefused as refused:
            if refused.code != "NotFoundException" or not self._may_be_making(key_id):
                raise
        return look(CONSISTENCY_PATIENCE_SECONDS - (clock.now() - started).total_seconds())

    def _may_be_making(self, key_id: str) -> bool:
        """Whether a resource of the stack may be creating the key. True if the list of resources can't be read soon."""
        soon = replace(self.caller, deadline=self.caller.within(_LIST_SECONDS))
        try:
            return Holders(replace(self.stack, caller=soon)).may_be_making(KeyId.parse(key_id, self.home))
        except ImportedKeyMaterialError:
            return True

    def id_for(self, view: KeyView) -> str:
        """Rule 1: a resource owns a key that is empty, and adopts a key that already holds material.

        Two exceptions, in which the resource owns a key that holds material:
        - the stack created the key in its current operation: another invocation of this request did the import (rule 10);
        - another resource of the stack owns the key: a renamed logical id inherits the material.
        """
        key = view.key_id
        empty = not view.holds_material and not self._holds_some(view)
        if empty or self.holders.makes(key, view.created_at):
            return key.owned_id
        holder = self.holders.holder_of(key)
        if holder is not None and holder.physical_id == key.owned_id:
            return key.owned_id
        self.log.info("adopts a key that already holds material", extra={"key_arn": view.arn})
        return key.adopted_id

    def _holds_some(self, view: KeyView) -> bool:
        """Whether a rotated key that is PendingImport because it lost one material still holds another."""
        if not view.current_material_id and not view.is_replica:  # it never held any
            return False
        return any(one.imported for one in self.materials(view))

    def materials(self, view: KeyView) -> HeldMaterials:
        """A symmetric key's materials. KMS lists none for other keys, and IAM allows the list only for EXTERNAL keys."""
        has_many = kind_of(view) is Kind.SYMMETRIC and view.origin == "EXTERNAL"
        return self.key(view.arn).materials() if has_many else NO_MATERIALS

    def until_consistent[T](self, attempt: Callable[[], Seen[T]], *, out_of_time: OutOfTimeAs = ()) -> Seen[T]:
        """Like `poll`, for as long as KMS may lag."""
        until = self.caller.within(CONSISTENCY_PATIENCE_SECONDS)
        return poll(until, _CONFIRM_BACKOFF, attempt, out_of_time=out_of_time)

    def consents(self, view: KeyView) -> bool:
        """Whether the key's tag names the stack; False if it can't be read. Does not wait."""
        try:
            tags = self.impatient.key(view.arn).tags()
        except ImportedKeyMaterialError:
            return False
        return consent.allows(tags.get(consent.TAG, ""), self.request.stack_name)

    def evidence(self, view: KeyView) -> Evidence | None:
        """What KMS shows of the key's bytes, for CheckValue; None without consent. Neither waits nor fails."""
        if not self.consents(view):
            return None
        try:
            materials = self.impatient.materials(view)
        except ImportedKeyMaterialError:
            return None
        return self.evidence_with(view, materials)

    def evidence_with(self, view: KeyView, materials: HeldMaterials) -> Evidence | None:
        """The same, with the materials that were read before. Neither waits nor fails."""
        try:
            return Evidence(self.impatient.public_key(view), materials.ids)
        except ImportedKeyMaterialError:
            return None

    def public_key(self, view: KeyView) -> bytes | None:
        """The public key of an asymmetric key that holds its material; None for other keys."""
        return self.key(view.arn).public_key() if is_asymmetric(view) and view.holds_material else None
