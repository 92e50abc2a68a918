"""Runs the Makefiles of layer and function as `sam build` does: in a copy of their folder, with ARTIFACTS_DIR, offline."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
WHEELS = REPOSITORY / ".wheels"
LAYER_SOURCE = REPOSITORY / "layers" / "dependencies"
FUNCTION_SOURCE = REPOSITORY / "handler"
BUILD_SECONDS = 120


class BuildFailed(Exception):
    """The text is all that the build printed."""


def build(source: Path, logical_id: str, into: Path) -> Path:
    """Builds `logical_id` from the folder `source` in a new folder `into`, and returns that."""
    if not (WHEELS / ".complete").exists():
        raise FileNotFoundError(f"{WHEELS} is missing: run `make install` first.")
    scratch = into.with_name(into.name + "-scratch")
    shutil.copytree(
        source, scratch, ignore=shutil.ignore_patterns("*.pyc.*")
    )  # what another process is writing just now
    into.mkdir(parents=True)
    environment = {
        **os.environ,
        "ARTIFACTS_DIR": str(into),
        "LAYER_WHEELS": str(WHEELS),
        "PYTHON": sys.executable,
        "PIP_NO_CACHE_DIR": "1",
    }
    done = subprocess.run(  # noqa: S603  # as SAM runs it
        ["make", "--makefile", str(source / "Makefile"), f"build-{logical_id}"],  # noqa: S607  # the make on PATH, as SAM
        cwd=scratch,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    shutil.rmtree(scratch)
    if done.returncode != 0:
        raise BuildFailed(done.stdout)
    return into
