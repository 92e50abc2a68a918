"""How fast AWS is where docs/internals/scale.md assumes a figure; and what no act can show."""

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lab.live.act import Act
from lab.live.questions.stacks import HANDLE
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen

RESOURCES: Final = 60
STARTS_MAX: Final = 40  # a second: twice what the simulation of a crowd assumes
COLD_START_SECONDS_MAX: Final = 3.0
CALL_SECONDS_MAX: Final = 0.5
INIT: Final = re.compile(r'(?:Init Duration: |"initDurationMs": ?)([\d.]+)')
DURATION: Final = re.compile(r'(?:(?<!Init )(?<!Billed )Duration: |"durationMs": ?)([\d.]+)')


def starts(stage: Stage) -> Iterator[Finding]:
    resources = {f"Handle{number}": HANDLE for number in range(RESOURCES)}
    stack = stage.made.stack("pace", resources)
    most = most_in_a_second(stack.events)
    yield judged(
        "cloudformation-pace",
        f"CloudFormation starts some 20 resources a second in a stack, and at most {STARTS_MAX}",
        f"of {RESOURCES} resources at most {most} were started within a second",
        holds=0 < most <= STARTS_MAX,
        most=most,
    )


def most_in_a_second(events: Iterable[Mapping[str, Any]]) -> int:
    """Of the resources' first events."""
    first = {one["LogicalResourceId"]: one["Timestamp"] for one in reversed(list(events)) if _is_start(one)}
    return max(Counter(at.replace(microsecond=0) for at in first.values()).values(), default=0)


def _is_start(event: Mapping[str, Any]) -> bool:
    return bool(event["ResourceStatus"] == "CREATE_IN_PROGRESS" and event["LogicalResourceId"].startswith("Handle"))


def seconds(stage: Stage) -> Iterator[Finding]:
    """A changed description makes the next invocation a cold start."""
    client, function = stage.client("lambda"), stage.application.function
    client.update_function_configuration(FunctionName=function, Description=f"cold start of {stage.made.run}")
    client.get_waiter("function_updated_v2").wait(FunctionName=function)
    yield _judged("cold-start", "The application's cold start", _invoke(client, function), INIT, COLD_START_SECONDS_MAX)
    yield _judged(
        "call-seconds",
        "A call of AWS by a warm function",
        _invoke(client, stage.probe.token),
        DURATION,
        CALL_SECONDS_MAX,
    )


def _invoke(client: Any, function: str) -> str:
    """The end of the log of one invocation. An event that is no request fails, and is logged all the same."""
    answer = client.invoke(FunctionName=function, Payload=b"{}", LogType="Tail")
    return base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")


def _judged(assumption: str, what: str, log: str, pattern: re.Pattern[str], most: float) -> Finding:
    found = pattern.search(log)
    if found is None:
        return not_seen(assumption, "the end of the function's log does not show how long it took")
    took = float(found[1]) / 1000
    return judged(assumption, f"{what} takes {most} s at most", f"it took {took} s", holds=took <= most, seconds=took)


def beyond(_stage: Stage) -> Iterator[Finding]:
    yield not_seen("queue-spread", "Only hundreds of requests at once fill Lambda's queue.")
    yield not_seen("stack-sets-recipe", "It needs an organization with two accounts.")
    yield not_seen("imports-while-updated", "No act updates a stack slowly while another one asks for its imports.")
    yield not_seen("expiry-event", "No act catches EventBridge's events.")
    yield not_seen("expiry-metric", "No act waits until KMS publishes its metric.")
    yield not_seen("monitoring-account", "It needs two accounts that are linked.")


ACTS: Final = (
    Act(
        "pace",
        f"How fast CloudFormation starts {RESOURCES} resources",
        ("cloudformation-pace",),
        makes="1 stack without cost",
        deadline_seconds=50,
        play=starts,
        not_local="it carries out one resource after the other.",
        short=False,
    ),
    Act(
        "seconds",
        "How long a cold start and a call take",
        ("cold-start", "call-seconds"),
        makes="nothing",
        deadline_seconds=50,
        play=seconds,
        not_local="its functions are processes of this machine.",
        short=False,
    ),
    Act(
        "beyond",
        "What no act shows",
        (
            "queue-spread",
            "stack-sets-recipe",
            "imports-while-updated",
            "expiry-event",
            "expiry-metric",
            "monitoring-account",
        ),
        makes="nothing",
        deadline_seconds=1,
        play=beyond,
        dollars=0,
        short=False,
    ),
)
