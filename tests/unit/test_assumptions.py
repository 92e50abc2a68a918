"""What is assumed of AWS: the generated page and the README's line are current, and each "not seen" of the docs is a row."""

import re
from dataclasses import replace

import pytest

from lab.live import assumptions as rows_of
from lab.live.acts import ACTS
from lab.live.records import Record, Recorded
from lab.live.verdicts import Verdict
from tests.unit.test_docs import DOCS, INTERNALS, README, section
from tools import assumptions

ROWS = rows_of.read()
TWO = dict(list(ROWS.items())[:2])
FIRST, SECOND = TWO
PAGES = sorted({README, *DOCS.rglob("*.md")} - {INTERNALS / "findings.md", INTERNALS / "assumptions.md"})
NAMED = re.compile(r"\(assumptions?: ((?:`[a-z0-9-]+`(?:, | and )?)+)\)")
NOT_SEEN = re.compile(
    r"not (?:been )?(?:seen|run|tried)[\w ]* on AWS|of this was run on AWS|was not seen", re.IGNORECASE
)


def aws(region, date, **verdicts):
    found = tuple(Recorded(name.replace("_", "-"), verdict, "x") for name, verdict in verdicts.items())
    return Record("live-record.json", "aws", region, date, found)


def seen(verdict, assumption=FIRST, date="2027-01-03", region="eu-central-1"):
    return Record("live-record.json", "aws", region, date, (Recorded(assumption, verdict, "x"),))


# ----------------------------------------------------------------------------------------------------------- the rows


def test_each_row_is_settled_by_its_act_and_each_act_settles_rows():
    settled = {(one, act.name) for act in ACTS for one in act.settles}

    assert settled == {(row.id, row.act) for row in ROWS.values()}


def test_no_two_acts_have_one_name():
    assert len({act.name for act in ACTS}) == len(ACTS)


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.id)
def test_a_row_is_whole_sentences(row):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.id)
    assert all(text.strip() == text and text[-1] in ".:" for text in (row.assumed, row.depends, row.if_wrong))


# ------------------------------------------------------------------------------------------------- the docs name rows


def texts(page):
    """Paragraphs, items of lists and rows of tables, each on one line."""
    pieces = re.split(r"\n\n|\n(?=- )|\n(?=\| )|\n(?=#)", page.read_text())
    return [" ".join(piece.split()) for piece in pieces]


def named_in(text):
    return [id_ for found in NAMED.findall(text) for id_ in re.findall(r"`([a-z0-9-]+)`", found)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_assumption_that_a_page_names_is_a_row(page):
    assert [id_ for text in texts(page) for id_ in named_in(text) if id_ not in ROWS] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_says_was_not_seen_on_aws_names_its_row(page):
    of_this = [text for text in texts(page) if NOT_SEEN.search(text) and not text.startswith("#")]

    assert [text for text in of_this if not named_in(text) and "(#not-seen-on-aws)" not in text] == []


def test_each_point_of_the_section_not_seen_on_aws_names_its_rows():
    points = re.split(r"\n(?=- )", section(INTERNALS / "design.md", "## Not seen on AWS"))[1:]

    assert len(points) >= 5
    assert [point for point in points if not named_in(" ".join(point.split()))] == []


def test_each_assumed_figure_of_the_simulated_crowd_names_its_row():
    lines = [line for line in section(INTERNALS / "scale.md", "## What is assumed").splitlines() if "assumed" in line]

    table = [line for line in lines if line.startswith("| ")]
    assert len(table) >= 5
    assert [line for line in table if not named_in(line)] == []


def test_each_assumption_of_the_simulation_names_its_row():
    text = (INTERNALS / "simulation.md").read_text().partition("Where AWS says nothing, these are assumptions:")[2]
    points = re.split(r"\n(?=- )", text.partition("\n\n#")[0].strip())

    assert len(points) == 4
    assert [point for point in points if not named_in(" ".join(point.split()))] == []


def test_the_contract_of_kms_names_the_row_of_its_choices():
    head = (INTERNALS / "kms-contract.md").read_text().partition("\n## ")[0]

    assert named_in(" ".join(head.split())) == ["kms-choices"]


# ----------------------------------------------------------------------------------------------- the page, and the line


def test_the_page_and_the_readme_are_current():
    assert assumptions.main(["--check"]) == 0


def test_what_is_not_current_is_reported_and_left_alone(tmp_path, monkeypatch, capsys):
    page, readme = tmp_path / "assumptions.md", tmp_path / "README.md"
    page.write_text("old")
    readme.write_text(f"a\n{assumptions.BEGIN}old\n{assumptions.END}b\n")
    monkeypatch.setattr(assumptions, "PAGE", page)
    monkeypatch.setattr(assumptions, "README", readme)

    assert assumptions.main(["--check"]) == 1

    says = "is not what lab/live/assumptions.toml and tests/records/ says: run `make reference`.\n"
    assert capsys.readouterr().err == f"docs/internals/assumptions.md {says}README.md {says}"
    assert page.read_text() == "old"
    assert assumptions.main([]) == 0
    assert assumptions.main(["--check"]) == 0
    assert readme.read_text().startswith("a\n<!--")
    assert readme.read_text().endswith("b\n")


@pytest.mark.parametrize(
    "text", ["no marks", assumptions.BEGIN, assumptions.END, (assumptions.BEGIN + assumptions.END) * 2]
)
def test_a_readme_without_its_two_marks_is_an_error(text):
    with pytest.raises(ValueError, match="once"):
        assumptions.readme(text, TWO, [])


def test_without_a_record_nothing_is_seen():
    assert assumptions.status(TWO, []) == "Seen on AWS: not yet."


@pytest.mark.parametrize("label", ["local", "recorded"])
def test_only_a_record_of_aws_counts_as_seen(label):
    assert assumptions.status(TWO, [replace(seen(Verdict.AS_ASSUMED), label=label)]) == "Seen on AWS: not yet."


def test_what_was_not_seen_is_not_seen():
    assert assumptions.status(TWO, [seen(Verdict.NOT_SEEN)]) == "Seen on AWS: not yet."


def test_of_each_assumption_the_newest_record_counts():
    found = [
        seen(Verdict.OTHERWISE),
        seen(Verdict.AS_ASSUMED, date="2027-02-01", region="us-east-1"),
        seen(Verdict.OTHERWISE, SECOND),
    ]

    assert assumptions.status(TWO, found) == (
        "Seen on AWS, last on 2027-02-01 in us-east-1: of 2 assumptions 1 as assumed, 1 otherwise, 0 not seen."
    )


def test_the_page_shows_where_and_when_each_row_was_seen_the_newest_first():
    known = {FIRST: replace(TWO[FIRST], otherwise="It asks twice.", unproved="no stand-in lags"), SECOND: TWO[SECOND]}
    found = [seen(Verdict.OTHERWISE), seen(Verdict.AS_ASSUMED, date="2027-02-01", region="us-east-1")]

    first, second = assumptions.page(known, found).splitlines()[-2:]

    assert first.startswith(f"| `{FIRST}` | {known[FIRST].assumed} |")
    assert "; unproved: no stand-in lags | " in first
    shown = "as assumed, us-east-1, 2027-02-01; otherwise, eu-central-1, 2027-01-03. Known: It asks twice."
    assert first.endswith(f" | {shown} |")
    assert second.endswith(" | not yet |")


def test_the_line_is_on_the_first_screen_of_the_readme():
    text = README.read_text()

    assert text.index(assumptions.BEGIN) < 1500
    assert "[make live](docs/live.md)" in text
