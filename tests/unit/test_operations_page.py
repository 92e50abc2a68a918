"""docs/operations.md agrees with the template, with AWS's models, and with its own arithmetic. tests/e2e runs its commands.

So do the files that it names: operations/ and examples/renewal/.
"""

import json
import re

import pytest
from botocore.session import get_session

from imported_key_material.watch.findings import Kind
from lab.application import source
from lab.local.places import REPOSITORY
from lab.pages.blocks import DOCS, blocks
from tests.unit.test_docs import anchors, section

PAGE = DOCS / "operations.md"
SCALE = DOCS / "internals" / "scale.md"
OPERATIONS = REPOSITORY / "operations"
RENEWAL = REPOSITORY / "examples" / "renewal"
FIRST_HEADING = "## What each finding means"
KINDS = {str(kind) for kind in Kind}
NOT_RUN = {
    "The function is down": 1,
    "The log beyond the stack": 1,
}


def ours():
    return PAGE.read_text().partition(f"{FIRST_HEADING}\n")[2]


def test_what_is_not_run_is_counted_and_has_its_reason():
    """Each new mark needs a decision. test_page_commands.py compares these commands with botocore's models."""
    found = [block.heading.lstrip("# ") for block in blocks(PAGE) if block.not_run]

    counted = {heading: found.count(heading) for heading in dict.fromkeys(found)}
    assert {heading: number for heading, number in counted.items() if heading in NOT_RUN} == NOT_RUN
    assert ours().count("<!-- not run") == sum(NOT_RUN.values())


def test_each_kind_of_finding_has_a_section():
    assert set(re.findall(r"^### (\w+)$", section(PAGE, FIRST_HEADING), re.MULTILINE)) == KINDS


def rows():
    """What a month costs: each row's words and its dollars; the last row is the sum."""
    table = re.findall(r"^\| (.+) \| ([\d.*]+) \|$", section(PAGE, "## What a month costs"), re.MULTILINE)
    return [(what, float(dollars.strip("*"))) for what, dollars in table]


def test_what_a_month_costs_adds_up_and_is_below_one_dollar():
    *items, (what, total) = rows()

    assert what.startswith("**sum**")
    assert total == pytest.approx(sum(dollars for _, dollars in items))
    assert total < 1


def number(pattern, text):
    return float(re.search(pattern, text)[1].replace(",", ""))


PER = {"metrics": 730, "KMS": 10_000, "Lambda": 1, "log": 1, "e-mail": 100_000}


@pytest.mark.parametrize(("what", "dollars"), rows()[:-1])
def test_each_row_is_its_price_times_its_amount(what, dollars):
    text, amount = what.split(" | ")
    price = number(r", ([\d.]+) for", text) if ", " in text else number(r"of the watch, ([\d.]+) for", rows()[0][0])
    many = number(r"^([\d.,]+)", amount)
    hours = number(r"in (\d+) hour", amount) if "hour" in amount else 1
    (per,) = [one for name, one in PER.items() if text.startswith(name)]

    assert dollars == pytest.approx(price * many * hours / per, abs=0.0051)


def test_the_page_counts_the_alarms():
    alarms = [one for one in source()["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]

    assert len(alarms) == 10
    assert "Ten alarms cost 1.00, 0.10 each" in section(PAGE, "## What a month costs")


def test_the_watch_runs_as_often_as_the_page_counts_it():
    """60 hours of metrics a month, 20 keys with 3.2 reads each."""
    schedule = source()["Resources"]["WatchFunction"]["Properties"]["Events"]["Schedule"]["Properties"]["Schedule"]
    runs = 30 * len(re.match(r"cron\(0 (\S+) ", schedule)[1].split(","))
    requests = number(r"KMS, .* \| ([\d,]+)$", rows()[1][0])

    assert f"10 in {runs} hours" in rows()[0][0]
    assert runs * 20 * 3.2 + 20 * 20 <= requests


def sql():
    return [(OPERATIONS / "queries" / name).read_text() for name in ("changes.sql", "decrypts.sql")]


def test_every_file_for_operators_is_named_on_a_page_and_is_there():
    named = {name for page in (PAGE, SCALE) for name in re.findall(r"`(operations/[\w./-]+\.\w+)`", page.read_text())}
    named |= set(re.findall(r"file://(operations/[\w./-]+)", SCALE.read_text()))
    queries = OPERATIONS / "queries" / "README.md"
    named |= {f"operations/queries/{name}" for name in re.findall(r"\]\(([\w.]+)\)", queries.read_text())}
    assert "(../operations/queries/README.md)" in PAGE.read_text()

    assert named | {str(queries.relative_to(REPOSITORY))} == {
        str(path.relative_to(REPOSITORY)) for path in OPERATIONS.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("path", sorted(OPERATIONS.glob("*.json")), ids=lambda path: path.name)
def test_a_policy_lets_only_one_account_or_the_organization_do_what_aws_has(path):
    policy = json.loads(path.read_text())

    assert policy["Version"] == "2012-10-17"
    for statement in policy["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for service, _, operation in (action.partition(":") for action in actions):
            assert operation in get_session().get_service_model(service).operation_names
        assert statement["Effect"] == "Allow"
        assert set(statement["Condition"]["StringEquals"]) <= {
            "aws:SourceAccount",
            "aws:SourceOrgID",
            "aws:PrincipalOrgID",
        }


def test_the_queries_ask_for_calls_that_kms_has():
    """DeleteExpiredKeyMaterial is an event that KMS itself makes."""
    named = {name for query in sql() for names in re.findall(r"IN \(([^)]+)\)", query) for name in names.split(", ")}

    operations = set(get_session().get_service_model("kms").operation_names)
    assert {name.strip("'") for name in named} - operations == {"DeleteExpiredKeyMaterial"}


def test_the_query_for_other_users_of_the_transport_key_loses_no_caller():
    """In SQL a missing name is not different from the role: it would leave the row out."""
    _, others = sql()

    assert re.search(r"coalesce\([^)]+, ''\)\s+<> 'arn:aws:iam::\d+:role/", others)


def test_the_page_knows_the_trap_of_a_trail_without_reads():
    told = " ".join(section(PAGE, "## Audit queries").split())

    assert "CloudTrail counts Decrypt as a Read event" in told
    assert "First make sure that it finds the function's own Decrypts" in told


def test_a_healthy_renewed_key_is_never_reported():
    """The first run of a month renews; Mondays of two months are at most 35 days apart."""
    days = int(number(r"ValidForDays:\n    Type: Number\n    Default: (\d+)", (RENEWAL / "key.yaml").read_text()))
    warning = source()["Parameters"]["ExpiryWarningDays"]["Default"]

    assert re.search(r'cron: "\d+ \d+ \* \* 1"', (RENEWAL / "renewal.yml").read_text())
    assert days - 35 > warning
    told = " ".join((RENEWAL / "README.md").read_text().split())
    assert f"With {days}, a key that is renewed every month always has {days - 35} days left" in told


def test_the_pages_before_name_sections_that_are_there():
    there = anchors(PAGE)

    assert {"renewal", "incidents", "audit-queries", "forty-accounts", "the-log-beyond-the-stack"} <= set(there)
    assert len(there) == len(set(there))
