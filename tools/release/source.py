"""The commit that is released. Refuses what can't be released, with all the reasons at once."""

import io
import re
import subprocess
import tarfile
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from samtranslator.yaml_helper import yaml_parse

SECTION: Final = re.compile(r"^## (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SHOWN_MOST_FILES: Final = 5


class NotReleasableError(Exception):
    """The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """A work tree without changes. `news`: the version's section of CHANGELOG.md, without its heading."""

    folder: Path
    version: str
    commit: str
    committed: datetime
    news: str

    @classmethod
    def of(cls, folder: Path) -> "Source":
        """Raises NotReleasableError."""
        named = versions(folder)
        reasons = [*_different(named), *_uncommitted(folder)]
        if reasons:
            raise NotReleasableError(" ".join(reasons))
        commit, seconds = _git(folder, "show", "--no-patch", "--format=%H %ct", "HEAD").split()
        version, news = changes(folder)
        return cls(folder, version, commit, datetime.fromtimestamp(int(seconds), UTC), news)

    @property
    def epoch(self) -> str:
        """The commit's time for programs that would write the present one (SOURCE_DATE_EPOCH)."""
        return str(int(self.committed.timestamp()))

    def export(self, into: Path) -> None:
        """Writes the commit's files, and no other. Modes and times are the same everywhere."""
        archive = subprocess.run(
            ["git", "-c", "tar.umask=0022", "archive", "--format=tar", self.commit],  # noqa: S607  # the git on PATH
            cwd=self.folder,
            capture_output=True,
            check=True,
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(into, filter="data")


def versions(folder: Path) -> dict[str, str]:
    """Each file that states the version, and what it states."""
    projects = {
        name: tomllib.loads((folder / name).read_text("utf-8"))["project"]["version"]
        for name in ("pyproject.toml", "lint/pyproject.toml")
    }
    template = yaml_parse((folder / "template.yaml").read_text("utf-8"))
    return {
        **projects,
        "template.yaml": str(template["Mappings"]["Application"]["Version"]["Number"]),
        "CHANGELOG.md": changes(folder)[0],
    }


def changes(folder: Path) -> tuple[str, str]:
    """The newest version of CHANGELOG.md, and the text of its section."""
    found = SECTION.search((folder / "CHANGELOG.md").read_text("utf-8"))
    return (found[1], found[2].strip()) if found else ("none", "")


def _different(named: dict[str, str]) -> list[str]:
    if len(set(named.values())) == 1:
        return []
    said = ", ".join(f"{file} says {version}" for file, version in named.items())
    return [f"The versions differ: {said}. Give all of them the version that you release."]


def _uncommitted(folder: Path) -> list[str]:
    """What is in the work tree and in no commit could get into the zips, and nobody could build them again."""
    changed = _git(folder, "status", "--porcelain", "--untracked-files=all").splitlines()
    if not changed:
        return []
    shown = ", ".join(line[3:] for line in changed[:SHOWN_MOST_FILES])
    more = f" and {len(changed) - SHOWN_MOST_FILES} more" if len(changed) > SHOWN_MOST_FILES else ""
    return [f"The work tree has changes that are in no commit: {shown}{more}. Commit or remove them."]


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607  # the git on PATH
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotReleasableError(f"A release is made from a commit of git: {done.stderr.strip()}")
    return done.stdout
