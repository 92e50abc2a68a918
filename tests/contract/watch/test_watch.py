"""The watch against the strict KMS and stacks: what is wrong is in the next digest, and in none after it was mended."""

import json
from datetime import timedelta

import pytest

from imported_key_material.errors import ImportedKeyMaterialError, ServiceRefused, Throttled
from lab.keys.canaries import Canaries
from lab.keys.random_keys import random_keys
from lab.watch.playing import EXPORT, WatchWorld, of_cloudtrail, of_kms
from lab.wire.faults import Moment
from lab.wire.transport import Fault, Refusal
from lab.world import TYPE

READS = {
    *("ListKeys", "ListAliases", "DescribeKey", "ListResourceTags", "ListKeyRotations"),
    *("ListImports", "ListStackResources"),
}
KEY, OTHER = random_keys(32, 2)


@pytest.fixture
def watch(world):
    return WatchWorld(world)


@pytest.fixture
def key(world, watch):
    """A key in use that a stack declares, imported by the function; the stack imports the ServiceToken."""
    world.stack.imports.add(EXPORT)
    arn = world.external_key()
    assert world.create(arn, SecretId=world.secret(KEY).name)["Status"] == "SUCCESS"
    return arn


def problems(message):
    """The first lines of the findings; nothing if nothing was sent."""
    lines = [] if message is None else message.body.splitlines()
    return [line.partition(". ")[2] for line in lines if line.partition(". ")[0].isdigit()]


def material_id(world, arn):
    return world.describe(arn)["CurrentKeyMaterialId"]


# ------------------------------------------------------------------------------------------------ found, and mended


def test_a_key_in_use_is_no_finding_and_nothing_is_sent(watch, key):
    assert watch.run() is None


def test_a_key_that_was_emptied_by_hand_is_in_each_digest_until_its_stack_imports_again(world, watch, key):
    lost = f"URGENT: The key is out of use: key material {material_id(world, key)[:8]}... (current) expired or was removed."
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    assert problems(watch.run()) == [lost]
    world.clock.advance(12 * 3600)
    assert problems(watch.run()) == [lost]

    world.update(key, SecretId="orders/master-key", Trigger="again")
    assert watch.run() is None


def test_a_key_that_expired_is_in_the_digest_until_it_is_renewed(world, watch, key):
    world.update(key, SecretId="orders/master-key", ValidForDays="1")
    world.clock.advance(2 * 86400)

    (problem,) = problems(watch.run())
    assert problem.startswith("URGENT: The key is out of use: key material ")

    world.update(key, SecretId="orders/master-key", ValidForDays="200", Trigger="again")
    assert watch.run() is None


def test_a_disabled_key_is_in_the_digest_until_it_is_enabled(world, watch, key):
    world.call("DisableKey", KeyId=key)
    assert problems(watch.run()) == ["URGENT: The key is out of use: it is disabled."]

    world.call("EnableKey", KeyId=key)
    assert watch.run() is None


def test_a_key_that_will_be_deleted_is_in_the_digest_before_and_after_it_is_gone(world, watch, key):
    world.call("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    (problem,) = problems(watch.run())
    assert problem.startswith("URGENT: The key is out of use: it will be deleted in 7 days, on 2026-12-08 12:00 UTC.")

    world.clock.advance(8 * 86400)
    assert problems(watch.run()) == ["URGENT: The key was deleted, and a stack still declares it."]

    world.stack.set("Material", "DELETE_COMPLETE", world.clock.now())
    assert watch.run() is None


def test_a_key_that_becomes_invisible_is_in_the_digest_until_it_is_seen(world, watch, key):
    world.key(Origin="AWS_KMS")  # the watch may see this one
    watch.deny("DescribeKey")

    message = watch.run()

    assert problems(message) == ["URGENT: The watch can't see the key: kms:DescribeKey is denied."]
    assert f"   Key:        {key}\n   Stack:      orders, resource Material, " in message.body
    assert watch.run() is None


@pytest.mark.parametrize("operation", ["ListResourceTags", "ListKeyRotations"])
def test_a_key_that_can_be_seen_only_in_part_is_in_the_digest_too(watch, key, operation):
    watch.deny(operation)

    assert problems(watch.run()) == [f"URGENT: The watch can't see the key: kms:{operation} is denied."]


def test_a_key_that_expires_in_twenty_days_is_in_mondays_digest_with_each_material(world, watch, key):
    world.update(key, SecretId="orders/master-key", ValidForDays="20")
    world.call("CreateAlias", AliasName="alias/orders", TargetKeyId=key)
    assert watch.run() is None  # a Tuesday

    world.clock.advance(6 * 86400)
    message = watch.run()

    assert problems(message) == [
        "The key expires in 14 days, on 2026-12-21 12:00 UTC. Then nothing that it encrypted can be decrypted."
    ]
    assert f"   Key:        {key} (alias/orders)\n" in message.body
    assert f"   Material:   {material_id(world, key)} current, ends on 2026-12-21 12:00 UTC\n" in message.body


def test_a_run_by_hand_says_on_any_day_what_else_waits_for_monday(world, watch, key):
    world.update(key, SecretId="orders/master-key", ValidForDays="20")

    assert watch.run() is None  # by the schedule, on a Tuesday
    (problem,) = problems(watch.run({}))
    assert problem.startswith("The key expires in 20 days, on ")


def test_material_that_was_staged_is_reported_on_the_monday_after_more_than_a_day(world, watch, key):
    world.secret(OTHER, version_id="0" * 32, stages=["next"])
    world.update(key, SecretId="orders/master-key", SecretVersionId="0" * 32, NewMaterial="STAGE")
    world.clock.advance(6 * 86400)

    assert problems(watch.run()) == [
        "New material waits for its rotation for more than a day: the key still encrypts with the old material."
    ]


def test_an_asymmetric_key_without_its_material_is_reported_without_ids(world, watch):
    arn = world.external_key("HMAC_256")
    watch.stack("pay", arn)

    assert problems(watch.run()) == ["URGENT: The key is out of use: its key material expired or was removed."]


# --------------------------------------------------------------------------------------------- which stacks, which keys


@pytest.mark.parametrize("tag", ["/", "pay/", "pay-cards", None])
def test_a_stack_that_imports_the_service_token_declares_its_keys_whatever_the_tag_says(world, watch, tag):
    watch.stack("pay-cards", world.key(Origin="EXTERNAL", tag=tag))

    assert len(problems(watch.run())) == 1


def test_a_stack_that_only_the_tag_names_declares_its_keys_too(world, watch):
    """It may name the function by its ARN."""
    watch.stack("pay-cards", world.key(Origin="EXTERNAL", tag="old pay-cards"), imports=False)

    assert len(problems(watch.run())) == 1


def test_an_adopted_key_is_declared_by_its_bare_id(world, watch):
    watch.stack("pay", world.external_key(), adopted=True)

    assert len(problems(watch.run())) == 1


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_SKIPPED"])
def test_a_resource_that_goes_or_is_retained_declares_no_key(world, watch, status):
    watch.stack("pay", world.external_key()).set("Material0", status, world.clock.now())

    assert watch.run() is None


def test_another_resource_with_the_id_of_a_key_declares_none(world, watch):
    arn = world.external_key()
    stack = watch.stack("pay")
    stack.set("Key", "CREATE_COMPLETE", world.clock.now(), type="AWS::KMS::Key", physical_id=arn.rsplit("/", 1)[1])
    stack.set("Other", "CREATE_COMPLETE", world.clock.now(), type="Custom::Other", physical_id=arn)
    stack.set("Failed", "CREATE_FAILED", world.clock.now(), type=TYPE, physical_id="not-imported:Failed:1")

    assert watch.run() is None


def test_a_key_that_its_stack_is_just_making_is_not_out_of_use(world, watch):
    """The look at the key came before its import, and the look at the stack after it."""
    arn = world.external_key()
    world.stack.imports.add(EXPORT)

    def deploy(call, moment):
        if (call.operation, moment) == ("ListImports", Moment.BEFORE):
            world.aws.hooks.remove(deploy)
            world.create(arn, SecretId=world.secret(KEY).name)

    world.aws.hooks.append(deploy)

    assert watch.run() is None
    assert world.state(arn) == "Enabled"


def test_a_key_that_is_deleted_during_the_look_is_no_error(world, watch, key):
    gone = world.external_key()

    def delete(call, moment):
        if (call.operation, moment) == ("ListResourceTags", Moment.BEFORE):
            world.kms._store.families.pop(gone.rsplit("/", 1)[1], None)

    world.aws.hooks.append(delete)

    assert watch.run() is None


def test_keys_with_another_origin_cost_one_call_and_are_no_findings(world, watch):
    for _ in range(3):
        world.call("DisableKey", KeyId=world.key())

    assert watch.run() is None
    assert world.aws.operations() == ["ListKeys", *["DescribeKey"] * 3, "ListImports"]


# ------------------------------------------------------------------------------------------------------------- events


EVENTS = {
    "expired": lambda arn: of_kms("KMS Imported Key Material Expiration", arn),
    "removed": lambda arn: of_cloudtrail("DeleteImportedKeyMaterial", arn.rsplit("/", 1)[1]),
    "deleted by KMS": lambda arn: of_cloudtrail("DeleteExpiredKeyMaterial", None, resources=[{"ARN": arn}]),
}


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_about_a_key_leads_to_a_digest_about_this_key_at_once(world, watch, key, name):
    other = world.external_key()
    watch.stack("pay", other)  # out of use, too
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    message = watch.run(EVENTS[name](key))

    assert message.subject == "Imported KMS keys: 1 urgent finding in 111122223333 eu-central-1"
    assert key in message.body
    assert other not in message.body
    assert watch.measured == []  # it has not seen all keys


def test_an_event_about_a_key_that_is_gone_leads_to_a_digest_if_a_stack_declares_it(world, watch, key):
    world.call("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    world.clock.advance(8 * 86400)

    message = watch.run(of_kms("KMS CMK Deletion", key))

    assert problems(message) == ["URGENT: The key was deleted, and a stack still declares it."]


def test_an_event_about_a_key_in_use_leads_to_no_digest_even_on_a_monday(world, watch, key):
    world.update(key, SecretId="orders/master-key", ValidForDays="20")
    world.clock.advance(6 * 86400)

    assert watch.run(of_kms("KMS CMK Rotation", key)) is None


def test_an_event_about_a_key_of_another_origin_makes_one_call(world, watch, key):
    other = world.key()
    before = len(world.aws.calls)

    assert watch.run(of_cloudtrail("DisableKey", other)) is None
    assert world.aws.operations()[before:] == ["DescribeKey"]


@pytest.mark.parametrize(
    "arn", ["alias/x", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
)
def test_an_event_about_no_key_of_ours_makes_no_call(world, watch, arn):
    assert watch.run(of_cloudtrail("DisableKey", arn)) is None
    assert world.aws.operations() == []
    assert "Looked at nothing. The event of KMS names no key of this account and Region." in world.log.getvalue()


# ------------------------------------------------------------------------------------------- the watch's own failures


def test_a_role_without_any_right_to_see_keys_is_an_error_and_no_digest(world, watch, key):
    world.external_key()
    watch.deny("DescribeKey", times=2)

    with pytest.raises(ServiceRefused, match=r"^The watch: kms:DescribeKey was refused with AccessDeniedException"):
        watch.run()
    assert watch.sns.published == []


def test_a_single_key_that_can_t_be_seen_is_a_finding(watch, key):
    """Nobody can say whether the key's policy or the role keeps the watch out."""
    denied = ["URGENT: The watch can't see the key: kms:DescribeKey is denied."]
    watch.deny("DescribeKey", times=2)

    assert problems(watch.run()) == denied
    assert problems(watch.run(of_cloudtrail("DisableKey", key))) == denied


@pytest.mark.parametrize("operation", ["ListKeys", "ListAliases", "ListImports", "ListStackResources"])
def test_a_role_that_may_not_list_is_an_error(world, watch, key, operation):
    watch.deny(operation)

    with pytest.raises(ServiceRefused, match=rf"^The watch: (kms|cloudformation):{operation} was refused"):
        watch.run()
    assert "The watch failed. The watch: " in world.log.getvalue()


def test_a_throttle_is_waited_out(world, watch, key):
    world.call("DisableKey", KeyId=key)
    throttled = Refusal(400, "ThrottlingException", "Rate exceeded")
    world.aws.faults.inject("ListKeyRotations", throttled, times=10)

    assert len(problems(watch.run())) == 1


def test_a_throttle_that_does_not_end_is_an_error_before_the_invocation_ends(world, watch, key):
    world.aws.faults.inject("DescribeKey", Fault.THROTTLED, times=10_000)
    started = world.clock.now()

    with pytest.raises(Throttled):
        watch.run(seconds=900)
    assert timedelta(seconds=700) < world.clock.now() - started < timedelta(seconds=900)


@pytest.mark.parametrize(
    "refusal",
    [Refusal(403, "AuthorizationError", "not authorized"), Refusal(404, "NotFound", "Topic does not exist")],
    ids=["no right", "no topic"],
)
def test_a_digest_that_could_not_be_published_is_an_error(world, watch, key, refusal):
    world.call("DisableKey", KeyId=key)
    world.aws.faults.inject("Publish", refusal)

    with pytest.raises(ServiceRefused, match=r"^AlarmTopicArn: sns:Publish was refused with "):
        watch.run()


def test_a_lost_answer_to_publish_leads_to_a_second_message(world, watch, key):
    world.call("DisableKey", KeyId=key)
    world.aws.faults.inject("Publish", Fault.READ_TIMEOUT, Moment.AFTER)

    with pytest.raises(ValueError, match="too many values to unpack"):  # of `run`, which expects one
        watch.run()
    assert len(watch.sns.published) == 2


def test_an_error_of_its_own_is_reported_without_its_text(world, watch, key, monkeypatch):
    monkeypatch.setattr("imported_key_material.watch.run.find", lambda *_: {}["a secret"])

    with pytest.raises(ImportedKeyMaterialError, match=r"^The watch met an error of its own, KeyError\.$") as raised:
        watch.run()
    assert raised.value.__context__ is None
    assert "a secret" not in world.log.getvalue()


def test_metrics_that_can_t_be_written_do_not_stop_a_digest(world, watch, key):
    world.call("DisableKey", KeyId=key)
    object.__setattr__(watch.function, "measure", lambda *_: 1 / 0)

    assert len(problems(watch.run())) == 1
    assert "The metrics could not be written." in world.log.getvalue()


# ------------------------------------------------------------------------------------------------- what it does not do


def test_it_only_reads_and_changes_nothing(world, watch, key):
    world.call("DisableKey", KeyId=key)
    before, calls = world.snapshot(), len(world.aws.calls)

    watch.run()

    assert world.snapshot() == before
    assert set(world.aws.operations()[calls:]) == READS | {"Publish"}


def test_nothing_that_people_write_freely_and_no_material_comes_out(world, watch):
    canaries = Canaries(material=KEY, description="a description that concerns nobody", tag="owner=somebody@example")
    arn = world.external_key(
        Description="a description that concerns nobody",
    )
    world.call("TagResource", KeyId=arn, Tags=[{"TagKey": "owner", "TagValue": "owner=somebody@example"}])
    world.stack.imports.add(EXPORT)
    world.create(arn, SecretId=world.secret(KEY).name, KeyMaterialDescription="a description that concerns nobody")
    before = len(world.log.getvalue())
    world.call("DeleteImportedKeyMaterial", KeyId=arn)

    message = watch.run()

    texts = (message.subject, message.body, world.log.getvalue()[before:])
    assert canaries.found_in(*texts) == {}
    assert arn in message.body


def test_each_finding_and_each_look_is_a_line_of_the_log(world, watch, key):
    world.call("DisableKey", KeyId=key)
    before = len(world.log.getvalue())

    watch.run()

    finding, looked = world.log.getvalue()[before:].splitlines()
    assert json.loads(finding.removeprefix("finding ")) == {
        "kind": "Disabled",
        "urgent": True,
        "key_arn": key,
        "stacks": ["orders/Material"],
        "at": None,
    }
    assert json.loads(looked.removeprefix("looked at the keys ")) == {
        "keys": 1,
        "hidden": 0,
        "stacks": 1,
        "findings": 1,
        "sent": 1,
    }


def test_the_metrics_get_what_was_seen_and_found(world, watch, key):
    world.call("DisableKey", KeyId=key)

    watch.run()

    ((estate, found),) = watch.measured
    assert [(seen.view.arn, bool(seen.holders)) for seen in estate.keys] == [(key, True)]
    assert [finding.kind for finding in found] == ["Disabled"]
