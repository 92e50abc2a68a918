"""How the pages' commands are run. What they do is shown in tests/e2e/test_pages.py."""

import re

import pytest

from lab.local.settings import Settings
from lab.pages.reader import NotAsPrintedError, reading
from tests.lab.pages.test_blocks import only

SETTINGS = Settings("https://127.0.0.1:1", "127.0.0.1:1", "/dev/null", "/dev/null")


@pytest.fixture
def reader(tmp_path):
    (tmp_path / "shell").mkdir()
    (tmp_path / "clone").mkdir()
    with reading(tmp_path / "shell", SETTINGS, tmp_path / "clone") as reader:
        yield reader


def test_variables_and_the_folder_stay_from_block_to_block(reader, tmp_path):
    reader.runs(only(tmp_path, "$ stack=orders\n$ mkdir below && cd below"))

    reader.runs(only(tmp_path, '$ echo "$stack" in "$(basename "$PWD")"\norders in below'))


@pytest.mark.parametrize("command", ["false", "false | true", 'echo "$nobody_set_this"', "exit 0"])
def test_a_command_that_fails_is_reported(reader, tmp_path, command):
    with pytest.raises(NotAsPrintedError, match=re.escape(command)):
        reader.runs(only(tmp_path, f"$ {command}"))


def test_another_output_is_reported(reader, tmp_path):
    with pytest.raises(NotAsPrintedError, match=r"^page\.md:1: not printed: two\n\$ echo one\none\n"):
        reader.runs(only(tmp_path, "$ echo one\ntwo"))


def test_nobody_answers_questions(reader, tmp_path):
    with pytest.raises(NotAsPrintedError, match=r"^page\.md:1: exit code 1 of"):
        reader.runs(only(tmp_path, "$ read -r answer"))


def test_a_reader_has_the_local_aws_and_nothing_of_this_machine_s(reader, monkeypatch):
    code, printed = reader.types("env")

    names = dict(line.split("=", 1) for line in printed.splitlines())
    assert code == 0
    assert {name: names[name] for name in SETTINGS.environment()} == SETTINGS.environment()
    assert names.keys() - SETTINGS.environment() <= {"PATH", "HOME", "TERM", "SCRIPTS", "PWD", "OLDPWD", "SHLVL", "_"}
