"""The metrics of a wait: one line in CloudWatch's embedded metric format, with only numbers."""

import json

import pytest

from imported_key_material.aws import metrics
from imported_key_material.clock import Waited


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """The template's."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImportedKeyMaterial")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "imported-key-material")


def written(capsys, *waited):
    for one in waited:
        metrics.write(one)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


OUTCOMES = {
    "granted": {"QuotaGranted": [1.0], "QuotaHandedOver": [0.0], "QuotaGivenUp": [0.0]},
    "handed over": {"QuotaGranted": [0.0], "QuotaHandedOver": [1.0], "QuotaGivenUp": [0.0]},
    "given up": {"QuotaGranted": [0.0], "QuotaHandedOver": [0.0], "QuotaGivenUp": [1.0]},
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_wait_is_one_line_of_numbers_under_the_application_s_namespace_and_name(capsys, outcome):
    (line,) = written(capsys, Waited(outcome, 1234.5, 600.25, 41))

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


def test_a_request_without_a_time_has_no_age(capsys):
    (line,) = written(capsys, Waited("granted", None, 3.0, 2))

    assert "RequestAge" not in line
    assert line["QuotaTries"] == [2.0]


def test_a_second_wait_of_the_same_process_is_a_line_of_its_own(capsys):
    first, second = written(capsys, Waited("granted", 1.0, 1.0, 2), Waited("given up", 5.0, 4.0, 3))

    assert (first["QuotaTries"], second["QuotaTries"]) == ([2.0], [3.0])


def test_without_a_namespace_nothing_is_written(capsys, monkeypatch):
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")

    assert written(capsys, Waited("granted", 1.0, 1.0, 2)) == []
