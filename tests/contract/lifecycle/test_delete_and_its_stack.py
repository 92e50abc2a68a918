"""A Delete of material that this resource imported (rule 2): it removes all of it, or says why it removed nothing."""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_keys
from lab.kms.materials import states
from lab.wire.faults import Moment
from lab.wire.transport import Refusal

FIRST, SECOND, THIRD = random_keys(32, 3)
SECRET = "orders/master-key"
V1, V2, V3 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2, 3))
DENIED = Refusal(400, "AccessDeniedException", "User is not authorized")
ALWAYS = 10**6


@pytest.fixture
def key(world):
    key = world.external_key()
    world.secret(FIRST, version_id=V1)
    assert world.create(key, SecretId=SECRET, SecretVersionId=V1)["Status"] == "SUCCESS"
    world.clock.advance(60)
    return key


def failed(world, key):
    """The reason of a Delete that fails and leaves everything as it was."""
    before = world.snapshot()
    answer = world.delete()
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", key)
    assert world.snapshot() == before
    return answer["Reason"]


# ------------------------------------------------------------------------------------------------------- every material


def test_removal_of_every_material_of_a_key_that_was_rotated_by_its_resource(world, key):
    """Current, earlier, pending: none of it may stay in KMS."""
    for version, material, new_material in ((V2, SECOND, "ROTATE"), (V3, THIRD, "STAGE")):
        world.secret(material, version_id=version)
        world.update(key, SecretId=SECRET, SecretVersionId=version, NewMaterial=new_material)
        world.clock.advance(60)
    assert [state for state, _ in states(world, key)] == ["NON_CURRENT", "CURRENT", "PENDING_ROTATION"]

    answer = world.delete()

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", key)
    assert states(world, key) == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "PENDING_IMPORT")]
    assert world.state(key) == "PendingImport"


def test_removal_of_every_material_while_a_rotation_is_carried_out(world, key):
    """Between the list and the last call another material becomes current. The call without an id removes that material."""
    world.secret(SECOND, version_id=V2)
    world.update(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="STAGE")
    world.call("RotateKeyOnDemand", KeyId=key)
    let_it_finish = [lambda: world.clock.advance(300)]

    def look(call, moment):
        if (call.operation, moment) == ("DeleteImportedKeyMaterial", Moment.BEFORE) and let_it_finish:
            let_it_finish.pop()()

    world.aws.hooks.append(look)
    assert [state for state, _ in states(world, key)] == ["CURRENT", "PENDING_ROTATION"]

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "PENDING_IMPORT")]


def test_removal_of_every_material_where_one_is_lost_already(world, key):
    world.secret(SECOND, version_id=V2)
    world.update(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="ROTATE")
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "PENDING_IMPORT")]


def test_removal_while_a_rotation_is_under_way_leaves_nothing_for_it_to_make_current(world, key):
    import_material(world.session().client("kms"), key, SECOND, ImportType="NEW_KEY_MATERIAL")
    world.call("RotateKeyOnDemand", KeyId=key)

    answer = world.delete()
    world.clock.advance(300)

    assert answer["Status"] == "SUCCESS"
    assert states(world, key) == [("CURRENT", "PENDING_IMPORT")]
    assert world.state(key) == "PendingImport"


def test_material_that_a_delete_took_out_comes_back_by_a_create(world, key):
    world.delete()
    world.stack.status, world.stack.deleted_at = "CREATE_IN_PROGRESS", None
    world.clock.advance(60)

    answer = world.create(key, SecretId=SECRET, SecretVersionId=V1)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", key)
    assert world.state(key) == "Enabled"


# ------------------------------------------------------------------------------------------------------ permissions gone


def test_permissions_gone_at_delete_the_removal_itself(world, key):
    """KMS's authorization may need five minutes to see a new tag: the function tries for six."""
    world.aws.faults.inject("DeleteImportedKeyMaterial", DENIED, times=ALWAYS)
    started = world.clock.now()

    assert failed(world, key) == (
        "KeyId: kms:DeleteImportedKeyMaterial was refused with AccessDeniedException: User is not authorized. The "
        "function's role, the key's policy or the secret's policy does not allow it. The key and the secret must have the "
        "tag imported-key-material (it may count up to five minutes late); the key's policy must let the account's IAM "
        "policies count, or name the role. Nothing was removed."
    )
    assert 360 <= (world.clock.now() - started).total_seconds() < 400


def test_permissions_gone_at_delete_that_come_back_within_six_minutes(world, key):
    world.aws.faults.inject("DeleteImportedKeyMaterial", DENIED, times=20)

    assert world.delete()["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


@pytest.mark.parametrize("operation", ["DescribeKey", "ListResourceTags"])
def test_permissions_gone_at_delete_to_look_at_the_key(world, key, operation):
    world.aws.faults.inject(operation, DENIED, times=ALWAYS)

    reason = failed(world, key)

    assert reason.startswith(f"KeyId: kms:{operation} was refused with AccessDeniedException: User is not authorized.")
    assert reason.endswith(" Nothing was removed.")


def test_permissions_gone_at_delete_to_list_the_materials(world, key):
    """The function can't remove what it can't list, and a material that stays would belong to no resource."""
    world.aws.faults.inject("ListKeyRotations", DENIED, times=ALWAYS)

    reason = failed(world, key)

    assert reason.startswith("KeyId: kms:ListKeyRotations was refused with AccessDeniedException")


@pytest.mark.parametrize("tag", [None, "payments", "orders2 order"], ids=str)
def test_the_key_s_consent_gone_at_delete(world, key, tag):
    """In one update, CloudFormation removes the tag first."""
    world.call("UntagResource", KeyId=key, TagKeys=["imported-key-material"])
    if tag is not None:
        world.call("TagResource", KeyId=key, Tags=[{"TagKey": "imported-key-material", "TagValue": tag}])

    found = (
        "has no tag imported-key-material"
        if tag is None
        else ("has the tag imported-key-material, but it does not name the stack orders")
    )
    wanted = f"'{tag} orders'" if tag else "'orders' (in the stack's own template: !Ref AWS::StackName)"
    assert failed(world, key) == (
        f"KeyId: The KMS key {found}, so this stack may not use it. If its owner agrees, set the tag imported-key-material "
        f"to {wanted}. Nothing was removed."
    )


def test_a_delete_that_has_taken_out_one_of_two_materials_does_not_say_that_nothing_was_removed(world, key):
    world.secret(SECOND, version_id=V2)
    world.update(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="ROTATE")
    world.aws.faults.inject("DeleteImportedKeyMaterial", DENIED, skip=1, times=ALWAYS)

    answer = world.delete()
    again = world.delete()

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", key)
    assert "Nothing was removed." not in answer["Reason"]
    assert again["Status"] == "FAILED"  # and the next Delete, with the right back, removes the rest
    world.aws.faults = type(world.aws.faults)()
    assert world.delete()["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


# ----------------------------------------------------------------------------------------- the stack's list, old shapes


def test_the_stack_s_list_unreadable_at_delete(world, key):
    """Without it nobody knows whether another resource holds the key."""
    world.aws.faults.inject("ListStackResources", Refusal(403, "AccessDenied", "not authorized"), times=ALWAYS)

    assert failed(world, key) == (
        "StackId: cloudformation:ListStackResources was refused with AccessDenied: not authorized. The function's role does "
        "not allow it. Deploy the application again; its role is part of it. Nothing was removed."
    )


def test_the_second_page_of_the_stack_s_list_unreadable_at_delete(world, key):
    for number in range(150):
        world.stack.set(f"Queue{number}", "CREATE_COMPLETE", world.clock.now(), type="AWS::SQS::Queue", physical_id="q")
    world.aws.faults.inject("ListStackResources", Refusal(403, "AccessDenied", "not authorized"), skip=1, times=ALWAYS)

    assert failed(world, key).startswith("StackId: cloudformation:ListStackResources was refused with AccessDenied")


@pytest.mark.parametrize(
    "old",
    [
        {},
        {"Colour": ["blue"], "KeyId": "alias/orders"},
        {"KeyId": {"Ref": "Key"}, "SecretWrapping": "?", "ServiceTimeout": "an hour"},
        {"PreviousSecretVersionIds": "none", "NewMaterial": ["ROTATE"], "ServiceTimeout": "99999"},
    ],
    ids=["none", "an alias", "broken shapes", "other shapes"],
)
def test_old_properties_that_today_s_schema_refuses_at_delete(world, key, old):
    event = world.delete_request()
    event["ResourceProperties"] = old

    answer = world.invoke(event)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", key)
    assert world.state(key) == "PendingImport"
