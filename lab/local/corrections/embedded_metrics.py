"""Makes metrics of the lines that a function logs in the embedded metric format.

AWS does the following, and MiniStack does not (CloudWatch User Guide, "Specification: Embedded metric format"): CloudWatch Logs
reads each line of JSON that has `_aws.CloudWatchMetrics`, and stores each metric under each of its sets of dimensions. It drops
a directive whose values are missing or have wrong types, and what is outside of the format's limits, without an error.

Not shown here: events that are older than two weeks or more than two hours ahead, and metrics that CloudWatch Logs reads of
other log groups than a function's.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import cloudwatch, lambda_svc

DIMENSIONS_MAX = 30
METRICS_MAX = 100


def apply() -> None:
    emit = lambda_svc._emit_lambda_logs

    def emitted(function: Any, request_id: str, log_text: str, *more: Any, **named: Any) -> None:
        emit(function, request_id, log_text, *more, **named)
        for line in log_text.splitlines():
            for namespace, name, dimensions, at, unit, values in data_of(line):
                cloudwatch._store_datum(namespace, name, dimensions, at, unit, None, values, None, None)

    lambda_svc._emit_lambda_logs = emitted


type Datum = tuple[str, str, dict[str, str], float, str, list[float]]


def data_of(line: str) -> Iterator[Datum]:
    """Namespace, name, dimensions, time in seconds, unit and values of each metric in a line of a log."""
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
        at = document["_aws"]["Timestamp"] / 1000
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        sets = [
            dimensions for names in directive["Dimensions"] if (dimensions := _dimensions(document, names)) is not None
        ]
        for metric in directive["Metrics"][:METRICS_MAX]:
            values = _values(document.get(metric["Name"]))
            for dimensions in sets if values else ():
                yield directive["Namespace"], metric["Name"], dimensions, at, metric.get("Unit", "None"), values


def _dimensions(document: Mapping[str, Any], names: list[str]) -> dict[str, str] | None:
    """None: CloudWatch drops the set."""
    values = {name: document.get(name) for name in names}
    taken = {name: value for name, value in values.items() if isinstance(value, str) and value}
    return taken if len(taken) == len(names) <= DIMENSIONS_MAX else None


def _values(value: Any) -> list[float]:
    listed = value if isinstance(value, list) else [value]
    are_numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in listed)
    return [float(one) for one in listed] if are_numbers and len(listed) <= METRICS_MAX else []
