"""A stage for the acts of `make live` in one process: the strict KMS and the other stand-ins, in virtual time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lab.live.act import Act
from lab.live.made import Made
from lab.live.run_list import RunList
from lab.live.stage import Shared, Stage
from lab.live.verdicts import Finding
from lab.world import ACCOUNT, REGION, World

RUN = "0badcafe"


@dataclass(frozen=True, slots=True)
class WorldAccount:
    """The account of a `World`. Fits `lab.live.account.Account`."""

    world: World
    number: str = ACCOUNT
    region: str = REGION
    partition: str = "aws"
    is_local: bool = True
    profile: str = ""

    @property
    def application_parameters(self) -> Mapping[str, str]:
        return {}

    def environment(self) -> Mapping[str, str]:
        return {}

    def bucket_url(self, bucket: str) -> str:
        raise NotImplementedError(f"no bucket {bucket} here")

    def client(self, service: str, region: str | None = None) -> Any:
        return self.world.session(region=region or self.region).client(service)  # type: ignore[call-overload]  # any service

    def now(self) -> datetime:
        return self.world.clock.now()

    def sleep(self, seconds: float) -> None:
        self.world.clock.sleep(seconds)


@contextmanager
def stage_of(world: World, folder: Path, seconds: float = 3600, other_region: str | None = None) -> Iterator[Stage]:
    made = Made(WorldAccount(world), RUN, RunList(folder / RUN))
    yield Stage(made, Shared(made), world.clock.now() + timedelta(seconds=seconds), other_region)


def play(act: Act, world: World, folder: Path, other_region: str | None = None) -> dict[str, Finding]:
    """The act's findings, by assumption. Each assumption that it settles has one."""
    with stage_of(world, folder, act.deadline_seconds, other_region) as stage:
        findings = {finding.assumption: finding for finding in act.play(stage)}
    if set(findings) != set(act.settles):
        raise AssertionError(f"{act.name} settles {act.settles}, and found {sorted(findings)}")
    return findings
