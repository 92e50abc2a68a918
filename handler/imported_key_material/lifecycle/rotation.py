"""New material for a symmetric key: staged beside the current one, then made current by a rotation (rule 5).

A rotation can't be taken back. KMS carries it out minutes after it accepted it, and makes current whatever is pending then.
So we never replace pending material while a rotation may be under way, and never request a rotation twice.

What KMS does: docs/internals/kms-contract.md, "More than one material" and "Multi-Region keys".
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from imported_key_material.aws.held_materials import ROTATIONS_MAX, HeldMaterial, HeldMaterials, State
from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.kms_key import ChangeAttempt, KmsKey
from imported_key_material.clock import Backoff, Deadline, Seen, poll
from imported_key_material.errors import Fault, OutOfTime, Refused, ServiceRefused

# KMS shows an accepted rotation (OnDemandRotationStartDate, or a new CurrentKeyMaterialId) well within this time.
QUIET: Final = timedelta(minutes=5)
# A new rotation takes a minute or more. An earlier rotation that is still under way, or a replica's import, may end any moment.
_POLL: Final = Backoff(first_seconds=2.0, cap_seconds=20.0)
_OVER: Final = Seen("", enough=True)
_UNDER_WAY: Final = "ConflictException"
# RotateKeyOnDemand's KMSInvalidStateException has three reasons. Each passes, or the next look at the key shows it.
_LOOK_AGAIN: Final = "KMSInvalidStateException"


class _Rotated(Exception):
    """A rotation has made the material current right before our call."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The pending material of one key. `guard` runs right before each call that changes something."""

    key: KmsKey
    guard: Callable[[], None]

    @staticmethod
    def require_room(materials: HeldMaterials) -> None:
        """Raises Refused if KMS does not allow another rotation of the key. Runs before anything is staged."""
        rotated = materials.rotations
        if rotated >= ROTATIONS_MAX:
            raise Refused(
                Fault(
                    "NewMaterial",
                    f"The key has been rotated {rotated} times, and KMS rotates a key on demand {ROTATIONS_MAX} times at most.",
                    "Declare a new key for the new material.",
                )
            )

    def make_room(self) -> None:
        """Removes other pending material, but only once it is sure that no rotation is about to take it."""
        clock = self.key.caller.clock
        before = self.key.look()
        quiet_since = clock.now()

        def remove_when_quiet() -> Seen[str]:
            nonlocal quiet_since
            view, pending = self.key.look(), self.key.materials().pending
            if pending is None or view.current_material_id != before.current_material_id:
                return _OVER  # the rotation has taken it
            if self.key.rotation_started():
                quiet_since = clock.now()
            if clock.now() - quiet_since < QUIET:
                return Seen("a rotation may be about to take it.", enough=False)
            self._remove(pending.id)
            return _OVER

        if _why_not(self.key.caller.waits_until, remove_when_quiet, "KMS showed nothing yet."):
            unfinished = OutOfTime(
                "NewMaterial: Other material is pending rotation in the key, and a rotation that was requested a "
                "moment ago may take it. Run the deployment again."
            )
            raise self.key.caller.given_up(unfinished)

    def _remove(self, material_id: str) -> None:
        """Removes pending material, unless a rotation has made it current meanwhile."""

        def guard() -> None:
            self.guard()
            pending = self.key.materials().pending
            if pending is None or pending.id != material_id:
                raise _Rotated

        with suppress(_Rotated):
            self.key.delete_material(material_id, ChangeAttempt(guard))

    def rotate_to(self, material_id: str) -> None:
        """Requests the rotation, unless one is under way, and waits until the material is current."""
        clock, caller = self.key.caller.clock, self.key.caller
        under_way_at: datetime | None = None

        def request_and_look() -> Seen[str]:
            nonlocal under_way_at
            view = self.key.look()
            if view.current_material_id == material_id:
                return _OVER
            material = self.key.materials().of(material_id)
            shown = f"material {material_id} is {material.state if material else 'gone'}."
            # KMS stops showing an accepted rotation long before it carries it out. A second request would count, too.
            is_under_way = under_way_at is not None and clock.now() - under_way_at < QUIET
            if is_under_way or material is None or not material.is_pending or self.key.rotation_started():
                return Seen(shown, enough=False)
            why_not = self._ask(view, material)
            under_way_at = None if why_not else clock.now()
            return Seen(why_not or shown, enough=False)

        why = _why_not(caller.waits_until, request_and_look, "KMS showed nothing yet.")
        # Another invocation could not know that we requested a rotation, and would request a second one.
        if why and under_way_at is not None:
            why = _why_not(Deadline(clock, min(caller.deadline.at, under_way_at + QUIET)), request_and_look, why)
        if why:
            raise caller.given_up(OutOfTime(f"NewMaterial: The rotation was not finished in time: {why}"))

    def _ask(self, view: KeyView, material: HeldMaterial) -> str:
        """RotateKeyOnDemand. Returns why KMS does not take it yet; "" if a rotation is or may be under way."""

        def guard() -> None:
            self.guard()
            if self.key.look().current_material_id == material.id:
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
            if material.state == State.PENDING_IN_REPLICAS:
                regions = ", ".join(view.replica_regions)
                return (
                    f"every replica must import the material first, in its own Region ({regions}); which of them lacks it "
                    "can't be seen from here."
                )
            return refused.faults[0].problem
        return ""


def _why_not(until: Deadline, attempt: Callable[[], Seen[str]], otherwise: str) -> str:
    """Polls. Returns "" if the attempt succeeded, else what KMS showed last; `otherwise` if there was no time to ask."""
    try:
        return poll(until, _POLL, attempt, out_of_time=OutOfTime).value
    except OutOfTime:
        return otherwise
