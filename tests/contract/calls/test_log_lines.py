"""Every line of an invocation's log bears the request's id: an answer may say that the log has the place under it.

By the deployed entry point, `app.py`: its logger writes JSON for each thing that is told, by whichever module.
"""

import json
import re

import pytest

from imported_key_material.aws import import_parameters
from tests.support.planted import raw

KEYS = ("request_id", "stack_id", "logical_id")


def lines(out):
    """The fields of each line that the function logged; here each is spread over several (POWERTOOLS_DEV)."""
    decoder = json.JSONDecoder()
    return [decoder.raw_decode(out, found.start())[0] for found in re.finditer(r'^\{\s*"level"', out, re.MULTILINE)]


def named(event):
    return tuple(event[name] for name in ("RequestId", "StackId", "LogicalResourceId"))


def in_each(logged):
    return {tuple(line.get(key) for key in KEYS) for line in logged}


def test_every_line_bears_the_ids_of_its_own_request(world, app):
    created = raw(world).create(world)
    first = app.everything_from(created)
    world.settle(created, {"Status": "SUCCESS", "PhysicalResourceId": created["ResourceProperties"]["KeyId"]})
    world.clock.advance(10)
    deleted = world.delete_request()

    second = app.everything_from(deleted)

    assert [line["message"] for line in lines(first)][:1] == ["imported"]
    assert in_each(lines(first)) == {named(created)}
    assert in_each(lines(second)) == {named(deleted)}


def test_the_place_of_a_defect_stands_under_the_request_s_id(world, app, monkeypatch):
    def broken(*_):
        raise ValueError

    monkeypatch.setattr(import_parameters.wrapping, "wrap", broken)
    event = raw(world).create(world)

    logged = lines(app.everything_from(event))

    (place,) = [line for line in logged if line["level"] == "ERROR"]
    assert place["message"].startswith("The function met an error of its own, ValueError. ValueError at ")
    assert in_each([place]) == {named(event)}


@pytest.mark.parametrize("changes", [{"RequestType": "Import"}, {"RequestId": "../x"}])
def test_an_event_that_is_no_request_does_not_stand_under_the_id_of_the_one_before(world, app, changes):
    event = raw(world).create(world)
    app.everything_from(event)

    (line,) = lines(app.everything_from(event | changes))

    assert line["message"].startswith("Nothing was done, and nobody was answered.")
    assert in_each([line]) == {(None, None, None)}
