"""Evaluates plain metric alarms, as CloudWatch does.

AWS does the following, and MiniStack does not (CloudWatch User Guide, "Alarm evaluation", "Configuring how alarms treat missing
data"):

- an alarm sees only the metric with exactly its dimensions
- it looks at each of the last EvaluationPeriods periods by itself, and DatapointsToAlarm of them must breach
- TreatMissingData decides for a period without data: breaching, notBreaching, ignore, missing
- an alarm is evaluated again and again, so that it returns to OK when its data are past, and a state that somebody set
  (SetAlarmState) does not stay

Minutes may be shorter here: `LOCAL_AWS_ALARM_MINUTE_SECONDS`.

Not shown here: the few more periods that CloudWatch looks at before it takes data as missing, and its delay of up to minutes;
metric math, Metrics Insights, anomaly detection, composite alarms. Such an alarm stays INSUFFICIENT_DATA.
"""

import contextvars
import os
import threading
import time
from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import cloudwatch

TICK_SECONDS = 0.25
MINUTE_SECONDS = float(os.environ.get("LOCAL_AWS_ALARM_MINUTE_SECONDS", "60"))
_COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (ge, "greater than or equal to"),
    "GreaterThanThreshold": (gt, "greater than"),
    "LessThanThreshold": (lt, "less than"),
    "LessThanOrEqualToThreshold": (le, "less than or equal to"),
}

type Alarm = dict[str, Any]


def apply() -> None:
    cloudwatch._evaluate_alarm = evaluate
    threading.Thread(target=_tick, daemon=True, name="alarms").start()


def _tick() -> None:
    while True:
        time.sleep(TICK_SECONDS)
        for (account, region, _name), alarm in list(cloudwatch._alarms._data.items()):
            contextvars.copy_context().run(_evaluate_in, account, region, alarm)


def _evaluate_in(account: str, region: str, alarm: Alarm) -> None:
    _request_account_id.set(account)
    _request_region.set(region)
    if cloudwatch._alarms.get(alarm["AlarmName"]) is alarm:  # not deleted or replaced meanwhile
        evaluate(alarm)


def evaluate(alarm: Alarm) -> None:
    if alarm.get("ComparisonOperator") not in _COMPARISONS or not alarm.get("MetricName"):
        return
    values = _values(alarm, time.time())
    old, (new, reason) = alarm["StateValue"], judge(alarm, values)
    if new == old:
        return
    alarm |= {"StateValue": new, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _values(alarm: Alarm, now: float) -> list[float | None]:
    """The statistic of each period, the latest first. None: no data."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or []
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    seconds = alarm["Period"] / 60 * MINUTE_SECONDS

    def of_period(number: int) -> float | None:
        end = now - number * seconds
        within = [point for point in points if end - seconds < point["Timestamp"] <= end]
        value = cloudwatch._stat_value(cloudwatch._calc_stats(within), statistic, within) if within else None
        return None if value is None else float(value)

    return [of_period(number) for number in range(alarm["EvaluationPeriods"])]


def judge(alarm: Alarm, values: list[float | None]) -> tuple[str, str]:
    """The state that these values lead to, and its reason, nearly in CloudWatch's words."""
    compare, words = _COMPARISONS[alarm["ComparisonOperator"]]
    treat, threshold = alarm.get("TreatMissingData") or "missing", alarm["Threshold"]
    known = [value for value in values if value is not None]
    if not known and treat == "ignore":
        return alarm["StateValue"], alarm["StateReason"]
    if not known and treat == "missing":
        return "INSUFFICIENT_DATA", "Insufficient Data"
    breaching = sum(compare(value, threshold) for value in known)
    missing = len(values) - len(known)
    if treat == "breaching":
        breaching += missing
    state = "ALARM" if breaching >= (alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]) else "OK"
    shown = ", ".join(map(str, known)) or f"{missing} missing, treated as {treat}"
    are = "was" if state == "ALARM" else "was not"
    return (
        state,
        f"Threshold Crossed: of the last {len(values)} datapoints [{shown}] {breaching} {are} {words} {threshold}.",
    )
