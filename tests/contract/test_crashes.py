"""The environment dies at a call, and Lambda delivers the same request again: at any call, before and after its effect.

Truth lives in KMS, so that the second execution looks at the key and does what is missing. Nothing is written down between the
two. The calls are those that an undisturbed execution makes, so that no place is forgotten.
"""

import functools

import pytest

from tests.support.at_rest import encrypted, unwrap_key
from tests.support.faults import Moment
from tests.support.kms import ciphertext
from tests.support.random_keys import random_key
from tests.support.world import Crash, World

KEY = random_key(32)
LAMBDA_TRIES_AGAIN_AFTER_SECONDS = 60


def creating(world):
    """A Create from a wrapped secret: it makes every call that there is."""
    unwrap = unwrap_key(world, "SYMMETRIC_DEFAULT")
    secret = world.secret(encrypted(world, unwrap, KEY))
    wrapping = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": unwrap}
    return world.create_request(world.external_key(), SecretId=secret.name, SecretWrapping=wrapping)


def updating(world):
    """An Update that imports again, with an expiry."""
    created = creating(world)
    world.settle(created, world.invoke(created))
    world.clock.advance(5)
    properties = {name: value for name, value in created["ResourceProperties"].items() if name != "KeyId"}
    return world.update_request(created["ResourceProperties"]["KeyId"], **properties | {"ValidForDays": "30"})


def deleting(world):
    created = creating(world)
    world.settle(created, world.invoke(created))
    world.clock.advance(5)
    return world.delete_request()


@functools.cache
def calls_of(request):
    """The operations that an undisturbed execution asks for, in order."""
    with World() as world:
        event = request(world)
        before = len(world.aws.calls)
        world.invoke(event)
        return tuple(world.aws.operations()[before:])


def crashed_and_repeated(world, request, number, moment):
    """The answer of the second execution, in a new environment."""
    event = request(world)
    world.crash(number, moment)
    with pytest.raises(Crash):
        world.invoke(event)
    world.clock.advance(LAMBDA_TRIES_AGAIN_AFTER_SECONDS)
    return event, world.invoke(event)


def holds_key(world, key):
    blob = world.call("Encrypt", KeyId=key, Plaintext=b"opened outside")["CiphertextBlob"]
    return ciphertext.open_sealed(ciphertext.take_apart(blob), KEY, {}) == b"opened outside"


def everywhere(request):
    return [(number, moment) for number in range(len(calls_of(request))) for moment in Moment]


def test_the_requests_here_make_every_call_of_the_function():
    """What dies at no call is not tried here: a new call needs to be in one of these requests."""
    assert {*calls_of(creating), *calls_of(updating), *calls_of(deleting)} == {
        "DescribeStacks",
        "DescribeStackResource",
        "ListStackResources",
        "DescribeSecret",
        "GetSecretValue",
        "DescribeKey",
        "ListResourceTags",
        "ListKeyRotations",
        "Decrypt",
        "GetParametersForImport",
        "ImportKeyMaterial",
        "DeleteImportedKeyMaterial",
    }


@pytest.mark.parametrize(("number", "moment"), everywhere(creating))
def test_a_create_that_died_anywhere_is_done_by_its_second_delivery(world, number, moment):
    event, answer = crashed_and_repeated(world, creating, number, moment)
    key = event["ResourceProperties"]["KeyId"]

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["KeyArn"] == key
    assert holds_key(world, key)
    # Once KMS has the material, nothing shows who brought it in: it is adopted, and no Delete takes it away.
    at_import = calls_of(creating).index("ImportKeyMaterial")
    had_material = number > at_import or (number == at_import and moment is Moment.AFTER)
    assert answer["PhysicalResourceId"] == (key.rsplit("/", 1)[1] if had_material else key)


@pytest.mark.parametrize(("number", "moment"), everywhere(updating))
def test_an_update_that_died_anywhere_is_done_by_its_second_delivery(world, number, moment):
    event, answer = crashed_and_repeated(world, updating, number, moment)
    key = event["ResourceProperties"]["KeyId"]

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert holds_key(world, key)


@pytest.mark.parametrize(("number", "moment"), everywhere(deleting))
def test_a_delete_that_died_anywhere_is_done_by_its_second_delivery(world, number, moment):
    event, answer = crashed_and_repeated(world, deleting, number, moment)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == event["PhysicalResourceId"]
    assert world.state(event["PhysicalResourceId"]) == "PendingImport"
