"""`make release` in a clone, as somebody does who wants to make the same bytes again.

The clones are of one commit that holds what the work tree holds, so a test needs no commit. What `make install` made is linked
in: a clone installs nothing.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.local import places
from tests.support.findings import copy_tree

INSTALLED: Final = (".venv", ".venv-sam", ".wheels", ".wheels-tools")
IDENTITY: Final = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
RELEASE_SECONDS: Final = 300
NOT_PASSED_ON: Final = ("AWS_", "GIT_", "LC_", "MAKE", "MFLAGS", "PYTHON", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What differs between machines. `changed`: the time of the clone's files, in seconds; before make installed its tools."""

    umask: int
    changed: int
    environment: Mapping[str, str]


class ReleaseFailed(Exception):
    """The text is all that make printed."""


def commit(folder: Path) -> Path:
    """A repository whose only commit is the work tree as it could be committed."""
    copy_tree(folder)
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "released")
    return folder


def release(repository: Path, clone: Path, circumstances: Circumstances) -> Path:
    """Clones, releases, and returns dist/. What was built is removed: it is large."""
    subprocess.run(  # noqa: S603  # our own arguments
        ["git", "clone", "--quiet", str(repository), str(clone)],  # noqa: S607  # the git on PATH
        umask=circumstances.umask,
        check=True,
    )
    for name in INSTALLED:
        (clone / name).symlink_to(places.REPOSITORY / name)
    with (clone / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.writelines(f"/{name}\n" for name in INSTALLED)  # .gitignore names them as folders
    for path in clone.rglob("*"):
        if ".git" not in path.parts and path.is_file() and not path.is_symlink():
            os.utime(path, (circumstances.changed, circumstances.changed))
    home = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    done = subprocess.run(  # noqa: S603  # our own arguments
        ["make", "release", f"PYTHON={places.base_python()}"],  # noqa: S607  # the make on PATH
        cwd=clone,
        env={**home, **circumstances.environment},
        umask=circumstances.umask,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RELEASE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise ReleaseFailed(done.stdout)
    shutil.rmtree(clone / ".aws-sam")
    return clone / "dist"


def differences(one: Path, other: Path) -> list[str]:
    """The files that are not in both folders with the same bytes."""
    names = {path.name for folder in (one, other) for path in folder.iterdir()}
    return sorted(name for name in names if _content(one / name) != _content(other / name))


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _git(folder: Path, *arguments: str) -> None:
    command = ["git", *IDENTITY, *arguments]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)  # noqa: S603  # the git on PATH
