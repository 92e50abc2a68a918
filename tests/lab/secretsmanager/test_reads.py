"""The stand-in for Secrets Manager, through boto3: how it finds a secret, and AWS's sentences if it does not."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from lab.application import Application
from lab.clock import VirtualClock
from lab.role_calls import Call
from lab.secretsmanager.reads import ROLE, SecretsManager, role_allows
from lab.wire.in_process import InProcessAws
from lab.wire.transport import AwsError, Caller
from tests.support.identity_policy import allows

OTHER_ACCOUNT = "999988887777"
NO_SECRET = "Secrets Manager can't find the specified secret."
VERSION = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def secrets(clock):
    """A client with the right to read every secret of the account."""
    return SecretsManager(clock, any_secret=True)


@pytest.fixture
def as_the_function(clock):
    """The stand-in, and a client with the rights of the function's role."""
    secrets = SecretsManager(clock)
    with InProcessAws(clock, [secrets]) as aws:
        yield secrets, aws.client("secretsmanager")


@pytest.fixture
def aws(clock, secrets):
    with InProcessAws(clock, [secrets]) as aws:
        yield aws


@pytest.fixture
def client(aws):
    return aws.client("secretsmanager")


def refusal(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_bytes_are_a_secret_binary_and_text_is_a_secret_string(client, secrets):
    secrets.put("binary", b"\x00\xff")
    secrets.put("text", "AAE=")

    assert client.get_secret_value(SecretId="binary")["SecretBinary"] == b"\x00\xff"
    assert client.get_secret_value(SecretId="text")["SecretString"] == "AAE="
    assert "SecretString" not in client.get_secret_value(SecretId="binary")


def test_a_secret_is_found_by_name_by_arn_and_by_arn_without_its_suffix(client, secrets):
    secret = secrets.put("orders/master-key", "value")

    for reference in ("orders/master-key", secret.arn, secret.arn[:-7]):
        answer = client.get_secret_value(SecretId=reference)
        assert (answer["ARN"], answer["Name"]) == (secret.arn, "orders/master-key")


def test_a_name_that_looks_like_it_had_a_suffix_is_misread_in_an_arn_without_one(client, secrets):
    secret = secrets.put("orders-abc123", "value")

    assert client.get_secret_value(SecretId="orders-abc123")["ARN"] == secret.arn
    assert refusal(client.get_secret_value, SecretId=secret.arn[:-7]) == ("ResourceNotFoundException", NO_SECRET)


@pytest.mark.parametrize("operation", ["describe_secret", "get_secret_value"])
@pytest.mark.parametrize(
    "reference", ["none", "arn:aws:secretsmanager:us-east-1:123456789012:secret:none-AbCdEf", "arn:"]
)
def test_a_secret_that_is_not_there_is_not_found(client, operation, reference):
    assert refusal(getattr(client, operation), SecretId=reference) == ("ResourceNotFoundException", NO_SECRET)


def test_a_secret_of_another_region_is_not_found(aws, secrets):
    secret = secrets.put("orders", "value")

    for reference in ("orders", secret.arn):
        call = aws.client("secretsmanager", region="eu-west-1").get_secret_value
        assert refusal(call, SecretId=reference) == ("ResourceNotFoundException", NO_SECRET)


def test_another_account_s_secret_needs_its_full_arn_and_its_leave(aws, secrets):
    secret = secrets.put("orders", "value", account=OTHER_ACCOUNT)
    call = aws.client("secretsmanager").get_secret_value
    action = "secretsmanager:GetSecretValue"
    denied = (
        f"User: arn:aws:sts::123456789012:assumed-role/{ROLE}/imported-key-material is not authorized to perform: {action} on "
        f"resource: {secret.arn} because no resource-based policy allows the {action} action"
    )
    assert refusal(call, SecretId=secret.arn) == ("AccessDeniedException", denied)

    secret.readers.add("123456789012")

    assert call(SecretId=secret.arn)["SecretString"] == "value"
    for reference in ("orders", secret.arn[:-7]):
        assert refusal(call, SecretId=reference) == ("ResourceNotFoundException", NO_SECRET)


def test_an_arn_without_its_suffix_never_means_a_namesake_in_the_caller_s_account(client, secrets):
    foreign = secrets.put("orders", "value", account=OTHER_ACCOUNT)
    secrets.put("orders", "own")

    assert refusal(client.get_secret_value, SecretId=foreign.arn[:-7]) == ("ResourceNotFoundException", NO_SECRET)


def test_a_new_version_takes_the_current_stage_and_leaves_the_previous_one(client, secrets):
    secrets.put("orders", "one")
    secrets.put("orders", "two")
    secrets.put("orders", "three", stages=["AWSPENDING"])

    values = {
        stage: client.get_secret_value(SecretId="orders", VersionStage=stage)["SecretString"]
        for stage in ("AWSCURRENT", "AWSPREVIOUS", "AWSPENDING")
    }

    assert values == {"AWSCURRENT": "two", "AWSPREVIOUS": "one", "AWSPENDING": "three"}
    assert client.get_secret_value(SecretId="orders")["SecretString"] == "two"
    stages = client.describe_secret(SecretId="orders")["VersionIdsToStages"].values()
    assert sorted(stages) == [["AWSCURRENT"], ["AWSPENDING"], ["AWSPREVIOUS"]]


def test_a_version_is_read_by_its_id_also_when_it_has_no_stage_any_more(client, secrets):
    secrets.put("orders", "one", version_id=VERSION)
    for value in ("two", "three"):
        secrets.put("orders", value)

    answer = client.get_secret_value(SecretId="orders", VersionId=VERSION)

    assert (answer["SecretString"], answer["VersionStages"]) == ("one", [])
    assert VERSION not in client.describe_secret(SecretId="orders")["VersionIdsToStages"]


@pytest.mark.parametrize(
    ("which", "code", "of"),
    [
        ({"VersionId": "9" * 36}, "ResourceNotFoundException", f"VersionId: {'9' * 36}"),
        ({"VersionStage": "blue"}, "ResourceNotFoundException", "staging label: blue"),
    ],
)
def test_a_version_that_is_not_there_is_named(client, secrets, which, code, of):
    secrets.put("orders", "value")
    sentence = f"Secrets Manager can't find the specified secret value for {of}"

    assert refusal(client.get_secret_value, SecretId="orders", **which) == (code, sentence)


def test_a_version_id_and_a_stage_must_mean_the_same_version(client, secrets):
    secrets.put("orders", "one", version_id=VERSION)
    secrets.put("orders", "two")
    sentence = "You provided a VersionStage that is not associated to the provided VersionId."
    how = {"SecretId": "orders", "VersionId": VERSION}

    assert refusal(client.get_secret_value, **how, VersionStage="AWSCURRENT") == ("InvalidRequestException", sentence)
    assert client.get_secret_value(**how, VersionStage="AWSPREVIOUS")["SecretString"] == "one"


def test_a_secret_that_is_marked_for_deletion_is_described_and_not_read(client, secrets, clock):
    secret = secrets.put("orders", "value")
    secrets.mark_for_deletion(secret, days=7)
    sentence = "You can't perform this operation on the secret because it was marked for deletion."

    assert refusal(client.get_secret_value, SecretId="orders") == ("InvalidRequestException", sentence)
    assert client.describe_secret(SecretId="orders")["DeletedDate"] == clock.now() + timedelta(days=7)
    secrets.restore(secret)
    assert client.get_secret_value(SecretId="orders")["SecretString"] == "value"


def test_a_secret_whose_key_is_gone_answers_what_the_test_says(client, secrets):
    secret = secrets.put("orders", "value")
    secret.unreadable = AwsError("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text")

    code, message = refusal(client.get_secret_value, SecretId="orders")

    assert (code, message) == ("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text")
    assert client.describe_secret(SecretId="orders")["Name"] == "orders"


def test_tags_are_shown_where_there_are_any(client, secrets):
    secrets.put("bare", "value")
    secrets.put("tagged", "value", tags={"imported-key-material": "orders"})

    assert "Tags" not in client.describe_secret(SecretId="bare")
    assert client.describe_secret(SecretId="tagged")["Tags"] == [{"Key": "imported-key-material", "Value": "orders"}]


def test_versions_and_secrets_can_vanish(client, secrets):
    secret = secrets.put("orders", "one", version_id=VERSION)
    secrets.put("orders", "two")
    secrets.forget_version(secret, VERSION)
    sentence = f"Secrets Manager can't find the specified secret value for VersionId: {VERSION}"
    expected = ("ResourceNotFoundException", sentence)
    assert refusal(client.get_secret_value, SecretId="orders", VersionId=VERSION) == expected

    secrets.remove(secret)
    assert refusal(client.describe_secret, SecretId="orders") == ("ResourceNotFoundException", NO_SECRET)


def test_constraints_are_checked_first(client):
    sentence = (
        f"1 validation error detected: Value '{'x' * 2049}' at 'secretId' failed to satisfy constraint: "
        "Member must have length less than or equal to 2048"
    )

    assert refusal(client.get_secret_value, SecretId="x" * 2049) == ("ValidationException", sentence)


# ----------------------------------------------------------------------------------------------- as the function's role

TAG = "imported-key-material"


def denied(operation, resource, kind="identity-based"):
    action = f"secretsmanager:{operation}"
    return (
        "AccessDeniedException",
        f"User: arn:aws:sts::123456789012:assumed-role/{ROLE}/imported-key-material is not authorized to perform: {action} on "
        f"resource: {resource} because no {kind} policy allows the {action} action",
    )


@pytest.mark.parametrize(
    ("call", "operation"), [("describe_secret", "DescribeSecret"), ("get_secret_value", "GetSecretValue")]
)
def test_a_secret_without_the_tag_and_one_that_is_not_there_are_denied_alike(as_the_function, call, operation):
    secrets, client = as_the_function
    bare = secrets.put("bare", "value", tags={"team": "orders"})

    assert refusal(getattr(client, call), SecretId="bare") == denied(operation, bare.arn)
    assert refusal(getattr(client, call), SecretId="none") == denied(operation, "none")


def test_a_secret_with_the_tag_is_read_whatever_its_value_and_its_case(as_the_function):
    secrets, client = as_the_function
    secrets.put("orders", "value", tags={TAG: ""})
    secrets.put("payments", "value", tags={"Imported-Key-Material": "payments"})

    assert client.get_secret_value(SecretId="orders")["SecretString"] == "value"
    assert client.get_secret_value(SecretId="payments")["SecretString"] == "value"


def test_of_a_secret_that_may_be_read_a_version_that_is_not_there_is_not_found(as_the_function):
    secrets, client = as_the_function
    secrets.put("orders", "value", tags={TAG: "orders"})
    sentence = "Secrets Manager can't find the specified secret value for staging label: blue"

    expected = ("ResourceNotFoundException", sentence)
    assert refusal(client.get_secret_value, SecretId="orders", VersionStage="blue") == expected


def test_another_account_s_secret_is_read_without_the_tag_where_its_own_policy_lets_the_role_in(as_the_function):
    secrets, client = as_the_function
    secret = secrets.put("orders", "value", account=OTHER_ACCOUNT)

    assert refusal(client.describe_secret, SecretId=secret.arn) == denied(
        "DescribeSecret", secret.arn, "resource-based"
    )
    secret.readers.add("123456789012")
    assert client.describe_secret(SecretId=secret.arn)["Name"] == "orders"


@pytest.mark.parametrize("account", ["111122223333", OTHER_ACCOUNT])
@pytest.mark.parametrize(
    "tags", [{}, {"team": "orders"}, {TAG: ""}, {TAG: "orders"}, {"Imported-Key-Material": "orders"}]
)
def test_the_stand_in_lets_the_function_see_what_the_template_s_role_does(secrets, account, tags):
    secret = secrets.put("orders", "value", tags=tags, account=account, region="eu-central-1")
    context = {"aws:ResourceAccount": account}
    if account == "111122223333":  # IAM may not know the tags of another account's secret
        context |= {f"aws:ResourceTag/{name}": value for name, value in tags.items()}
    role = Application().role_statements()

    by_role = {
        allows(role, Call(f"secretsmanager:{action}", secret.arn, context))
        for action in ("DescribeSecret", "GetSecretValue")
    }

    assert by_role == {role_allows(secret, Caller("111122223333", "eu-central-1"))}
