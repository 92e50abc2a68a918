"""Whether the tool calls AWS: botocore's own addresses, and every other address that somebody sets."""

import boto3
import pytest
from botocore.config import Config

from imported_key_material.aws.key_view import KeyView
from imported_key_material.material.key_specs import key_spec
from key_custodian.aws import other_address
from key_custodian.evidence import Finding, Key, Verdict
from key_custodian.receipt import Receipt
from key_custodian.session import Who

ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture(scope="module")
def client():
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x")

    def made(service="kms", region="eu-central-1", endpoint_url=None, **config):
        return session.client(service, region_name=region, endpoint_url=endpoint_url, config=Config(**config))

    return made


@pytest.mark.parametrize("service", ["kms", "secretsmanager", "sts"])
@pytest.mark.parametrize(
    "where",
    [
        {"region": "eu-central-1"},
        {"region": "us-east-1", "use_fips_endpoint": True},
        {"region": "eu-central-1", "use_dualstack_endpoint": True},
        {"region": "cn-north-1"},
        {"region": "us-gov-west-1"},
        {"region": "us-iso-east-1"},
        {"region": "eusc-de-east-1"},
    ],
    ids=str,
)
def test_the_endpoints_that_botocore_chooses_are_aws_s_own(client, service, where):
    assert other_address(client(service, **where), service) == ""


def test_the_global_endpoint_of_sts_is_aws_s_own(client, monkeypatch):
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")

    made = boto3.Session().client("sts", region_name="us-east-1")

    assert (made.meta.endpoint_url, other_address(made, "sts")) == ("https://sts.amazonaws.com", "")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4566",
        "http://kms.eu-central-1.amazonaws.com",
        "https://kms.eu-central-1.amazonaws.com:8443",
        "https://kms.eu-central-1.amazonaws.com.example.org",
        "https://kms.eu-central-1.amazonaws.com/proxy",
        "https://kmsxeu-central-1.amazonaws.com",
        "https://kms.us-east-1.amazonaws.com",
        "https://sts.eu-central-1.amazonaws.com",
        "https://sts.amazonaws.com",
        "https://abcdef1234.execute-api.eu-central-1.amazonaws.com",
        "https://vpce-0123456789abcdef0-abcdefgh.kms.eu-central-1.vpce.amazonaws.com",
    ],
)
def test_every_other_address_is_told(client, url):
    assert other_address(client(endpoint_url=url), "kms") == url


def test_a_password_in_an_address_is_not_shown(client):
    made = client(endpoint_url="https://user:secret@kms.example.org/path")

    assert other_address(made, "kms") == "https://kms.example.org/path"


def test_a_receipt_of_answers_of_aws_s_own_begins_with_the_verdict():
    shown = {"Arn": ARN, "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
    view = KeyView.of_metadata(shown | {"Origin": "EXTERNAL", "KeyState": "PendingImport"})
    key = Key(view, key_spec("HMAC_256", partition="aws"))
    who = Who("111122223333", "arn:aws:iam::111122223333:user/custodian", "2026-01-01T00:00:00Z", "")
    finding = Finding(Verdict.NOT_SHOWN, None, "The key is PendingImport.")

    made = Receipt(
        finding, key, "HMAC:D38B42096D", "on paper", "", (), None, who, "eu-central-1", {}, (), "custodian 1"
    )

    assert made.lines()[0] == "Verdict:        NOT SHOWN"
    assert "Region:         eu-central-1" in made.lines()
    assert not [line for line in made.lines() if "NOT AWS" in line]
    assert (made.to_json()["region"], made.to_json()["not_aws"]) == ("eu-central-1", None)
