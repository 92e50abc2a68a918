"""Stages on one local AWS. Each is of a run of its own, and its clients may behave otherwise."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from lab.live import application
from lab.live.account import LocalAccount
from lab.live.application import Application
from lab.live.made import Made, clean
from lab.live.one_stack import OneStack
from lab.live.run_list import RunList
from lab.live.stage import Shared, Stage
from lab.live.verdicts import Finding
from lab.local import deploy
from lab.local.settings import Settings

SECONDS = 300

type Findings = Iterator[Finding]
type Change = Callable[[str, Any], None]  # of a client of this service


def nothing(_service: str, _client: Any) -> None:
    pass


@dataclass(frozen=True)
class OtherAccount(LocalAccount):
    """Its clients behave otherwise."""

    change: Change = nothing

    def client(self, service: str, region: str | None = None) -> Any:
        client = super().client(service, region)
        self.change(service, client)
        return client


class Given(Shared):
    """An application that is there already."""

    def __init__(self, made: Made, app: Application) -> None:
        super().__init__(made)
        self.app = app

    @property
    def application(self) -> Application:
        return self.app


@dataclass
class Stages:
    """Stages on one local AWS, each of a run of its own, with the application that all tests share."""

    settings: Settings
    folder: Path
    _made: list[Made] = field(default_factory=list)

    def stage(self, change: Change = nothing, stage: type[Stage] = Stage, made: type[Made] = Made) -> Stage:
        account, run = OtherAccount(self.settings, change=change), secrets.token_hex(4)
        own = made(account, run, RunList(self.folder / run))
        self._made.append(own)
        until = account.now() + timedelta(seconds=SECONDS)
        return stage(own, Given(own, application.look(own, deploy.APPLICATION_STACK)), until)

    def alone(self, change: Change = nothing) -> Stage:
        """With an application of its own, whose role and function may be changed."""
        stage = self.stage(change)
        stack = OneStack(stage, application.copy(stage.made, stage.application, "own"))
        if stack.wait(SECONDS).status != "CREATE_COMPLETE":
            raise AssertionError("the application was not deployed")
        return replace(stage, shared=Given(stage.made, application.look(stage.made, stack.name)))

    def forget(self) -> None:
        """Deletes keys and secrets. The stacks end with the local AWS: many have no function any more."""
        account = LocalAccount(self.settings)
        for made in self._made:
            list(clean(account, [one for one in made.list.things() if one.kind in {"key", "secret"}]))
