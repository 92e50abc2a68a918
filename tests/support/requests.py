"""A Create, an Update that imports again, and a Delete, each as CloudFormation has just made it."""

from collections.abc import Callable
from typing import Any

from lab.keys.random_keys import random_key
from lab.world import World

KEY = random_key(32)
SECRET = "orders/master-key"  # noqa: S105  # the name of one

Event = dict[str, Any]


def creating(world: World, **declared: Any) -> Event:
    return world.create_request(world.external_key(), SecretId=world.secret(KEY, SECRET).name, **declared)


def updating(world: World, **declared: Any) -> Event:
    key = _created(world)["ResourceProperties"]["KeyId"]
    return world.update_request(key, SecretId=SECRET, Trigger="2", **declared)


def deleting(world: World, **declared: Any) -> Event:
    _created(world, **declared)
    return world.delete_request()


def _created(world: World, **declared: Any) -> Event:
    event = creating(world, **declared)
    world.settle(event, world.invoke(event) or {})
    world.clock.advance(100)
    return event


REQUESTS: list[Callable[..., Event]] = [creating, updating, deleting]
