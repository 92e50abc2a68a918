"""Acts that starve every other importer of the account: they use up KMS's quota of GetParametersForImport."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lab.live.act import Act, Needs
from lab.live.one_stack import OneStack, reason, seconds_of_all
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen

MATERIAL_BYTES: Final = 32
MATERIALS: Final = 30
QUOTA_PER_SECOND: Final = 1.0
TIMES_OF_THE_FLOOR: Final = 3.0  # docs/internals/design.md has 1.4 for 10 to 50 requests that begin together
MANY_SECONDS: Final = 300.0
INVOCATION_SECONDS: Final = 900.0  # template.yaml: an invocation hands over 195 to 315 seconds before its end
STARVE_CALLERS: Final = 3
HOUR: Final = "3600"  # the act of handing over needs the longest ServiceTimeout
METRICS_SECONDS: Final = 240.0  # CloudWatch shows a metric some minutes later
NOT_LOCAL: Final = "its KMS has no quota of GetParametersForImport that could be used up."


def many(stage: Stage) -> Iterator[Finding]:
    """Thirty keys, one stack: all ask for import parameters at once."""
    began = stage.now()
    name = stage.made.name("many")
    secret, version = stage.made.secret("many", stage.secret_bytes(secrets.token_bytes(MATERIAL_BYTES)), tag=name)
    keys = [stage.made.key(f"many-{number}", tag=name) for number in range(MATERIALS)]
    resources = {f"Material{number}": stage.material(key, secret, version) for number, key in enumerate(keys)}
    stack = OneStack.begin(stage, "many", resources).wait(MANY_SECONDS)
    seconds = seconds_of_all(stack)
    times = seconds / (MATERIALS / QUOTA_PER_SECOND)
    yield judged(
        "many-at-once",
        f"{MATERIALS} imports that begin together end within {TIMES_OF_THE_FLOOR:.0f} times the shortest possible time",
        f"the stack is {stack.status} after {seconds:.0f} s, {times:.1f} times the shortest possible time. {_first(stack)}",
        holds=stack.status == "CREATE_COMPLETE" and times <= TIMES_OF_THE_FLOOR,
        status=stack.status,
        seconds=seconds,
        times=round(times, 2),
    )
    throttled = _log_lines(stage, '"Throttling" "cloudformation:"', began)
    yield judged(
        "many-reads-of-stacks",
        f"CloudFormation throttles no read of {MATERIALS} functions at once for so long that the function logs it",
        f"the function logged it {len(throttled)} times",
        holds=not throttled,
        throttled=len(throttled),
    )


def _first(stack: Any) -> str:
    return next(iter(stack.reasons()), "")


def handing_over(stage: Stage) -> Iterator[Finding]:
    """The quota is used up for longer than an invocation lives; then the fresh invocation gets through."""
    began = stage.now()
    name = stage.made.name("handing-over")
    secret, version = stage.made.secret(
        "handing-over", stage.secret_bytes(secrets.token_bytes(MATERIAL_BYTES)), tag=name
    )
    material = stage.material(stage.made.key("handing-over", tag=name), secret, version, ServiceTimeout=HOUR)
    with _quota_used_up(stage):
        stack = OneStack.begin(stage, "handing-over", {"Material": material})
        stage.wait_for(lambda: _handed_over(stage, began) or stack.at_rest(), INVOCATION_SECONDS)
    made = stack.wait(MANY_SECONDS)
    handed_over = _handed_over(stage, began)
    if not handed_over and made.status == "CREATE_COMPLETE":
        why = "the request got through before its invocation handed it over"
        yield from (not_seen(one, why) for one in ("handed-over", "no-recursion-stopped"))
        return
    yield judged(
        "handed-over",
        "A request that waits longer than an invocation is handed over, and ends well",
        f"handed over {len(handed_over)} times; the stack is {made.status}. {reason(made)}",
        holds=bool(handed_over) and made.status == "CREATE_COMPLETE",
        times=len(handed_over),
        status=made.status,
        seconds=seconds_of_all(made),
    )
    dropped = _dropped(stage, began)
    yield judged(
        "no-recursion-stopped",
        "Lambda stops no request that is handed over as a loop: RecursiveInvocationsDropped stays 0",
        f"RecursiveInvocationsDropped is {dropped:.0f}",
        holds=dropped == 0,
        dropped=dropped,
    )


@contextmanager
def _quota_used_up(stage: Stage) -> Iterator[None]:
    """Asks for import parameters of a key of the run, again and again: nobody else gets any."""
    key, stop = stage.made.key("quota"), threading.Event()
    kms = without_retries(stage.client("kms"))

    def ask() -> None:
        while not stop.is_set():
            try:
                kms.get_parameters_for_import(
                    KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
                )
            except (ClientError, BotoCoreError):  # throttled, as it must be
                continue

    callers = [threading.Thread(target=ask, daemon=True) for _ in range(STARVE_CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield
    finally:
        stop.set()
        for caller in callers:
            caller.join()


def without_retries(kms: Any) -> Any:
    """Boto's own retries pause, and would leave some of the quota to others."""
    kms.meta.events.unregister("needs-retry.kms", unique_id="retry-config-kms")
    return kms


def _handed_over(stage: Stage, since: datetime) -> list[str]:
    return _log_lines(stage, '"handed over to a new invocation"', since)


def _log_lines(stage: Stage, pattern: str, since: datetime) -> list[str]:
    """The lines of the function's log that match a filter pattern of CloudWatch Logs."""
    pages = stage.client("logs").get_paginator("filter_log_events")
    begin = int(since.timestamp() * 1000)
    found = pages.paginate(
        logGroupName=f"/aws/lambda/{stage.application.function}", filterPattern=pattern, startTime=begin
    )
    return [event["message"] for page in found for event in page["events"]]


def _dropped(stage: Stage, since: datetime) -> float:
    """The metric, some minutes later."""
    stage.sleep(METRICS_SECONDS)
    answer = stage.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="RecursiveInvocationsDropped",
        Dimensions=[{"Name": "FunctionName", "Value": stage.application.function}],
        StartTime=since - timedelta(minutes=1),
        EndTime=stage.now(),
        Period=3600,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in answer["Datapoints"]))


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "many-at-once",
        f"{MATERIALS} imports at once",
        ("many-at-once", "many-reads-of-stacks"),
        makes=f"1 stack, {MATERIALS} keys, 1 secret",
        deadline_seconds=420,
        play=many,
        dollars=0.10,
        needs=Needs.ALL,
        not_local=NOT_LOCAL,
        short=False,
    ),
    Act(
        "handing-over",
        "A request that waits longer than an invocation",
        ("handed-over", "no-recursion-stopped"),
        makes="1 stack, 2 keys, 1 secret",
        deadline_seconds=1500,
        play=handing_over,
        dollars=0.05,
        needs=Needs.ALL,
        not_local=NOT_LOCAL,
        short=False,
    ),
)
