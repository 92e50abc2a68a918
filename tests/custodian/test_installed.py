"""The tool as `pipx install .` installs it: a wheel from this repository, which runs without other files of it."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import click
import cryptography
import pytest

from lab.keys.openssl import openssl
from lab.keys.random_keys import random_key
from lab.local import places
from lab.program import REPOSITORY

pytestmark = pytest.mark.slow

BUILD = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "key_custodian", "handler")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel's content, in a folder. Built by the setuptools of SAM's environment, in a copy of the sources."""
    source, wheels = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for name in SOURCES:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPOSITORY / name, source / name)
    python = places.SAM_VENV / "bin" / "python"
    subprocess.run([python, "-c", BUILD, wheels], cwd=source, capture_output=True, check=True, timeout=120)
    (wheel,) = wheels.iterdir()
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def run(folder, installed, *arguments, block=()):
    """Runs only with the wheel's content and its dependencies, and without the modules that `block` names."""
    paths = [str(installed), str(Path(click.__file__).parents[1]), str(Path(cryptography.__file__).parents[1])]
    program = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({block})); sys.path[1:1] = {paths}; "
        "runpy.run_module('key_custodian', run_name='__main__')"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", "-c", program, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_an_installed_tool_is_a_program_named_custodian(installed):
    (points,) = installed.glob("*.dist-info/entry_points.txt")

    assert points.read_text() == "[console_scripts]\nkey-custodian = key_custodian.cli:main\n"


def test_an_installed_tool_shows_its_commands_and_its_version(installed, tmp_path):
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]

    assert run(tmp_path, installed, "--help").returncode == 0
    assert run(tmp_path, installed, "--version").stdout == f"key-custodian {version}\n"


def test_offline_work_needs_nothing_of_aws(installed, tmp_path):
    openssl("genrsa", "-out", "private.pem", "2048", cwd=tmp_path)
    openssl("rsa", "-in", "private.pem", "-pubout", "-out", "transport.pem", cwd=tmp_path)
    (tmp_path / "key.bin").write_bytes(random_key(32))
    (tmp_path / "key.bin").chmod(0o600)
    aws = ["boto3", "botocore", "crhelper", "aws_lambda_powertools", "fastjsonschema"]
    wrap = ("--key-spec", "HMAC_256", "--wrapping-key", "transport.pem", "--out")

    for command in (
        ("check", "key.bin", "--key-spec", "HMAC_256"),
        ("wrap", "key.bin", *wrap, "wrapped.bin"),
        ("generate", *wrap, "generated.bin"),
    ):
        done = run(tmp_path, installed, *command, block=aws)
        assert done.returncode == 0, done.stderr

    oaep = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")
    decrypt = ("pkeyutl", "-decrypt", "-inkey", "private.pem", "-in", "wrapped.bin", *oaep)
    assert openssl(*decrypt, cwd=tmp_path) == random_key(32)
