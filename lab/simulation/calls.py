"""Judges calls right before and after their effect: rules 1, 2, 4 and 7 of docs/internals/simulation.md."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from imported_key_material import consent
from lab.kms.keys import MaterialState
from lab.kms.service import StrictKms
from lab.kms.wrapping import unwrap
from lab.simulation.functions import Invocation
from lab.simulation.notes import StackSeen, uuid_of
from lab.simulation.truth import RACE
from lab.simulation.watch import TAG, Violation, Watch

# docs/internals/design.md, rule 9, repeated here on purpose: X-Amz-Date has no fractions of a second; statuses are set before
# a request is made.
_CUT_OFF, _STATUS_LEAD = timedelta(seconds=1), timedelta(seconds=10)
# The longest time from the answer that showed a request as wanted to the call's effect: three slow calls, there and back.
_ON_ITS_WAY = timedelta(seconds=40)
_REMOVES = "removes material of"
_IMPORTABLE = frozenset({"Enabled", "PendingImport", "Updating"})


class Calls:
    def __init__(self, watch: Watch, kms: StrictKms) -> None:
        self._watch = watch
        self._truth = watch.truth
        self._kms = kms
        self._rotated: dict[
            str, tuple[datetime, Invocation]
        ] = {}  # by request: when KMS accepted a rotation, and from which invocation
        watch.before_call = self._before
        watch.after_call = self._after

    def _before(self, invocation: Invocation, operation: str, params: Mapping[str, Any]) -> None:
        arn = self._watch.arn(invocation, params)
        {
            "ImportKeyMaterial": self._may_import,
            "DeleteImportedKeyMaterial": self._may_delete,
            "RotateKeyOnDemand": self._may_rotate,
        }[operation](invocation, arn, params)

    def _after(self, invocation: Invocation, operation: str, params: Mapping[str, Any]) -> None:
        arn = self._watch.arn(invocation, params)
        if operation == "DeleteImportedKeyMaterial" and invocation.request_type == "Delete":
            self._took_only_its_own(invocation, arn)
            self._took_from_nobody(invocation, arn)
        elif operation == "RotateKeyOnDemand":
            self._rotates_what_is_asked(invocation, arn)

    # ---------------------------------------------------------------------------------------------------- what was read

    def _require_wanted(self, invocation: Invocation, arn: str, doing: str) -> None:
        """Rule 4: the last read showed that CloudFormation waits for this request, and the read was for this call."""
        notes, kind = self._watch.notes(invocation), invocation.request_type.upper()
        made_at = _made_at(invocation)
        stack = self._read_for_it(invocation, arn, doing, "the stack", notes.stack)
        if not stack.status.endswith("_IN_PROGRESS") or stack.status == "REVIEW_IN_PROGRESS":
            raise self._not_wanted(invocation, arn, doing, "the stack", stack)
        timeout = float(invocation.properties.get("ServiceTimeout", 3600))
        if stack.since > made_at + _CUT_OFF or (stack.at - made_at).total_seconds() > timeout:
            raise self._not_wanted(invocation, arn, doing, "the stack", stack)
        resource = self._read_for_it(invocation, arn, doing, "the resource", notes.resource)
        if kind == "DELETE":
            self._require_being_deleted(invocation, arn, doing, resource)
        elif resource.status != f"{kind}_IN_PROGRESS" or resource.since > made_at + _STATUS_LEAD:
            raise self._not_wanted(invocation, arn, doing, "the resource", resource)

    def _require_being_deleted(self, invocation: Invocation, arn: str, doing: str, resource: StackSeen) -> None:
        """The resource shows DELETE_IN_PROGRESS with this id. For an id that it no longer has, the newest event shows it."""
        notes, id_ = self._watch.notes(invocation), invocation.event["PhysicalResourceId"]
        if (resource.status, resource.id) == ("DELETE_IN_PROGRESS", id_):
            return
        if notes.stack is None or not notes.stack.status.endswith("_CLEANUP_IN_PROGRESS"):
            raise self._not_wanted(invocation, arn, doing, "the resource", resource)
        event = self._read_for_it(invocation, arn, doing, "its events", notes.event)
        if event.status != "DELETE_IN_PROGRESS":
            raise self._not_wanted(invocation, arn, doing, "its newest event", event)

    def _read_for_it(
        self, invocation: Invocation, arn: str, doing: str, what: str, seen: StackSeen | None
    ) -> StackSeen:
        """Returns the last read. Raises a Violation if there was none since the previous change."""
        changed_at = self._watch.notes(invocation).changed_at
        if seen is None:
            raise self._watch.fault(4, invocation, f"{doing} {{key}}, and never asked for the status of {what}", arn)
        if changed_at is not None and seen.at < changed_at:
            raise self._watch.fault(4, invocation, f"{doing} {{key}} again, and did not ask again for {what}", arn)
        return seen

    def _not_wanted(self, invocation: Invocation, arn: str, doing: str, what: str, seen: StackSeen) -> Violation:
        return self._watch.fault(4, invocation, f"{doing} {{key}} after a read that said {what} is {seen.status}", arn)

    def _require_consent(self, invocation: Invocation, arn: str, doing: str) -> None:
        notes = self._watch.notes(invocation)
        asked = {"the key": notes.tags.get(uuid_of(arn), {})}
        if doing == "imports into":
            asked["the secret"] = notes.secret_tags
            wrapping = invocation.properties.get("SecretWrapping")
            if wrapping:
                asked["the transport key"] = notes.tags.get(uuid_of(wrapping["KeyId"]), {})
        for what, tags in asked.items():
            if not consent.allows(tags.get(TAG, ""), invocation.stack_name):
                raise self._watch.fault(
                    4, invocation, f"{doing} {{key}} without a read that showed the consent of {what}", arn
                )

    # ---------------------------------------------------------------------------------------------------------- import

    def _may_import(self, invocation: Invocation, arn: str, params: Mapping[str, Any]) -> None:
        """Rules 4 and 7: the last reads allow it, and its bytes are those that the properties name."""
        seen = self._watch.notes(invocation).keys.get(uuid_of(arn))
        if seen is not None and seen.state == "Disabled":
            raise self._watch.fault(7, invocation, "imports into {key} after a read that said Disabled", arn)
        if seen is None or seen.state not in _IMPORTABLE or seen.origin != "EXTERNAL":
            said = "nothing" if seen is None else f"{seen.state}, {seen.origin}"
            raise self._watch.fault(4, invocation, f"imports into {{key}} after a read that said {said}", arn)
        self._require_wanted(invocation, arn, "imports into")
        self._require_consent(invocation, arn, "imports into")
        new = params.get("ImportType") == "NEW_KEY_MATERIAL"
        if new and (
            self._watch.is_of_rollback(invocation) or invocation.properties.get("NewMaterial", "REFUSE") == "REFUSE"
        ):
            raise self._watch.fault(7, invocation, "stages new material in {key}, and no operation asked for it", arn)
        asked = self._watch.asked(invocation.region, invocation.properties, self._watch.notes(invocation).version_id)
        wrapping = self._kms._backstage.wrapping  # noqa: SLF001  # only KMS can unwrap the material
        token = wrapping.read(params["ImportToken"], arn, self._watch.scheduler.now())
        carried = unwrap(token, params["EncryptedKeyMaterial"])
        if carried not in (asked.material, *asked.earlier):
            raise self._watch.fault(
                4, invocation, "imports bytes into {key} that a check refuses, or that nobody declared", arn
            )

    # ---------------------------------------------------------------------------------------------------------- delete

    def _may_delete(self, invocation: Invocation, arn: str, params: Mapping[str, Any]) -> None:
        if invocation.request_type != "Delete":
            self._may_drop_pending(invocation, arn, params)
        elif invocation.event["PhysicalResourceId"] != arn:
            raise self._watch.fault(
                1, invocation, f"{_REMOVES} {{key}}, and its id is {invocation.event['PhysicalResourceId']}", arn
            )
        self._require_wanted(invocation, arn, _REMOVES)
        self._require_consent(invocation, arn, _REMOVES)

    def _may_drop_pending(self, invocation: Invocation, arn: str, params: Mapping[str, Any]) -> None:
        """Staging may replace pending material (design, rule 6), but none that ever was current, or is about to be."""
        family = self._truth.family(arn)
        material = family.material(params.get("KeyMaterialId", "")) if family is not None else None
        if family is None or (material is None and params.get("KeyMaterialId")):
            return  # the material is gone: KMS refuses
        staging = invocation.properties.get("NewMaterial", "REFUSE") != "REFUSE" and not self._watch.is_of_rollback(
            invocation
        )
        if material is None or not staging:
            raise self._watch.fault(1, invocation, "removes material of {key}, and its request is no Delete", arn)
        if material.state is not MaterialState.PENDING:
            # Another request's rotation may have been completed between this invocation's last look and now.
            if not self._truth.time_changed_it(arn, self._watch.horizon(invocation, arn) or invocation.started_at):
                raise self._watch.fault(1, invocation, "removes material of {key} that is not pending", arn)
        elif family.rotation is not None and not self._asked_meanwhile(invocation, arn):
            raise self._watch.fault(7, invocation, "removes material of {key} that a rotation is about to take", arn)

    def _asked_meanwhile(self, invocation: Invocation, arn: str) -> bool:
        """Whether KMS accepted the rotation after this invocation began: two resources declare one key, and nothing helps."""
        family = self._truth.family(arn)
        return (
            family is not None and family.rotation is not None and family.rotation.started_at >= invocation.started_at
        )

    def _took_only_its_own(self, invocation: Invocation, arn: str) -> None:
        """Rule 1: a Delete removes nothing that was in the key before this stack's present time with it began."""
        notes, ledger = self._watch.notes(invocation), self._truth.ledger(arn)
        began = ledger.since.get(invocation.stack_id)
        for id_ in notes.held_before.get(arn, frozenset()) - frozenset(self._truth.holdings(arn)):
            who, at = ledger.brought_by[id_]
            another_s = who != invocation.stack_id and (began is None or at < began)
            if another_s and not self._was_on_its_way(invocation, at):
                raise self._watch.fault(1, invocation, "removes material of {key} that was there before its stack", arn)

    def _was_on_its_way(self, invocation: Invocation, at: datetime) -> bool:
        """Whether the removal was on its way at that time: after the last read that showed it as wanted."""
        stack, now = self._watch.notes(invocation).stack, self._watch.scheduler.now()
        return stack is not None and stack.at < at and now - stack.at <= _ON_ITS_WAY

    def _took_from_nobody(self, invocation: Invocation, arn: str) -> None:
        """Rule 2, at the moment of the removal: no other resource of the same stack holds the key.

        Resources of other stacks that the key's tag names lose their material by design: only one stack may own a key.
        """
        notes = self._watch.notes(invocation)
        if not self._watch.others_hold(invocation, arn) or self._truth.is_whole(arn):
            return
        asked_at = datetime.min.replace(tzinfo=UTC) if notes.stack is None else notes.stack.at
        # No fault if CloudFormation took the other resource over only after the function's last reads: the call was already on
        # its way.
        if notes.holders is not False or self._watch.scheduler.now() - asked_at > _ON_ITS_WAY:
            what = "removes the material of {key}, which another resource of its stack holds"
            raise self._watch.fault(2, invocation, what, arn)
        ledger = self._truth.ledger(arn)
        for id_ in notes.held_before.get(arn, frozenset()) - frozenset(self._truth.holdings(arn)):
            ledger.removed_by[id_] = RACE

    # ---------------------------------------------------------------------------------------------------------- rotate

    def _may_rotate(self, invocation: Invocation, arn: str, _params: Mapping[str, Any]) -> None:
        """Rule 7: this request asks for the rotation, and a read showed the bytes that it declares as pending."""
        asked_for = invocation.properties.get("NewMaterial") == "ROTATE" and invocation.request_type != "Delete"
        if not asked_for or self._watch.is_of_rollback(invocation):
            raise self._watch.fault(7, invocation, "rotates {key}, and no operation asked for it", arn)
        self._require_wanted(invocation, arn, "rotates")
        notes = self._watch.notes(invocation)
        material = self._declared_id(invocation, arn)
        shown = notes.materials.get(uuid_of(arn), {}).get(material, "nothing")
        if not shown.startswith("PENDING"):
            raise self._watch.fault(
                7, invocation, f"rotates {{key}} after a read that showed the declared material as {shown}", arn
            )
        current, since = notes.current_since.get(uuid_of(arn), ("", invocation.started_at))
        # A change that only the reads right before the call show may be newer than the decision to rotate.
        if current == material and notes.stack is not None and since < notes.stack.at:
            raise self._watch.fault(
                7, invocation, "rotates {key} after a read that showed the declared material as current", arn
            )
        if notes.rotation_shown.get(uuid_of(arn)):
            raise self._watch.fault(7, invocation, "rotates {key} after a read that showed a rotation under way", arn)

    def _rotates_what_is_asked(self, invocation: Invocation, arn: str) -> None:
        notes = self._watch.notes(invocation)
        if notes.rotated_to != self._declared_id(invocation, arn):
            raise self._watch.fault(7, invocation, "rotates {key} to other material than it declares", arn)
        before = self._rotated.get(invocation.request_id)
        self._rotated[invocation.request_id] = (self._watch.scheduler.now(), invocation)
        if before is None:
            return
        asked_at, asked_by = before
        if notes.rotation_before and asked_by is not invocation:
            return  # still one rotation (C-54), and another invocation can't know of it once KMS stops showing it
        # The first rotation changed nothing if somebody removed the material before its end.
        own = {one.number for one in self._watch.invocations_of(invocation.request_id)}
        if not any(one.at >= asked_at and one.who not in own for one in self._truth.ledger(arn).changes):
            raise self._watch.fault(7, invocation, "rotates {key} a second time", arn)

    def _declared_id(self, invocation: Invocation, arn: str) -> str:
        """The KeyMaterialId of the declared bytes, even if the key no longer knows them."""
        asked = self._watch.asked(invocation.region, invocation.properties, self._watch.notes(invocation).version_id)
        family = self._truth.family(arn)
        return "refused" if asked.material is None or family is None else self._truth.id_of(family, asked.material)


def _made_at(invocation: Invocation) -> datetime:
    """X-Amz-Date of the request's ResponseURL."""
    text = invocation.event["ResponseURL"].split("X-Amz-Date=")[1][:16]
    return datetime.strptime(f"{text}+0000", "%Y%m%dT%H%M%SZ%z")
