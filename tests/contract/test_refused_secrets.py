"""Secrets that can't be read, or not in the way that is declared: refused in words before anything is imported."""

import json

import pytest

from tests.support.random_keys import random_key
from tests.support.transport import AwsError

KEY = random_key(32)
NOT_THERE = (
    "There is no such secret, or it has no such version or stage. Check SecretId, SecretVersionId and "
    "SecretVersionStage. A secret of another account needs its full ARN."
)
VERSION_ID = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        pytest.param(
            {"SecretId": "orders/another-key"},
            "SecretId: secretsmanager:DescribeSecret was refused with ResourceNotFoundException: Secrets Manager can't "
            f"find the specified secret. {NOT_THERE}",
            id="no such secret",
        ),
        pytest.param(
            {"SecretVersionId": VERSION_ID},
            "SecretId: secretsmanager:GetSecretValue was refused with ResourceNotFoundException: Secrets Manager can't "
            f"find the specified secret value for VersionId: <SecretVersionId>. {NOT_THERE}",
            id="no such version",
        ),
        pytest.param(
            {"SecretVersionStage": "AWSPREVIOUS"},
            "SecretId: secretsmanager:GetSecretValue was refused with ResourceNotFoundException: Secrets Manager can't "
            f"find the specified secret value for staging label: <SecretVersionStage>. {NOT_THERE}",
            id="no such stage",
        ),
    ],
)
def test_a_secret_that_is_not_there_is_refused(world, refused, declared, sentence):
    properties = {"SecretId": world.secret(KEY).name} | declared

    assert refused(world.external_key(), **properties) == sentence


def test_a_secret_that_is_marked_for_deletion_is_refused_with_the_way_back(world, refused):
    secret = world.secret(KEY)
    world.secrets.mark_for_deletion(secret)

    reason = refused(world.external_key(), SecretId=secret.name)

    assert reason == (
        "SecretId: The secret is marked for deletion, and Secrets Manager does not give its value. aws secretsmanager "
        "restore-secret takes that back."
    )


def test_a_secret_whose_own_kms_key_fails_is_refused_as_such(world, refused):
    """A secret may not be encrypted with the very key that takes the material: that key is empty."""
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
        "function's role, the key's policy or the secret's policy does not allow it. The tag imported-key-material "
        "must be on the key and the secret before the role may touch them (up to five minutes before); the policy of a "
        "key must let the account's IAM policies count, or name the role."
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
    "SecretJsonKey: The secret's JSON has an object with two fields of the same name. Write each field once: which one "
    "is meant can't be known."
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
    "SecretJsonKey: The secret is a SecretBinary, and a field can be taken only of the JSON in a SecretString. Leave "
    "SecretJsonKey out, or store the JSON as a SecretString."
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
