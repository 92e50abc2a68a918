"""What KMS answers to the three calls of an import, told apart: its code is kept, cause and remedy are added.

    waited out    the key was made or changed a moment ago (two minutes), the right is on its way (six), KMS fails (two)
    at once       everything that waiting does not mend

Errors are injected below botocore, with KMS's own status and message. Throttles are in test_kms_waits.py, lost answers in
test_lost_answers.py.
"""

import pytest

from lab.keys.random_keys import random_key
from lab.wire.transport import Refusal

KEY = random_key(32)
ALWAYS = 10**6
AGAIN = "Run the deployment again."
NO_RIGHT = (
    "The function's role, the key's policy or the secret's policy does not allow it. The key and the secret must have "
    "the tag imported-key-material (it may count up to five minutes late); the key's policy must let the account's IAM "
    "policies count, or name the role."
)

# code, HTTP status, KMS's message, cause and remedy, how long it is waited out
SIX = [
    (
        "DependencyTimeoutException",
        500,
        "The system timed out.",
        f"KMS did not get an answer from a service that it depends on. This passes by itself. {AGAIN}",
        120,
    ),
    (
        "InvalidArnException",
        400,
        "Invalid arn eu-west-1",
        "KMS can't read the key's ARN, or it is of another Region. Use the id or the ARN of a key in the stack's "
        "Region; !GetAtt Key.Arn gives it.",
        0,
    ),
    (
        "KMSInternalException",
        500,
        "An internal error occurred.",
        f"KMS had an internal error. This passes by itself. {AGAIN}",
        120,
    ),
    (
        "KMSInvalidStateException",
        400,
        "K is pending deletion.",
        "The key's state does not allow it: it is being created, updated or deleted, or it lacks its material. "
        "Look at KeyState with aws kms describe-key; aws kms cancel-key-deletion takes a deletion back.",
        120,
    ),
    (
        "NotFoundException",
        400,
        "Key 'K' does not exist",
        "There is no such key in this account and Region, or it was made a moment ago and KMS does not show it yet. "
        "Check the id; !GetAtt Key.Arn also makes CloudFormation wait for the key.",
        120,
    ),
    (
        "UnsupportedOperationException",
        400,
        "K origin is AWS_KMS which is not valid for this operation.",
        "The key does not take imported material: its Origin is not EXTERNAL, or it lives in a custom key store. Make "
        "a key with Origin EXTERNAL; the origin of a key can't be changed.",
        0,
    ),
]
RIGHTS = [("AccessDeniedException", 400, "not authorized", NO_RIGHT, 360)]
OF_IMPORT = [
    ("ExpiredImportTokenException", 400, None, f"The import token is older than 24 hours. {AGAIN}", 0),
    (
        "InvalidImportTokenException",
        400,
        None,
        f"KMS refused the import token for this key. {AGAIN[:-1]}: it fetches a new one.",
        0,
    ),
    (
        "InvalidCiphertextException",
        400,
        None,
        "KMS could not use what it unwrapped, though it passed every check made here. Check that the material fits "
        "the key spec.",
        0,
    ),
    (
        "ValidationException",
        400,
        "ValidTo must be in the future",
        "AWS does not take these values together. If the properties are right, please report this as a defect.",
        0,
    ),
    (
        "LimitExceededException",
        400,
        "no more",
        "A quota of KMS is used up. See Service Quotas for KMS in this Region.",
        0,
    ),
    ("BrandNewException", 400, "never heard of", "Look the code up in the API reference of that operation.", 0),
]


ROW = ("code", "status", "message", "meaning", "waited_seconds")


def refused_with(operation, code, message):
    return (
        f"KeyId: kms:{operation} was refused with {code}: {message.rstrip('.')}."
        if message
        else f"KeyId: kms:{operation} was refused with {code}."
    )


def seconds_of(world, act):
    started = world.clock.now()
    answer = act()
    return answer, (world.clock.now() - started).total_seconds()


@pytest.mark.parametrize(ROW, SIX + RIGHTS, ids=[row[0] for row in SIX + RIGHTS])
def test_what_stops_get_parameters_for_import_is_told_apart(world, code, status, message, meaning, waited_seconds):
    key, secret = world.external_key(), world.secret(KEY)
    world.aws.faults.inject("GetParametersForImport", Refusal(status, code, message), times=ALWAYS)
    before = world.snapshot()

    answer, seconds = seconds_of(world, lambda: world.create(key, SecretId=secret.name))

    assert answer["Status"] == "FAILED"
    assert (
        answer["Reason"] == f"{refused_with('GetParametersForImport', code, message)} {meaning} Nothing was imported."
    )
    assert answer["PhysicalResourceId"] == f"not-imported:Material:{answer['RequestId']}"
    assert seconds == waited_seconds
    assert world.changes() == 0
    assert world.snapshot() == before


@pytest.mark.parametrize(ROW, SIX + RIGHTS + OF_IMPORT, ids=[row[0] for row in SIX + RIGHTS + OF_IMPORT])
def test_what_stops_import_key_material_is_told_apart(world, code, status, message, meaning, waited_seconds):
    """Of a fault (500) nobody can say whether KMS took the material: then a Delete must find the key."""
    key, secret = world.external_key(), world.secret(KEY)
    world.aws.faults.inject("ImportKeyMaterial", Refusal(status, code, message), times=ALWAYS)
    before = world.snapshot()

    answer, seconds = seconds_of(world, lambda: world.create(key, SecretId=secret.name))

    unsure = status == 500
    done = (
        "KMS may hold the material already: a rollback or the next update handles it."
        if unsure
        else "Nothing was imported."
    )
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == f"{refused_with('ImportKeyMaterial', code, message)} {meaning} {done}"
    assert answer["PhysicalResourceId"] == (key if unsure else f"not-imported:Material:{answer['RequestId']}")
    assert seconds == waited_seconds
    assert world.snapshot() == before


@pytest.mark.parametrize(ROW, SIX + RIGHTS, ids=[row[0] for row in SIX + RIGHTS])
def test_what_stops_delete_imported_key_material_is_told_apart(world, code, status, message, meaning, waited_seconds):
    key = world.external_key()
    world.create(key, SecretId=world.secret(KEY).name)
    world.aws.faults.inject("DeleteImportedKeyMaterial", Refusal(status, code, message), times=ALWAYS)
    before = world.snapshot()

    answer, seconds = seconds_of(world, world.delete)

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == key
    done = "Some material may already have been removed." if status == 500 else "Nothing was removed."
    assert answer["Reason"] == f"{refused_with('DeleteImportedKeyMaterial', code, message)} {meaning} {done}"
    assert seconds == waited_seconds
    assert world.snapshot() == before
