"""Writes the metrics to the log, in CloudWatch's embedded metric format. docs/metrics.md says what each means and costs.

Environment (template.yaml sets it): POWERTOOLS_METRICS_NAMESPACE, without which nothing is written; POWERTOOLS_SERVICE_NAME,
the value of the dimension `service`.

Each value of a dimension is a metric that costs money. So only what has a few values is a dimension: never a key, a stack or a
request, which are fields of the same log line.
"""

import json
import os
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from imported_key_material.meter import Change, Ended, Waited

UNITS: Final = {
    "Requests": MetricUnit.Count,
    "AnswerAge": MetricUnit.Seconds,
    "Imported": MetricUnit.Count,
    "Removed": MetricUnit.Count,
    "Rotated": MetricUnit.Count,
    "Refused": MetricUnit.Count,
    "RequestAge": MetricUnit.Seconds,
    "QuotaWait": MetricUnit.Seconds,
    "QuotaTries": MetricUnit.Count,
    "QuotaGranted": MetricUnit.Count,
    "QuotaHandedOver": MetricUnit.Count,
    "QuotaGivenUp": MetricUnit.Count,
}
_OUTCOMES: Final = {"QuotaGranted": "granted", "QuotaHandedOver": "handed over", "QuotaGivenUp": "given up"}


class _Directive(NamedTuple):
    """Metrics that share their sets of dimensions. `service` is added to every set."""

    values: Mapping[str, float]
    sets: Sequence[Mapping[str, str]] = ({},)

    def document(self) -> Any:
        """As Powertools writes it."""
        powertools = EphemeralMetrics()
        first, *others = self.sets
        for name, value in first.items():
            powertools.add_dimension(name, value)
        for other in others:
            powertools.add_dimensions(service=powertools.service, **other)
        for name, number in self.values.items():
            powertools.add_metric(name, UNITS[name], number)
        return powertools.serialize_metric_set()


class EmbeddedMetrics:
    """The `Meter` in use. It serves one invocation at a time, as a Lambda environment does."""

    def __init__(self) -> None:
        self._changes: set[Change] = set()

    def waited(self, waited: Waited) -> None:
        age = {} if waited.age_seconds is None else {"RequestAge": waited.age_seconds}
        outcomes = {name: float(waited.outcome == outcome) for name, outcome in _OUTCOMES.items()}
        _write([_Directive({**age, "QuotaWait": waited.waited_seconds, "QuotaTries": waited.tries, **outcomes})], {})

    def changed(self, change: Change) -> None:
        self._changes.add(change)

    def ended(self, ended: Ended) -> None:
        """One line. `Requests` has two sets of dimensions, so that an alarm on an outcome needs no metric math."""
        age = {} if ended.age_seconds is None else {"AnswerAge": ended.age_seconds}
        values = age | {str(change): 1.0 for change in sorted(self._changes)}
        self._changes.clear()
        outcome = {"Outcome": str(ended.ending)}
        directives = [_Directive({"Requests": 1}, [outcome, outcome | {"RequestType": ended.request_type}])]
        if values:
            directives.append(_Directive(values))
        if ended.failure_class is not None:
            directives.append(_Directive({"Refused": 1}, [{"Class": str(ended.failure_class)}]))
        fields = {
            "request_id": ended.request_id,
            "stack_id": ended.stack_id,
            "logical_id": ended.logical_id,
            "physical_id": ended.physical_id,
        }
        _write(directives, fields)


def _write(directives: Sequence[_Directive], fields: Mapping[str, str]) -> None:
    """Prints one document. Powertools writes one directive a document; the format has a list of them."""
    if not os.environ.get("POWERTOOLS_METRICS_NAMESPACE"):
        return
    documents = [directive.document() for directive in directives]
    listed = [one for document in documents for one in document["_aws"]["CloudWatchMetrics"]]
    whole = {**reduce(or_, documents), **fields}
    whole["_aws"] = {**whole["_aws"], "CloudWatchMetrics": listed}
    print(json.dumps(whole, separators=(",", ":")))  # noqa: T201  # past the logger, as Powertools does: at each LogLevel
