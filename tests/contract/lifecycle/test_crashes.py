"""The environment dies at a call, and Lambda delivers the same request again: at any call, before and after its effect.

KMS holds the truth: the second invocation looks at the key and does what is missing. The first one leaves no notes. The tests
crash at each call of an invocation without faults, so that no call is forgotten.
"""

import functools

import pytest

from lab.keys.at_rest import encrypted, transport_key
from lab.keys.random_keys import random_keys
from lab.kms import ciphertext
from lab.wire.faults import Moment
from lab.world import Crash, World

pytestmark = pytest.mark.slow

KEY, NEXT = random_keys(32, 2)
PINNED, NEXT_PINNED = "11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"
LAMBDA_TRIES_AGAIN_AFTER_SECONDS = 60


def creating(world):
    """A Create from a wrapped secret: it makes nearly every call."""
    unwrap = transport_key(world, "SYMMETRIC_DEFAULT")
    secret = world.secret(encrypted(world, unwrap, KEY))
    wrapping = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": unwrap}
    return world.create_request(world.external_key(in_stack=True), SecretId=secret.name, SecretWrapping=wrapping)


def updating(world):
    """An Update that imports again, with an expiry."""
    created = creating(world)
    world.settle(created, world.invoke(created))
    world.clock.advance(5)
    properties = {name: value for name, value in created["ResourceProperties"].items() if name != "KeyId"}
    return world.update_request(created["ResourceProperties"]["KeyId"], **properties | {"ValidForDays": "30"})


def rotating(world):
    """An Update that stages new material, and makes it current."""
    key = world.external_key(in_stack=True)
    world.secret(KEY, version_id=PINNED)
    created = world.create(key, SecretId="orders/master-key", SecretVersionId=PINNED)
    assert created["Status"] == "SUCCESS"
    world.secret(NEXT, version_id=NEXT_PINNED)
    world.clock.advance(5)
    return world.update_request(key, SecretId="orders/master-key", SecretVersionId=NEXT_PINNED, NewMaterial="ROTATE")


def deleting(world):
    created = creating(world)
    world.settle(created, world.invoke(created))
    world.clock.advance(5)
    return world.delete_request()


@functools.cache
def calls_of(request):
    """The calls of an invocation without faults, in order."""
    with World() as world:
        event = request(world)
        before = len(world.aws.calls)
        world.invoke(event)
        return tuple(world.aws.operations()[before:])


def crashed_and_repeated(world, request, number, moment):
    """The answer of the second invocation, in a new environment."""
    event = request(world)
    world.crash(number, moment)
    with pytest.raises(Crash):
        world.invoke(event)
    world.clock.advance(LAMBDA_TRIES_AGAIN_AFTER_SECONDS)
    return event, world.invoke(event)


def holds_key(world, key, value=KEY):
    blob = world.call("Encrypt", KeyId=key, Plaintext=b"opened outside")["CiphertextBlob"]
    return ciphertext.open_sealed(ciphertext.take_apart(blob), value, {}) == b"opened outside"


def everywhere(request):
    return [(number, moment) for number in range(len(calls_of(request))) for moment in Moment]


def test_the_requests_here_make_every_call_of_the_function():
    """The tests crash only at calls that these requests make: one of them must make each new call, too."""
    assert {*calls_of(creating), *calls_of(updating), *calls_of(rotating), *calls_of(deleting)} == {
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
        "RotateKeyOnDemand",
        "GetKeyRotationStatus",
    }


@pytest.mark.parametrize(("number", "moment"), everywhere(creating))
def test_a_create_that_died_anywhere_is_done_by_its_second_delivery_under_the_same_id(world, number, moment):
    """The stack made the key in this operation, so the invocation that died imported the material."""
    event, answer = crashed_and_repeated(world, creating, number, moment)
    key = event["ResourceProperties"]["KeyId"]

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert holds_key(world, key)


def test_a_create_on_an_older_key_that_died_after_its_import_adopts_it_and_no_delete_touches_the_material(world):
    """Nothing shows who filled the key. So the material stays: it may be somebody else's."""
    event = creating(world)
    world.clock.advance(1)
    world.stack.updated_at = world.clock.now()
    key = event["ResourceProperties"]["KeyId"]
    repeated = world.event("Create", "Material", event["ResourceProperties"])
    world.crash(calls_of(creating).index("ImportKeyMaterial"), Moment.AFTER)
    with pytest.raises(Crash):
        world.invoke(repeated)
    world.clock.advance(LAMBDA_TRIES_AGAIN_AFTER_SECONDS)

    answer = world.invoke(repeated)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key.rsplit("/", 1)[1]
    world.settle(repeated, answer)
    assert world.delete()["Status"] == "SUCCESS"
    assert holds_key(world, key)


@pytest.mark.parametrize(("number", "moment"), everywhere(updating))
def test_an_update_that_died_anywhere_is_done_by_its_second_delivery(world, number, moment):
    event, answer = crashed_and_repeated(world, updating, number, moment)
    key = event["ResourceProperties"]["KeyId"]

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert holds_key(world, key)


@pytest.mark.parametrize(("number", "moment"), everywhere(rotating))
def test_a_rotation_that_died_anywhere_is_done_by_its_second_delivery_and_done_once(world, number, moment):
    event, answer = crashed_and_repeated(world, rotating, number, moment)
    key = event["ResourceProperties"]["KeyId"]

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert holds_key(world, key, NEXT)
    listed = world.call("ListKeyRotations", KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert sorted(one["KeyMaterialState"] for one in listed) == ["CURRENT", "NON_CURRENT"]


@pytest.mark.parametrize(("number", "moment"), everywhere(deleting))
def test_a_delete_that_died_anywhere_is_done_by_its_second_delivery(world, number, moment):
    event, answer = crashed_and_repeated(world, deleting, number, moment)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == event["PhysicalResourceId"]
    assert world.state(event["PhysicalResourceId"]) == "PendingImport"
