"""A stage for the acts of `make live` in one process: the strict KMS and the other stand-ins, in virtual time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from lab.live.act import Act
from lab.live.made import Made
from lab.live.questions.stand_ins import RUN, StandInAccount
from lab.live.run_list import RunList
from lab.live.stage import Shared, Stage
from lab.live.verdicts import Finding
from lab.world import ACCOUNT, REGION, World


def account_of(world: World) -> StandInAccount:
    return StandInAccount(world.aws, ACCOUNT, REGION)


@contextmanager
def stage_of(world: World, folder: Path, seconds: float = 3600, other_region: str | None = None) -> Iterator[Stage]:
    made = Made(account_of(world), RUN, RunList(folder / RUN))
    yield Stage(made, Shared(made), world.clock.now() + timedelta(seconds=seconds), other_region)


def play(act: Act, world: World, folder: Path, other_region: str | None = None) -> dict[str, Finding]:
    """The act's findings, by assumption. Each assumption that it settles has one."""
    with stage_of(world, folder, act.deadline_seconds, other_region) as stage:
        findings = {finding.assumption: finding for finding in act.play(stage)}
    if set(findings) != set(act.settles):
        raise AssertionError(f"{act.name} settles {act.settles}, and found {sorted(findings)}")
    return findings
