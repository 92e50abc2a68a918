"""Values that hold secrets do not show them: no repr of the package's classes, and no object that exists during a call.

A repr comes out where nobody expects it: in a debugger, an error reporter, a future f-string.
"""

import base64
import dataclasses
import gc
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, TypeAliasType, get_args, get_origin, get_type_hints
from urllib.parse import quote

import pytest

import imported_key_material
from imported_key_material import properties
from imported_key_material.aws import import_parameters, secret
from imported_key_material.cloudformation import lambda_failure, request
from imported_key_material.material import der, pem, proof, secret_value, words
from lab.keys.canaries import PIECE_BYTES, Canaries
from lab.wire.faults import Moment
from tests.support.planted import KEY, KINDS

pytestmark = pytest.mark.slow

PACKAGE = imported_key_material.__name__


def classes_of_the_package():
    for module in pkgutil.walk_packages(imported_key_material.__path__, f"{PACKAGE}."):
        if module.name.endswith("app"):  # they make clients when they are imported, and have no class
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(value) and value.__module__ == module.name:
                yield pytest.param(value, id=f"{module.name.removeprefix(f'{PACKAGE}.')}.{name}")


# The fields that a repr may show although they hold text, bytes or anything. Somebody has checked each: AWS's ids and names,
# our words, sentences, public values. Never a secret's content, a user's property, or an event.
LOOKED_AT = {
    "Advice": {"problem", "what_to_do", "commands"},  # our sentences, with AWS's ids and names in them
    "Answer": {"physical_id", "data"},
    "Cause": {"problem", "remedy"},
    "CipherKey": {"cipher"},
    "ConsentTags": {"stack_name"},
    "Digest": {"subject", "body"},
    "Ended": {"request_type", "request_id", "stack_id", "logical_id", "physical_id"},
    "EcKey": {"curve", "curve_words", "oid"},
    "ExpectedCheckValue": {"text", "_digits"},
    "Estate": {"stacks"},
    "Event": {"logical_id", "physical_id", "status"},
    "Evidence": {"material_ids"},
    "Fault": {"where", "problem", "remedy", "found_in"},
    "Finding": {"aliases", "denied"},
    "ExternalKey": {"aliases", "unread"},
    "FoundSecret": {"arn", "name"},
    "FreshInvocation": {"_function_arn"},
    "Holder": {"logical_id", "physical_id"},
    "HeldMaterial": {"id", "state"},
    "HiddenKey": {"aliases"},
    "HoldingResource": {"stack", "logical_id"},
    "Home": {"partition", "region", "account"},
    "ImportParameters": {"_key_arn", "_algorithm"},
    "KeyChange": {"kept_id", "physical_id"},
    "KeySpec": {"name", "usages", "wrapping", "no_oaep_under"},
    "KeyView": {
        *("arn", "spec", "usage", "origin", "state", "expiration_model", "current_material_id", "replica_regions"),
        "multi_region",
    },
    "KmsKey": {"arn"},
    "MacKey": {"hash_name"},
    "Meaning": {"cause", "remedy", "where"},
    "OnFailure": {"dns_suffix", "response_host"},
    "Past": {"stack_id", "logical_id"},
    "Prepared": {"wrapping_algorithm", "secret_version_id", "place"},
    "Proof": {"mac_algorithm", "check_value"},
    "Purpose": {"failed_id", "kept_id"},
    "ReadMaterial": {"version_id", "place"},
    "Restoration": {"left"},
    "Request": {"request_id", "stack_id", "logical_id", "physical_id"},
    "SealedMaterial": {"key_arn"},
    "Sealed": {"version_id", "place"},
    "Settings": {"topic_arn", "export"},
    "ShownExpiry": {"model"},
    "Version": {"id"},
    "Verdict": {"check_value", "verified_check_value"},
    "Waited": {"outcome"},
    "Wiring": {"dns_suffix", "response_host"},
    "Words": set(words.Words._fields),  # our own phrases, of two tables
    "_Directive": {"values", "sets"},
    "_Method": {"name"},
}
WITH_A_REPR_OF_ITS_OWN = {"CheckedMaterial"}  # tests/unit/material/test_material_check.py has looked at it
HOLDS_NO_SECRET = (bool, int, float, datetime, Enum, type(None), Callable)


@pytest.mark.parametrize("class_", list(classes_of_the_package()))
def test_no_class_shows_a_field_in_which_a_secret_may_be(class_):
    assert told_by(class_) - LOOKED_AT.get(class_.__name__, set()) == set()


def told_by(class_):
    """The fields in an instance's repr that may be text, bytes or anything; or the repr itself, if the class writes its own."""
    own = class_.__repr__
    if own is object.__repr__ or issubclass(class_, (BaseException, Enum)) or getattr(class_, "_is_protocol", False):
        return set()
    if dataclasses.is_dataclass(class_) and "__repr__" in vars(class_):
        shown = {field.name for field in dataclasses.fields(class_) if field.repr}
    elif issubclass(class_, tuple):
        shown = set(getattr(class_, "_fields", ()))  # the items of any other tuple are checked by themselves
    else:
        return set() if class_.__name__ in WITH_A_REPR_OF_ITS_OWN else {"__repr__"}
    hints = get_type_hints(class_)
    return {name for name in shown if any(may_hold_a_secret(leaf) for leaf in leaves(hints[name]))}


def leaves(hint):
    """The classes of which a type is made up."""
    if isinstance(hint, TypeAliasType):
        yield from leaves(hint.__value__)
    elif get_origin(hint) is Callable or not get_args(hint):
        yield get_origin(hint) or hint
    else:
        for inner in get_args(hint):
            yield from leaves(inner)


def may_hold_a_secret(leaf):
    """The package's own classes are checked by themselves; an unknown class may hold anything."""
    own = getattr(leaf, "__module__", "").startswith(PACKAGE)
    return not own and leaf is not ... and not (inspect.isclass(leaf) and issubclass(leaf, HOLDS_NO_SECRET))


@pytest.mark.parametrize(
    "class_",
    [
        *(der.Element, der.Shape, pem.Block, pem.PemKey, secret_value.RawValue, secret_value.PemValue),
        *(properties.Properties, properties.SecretWrapping, secret.Source, lambda_failure.GivenUp),
        *(import_parameters.SealedMaterial, import_parameters.ImportParameters, proof.Proof, request.Request),
    ],
    ids=lambda class_: class_.__name__,
)
def test_a_class_that_would_show_what_it_holds_is_found(class_):
    hints = get_type_hints(class_)
    shown = dataclasses.make_dataclass(
        class_.__name__, [(each.name, hints[each.name]) for each in dataclasses.fields(class_)]
    )

    assert told_by(shown) - LOOKED_AT.get(class_.__name__, set()) != set()


def test_what_was_looked_at_is_still_there():
    """A row without its class would excuse the next class of that name."""
    classes = {each.values[0].__name__: each.values[0] for each in classes_of_the_package()}

    assert {
        name: shown - told_by(classes[name]) for name, shown in LOOKED_AT.items() if shown - told_by(classes[name])
    } == {}


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
    assert {"Request", "Properties", "KeyView", "Job", "SealedMaterial"} <= set(shown)
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
    with pytest.raises(ValueError, match=r"^The canary is too short: it could be found by chance[.]$"):
        Canaries(word="eleven char")
