"""`LocalAws`: a local AWS that runs as long as somebody uses it. Tests share it, also between processes.

with LocalAws.shared("a-name") as aws:      the first user starts it and deploys the application, the last one ends it
    aws.client("kms") ...
    aws.stacks.create(...)
    aws.elsewhere("eu-west-1").stacks.create(...)
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.local import deploy, journal, places
from lab.local.clients import client
from lab.local.locks import Use, exclusive, is_alive
from lab.local.ministack import DidNotStart
from lab.local.service import LOG_FILE_NAME, PID_FILE_NAME, START_SECONDS
from lab.local.settings import REGION, Credentials, Settings
from lab.local.stacks import Stacks

END_SECONDS = 20


class LocalAws:
    """A user's access to a local AWS, in one Region."""

    def __init__(self, folder: Path, region: str = REGION) -> None:
        self.folder = folder
        self.settings = replace(Settings.read(folder), region=region)
        self.stacks = Stacks(client(self.settings, "cloudformation"))

    @classmethod
    @contextmanager
    def shared(cls, name: str, prepare: Callable[[Settings], None] | None = None) -> Iterator["LocalAws"]:
        """The local AWS of this name. `prepare`: its first user calls this before anybody else may use it.

        Raises DidNotStart. An exception of `prepare` ends the local AWS.
        """
        folder = Path(tempfile.gettempdir()) / f"{places.TEMPORARY_PREFIX}{name}"
        use = Use(folder)
        try:
            if use.first:
                _start(folder)
                aws = cls(folder)
                (prepare or application)(aws.settings)
                use.share()
            else:
                aws = cls(folder)
            yield aws
        finally:
            if use.is_last():
                _end(folder)
            use.end()

    def elsewhere(self, region: str) -> "LocalAws":
        """The same local AWS in another Region. The first user there deploys the application."""
        there = LocalAws(self.folder, region)
        with exclusive(self.folder / f"{region}.lock"):
            if not deploy.is_deployed(there.settings):
                deploy.deploy(there.settings)
        return there

    def client(self, service: str, region: str | None = None) -> Any:
        return client(self.settings, service, region)

    def role_arn(self, function: str = deploy.FUNCTION) -> str:
        """The role of the deployed function."""
        return str(self.client("lambda").get_function_configuration(FunctionName=function)["Role"])

    def as_role(self, role_arn: str) -> Settings:
        """The settings of a caller with this role."""
        role = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="tests")["Credentials"]
        credentials = Credentials(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
        return self.settings.with_credentials(credentials)

    def logs(self, function: str = deploy.FUNCTION) -> str:
        """All that the function's processes wrote so far."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.log_folder(function).glob("*.log")))

    def log_folder(self, function: str = deploy.FUNCTION) -> Path:
        return places.function_logs(self.folder, self.settings.region, function)

    def journal(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The requests and answers between CloudFormation and functions."""
        return list(journal.read(self.folder, kind))

    def save_logs(self, to: Path) -> None:
        """Copies the logs and the journal to a folder that stays."""
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        for name in ("ministack.log", LOG_FILE_NAME, journal.FILE_NAME):
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, to)
        if (self.folder / "logs").exists():
            shutil.copytree(self.folder / "logs", to / "logs")


def nothing(_settings: Settings) -> None:
    """Prepares nothing, for users that deploy the application themselves."""


def application(settings: Settings) -> None:
    """Builds and deploys the application, as most users need it."""
    deploy.build()
    deploy.deploy(settings)


def _start(folder: Path) -> None:
    started = subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "lab.local.service", str(folder)],
        cwd=places.REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=START_SECONDS + END_SECONDS,
        check=False,
    )
    if started.returncode != 0:
        raise DidNotStart(f"The local AWS did not start. {started.stdout.strip()}")


def _end(folder: Path) -> None:
    """Asks it to end, and waits until nothing of it is left."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((folder / PID_FILE_NAME).read_text()), signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS
    while is_alive(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    places.remove_tree(folder)  # it removes the folder itself, unless it was killed
