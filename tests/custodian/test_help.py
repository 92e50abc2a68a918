"""What a newcomer reads: the help of every command, with examples that work, and docs/key-custodian.md, which quotes it."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from custodian.cli import COMMANDS
from tests.support.private_keys import ec_key, pkcs8_pem
from tests.support.random_keys import random_key
from tools import commands

PAGE = Path(__file__).parents[2] / "docs" / "key-custodian.md"


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_page_quotes_the_help_as_it_is_printed(custodian_process, name):
    done = custodian_process.run(*filter(None, [name]), "--help")

    printed = "\n".join(line.rstrip() for line in done.text.splitlines())
    assert (done.code, done.err) == (0, "")
    assert f"<!-- help: {name}{' ' if name else ''}-->\n\n```text\n{printed}\n```\n" in PAGE.read_text()


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_help_is_whole_and_has_examples(custodian_process, name):
    text = custodian_process.run(*filter(None, [name]), "--help").text

    assert f"  custodian {name or 'check'} " in text
    assert "..." not in text.partition("Commands:")[2].partition("From a key file")[0]
    assert "\b" not in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_page_that_is_not_current_is_told_and_mended(tmp_path, monkeypatch, capsys):
    page = tmp_path / "key-custodian.md"
    page.write_text("<!-- help: check -->\nold\n<!-- end -->\n")
    monkeypatch.setattr(commands, "PAGE", page)

    assert commands.main(["--check"]) == 1

    assert (
        capsys.readouterr().err == "docs/key-custodian.md is not what `custodian --help` says: run `make reference`.\n"
    )
    assert commands.main([]) == 0
    assert commands.main(["--check"]) == 0


def test_no_argument_shows_the_help_and_is_a_wrong_call(custodian):
    done = custodian.run()

    assert done.code == 2
    assert done.err.startswith("Usage: custodian [OPTIONS] COMMAND [ARGS]...\n")


def test_the_version_is_told(custodian):
    done = custodian.run("--version")

    assert done.code == 0
    assert re.fullmatch(r"custodian( \d+\.\d+\.\d+|, not installed: run from its repository)\n", done.text)


def examples(name):
    """The lines of a command's examples that need no KMS, as the shell would split them."""
    text = commands.help_of(name).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.startswith("    custodian ")]
    return [shlex.split(line)[1:] for line in lines if "alias/" not in line and "|" not in line and " put " not in line]


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("name", ["", "check", "wrap", "generate"])
def test_the_examples_work_as_they_stand(custodian, put_file, tmp_path, name):
    put_file("key.bin", random_key(32))
    put_file("key.txt", random_key(32).hex())
    put_file("signing.pem", pkcs8_pem(ec_key()))
    lines = examples(name)
    assert lines

    for arguments in lines:
        for made in ("wrapped.bin", "key.bin"):
            if made in arguments[arguments.index("--key-spec") :]:
                (tmp_path / made).unlink(missing_ok=True)
        if "--expected-check-value" in arguments:
            arguments[-1] = json.loads(custodian.run(*arguments[:-2], "--json").out)["check_values"][0]
        done = custodian.run(*arguments)
        assert done.code == 0, (arguments, done.err)


def commands_of_the_page():
    """Each command of docs/key-custodian.md, its help texts included, on one line."""
    text = PAGE.read_text().replace("\\\n", " ")
    return [" ".join(line.split()) for line in text.splitlines() if re.match(r"\s*(\$ )?(aws|custodian) ", line)]


def test_the_symmetric_key_of_the_readme_is_named_only_where_a_symmetric_key_serves():
    """In the README alias/transport is symmetric, and alias/transport-rsa is the key whose public key is handed out."""
    named = [line for line in commands_of_the_page() if re.search(r"alias/transport(?!-rsa)", line)]

    assert named
    assert [line for line in named if "--secret" not in line or "RSA" in line or "get-public-key" in line] == []


def test_a_public_key_that_aws_refuses_leaves_no_hash_of_nothing(tmp_path):
    """The SHA-256 of an empty file was taken for the wrapping key's check value."""
    refusing = tmp_path / "aws"
    refusing.write_text("#!/bin/sh\necho refused >&2\nexit 254\n")
    refusing.chmod(0o755)
    line = next(line for line in commands_of_the_page() if "get-public-key" in line and "dgst" in line)

    done = subprocess.run(
        ["/bin/sh", "-c", line.removeprefix("$ ")],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (254, "", "refused\n")
    assert not (tmp_path / "transport.der").exists()
