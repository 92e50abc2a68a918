"""The act with a second Region: a replica of a multi-Region key, which needs an import of its own."""

from collections.abc import Iterator
from typing import Final

from lab.keys.random_keys import random_keys
from lab.live.act import Act, Needs
from lab.live.acts.kms.by_hand import (
    EMPTY,
    ENABLED,
    EXISTING,
    INVALID,
    NEW,
    OTHER_BYTES,
    SUCCESS,
    WRONG_STATE,
    ByHand,
)
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen

PENDING, PENDING_IN_REPLICAS = "PENDING_ROTATION", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
PATIENCE_SECONDS: Final = 90.0  # recorded: a replica is Creating for up to about a minute
SHOWN_SECONDS: Final = 60.0  # how long one Region may take to see what another did


def replica(stage: Stage) -> Iterator[Finding]:
    region = stage.other_region or ""
    ours, staged, others = (stage.secret_bytes(one) for one in random_keys(32, 3))
    here, there = ByHand.of(stage), ByHand.of(stage, region)
    primary = stage.made.key("primary", MultiRegion=True)
    here.describe(primary)
    too_early = here.code(lambda: stage.made.replica(primary, "primary", region))
    yield judged(
        "replica-of-empty-primary",
        f"A primary without material can't be replicated: {WRONG_STATE}",
        f"KMS answered {too_early}",
        holds=too_early == WRONG_STATE,
        code=too_early,
    )
    first_id = here.import_(primary, ours)["KeyMaterialId"]
    here.becomes(primary, ENABLED)
    started = stage.now()
    copy = here.at_rest(lambda: stage.made.replica(primary, "primary", region))
    state = there.becomes(copy, EMPTY, PATIENCE_SECONDS)["KeyState"]
    seconds = round((stage.now() - started).total_seconds(), 1)
    yield judged(
        "replica-needs-import",
        f"A replica is PendingImport within {PATIENCE_SECONDS:.0f} seconds",
        f"after {seconds} s it is {state}",
        holds=state == EMPTY,
        state=state,
        seconds=seconds,
    )
    if state != EMPTY:
        for assumption in ("replica-takes-the-same", "replica-takes-no-new-material", "replicas-import-first"):
            yield not_seen(assumption, "the replica was not ready in time")
        return
    yield _imported(there, copy, first_id, ours, others)
    new_there = there.code(lambda: there.import_(copy, others, **NEW))
    yield judged(
        "replica-takes-no-new-material",
        f"NEW_KEY_MATERIAL on a replica is a {INVALID}",
        f"KMS answered {new_there}",
        holds=new_there == INVALID,
        code=new_there,
    )
    yield _staged(here, there, primary, copy, staged)


def _imported(there: ByHand, copy: str, first_id: str, ours: bytes, others: bytes) -> Finding:
    """The replica's own import."""
    other = there.code(lambda: there.import_(copy, others, **EXISTING))
    answer = there.import_(copy, ours, **EXISTING)
    state = there.becomes(copy, ENABLED)["KeyState"]
    is_same = answer.get("KeyMaterialId") == first_id
    return judged(
        "replica-takes-the-same",
        f"A replica takes the primary's bytes as EXISTING_KEY_MATERIAL, under the same id, and refuses others: {OTHER_BYTES}",
        f"other bytes: {other}; after the import it is {state}, under {'the same' if is_same else 'another'} id",
        holds=(other, state, is_same) == (OTHER_BYTES, ENABLED, True),
        other=other,
        state=state,
        same_id=is_same,
    )


def _staged(here: ByHand, there: ByHand, primary: str, copy: str, staged: bytes) -> Finding:
    """New material on the primary waits for the replica's import."""
    material_id = here.import_(primary, staged, **NEW)["KeyMaterialId"]
    before = here.material_becomes(primary, material_id, PENDING_IN_REPLICAS)
    rotation = here.code(lambda: here.client.rotate_key_on_demand(KeyId=primary))
    there.material_becomes(copy, material_id, PENDING_IN_REPLICAS, SHOWN_SECONDS)
    in_replica = there.code(lambda: there.import_(copy, staged, **EXISTING))
    after = here.material_becomes(primary, material_id, PENDING, SHOWN_SECONDS)
    return judged(
        "replicas-import-first",
        f"New material of a primary is {PENDING_IN_REPLICAS}, and can't be rotated to, until each replica has imported it",
        f"it is {before or 'not listed'}; rotation: {rotation}; the replica's import: {in_replica}; then it is {after}",
        holds=(before, rotation, in_replica, after) == (PENDING_IN_REPLICAS, WRONG_STATE, SUCCESS, PENDING),
        before=before,
        rotation=rotation,
        in_replica=in_replica,
        after=after,
    )


ACT: Final = Act(
    "replica",
    "A multi-Region key and its replica",
    (
        "replica-of-empty-primary",
        "replica-needs-import",
        "replica-takes-the-same",
        "replica-takes-no-new-material",
        "replicas-import-first",
    ),
    makes="1 multi-Region key, and its replica in the second Region",
    deadline_seconds=120,
    play=replica,
    needs=Needs.OTHER_REGION,
)
