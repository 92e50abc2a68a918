"""What the function's role may do, whatever its code does: the deployed policies, evaluated by the local AWS's IAM.

The function checks the consent tag. IAM is the second lock, and works even if the function does not check.
"""

import pytest
from botocore.exceptions import ClientError

from lab.keys.by_hand import import_material, parameters
from lab.keys.random_keys import random_key
from lab.local.clients import client

ALLOWED, DENIED = "allowed", "AccessDeniedException"


@pytest.fixture(scope="module")
def role(aws):
    settings = aws.as_role(aws.role_arn())
    return lambda service: client(settings, service)


def answer(call, **request):
    """`allowed`, or the code of the refusal."""
    try:
        call(**request)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ALLOWED


@pytest.mark.parametrize(
    ("origin", "consent", "expected"),
    [("EXTERNAL", "", ALLOWED), ("EXTERNAL", None, DENIED), ("AWS_KMS", "", DENIED)],
)
def test_only_tagged_keys_of_external_origin_are_imported_into(scene, role, origin, consent, expected):
    key = scene.key(consent=consent, Origin=origin)
    request = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}

    assert answer(role("kms").get_parameters_for_import, KeyId=key, **request) == expected
    assert answer(role("kms").describe_key, KeyId=key) == ALLOWED  # the error that names the tag must see it


@pytest.mark.parametrize(("consent", "expected"), [("", ALLOWED), (None, DENIED)])
def test_only_tagged_keys_are_emptied(scene, role, consent, expected):
    key = scene.empty_key(consent=consent)
    import_material(scene.kms, key, random_key(32))

    assert answer(role("kms").delete_imported_key_material, KeyId=key) == expected


def test_the_way_into_kms_is_no_way_around_the_tag(scene, role):
    """Somebody else's import parameters do not help either."""
    key = scene.empty_key(consent=None)
    given = parameters(scene.kms, key)

    request = {"ImportToken": given["ImportToken"], "EncryptedKeyMaterial": b"x" * 256}
    assert answer(role("kms").import_key_material, KeyId=key, **request) == DENIED


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"imported-key-material": "111122223333/a-secret"}, ALLOWED),
        ({}, DENIED),
        ({"purpose": "orders"}, DENIED),
        ({"imported-key-material": "111122223333/a-secret", "purpose": "orders"}, DENIED),
    ],
)
def test_what_is_not_bound_to_a_secret_is_not_opened(scene, role, context, expected):
    key = scene.key()
    blob = scene.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]

    assert answer(role("kms").decrypt, CiphertextBlob=blob, EncryptionContext=context) == expected


def test_a_key_without_the_tag_opens_nothing_for_the_function(scene, role):
    key = scene.key(consent=None)
    context = {"imported-key-material": "111122223333/a-secret"}
    blob = scene.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]

    assert answer(role("kms").decrypt, CiphertextBlob=blob, EncryptionContext=context) == DENIED


@pytest.mark.parametrize(("consent", "expected"), [("", ALLOWED), (None, DENIED)])
def test_only_tagged_secrets_are_read(scene, role, consent, expected):
    secret = scene.secret(b"x", consent=consent)

    assert answer(role("secretsmanager").get_secret_value, SecretId=secret) == expected


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("kms", "encrypt", {"Plaintext": b"x"}),
        ("kms", "schedule_key_deletion", {}),
        ("kms", "disable_key", {}),
        ("kms", "put_key_policy", {"Policy": "{}"}),
        ("kms", "tag_resource", {"Tags": [{"TagKey": "imported-key-material", "TagValue": "/"}]}),
    ],
)
def test_what_the_function_has_no_use_for_is_not_allowed(scene, role, service, operation, request_):
    key = scene.empty_key()

    assert answer(getattr(role(service), operation), KeyId=key, **request_) == DENIED


def test_secrets_are_not_written(scene, role):
    secret = scene.secret(b"x")

    assert answer(role("secretsmanager").put_secret_value, SecretId=secret, SecretString="y") == DENIED
    assert answer(role("secretsmanager").delete_secret, SecretId=secret) == DENIED


def test_stacks_are_looked_at_and_not_touched(scene, role):
    scene.create({"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}})

    assert answer(role("cloudformation").describe_stacks, StackName=scene.name) == ALLOWED
    assert answer(role("cloudformation").delete_stack, StackName=scene.name) == "AccessDenied"
