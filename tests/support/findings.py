"""The findings of the reviews, as data: what was found, what was done, the test that fails without it, a planted bug.

    python -m tests.support.findings              tries every plant
    python -m tests.support.findings attack-2 ..  tries the plants of these findings

Each file of tests/findings/ is a list of rows:

    [[finding]]
    id = "attack-2"
    severity = "MEDIUM"                HIGH, MEDIUM or LOW
    found = "What was wrong."
    done = "What was done about it."
    test = "tests/unit/test_x.py::test_y"
    plant = { file = "handler/imported_key_material/x.py", old = "what is there", new = "what brings the finding back" }

In place of `plant.file`, `plant.simulation` names a planted bug of `simulation/mutations.py`. In place of `done`, `test` and
`plant`, `declined` says why nothing was done. `old` stands in the file exactly once; a plant is an edit of a copy of the tree.
The test finds it by failing. Exit code 1 where one is not found.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.warm_pytest import WarmPytest, warm_pytest

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "tests" / "findings"
TEST_MAX_SECONDS: Final = 240


@dataclass(frozen=True, slots=True)
class Edit:
    """A bug: `old` becomes `new` in `file`, a path from the root of the repository."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One row. Where `declined` is not "", the fields after it are empty."""

    id: str
    severity: str
    found: str
    declined: str = ""
    done: str = ""
    test: str = ""
    edit: Edit | None = None
    simulation: str = ""


def all_findings() -> list[Finding]:
    """In the order of the files' names and of their rows. Raises KeyError, TypeError for a row that is not whole."""
    rows = [row for path in sorted(FOLDER.glob("*.toml")) for row in tomllib.loads(path.read_text())["finding"]]
    return [_finding(row) for row in rows]


def _finding(row: dict[str, Any]) -> Finding:
    plant = row.pop("plant", {})
    edit = Edit(**plant) if "file" in plant else None
    finding = Finding(**row, edit=edit, simulation=plant.get("simulation", ""))
    proved = bool(finding.done and finding.test and (edit or finding.simulation))
    if proved == bool(finding.declined):
        raise TypeError(f"{finding.id}: either declined, or done with a test and a plant")
    return finding


def misplaced(edit: Edit, root: Path) -> str:
    """Why the bug can't be planted; "" where it can."""
    times = (root / edit.file).read_text().count(edit.old)
    if times != 1:
        return f"{edit.file} has the text to be changed {times} times: {edit.old!r}"
    return "" if edit.old != edit.new else f"{edit.file}: nothing is changed by {edit.old!r}"


def copy_tree(folder: Path) -> None:
    """Copies every file that is, or could be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607  # the git on PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


class Copy:
    """The tree as it could be committed, in a separate folder, where bugs can be planted."""

    def __init__(self, folder: Path, pytest: WarmPytest) -> None:
        self._folder = folder
        self._pytest = pytest
        copy_tree(folder)

    @contextmanager
    def planted(self, edit: Edit) -> Iterator[None]:
        """Raises ValueError where `old` does not stand in the file exactly once."""
        if problem := misplaced(edit, self._folder):
            raise ValueError(problem)
        path = self._folder / edit.file
        text = path.read_text()
        self._write(path, text.replace(edit.old, edit.new))
        try:
            yield
        finally:
            self._write(path, text)

    @staticmethod
    def _write(path: Path, text: str) -> None:
        """Also removes the bytecode: Python compares only the size and the second to know an old one."""
        path.write_text(text)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()

    def fails(self, test: str) -> str:
        """Runs one test. "" where it fails, as it should; else what happened."""
        arguments = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", test)
        code, last = self._pytest.run(*arguments, seconds=TEST_MAX_SECONDS)
        return "" if code == 1 and re.search(r"\b[1-9]\d* failed\b", last) else f"{test}: {last}"


@contextmanager
def copied_to(folder: Path) -> Iterator[Copy]:
    with warm_pytest(folder) as pytest:
        yield Copy(folder, pytest)


def not_found(copy: Copy, finding: Finding) -> str:
    """Plants the finding's bug and runs its test. "" where the test fails; else what happened instead."""
    if finding.edit is None:
        return ""
    try:
        with copy.planted(finding.edit):
            return copy.fails(finding.test)
    except ValueError as error:
        return str(error)


def main(ids: list[str]) -> int:
    """Returns the exit code."""
    chosen = [finding for finding in all_findings() if finding.edit and (not ids or finding.id in ids)]
    with tempfile.TemporaryDirectory() as folder, copied_to(Path(folder)) as copy:
        problems = 0
        for finding in chosen:
            problem = not_found(copy, finding)
            problems += bool(problem)
            print(f"{finding.id}: {problem or 'found'}", flush=True)  # noqa: T201  # a program
    return 1 if problems or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
