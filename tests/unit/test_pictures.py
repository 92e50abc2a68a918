"""The pictures of docs/internals/ say what their sources say: the tests see an outdated picture without Graphviz."""

import html
import re
from collections import Counter

import pytest

from tests.unit.test_docs import INTERNALS

SOURCES = sorted(INTERNALS.glob("*.dot"))


def words_of_source(text):
    """Each line of each label."""
    labels = re.findall(r'\blabel="([^"]*)"', text)
    return Counter(line.strip() for label in labels for line in label.split(r"\n"))


def words_of_picture(text):
    return Counter(html.unescape(line).strip() for line in re.findall(r"<text [^>]*>([^<]*)</text>", text))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_picture_has_the_words_of_its_source(source):
    assert words_of_picture(source.with_suffix(".svg").read_text()) == words_of_source(source.read_text())


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_picture_has_the_arrows_of_its_source(source):
    drawn = re.findall(r"<title>(\w+)&#45;&gt;(\w+)</title>", source.with_suffix(".svg").read_text())

    assert sorted(drawn) == sorted(re.findall(r"^ *(\w+) -> (\w+)", source.read_text(), re.MULTILINE))


def test_there_are_two_and_the_design_shows_them():
    assert [source.stem for source in SOURCES] == ["architecture", "bytes"]
    for source in SOURCES:
        assert f"]({source.stem}.svg)" in (INTERNALS / "design.md").read_text()


def test_a_picture_that_was_not_drawn_anew_is_found():
    source = 'digraph g { a [label="one\\ntwo"]; }'

    assert words_of_source(source) == words_of_picture('<text x="1">one</text>\n<text x="1">two</text>')
    assert words_of_source(source) != words_of_picture('<text x="1">one</text>')
