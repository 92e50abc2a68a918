"""A release from the commit to its use: the same bytes twice, deployed with the AWS CLI only, installed by hash only.

What the two clones vary: folder, umask, times of the files, time zone, locale, hash seed, HOME and TMPDIR. The clock runs on
between them, and is not set: no module of tools/release asks it (the first test), and what setuptools and SAM write is either
given SOURCE_DATE_EPOCH or zipped anew.
"""

import ast
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from lab.keys.random_keys import random_key
from lab.local import places
from lab.local.session import LocalAws
from lab.pages.blocks import blocks
from lab.pages.command import commands_in
from lab.pages.reader import reading
from tests.support.released import Circumstances, commit, differences, release
from tools.release import template

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("release")]

REGION = "ap-southeast-2"  # only this test uses this Region: the application is deployed under its own name
README = places.REPOSITORY / "README.md"
TOOLS_WHEELS = places.REPOSITORY / ".wheels-tools"
BROKEN = """\
Resources:
  Material:
    Type: Custom::ImportedKeyMaterial
    Properties:
      ServiceToken: !ImportValue imported-key-material-ServiceToken
      KeyId: alias/orders
      SecretId: orders/key
      ValidForDay: 30
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return commit(tmp_path_factory.mktemp("committed") / "repository")


@pytest.fixture(scope="module")
def dist(repository, tmp_path_factory):
    """As most people make it."""
    folder = tmp_path_factory.mktemp("one")
    usual = Circumstances(
        umask=0o022,
        changed=int(datetime(2024, 2, 29, 12, tzinfo=UTC).timestamp()),
        environment=machine(folder, TZ="UTC", LC_ALL="C.UTF-8", PYTHONHASHSEED="0"),
    )
    return release(repository, folder / "clone", usual)


def machine(folder, **environment):
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    return {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), **environment}


# --------------------------------------------------------------------------------------------------------- the same bytes


def test_no_module_of_the_release_asks_the_clock():
    modules = sorted((places.REPOSITORY / "tools" / "release").glob("*.py"))
    asked = [
        f"{path.name}: {ast.unparse(node)}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today", "time", "localtime", "st_mtime"}
    ]

    assert len(modules) > 5
    assert asked == []


def test_another_clone_on_another_machine_makes_the_same_bytes(repository, dist, tmp_path):
    elsewhere = Circumstances(
        umask=0o077,
        changed=int(datetime(2001, 9, 9, 1, 46, 41, tzinfo=UTC).timestamp()),
        environment=machine(
            tmp_path, TZ="Pacific/Auckland", LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8", PYTHONHASHSEED="7"
        ),
    )

    other = release(repository, tmp_path / "another" / "deeper" / "folder", elsewhere)

    assert differences(dist, other) == []


def test_the_hashes_of_all_files_are_in_sha256sums(dist):
    listed = {line.split("  ")[1] for line in (dist / "SHA256SUMS").read_text().splitlines()}

    assert listed == {path.name for path in dist.iterdir()} - {"SHA256SUMS"}
    command = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    subprocess.run(command, cwd=dist, check=True)


def test_the_released_template_is_clean_for_cfn_lint(dist):
    cfn_lint = places.REPOSITORY / ".venv" / "bin" / "cfn-lint"
    done = subprocess.run(
        [cfn_lint, "imported-key-material.json"], cwd=dist, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


# ------------------------------------------------------------------------------------------------------------- installed


def install(folder, dist, name):
    """In an environment without any package, without a network and without the repository. Returns its programs' folder."""
    venv = folder / "venv"
    subprocess.run([places.base_python(), "-m", "venv", "--without-pip", venv], check=True)
    found = [f"--find-links={dist}", f"--find-links={TOOLS_WHEELS}"]
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--isolated", "--python", venv / "bin" / "python", "install", "--quiet"),
            *(
                "--no-index",
                *found,
                "--no-compile",
                "--require-hashes",
                "--requirement",
                dist / f"{name}-requirements.txt",
            ),
        ],
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(folder), "PIP_CONFIG_FILE": os.devnull},
        check=True,
    )
    return venv / "bin"


def test_the_tool_installs_from_its_wheel_by_hash_and_runs(dist, tmp_path):
    tool = install(tmp_path, dist, "key-custodian") / "key-custodian"
    (tmp_path / "key.bin").write_bytes(random_key(32))
    (tmp_path / "key.bin").chmod(0o600)

    version = subprocess.run([tool, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (wheel,) = dist.glob("key_custodian-*.whl")
    assert version == f"key-custodian {wheel.name.split('-')[1]}\n"
    subprocess.run([tool, "check", "key.bin", "--key-spec", "HMAC_256"], cwd=tmp_path, capture_output=True, check=True)


def test_the_lint_rules_install_from_their_wheel_by_hash_and_find_a_fault(dist, tmp_path):
    cfn_lint = install(tmp_path, dist, "cfn-lint-imported-key-material") / "cfn-lint"
    (tmp_path / "stack.yaml").write_text(BROKEN)

    done = subprocess.run(
        [cfn_lint, "stack.yaml", "--append-rules", "cfn_lint_imported_key_material", "--regions", "eu-central-1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "E9901 ValidForDay: There is no such property. Is it ValidForDays?" in done.stdout


def test_a_wheel_with_other_bytes_is_not_installed(dist, tmp_path):
    shutil.copytree(dist, tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").glob("key_custodian-*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"\0")

    with pytest.raises(subprocess.CalledProcessError):
        install(tmp_path, tmp_path / "dist", "key-custodian")


# -------------------------------------------------------------------------------------------------------------- deployed


def block(heading, page=README):
    """The commands of a page's section, without those of SAM."""
    (found,) = [one for one in blocks(page) if one.heading == heading]
    return "".join(line for line in found.text.splitlines(keepends=True) if not line.startswith("$ sam "))


FROM_A_RELEASE = block("## From a release", README.parent / "docs" / "deploying.md").replace("eu-central-1", REGION)
FIRST_KEY = block("## Your first key")


@pytest.fixture
def reader(aws, dist, tmp_path):
    """Somebody with the AWS CLI, in a folder that has only the release, and the examples of users' templates."""
    here = tmp_path / "downloaded"
    shutil.copytree(dist, here)
    shutil.copytree(places.REPOSITORY / "examples", here / "examples")
    (tmp_path / "shell").mkdir()
    with reading(tmp_path / "shell", LocalAws(aws.folder, REGION).settings, here) as typing:
        (tmp_path / "shell" / "bin" / "sam").unlink()
        yield typing


def types(reader, text):
    """The commands of a block, up to the first that fails. Returns the last exit code, and all that was printed."""
    printed = []
    for command in commands_in(text):
        code, said = reader.types(command.text)
        printed.append(said)
        if code != 0:
            break
    return code, "".join(printed)


def succeeds(reader, text):
    code, printed = types(reader, text)
    assert code == 0, printed
    return printed


def test_the_released_template_is_deployed_with_the_aws_cli_only(aws, dist, reader, tmp_path):
    succeeds(reader, f"{FROM_A_RELEASE.rstrip()} ResponseHost={aws.settings.response_host}")

    succeeds(reader, FIRST_KEY)
    a_wrong_secret_fails_with_its_reason(reader)
    the_next_release_takes_over(LocalAws(aws.folder, REGION), dist, reader, tmp_path / "downloaded")
    zips_of_the_same_names_under_a_prefix_take_over(LocalAws(aws.folder, REGION), reader)
    succeeds(reader, block("## Delete a stack"))


def a_wrong_secret_fails_with_its_reason(reader):
    code, printed = types(reader, FIRST_KEY.replace("orders-first", "orders-newline").replace("rand 32", "rand 33"))
    assert code != 0, printed
    assert "33 bytes" in succeeds(reader, block("## When a stack fails"))
    succeeds(reader, "$ STACK=orders-first")


def the_next_release_takes_over(there, dist, reader, downloaded):
    """All zips have other names, as if their content were another. The layer changes, and the key stays."""
    before = layers(there)
    source = places.REPOSITORY / "template.yaml"
    names = {logical_id: f"{logical_id}-next.zip" for logical_id in template.artifacts(source)}
    for logical_id, name in names.items():
        (old,) = dist.glob(f"{logical_id if logical_id.startswith('Dependencies') else 'Function'}-*.zip")
        shutil.copy(old, downloaded / name)
    (downloaded / "imported-key-material.json").write_bytes(template.written(template.plain(source, names)))
    *_, put, deploy = FROM_A_RELEASE.split("$ ")

    the_layer_changes_and_the_key_stays(there, reader, f"$ {put}$ {deploy}", before)


def zips_of_the_same_names_under_a_prefix_take_over(there, reader):
    """As signed ones do."""
    *_, put, deploy = FROM_A_RELEASE.split("$ ")
    signed = put.replace("--key $ZIP", "--key signed/$ZIP")
    assert signed != put

    the_layer_changes_and_the_key_stays(
        there, reader, f"$ {signed}$ {deploy.rstrip()} ArtifactKeyPrefix=signed/\n", layers(there)
    )


def the_layer_changes_and_the_key_stays(there, reader, commands, before):
    succeeds(reader, commands)

    assert (there_is := layers(there)) != before
    assert len(there_is) == 1
    *_, encrypt = FIRST_KEY.split("$ ")
    succeeds(reader, f"$ {encrypt}")


def layers(there):
    name = "imported-key-material-dependencies-x86_64"
    return [
        one["LayerVersionArn"] for one in there.client("lambda").list_layer_versions(LayerName=name)["LayerVersions"]
    ]
