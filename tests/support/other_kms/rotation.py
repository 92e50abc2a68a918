"""Deviations in rotation, expiry and replicas."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lab.kms import passing
from lab.kms.call import Answer, Call
from lab.kms.errors import KmsError, invalid_state, unsupported
from lab.kms.keys import Family, KeyState, RegionalKey
from lab.kms.operations import imports
from lab.world import World
from tests.support.other_kms.planting import (
    DELETE,
    IMPORT,
    ROTATE,
    Deviation,
    Patch,
    Run,
    answered,
    in_other_words,
    instead,
    refused,
)

TEN_MINUTES = timedelta(minutes=10)

# ----------------------------------------------------------------------------------------------- rotation and expiry


def _rotates_nothing(run: Run, call: Call) -> Answer:
    target = call.target()
    return {"KeyId": target.arn} if target.family.pending is None else run(call)


def _waits_for_replicas(answer: Answer, _: Call) -> Answer:
    return _listed_as(answer, "PENDING_ROTATION", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION")


def _both_current(answer: Answer, _: Call) -> Answer:
    return _listed_as(answer, "NON_CURRENT", "CURRENT")


def _listed_as(answer: Answer, state: str, other: str) -> Answer:
    shown = [
        one | {"KeyMaterialState": other} if one["KeyMaterialState"] == state else one for one in answer["Rotations"]
    ]
    return answer | {"Rotations": shown}


def _deletes_pending(call: Call) -> bool:
    pending = call.target().family.pending
    return pending is not None and call.params.get("KeyMaterialId") == pending.id


def _ten_minutes(**timing: tuple[float, float]) -> Callable[[World, Patch], None]:
    def plant(world: World, _: Patch) -> None:
        backstage = world.kms._backstage  # noqa: SLF001  # a deviation of this very KMS
        backstage.timing = replace(backstage.timing, **timing)  # type: ignore[arg-type]  # each is a range

    return plant


def _only_current_counts(_: World, patch: Patch) -> None:
    at_rest = Family.state_at_rest

    def state_at_rest(family: Family, key: RegionalKey) -> KeyState:
        has_current = family.current is not None and family.current.id in key.holdings
        return KeyState.ENABLED if has_current else at_rest(family, key)

    patch.setattr(Family, "state_at_rest", state_at_rest)


def _never_later(run: Run, call: Call) -> Answer:
    key = call.target().key
    before = dict(key.holdings)
    answer = run(call)
    for id_, holding in key.holdings.items():
        former = before[id_].valid_to if id_ in before else None
        if former is not None and holding.valid_to is not None and former < holding.valid_to:
            key.holdings[id_] = replace(holding, valid_to=former)
    return answer


def _to_the_microsecond(_: World, patch: Patch) -> None:
    valid_to = imports._valid_to  # noqa: SLF001  # a deviation of this very KMS

    def uncut(call: Call) -> Any:
        return valid_to(call) and call.params["ValidTo"]

    patch.setattr(imports, "_valid_to", uncut)


def _expires_late(_: World, patch: Patch) -> None:
    expire = passing._expire  # noqa: SLF001  # a deviation of this very KMS
    patch.setattr(passing, "_expire", lambda key, now: expire(key, now - TEN_MINUTES))


def _forgets_the_id(answer: Answer, _: Call) -> Answer:
    metadata = answer["KeyMetadata"]
    if metadata["KeyState"] != KeyState.PENDING_IMPORT:
        return answer
    return {"KeyMetadata": {name: value for name, value in metadata.items() if name != "CurrentKeyMaterialId"}}


# ----------------------------------------------------------------------------------------------------------- replicas


def _pending_everywhere(_: World, patch: Patch) -> None:
    patch.setattr(Family, "pending_is_everywhere", lambda _: True)


def _other_id_in_replica(answer: Answer, call: Call) -> Answer:
    return answer | {"KeyMaterialId": "f" * 64} if call.target().is_replica else answer


def _is_new(call: Call) -> bool:
    return bool(call.params.get("ImportType") == "NEW_KEY_MATERIAL")


# ------------------------------------------------------------------------------------------------------------ the list

DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        "empty-key-lists-nothing",
        "a key without material has no list",
        refused("ListKeyRotations", unsupported(None), lambda call: not call.target().family.materials),
    ),
    Deviation(
        "empty-key-rotation-status",
        "a key without material has no status",
        refused("GetKeyRotationStatus", unsupported(None), lambda call: not call.target().family.materials),
    ),
    Deviation("rotation-needs-pending", "a rotation to nothing is taken", instead(ROTATE, _rotates_nothing)),
    Deviation(
        "staged-known-material",
        "known material is refused in other words",
        in_other_words(IMPORT, "IncorrectKeyMaterialException", "ConflictException"),
    ),
    Deviation(
        "staged-pending", "a key of one Region waits for replicas", answered("ListKeyRotations", _waits_for_replicas)
    ),
    Deviation(
        "pending-refuses-another",
        "a second pending material is refused in other words",
        in_other_words(IMPORT, "KMSInvalidStateException", "ConflictException"),
    ),
    Deviation(
        "pending-can-be-removed",
        "pending material can't be deleted",
        refused(DELETE, invalid_state("it is pending"), _deletes_pending),
    ),
    Deviation("rotation-patience", "a rotation takes ten minutes", _ten_minutes(rotation_seconds=(600.0, 600.0))),
    Deviation(
        "rotation-repeated",
        "a repeated request counts",
        refused(
            ROTATE,
            KmsError("LimitExceededException", "The on-demand rotations limit has been reached."),
            lambda call: call.target().family.rotation is not None,
        ),
    ),
    Deviation("rotation-lists-both", "the former material stays current", answered("ListKeyRotations", _both_current)),
    Deviation("superseded-material-is-needed", "only the current material is needed", _only_current_counts),
    Deviation("expiry-in-place", "an expiry can't be made later", instead(IMPORT, _never_later)),
    Deviation("valid-to-in-seconds", "ValidTo keeps parts of a second", _to_the_microsecond),
    Deviation("expiry-happens", "material expires ten minutes late", _expires_late),
    Deviation(
        "expired-key-shows", "an expired key forgets its material's id", answered("DescribeKey", _forgets_the_id)
    ),
    Deviation(
        "expired-material-again",
        "expired material is refused",
        refused(IMPORT, KmsError("IncorrectKeyMaterialException"), lambda call: bool(call.target().key.lapsed)),
    ),
    Deviation(
        "replica-of-empty-primary",
        "an empty primary is refused in other words",
        in_other_words("ReplicateKey", "KMSInvalidStateException", "UnsupportedOperationException"),
    ),
    Deviation(
        "replica-needs-import",
        "a replica is made in ten minutes",
        _ten_minutes(replica_creation_seconds=(600.0, 600.0)),
    ),
    Deviation("replica-takes-the-same", "a replica has ids of its own", answered(IMPORT, _other_id_in_replica)),
    Deviation(
        "replica-takes-no-new-material",
        "new material on a replica is refused in other words",
        refused(IMPORT, unsupported(None), lambda call: call.target().is_replica and _is_new(call)),
    ),
    Deviation("replicas-import-first", "a primary waits for no replica", _pending_everywhere),
)
