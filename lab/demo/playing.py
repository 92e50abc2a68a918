"""Plays the acts of a story on its own local AWS, and ends with one line: ok, or what failed."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from lab.demo.evidence import NotShown
from lab.demo.story import Story
from lab.local import places
from lab.local.deploy import SamFailed
from lab.local.ministack import DidNotStart
from lab.local.session import LocalAws, nothing
from lab.local.stacks import DidNotEnd

EXPECTED: tuple[type[Exception], ...] = (
    NotShown,
    SamFailed,
    DidNotStart,
    DidNotEnd,
    ClientError,
    BotoCoreError,
    subprocess.TimeoutExpired,
    FileNotFoundError,  # a missing tool: places.py says how to install it
)


@dataclass(frozen=True, slots=True)
class Play:
    """`begins`: the first act's title; `acts`: the others, which get a folder; `expected`: more exceptions of a failure."""

    name: str
    opening: str
    begins: str
    acts: Callable[[Story, LocalAws, Path], None]
    expected: tuple[type[Exception], ...]

    @property
    def all_expected(self) -> tuple[type[Exception], ...]:
        return (*EXPECTED, *self.expected)

    def run(self) -> int:
        """Returns the exit code: 0 and prints `NAME: ok`, 1 and prints what failed, 130 if somebody stopped it."""
        story, failure = Story(sys.stdout), Story(sys.stderr)
        story.tell(self.opening)
        folder, logs = places.temporary_folder(self.name), places.REPOSITORY / "build" / f"{self.name}-logs"
        try:
            self._play(story, folder, logs)
        except self.all_expected as error:
            failure.tell(f"\n{self.name}: FAILED. {error}")
            if logs.exists():
                failure.tell(f"What was logged until then is in {logs.relative_to(places.REPOSITORY)}/.")
            return 1
        except KeyboardInterrupt:
            failure.tell(f"\n{self.name}: stopped.")
            return 130
        finally:
            places.remove_tree(folder)
        story.end(f"{self.name}: ok")
        return 0

    def _play(self, story: Story, folder: Path, logs: Path) -> None:
        places.remove_tree(logs)
        with ExitStack() as afterwards:
            with story.act(self.begins):
                aws = afterwards.enter_context(LocalAws.shared(f"{self.name}-{os.getpid()}", prepare=nothing))
                settings = aws.settings
                story.facts({"endpoint": settings.endpoint_url, "account": settings.account, "Region": settings.region})
            try:
                self.acts(story, aws, folder)
            except BaseException:
                aws.save_logs(logs)
                raise
