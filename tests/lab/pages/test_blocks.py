"""How the pages' commands are read."""

import pytest

from lab.pages.blocks import BadPageError, blocks, pattern

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
