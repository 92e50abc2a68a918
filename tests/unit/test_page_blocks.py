"""How the pages' commands are read and run. What they do is shown in tests/e2e/test_pages.py."""

import re

import pytest

from tests.support.ceremony.aws_parameters import Call, WrongCallError
from tests.support.local.__main__ import example
from tests.support.local.settings import Settings
from tests.support.pages.blocks import BadPageError, blocks, pattern
from tests.support.pages.reader import NotAsPrintedError, reading
from tests.unit.test_docs import DOCS, README

READ_IN_ORDER = [
    README,
    *(
        DOCS / f"{name}.md"
        for name in (
            "deploying",
            "secrets",
            "key-custodian",
            "rotation",
            "moving-keys",
            "permissions",
            "troubleshooting",
        )
    ),
]
PAGES = [README, *sorted(DOCS.glob("*.md"))]
SETTINGS = Settings("https://127.0.0.1:1", "127.0.0.1:1", "/dev/null", "/dev/null")
TWO_TAGS = [{"TagKey": "a"}, {"TagKey": "b"}]
PAGE = """
# A page

Text.

<!-- not run: there is no such service here -->

```console
$ aws kms describe-key --key-id "$KEY"
```

## Further down

1. In a list:

   ```console
   $ echo one \\
       two
   one two
   $ true
   ```

```yaml
Key: value
```
"""


def page(folder, text):
    path = folder / "page.md"
    path.write_text(text)
    return path


def only(folder, commands):
    """The one block of a page."""
    [block] = blocks(page(folder, f"```console\n{commands}\n```\n"))
    return block


# ---------------------------------------------------------------------------------------------------- how pages are read


def test_blocks_are_read_in_their_order_with_heading_and_mark(tmp_path):
    first, second = blocks(page(tmp_path, PAGE))

    assert (first.where, first.heading) == ("page.md:8", "# A page")
    assert (second.where, second.heading) == ("page.md:16", "## Further down")
    assert (first.not_run, second.not_run) == ("there is no such service here", "")
    assert [(command.text, command.prints) for command in second.commands] == [
        ("echo one \\\n    two", ("one two",)),
        ("true", ()),
    ]


@pytest.mark.parametrize("language", ["sh", "bash", "shell"])
def test_commands_that_would_never_be_run_are_refused(tmp_path, language):
    with pytest.raises(BadPageError, match=r"^page\.md:1: commands stand in console blocks, each after a \$$"):
        blocks(page(tmp_path, f"```{language}\necho\n```\n"))


def test_a_block_without_an_end_is_refused(tmp_path):
    with pytest.raises(BadPageError, match=r"^page\.md:1: the block has no end$"):
        blocks(page(tmp_path, "```console\n$ echo\n"))


@pytest.mark.parametrize(
    ("promised", "printed"),
    [
        ("10271674-1faf-4d00-89ba-9d28b80bc972", "5b1f0a3e-8a6f-4f0d-b0f3-1c2d3e4f5a6b"),
        ("Check value:  HMAC:1669DF97F1", "Check value: HMAC:0011223344"),
        ("MAC:  8C4A...", "MAC: 00112233"),
        ("arn:aws:kms:eu-central-1:111122223333:key/…", "arn:aws:kms:eu-north-1:444455556666:key/a"),
    ],
)
def test_what_differs_from_reader_to_reader_may_differ(tmp_path, promised, printed):
    [command] = only(tmp_path, f"$ true\n{promised}").commands

    assert command.missing(f"before\n{printed}\nafter\n", pattern) == []
    assert command.missing("something else\n", pattern) == [promised]


# ------------------------------------------------------------------------------------------- calls that can't be made here


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_call_of_aws_on_a_page_is_one_that_the_cli_takes(path, tmp_path):
    """Those that are run, too; and those that can't be run here are shown to be right by nothing else."""
    for name in re.findall(r"fileb?://([\w.-]+)", path.read_text()):
        (tmp_path / name).write_text("{}")

    for block in blocks(path):
        for call in block.calls_of_aws():
            call.validate(tmp_path)


NOT_RUN = {"README.md": 1, "deploying.md": 2, "key-custodian.md": 1, "permissions.md": 1, "troubleshooting.md": 1}


def test_what_is_not_run_is_counted_and_has_its_reason():
    """A new one is a decision. A mark that stands before no block is one that does nothing."""
    found = {path.name: [block.not_run for block in blocks(path) if block.not_run] for path in READ_IN_ORDER}

    assert {name: len(reasons) for name, reasons in found.items() if reasons} == NOT_RUN
    assert {path.name: path.read_text().count("<!-- not run") for path in READ_IN_ORDER} == {
        name: len(reasons) for name, reasons in found.items()
    }


def test_calls_are_found_behind_pipes_and_within_substitutions(tmp_path):
    block = only(
        tmp_path,
        """\
$ key=$(aws kms create-key --tags TagKey=a,TagValue=b) && aws kms create-alias --alias-name alias/a --target-key-id "$key"
$ aws kms get-public-key --key-id "$KEY" \\
    --query PublicKey | base64 --decode > aws.der""",
    )

    assert [call.name for call in block.calls_of_aws()] == [
        "aws kms create-key",
        "aws kms create-alias",
        "aws kms get-public-key",
    ]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("kmz describe-key", "aws kmz: there is no such service"),
        ("kms describe-keys", "aws kms describe-keys: there is no such operation"),
        ("kms", "aws kms: a service and an operation are missing"),
        ("kms describe-key --key k", "aws kms describe-key: there is no option --key"),
        ("kms describe-key --key-id", "aws kms describe-key --key-id: the value is missing"),
        ("kms describe-key", 'aws kms describe-key: Missing required parameter in input: "KeyId"'),
        ("kms encrypt --key-id k --plaintext -", "aws kms encrypt --plaintext: Only base64 data is allowed"),
        ("kms tag-resource --key-id k --tags a", "aws kms tag-resource --tags: "),
        (
            "kms tag-resource --key-id k --tags Key=a,Value=b",
            'aws kms tag-resource: Missing required parameter in Tags[0]: "TagKey"',
        ),
        (
            "logs filter-log-events --log-group-name g --limit many",
            "aws logs filter-log-events --limit: invalid literal for int() with base 10: 'many'",
        ),
        ("cloudformation deploy --stack-name s", "aws cloudformation deploy: without template-file"),
        ("cloudformation deploy --stack s", "aws cloudformation deploy: there is no option --stack"),
        (
            "cloudformation wait stack-gone",
            "aws cloudformation wait stack-gone: there is nothing of this name to wait for",
        ),
    ],
)
def test_a_call_that_the_cli_would_not_take_is_told(tmp_path, command, told):
    with pytest.raises(WrongCallError, match=f"^{re.escape(told)}"):
        Call.of(command.split()).validate(tmp_path)


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        ("kms encrypt --key-id k --plaintext MQ==", {"KeyId": "k", "Plaintext": b"1"}),
        ("kms encrypt --key-id k --plaintext fileb://f --query Q", {"KeyId": "k", "Plaintext": b"text"}),
        (
            "kms encrypt --key-id k --plaintext MQ== --encryption-context a=b/c,d=e",
            {"KeyId": "k", "Plaintext": b"1", "EncryptionContext": {"a": "b/c", "d": "e"}},
        ),
        ('kms tag-resource --tags [{"TagKey":"a","TagValue":"b"}]', {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ('kms tag-resource --tags {"TagKey":"a"} --region eu-west-1', {"Tags": [{"TagKey": "a"}]}),
        ("kms create-key --multi-region --tags TagKey=a TagKey=b", {"MultiRegion": True, "Tags": TWO_TAGS}),
        ("kms create-key --no-multi-region --policy file://f", {"MultiRegion": False, "Policy": "text"}),
        ("kms schedule-key-deletion --key-id k --pending-window-in-days 7", {"KeyId": "k", "PendingWindowInDays": 7}),
        ("lambda invoke --function-name f answer.json", {"FunctionName": "f"}),
        ("cloudformation wait stack-delete-complete --stack-name s", {"StackName": "s"}),
    ],
)  # fmt: skip
def test_values_are_taken_as_the_cli_takes_them(tmp_path, command, parameters):
    (tmp_path / "f").write_text("text")

    assert Call.of(command.split()).parameters(tmp_path) == parameters


# --------------------------------------------------------------------------------------------------- how commands are run


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
def test_a_command_that_fails_is_told(reader, tmp_path, command):
    with pytest.raises(NotAsPrintedError, match=re.escape(command)):
        reader.runs(only(tmp_path, f"$ {command}"))


def test_another_output_is_told(reader, tmp_path):
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


# ------------------------------------------------------------------------------------------------ what `make local` prints


def test_make_local_tries_names_that_no_page_uses():
    """Both are typed in one local account: what the one has made, the other finds taken."""
    names = set(re.findall(r"\b(?:alias/)?tryout[-/\w.]*", example(SETTINGS)))

    assert {"alias/tryout", "alias/tryout-transport", "tryout", "tryout/key", "tryout.bin"} <= names
    assert not set(re.findall(r"--(?:name|alias-name|stack-name) (\S+)", example(SETTINGS))) - names
    assert [path.name for path in PAGES if "tryout" in path.read_text()] == []
