"""The wheels of the custodian's tool and of the lint rules, and for each the list that installs it by hash.

They are built offline from the commit's files, by the setuptools whose hash was checked when it was downloaded. Everything that
setuptools would write of the machine is fixed: modes, umask, times.
"""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UMASK: Final = 0o022
BUILD_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Project:
    """`folder`: where its pyproject.toml is. `locked`: its dependencies with hashes, in requirements/."""

    name: str
    folder: str
    locked: str


PROJECTS: Final = (
    Project("key-custodian", ".", "key-custodian.txt"),
    Project("cfn-lint-imported-key-material", "lint", "lint.txt"),
)


class BuildFailedError(Exception):
    """The text is all that pip printed."""


def build(project: Project, exported: Path, epoch: str, backend: Path, into: Path) -> Path:
    """Returns the wheel. `exported`: the commit's files. `epoch`: their time. `backend`: the folder of setuptools' wheel."""
    into.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-input", "--disable-pip-version-check"),
            *("--no-cache-dir", "--no-deps", "--no-index", "--find-links", str(backend)),
            *("--wheel-dir", str(into), str(exported / project.folder)),
        ],
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0"},
        umask=UMASK,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise BuildFailedError(f"{project.name}:\n{done.stdout}")
    (wheel,) = into.glob(f"{project.name.replace('-', '_')}-*.whl")
    return wheel


def requirements(project: Project, version: str, wheel: bytes, locked: str) -> str:
    """What `pip install --require-hashes --requirement` takes: the wheel's own line, then its dependencies'."""
    digest = hashlib.sha256(wheel).hexdigest()
    return f"{project.name}=={version} \\\n    --hash=sha256:{digest}\n{locked}"
