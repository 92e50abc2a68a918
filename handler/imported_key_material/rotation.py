"""New material for a symmetric key: staged beside the current one, then made current by a rotation (rule 5).

A rotation can't be taken back, and takes whatever is pending when KMS carries it out: minutes after it was accepted. So
material that is pending is never replaced while a rotation may be under way, and none is asked for twice.

What KMS does: docs/kms-contract.md, "More than one material" and "Multi-Region keys".
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from imported_key_material.errors import Fault, OutOfTime, Refused, ServiceRefused
from imported_key_material.key_view import KeyView
from imported_key_material.kms_key import ChangeAttempt, KmsKey
from imported_key_material.waiting import Backoff, Deadline, poll

ROTATIONS_MAX: Final = 25  # in a key's life
# An accepted rotation shows in OnDemandRotationStartDate, or in a new CurrentKeyMaterialId, well within this.
QUIET: Final = timedelta(minutes=5)
PENDING: Final = frozenset({"PENDING_ROTATION", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"})
# A rotation takes a minute or more; one that was asked for before, or a replica's import, may be over at once.
_POLL: Final = Backoff(first_seconds=2.0, cap_seconds=20.0)
_UNDER_WAY: Final = "ConflictException"
# RotateKeyOnDemand's KMSInvalidStateException has three reasons; each passes, or is seen by looking at the key again.
_LOOK_AGAIN: Final = "KMSInvalidStateException"


class _Rotated(Exception):
    """A rotation has made the material current, while this execution waited to ask."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The pending material of one key. `guard` runs right before each call that changes something."""

    key: KmsKey
    guard: Callable[[], None]

    def require_room(self, materials: list[Mapping[str, Any]]) -> None:
        """Refused where the key has been rotated as often as KMS lets it, before anything is staged for one more."""
        rotated = sum(entry.get("RotationType") == "ON_DEMAND" for entry in materials)
        if rotated >= ROTATIONS_MAX:
            raise Refused(
                Fault(
                    "NewMaterial",
                    f"The key has been rotated {rotated} times, and KMS rotates a key on demand {ROTATIONS_MAX} times at most.",
                    "Declare a new key for the new material.",
                )
            )

    def make_room(self) -> None:
        """Removes other material that is pending; only once it is sure that no rotation is about to take it."""
        clock = self.key.caller.clock
        before = self.key.look()
        quiet_since = clock.now()

        def made() -> bool | None:
            nonlocal quiet_since
            view, pending = self.key.look(), pending_of(self.key.materials())
            if pending is None or view.current_material_id != before.current_material_id:
                return True  # the rotation has taken it
            if self.key.rotation_started():
                quiet_since = clock.now()
            if clock.now() - quiet_since < QUIET:
                return None
            self._remove(pending["KeyMaterialId"])
            return True

        if not self._in_time(made, self.key.caller.waits_until):
            unfinished = OutOfTime(
                "NewMaterial: Other material is pending rotation in the key, and may be taken by a rotation that was "
                "asked for a moment ago. Run the deployment again."
            )
            raise self.key.caller.given_up(unfinished)

    def _remove(self, material_id: str) -> None:
        """Takes pending material out; not where a rotation has made it current while this waited to ask."""

        def guard() -> None:
            self.guard()
            pending = pending_of(self.key.materials())
            if pending is None or pending["KeyMaterialId"] != material_id:
                raise _Rotated

        with suppress(_Rotated):
            self.key.delete_material(material_id, ChangeAttempt(guard))

    @staticmethod
    def _in_time(attempt: Callable[[], bool | None], until: Deadline) -> bool:
        """Polls. What was seen last is more to the point than that there is no time for another call."""
        try:
            return poll(until, _POLL, attempt) is True
        except OutOfTime:
            return False

    def rotate_to(self, material_id: str) -> None:
        """Asks for the rotation, unless one is under way, and waits until the material is current."""
        clock, last = self.key.caller.clock, ["KMS showed nothing yet."]
        under_way_at: datetime | None = None

        def rotated() -> bool | None:
            nonlocal under_way_at
            view = self.key.look()
            if view.current_material_id == material_id:
                return True
            entry = next((one for one in self.key.materials() if one["KeyMaterialId"] == material_id), None)
            state = entry.get("KeyMaterialState", "") if entry else "gone"
            last[0] = f"material {material_id} is {state}."
            # KMS stops showing an accepted rotation long before it is carried out. A second one would count, too.
            if under_way_at is not None and clock.now() - under_way_at < QUIET:
                return None
            if state in PENDING and not self.key.rotation_started():
                why_not = self._ask(view, state, material_id)
                under_way_at = None if why_not else clock.now()
                last[0] = why_not or last[0]
            return None

        caller = self.key.caller
        if self._in_time(rotated, caller.waits_until):
            return
        # A new execution could not know that one was asked for here, and would ask again.
        if under_way_at is not None and self._in_time(
            rotated, Deadline(clock, min(caller.deadline.at, under_way_at + QUIET))
        ):
            return
        raise caller.given_up(OutOfTime(f"NewMaterial: The rotation was not finished in the time there was: {last[0]}"))

    def _ask(self, view: KeyView, state: str, material_id: str) -> str:
        """RotateKeyOnDemand; returns why KMS does not take it yet, or "" where a rotation is, or may be, under way."""

        def guard() -> None:
            self.guard()
            if self.key.look().current_material_id == material_id:
                raise _Rotated

        attempt = ChangeAttempt(guard)
        try:
            self.key.rotate(attempt)
        except _Rotated:
            return ""
        except ServiceRefused as refused:
            if refused.code == _UNDER_WAY or attempt.may_have_taken_effect:
                return ""
            if refused.code != _LOOK_AGAIN:
                raise
            if state == "PENDING_MULTI_REGION_IMPORT_AND_ROTATION":
                regions = ", ".join(view.replica_regions)
                return (
                    f"every replica must import the material first, in its own Region ({regions}); which of them lacks it "
                    "can't be seen from here."
                )
            return refused.faults[0].problem
        return ""


def pending_of(materials: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The one material that is pending, if there is one."""
    return next((entry for entry in materials if entry.get("KeyMaterialState") in PENDING), None)
