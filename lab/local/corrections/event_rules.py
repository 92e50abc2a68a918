"""Invokes functions for EventBridge's rules, as EventBridge does; and lets a test fire a rule that has a schedule.

AWS does the following, and MiniStack does not (EventBridge User Guide, "Event targets"): EventBridge invokes a function
asynchronously, so an error is tried again.

A schedule of twelve hours is of no use in a test. So a POST to PATH and the rule's name fires it at once: its targets get the
event that they would get at its time.

Not shown here: whether the function's policy lets EventBridge invoke it.
"""

import json
import time
from typing import Any
from urllib.parse import unquote

import ministack.app
from ministack.core.responses import get_account_id, get_region, new_uuid, set_request_region
from ministack.services import eventbridge, lambda_svc

PATH = "/_ministack/fire-rule/"  # REGION/RULE


def apply() -> None:
    eventbridge._dispatch_to_lambda = to_lambda
    other_shortcuts = ministack.app._handle_post_body_shortcuts

    async def shortcuts(method: str, path: str, *more: Any) -> Any:
        if method == "POST" and path.startswith(PATH):
            region, _, rule = unquote(path.removeprefix(PATH)).partition("/")
            set_request_region(region)
            return fire(rule)
        return await other_shortcuts(method, path, *more)

    ministack.app._handle_post_body_shortcuts = shortcuts


def to_lambda(arn: str, payload: str) -> None:
    function, config, _name = lambda_svc._get_func_record_for_ref(arn)
    if function is not None and config is not None:
        lambda_svc.invoke_async_with_retry(
            lambda_svc._execution_record_for_config(function, config), json.loads(payload)
        )


def fire(name: str) -> tuple[int, dict[str, str], bytes]:
    key = eventbridge._rule_key(name, "default")
    rule = eventbridge._rules.get(key)
    if rule is None or not rule.get("ScheduleExpression") or rule["State"] != "ENABLED":
        return 404, {}, b"there is no enabled rule of this name with a schedule"
    event = {
        "EventId": new_uuid(),
        "Source": "aws.events",
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "EventBusName": "default",
        "Time": int(time.time()),
        "Resources": [rule["Arn"]],
        "Account": get_account_id(),
        "Region": get_region(),
    }
    for target in eventbridge._targets.get(key) or []:
        eventbridge._invoke_target(target, event, rule)
    return 200, {}, b""
