"""The act of what takes KMS minutes: a rotation and an expiry, waited for side by side."""

from collections.abc import Iterator
from typing import Final

from lab.live.act import Act
from lab.live.acts.kms import expiry, rotation
from lab.live.acts.kms.by_hand import ByHand
from lab.live.stage import Stage
from lab.live.verdicts import Finding

LOOK_FIRST_SECONDS: Final = 0.1
LOOK_MAX_SECONDS: Final = 2.0
LOOK_GROWS: Final = 1.5


def rotation_and_expiry(stage: Stage) -> Iterator[Finding]:
    kms = ByHand.of(stage)
    expiring = expiry.Expiring(kms)
    yield from expiring.begin()
    rotating = rotation.Rotating(kms)
    yield from rotating.begin()
    seconds = LOOK_FIRST_SECONDS
    while not (rotating.look() & expiring.look()):
        stage.sleep(seconds)
        seconds = min(seconds * LOOK_GROWS, LOOK_MAX_SECONDS)
    yield from expiring.end()
    yield from rotating.end()


ACT: Final = Act(
    "rotation-and-expiry",
    "What takes KMS minutes: a rotation, and an expiry",
    (*rotation.SETTLES, *expiry.SETTLES),
    makes="2 keys",
    deadline_seconds=345,
    play=rotation_and_expiry,
)
