"""The repository stands alone: no trace of a machine, no address of a registry, no exemption without its reason."""

import re
import subprocess
import tokenize
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# Written in halves, so that this file does not find itself.
FORBIDDEN = {
    "somebody's home": rf"/{'root'}/|/{'home'}/[a-z]|/{'Users'}/[A-Z]|C:\\{'Users'}",
    "a path of one machine": rf"(?<![\w.])/{'work'}/|\.{'pyenv'}/versions|/{'tmp'}/[a-z]+/bin|/{'opt'}/(wheels|pypi)",
    "a registry's address": rf"{'pypi'}\.org|{'pythonhosted'}\.org|{'npmjs'}\.(com|org)|{'registry'}\.[a-z]+\.[a-z]{{2,}}",
    "a document that is not here": rf"{'DESIGN'}\.md|{'STYLE'}\.md|/{'work'}/shared|{'brief'}\.md",
    "a key of AWS's": rf"(?<![A-Z0-9])({'AKIA'}|{'ASIA'})(?!IOSFODNN7EXAMPLE)[A-Z0-9]{{16}}(?![A-Z0-9])",
}
ITS_ADDRESS = re.compile(r"git clone|git@[a-z]|<this repository>|://[^\s)\"'>]+/imported-key-material\b")
EXEMPTION = re.compile(r"#\s*(noqa|type:\s*ignore)", re.IGNORECASE)
WITH_REASON = re.compile(
    r"#\s*(noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|type:\s*ignore\[[a-z-]+(,\s*[a-z-]+)*\])\s+(#|-|—)?\s*\S.{4,}"
)


def files():
    """Every file that is, or could be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607  # the git on PATH
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [REPOSITORY / name for name in sorted(set(listed)) if name and (REPOSITORY / name).is_file()]


def text_of(path):
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""  # a test vector


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what):
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if re.search(FORBIDDEN[what], line)
    ]

    assert found == []


def test_the_address_of_the_repository_is_one_value_in_one_file():
    """A page with the address would be wrong today; after a move there would be two places to change."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["imported-key-material"]
    others = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"
        for path in files()
        if path not in {REPOSITORY / "pyproject.toml", Path(__file__)}
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if ITS_ADDRESS.search(line)
    ]

    assert re.fullmatch(r"(https://\S+)?", project["repository"])
    assert others == []


def comments(path):
    with path.open() as source:
        return [token for token in tokenize.generate_tokens(source.readline) if token.type == tokenize.COMMENT]


def test_every_exemption_has_its_reason_beside_it():
    bare = [
        f"{path.relative_to(REPOSITORY)}:{comment.start[0]}: {comment.string}"
        for path in files()
        if path.suffix == ".py"
        for comment in comments(path)
        if EXEMPTION.search(comment.string) and not WITH_REASON.search(comment.string)
    ]

    assert bare == []


def test_nothing_that_make_or_sam_built_is_committed():
    built = (
        ".venv",
        ".wheels",
        ".aws-sam",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
    )

    assert [
        str(path) for path in files() if any(part.startswith(built) for part in path.relative_to(REPOSITORY).parts)
    ] == []


def test_no_file_is_large():
    assert {
        str(path.relative_to(REPOSITORY)): size for path in files() if (size := path.stat().st_size) > 500_000
    } == {}


def declared_in(name):
    """The packages of a list, without comments and without names of other lists."""
    lines = (line.partition("#")[0].strip() for line in (REPOSITORY / "requirements" / name).read_text().splitlines())
    return {line for line in lines if line and not line.startswith("-")}


def test_the_list_of_the_installed_tool_is_what_its_wheel_declares():
    """Else `pip install --require-hashes` finds a package without a hash, or too old a one."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())

    assert declared_in("key-custodian.in") == set(project["project"]["dependencies"])
    assert declared_in("build.in") == set(project["build-system"]["requires"])
