"""Shell completion, as docs/key-custodian.md says: in a real bash at a terminal. It asks nobody, and opens no file."""

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time

import pytest

from key_custodian.cli import COMMANDS
from lab.program import REPOSITORY, Program

pytestmark = pytest.mark.slow

PAGE = REPOSITORY / "docs" / "key-custodian.md"
SHELLS = ("bash", "zsh", "fish")
LIMIT_SECONDS = 30
TAB, KILL_LINE = "\t", "\x15"


def lines_of_the_page():
    """The command that the page gives for each shell, behind the name of its file."""
    found = re.findall(r"^~/\S+ {2,}(.+=(\w+)_source key-custodian.*)$", PAGE.read_text(), re.MULTILINE)
    return {shell: line for line, shell in found}


@pytest.fixture
def installed(tmp_path):
    """The tool on PATH, in a user's folder with two files."""
    program = tmp_path / "bin" / "key-custodian"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m key_custodian "$@"\n')
    program.chmod(0o755)
    for name in ("secret-key.bin", "signing key.pem"):
        (tmp_path / name).write_bytes(b"\x01")
    return Program(tmp_path, {"PATH": f"{program.parent}:{os.environ['PATH']}", "PS1": "ready> "})


class Bash:
    """An interactive bash that has read the page's line."""

    def __init__(self, program):
        ours, its = pty.openpty()
        self._terminal = ours
        self.process = subprocess.Popen(
            ["/bin/bash", "--norc", "--noprofile", "-i"],
            stdin=its,
            stdout=its,
            stderr=its,
            cwd=program.folder,
            env=program._env() | {"TERM": "dumb", "INPUTRC": "/dev/null"},
            start_new_session=True,
        )
        os.close(its)
        self.types(f"{lines_of_the_page()['bash']}\n")
        self.types("echo do''ne\n", until="done\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)

    def types(self, text, until=""):
        """Returns what the terminal shows, up to a text."""
        os.write(self._terminal, text.encode())
        shown, end = "", time.monotonic() + LIMIT_SECONDS
        while until and until not in shown:
            ready, _, _ = select.select([self._terminal], [], [], 0.5)
            if ready:
                shown += os.read(self._terminal, 4096).decode()
            assert time.monotonic() < end, shown
        return shown

    def completes(self, line, to):
        self.types(f"{KILL_LINE}{line}{TAB}", until=to)


def test_a_person_at_a_bash_completes_commands_options_key_specs_and_files(installed):
    with Bash(installed) as bash:
        bash.completes("key-custodian verif", to="key-custodian verify ")
        bash.completes("key-custodian check --key-sp", to="--key-spec ")
        bash.completes("key-custodian check --key-spec hmac_25", to="HMAC_256 ")
        bash.completes("key-custodian check secr", to="secret-key.bin ")
        bash.completes("key-custodian wrap a --wrapping-key sign", to="signing\\ key.pem ")
        bash.completes("key-custodian put a --report secr", to="secret-key.bin ")


def completed(program, words, **environment):
    """What the tool answers to a shell's question."""
    asking = {
        "_KEY_CUSTODIAN_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    command = [sys.executable, "-X", "importtime", "-m", "key_custodian"]
    done = subprocess.run(
        command,
        cwd=program.folder,
        env=program._env() | asking | environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
    )
    loaded = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    return done.stdout.splitlines(), loaded


@pytest.mark.parametrize("command", COMMANDS)
def test_completing_loads_nothing_that_could_ask_aws(installed, command):
    answers, loaded = completed(installed, f"key-custodian {command} --re")

    assert answers == (["plain,--region"] if command == "inventory" else answers)
    assert loaded & {"boto3", "botocore", "urllib3"} == set()
    assert "key_custodian.options" in loaded  # so the command's own module was


def test_completing_opens_no_file_of_the_line(installed):
    """Each file is a pipe that nobody writes to: a program that opens it would wait without end."""
    for name in ("key", "transport", "report"):
        os.mkfifo(installed.folder / name)

    answers, _ = completed(installed, "key-custodian wrap key --wrapping-key transport --key-spec HMAC_256 --j")
    assert answers == ["plain,--json-key", "plain,--json"]
    answers, _ = completed(installed, "key-custodian put key --report report --version-id 1 --pl")
    assert answers == ["plain,--plaintext", "plain,--plan"]
    answers, _ = completed(installed, "key-custodian verify alias/a --report report --material key --o")
    assert answers == ["plain,--out"]


def test_completing_behind_the_version_prints_only_completions(installed):
    assert completed(installed, "key-custodian --version ver")[0] == ["plain,verify"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_line_of_the_page_names_the_variable_that_the_tool_reads(installed, shell):
    """The tool answers with a script for this shell, which asks the tool by the same variable."""
    variable = re.search(r"(_[A-Z_]+_COMPLETE)=", lines_of_the_page()[shell])[1]

    done = subprocess.run(
        [str(installed.folder / "bin" / "key-custodian")],
        env=installed._env() | {variable: f"{shell}_source"},
        cwd=installed.folder,
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"{variable}={shell}_complete" in done.stdout
