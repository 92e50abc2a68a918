"""The workflows and their scripts: nothing is released before its provenance exists, and the linters find what they should."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOWS = REPOSITORY / ".github" / "workflows"
CI = REPOSITORY / ".ci"
VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
PINNED = re.compile(r"- uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n")


def ran(command, folder, **environment):
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def linter(name):
    return Path(sys.executable).with_name(name)


# ------------------------------------------------------------------------------------------------ the linters of make check


def linted(name, folder):
    """What `make check-workflows` says about the files of another folder."""
    (line,) = re.findall(rf"^\t\.venv/bin/{name}(.*)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    done = ran(["/bin/bash", "-c", f'"$0"{line}', linter(name)], folder)
    return done.returncode, done.stdout + done.stderr


PLANTS = [
    ("zizmor", "ci.yml", r"@[0-9a-f]{40} # v[\d.]+", "@v7", "unpinned-uses"),
    ("zizmor", "ci.yml", "permissions: {}", "permissions: write-all", "excessive-permissions"),
    ("zizmor", "release.yml", r'"\$GITHUB_REF_NAME"', "${{ github.ref_name }}", "template-injection"),
    ("check-jsonschema", "release.yml", "timeout-minutes", "timeout-minuts", "timeout-minuts"),
    ("shellcheck", "publish", r'"\$file"', "$file", "SC2086"),
]


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(WORKFLOWS, tmp_path / ".github" / "workflows")
    shutil.copytree(CI, tmp_path / ".ci")
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    return tmp_path


@pytest.mark.parametrize("name", ["zizmor", "check-jsonschema", "shellcheck"])
def test_a_linter_of_make_check_passes_the_files_as_they_are(name, copied):
    code, said = linted(name, copied)

    assert code == 0, said


@pytest.mark.parametrize(("name", "file", "old", "new", "finding"), PLANTS, ids=[plant[4] for plant in PLANTS])
def test_a_linter_of_make_check_finds_a_planted_fault(name, file, old, new, finding, copied):
    (path,) = copied.rglob(file)
    planted, times = re.subn(old, lambda _: new, path.read_text())
    path.write_text(planted)

    code, said = linted(name, copied)

    assert times > 0
    assert code != 0
    assert finding in said


# ------------------------------------------------------------------------------------------------------- the workflows


def jobs(name):
    return yaml.safe_load((WORKFLOWS / name).read_text())["jobs"]


def test_every_action_is_pinned_at_a_commit_and_names_its_release():
    texts = [path.read_text() for path in sorted(WORKFLOWS.glob("*.yml"))]

    assert (
        [len(re.findall("- uses:", text)) for text in texts] == [len(PINNED.findall(text)) for text in texts] == [4, 6]
    )


def test_nobody_can_download_a_file_before_its_provenance_exists():
    """The job that builds attests before the files leave it; the job that publishes comes after it."""
    release = jobs("release.yml")
    steps = [step.get("run") or step["uses"].partition("@")[0] for step in release["build"]["steps"]]

    assert steps[2:] == [
        '.ci/check-tag "$GITHUB_REF_NAME"',
        "make release",
        "actions/attest",
        "actions/upload-artifact",
    ]
    assert (release["build"]["needs"], release["publish"]["needs"]) == ("gate", "build")
    assert release["publish"]["environment"] == "release"


def test_only_the_last_job_may_write_to_the_repository_and_only_the_building_one_may_sign():
    held = {
        (job, right)
        for name in ("ci.yml", "release.yml")
        for job, declared in jobs(name).items()
        for right, level in declared["permissions"].items()
        if level == "write"
    }

    assert held == {("publish", "contents"), ("build", "id-token"), ("build", "attestations")}


# --------------------------------------------------------------------------------------------------------- the scripts


def test_the_tag_of_the_version_passes():
    done = ran([CI / "check-tag", f"v{VERSION}"], REPOSITORY)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("tag", [VERSION, "v9.9.9", f"v{VERSION}-rc1"])
def test_another_tag_is_refused(tag):
    done = ran([CI / "check-tag", tag], REPOSITORY)

    assert done.returncode == 1
    assert done.stderr == (
        f"The tag is {tag}, and the version in pyproject.toml is {VERSION}: tag this commit v{VERSION}, or change the "
        "version.\n"
    )


GH = """\
#!/bin/bash
[ "$1" != api ] || echo "$TAGGED"
echo "$*" >> "$CALLS"
[ "$1" != attestation ] || [ "$3" != "$WITHOUT_PROVENANCE" ]
"""


@pytest.fixture
def publishing(tmp_path):
    """Runs .ci/publish over two files and their hashes, with another gh; returns its exit code, and gh's calls."""
    shutil.copytree(CI, tmp_path / ".ci")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "a.zip").write_bytes(b"a")
    (dist / "SHA256SUMS").write_text(f"{hashlib.sha256(b'a').hexdigest()}  a.zip\n")

    def run(without_provenance="", tagged="c0ffee"):
        calls = tmp_path / "calls"
        calls.touch()
        done = ran(
            [tmp_path / ".ci" / "publish", "v1.2.3"],
            tmp_path,
            PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            CALLS=str(calls),
            WITHOUT_PROVENANCE=without_provenance,
            TAGGED=tagged,
            GITHUB_SHA="c0ffee",
            GITHUB_REPOSITORY="owner/name",
            GITHUB_SERVER_URL="https://server",
            GITHUB_WORKFLOW_REF="owner/name/.github/workflows/release.yml@refs/tags/v1.2.3",
        )
        return done.returncode, calls.read_text().splitlines()

    return run


IDENTITY = (
    "--repo owner/name --deny-self-hosted-runners "
    "--cert-identity https://server/owner/name/.github/workflows/release.yml@refs/tags/v1.2.3"
)
VERIFIED = [f"attestation verify dist/{name} {IDENTITY}" for name in ("SHA256SUMS", "a.zip")]


def test_a_release_is_published_after_the_provenance_of_each_file_was_verified(publishing):
    assert publishing() == (
        0,
        [
            *VERIFIED,
            "api repos/owner/name/commits/v1.2.3 --jq .sha",
            "release create v1.2.3 dist/SHA256SUMS dist/a.zip --repo owner/name --verify-tag --title v1.2.3 "
            "--notes-file dist/RELEASE_NOTES.md",
        ],
    )


def test_nothing_is_published_if_the_tag_was_moved_since_the_build(publishing):
    code, calls = publishing(tagged="another")

    assert code == 1
    assert not [call for call in calls if call.startswith("release")]


def test_nothing_is_published_if_one_file_has_no_provenance(publishing):
    assert publishing(without_provenance="dist/a.zip") == (1, VERIFIED)


def test_nothing_is_published_if_a_file_is_not_the_one_that_was_built(publishing, tmp_path):
    (tmp_path / "dist" / "a.zip").write_bytes(b"b")

    assert publishing() == (1, [])
