"""Deviations in what is made of answers, or of none."""

import threading
from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import stacks

from lab.local.corrections import custom_resources, stack_statuses

SECOND_ANSWER_SECONDS = 1.0


def the_last_answer_counts() -> None:
    """FAILED counts only if no second answer follows within a second."""
    take_answer = custom_resources.take_answer
    first: dict[str, bytes] = {}

    def changed(name: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]) -> Any:
        if b'"FAILED"' not in body:
            first.pop(name, None)
            return take_answer(name, headers, body, query)
        first[name] = body

        def later() -> None:
            if first.pop(name, None) is not None:
                take_answer(name, headers, body, query)

        threading.Timer(SECOND_ANSWER_SECONDS, later).start()
        return 200, {}, b""

    custom_resources.take_answer = changed


def answers_of_4097_bytes_are_taken() -> None:
    custom_resources.ANSWER_MAX_BYTES += 1


def the_id_of_a_failed_answer_is_dropped() -> None:
    """Of an Update's."""
    update = stack_statuses._update

    def changed(resource_type: str, physical_id: str, *more: Any) -> Any:
        try:
            return update(resource_type, physical_id, *more)
        except custom_resources.Refused as refused:
            refused.physical_id = physical_id
            raise

    stack_statuses._update = changed


def half_of_service_timeout() -> None:
    seconds = custom_resources._service_timeout_seconds
    custom_resources._service_timeout_seconds = lambda properties: seconds(properties) // 2


def another_text_for_no_answer() -> None:
    class NotAnswered(custom_resources.NotAnswered):
        def __init__(self, _text: str, physical_id: str | None) -> None:
            super().__init__("Custom Resource failed to stabilize in expected time", physical_id)

    custom_resources.NotAnswered = NotAnswered  # type: ignore[assignment, misc]  # on purpose


def a_clean_up_is_not_tried_again() -> None:
    stack_statuses.CLEANUP_TRIES = 1


def old_properties_of_the_failed_update() -> None:
    """The update that follows a failed one with --disable-rollback has the failed update's properties as the old ones."""
    update = stacks._update_resource
    failed: dict[tuple[str, str], Any] = {}

    def changed(  # the signature of what it replaces
        resource_type: str, physical_id: str, old: Any, new: Any, stack_name: str, logical_id: str, *more: Any
    ) -> Any:
        key = (stack_name, logical_id)
        before = failed.pop(key, old)
        try:
            return update(resource_type, physical_id, before, new, stack_name, logical_id, *more)
        except custom_resources.Refused:
            if logical_id == "Probe":  # the stacks that are rolled back have no resource of this name
                failed[key] = new
            raise

    stacks._update_resource = changed


DEVIATIONS = {
    one.__name__: one
    for one in (
        the_last_answer_counts,
        answers_of_4097_bytes_are_taken,
        the_id_of_a_failed_answer_is_dropped,
        half_of_service_timeout,
        another_text_for_no_answer,
        a_clean_up_is_not_tried_again,
        old_properties_of_the_failed_update,
    )
}
