"""The pages' commands: which of them no test runs, and that all are right. tests/e2e/test_pages.py runs them."""

import re
import shlex

import pytest
from pip._internal.commands import create_command  # starting pip for each line would take seconds

from lab.local.__main__ import example
from lab.local.settings import Settings
from lab.pages.blocks import READ_IN_ORDER, blocks
from tests.unit.test_docs import DOCS, EXAMPLES, INTERNALS, README, REPOSITORY

PAGES = [README, *sorted(DOCS.glob("*.md"))]
FURTHER_PAGES = [
    EXAMPLES / "renewal" / "README.md",
    DOCS.parent / "operations" / "queries" / "README.md",
    INTERNALS / "scale.md",
]
SETTINGS = Settings("https://127.0.0.1:1", "127.0.0.1:1", "/dev/null", "/dev/null")


@pytest.mark.parametrize("path", [*PAGES, *FURTHER_PAGES], ids=lambda path: str(path.relative_to(DOCS.parent)))
def test_every_call_of_aws_on_a_page_is_one_that_the_cli_takes(path, tmp_path):
    """For commands that can't run here, this is the only proof."""
    for name in re.findall(r"fileb?://([\w./-]+)", path.read_text()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")

    for block in blocks(path):
        for call in block.calls_of_aws():
            call.validate(tmp_path)


NOT_RUN = {"README.md": 1, "deploying.md": 7, "key-custodian.md": 3, "permissions.md": 1, "troubleshooting.md": 1}


def test_what_is_not_run_is_counted_and_has_its_reason():
    """Each new mark needs a decision. A mark without a block after it does nothing."""
    found = {path.name: [block.not_run for block in blocks(path) if block.not_run] for path in READ_IN_ORDER}

    assert {name: len(reasons) for name, reasons in found.items() if reasons} == NOT_RUN
    assert {path.name: path.read_text().count("<!-- not run") for path in READ_IN_ORDER} == {
        name: len(reasons) for name, reasons in found.items()
    }


def calls_of_pip(path):
    """The words of each call of pip on a page."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    found = (re.search(r"(?:\$|&&|`) *(?:\S*/)?(pipx?|uv) ([^`]+)", line) for line in lines)
    return [(call[1], shlex.split(call[2])) for call in found if call]


def test_pages_install_the_tool_by_hash():
    calls = calls_of_pip(DOCS / "key-custodian.md")

    assert [words[0] for _, words in calls] == ["install", "install", "install", "download"]
    for program, words in calls:
        by_hash = "--require-hashes" in words
        only_itself = {"--no-index", "--no-deps", "--no-build-isolation", "."} < {*words}
        assert (program, by_hash or only_itself) == ("pip", True), words
        lists = [words[at + 1] for at, word in enumerate(words) if word == "-r"]
        assert [name for name in lists if not (REPOSITORY / name).is_file()] in (
            [],
            ["key-custodian-requirements.txt"],  # of a release
        )


def test_pip_takes_every_option_that_a_page_gives_it(capsys):
    for path in PAGES:
        for _, (command, *words) in calls_of_pip(path):
            try:
                create_command(command).parse_args(words)
            except SystemExit:
                pytest.fail(f"{path.name}: {command} {words}: {capsys.readouterr().err}")


def test_make_local_tries_names_that_no_page_uses():
    """Both use one local account, so a name that make local has taken would fail on a page."""
    names = set(re.findall(r"\b(?:alias/)?tryout[-/\w.]*", example(SETTINGS)))

    assert {"alias/tryout", "alias/tryout-transport", "tryout", "tryout/key", "tryout.bin"} <= names
    assert not set(re.findall(r"--(?:name|alias-name|stack-name) (\S+)", example(SETTINGS))) - names
    assert [path.name for path in PAGES if "tryout" in path.read_text()] == []
