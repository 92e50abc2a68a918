"""The function spends none of KMS's quota without need: the account has only one request a second, or one in four seconds."""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_keys
from lab.wire.faults import Moment
from lab.wire.transport import Fault
from tests.support.delivered import carried_out, delivered_again

KEY, OTHER = random_keys(32, 2)
ALWAYS = 10**6
SECRET = "orders/master-key"
V1 = "11111111-2222-3333-4444-555555555555"


def spent(world):
    return world.aws.count("GetParametersForImport")


@pytest.fixture
def key(world):
    """The key of a resource that exists."""
    key = world.external_key()
    world.secret(KEY, version_id=V1)
    assert world.create(key, SecretId=SECRET, SecretVersionId=V1)["Status"] == "SUCCESS"
    world.clock.advance(60)
    world.aws.calls.clear()
    return key


def test_the_request_that_is_needed_is_counted(world, key):
    """Without this test, a count of zero proves nothing."""
    assert world.update(key, SecretId=SECRET, SecretVersionId=V1, Trigger="again")["Status"] == "SUCCESS"
    assert spent(world) == 1


def test_a_delete_spends_none(world, key):
    assert world.delete()["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"
    assert spent(world) == 0


@pytest.mark.parametrize("physical_id", ["not-imported:Material:1", "orders-Material-ABCDEFGHIJKLM"])
def test_a_delete_of_an_id_that_stands_for_no_material_spends_none(world, key, physical_id):
    assert world.delete(physical_id=physical_id, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")["Status"] == "SUCCESS"
    assert spent(world) == 0


def test_an_update_that_imports_nothing_spends_none(world, key):
    answer = world.update(key, SecretId=SECRET, SecretVersionId=V1, ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert spent(world) == 0


def test_a_rollback_of_a_usable_key_spends_none(world, key):
    answer = world.update(key, rollback=True, SecretId=SECRET, SecretVersionId=V1)

    assert answer["Status"] == "SUCCESS"
    assert spent(world) == 0


def test_a_refused_declaration_spends_none(world, key):
    answer = world.update(key, SecretId=SECRET, SecretVersionId=V1, Misspelt="yes", MaterialEncoding="HEX")

    assert answer["Status"] == "FAILED"
    assert spent(world) == 0


def test_an_asymmetric_key_that_shows_that_it_holds_other_material_spends_none(world):
    """A public key or a MAC shows it before anything is sent."""
    key = world.external_key("HMAC_256")
    import_material(world.session().client("kms"), key, KEY)
    world.aws.calls.clear()

    assert world.create(key, SecretId=world.secret(OTHER).name)["Status"] == "FAILED"
    assert spent(world) == 0


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_duplicate_of_what_was_answered_spends_none(world, key, kind):
    if kind == "Create":
        event = world.create_request(world.external_key(), "Second", SecretId=SECRET, SecretVersionId=V1)
    elif kind == "Update":
        event = world.update_request(key, SecretId=SECRET, SecretVersionId=V1, Trigger="again")
    else:
        event = world.delete_request()
    carried_out(world, event)
    world.clock.advance(30)
    world.aws.calls.clear()

    delivered_again(world, event)

    assert spent(world) == 0


@pytest.mark.parametrize("status", ["ROLLBACK_IN_PROGRESS", "CREATE_COMPLETE", "DELETE_IN_PROGRESS"])
def test_a_request_that_nobody_waits_for_spends_none(world, status):
    event = world.create_request(world.external_key(), SecretId=world.secret(KEY).name)
    world.stack.status = status
    world.stack.set("Material", "DELETE_IN_PROGRESS", world.clock.now())

    assert world.invoke(event)["Status"] == "FAILED"
    assert spent(world) == 0


# ------------------------------------------------------------------------------------------------------- while it waits


def waiting(world, then, *, key=None, after=100.0, **properties):
    """A Create that waits for the quota when something happens. Returns how often it asked after that, and its answer."""
    key = key or world.external_key()
    event = world.create_request(key, SecretId=world.secret(KEY, version_id=V1).name, **properties)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)
    before = []

    def happens():
        before.append(spent(world))
        then(key)

    world.clock.after(after, happens)
    answer = world.invoke(event)
    return spent(world) - before[0], answer


def test_a_key_that_goes_meanwhile_is_asked_no_more_for(world):
    asked, answer = waiting(world, lambda key: world.call("ScheduleKeyDeletion", KeyId=key))

    assert answer["Reason"].startswith("KeyId: The key is scheduled for deletion.")
    assert asked == 0


def test_a_create_that_was_cancelled_meanwhile_asks_no_more_after_five_minutes(world):
    """Otherwise four hundred of them would ask for an hour, for nobody, and take quota from the next deployment."""

    def cancelled(_key):
        world.stack.status = "ROLLBACK_IN_PROGRESS"
        world.stack.set("Material", "CREATE_FAILED", world.clock.now())

    asked, answer = waiting(world, cancelled, after=310.0)

    assert answer["Reason"].startswith("CloudFormation does not wait for this Create request: ")
    assert asked < 30
    assert (world.clock.now() - world.stack.resources["Material"].status_since).total_seconds() < 400


def test_what_somebody_else_imported_meanwhile_is_verified_all_the_same(world):
    """Here a person or another stack imports. CloudFormation still waits, and after half a minute so does the request."""

    def imported(key):
        world.aws.faults._planned.clear()
        import_material(world.session().client("kms"), key, KEY)

    before = world.clock.now()
    _, answer = waiting(world, imported)

    assert answer["Status"] == "SUCCESS"
    assert 130 < (world.clock.now() - before).total_seconds() < 200


@pytest.mark.parametrize("late", [0.5, 20.0, 300.0])
def test_a_duplicate_that_waits_too_spends_none_once_the_first_got_through(timeline, late):
    """Both wait; KMS gives one of them its parameters, and CloudFormation gets one answer."""
    key, secret, stack = timeline.external_key(), timeline.secret(KEY), timeline.stack()
    timeline.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)
    timeline.delivers("Create", "Material", 0.1, 0.1 + late)
    timeline.at(0, lambda: stack.create({"Material": timeline.declared(key, secret)}))
    granted = []

    def count(call, moment):
        if (call.operation, moment) == ("GetParametersForImport", Moment.AFTER):
            granted.append(timeline.scheduler.now())

    timeline.aws.hooks.append(count)
    timeline.at(400, timeline.aws.faults._planned.clear)
    timeline.run()

    first, second = timeline.of("Create")
    assert sorted([first.answer is None, second.answer is None]) == [False, True]
    assert stack.status == "CREATE_COMPLETE"
    assert len(granted) == 1
