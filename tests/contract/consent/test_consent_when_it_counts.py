"""Consent is read at the moment of the import, of all three owners; a tag that is missing for a moment is waited for.

The three: the KMS key, the secret, and the transport key.
"""

import pytest

from lab.keys.at_rest import transport_key, wrapped
from lab.keys.private_keys import key_for, pkcs8_der
from lab.keys.random_keys import random_keys
from lab.wire.transport import Fault
from lab.world import TAG

KEY, OTHER = random_keys(32, 2)
V1, V2 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2))
ALGORITHM = "RSAES_OAEP_SHA_256"
OWNERS = ["the KMS key", "the secret", "the transport key"]


class Three:
    """A key, a wrapped secret and its transport key, each with its tag."""

    def __init__(self, world):
        self.world = world
        self.key, self.unwrap = world.external_key(), transport_key(world, ALGORITHM)
        self.secret = world.secret(wrapped(world, self.unwrap, ALGORITHM, KEY), version_id=V1)
        self.declared = {
            "SecretId": self.secret.name,
            "SecretVersionId": V1,
            "SecretWrapping": {"Algorithm": ALGORITHM, "KeyId": self.unwrap},
        }

    def tag(self, owner, value):
        """`value` None takes the tag away."""
        if owner == "the secret":
            self.secret.tags.pop(TAG, None)
            self.secret.tags |= {TAG: value} if value is not None else {}
            return
        arn = self.key if owner == "the KMS key" else self.unwrap
        if value is None:
            self.world.call("UntagResource", KeyId=arn, TagKeys=[TAG])
        else:
            self.world.call("TagResource", KeyId=arn, Tags=[{"TagKey": TAG, "TagValue": value}])

    def after(self, seconds, owner, value):
        world = self.world
        world.clock.after(seconds, lambda: self.tag(owner, value))

    def create(self):
        return self.world.create(self.key, **self.declared)


@pytest.fixture
def three(world):
    return Three(world)


def seconds(world, act):
    started = world.clock.now()
    answer = act()
    return answer, (world.clock.now() - started).total_seconds()


# ----------------------------------------------------------------------------------------------- read again, of all three


@pytest.mark.parametrize("waits_for", ["GetParametersForImport", "ImportKeyMaterial"])
@pytest.mark.parametrize("owner", OWNERS)
def test_consent_that_is_taken_back_during_a_wait_lets_nothing_in(world, three, owner, waits_for):
    world.aws.faults.inject(waits_for, Fault.THROTTLED, times=12)
    three.after(5, owner, "billing")

    answer = three.create()

    assert f"{owner[0].upper()}{owner[1:]} has the tag {TAG}, but it does not name the stack orders" in answer["Reason"]
    assert answer["Reason"].endswith("Nothing was imported.")
    assert world.state(three.key) == "PendingImport"


@pytest.mark.parametrize("owner", OWNERS)
def test_consent_of_all_three_is_read_before_the_secret_is_read_again(world, three, owner):
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=12)
    three.after(5, owner, "billing")

    three.create()

    assert (world.aws.count("GetSecretValue"), world.aws.count("Decrypt")) == (1, 1)


@pytest.mark.parametrize("owner", OWNERS[1:])
def test_a_rotation_and_a_removal_need_the_key_s_own_consent_only(world, three, owner):
    """What is in the key by then is the key's owner's business."""
    three.create()
    world.secret(wrapped(world, three.unwrap, ALGORITHM, OTHER), version_id=V2)
    world.aws.faults.inject("RotateKeyOnDemand", Fault.THROTTLED, times=6)

    def once_asked(call, _at):
        if call.operation == "RotateKeyOnDemand":
            three.tag(owner, "billing")

    world.aws.hooks.append(once_asked)
    answer = world.update(three.key, **three.declared | {"SecretVersionId": V2}, NewMaterial="ROTATE")

    assert answer["Status"] == "SUCCESS"
    assert world.delete()["Status"] == "SUCCESS"
    assert world.state(three.key) == "PendingImport"


def test_a_removal_whose_key_s_consent_is_taken_back_while_it_waits_takes_nothing(world, three):
    three.create()
    world.aws.faults.inject("DeleteImportedKeyMaterial", Fault.THROTTLED, times=12)
    three.after(5, "the KMS key", "billing")

    answer = world.delete()

    assert "does not name the stack orders" in answer["Reason"]
    assert answer["Reason"].endswith("Nothing was removed.")
    assert world.state(three.key) == "Enabled"


# -------------------------------------------------------------------------------------- a tag that is missing for a moment


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("act", ["create", "update"])
def test_a_tag_that_cloudformation_is_just_changing_is_waited_for(world, three, owner, act):
    """It changes a tag by UntagResource and then TagResource."""
    if act == "update":
        three.create()
    three.tag(owner, None)
    three.after(15, owner, "billing orders")

    answer, waited = seconds(
        world, three.create if act == "create" else lambda: world.update(three.key, **three.declared, Trigger="2")
    )

    assert answer["Status"] == "SUCCESS"
    assert 15 <= waited <= 20


def test_so_it_is_at_a_delete(world, three):
    three.create()
    three.tag("the KMS key", None)
    three.after(15, "the KMS key", "orders billing")

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    assert world.state(three.key) == "PendingImport"


@pytest.mark.parametrize("owner", OWNERS)
def test_a_tag_that_names_others_is_believed_at_once(world, three, owner):
    three.tag(owner, "billing")

    answer, waited = seconds(world, three.create)

    assert answer["Status"] == "FAILED"
    assert waited == 0


@pytest.mark.parametrize("missing", [OWNERS[:1], OWNERS[1:2], OWNERS[2:], OWNERS], ids=lambda owners: f"{len(owners)}")
def test_missing_tags_are_waited_for_twenty_seconds_in_all(world, three, missing):
    for owner in missing:
        three.tag(owner, None)

    answer, waited = seconds(world, three.create)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].count(f"has no tag {TAG}") == len(missing)
    assert waited == 20


# ------------------------------------------------------------------------------------------- no-ops and rollbacks (rule 6)

BOTOCORE_SECONDS = 6  # the client's own three tries
SPECS = ["SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256"]


@pytest.mark.parametrize("rollback", [False, True], ids=["no-op", "rollback"])
@pytest.mark.parametrize("tag", [None, "billing"], ids=["no tag", "a tag that names others"])
@pytest.mark.parametrize("spec", SPECS)
def test_a_no_op_or_a_rollback_without_consent_succeeds_at_once_and_tells_nothing(world, spec, tag, rollback):
    key = world.external_key(spec)
    value = KEY if spec != "ECC_NIST_P256" else pkcs8_der(key_for(spec))
    secret = world.secret(value, version_id=V1)
    declared = {"SecretId": secret.name, "SecretVersionId": V1}
    assert world.create(key, **declared)["Status"] == "SUCCESS"
    world.call("UntagResource", KeyId=key, TagKeys=[TAG])
    if tag is not None:
        world.call("TagResource", KeyId=key, Tags=[{"TagKey": TAG, "TagValue": tag}])
    world.clock.advance(60)
    world.aws.calls.clear()

    answer, waited = seconds(world, lambda: world.update(key, rollback=rollback, ServiceTimeout="1800", **declared))

    assert (answer["Status"], waited) == ("SUCCESS", 0)
    assert answer["Data"]["CheckValue"] == ""
    assert answer["Data"]["KeyArn"] == key
    assert [world.aws.count(name) for name in ("GetPublicKey", "ListKeyRotations", "ImportKeyMaterial")] == [0, 0, 0]


@pytest.mark.parametrize("operation", ["ListResourceTags", "GetPublicKey"])
@pytest.mark.parametrize("rollback", [False, True], ids=["no-op", "rollback"])
def test_a_read_that_only_an_attribute_needs_neither_waits_nor_fails(world, operation, rollback):
    key = world.external_key("ECC_NIST_P256")
    declared = {
        "SecretId": world.secret(pkcs8_der(key_for("ECC_NIST_P256")), version_id=V1).name,
        "SecretVersionId": V1,
    }
    world.create(key, **declared)
    world.clock.advance(60)
    world.aws.faults.inject(operation, Fault.THROTTLED, times=10**6)

    answer, waited = seconds(world, lambda: world.update(key, rollback=rollback, ServiceTimeout="1800", **declared))

    assert answer["Status"] == "SUCCESS"
    assert waited < BOTOCORE_SECONDS
    assert answer["Data"]["CheckValue"] == ""
