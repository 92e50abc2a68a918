"""Attacks with requests that CloudFormation never made: replayed, with made-up ids, times and old properties.

The attacker may invoke the function with any event, and knows every id. Rule 9 leaves one attack open: to forge the very
request that CloudFormation is waiting for, in those minutes. docs/internals/design.md describes it.
"""

import json
from contextlib import suppress
from dataclasses import dataclass

import pytest

from imported_key_material.errors import Leave
from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_keys
from lab.kms.wire import KmsWire
from lab.wire.faults import Moment
from lab.world import TYPE

OURS, THEIRS = random_keys(32, 2)


def victims_key(world, *, tag="payments"):
    """A key that holds material, and does not name the attacker's stack."""
    arn = world.external_key(tag=tag)
    import_material(world.session().client("kms"), arn, THEIRS)
    return arn


def dated(event, time):
    """The event with another X-Amz-Date in its ResponseURL; None: without one."""
    before, _, rest = event["ResponseURL"].partition("X-Amz-Date=")
    behind = rest.partition("&")[2]
    return event | {"ResponseURL": f"{before}{f'X-Amz-Date={time}&' if time else ''}{behind}"}


def now(world):
    return world.clock.now().strftime("%Y%m%dT%H%M%SZ")


def changes_nothing(world, event):
    """The answer to an event that must not do anything; None if the function sends none."""
    before, changes, answer = world.snapshot(), world.changes(), None
    with suppress(Leave):
        answer = world.invoke(event)
    assert world.changes() == changes
    assert world.snapshot() == before
    return answer


# ------------------------------------------------------------------------------------------------------------- replays


@pytest.mark.parametrize("time", [now, lambda _: None], ids=["with a fresh date", "without a date"])
def test_a_create_that_is_replayed_in_a_later_update_imports_nothing(world, time):
    key, secret = world.external_key(), world.secret(OURS)
    event = world.create_request(key, SecretId=secret.name)
    world.settle(event, world.invoke(event))
    world.call("DeleteImportedKeyMaterial", KeyId=key)  # so that an import would be due
    world.update_request(key, SecretId=secret.name, Trigger="2")

    answer = changes_nothing(world, dated(event, time(world)))

    assert answer["Reason"] == (
        "CloudFormation does not wait for this Create request: Material is UPDATE_IN_PROGRESS. Nothing was imported."
    )


@pytest.mark.parametrize("time", [now, lambda _: None], ids=["with a fresh date", "without a date"])
def test_a_delete_that_is_replayed_after_the_key_has_material_again_removes_nothing(world, time):
    """Between two operations of the stack; the resource is there again under another logical id."""
    key, secret = world.external_key(), world.secret(OURS)
    world.create(key, SecretId=secret.name)
    event = world.delete_request()
    world.settle(event, world.invoke(event))
    world.stack.status = "UPDATE_IN_PROGRESS"
    world.create(key, "Again", SecretId=secret.name)
    world.stack.status = "UPDATE_COMPLETE"

    answer = changes_nothing(world, dated(event, time(world)))

    assert answer["Status"] == "SUCCESS"  # the key keeps its material: another resource holds it
    assert world.state(key) == "Enabled"


def test_an_update_that_is_replayed_with_its_old_secret_does_not_take_the_key_back(world):
    key = world.external_key()
    world.create(key, SecretId=world.secret(OURS, version_id="version-with-the-first-material-01").name)
    event = world.update_request(
        key, SecretId="orders/master-key", SecretVersionId="version-with-the-first-material-01"
    )
    world.settle(event, world.invoke(event))
    world.stack.status = "UPDATE_COMPLETE"
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    assert changes_nothing(world, dated(event, now(world))) is None  # the stack shows it as complete under this id


@pytest.mark.parametrize("time", ["00010101T000000Z", "20200101T000000Z", "20991231T235959Z", "99991231T235959Z"])
@pytest.mark.parametrize("kind", ["Create", "Delete"])
def test_no_date_gets_a_request_past_a_stack_that_is_at_rest(world, kind, time):
    key = world.external_key()
    import_material(world.session().client("kms"), key, OURS)
    world.stack.set("Material", f"{kind.upper()}_IN_PROGRESS", world.clock.now(), type=TYPE, physical_id=key)
    event = world.event(kind, "Material", {"KeyId": key, "SecretId": world.secret(OURS).name})
    world.stack.status = "CREATE_COMPLETE"

    assert changes_nothing(world, dated(event, time))["Status"] == "FAILED"


# ------------------------------------------------------------------------------------------------------- made-up ids


def test_a_replacement_that_never_was_does_not_make_a_clean_up_of_the_victim_s_key(world):
    """The forged Update names the victim's key as the old one, so that a Delete of it would follow."""
    theirs, own = victims_key(world), world.external_key()
    world.stack.set("Material", "CREATE_COMPLETE", world.clock.now(), type=TYPE, physical_id=theirs)
    world.before["Material"] = {"KeyId": theirs}
    assert world.update(own, SecretId=world.secret(OURS).name)["PhysicalResourceId"] == own

    event = world.delete_request(physical_id=theirs, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    answer = changes_nothing(world, event)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("KeyId: The KMS key has the tag imported-key-material, but it does not name")


@pytest.mark.parametrize("logical_id", ["Material", "Nowhere"])
def test_the_arn_form_does_not_get_at_the_material_of_an_adopted_key_while_the_stack_is_worked_on(world, logical_id):
    key = world.external_key()
    import_material(world.session().client("kms"), key, OURS)
    adopted = world.create(key, SecretId=world.secret(OURS).name)
    assert adopted["PhysicalResourceId"] == key.rsplit("/", 1)[1]
    world.stack.status = "UPDATE_IN_PROGRESS"

    event = world.event("Delete", logical_id, {}, physical_id=key)
    answer = changes_nothing(world, event)

    assert answer["Status"] == "SUCCESS"
    assert "another resource holds the key: its material stays" in world.log.getvalue()


@dataclass
class CaseBlind:
    """A KMS that also takes a key's ARN in capitals: AWS has not promised that it refuses this."""

    inner: KmsWire

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def handle(self, request):
        asked = json.loads(request.body)
        return self.inner.handle(request._replace(body=json.dumps(asked | {"KeyId": asked["KeyId"].lower()}).encode()))


def test_another_spelling_of_a_held_key_s_arn_does_not_hide_who_holds_it(world):
    key = world.external_key()
    world.create(key, SecretId=world.secret(OURS).name)
    world.stack.status = "UPDATE_IN_PROGRESS"
    prefix, uuid = key.rsplit("/", 1)
    world.aws.plug(CaseBlind(KmsWire(world.kms)))

    answer = changes_nothing(world, world.event("Delete", "Nowhere", {}, physical_id=f"{prefix}/{uuid.upper()}"))

    assert answer["Status"] == "SUCCESS"
    assert "nothing to remove: the id is not the key's ARN" in world.log.getvalue()


@pytest.mark.parametrize(
    "physical_id",
    [
        " {arn}",
        "{arn}/",
        "{arn}?x",
        "x{arn}",
        "{arn}|{arn}",
        "arn:aws:kms:::key/{uuid}",
        "{uuid}",
        "*",
        "not-imported:x:y",
    ],
)
def test_an_id_that_only_looks_like_an_arn_calls_nobody(world, physical_id):
    key = world.external_key()
    world.create(key, SecretId=world.secret(OURS).name)
    event = world.delete_request() | {"PhysicalResourceId": physical_id.format(arn=key, uuid=key.rsplit("/", 1)[1])}
    calls = len(world.aws.calls)

    assert changes_nothing(world, event)["Status"] == "SUCCESS"
    assert len(world.aws.calls) == calls


@pytest.mark.parametrize("physical_id", ["{arn}\n", "\u200b{arn}", "{arn}\x00"])
def test_an_id_with_what_can_t_be_seen_in_it_is_no_request(world, physical_id):
    key = world.external_key()
    world.create(key, SecretId=world.secret(OURS).name)
    event = world.delete_request() | {"PhysicalResourceId": physical_id.format(arn=key)}
    calls = len(world.aws.calls)

    assert changes_nothing(world, event) is None
    assert len(world.aws.calls) == calls


# ----------------------------------------------------------------------------------------- what it reveals about a key


def test_an_update_that_claims_to_change_nothing_tells_nothing_of_the_victim_s_key(world):
    """The stack's events show no earlier operation, so the function does not take it for an Update that changes nothing."""
    theirs = victims_key(world)
    declared = {
        "KeyId": theirs,
        "SecretId": "payments/master-key",
        "SecretVersionId": "v" * 32,
        "ExpectedCheckValue": "CMAC:000000",
    }
    event = world.event("Create", "Material", declared) | {
        "RequestType": "Update",
        "PhysicalResourceId": theirs,
        "OldResourceProperties": declared,
    }

    answer = changes_nothing(world, event)

    assert answer["Status"] == "FAILED"
    assert "Data" not in answer
    assert not any(call.service == "secrets-manager" for call in world.aws.calls)


@pytest.mark.parametrize("how", ["nothing is to do", "a rollback"])
def test_a_forged_update_in_one_s_own_stack_tells_what_describe_key_shows_and_no_more(world, how):
    """The stack needs no resource of this type: any logical id will do; for a rollback even a logical id that never existed."""
    theirs = victims_key(world)
    declared = {"KeyId": theirs, "SecretId": "payments/master-key", "SecretVersionId": "v" * 32}
    if how == "a rollback":
        world.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    else:
        world.stack.set("Topic", "CREATE_COMPLETE", world.clock.now(), type="AWS::SNS::Topic", physical_id="topic")
    event = world.event("Create", "Topic", declared) | {
        "RequestType": "Update",
        "PhysicalResourceId": theirs,
        "OldResourceProperties": declared,
    }

    answer = changes_nothing(world, event)

    shown = world.describe(theirs)
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {
        "KeyArn": shown["Arn"],
        "KeyId": shown["KeyId"],
        "KeySpec": shown["KeySpec"],
        "KeyMaterialId": shown["CurrentKeyMaterialId"],
        "ExpirationModel": shown["ExpirationModel"],
        "ValidTo": "",
        "CheckValue": "",
    }
    assert not any(call.service == "secrets-manager" for call in world.aws.calls)


def test_a_forged_rollback_fills_no_key(world):
    """The stack's status fits a rollback, but the logical id's does not. The function reads it before the import."""
    key = world.external_key()
    secret = world.secret(OURS)
    world.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    declared = {"KeyId": key, "SecretId": secret.name, "WrappingKeySpec": "RSA_2048"}
    event = world.event("Create", "Nowhere", declared) | {
        "RequestType": "Update",
        "PhysicalResourceId": key,
        "OldResourceProperties": declared,
    }

    answer = changes_nothing(world, event)

    assert answer["Status"] == "SUCCESS"  # rule 6; nobody listens
    assert not any(call.service == "secrets-manager" for call in world.aws.calls)  # and no secret was read for it
    assert "does not wait for this Update request: Nowhere is not in the stack" in world.log.getvalue()


def test_a_stack_that_comes_to_rest_between_the_checks_and_the_import_gets_nothing_in(world):
    key = world.external_key()
    event = world.create_request(key, SecretId=world.secret(OURS).name)

    def come_to_rest(call, at):
        if (call.operation, at) == ("GetParametersForImport", Moment.AFTER):
            world.aws.hooks.remove(come_to_rest)
            world.stack.status = "CREATE_COMPLETE"

    world.aws.hooks.append(come_to_rest)

    assert changes_nothing(world, event)["Status"] == "FAILED"
