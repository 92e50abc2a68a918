"""What the metrics get of whole requests: one end for each invocation, and what KMS accepted until then."""

import pytest

from imported_key_material.cloudformation.delivery import DeliveryFailed
from imported_key_material.errors import FailureClass
from imported_key_material.meter import Change, Ending
from lab.keys.random_keys import random_key
from lab.wire.transport import Fault, Refusal
from tests.support.pinned import V2, created, updated

ALWAYS = 10**6


@pytest.fixture
def key(world):
    return world.external_key()


@pytest.fixture
def secret(world):
    return world.secret(random_key(32)).name


def last(world):
    return world.measured.ends[-1]


def test_a_create_ends_once_and_imported(world, key, secret):
    answer = world.create(key, SecretId=secret)

    (ended,) = world.measured.ends
    assert (ended.ending, ended.request_type, ended.failure_class) == (Ending.SUCCESS, "Create", None)
    assert (ended.request_id, ended.stack_id) == (answer["RequestId"], answer["StackId"])
    assert (ended.logical_id, ended.physical_id) == ("Material", key)
    assert world.measured.changes == [Change.IMPORTED]


def test_the_age_of_an_answer_counts_from_when_cloudformation_made_the_request(world, key, secret):
    event = world.create_request(key, SecretId=secret)
    world.clock.advance(120)

    world.invoke(event)

    assert 120 <= last(world).age_seconds < 130


def test_a_delete_removed_and_a_delete_that_touches_nothing_did_not(world, key, secret):
    world.create(key, SecretId=secret)
    world.measured.changes.clear()
    world.delete(physical_id="not-imported:Material:6f0c")
    assert world.measured.changes == []

    world.delete()

    assert set(world.measured.changes) == {Change.REMOVED}
    assert (last(world).ending, last(world).request_type) == (Ending.SUCCESS, "Delete")


def test_a_rotation_is_an_import_and_a_rotation(world):
    key = created(world)
    world.measured.changes.clear()

    updated(world, key, V2, NewMaterial="ROTATE")

    assert world.measured.changes == [Change.IMPORTED, Change.ROTATED]


def test_an_import_whose_confirmation_failed_is_still_an_import(world, secret):
    event = world.create_request(world.external_key("HMAC_256"), SecretId=secret)
    world.aws.faults.inject("VerifyMac", Refusal(400, "AccessDeniedException", "no"), times=ALWAYS)

    answer = world.invoke_to_the_end(event)

    assert (answer["Status"], last(world).failure_class) == ("FAILED", FailureClass.AWS_REFUSED)
    assert world.measured.changes == [Change.IMPORTED]


def test_what_is_refused_has_a_class(world, key, secret):
    world.create(key, SecretId=secret, NoSuchProperty="x")

    assert (last(world).ending, last(world).failure_class) == (Ending.FAILED, FailureClass.DECLARATION)


def test_what_was_throttled_to_the_end_has_a_class(world, key, secret):
    event = world.create_request(key, SecretId=secret)
    world.aws.faults.inject("DescribeKey", Fault.THROTTLED, times=ALWAYS)

    world.invoke_to_the_end(event)

    assert (last(world).ending, last(world).failure_class) == (Ending.FAILED, FailureClass.THROTTLED)


def test_what_cloudformation_does_not_wait_for_has_a_class(world, key, secret):
    event = world.create_request(key, SecretId=secret)
    world.stack.begin("ROLLBACK_COMPLETE", world.clock.now())

    world.invoke(event)

    assert (last(world).ending, last(world).failure_class) == (Ending.FAILED, FailureClass.NOT_WANTED)


def test_an_error_of_the_function_s_own_has_a_class(world, key, secret, monkeypatch):
    def broken(_job):
        raise ZeroDivisionError

    monkeypatch.setattr("imported_key_material.lifecycle.resource.handle", broken)

    world.create(key, SecretId=secret)

    assert (last(world).ending, last(world).failure_class) == (Ending.FAILED, FailureClass.DEFECT)


def test_each_invocation_of_a_request_that_is_handed_over_ends(world, key, secret):
    event = world.create_request(key, SecretId=secret)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)

    world.invoke(event)

    assert (last(world).ending, last(world).age_seconds) == (Ending.LEFT, None)
    assert (last(world).failure_class, last(world).physical_id) == (None, "")


def test_an_answer_that_can_not_be_sent_is_neither_success_nor_failure(world, key, secret, monkeypatch):
    def lost(*_):
        raise DeliveryFailed("The answer was lost.")

    monkeypatch.setattr(world, "_put", lost)
    world.function = world._function()

    with pytest.raises(DeliveryFailed):
        world.invoke(world.create_request(key, SecretId=secret))

    assert (last(world).ending, last(world).age_seconds, last(world).failure_class) == (Ending.UNDELIVERED, None, None)
    assert world.measured.changes == [Change.IMPORTED]
