"""Values that hold secrets do not show them: no repr of the package's dataclasses, and nothing that is alive during a call.

A repr comes out where nobody thinks of it: in a debugger, an error reporter, an f-string of tomorrow.
"""

import base64
import dataclasses
import gc
import importlib
import inspect
import json
import pkgutil
from typing import Any
from urllib.parse import quote

import pytest

import imported_key_material
from tests.support.canaries import PIECE_BYTES, Canaries
from tests.support.faults import Moment
from tests.support.planted import KEY, KINDS

PACKAGE = imported_key_material.__name__


def dataclasses_of_the_package():
    for module in pkgutil.iter_modules(imported_key_material.__path__):
        if module.name in ("app", "on_failure_app"):  # they make clients when they are imported, and have no class
            continue
        for name, value in vars(importlib.import_module(f"{PACKAGE}.{module.name}")).items():
            if (
                inspect.isclass(value)
                and value.__module__ == f"{PACKAGE}.{module.name}"
                and dataclasses.is_dataclass(value)
            ):
                yield pytest.param(value, id=f"{module.name}.{name}")


# What a repr may show of a field that holds bytes or whatever comes: nothing secret is in these.
HARMLESS = {("EcKey", "oid"), ("Answer", "data")}


@pytest.mark.parametrize("class_", list(dataclasses_of_the_package()))
def test_no_dataclass_shows_a_field_that_holds_bytes_or_whatever_comes(class_):
    shown = [field for field in dataclasses.fields(class_) if field.repr] if "__repr__" in vars(class_) else []

    telling = [field.name for field in shown if may_hold_secrets(field.type)]

    assert [name for name in telling if (class_.__name__, name) not in HARMLESS] == []


TELLING = ("bytes", "bytearray", "Any", "CheckedMaterial", "Mapping")


def may_hold_secrets(type_: object) -> bool:
    """Bytes, the checked material, and values of any type: those come from events and from AWS."""
    words = repr(type_)
    return "Callable" not in words and any(word in words for word in TELLING)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_alive_while_the_function_calls_aws_shows_a_secret(world, kind):
    """Every value of the package at each of its calls, from the event to the answer."""
    secret = kind(world)
    event = secret.create(world)
    shown: dict[str, str] = {}
    of_other_tests = [value for value in gc.get_objects() if is_ours(value)]  # kept, so that no id is another's
    known = set(map(id, of_other_tests))

    def look(_call: Any, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            alive = (value for value in gc.get_objects() if is_ours(value) and id(value) not in known)
            shown.update({type(value).__name__: repr(value) for value in alive})

    world.aws.hooks.append(look)
    answer = world.invoke(event)

    assert answer["Status"] == "SUCCESS"
    assert {"Request", "Properties", "KeyView", "Operation", "SealedMaterial"} <= set(shown)
    assert secret.canaries.found_in(*shown.values()) == {}


def is_ours(value: object) -> bool:
    return str(getattr(type(value), "__module__", "")).startswith(PACKAGE)


# ------------------------------------------------------------------------------------------------------------- the search

CANARY = bytes(KEY)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda value: value, id="as it is"),
        pytest.param(lambda value: value.decode("latin-1"), id="as text"),
        pytest.param(bytes.hex, id="hex"),
        pytest.param(lambda value: value.hex().upper(), id="hex in capitals"),
        pytest.param(lambda value: value.hex(":"), id="hex with colons"),
        pytest.param(lambda value: base64.b64encode(value).decode(), id="base64"),
        pytest.param(lambda value: base64.b64encode(b"1" + value).decode(), id="base64 behind one byte"),
        pytest.param(lambda value: base64.b64encode(b"12" + value + b"3").decode(), id="base64 between others"),
        pytest.param(lambda value: base64.urlsafe_b64encode(value).decode(), id="base64 of the URL alphabet"),
        pytest.param(lambda value: base64.encodebytes(b"x" * 47 + value).decode(), id="base64 in lines"),
        pytest.param(lambda value: str(list(value)), id="a list of numbers"),
        pytest.param(lambda value: json.dumps({"data": list(value)}, separators=(",", ":")), id="numbers in JSON"),
        pytest.param(repr, id="as Python writes it"),
        pytest.param(lambda value: repr({"x": bytearray(value)}), id="a bytearray in a dict"),
        pytest.param(lambda value: json.dumps(value.decode("latin-1")), id="escaped in JSON"),
        pytest.param(quote, id="in a URL"),
        pytest.param(lambda value: value[3 : 3 + PIECE_BYTES + 4].hex(), id="half of it"),
        pytest.param(lambda value: repr(value[-(PIECE_BYTES + 4) :]), id="its end"),
    ],
)
def test_what_is_planted_is_found_however_it_is_written(written):
    text = written(CANARY)

    around = ("before ", " after") if isinstance(text, str) else (b"before ", b" after")

    assert Canaries(material=CANARY).found_in(around[0] + text + around[1]).keys() == {"material"}


def test_what_is_not_there_is_not_found():
    other = CANARY[::-1]

    assert (
        Canaries(material=CANARY).found_in(other, other.hex(), repr(other), base64.b64encode(other), str(list(other)))
        == {}
    )


def test_a_canary_that_chance_may_bring_is_none():
    with pytest.raises(ValueError, match=r"^A canary so short is found by chance[.]$"):
        Canaries(word="eleven char")
