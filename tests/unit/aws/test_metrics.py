"""The metrics in the log: lines in CloudWatch's embedded metric format, whose dimensions have few values."""

import json
import re
from pathlib import Path

import pytest

from imported_key_material.aws import metrics
from imported_key_material.errors import FailureClass
from imported_key_material.meter import Change, Ended, Ending, Waited

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STACK_ID = "arn:aws:cloudformation:eu-central-1:111122223333:stack/orders/5a1c"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """The template's."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImportedKeyMaterial")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "imported-key-material")


@pytest.fixture
def meter():
    return metrics.EmbeddedMetrics()


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def metrics_of(line):
    """As CloudWatch makes them of a line: (name, dimensions) -> (values, unit)."""
    return {
        (metric["Name"], tuple((name, line[name]) for name in sorted(set_))): (line[metric["Name"]], metric["Unit"])
        for directive in line["_aws"]["CloudWatchMetrics"]
        for set_ in directive["Dimensions"]
        for metric in directive["Metrics"]
    }


SERVICE = ("service", "imported-key-material")

OUTCOMES = {
    "granted": {"QuotaGranted": [1.0], "QuotaHandedOver": [0.0], "QuotaGivenUp": [0.0]},
    "handed over": {"QuotaGranted": [0.0], "QuotaHandedOver": [1.0], "QuotaGivenUp": [0.0]},
    "given up": {"QuotaGranted": [0.0], "QuotaHandedOver": [0.0], "QuotaGivenUp": [1.0]},
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_wait_is_one_line_of_numbers_under_the_application_s_namespace_and_name(capsys, meter, outcome):
    meter.waited(Waited(outcome, 1234.5, 600.25, 41))

    (line,) = lines(capsys)
    description = line.pop("_aws")
    (directive,) = description["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("ImportedKeyMaterial", [["service"]])
    values = {
        "RequestAge": [1234.5],
        "QuotaWait": [600.25],
        "QuotaTries": [41.0],
    } | OUTCOMES[outcome]
    assert line == {"service": "imported-key-material"} | values
    assert {one["Name"]: one["Unit"] for one in directive["Metrics"]} == {
        name: "Seconds" if name in {"RequestAge", "QuotaWait"} else "Count" for name in values
    }


def test_a_request_without_a_time_has_no_age(capsys, meter):
    meter.waited(Waited("granted", None, 3.0, 2))

    (line,) = lines(capsys)
    assert "RequestAge" not in line
    assert line["QuotaTries"] == [2.0]


def test_a_second_wait_of_the_same_process_is_a_line_of_its_own(capsys, meter):
    meter.waited(Waited("granted", 1.0, 1.0, 2))
    meter.waited(Waited("given up", 5.0, 4.0, 3))

    first, second = lines(capsys)
    assert (first["QuotaTries"], second["QuotaTries"]) == ([2.0], [3.0])


def test_without_a_namespace_nothing_is_written(capsys, meter, monkeypatch):
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")
    monkeypatch.delenv("POWERTOOLS_SERVICE_NAME")

    meter.waited(Waited("granted", 1.0, 1.0, 2))
    meter.ended(ended(Ending.SUCCESS))

    assert capsys.readouterr().out == ""


# ------------------------------------------------------------------------------------------------------ a request's end


def ended(ending, *, age=2.5, failure_class=None):
    return Ended(ending, "Create", age, failure_class, "6f0c", STACK_ID, "Material", KEY_ARN)


def requests(outcome):
    return {
        ("Requests", (("Outcome", outcome), SERVICE)): ([1.0], "Count"),
        ("Requests", (("Outcome", outcome), ("RequestType", "Create"), SERVICE)): ([1.0], "Count"),
    }


def test_a_success_counts_by_outcome_and_by_type_with_its_age_and_what_kms_accepted(capsys, meter):
    for change in (Change.ROTATED, Change.IMPORTED, Change.IMPORTED):
        meter.changed(change)
    meter.ended(ended(Ending.SUCCESS))

    (line,) = lines(capsys)
    assert metrics_of(line) == requests("SUCCESS") | {
        ("AnswerAge", (SERVICE,)): ([2.5], "Seconds"),
        ("Imported", (SERVICE,)): ([1.0], "Count"),
        ("Rotated", (SERVICE,)): ([1.0], "Count"),
    }


def test_a_failure_counts_by_its_class(capsys, meter):
    meter.ended(ended(Ending.FAILED, failure_class=FailureClass.THROTTLED))

    (line,) = lines(capsys)
    assert metrics_of(line) == requests("FAILED") | {
        ("AnswerAge", (SERVICE,)): ([2.5], "Seconds"),
        ("Refused", (("Class", "Throttled"), SERVICE)): ([1.0], "Count"),
    }


@pytest.mark.parametrize("ending", [Ending.LEFT, Ending.UNDELIVERED])
def test_a_request_without_an_answer_has_no_age(capsys, meter, ending):
    meter.ended(ended(ending, age=None))

    (line,) = lines(capsys)
    assert metrics_of(line) == requests(str(ending))


def test_the_next_request_of_the_process_begins_without_changes(capsys, meter):
    meter.changed(Change.IMPORTED)
    meter.ended(ended(Ending.SUCCESS))
    meter.ended(ended(Ending.SUCCESS))

    first, second = lines(capsys)
    assert first["Imported"] == [1.0]
    assert "Imported" not in second


def test_key_stack_and_request_are_fields_and_no_dimensions(capsys, meter):
    meter.ended(ended(Ending.FAILED, failure_class=FailureClass.DEFECT))

    (line,) = lines(capsys)
    fields = {"request_id": "6f0c", "stack_id": STACK_ID, "logical_id": "Material", "physical_id": KEY_ARN}
    assert {name: line[name] for name in fields} == fields
    named = {name for one in line["_aws"]["CloudWatchMetrics"] for set_ in one["Dimensions"] for name in set_}
    assert named == {"service", "Outcome", "RequestType", "Class"}


# ----------------------------------------------------------------------------------------------------------- the page


def rows(heading):
    """The rows of the page's table under a heading, by metric."""
    text = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_page_lists_each_metric_of_the_function_with_its_unit():
    listed = rows("Of each request") | rows("Of waits for KMS's quota")

    assert {name: row[0] for name, row in listed.items()} == {name: unit.value for name, unit in metrics.UNITS.items()}


def test_the_page_names_each_value_of_a_dimension():
    values = set(re.findall(r"`([A-Za-z]+)`", PAGE.read_text()))

    assert {str(one) for one in [*Ending, *FailureClass]} | {"Create", "Update", "Delete"} <= values


def test_every_metric_of_the_page_has_a_meaning_with_its_dimensions():
    further = {"Requests": "by Outcome, and by Outcome and RequestType", "Refused": "by Class", "Findings": "by Kind"}
    assert "All have the dimension `service`" in PAGE.read_text()
    for name, row in (rows("Of each request") | rows("Of waits for KMS's quota") | rows("Of the watch")).items():
        unit, meaning = row
        assert unit, name
        assert further.get(name, "") in meaning, name
        assert len(meaning) > 20, name
