"""Deviations in the form of requests."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from ministack.services import cloudformation, lambda_svc
from ministack.services.cloudformation import changesets, handlers

from lab.cloudformation import request_shape
from lab.local.corrections import custom_resources

type Event = dict[str, Any]


def _events(change: Callable[[Event], None]) -> None:
    """Changes each event before its function gets it."""
    send = lambda_svc.invoke_async_with_retry

    def changed(function: Any, event: Event) -> None:
        if "ResponseURL" in event:
            event = {name: dict(value) if isinstance(value, dict) else value for name, value in event.items()}
            change(event)
        send(function, event)

    lambda_svc.invoke_async_with_retry = changed


def service_timeout_only_at_the_top() -> None:
    _events(lambda event: event["ResourceProperties"].pop("ServiceTimeout", None))


def a_new_key_in_events() -> None:
    _events(lambda event: event.update(OperationId="1"))


def no_service_token_in_the_old_properties() -> None:
    _events(lambda event: event.get("OldResourceProperties", {}).pop("ServiceToken", None))


def truth_values_stay() -> None:
    as_strings = custom_resources.as_strings

    def changed(value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, dict):
            return {key: changed(item) for key, item in value.items()}
        return as_strings(value)

    custom_resources.as_strings = changed


def rollbacks_go_forward_again() -> None:
    """A rollback's Update is the forward one again, if that succeeded."""

    def change(event: Event) -> None:
        stack = cloudformation._stacks[event["StackId"].split("/")[1]]
        new, old = event["ResourceProperties"], event.get("OldResourceProperties", {})
        if stack["StackStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS" and "Answer" not in {**new, **old}:
            event["ResourceProperties"], event["OldResourceProperties"] = old, new

    _events(change)


def response_urls_for_an_hour() -> None:
    request_shape.EXPIRES_SECONDS = (3600, 3600)


def random_stack_ids() -> None:
    for module in (handlers, changesets):
        module.new_uuid = lambda: str(uuid4())


DEVIATIONS = {
    one.__name__: one
    for one in (
        service_timeout_only_at_the_top,
        a_new_key_in_events,
        no_service_token_in_the_old_properties,
        truth_values_stay,
        rollbacks_go_forward_again,
        response_urls_for_an_hour,
        random_stack_ids,
    )
}
