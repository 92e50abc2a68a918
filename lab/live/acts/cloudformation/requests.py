"""The form of CloudFormation's requests, and when it stops waiting for an answer (the probe).

Two stacks, side by side:

    form     created, updated, deleted: Text has ServiceTimeout as a text, Number as a number
    silent   its only resource never answers its Create
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import boto3

from imported_key_material.aws.boto_session import dns_suffix
from imported_key_material.cloudformation.request import response_hosts
from imported_key_material.key_id import Home
from lab.cloudformation import request_shape
from lab.live.account import Account
from lab.live.act import Act
from lab.live.acts.cloudformation.played import Played, request
from lab.live.probe import DidNotCome, Received
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged
from lab.local.stacks import Stack

SILENT_SECONDS: Final = 60
LOCAL_SILENT_SECONDS: Final = 3
SLACK_SECONDS: Final = 30  # recorded: 15 to 23 s more than ServiceTimeout
ID_BEFORE_CREATION_SECONDS: Final = 5.0

_ALWAYS: Final = frozenset(
    {
        "RequestType",
        "ServiceToken",
        "StackId",
        "RequestId",
        "LogicalResourceId",
        "ResourceType",
        "ResourceProperties",
        "ServiceTimeout",
    }
)
KEYS: Final = {  # without the ResponseURL, which the probe takes out
    "Create": _ALWAYS,
    "Update": _ALWAYS | {"PhysicalResourceId", "OldResourceProperties"},
    "Delete": _ALWAYS | {"PhysicalResourceId"},
}
_SENT: Final = {"Number": 7, "Truth": True, "Text": "text", "List": [1, False], "Map": {"Inner": 2.5}}
_AS_TEXT: Final = {"Number": "7", "Truth": "true", "Text": "text", "List": ["1", "false"], "Map": {"Inner": "2.5"}}


def requests(stage: Stage) -> Iterator[Finding]:
    form, silent = Played(stage, "form"), Played(stage, "silent")
    timeout = LOCAL_SILENT_SECONDS if stage.account.is_local else SILENT_SECONDS
    silent.create({"Silent": stage.probe.resource(ServiceTimeout=timeout, Answer="NOTHING")})
    form.create(_form(stage, "1"))
    form.end()
    form.update(_form(stage, "2"))
    form.end()
    created_at = stage.client("cloudformation").describe_stacks(StackName=form.stack_id)["Stacks"][0]["CreationTime"]
    form.delete()
    form.end()
    received = form.received()
    for type_ in KEYS:  # all three must have come
        request(received, type_, "Text")
    yield place(received)
    yield response_url(received, stage.account)
    yield service_token(received)
    yield scalars(request(received, "Create", "Text"))
    yield keys(received)
    yield stack_id(form.stack_id, created_at)
    ended = silent.end()
    yield from given_up(request(silent.received(), "Create", "Silent"), ended, timeout)


def _form(stage: Stage, value: str) -> dict[str, Any]:
    return {
        "Text": stage.probe.resource(ServiceTimeout="299", Value=value, **_SENT),
        "Number": stage.probe.resource(ServiceTimeout=299, Value=value),
    }


# ----------------------------------------------------------------------------------------------------------- judgements


def place(received: list[Received]) -> Finding:
    places = {
        f"{one.type}, declared as a {one.logical_id.lower()}": [
            one.event.get("ServiceTimeout"),
            one.event["ResourceProperties"].get("ServiceTimeout"),
        ]
        for one in received
    }
    wrong = {kind: found for kind, found in places.items() if found != ["299", "299"]}
    told = "; ".join(f"{kind}: top level {top!r}, property {below!r}" for kind, (top, below) in wrong.items())
    return judged(
        "service-timeout-place",
        "ServiceTimeout is a text, at the event's top level and in ResourceProperties",
        told or f"so in all {len(places)} kinds of requests",
        holds=not wrong,
        top_level_and_property=places,
    )


def response_url(received: list[Received], account: Account) -> Finding:
    home = Home(account.partition, account.region, account.number)
    suffix = dns_suffix(boto3.session.Session(region_name=account.region))
    accepts = response_hosts(home, suffix, account.application_parameters.get("ResponseHost", ""))
    hosts = {one.seen["url"]["host"] for one in received}
    dates = all(one.seen["url"]["X-Amz-Date"] for one in received)
    lives = {one.seen["url"]["X-Amz-Expires"] for one in received}
    return judged(
        "response-url",
        "the ResponseURL has an X-Amz-Date, is valid for 7,200 or 7,199 s, and its host is one that the function accepts",
        f"X-Amz-Date: {'yes' if dates else 'missing'}; X-Amz-Expires: {_sorted(lives)}; host: {_sorted(hosts)}",
        holds=dates
        and lives <= {str(one) for one in request_shape.EXPIRES_SECONDS}
        and all(accepts(f"https://{host}/") for host in hosts),
        expires=sorted(map(str, lives)),
        hosts=[] if account.is_local else sorted(hosts),
    )


def service_token(received: list[Received]) -> Finding:
    missing = {
        f"{one.type}: {where}"
        for one in received
        for where in ("ResourceProperties", *(["OldResourceProperties"] if one.type == "Update" else []))
        if one.event.get(where, {}).get("ServiceToken") != one.event["ServiceToken"]
    }
    return judged(
        "service-token-twice",
        "ServiceToken stands at the top, in ResourceProperties, and in OldResourceProperties",
        f"missing: {_sorted(missing)}" if missing else "it stands there",
        holds=not missing,
        missing=sorted(missing),
    )


def scalars(created: Received) -> Finding:
    got = {name: created.event["ResourceProperties"].get(name) for name in _SENT}
    wrong = {name: value for name, value in got.items() if value != _AS_TEXT[name]}
    return judged(
        "scalars-as-text",
        "numbers and truth values arrive as text; lists and maps keep their shape",
        f"otherwise: {wrong}" if wrong else "so in all properties",
        holds=not wrong,
        sent=_SENT,
        got=got,
    )


def keys(received: list[Received]) -> Finding:
    wrong = {one.type: sorted(set(one.event) ^ KEYS[one.type]) for one in received if set(one.event) != KEYS[one.type]}
    return judged(
        "request-keys",
        "an event has the keys of CloudFormation's reference, ServiceTimeout, and no more",
        f"missing or new: {wrong}" if wrong else "so in all three types",
        holds=not wrong,
        missing_or_new=wrong,
    )


def stack_id(stack_id_: str, created_at: datetime) -> Finding:
    unique = UUID(stack_id_.rpartition("/")[2])
    before: float | None = None
    if unique.version == 1:
        before = round((created_at - request_shape.time_of(str(unique))).total_seconds(), 3)
    return judged(
        "stack-id-time",
        f"a StackId ends in a version 1 UUID, whose time is at most {ID_BEFORE_CREATION_SECONDS:.0f} s before CreationTime",
        f"version {unique.version}" + ("" if before is None else f", {before} s before"),
        holds=before is not None and 0 <= before <= ID_BEFORE_CREATION_SECONDS,
        version=unique.version,
        seconds_before_creation=before,
    )


def given_up(silent: Received, ended: Stack, timeout: int) -> Iterator[Finding]:
    """`ended`: after its creation failed. `timeout`: its ServiceTimeout, in seconds."""
    failed = _failure(ended, silent.logical_id)
    after = round((failed["Timestamp"] - silent.made_at) / timedelta(seconds=1), 1)
    reason = str(failed.get("ResourceStatusReason", ""))
    yield judged(
        "service-timeout-ends",
        f"without an answer the request fails {timeout} to {timeout + SLACK_SECONDS} s after X-Amz-Date",
        f"{after} s after it",
        holds=timeout <= after <= timeout + SLACK_SECONDS,
        service_timeout=timeout,
        failed_after_seconds=after,
    )
    request_id = silent.event["RequestId"]
    known = (
        "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId "
        f"[{request_id}]."
    )
    yield judged("no-answer-text", known, reason, holds=reason.startswith(known.removesuffix(".")), reason=reason)


def _failure(stack: Stack, logical_id: str) -> Mapping[str, Any]:
    for event in stack.events:
        if event["LogicalResourceId"] == logical_id and event["ResourceStatus"].endswith("_FAILED"):
            return event
    raise DidNotCome(f"a failure of {logical_id}")


def _sorted(texts: set[str]) -> str:
    return ", ".join(sorted(map(str, texts)))


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "requests",
        "The form of requests, and when CloudFormation stops waiting",
        (
            "service-timeout-place",
            "response-url",
            "service-token-twice",
            "scalars-as-text",
            "request-keys",
            "stack-id-time",
            "service-timeout-ends",
            "no-answer-text",
        ),
        makes="2 stacks",
        deadline_seconds=150,
        play=requests,
    ),
)
