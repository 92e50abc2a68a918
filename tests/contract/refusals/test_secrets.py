"""Secrets that the function can't read, or not as declared: it refuses them before any import, in a sentence."""

import json

import pytest

from lab.keys.random_keys import random_key
from lab.secretsmanager.reads import said_by_iam
from lab.wire.transport import AwsError, Refusal

KEY = random_key(32)
VERSION_ID = "11111111-2222-3333-4444-555555555555"
OTHER_ACCOUNT = "999988887777"
DESCRIBED = "SecretId: secretsmanager:DescribeSecret was refused with AccessDeniedException:"
GOT = (
    "secretsmanager:GetSecretValue was refused with ResourceNotFoundException: Secrets Manager can't find the specified"
)
LISTED = "aws secretsmanager list-secret-version-ids --include-deprecated shows its versions."
THREE_CASES = (
    "IAM answers this in three cases: there is no secret of this name in account 111122223333 and Region eu-central-1; or it "
    "has no tag imported-key-material; or a policy forbids the function's role to read it. Check them in this order: aws "
    "secretsmanager describe-secret shows name and tags. A secret of another account needs its full ARN."
)


def seconds_of(world, act):
    started = world.clock.now()
    answer = act()
    return answer, (world.clock.now() - started).total_seconds()


def shown(secret):
    """AWS's text about the ARN: the property's name replaces the declared value."""
    return secret.arn.replace(secret.name, "<SecretId>")


# ------------------------------------------------------------------------------------------- not there, or not for us


def test_a_secret_that_is_not_there_is_the_first_of_three_causes(world, refused):
    """IAM denies a secret without the tag, and so a secret that does not exist: IAM decides before Secrets Manager looks."""
    reason, seconds = seconds_of(world, lambda: refused(world.external_key(), SecretId="orders/another-key"))

    assert reason == f"{DESCRIBED} {said_by_iam('DescribeSecret', '<SecretId>')} {THREE_CASES}"
    assert seconds == 20


def test_a_secret_without_the_tag_is_told_in_the_same_words(world, refused):
    secret = world.secret(KEY, tag=None)

    reason = refused(world.external_key(), SecretId=secret.name)

    assert reason == f"{DESCRIBED} {said_by_iam('DescribeSecret', shown(secret))} {THREE_CASES}"


def test_a_secret_that_gets_its_tag_a_moment_later_is_waited_for(world):
    secret = world.secret(KEY, tag=None)
    world.clock.after(15, lambda: secret.tags.update({"imported-key-material": "orders"}))

    answer = world.create(world.external_key(), SecretId=secret.name)

    assert answer["Status"] == "SUCCESS"


def test_an_update_that_imports_waits_for_the_tag_as_well(world):
    key, secret = world.external_key(), world.secret(KEY)
    world.create(key, SecretId=secret.name)
    secret.tags.clear()
    world.clock.after(15, lambda: secret.tags.update({"imported-key-material": "orders"}))

    answer = world.update(key, SecretId=secret.name, Trigger="again")

    assert answer["Status"] == "SUCCESS"


def test_a_rollback_waits_for_no_tag(world):
    """Rule 6: it succeeds without it."""
    key, secret = world.external_key(), world.secret(KEY)
    world.create(key, SecretId=secret.name)
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    secret.tags.clear()

    answer, seconds = seconds_of(world, lambda: world.update(key, SecretId=secret.name, rollback=True))

    assert answer["Status"] == "SUCCESS"
    assert seconds == 0
    assert THREE_CASES in world.log.getvalue()


def test_a_role_that_may_read_every_secret_learns_that_there_is_none(world, refused):
    """With more rights than the template gives, Secrets Manager itself answers."""
    not_found = Refusal(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    world.aws.faults.inject("DescribeSecret", not_found)

    reason = refused(world.external_key(), SecretId="orders/another-key")

    assert reason == (
        "SecretId: secretsmanager:DescribeSecret was refused with ResourceNotFoundException: Secrets Manager can't find the "
        "specified secret. There is no secret of this name in account 111122223333 and Region eu-central-1. Check SecretId."
    )


@pytest.mark.parametrize(
    ("said", "policy"),
    [
        ("with an explicit deny in a service control policy", "A service control policy"),
        ("with an explicit deny in an identity-based policy", "An identity-based policy"),
        ("with an explicit deny in a resource-based policy", "A resource-based policy"),
        ("with an explicit deny in a permissions boundary", "A permissions boundary"),
        ("with an explicit deny in a VPC endpoint policy", "A VPC endpoint policy"),
        ("with an explicit deny", "A policy"),
    ],
)
def test_an_explicit_deny_is_reported_as_that(world, refused, said, policy):
    user = "User: arn:aws:sts::111122223333:assumed-role/imported-key-material-Role-1A2B3C4D5E6F/imported-key-material"
    text = f"{user} is not authorized to perform: secretsmanager:DescribeSecret on resource: {'x' * 140} {said}"
    world.aws.faults.inject("DescribeSecret", Refusal(400, "AccessDeniedException", text), times=10**6)

    reason = refused(world.external_key(), SecretId=world.secret(KEY).name)

    assert reason == (
        f"{DESCRIBED} {text[:300].rstrip()}... {policy} denies it explicitly, and no tag and no permission outweighs that. "
        "Take the Deny out of that policy, or except the function's role from it."
    )


# ------------------------------------------------------------------------------------- ARNs that can't be right, unread

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/master-key-AbCdEf"
NO_ARN = (
    "SecretId: The value begins like an ARN, but is not the ARN of a Secrets Manager secret. Declare "
    "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, or the name."
)


def of_another_region(region):
    return (
        f"SecretId: The secret is in another Region{region}, and the function reads secrets only in its own (eu-central-1). "
        "Name a secret in the stack's Region; aws secretsmanager replicate-secret-to-regions replicates this one there."
    )


@pytest.mark.parametrize(
    ("secret_id", "sentence"),
    [
        pytest.param(ARN, of_another_region(" (eu-west-1)"), id="another Region"),
        pytest.param(
            ARN.replace("eu-west-1", "us-gov-east-1"), of_another_region(" (us-gov-east-1)"), id="another partition's"
        ),
        pytest.param(ARN.replace("111122223333", OTHER_ACCOUNT), of_another_region(" (eu-west-1)"), id="and account"),
        pytest.param(
            ARN.replace("eu-west-1", KEY.hex()), of_another_region(""), id="key material in the Region's place"
        ),
        pytest.param("arn:aws:ssm:eu-central-1:111122223333:parameter/orders", NO_ARN, id="of a parameter"),
        pytest.param(ARN.replace("secretsmanager", "kms"), NO_ARN, id="of another service"),
        pytest.param(ARN.replace(":secret:", ":key:"), NO_ARN, id="of no secret"),
        pytest.param(ARN.replace("111122223333", "orders"), NO_ARN, id="of no account"),
        pytest.param("arn:", NO_ARN, id="cut off"),
    ],
)
def test_an_arn_that_can_t_be_right_is_refused_before_anything_is_asked(world, refused, secret_id, sentence):
    assert refused(world.external_key(), SecretId=secret_id) == sentence
    assert world.aws.count("DescribeSecret") == 0


# ---------------------------------------------------------------------------------------------- versions that are not there


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        pytest.param(
            {"SecretVersionId": VERSION_ID},
            f"SecretVersionId: {GOT} secret value for VersionId: <SecretVersionId>. The secret has no version of this id. "
            f"{LISTED}",
            id="no such version",
        ),
        pytest.param(
            {"SecretVersionStage": "AWSPREVIOUS"},
            f"SecretVersionStage: {GOT} secret value for staging label: <SecretVersionStage>. No version of the secret has "
            f"this staging label. {LISTED}",
            id="no such stage",
        ),
    ],
)
def test_a_version_that_is_not_there_is_named_by_its_own_property(world, refused, declared, sentence):
    assert refused(world.external_key(), SecretId=world.secret(KEY).name, **declared) == sentence


def test_a_secret_without_a_current_version_has_nothing_to_read(world, refused):
    secret = world.secret(KEY, stages=["AWSPENDING"])

    reason = refused(world.external_key(), SecretId=secret.name)

    assert reason == (
        f"SecretId: {GOT} secret value for staging label: AWSCURRENT. No version of the secret has the staging label "
        f"AWSCURRENT, which is read if no version is declared. Store the material in it, or declare SecretVersionId: {LISTED}"
    )


def test_an_earlier_version_that_is_not_there_is_named_by_its_place_in_the_list(world, refused):
    key, first, second = world.external_key(), "f" * 32, "5" * 32
    world.secret(KEY, version_id=first)
    world.create(key, SecretId="orders/master-key", SecretVersionId=first)
    world.delete()

    reason = refused(key, SecretId="orders/master-key", SecretVersionId=first, PreviousSecretVersionIds=[first, second])

    assert reason == (
        f"PreviousSecretVersionIds: {GOT} secret value for VersionId: <PreviousSecretVersionIds.1>. The secret has no version "
        f"with the id in entry 2 of the list. {LISTED}"
    )


# -------------------------------------------------------------------------------------------------------- can't be read


def test_a_secret_that_is_marked_for_deletion_is_refused_with_the_way_back(world, refused):
    secret = world.secret(KEY)
    world.secrets.mark_for_deletion(secret)

    reason = refused(world.external_key(), SecretId=secret.name)

    assert reason == (
        "SecretId: The secret is marked for deletion, and Secrets Manager does not give its value. aws secretsmanager "
        "restore-secret takes that back."
    )


def test_a_secret_whose_own_kms_key_fails_is_refused_as_such(world, refused):
    """A secret must not be encrypted with the key that takes the material: that key is empty."""
    secret = world.secret(KEY)
    secret.unreadable = AwsError("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text.")

    reason = refused(world.external_key(), SecretId=secret.name)

    assert reason == (
        "SecretId: secretsmanager:GetSecretValue was refused with DecryptionFailure: Secrets Manager can't decrypt the "
        "protected secret text. Secrets Manager can't decrypt the secret with its KMS key. Look at the state and the "
        "policy of the secret's own KMS key. It must not be the key that takes the material."
    )


def test_a_right_that_stays_away_is_asked_for_six_minutes_and_then_named(world, refused):
    """Tags count in authorization up to five minutes late."""
    secret = world.secret(KEY)
    secret.unreadable = AwsError("AccessDeniedException", "You do not have access")
    started = world.clock.now()

    reason = refused(world.external_key(), SecretId=secret.name)

    assert reason == (
        "SecretId: secretsmanager:GetSecretValue was refused with AccessDeniedException: You do not have access. The "
        "function's role, the key's policy or the secret's policy does not allow it. The key and the secret must "
        "have the tag imported-key-material (it may count up to five minutes late); the key's policy must let the account's "
        "IAM policies count, or name the role."
    )
    assert (world.clock.now() - started).total_seconds() == 360


def test_a_right_that_comes_late_is_waited_for(world):
    secret = world.secret(KEY)
    secret.unreadable = AwsError("AccessDeniedException", "You do not have access")
    world.clock.after(290, lambda: setattr(secret, "unreadable", None))

    answer = world.create(world.external_key(), SecretId=secret.name)

    assert answer["Status"] == "SUCCESS"


# ------------------------------------------------------------------------------------------------------- a field of JSON

TWICE = (
    "SecretJsonKey: The secret's JSON has an object with two fields of the same name. "
    "Write each field once: nothing says which of the two is right."
)
NO_OBJECT = (
    'SecretJsonKey: The secret\'s text is not a JSON object. Write the secret as {"name": "value"}, or leave '
    "SecretJsonKey out."
)
NO_STRING = (
    "SecretJsonKey: This field of the secret's JSON object is not a string. Write the material as a JSON string, in "
    "BASE64, HEX or PEM."
)
NO_FIELD = (
    "SecretJsonKey: The secret's JSON object has no field of this name. Correct SecretJsonKey; upper and lower case "
    "count."
)
BINARY = (
    "SecretJsonKey: The secret is a SecretBinary, and only a SecretString has JSON fields. "
    "Store the JSON as a SecretString (--secret-string file://...), or take SecretJsonKey out."
)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        pytest.param('{"key": "a", "key": "b"}', TWICE, id="the field twice"),
        pytest.param('{"key": "a", "by": {"x": 1, "x": 2}}', TWICE, id="another field twice"),
        pytest.param('["key"]', NO_OBJECT, id="a list"),
        pytest.param('{"key": "a"', NO_OBJECT, id="cut off"),
        pytest.param(KEY.hex(), NO_OBJECT, id="no JSON"),
        pytest.param('{"key": 5}', NO_STRING, id="a number"),
        pytest.param('{"key": null}', NO_STRING, id="null"),
        pytest.param('{"Key": "a"}', NO_FIELD, id="another case"),
        pytest.param(json.dumps({"key": "a"}).encode(), BINARY, id="SecretBinary"),
    ],
)
def test_a_json_field_that_can_t_be_read_is_refused(world, refused, value, sentence):
    reason = refused(world.external_key(), SecretId=world.secret(value).name, SecretJsonKey="key")

    assert reason == sentence
