"""What can't be released is refused, with all the reasons and what to do."""

import os
import subprocess

import pytest

from tools.release.source import NotReleasableError, Source

IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
NOON = {"GIT_AUTHOR_DATE": "2026-11-29T12:00:00Z", "GIT_COMMITTER_DATE": "2026-11-29T12:00:00Z"}
FILES = {
    "pyproject.toml": '[project]\nversion = "1.2.0"\n',
    "lint/pyproject.toml": '[project]\nversion = "1.2.0"\n',
    "template.yaml": "Mappings:\n  Application:\n    Version: {Number: 1.2.0}\n",
    "CHANGELOG.md": "# Changelog\n\nWords.\n\n## 1.2.0\n\n- New.\n- More.\n\n## 1.1.0\n\n- Old.\n",
    ".gitignore": "/ignored\n",
}


def git(folder, *arguments):
    command = ["git", *IDENTITY, *arguments]
    subprocess.run(command, cwd=folder, env=os.environ | NOON, capture_output=True, check=True)


@pytest.fixture
def clone(tmp_path):
    folder = tmp_path / "clone"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "change")


def refused(folder):
    with pytest.raises(NotReleasableError) as refusal:
        Source.of(folder)
    return str(refusal.value)


def test_a_commit_whose_files_agree_is_released_with_its_section_of_the_changelog(clone):
    source = Source.of(clone)

    assert (source.version, source.news) == ("1.2.0", "- New.\n- More.")
    assert source.committed.isoformat() == "2026-11-29T12:00:00+00:00"
    assert source.epoch == "1795953600"


@pytest.mark.parametrize("name", ["pyproject.toml", "lint/pyproject.toml", "template.yaml", "CHANGELOG.md"])
def test_a_file_with_another_version_is_named(clone, name):
    (clone / name).write_text(FILES[name].replace("1.2.0", "1.3.0"))
    commit(clone)

    said = refused(clone)

    assert said.startswith("The versions differ: pyproject.toml says 1.")
    assert f"{name} says 1.3.0" in said
    assert said.count("says 1.2.0") == 3
    assert said.endswith("Give all of them the version that you release.")


def test_a_changelog_without_a_version_is_named(clone):
    (clone / "CHANGELOG.md").write_text("# Changelog\n")
    commit(clone)

    assert "CHANGELOG.md says none" in refused(clone)


def test_changes_that_are_in_no_commit_are_named_and_what_git_ignores_is_not(clone):
    (clone / "ignored").write_text("x")
    Source.of(clone)

    (clone / "new").write_text("x")
    (clone / "pyproject.toml").write_text(FILES["pyproject.toml"] + "\n")

    assert refused(clone) == (
        "The work tree has changes that are in no commit: pyproject.toml, new. Commit or remove them."
    )


def test_many_changes_are_counted(clone):
    for number in range(7):
        (clone / f"new{number}").write_text("x")

    assert "no commit: new0, new1, new2, new3, new4 and 2 more." in refused(clone)


def test_all_reasons_come_at_once(clone):
    (clone / "pyproject.toml").write_text(FILES["pyproject.toml"].replace("1.2.0", "1.3.0"))

    said = refused(clone)

    assert "The versions differ" in said
    assert "in no commit" in said


def test_a_folder_that_is_no_clone_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert refused(tmp_path).startswith("A release is made from a commit of git: fatal: not a git repository")


def test_the_files_are_those_of_the_commit_with_the_same_modes_and_times_everywhere(clone, tmp_path):
    (clone / "ignored").write_text("x")
    git(clone, "config", "tar.umask", "0077")
    old_mask = os.umask(0o077)
    try:
        Source.of(clone).export(tmp_path / "exported")
    finally:
        os.umask(old_mask)

    exported = [path for path in (tmp_path / "exported").rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path / "exported").as_posix() for path in exported} == set(FILES)
    assert {(path.stat().st_mode & 0o777, path.stat().st_mtime) for path in exported} == {(0o644, 1795953600)}
