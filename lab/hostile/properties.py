"""Declarations as large as an event can be: lists without an end, names by the thousand, texts, numbers, depth."""

import itertools
import string
from typing import Any, Final

from lab.hostile.row import Event, Hostile, declaration, nested
from lab.keys.random_keys import random_key
from lab.world import World

FITS_NOT: Final = "The value does not fit the property's rule."
LIST: Final = f"PreviousSecretVersionIds: {FITS_NOT} It must be a list of 1 to 25 different version ids of the secret."
RESOLVE: Final = "{{resolve:secretsmanager:x}}"
ENDLESS: Final = 900_000
KEY_ID: Final = "1234abcd-12ab-34cd-56ef-1234567890ab"


def names(count: int, beginning: str = "SecretVersionSta") -> list[str]:
    letters = itertools.product(string.ascii_uppercase, repeat=4)
    return [beginning + "".join(each) for each in itertools.islice(letters, count)]


def versions(*items: Any) -> dict[str, Any]:
    return {"PreviousSecretVersionIds": list(items)}


def _list(name: str, item: Any, count: int) -> Hostile:
    return declaration(f"a list of {count:,} items: {name}", LIST, lambda: versions(*[item] * count))


def _text(name: str, value: str, said: str = FITS_NOT) -> Hostile:
    return declaration(f"{name} without an end", said, lambda: {name: value})


def _updated(world: World) -> Event:
    """An Update whose old properties are as large as its new ones."""
    key = world.external_key()
    declared: dict[str, Any] = {"SecretId": world.secret(random_key(32)).name}
    created = world.create_request(key, **declared)
    world.settle(created, world.invoke(created) or {})
    world.before["Material"] |= dict.fromkeys(names(8_000), RESOLVE)
    world.clock.advance(10)
    declared |= dict.fromkeys(names(8_000), RESOLVE)
    return world.update_request(key, **declared)


def _deleted(world: World, **more: Any) -> Event:
    key = world.external_key()
    created = world.create_request(key, SecretId=world.secret(random_key(32)).name)
    world.settle(created, world.invoke(created) or {})
    world.before["Material"] |= more
    return world.delete_request()


def within_objects(depth: int) -> object:
    inner: object = RESOLVE
    for _ in range(depth):
        inner = {"a": inner}
    return inner


ROWS: Final[tuple[Hostile, ...]] = (
    # --- lists
    _list("a short text", "v", 25_000),
    _list("a short text", "v", 200_000),
    _list("a version id", "v" * 32, 25_000),
    _list("a number", 1, 300_000),
    _list("an object", {}, 300_000),
    _list("a list", [], 300_000),
    _list("a reference", RESOLVE, 30_000),
    declaration(
        "a list of 25,000 different items", LIST, lambda: versions(*(f"{number:032}" for number in range(25_000)))
    ),
    declaration(
        "a list of 40,000 numbers of one hash",
        LIST,
        lambda: versions(*(number * (2**61 - 1) for number in range(1, 40_000))),
    ),
    declaration(
        "a list of 25 numbers of one hash",
        "25 things are wrong",
        lambda: versions(*(number * (2**61 - 1) for number in range(25))),
    ),
    declaration(
        "a list of 25 long texts",
        "25 things are wrong",
        lambda: versions(*(f"{number}" * 18_000 for number in range(10, 35))),
    ),
    declaration(
        "a list of 25 lists of 8,000 items", "25 things are wrong", lambda: versions(*[list(range(8_000))] * 25)
    ),
    declaration("lists within lists, 900 deep", "PreviousSecretVersionIds.0: ", lambda: versions(nested(900))),
    declaration(
        "lists within lists, 100,000 deep",
        "PreviousSecretVersionIds.0: ",
        lambda: versions(nested(100_000)),
        as_json=False,
    ),
    declaration("a list of everything", LIST, lambda: versions(*[1, "v", None, True, {}, [], 1.5, nested(50)] * 5_000)),
    # --- names
    declaration(
        "misspelt names by the thousand",
        "There is no such property. Is it SecretVersionStage?",
        lambda: dict.fromkeys(names(36_000), ""),
    ),
    declaration(
        "references in names by the thousand", "17,021 things are wrong", lambda: dict.fromkeys(names(17_000), RESOLVE)
    ),
    declaration(
        "misspelt names within SecretWrapping",
        "SecretWrapping.Algorithm: The property is missing",
        lambda: {"SecretWrapping": dict.fromkeys(names(36_000), "")},
    ),
    declaration(
        "references in names within SecretWrapping",
        "are not listed here",
        lambda: {"SecretWrapping": dict.fromkeys(names(17_000), RESOLVE)},
    ),
    declaration(
        "names that are no names",
        "more properties that this resource does not have",
        lambda: {f"\ud800{number}": "" for number in range(50_000)},
    ),
    declaration(
        "a name without an end",
        "There is a property that this resource does not have",
        lambda: {"a" * ENDLESS: ""},
    ),
    declaration(
        "names of forty letters",
        "There is no such property",
        lambda: dict.fromkeys(names(20_000, "PreviousSecretVersionIdsPreviousSecr"), ""),
    ),
    # --- references
    declaration(
        "a list of references", "Trigger: The value contains {{resolve:", lambda: {"Trigger": [RESOLVE] * 30_000}
    ),
    declaration(
        "a reference within lists, 900 deep",
        "SecretWrapping.KeyId: The value contains",
        lambda: {"SecretWrapping": {"Algorithm": "x", "KeyId": nested(900, RESOLVE)}},
    ),
    declaration("objects within objects, 900 deep", "Trigger: ", lambda: {"Trigger": within_objects(900)}),
    declaration(
        "beginnings of references",
        "SecretJsonKey: The value contains",
        lambda: {"SecretJsonKey": "{{resolve:" * 90_000},
    ),
    # --- texts
    _text("KeyId", "a" * ENDLESS),
    _text("SecretId", "a" * ENDLESS),
    _text("SecretVersionId", "a" * ENDLESS),
    _text("SecretVersionStage", "a" * ENDLESS),
    _text("SecretJsonKey", "a" * ENDLESS),
    _text("MaterialEncoding", "a" * ENDLESS),
    _text("WrappingAlgorithm", "RSAES_OAEP_SHA_256" * 50_000),
    _text("NewMaterial", "a" * ENDLESS),
    _text("ValidTo", "2030-01-31T12:00:00." + "0" * ENDLESS),
    _text("ValidForDays", "3" * ENDLESS),
    _text("ServiceTimeout", "3" * (ENDLESS // 2)),  # an event has it twice
    _text("KeyMaterialDescription", "a" * ENDLESS + "!"),
    _text("ExpectedCheckValue", "CMAC:" + "0" * ENDLESS),
    _text("Trigger", "\u9375" * (ENDLESS // 6)),
    declaration(
        "a Region without an end in KeyId",
        FITS_NOT,
        lambda: {"KeyId": f"arn:aws:kms:{'a' * ENDLESS}:111122223333:key/{KEY_ID}"},
    ),
    declaration(
        "an alias without an end",
        FITS_NOT,
        lambda: {"SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": f"alias/{'a' * ENDLESS}"}},
    ),
    declaration(
        "a partition without an end",
        FITS_NOT,
        lambda: {
            "SecretWrapping": {
                "Algorithm": "SYMMETRIC_DEFAULT",
                "KeyId": f"arn:aws{'-' * ENDLESS}:kms:x:111122223333:key/{KEY_ID}",
            }
        },
    ),
    declaration(
        "an endless text in every property",
        "things are wrong",
        lambda: dict.fromkeys(
            (
                "KeyId",
                "SecretId",
                "SecretVersionId",
                "SecretJsonKey",
                "Trigger",
                "ValidTo",
                "ValidForDays",
                "ExpectedCheckValue",
            ),
            "a" * 100_000,
        ),
    ),
    # --- numbers
    declaration("a number of 4,000 digits", FITS_NOT, lambda: {"ValidForDays": 10**4_000}),
    declaration("an infinite number", FITS_NOT, lambda: {"ValidForDays": float("inf"), "ServiceTimeout": float("nan")}),
    # --- requests
    Hostile("declaration: an Update with as much before as after", "8,021 things are wrong", _updated),
    Hostile(
        "declaration: a Delete with names by the thousand",
        "",
        lambda world: _deleted(world, **dict.fromkeys(names(17_000), RESOLVE)),
        ends="SUCCESS",
    ),
    Hostile(
        "declaration: a Delete with a ServiceTimeout without an end",
        "",
        lambda world: _deleted(world, ServiceTimeout=nested(100_000)),
        ends="SUCCESS",
        as_json=False,
    ),
    Hostile(
        "declaration: a Delete with a ServiceTimeout of many items",
        "",
        lambda world: _deleted(world, ServiceTimeout=[1] * 300_000),
        ends="SUCCESS",
    ),
)
