"""The house's list of words: every comment, docstring, text and page says things in plain words.

A row of `WORDS` has a pattern, what to write instead, a bad example, and the uses that are right. What may stay although a
pattern finds it is in `EXCEPTIONS`, each with its reason. The words of the glossary in CONTRIBUTING.md are rows, too.
"""

import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PLACES = (
    "handler",
    "key_custodian",
    "lint",
    "lab",
    "tools",
    "layers",
    "docs",
    "template.yaml",
    "Makefile",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "examples",
    "tests",
)


@dataclass(frozen=True)
class Avoided:
    """A word to avoid, in any case. A space of `pattern` and `right` is any white space. `right`: uses that may stay."""

    pattern: str
    instead: str
    bad: str
    right: str = ""
    good: tuple[str, ...] = ()


BE = "(?:is|are|was|were|be|been|being)"
PEOPLE = "us|you|me|him|her|them|people|somebody|nobody|everybody|AWS|KMS|Lambda|CloudFormation|(?:the|a) \\w+"

WORDS = (
    # ------------------------------------------------------------------------------------------------- riddles and tics
    Avoided(
        r"alone",
        "only; or: by itself, without the others",
        "Delete acts on the ARN form alone.",
        right=r"(?:leave|leaves|left|let|lets) (?:[\w`'.]+ ){0,4}alone|(?:stand|stands|sit|sits|work|works) alone",
        good=("The root logger is left alone.", "It leaves the key's material alone.", "Each holder sits alone."),
    ),
    Avoided(
        r"one that",
        "name the thing: a key that, a status that",
        "One that was set so much earlier is the operation's before.",
        right=rf"(?:no|only|every|each|first|last) one that|(?:{BE}|not) (?:the |not )?one that",
        good=("The only one that is left.", "The key's spec is not one that this resource knows."),
    ),
    Avoided(
        r"that of",
        "repeat the noun: the status of, its status",
        "Of a rotated key: that of its first material to expire.",
        right=rf"(?:{BE}|not|exactly|than|with|like|as|from|to|above|below) that of",
        good=("The curve is that of the key spec.", "It has other rights than those of the role."),
    ),
    Avoided(
        r"the one\b[^.;:]{1,80}\bthe other",
        "name both things",
        "The one was answered before the other was sent.",
    ),
    Avoided(
        rf"{BE} (?:not |never |also |always |only )?told",
        "is reported, is logged; or: the error says",
        "A key that is not there is told after two minutes.",
        right=rf"{BE} (?:not )?told (?:to|how|otherwise)",
        good=("The function is told to stop.", "The holder is told how to go on."),
    ),
    Avoided(
        rf"tells? (?!(?:{PEOPLE})\b)\w+",
        "say, show, report; or: know",
        "Only an event tells which id the resource had.",
        right=r"tells? (?:[\w`'-]+ ){1,7}(?:from|apart)|tells? (?:apart|whoever|who)",
        good=("It tells the caller what to do.", "Nobody can tell a random key from another."),
    ),
    Avoided(r"bears?", "have, has; or: carry", "The resource does not bear that id any more."),
    Avoided(
        r"be it",
        "also; or: even; or: whether",
        "Whether it is JSON, be it with a field that is named twice.",
        right=r"(?:to|can|could|may|might|must|will|would|should|can't) be it",
        good=("This may be it.",),
    ),
    Avoided(
        rf"(?:{BE}|everything|anything|nothing|all|found) in order(?! (?:to|of)\b)",
        "valid, correct, passes",
        "What is in order passes the check.",
        good=("Nobody waits in order to import.", "The rows are in order of time."),
    ),
    Avoided(
        r"(?:come|comes|came) about", "happen; or: could not, and the call", "sts:GetCallerIdentity did not come about."
    ),
    Avoided(r"Mind:", "Warning: or Note:", "Mind: the secret has no tag."),
    Avoided(
        r"(?:bring|brings|brought|bringing) in",
        "import, imported",
        "What was brought in stays when the resource goes.",
    ),
    Avoided(
        r"(?:go|goes|going|went|gone) by",
        "use, follow, depend on; or: pass",
        "Lambda goes by the time of the event.",
    ),
    Avoided(
        r"(?-i:for ever)",  # a loud FOR EVER stands where the import is made
        "permanent, permanently; or: without end",
        "The first import is for ever.",
        good=("rule 4: FOR EVER",),
    ),
    Avoided(r"in vain", "without success; or: name the failure", "Each try in vain is one that somebody lacks."),
    Avoided(r"who(?:m|so)?ever", "anyone who, the person who, users who", "Whoever reads the secret has the key."),
    Avoided(
        r"what (?:(?!(?:and|or|but|then|than|how|whether) )[\w`'*-]+ ){1,8}what",
        "say with nouns who does what, in two sentences",
        "What it says of what it has seen is logged.",
        good=("It logs what was found and what was done.", "What was found, what was done."),
    ),
    Avoided(r"the next but one", "the second one after; or: the number", "The next but one invocation has it."),
    Avoided(
        rf"(?:which|that|who) {BE} meant(?! (?:to|for|as)\b)",
        "name it: the declared key, the key of KeyId",
        "The key which is meant must exist.",
        good=("A rule that is meant to hold.",),
    ),
    # ---------------------------------------------------------------------------------------------------- the glossary
    Avoided(r"(?:unwrap|unwrapping|opening) keys?", "transport key", "SecretWrapping.KeyId is the unwrap key."),
    Avoided(r"keys? (?:that|which) opens?", "transport key", "The function may use the key that opens it."),
    Avoided(
        r"wrapping keys?(?! specs?\b)",
        "wrapping public key (KMS's), or transport key (SecretWrapping.KeyId)",
        "The wrapping key is valid for 24 hours.",
        right=r"an? (?:\{\w+\}|RSA_\d+) wrapping key|wrapping keys? of \d+",
        good=("A wrapping key spec that is not known.", "An RSA_2048 wrapping key is too small."),
    ),
    Avoided(
        r"executions?(?! (?:environment|role|policy)s?\b)",
        "invocation: one run of the Lambda function",
        "Another execution of this request changed the key.",
        right=r"concurrent executions",
        good=("StackSets have an execution role.", "Lambda's quota is 1,000 concurrent executions."),
    ),
    Avoided(
        r"(?:hand|hands|handed|handing) (?:(?:it|this|them|that|(?:a|the) request|requests) )?on",
        "hand over: a fresh invocation continues the request",
        "The function hands the request on.",
        good=("It hands the request over.",),
    ),
    Avoided(
        r"(?<![\w./-])custodian (?:put|wrap|combine|verify|check|generate)|`custodian`|the custodian tool",
        "key-custodian: the command; a custodian is a person",
        "Then run custodian wrap --help.",
        good=("key-custodian wrap key.bin", "A custodian wraps it offline."),
    ),
    Avoided(
        r"(?:share|shares|fragment|fragments) of (?:a|the|one|this) (?:split )?key",
        "component: one part of a split key",
        "Each holder types a share of the key.",
        good=("Two teams share a key.", "Both Regions of a key share its material."),
    ),
)


@dataclass(frozen=True)
class MayStay:
    """`word` may stay in the file or folder `where`."""

    where: str
    word: str
    reason: str


EXCEPTIONS = (
    MayStay("key_custodian", "wrapping key", "the value of --wrapping-key: a transport key, or KMS's public key"),
    MayStay("CONTRIBUTING.md", "key that opens", "the glossary says what a transport key is"),
)


# --------------------------------------------------------------------------------------------------------- what is read

type Piece = tuple[int, str]  # the line's number, and its words
KINDS = ("comment", "docstring", "text")


def pieces_of_code(text: str, kinds: Collection[str] = KINDS) -> Iterator[list[Piece]]:
    """Comments, docstrings and texts. Neighbors of one kind, without code between them, belong together."""
    block: list[Piece] = []
    kind, before = "", tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in {tokenize.NL, tokenize.FSTRING_START, tokenize.FSTRING_END}:
            continue
        new = {tokenize.COMMENT: "comment", tokenize.STRING: "text", tokenize.FSTRING_MIDDLE: "text"}.get(
            token.type, ""
        )
        if new == "text" and before in {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}:
            new = "docstring"
        before = token.type if token.type != tokenize.COMMENT else before
        if new not in kinds:
            new = ""
        if new != kind or (new == "comment" and block and token.start[0] > block[-1][0] + 1):
            yield block
            block, kind = [], new
        for number, line in enumerate(token.string.splitlines(), start=token.start[0]):
            if not line.strip():  # a paragraph of a docstring ends
                yield block
                block = []
            elif new == "comment":
                block.append((number, line.lstrip("# ")))
            elif new:
                bare = re.sub(r"^\w{0,2}[\"']+(?=.)|[\"']+$", "", line) if token.type == tokenize.STRING else line
                block.append((number, bare.replace("\\n", "  ")))
    yield block


def pieces_of_test(text: str) -> Iterator[list[Piece]]:
    """Comments and docstrings. The texts of tests quote the program, and what it refuses."""
    return pieces_of_code(text, ("comment", "docstring"))


def pieces_of_page(text: str) -> Iterator[list[Piece]]:
    """Paragraphs; of YAML and of a Makefile too, whose comments may go on in the next line."""
    block: list[Piece] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip().lstrip("#> ")
        if words:
            block.append((number, words))
        else:
            yield block
            block = []
    yield block


def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern.replace(' ', r'\s+')})(?!\w)", re.IGNORECASE)


def faults(text: str, pieces: Callable[[str], Iterator[list[Piece]]]) -> Iterator[tuple[int, str, str]]:
    """The line's number, the word, and what to write."""
    for block in pieces(text):
        joined = " ".join(words for _, words in block)
        starts = list(accumulate((len(words) + 1 for _, words in block), initial=0))
        for avoided, right, instead in COMPILED:
            spared = [use.span() for use in right.finditer(joined)] if right else []
            for found in avoided.finditer(joined):
                if not any(begin <= found.start() < end for begin, end in spared):
                    yield block[bisect_right(starts, found.start()) - 1][0], " ".join(found[0].split()), instead


COMPILED = [(compiled(row.pattern), compiled(row.right) if row.right else None, row.instead) for row in WORDS]


def files(place: str) -> list[Path]:
    root = REPOSITORY / place
    found = [root] if root.is_file() else [path for path in root.rglob("*") if path.suffix in {".py", ".md"}]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def reader(path: Path) -> Callable[[str], Iterator[list[Piece]]]:
    if path.suffix != ".py":
        return pieces_of_page
    return pieces_of_test if path.is_relative_to(REPOSITORY / "tests") else pieces_of_code


def faults_in(place: str) -> list[str]:
    """Each fault of a folder or file as `file:line: the word: what to write`."""
    return [
        f"{name}:{number}: {word}: {instead}"
        for path in files(place)
        for name in [str(path.relative_to(REPOSITORY))]
        for number, word, instead in faults(path.read_text(), reader(path))
        if not any(Path(name).is_relative_to(one.where) and one.word == word.lower() for one in EXCEPTIONS)
    ]


# ----------------------------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("place", PLACES)
def test_every_sentence_has_plain_words(place):
    assert faults_in(place) == []


def found_in(text: str) -> list[str]:
    return [instead for _, _, instead in faults(text, pieces_of_page)]


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row.bad)
def test_a_pattern_finds_its_bad_example(row):
    assert row.instead in found_in(row.bad)


@pytest.mark.parametrize(("row", "good"), [(row, good) for row in WORDS for good in row.good], ids=str)
def test_a_pattern_lets_the_right_use_pass(row, good):
    assert row.instead not in found_in(good)


CODE = """
class Key:
    'A key is for ever.'

alone = one_that.told  # a name is no word of a text
raise Refused("The secret is", where,
              f"read in {seconds} seconds. "
              "The first import is for "
              "ever.")
# A comment that goes on in
# vain.
BOTH = ("in", "vain")
"""


def test_comments_and_texts_are_read_across_their_lines_and_code_is_not():
    found = [(line, word) for line, word, _ in faults(CODE, pieces_of_code)]

    assert found == [(3, "for ever"), (8, "for ever"), (10, "in vain")]


def test_of_a_test_only_comments_and_docstrings_are_read():
    found = [(line, word) for line, word, _ in faults(CODE, pieces_of_test)]

    assert found == [(3, "for ever"), (10, "in vain")]


def test_a_fault_names_file_line_word_and_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.REPOSITORY", tmp_path)
    (tmp_path / "page.md").write_text("# A page\n\nMost tries are\nin\nvain.\n")

    assert faults_in("page.md") == ["page.md:4: in vain: without success; or: name the failure"]


@pytest.mark.parametrize("one", EXCEPTIONS, ids=lambda one: f"{one.where}: {one.word}")
def test_an_exception_that_nothing_needs_goes(one, monkeypatch):
    monkeypatch.setattr(f"{__name__}.EXCEPTIONS", ())

    assert any(f": {one.word}: " in fault.lower() for fault in faults_in(one.where))
