"""The metrics of one look at all keys. Powertools writes them to the log, in the embedded metric format.

Environment (template.yaml sets it): POWERTOOLS_METRICS_NAMESPACE, without which nothing is written; POWERTOOLS_SERVICE_NAME.

    ManagedKeys   count   keys that a living stack declares
    DaysLeft      days    until the first key expires; not written while no key does
    Findings      count   by Kind (findings.py), each kind in each look, so that a series returns to 0

A key and a stack are never a dimension: each value would be a metric that costs, and names belong in the log.
"""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from imported_key_material.watch.estate import Estate
from imported_key_material.watch.findings import Finding, Kind

_DAY: Final = timedelta(days=1)


def write(estate: Estate, findings: Sequence[Finding], now: datetime) -> None:
    if not os.environ.get("POWERTOOLS_METRICS_NAMESPACE"):
        return
    holders = (key.holders for group in (estate.keys, estate.hidden, estate.missing) for key in group)
    _write("ManagedKeys", sum(map(bool, holders)))
    ends = [key.ends_at for key in estate.keys if key.view.holds_material and key.ends_at is not None]
    if ends:
        _write("DaysLeft", max((min(ends) - now) / _DAY, 0.0), MetricUnit.NoUnit)
    counts = Counter(finding.kind for finding in findings)
    for kind in Kind:
        _write("Findings", counts[kind], Kind=kind)


def _write(name: str, value: float, unit: MetricUnit = MetricUnit.Count, **dimensions: str) -> None:
    service = os.environ.get("POWERTOOLS_SERVICE_NAME", "")
    with single_metric(name, unit, value, default_dimensions={"service": service, **dimensions}):
        pass
