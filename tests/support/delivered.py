"""One request in a world, delivered once, and once more."""

from collections.abc import Mapping
from typing import Any

from imported_key_material.errors import Leave
from lab.world import World

MINUTE = 60.0


def carried_out(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """The first delivery: it succeeds, and CloudFormation takes the answer. A minute passes."""
    answer = world.invoke(event)
    if answer is None or answer["Status"] != "SUCCESS":
        raise AssertionError(answer)
    world.settle(event, answer)
    world.clock.advance(MINUTE)
    return answer


def delivered_again(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the second delivery; {} if the function sends none. KMS has not changed."""
    before = world.snapshot()
    try:
        answer = world.invoke(event)
    except Leave:
        answer = None
    if world.snapshot() != before:
        raise AssertionError("The second delivery has changed something.")
    return answer or {}
