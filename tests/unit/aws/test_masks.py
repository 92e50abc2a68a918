"""No text of AWS may repeat a declared value: the property's name replaces it."""

import pytest

from imported_key_material.aws import masks

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:eu-central-1:111122223333:key/{KEY}"
SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/master-key-AbCdEf"


def test_each_declared_text_has_its_place():
    declared = {
        "KeyId": KEY,
        "SecretId": "orders/master-key",
        "SecretVersionId": "5" * 32,
        "SecretVersionStage": "AWSPREVIOUS",
        "SecretJsonKey": "material",
        "SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": "alias/transport"},
        "KeyMaterialDescription": "of the ceremony",
        "PreviousSecretVersionIds": ["6" * 32, "7" * 32],
        "ExpectedCheckValue": "CMAC:377822",
        "Trigger": "deployment 7",
        "ValidTo": "2030-01-31T12:00:00Z",
    }

    assert masks.of(declared) == {
        KEY: "<KeyId>",
        "orders/master-key": "<SecretId>",
        "5" * 32: "<SecretVersionId>",
        "AWSPREVIOUS": "<SecretVersionStage>",
        "material": "<SecretJsonKey>",
        "alias/transport": "<SecretWrapping.KeyId>",
        "of the ceremony": "<KeyMaterialDescription>",
        "6" * 32: "<PreviousSecretVersionIds.0>",
        "7" * 32: "<PreviousSecretVersionIds.1>",
        "CMAC:377822": "<ExpectedCheckValue>",
        "deployment 7": "<Trigger>",
        "2030-01-31T12:00:00Z": "<ValidTo>",
    }


def test_the_parts_of_an_arn_that_aws_may_show_separately_are_masked_too():
    assert masks.of({"KeyId": ARN}) == dict.fromkeys((ARN, f"key/{KEY}", KEY), "<KeyId>")
    assert masks.of({"SecretId": SECRET}) == dict.fromkeys(
        (SECRET, "orders/master-key-AbCdEf", "master-key-AbCdEf"), "<SecretId>"
    )


@pytest.mark.parametrize(
    "declared",
    [
        {"SecretId": "orders7"},  # seven characters: no key, and maybe a word of AWS's sentence
        {"Trigger": "x" * 2049},
        {"ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:imported-key-material"},
        {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "NewMaterial": "REFUSE", "WrappingKeySpec": "RSA_2048"},
        {"SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT"}},
        {"Unknown": "it goes to nobody"},
        {"SecretId": ["orders/master-key"] * 0, "SecretWrapping": "SYMMETRIC_DEFAULT"[:7], "KeyId": 7, "Trigger": None},
        {"SecretWrapping": {"KeyId": {"KeyId": "alias/transport"}}},
    ],
)
def test_what_is_no_value_of_its_own_is_not_masked(declared):
    assert masks.of(declared) == {}


def test_what_was_declared_before_has_its_place_and_the_present_one_counts():
    assert masks.of(
        {"SecretId": "orders/master-key"}, {"SecretId": "orders/old-key", "Trigger": "orders/master-key"}
    ) == {
        "orders/master-key": "<SecretId>",
        "orders/old-key": "<SecretId>",
    }


def test_of_an_endless_list_its_beginning_is_looked_at():
    assert len(masks.of({"PreviousSecretVersionIds": [f"{number:032}" for number in range(100_000)]})) == 25
