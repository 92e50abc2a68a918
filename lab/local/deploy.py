"""`sam build` and `sam deploy`, as a user runs them, against the local AWS."""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lab.local import places
from lab.local.clients import client
from lab.local.locks import exclusive
from lab.local.settings import Settings

APPLICATION_STACK = "imported-key-material"
FUNCTION = "imported-key-material"
SOURCES = ("template.yaml", "samconfig.toml", "handler", "layers")
BUILD_SECONDS = 300
DEPLOY_SECONDS = 300  # five at once on two cores take minutes
SAM_ENVIRONMENT = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2", "PYTHONDONTWRITEBYTECODE": "1"}


class SamFailed(Exception):
    """SAM ended with an error. The text is its output."""


def build() -> None:
    """Builds the application into .aws-sam/build, from the wheels that `make` fetched, if its sources are newer.

    `sam build` empties the folder first. So nobody may build again what is current: somebody else may read it just then.
    A source that was deleted is not noticed; `make build` always builds.
    """
    places.BUILT.parent.mkdir(exist_ok=True)
    with exclusive(places.BUILT.parent / "build.lock"):
        if not is_current(places.BUILT / "template.yaml", [places.REPOSITORY / name for name in SOURCES]):
            _build()


def is_current(written_last: Path, sources: Iterable[Path]) -> bool:
    """Whether the file is younger than all sources: files, or folders with all that is in them, without bytecode."""
    if not written_last.exists():
        return False
    found = (file for source in sources for file in (source, *source.rglob("*")))
    files = [file for file in found if file.is_file() and "__pycache__" not in file.parts]
    return written_last.stat().st_mtime > max(file.stat().st_mtime for file in files)


def _build() -> None:
    run_sam(
        ["build"],
        # Use the host's environment: a build downloads nothing, but make and pip may need their settings.
        {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "VIRTUAL_ENV"))}
        | {"LAYER_WHEELS": str(places.REPOSITORY / ".wheels"), "AWS_DEFAULT_REGION": "us-east-1"},
        BUILD_SECONDS,
    )


def deploy(settings: Settings, parameters: Mapping[str, str] | None = None, stack: str = APPLICATION_STACK) -> None:
    """Deploys what build() built. The function may send its answers to the local AWS.

    `parameters`: the template's parameters, beside ResponseHost.
    """
    overrides = {"ResponseHost": settings.response_host} | dict(parameters or {})
    environment = {"HOME": settings.folder, **settings.environment()}
    run_deploy(stack, settings.region, ["--resolve-s3"], overrides, environment, DEPLOY_SECONDS)


def run_deploy(
    stack: str,
    region: str,
    bucket: Sequence[str],
    overrides: Mapping[str, str],
    environment: Mapping[str, str],
    seconds: int,
) -> None:
    """`sam deploy`, on whichever account the environment leads to. `bucket`: the options that say where artifacts go."""
    run_sam(
        [
            "deploy",
            f"--stack-name={stack}",
            f"--region={region}",
            *bucket,
            "--capabilities=CAPABILITY_IAM",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            "--no-progressbar",
            "--parameter-overrides",
            *(f"{name}={value}" for name, value in overrides.items()),
        ],
        environment,
        seconds,
    )


def run_sam(arguments: list[str], environment: Mapping[str, str], seconds: int) -> None:
    # SAM runs the first python3.13 on PATH, and refuses a pyenv shim.
    path = os.pathsep.join([str(places.base_python().parent), os.environ.get("PATH", os.defpath)])
    process = subprocess.run(  # noqa: S603  # our own arguments
        [str(places.sam()), *arguments],
        cwd=places.REPOSITORY,
        env={**environment, "PATH": path, **SAM_ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    if process.returncode != 0:
        raise SamFailed(f"sam {arguments[0]} ended with code {process.returncode}:\n{process.stdout}")


def is_deployed(settings: Settings, stack: str = APPLICATION_STACK) -> bool:
    """Whether the application is deployed in the Region of these settings."""
    pages = client(settings, "cloudformation").get_paginator("describe_stacks").paginate()
    return any(one["StackName"] == stack for page in pages for one in page["Stacks"])


def service_token(settings: Settings, stack: str = APPLICATION_STACK) -> str:
    """The ServiceToken of the deployed application, as its stack exports it."""
    found = client(settings, "cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return str(next(output["OutputValue"] for output in found if output["OutputKey"] == "ServiceToken"))
