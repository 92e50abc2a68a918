"""The owners' consent: key, secret and transport key name the stacks that may use them, in a tag, and nothing goes without.

The function acts with its own rights for whoever may deploy a stack. Each test is one way to borrow them.
"""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key
from lab.secretsmanager.reads import said_by_iam
from lab.world import ACCOUNT, TAG, World

KEY = random_key(32)
OTHER_ACCOUNT = "999988887777"


def no_tag(what, where, names="orders"):
    return (
        f"{where}: {what} has no tag imported-key-material, so this stack may not use it. If its owner agrees, set the "
        f"tag imported-key-material to '{names}' (in the stack's own template: !Ref AWS::StackName)."
    )


def denied(secret):
    shown = secret.arn.replace(secret.name, "<SecretId>")
    return (
        "SecretId: secretsmanager:DescribeSecret was refused with AccessDeniedException: "
        f"{said_by_iam('DescribeSecret', shown)} IAM answers this in three cases: there is no secret of this name in "
        "account 111122223333 and Region eu-central-1; or it has no tag imported-key-material; or a policy forbids the "
        "function's role to read it. Check them in this order: aws secretsmanager describe-secret shows name and tags. A "
        "secret of another account needs its full ARN."
    )


def other_tag(what, where, names):
    return (
        f"{where}: {what} has the tag imported-key-material, but it does not name the stack orders, so this stack may "
        f"not use it. If its owner agrees, set the tag imported-key-material to '{names} orders'."
    )


# Another's empty key must not be filled with bytes of one's own; another's secret not be put into a key of one's own.


def test_a_key_without_the_tag_takes_no_material(world, refused):
    reason = refused(world.external_key(tag=None), SecretId=world.secret(KEY).name)

    assert reason == no_tag("The KMS key", "KeyId")


def test_a_key_whose_tag_names_other_stacks_takes_no_material(world, refused):
    reason = refused(world.external_key(tag="payments shop"), SecretId=world.secret(KEY).name)

    assert reason == other_tag("The KMS key", "KeyId", "payments shop")


def test_a_secret_without_the_tag_is_not_even_shown_to_the_function(world, refused):
    """IAM refuses it, as it does one that is not there."""
    secret = world.secret(KEY, tag=None)

    reason = refused(world.external_key(), SecretId=secret.name)

    assert reason == denied(secret)
    assert world.aws.count("GetSecretValue") == 0


def test_another_account_s_secret_without_the_tag_is_not_read(world, refused):
    """There IAM does not ask for the tag, and the function does."""
    secret = world.secret(KEY, tag=None, account=OTHER_ACCOUNT)
    secret.readers.add(ACCOUNT)

    reason = refused(world.external_key(), SecretId=secret.arn)

    assert reason == no_tag("The secret", "SecretId")
    assert world.aws.count("GetSecretValue") == 0


def test_a_tag_with_commas_is_told_so_and_the_remedy_has_none(world, refused):
    reason = refused(world.external_key(tag="payments,orders"), SecretId=world.secret(KEY).name)

    assert reason == (
        "KeyId: The KMS key has the tag imported-key-material, but it does not name the stack orders, so this stack may not "
        "use it. Names are separated by spaces, not commas. If its owner agrees, set the tag imported-key-material to "
        "'payments orders'."
    )


def test_a_tag_in_another_case_is_told_so(world, refused):
    secret = world.secret(KEY)
    secret.tags = {"Imported-Key-Material": "orders"}

    reason = refused(world.external_key(), SecretId=secret.name)

    assert reason == (
        "SecretId: The secret has no tag imported-key-material, so this stack may not use it. It has a tag "
        "Imported-Key-Material; the key is written in lower case. If its owner agrees, set the tag imported-key-material to "
        "'orders' (in the stack's own template: !Ref AWS::StackName)."
    )


def test_a_secret_whose_tag_names_other_stacks_is_not_read(world, refused):
    reason = refused(world.external_key(), SecretId=world.secret(KEY, tag="payments").name)

    assert reason == other_tag("The secret", "SecretId", "payments")
    assert world.aws.count("GetSecretValue") == 0


def test_all_consents_that_are_missing_are_named_at_once(world, refused):
    unwrap = world.key(KeySpec="SYMMETRIC_DEFAULT", tag=None)
    secret = world.secret(KEY, tag=None)

    reason = refused(
        world.external_key(tag=None),
        SecretId=secret.name,
        SecretWrapping={"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": unwrap},
    )

    assert reason == (
        f"3 things are wrong. (1) {no_tag('The KMS key', 'KeyId')} (2) {denied(secret)} "
        f"(3) {no_tag('The transport key', 'SecretWrapping.KeyId')}"
    )


def test_where_the_tag_has_no_more_room_the_error_says_what_its_owner_can_do(world, refused):
    reason = refused(world.external_key(tag="s" * 250), SecretId=world.secret(KEY).name)

    assert reason == (
        "KeyId: The KMS key has the tag imported-key-material, but it does not name the stack orders, so this stack "
        "may not use it. The tag has no room for another name (256 characters): its owner can use a name that ends in "
        "/ for all stacks that begin alike."
    )


@pytest.mark.parametrize("tag", ["orders", "payments orders shop", "ord/", "orders/", "/"])
def test_a_tag_that_names_the_stack_or_its_beginning_is_consent(world, tag):
    answer = world.create(world.external_key(tag=tag), SecretId=world.secret(KEY, tag=tag).name)

    assert answer["Status"] == "SUCCESS"


@pytest.mark.parametrize("tag", ["order", "orders-eu", "Orders", "orders,shop", "orders-/", "shop/", "*", ""])
def test_a_tag_that_only_resembles_the_stack_s_name_is_none(world, refused, tag):
    reason = refused(world.external_key(tag=tag), SecretId=world.secret(KEY).name)

    assert reason.startswith(
        "KeyId: The KMS key has the tag imported-key-material, but it does not name the stack orders,"
    )


def test_a_nested_stack_is_meant_by_the_beginning_of_its_name():
    with World(stack_name="orders-Keys-1QZ8X2") as world:
        answer = world.create(world.external_key(tag="orders-/"), SecretId=world.secret(KEY, tag="orders-/").name)

    assert answer["Status"] == "SUCCESS"


# ------------------------------------------------------------------------------------------------------ what was brought in


def test_consent_that_was_taken_back_stops_an_update(world):
    key, secret = world.external_key(), world.secret(KEY)
    world.create(key, SecretId=secret.name)
    world.call("UntagResource", KeyId=key, TagKeys=[TAG])
    before = world.snapshot()

    answer = world.update(key, SecretId=secret.name, Trigger="2")

    assert answer["Reason"] == f"{no_tag('The KMS key', 'KeyId')} Nothing was imported."
    assert answer["PhysicalResourceId"] == key
    assert world.snapshot() == before


def test_consent_that_was_taken_back_stops_a_delete_and_the_error_says_so(world):
    """Otherwise another's key is emptied by naming it in a throw-away stack."""
    key = world.external_key()
    world.create(key, SecretId=world.secret(KEY).name)
    world.call("UntagResource", KeyId=key, TagKeys=[TAG])
    before, changes = world.snapshot(), world.changes()

    answer = world.delete()

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == f"{no_tag('The KMS key', 'KeyId')} Nothing was removed."
    assert answer["PhysicalResourceId"] == key
    assert world.changes() == changes
    assert world.snapshot() == before
    world.call("TagResource", KeyId=key, Tags=[{"TagKey": TAG, "TagValue": "orders"}])
    assert world.delete()["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


def test_a_throw_away_stack_can_t_empty_another_s_key_by_a_forged_physical_id(world):
    """A Delete in a stack of one's own that names a key of somebody else."""
    theirs = world.external_key(tag="payments")
    import_material(world.session().client("kms"), theirs, KEY)
    world.stack.set(
        "Material", "CREATE_COMPLETE", world.clock.now(), type="Custom::ImportedKeyMaterial", physical_id=theirs
    )
    before = world.snapshot()

    answer = world.delete()

    assert answer["Reason"] == f"{other_tag('The KMS key', 'KeyId', 'payments')} Nothing was removed."
    assert world.snapshot() == before
