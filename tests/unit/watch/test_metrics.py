"""The metrics of a look: lines in CloudWatch's embedded metric format, without a key or a stack as a dimension."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from imported_key_material.watch import metrics
from imported_key_material.watch.estate import HiddenKey, MissingKey
from imported_key_material.watch.findings import Kind, find
from tests.support.estates import NOW, ORDERS, days, estate, key, key_id
from tests.unit.aws.test_metrics import rows


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """The template's."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImportedKeyMaterial")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "imported-key-material")


def written(capsys, seen):
    metrics.write(seen, find(seen, NOW, 30), NOW)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def values(lines):
    """(metric, kind) -> value."""
    found = {}
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        (metric,) = directive["Metrics"]
        (value,) = line[metric["Name"]]
        found[metric["Name"], line.get("Kind", "")] = value
    return found


def described(lines):
    """(metric, unit, *dimensions) of each."""
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        (metric,) = directive["Metrics"]
        (names,) = directive["Dimensions"]
        yield metric["Name"], metric["Unit"], *names


def test_each_metric_is_a_line_under_the_application_s_namespace_and_name(capsys):
    lines = written(capsys, estate(key(ends=NOW + days(20))))

    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in lines} == {"ImportedKeyMaterial"}
    assert {line["service"] for line in lines} == {"imported-key-material"}
    assert set(described(lines)) == {
        ("ManagedKeys", "Count", "service"),
        ("DaysLeft", "None", "service"),
        ("Findings", "Count", "service", "Kind"),
    }


def test_the_page_lists_each_metric_with_its_unit_and_dimensions(capsys):
    listed = {
        (name, unit, "service", *re.findall(r"\bby ([A-Z]\w+)", meaning))
        for name, (unit, meaning) in rows("Of the watch").items()
    }

    assert listed == set(described(written(capsys, estate(key(ends=NOW + days(20))))))


def test_no_line_names_a_key_or_a_stack(capsys):
    seen = estate(key(1, ends=NOW + days(20), holders=[ORDERS], aliases=["alias/pay"]), key(2, state="Disabled"))

    text = json.dumps(written(capsys, seen))

    assert [name for name in ("00000001", "orders", "Material0", "alias/pay") if name in text] == []


def test_every_kind_is_written_in_each_look_so_that_a_series_returns_to_nothing(capsys):
    counted = values(written(capsys, estate()))

    assert counted == {("ManagedKeys", ""): 0} | {("Findings", str(kind)): 0 for kind in Kind}


def test_findings_are_counted_by_kind_and_keys_by_whether_a_stack_declares_them(capsys):
    seen = replace(
        estate(
            key(1, ends=NOW + days(20), holders=[ORDERS]),
            key(2, ends=NOW + days(25)),
            key(3, state="Disabled", holders=[ORDERS]),
        ),
        hidden=(HiddenKey(key_id(4), (), (ORDERS,)), HiddenKey(key_id(5))),
        missing=(MissingKey(key_id(6), (ORDERS,)),),
    )

    counted = values(written(capsys, seen))

    assert counted["ManagedKeys", ""] == 4
    assert {kind: count for (name, kind), count in counted.items() if name == "Findings" and count} == {
        "Expires": 2,
        "Disabled": 1,
        "NotVisible": 2,
        "KeyGone": 1,
    }


@pytest.mark.parametrize(("left", "shown"), [(days(20), 20), (timedelta(hours=6), 0.25), (-days(1), 0)])
def test_the_days_left_are_those_of_the_first_key_that_expires(capsys, left, shown):
    seen = estate(key(1, ends=NOW + days(300)), key(2, ends=NOW + left))

    assert values(written(capsys, seen))["DaysLeft", ""] == shown


def test_a_key_that_is_out_of_use_already_has_no_days_left(capsys):
    assert ("DaysLeft", "") not in values(written(capsys, estate(key(state="PendingImport", ends=NOW))))


def test_without_a_namespace_nothing_is_written(capsys, monkeypatch):
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")

    assert written(capsys, estate()) == []
