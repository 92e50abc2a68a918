"""A hostile input: its name, how its event is made, and what the function says to it.

Secrets have up to 65,536 bytes, and events that Lambda takes asynchronously up to a megabyte. Each row is as large or as
costly as possible. Its name says what it attacks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from lab.keys.random_keys import random_key
from lab.world import World

SECRET_MOST_BYTES: Final = 65_536
EVENT_MOST_BYTES: Final = 1_000_000

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hostile:
    """`said`: a part of the reason, or of the log if nobody is answered ("LEFT"). `ends`: FAILED, SUCCESS or LEFT.

    `as_json`: the event is parsed from JSON, as on Lambda. False if it is nested too deep for a JSON parser.
    """

    name: str
    said: str
    make: Callable[[World], Event]
    ends: str = "FAILED"
    as_json: bool = True


def secret(
    name: str,
    said: str,
    value: Callable[[], bytes | str],
    *,
    spec: str = "SYMMETRIC_DEFAULT",
    ends: str = "FAILED",
    **declared: Any,
) -> Hostile:
    """A row whose secret is hostile."""

    def make(world: World) -> Event:
        made = value()
        size_bytes = len(made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass"))
        if size_bytes > SECRET_MOST_BYTES:
            raise ValueError(f"{name}: Secrets Manager takes no secret of {size_bytes:,} bytes.")
        return world.create_request(world.external_key(spec), SecretId=world.secret(made).name, **declared)

    return Hostile(f"secret: {name}", said, make, ends)


def declaration(
    name: str, said: str, declared: Callable[[], Mapping[str, Any]], *, ends: str = "FAILED", as_json: bool = True
) -> Hostile:
    """A row whose properties are hostile: a sound declaration, changed by `declared`."""

    def make(world: World) -> Event:
        sound = {"SecretId": world.secret(random_key(32)).name}
        return world.create_request(world.external_key(), **sound | dict(declared()))

    return Hostile(f"declaration: {name}", said, make, ends, as_json)


def mersenne(exponent: int) -> int:
    """2^exponent - 1: a known prime for some exponents."""
    return (1 << exponent) - 1


def nested(depth: int, inner: object = "x") -> object:
    for _ in range(depth):
        inner = [inner]
    return inner


def noise(characters: str, count: int) -> str:
    """Text that repeats in every run and has no pattern."""
    return "".join(Random(count).choices(characters, k=count))  # noqa: S311  # no key
