"""Measures how the function waits for KMS's quota. Powertools writes the metrics to the log, in the embedded metric format.

Environment (template.yaml sets it): POWERTOOLS_METRICS_NAMESPACE, without which nothing is written; POWERTOOLS_SERVICE_NAME.

    RequestAge         seconds   how old the request is when its wait for the quota ends in this invocation
    QuotaWait          seconds   how long this invocation waited
    QuotaTries         count     how often it asked
    QuotaGranted       count     1 if it got through, else 0: its sum over a minute is the rate that KMS let through
    QuotaHandedOver    count     1 if the request continued in a fresh invocation, else 0
    QuotaGivenUp       count     1 if it was FAILED, else 0: worth an alarm

Invocations that never waited write no metrics.
"""

import os
from typing import Final

from aws_lambda_powertools.metrics import Metrics, MetricUnit

from imported_key_material.clock import Waited

_OUTCOMES: Final = {"QuotaGranted": "granted", "QuotaHandedOver": "handed over", "QuotaGivenUp": "given up"}


def write(waited: Waited) -> None:
    """The `clock.Meter` in use."""
    if not os.environ.get("POWERTOOLS_METRICS_NAMESPACE"):
        return
    metrics = Metrics()
    if waited.age_seconds is not None:
        metrics.add_metric("RequestAge", MetricUnit.Seconds, waited.age_seconds)
    metrics.add_metric("QuotaWait", MetricUnit.Seconds, waited.waited_seconds)
    metrics.add_metric("QuotaTries", MetricUnit.Count, waited.tries)
    for name, outcome in _OUTCOMES.items():
        metrics.add_metric(name, MetricUnit.Count, int(waited.outcome == outcome))
    metrics.flush_metrics()
