"""Events whose own fields are hostile: what whoever may invoke the function can send."""

from typing import Any, Final

from lab.hostile.row import Event, Hostile, nested
from lab.keys.random_keys import random_key
from lab.world import World

NOBODY: Final = (
    "Nothing was done, and nobody was answered. The event is not a CloudFormation request: {} is missing or malformed."
)
ENDLESS: Final = 900_000


def _event(world: World, **changes: Any) -> Event:
    return world.create_request(world.external_key(), SecretId=world.secret(random_key(32)).name) | changes


def _malformed(name: str, value: Any, what: str = "without an end") -> Hostile:
    return Hostile(
        f"event: {name} {what}", NOBODY.format(name), lambda world: _event(world, **{name: value}), ends="LEFT"
    )


def _url(world: World) -> Event:
    """An address of the longest kind, with as many parameters as it has room for."""
    event = _event(world)
    return event | {"ResponseURL": event["ResponseURL"] + "&a=b" * 1_800}


def _physical_id(world: World) -> Event:
    return _event(world, RequestType="Delete", PhysicalResourceId="a" * ENDLESS)


ROWS: Final[tuple[Hostile, ...]] = (
    _malformed("RequestType", "Create" * 150_000),
    _malformed("StackId", "arn:aws:cloudformation:" + "a" * ENDLESS),
    _malformed("RequestId", "a" * ENDLESS),
    _malformed("LogicalResourceId", "a" * ENDLESS),
    _malformed("ResourceType", "Custom::" + "a" * ENDLESS),
    _malformed("ResponseURL", "https://" + "a" * ENDLESS),
    _malformed("ResourceProperties", [1] * 300_000, "that is a list"),
    _malformed("OldResourceProperties", "a" * ENDLESS, "that is a text"),
    Hostile("event: PhysicalResourceId without an end", NOBODY.format("PhysicalResourceId"), _physical_id, ends="LEFT"),
    Hostile("event: an address with parameters by the thousand", "", _url, ends="SUCCESS"),
    Hostile(
        "event: other fields without an end",
        "",
        lambda world: _event(world, **{f"F{n}": "a" * 9_000 for n in range(100)}),
        ends="SUCCESS",
    ),
    Hostile("event: other fields, 900 deep", "", lambda world: _event(world, Other=nested(900)), ends="SUCCESS"),
)
