"""The stand-in for Secrets Manager's writing calls, as strict as the API reference says; unmodified boto3 calls it."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.online import ACCOUNT, REGION

FIRST, SECOND, THIRD = (f"00000000-0000-4000-8000-00000000000{digit}" for digit in "123")


@pytest.fixture
def client(bank):
    session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="x", region_name=REGION)
    url = bank.custodian.environment["AWS_ENDPOINT_URL"]
    client = session.client("secretsmanager", endpoint_url=url, config=Config(proxies={}))
    client.create_secret(
        Name="orders/key", ClientRequestToken=FIRST, SecretBinary=b"1", Description="d", KmsKeyId="alias/k"
    )
    return client


def put(client, token, value, **more):
    return client.put_secret_value(SecretId="orders/key", ClientRequestToken=token, SecretBinary=value, **more)


def stages(client):
    return client.describe_secret(SecretId="orders/key")["VersionIdsToStages"]


def test_a_new_secret_is_current_and_shows_what_it_was_made_with(client):
    shown = client.describe_secret(SecretId="orders/key")

    assert (shown["Description"], shown["KmsKeyId"]) == ("d", "alias/k")
    assert shown["VersionIdsToStages"] == {FIRST: ["AWSCURRENT"]}


def test_a_version_without_stages_takes_current_away_silently(client):
    """The tool must prevent this."""
    put(client, SECOND, b"2")

    assert stages(client) == {FIRST: ["AWSPREVIOUS"], SECOND: ["AWSCURRENT"]}


def test_a_stage_of_its_own_moves_nothing(client):
    assert put(client, SECOND, b"2", VersionStages=["own"])["VersionStages"] == ["own"]

    assert stages(client) == {FIRST: ["AWSCURRENT"], SECOND: ["own"]}


def test_a_version_that_lost_its_stages_is_not_shown_any_more(client):
    put(client, SECOND, b"2")
    put(client, THIRD, b"3")

    assert stages(client) == {SECOND: ["AWSPREVIOUS"], THIRD: ["AWSCURRENT"]}


def test_the_same_token_and_value_again_does_nothing(client):
    put(client, SECOND, b"2", VersionStages=["own"])

    assert put(client, SECOND, b"2", VersionStages=["AWSCURRENT"])["VersionStages"] == ["own"]
    assert client.create_secret(Name="orders/key", ClientRequestToken=FIRST, SecretBinary=b"1")["VersionId"] == FIRST
    assert stages(client) == {FIRST: ["AWSCURRENT"], SECOND: ["own"]}


def test_the_same_token_with_another_value_is_refused(client):
    with pytest.raises(ClientError, match="ResourceExistsException"):
        put(client, FIRST, b"2")
    with pytest.raises(ClientError, match="ResourceExistsException"):
        client.create_secret(Name="orders/key", ClientRequestToken=SECOND, SecretBinary=b"1")
    assert stages(client) == {FIRST: ["AWSCURRENT"]}


def test_a_secret_that_is_marked_for_deletion_takes_nothing(bank, client):
    (secret,) = bank.secrets._secrets.values()
    bank.secrets.mark_for_deletion(secret)

    for call in (
        lambda: put(client, SECOND, b"2"),
        lambda: client.create_secret(Name="orders/key", ClientRequestToken=SECOND, SecretBinary=b"1"),
        lambda: client.tag_resource(SecretId="orders/key", Tags=[{"Key": "a", "Value": "b"}]),
        lambda: client.update_secret(SecretId="orders/key", Description="e"),
    ):
        with pytest.raises(ClientError, match="InvalidRequestException"):
            call()
    assert secret.tags == {}


def test_what_breaks_the_model_or_is_not_modelled_is_refused(client):
    with pytest.raises(ClientError, match="ValidationException"):
        client.create_secret(Name="no such name!", ClientRequestToken=SECOND, SecretBinary=b"1")
    with pytest.raises(ClientError, match="ValidationException"):
        put(client, SECOND, bytes(65_537))
    with pytest.raises(ClientError, match="InternalServiceError"):
        client.update_secret(SecretId="orders/key", SecretBinary=b"2")
    assert stages(client) == {FIRST: ["AWSCURRENT"]}


def test_there_are_twenty_stages_and_no_more(client):
    put(client, SECOND, b"2", VersionStages=[f"stage-{number}" for number in range(19)])

    with pytest.raises(ClientError, match="LimitExceededException"):
        put(client, THIRD, b"3", VersionStages=["one more"])
