"""A key that is rotated: what is staged, how long the rotation takes, what a repeated request does, what KMS lists afterwards.

`begin` does what is quick, and requests the rotation; `look` notes what is shown; `end` says what was seen (`over_time.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from imported_key_material.lifecycle.rotation import QUIET
from lab.keys.random_keys import random_keys
from lab.live.acts.kms.by_hand import EMPTY, ENABLED, EXISTING, NEW, OTHER_BYTES, SUCCESS, WRONG_STATE, ByHand
from lab.live.verdicts import Finding, judged, not_seen

PATIENCE_SECONDS: Final = QUIET.total_seconds()
# KMS takes a repeated request as the same rotation; the function takes these two answers for one under way, too.
REPEATED: Final = frozenset({SUCCESS, "ConflictException", WRONG_STATE})
REPEAT_SECONDS: Final = 10.0  # if KMS does not show the rotation by then, it is requested again all the same
SETTLES: Final = (
    "empty-key-lists-nothing",
    "empty-key-rotation-status",
    "rotation-needs-pending",
    "staged-known-material",
    "staged-pending",
    "pending-refuses-another",
    "pending-can-be-removed",
    "rotation-patience",
    "rotation-repeated",
    "rotation-lists-both",
    "superseded-material-is-needed",
)


@dataclass(slots=True)
class Rotating:
    """A key that is rotated. `seconds`: from the request until the new material was current."""

    kms: ByHand
    key: str = ""
    first: bytes = field(default=b"", repr=False)
    first_id: str = ""
    second_id: str = ""
    requested_at: datetime | None = None
    shown_seconds: float | None = None  # when GetKeyRotationStatus showed it last
    seconds: float | None = None
    repeats: dict[str, str] = field(default_factory=dict)

    def begin(self) -> Iterator[Finding]:
        """Stages material, and requests the rotation twice."""
        stage, kms = self.kms.stage, self.kms
        self.first, second, third = (stage.secret_bytes(one) for one in random_keys(32, 3))
        self.key = stage.made.key("rotation")
        yield from self._empty()
        sealer = kms.sealer(self.key)
        self.first_id = kms.known(lambda: sealer.import_(self.first))["KeyMaterialId"]
        before = kms.becomes(self.key, ENABLED)
        nothing_pending = kms.code(self._rotate)
        known = kms.code(lambda: sealer.import_(self.first, **NEW))
        self.second_id = kms.known(lambda: sealer.import_(second, **NEW))["KeyMaterialId"]
        state = kms.material_becomes(self.key, self.second_id, "PENDING_ROTATION")
        is_unchanged = kms.until(lambda: kms.describe(self.key), before.__eq__) == before
        another = kms.code(lambda: sealer.import_(third, **NEW))
        deleted = kms.code(
            lambda: kms.client.delete_imported_key_material(KeyId=self.key, KeyMaterialId=self.second_id)
        )
        gone = kms.material_becomes(self.key, self.second_id, "")
        staged_again = kms.code(lambda: sealer.import_(second, **NEW))
        kms.material_becomes(self.key, self.second_id, "PENDING_ROTATION")
        yield judged(
            "rotation-needs-pending",
            f"Without pending material, RotateKeyOnDemand is a {WRONG_STATE}",
            f"KMS answered {nothing_pending}",
            holds=nothing_pending == WRONG_STATE,
            code=nothing_pending,
        )
        yield judged(
            "staged-known-material",
            f"Material that the key has is refused as new material, with {OTHER_BYTES}",
            f"KMS answered {known}",
            holds=known == OTHER_BYTES,
            code=known,
        )
        yield judged(
            "staged-pending",
            "New material is PENDING_ROTATION, and DescribeKey shows nothing of it",
            f"the material is {state or 'not listed'}; DescribeKey {'is as before' if is_unchanged else 'has changed'}",
            holds=state == "PENDING_ROTATION" and is_unchanged,
            state=state,
            unchanged=is_unchanged,
        )
        yield judged(
            "pending-refuses-another",
            f"While material is pending, other new material is refused with {WRONG_STATE}",
            f"KMS answered {another}",
            holds=another == WRONG_STATE,
            code=another,
        )
        yield judged(
            "pending-can-be-removed",
            "Pending material can be deleted by its id; the key forgets it, and takes it again as new material",
            f"the deletion: {deleted}; then it is {gone or 'not listed'}; staged again: {staged_again}",
            holds=(deleted, gone, staged_again) == (SUCCESS, "", SUCCESS),
            deleted=deleted,
            state=gone,
            again=staged_again,
        )
        kms.at_rest(self._rotate)
        self.requested_at = stage.now()
        self.repeats["at once"] = kms.code(self._rotate)

    def _empty(self) -> Iterator[Finding]:
        """What the key shows before its first import."""
        self.kms.describe(self.key)
        listed: list[dict[str, Any]] = []
        code = self.kms.code(lambda: listed.extend(self.kms.materials(self.key)))
        status = self.kms.code(self._status)
        yield judged(
            "empty-key-lists-nothing",
            "ListKeyRotations of a key that never had material is a success with an empty list",
            f"KMS answered {code}; the list has {len(listed)} entries",
            holds=code == SUCCESS and not listed,
            code=code,
            entries=len(listed),
        )
        yield judged(
            "empty-key-rotation-status",
            "GetKeyRotationStatus of a key without material is a success",
            f"KMS answered {status}",
            holds=status == SUCCESS,
            code=status,
        )

    def _rotate(self) -> None:
        self.kms.client.rotate_key_on_demand(KeyId=self.key)

    def _status(self) -> Any:
        return self.kms.known(lambda: self.kms.client.get_key_rotation_status(KeyId=self.key))

    def look(self) -> bool:
        """Whether there is nothing more to wait for. Requests the rotation once more when KMS no longer shows it."""
        if self.requested_at is None:
            return True
        passed = (self.kms.stage.now() - self.requested_at).total_seconds()
        if self.seconds is None and self.kms.describe(self.key).get("CurrentKeyMaterialId") == self.second_id:
            self.seconds = round(passed, 1)
        if self.seconds is not None or passed >= PATIENCE_SECONDS:
            return True
        if "OnDemandRotationStartDate" in self._status():
            self.shown_seconds = round(passed, 1)
        elif "later" not in self.repeats and (self.shown_seconds is not None or passed >= REPEAT_SECONDS):
            self.repeats["later"] = self.kms.code(self._rotate)
        return False

    def end(self) -> Iterator[Finding]:
        kms = self.kms
        yield judged(
            "rotation-patience",
            f"A rotation is over within {PATIENCE_SECONDS:.0f} seconds after its request",
            f"it took {self.seconds} s"
            if self.seconds is not None
            else f"it was not over after {PATIENCE_SECONDS:.0f} s",
            holds=self.seconds is not None,
            seconds=self.seconds,
            shown_until_seconds=self.shown_seconds,
        )
        if self.seconds is None:
            for assumption in ("rotation-repeated", "rotation-lists-both", "superseded-material-is-needed"):
                yield not_seen(assumption, "the rotation was not over in time")
            return
        listed = kms.until(lambda: kms.materials(self.key), self._is_over)
        materials = {one["KeyMaterialId"]: one for one in listed}
        rotations = [one for one in listed if one.get("RotationType") == "ON_DEMAND"]
        yield judged(
            "rotation-repeated",
            f"A repeated request for the rotation under way starts no second one ({', '.join(sorted(REPEATED))})",
            f"{self.repeats}; rotations in the list: {len(rotations)}",
            holds=set(self.repeats.values()) <= REPEATED and len(rotations) == 1,
            repeats=self.repeats,
            rotations=len(rotations),
        )
        old, new = materials.get(self.first_id, {}), materials.get(self.second_id, {})
        states = (old.get("KeyMaterialState"), new.get("KeyMaterialState"))
        yield judged(
            "rotation-lists-both",
            "After a rotation the former material is NON_CURRENT, the new one CURRENT, with the rotation's type",
            f"the former material is {states[0]}, the new one {states[1]}, {new.get('RotationType', 'without a type')}",
            holds=states == ("NON_CURRENT", "CURRENT") and rotations == [new] and len(materials) == 2,
            states=states,
            entries=len(materials),
        )
        yield self._lose_the_former()

    def _is_over(self, listed: list[dict[str, Any]]) -> bool:
        states = {one["KeyMaterialId"]: one.get("KeyMaterialState") for one in listed}
        return states == {self.first_id: "NON_CURRENT", self.second_id: "CURRENT"}

    def _lose_the_former(self) -> Finding:
        kms, former = self.kms, {"KeyMaterialId": self.first_id}
        kms.known(lambda: kms.client.delete_imported_key_material(KeyId=self.key, **former))
        without = kms.becomes(self.key, EMPTY)["KeyState"]
        restored = kms.code(lambda: kms.import_(self.key, self.first, **EXISTING, **former))
        again = kms.becomes(self.key, ENABLED)["KeyState"]
        return judged(
            "superseded-material-is-needed",
            "Without a superseded material the whole key is PendingImport, until that material is imported again",
            f"without it the key is {without}; its import: {restored}; then the key is {again}",
            holds=(without, restored, again) == (EMPTY, SUCCESS, ENABLED),
            without=without,
            restored=restored,
            afterwards=again,
        )
