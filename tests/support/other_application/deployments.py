"""Deviations of what Lambda gives up, and of more deployments."""

import json
from collections.abc import Callable
from typing import Any

from lab.live.account import LocalAccount
from lab.live.acts.application import lives
from lab.live.stage import Stage
from tests.support.other_application.stages import Findings, Stages

SHORT_TIMEOUT = "5"  # ServiceTimeout where nobody answers


class _Impatient(Stage):
    """Its resources are given up soon."""

    def material(self, key: Any, secret: str, version: str, **properties: Any) -> dict[str, Any]:
        return super().material(key, secret, version, **properties | {"ServiceTimeout": SHORT_TIMEOUT})


def an_on_failure_destination_that_is_not_reached_and_a_function_that_stays(stages: Stages) -> Findings:
    """Nobody answers what Lambda gives up; the product's own error about ServiceTimeout says nothing about memory."""

    def change(service: str, client: Any) -> None:
        if service == "lambda":
            client.delete_function = lambda **_request: {}
            client.put_function_concurrency = _without_destination(client, client.put_function_concurrency)

    return lives.given_up(stages.stage(change, _Impatient))


def _without_destination(client: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    def changed(**request: Any) -> Any:
        client.put_function_event_invoke_config(FunctionName=request["FunctionName"], MaximumRetryAttempts=1)
        return call(**request)

    return changed


def an_upgrade_that_breaks_the_function_and_a_name_that_is_not_given_again(stages: Stages) -> Findings:
    seen: list[str] = []

    def change(service: str, client: Any) -> None:
        if service == "cloudformation":
            client.update_stack = _broken_when_used(stages, client.update_stack)
            client.create_stack = _renamed(client.create_stack, seen)

    return lives.replaced(stages.stage(change))


def _broken_when_used(stages: Stages, call: Callable[..., Any]) -> Callable[..., Any]:
    def changed(**request: Any) -> Any:
        if "UsePreviousTemplate" not in request:  # the stack that the application serves
            material = json.loads(request["TemplateBody"])["Resources"]["Material"]
            LocalAccount(stages.settings).client("lambda").update_function_configuration(
                FunctionName=material["Properties"]["ServiceToken"], Handler=lives.NOT_LOADED
            )
        return call(**request)

    return changed


def _renamed(call: Callable[..., Any], seen: list[str]) -> Callable[..., Any]:
    """The second stack of a name gets a function of another name."""

    def changed(**request: Any) -> Any:
        if request["StackName"] in seen:
            for one in request["Parameters"]:
                if one["ParameterKey"] == "FunctionName":
                    one["ParameterValue"] += "-again"
        seen.append(request["StackName"])
        return call(**request)

    return changed
