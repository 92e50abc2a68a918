"""One request at work: the request, its deadline, and what it talks to; the looks that several rules take.

What is done in which order, and what the answer is, stands in `resource.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from imported_key_material import key_view, preparation
from imported_key_material.calling import CONSISTENCY_PATIENCE_SECONDS, JUST_TAGGED, NEW_KEY, NOTHING, Caller, Log
from imported_key_material.clients import Clients
from imported_key_material.errors import Fault, Faults, ImportedKeyMaterialError, Refused, ServiceRefused
from imported_key_material.holders import Holders
from imported_key_material.key_view import KeyView
from imported_key_material.kms_key import KmsKey
from imported_key_material.past import Past
from imported_key_material.properties import Properties
from imported_key_material.request import Home, Request
from imported_key_material.secret import SecretReader
from imported_key_material.stack import Stack
from imported_key_material.waiting import Backoff, poll

FOREIGN_KEY_SECONDS: Final = 20.0  # how long a key that KMS does not show is waited for, if the stack does not make it
_LIST_SECONDS: Final = 8.0  # and how long the list of the stack's resources is, which tells that
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

    @property
    def holders(self) -> Holders:
        return Holders(self.stack)

    @property
    def past(self) -> Past:
        request = self.request
        return Past(request.stack_id, request.logical_id, self.clients.cloudformation, self.caller)

    def key(self, arn: str) -> KmsKey:
        return KmsKey(arn, self.clients.kms, self.clients.kms_without_retries, self.caller)

    def reader(self, *, forward: bool) -> SecretReader:
        """A rollback waits for no right that only a tag gives (rule 6)."""
        return SecretReader(
            self.clients.secrets,
            self.clients.kms,
            self.caller,
            self.home,
            self.request.stack_name,
            waits=JUST_TAGGED if forward else NOTHING,
        )

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
            view = self._found(key_id)
            return None if view.state == "Creating" else view

        view = self.until_consistent(settled)
        if view is None:
            raise Refused(Fault("KeyId", "The key is still being created.", "Run the deployment again."))
        return view

    def _found(self, key_id: str) -> KeyView:
        """DescribeKey. A key that KMS does not show is waited for; not for long where the stack itself does not make it."""
        clock = self.caller.clock
        started = clock.now()

        def look(seconds: float) -> KeyView:
            waits = {**NEW_KEY, "NotFoundException": seconds}
            return key_view.look(key_id, self.clients.kms, self.caller, waits=waits)

        try:
            return look(FOREIGN_KEY_SECONDS)
        except ServiceRefused as refused:
            if refused.code != "NotFoundException" or not self._may_be_making(key_id):
                raise
        return look(CONSISTENCY_PATIENCE_SECONDS - (clock.now() - started).total_seconds())

    def _may_be_making(self, key_id: str) -> bool:
        """Whether the stack's own resources may be making the key; also where the list of them can't be read soon."""
        soon = replace(self.caller, deadline=self.caller.within(_LIST_SECONDS))
        try:
            return Holders(replace(self.stack, caller=soon)).may_be_making(key_id)
        except ImportedKeyMaterialError:
            return True

    def id_for(self, view: KeyView) -> str:
        """Rule 1: the ARN where this resource brings the material in; the bare id of a key that already holds some.

        Unless another resource of this stack holds the key in the ARN form: then a renamed logical id inherits it. Or this
        stack made the key in its present operation, empty: then another execution of this request was here (rule 10).
        """
        empty = not view.holds_material and not self._holds_some(view)
        if empty or self.holders.makes(view.arn, view.created_at):
            return view.arn
        holder = self.holders.holder_of(view.arn)
        if holder is not None and holder.physical_id == view.arn:
            return view.arn
        self.log.info("adopts a key that already holds material", extra={"key_arn": view.arn})
        return view.id

    def _holds_some(self, view: KeyView) -> bool:
        """Whether a rotated key that lost one of its materials, and is PendingImport for it, still holds another."""
        if not view.current_material_id and not view.is_replica:  # it never held any
            return False
        return any(entry.get("ImportState") == "IMPORTED" for entry in self.materials(view))

    def materials(self, view: KeyView) -> list[Mapping[str, Any]]:
        """A symmetric key's materials. Other keys have one, and KMS lists none; IAM opens the list of EXTERNAL keys alone."""
        has_many = view.spec == "SYMMETRIC_DEFAULT" and view.origin == "EXTERNAL"
        return self.key(view.arn).materials() if has_many else []

    def until_consistent[T](self, attempt: Callable[[], T | None]) -> T | None:
        """Asks until KMS shows it, for as long as KMS may lag; None where it does not."""
        return poll(self.caller.within(CONSISTENCY_PATIENCE_SECONDS), _CONFIRM_BACKOFF, attempt)

    def public_key(self, view: KeyView) -> bytes | None:
        """KMS's public key of an asymmetric key that holds its material; None for others, and where it can't be read."""
        if view.usage == "GENERATE_VERIFY_MAC" or view.spec == "SYMMETRIC_DEFAULT" or not view.holds_material:
            return None
        try:
            return self.key(view.arn).public_key()
        except ImportedKeyMaterialError:
            return None
