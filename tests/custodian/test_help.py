"""What a new user reads: the help of every command, with examples that work, and docs/key-custodian.md, which lists them."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from key_custodian.cli import COMMANDS
from lab.keys.private_keys import ec_key, pkcs8_pem
from lab.keys.random_keys import random_key

PAGE = Path(__file__).parents[2] / "docs" / "key-custodian.md"


def help_of(program, *names):
    done = program.run(*names, "--help")
    assert (done.code, done.err) == (0, "")
    return done.text


def test_the_page_lists_every_command_in_the_words_of_the_help(custodian):
    told = re.findall(r"^  ([a-z]+)  +(\S.*)$", help_of(custodian).partition("Commands:")[2], re.MULTILINE)
    rows = re.findall(r"^\| `([a-z]+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE)

    assert rows == told
    assert [name for name, _ in rows] == list(COMMANDS)


def test_the_page_has_a_section_for_every_command():
    headings = re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE)

    assert [one for one in headings if one in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_help_is_whole_and_has_examples(custodian_process, name):
    text = custodian_process.run(*filter(None, [name]), "--help").text

    assert f"  key-custodian {name or 'check'} " in text
    assert "..." not in text.partition("Commands:")[2].partition("From a key file")[0]
    assert "\b" not in text
    assert max(map(len, text.splitlines())) <= 120


def test_no_argument_shows_the_help_and_is_a_wrong_call(custodian):
    done = custodian.run()

    assert done.code == 2
    assert done.err.startswith("Usage: key-custodian [OPTIONS] COMMAND [ARGS]...\n")


def test_the_version_is_reported(custodian):
    done = custodian.run("--version")

    assert done.code == 0
    assert re.fullmatch(r"key-custodian( \d+\.\d+\.\d+|, not installed: run from its repository)\n", done.text)


def examples(program, name):
    """A command's examples that need no KMS, split into words like a shell does."""
    text = help_of(program, *filter(None, [name])).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.startswith("    key-custodian ")]
    return [shlex.split(line)[1:] for line in lines if "alias/" not in line and "|" not in line and " put " not in line]


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("name", ["", "check", "wrap", "generate", "split"])
def test_the_examples_work_as_they_stand(custodian, put_file, tmp_path, name):
    put_file("key.bin", random_key(32))
    put_file("key.txt", random_key(32).hex())
    put_file("signing.pem", pkcs8_pem(ec_key()))
    lines = examples(custodian, name)
    assert lines

    for arguments in lines:
        for made in ("wrapped.bin", "key.bin"):
            if made in arguments[arguments.index("--key-spec") :]:
                (tmp_path / made).unlink(missing_ok=True)
        if "--expected-check-value" in arguments:
            arguments[-1] = json.loads(custodian.run(*arguments[:-2], "--json").out)["check_values"][0]
        done = custodian.run(*arguments)
        for_a_screen = not {"--out", "--plaintext-out"} & {*arguments} and arguments[0] != "check"
        assert done.code == (1 if for_a_screen else 0), (arguments, done.err)
        assert not for_a_screen or "Use a terminal without pipes" in done.err


def commands_in(text):
    """Each command for a shell, on one line."""
    lines = text.replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if re.match(r"\s*(\$ )?(aws|(key-)?custodian) ", line)]


def test_the_symmetric_key_of_the_readme_is_named_only_where_a_symmetric_key_serves(custodian):
    """In the README alias/transport is symmetric, and alias/transport-rsa is the key with a public key."""
    texts = [PAGE.read_text(), *(help_of(custodian, name) for name in COMMANDS)]
    lines = [line for text in texts for line in commands_in(text)]
    named = [line for line in lines if re.search(r"alias/transport(?!-rsa)", line)]

    assert named
    assert [line for line in named if "--secret" not in line or "RSA" in line or "get-public-key" in line] == []


def test_a_public_key_that_aws_refuses_leaves_no_hash_of_nothing(tmp_path):
    """Somebody had taken the SHA-256 of an empty file for the public key's check value."""
    refusing = tmp_path / "aws"
    refusing.write_text("#!/bin/sh\necho refused >&2\nexit 254\n")
    refusing.chmod(0o755)
    line = next(line for line in commands_in(PAGE.read_text()) if "get-public-key" in line and "dgst" in line)

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
