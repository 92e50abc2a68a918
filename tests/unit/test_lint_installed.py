"""The lint rules as users install them, without a network: from the wheel, through .cfnlintrc, and as a pre-commit hook."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.support.linted import GOOD, KEY

REPOSITORY: Final = Path(__file__).resolve().parents[2]
WHEELS: Final = REPOSITORY / ".wheels-tools"
MODULE: Final = "cfn_lint_imported_key_material"
PAGE: Final = (REPOSITORY / "docs" / "deploying.md").read_text()
YAML_BLOCKS: Final = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
# What pip needs to build the root's distribution and the rules.
BUILT_FROM: Final = (
    *("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "key_custodian", "lint"),
    "handler/imported_key_material",
)
MISTAKE: Final = "E9901 ValidForDay: There is no such property. Is it ValidForDays?"
IN_IRELAND: Final = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/master-key"

# The fixtures are the session's: tests/conftest.py puts tests of other modules between these.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("lint rules installed")]


class Done(NamedTuple):
    code: int
    shown: str


def run(*command: object, cwd: Path, env: Mapping[str, str]) -> Done:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout)


def succeed(*command: object, cwd: Path, env: Mapping[str, str]) -> str:
    done = run(*command, cwd=cwd, env=env)
    assert done.code == 0, done.shown
    return done.shown


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which pip, git and pre-commit know nothing but the downloaded wheels, and leave nothing behind."""
    home = tmp_path_factory.mktemp("home")
    assert (WHEELS / ".complete").exists(), "make install downloads the wheels"
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "HOME": str(home),
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        "VIRTUALENV_OVERRIDE_APP_DATA": str(home / "virtualenv"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_CACHE_DIR": str(home / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(WHEELS),
        "PIP_NO_COMPILE": "no",  # means do not compile (pip, "Configuration"): most of what is installed is never run
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "nobody@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory, offline: dict[str, str]) -> Path:
    """A user's folder with a clone of the repository in it, at the release that the page names."""
    clone = tmp_path_factory.mktemp("user") / "imported-key-material"
    for name in BUILT_FROM:
        source, target = REPOSITORY / name, clone / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            shutil.copy2(source, target)
        else:  # links stay links, as in a clone
            built = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
            shutil.copytree(source, target, symlinks=True, ignore=built)
    (revision,) = re.findall(r"rev: (\S+)", PAGE)
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "Release"), ("tag", revision)):
        succeed("git", *arguments, cwd=clone, env=offline)
    return clone


@pytest.fixture(scope="session")
def wheel(clone: Path, offline: dict[str, str]) -> Path:
    folder = clone.parent / "wheels"
    succeed(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        folder,
        clone / "lint",
        cwd=clone.parent,
        env=offline,
    )
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture(scope="session")
def installed(wheel: Path, offline: dict[str, str]) -> Path:
    """The programs of an environment that was empty: the wheel in it, and what the locked list names, all by hash."""
    folder = wheel.parent.parent
    name, version = wheel.name.split("-")[:2]
    listed = (REPOSITORY / "requirements" / "lint.txt").read_text()
    sum_ = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "lint.txt").write_text(f"{listed}\n{name.replace('_', '-')}=={version} --hash=sha256:{sum_}\n")
    succeed(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder, env=offline)
    programs = folder / "venv" / "bin"
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "-q", "--find-links", wheel.parent)
    succeed(*pip, "--require-hashes", "-r", folder / "lint.txt", cwd=folder, env=offline)
    return programs


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with a template that has two mistakes."""
    resource = GOOD.replace("orders/master-key", IN_IRELAND)
    (tmp_path / "template.yaml").write_text(f"Resources:\n{KEY}{resource}      ValidForDay: 30\n")
    return tmp_path


def test_the_wheel_holds_the_rules_the_licence_and_exactly_the_schema_of_the_function(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        held = {name: packed.read(name) for name in packed.namelist() if name.startswith(f"{MODULE}/")}
        (licence,) = [packed.read(name) for name in packed.namelist() if name.endswith("/licenses/LICENSE")]
    modules = {f"{MODULE}/{path.name}" for path in (REPOSITORY / "lint" / MODULE).glob("*.py")}

    assert held.keys() == modules | {f"{MODULE}/schema.json"}
    assert (
        held[f"{MODULE}/schema.json"] == (REPOSITORY / "handler" / "imported_key_material" / "schema.json").read_bytes()
    )
    assert licence == (REPOSITORY / "LICENSE").read_bytes()


def test_the_command_of_the_page_prints_what_the_page_says(
    installed: Path, work: Path, offline: dict[str, str]
) -> None:
    section = PAGE[PAGE.index("## Check templates with cfn-lint") :]
    (command,) = re.findall(r"^\$ (cfn-lint .*)$", section, re.MULTILINE)

    program, *arguments = command.split()
    done = run(installed / program, *arguments, cwd=work, env=offline)

    assert done.shown.splitlines()[0] == MISTAKE
    assert f"\n{MISTAKE}\n" in section
    assert done.code == 2


def test_the_settings_of_the_page_are_enough(installed: Path, work: Path, offline: dict[str, str]) -> None:
    (settings,) = [block for block in YAML_BLOCKS if "append_rules" in block]
    (work / ".cfnlintrc").write_text(settings)

    done = run(installed / "cfn-lint", "template.yaml", cwd=work, env=offline)

    assert [line[:5] for line in done.shown.splitlines() if line[1:3] == "99"] == ["E9908", "E9901"]
    assert "(eu-west-1), and the function reads secrets only in its own (eu-central-1)." in done.shown
    assert done.code == 2


def test_pre_commit_installs_the_hook_from_the_clone_and_stops_the_commit(clone: Path, offline: dict[str, str]) -> None:
    (hook,) = [block for block in YAML_BLOCKS if "repos:" in block]
    folder = clone.parent
    (folder / ".pre-commit-config.yaml").write_text(hook)
    (folder / ".gitignore").write_text("*\n!template.yaml\n!other.yaml\n!.pre-commit-config.yaml\n")
    (folder / "template.yaml").write_text(f"Resources:\n{KEY}{GOOD}      ValidForDay: 30\n")
    (folder / "other.yaml").write_text("no: template\n")
    succeed("git", "init", "-q", cwd=folder, env=offline)
    succeed("git", "add", ".", cwd=folder, env=offline)
    succeed("pre-commit", "install", cwd=folder, env=offline)

    done = run("git", "commit", "-m", "Add a key", cwd=folder, env=offline)

    assert MISTAKE in done.shown
    assert "E1001" not in done.shown  # nobody gave it the other file
    assert done.code == 1
    assert run("git", "rev-parse", "HEAD", cwd=folder, env=offline).code != 0  # there is no commit
