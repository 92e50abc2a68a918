"""What is said of a secret that can't be read: which secret and version is meant, and nothing of what was declared."""

import json

import pytest

from imported_key_material import properties
from imported_key_material.aws import secret_errors
from imported_key_material.errors import Refused
from imported_key_material.key_id import Home
from imported_key_material.lifecycle import checks

HOME = Home("aws", "eu-central-1", "111122223333")
ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/master-key-AbCdEf"


def test_a_secret_and_its_version_are_named_as_secrets_manager_names_them():
    assert secret_errors.place("orders/master-key") == "secret orders/master-key"
    assert secret_errors.place("orders/master-key", "1" * 32) == f"secret orders/master-key, version {'1' * 32}"


def test_a_long_name_is_cut():
    assert secret_errors.place("x" * 100) == f"secret {'x' * 100}"
    assert secret_errors.place("x" * 512, "1") == f"secret {'x' * 100}..., version 1"


@pytest.mark.parametrize("secret_id", ["orders/master-key", "arn", "orders:eu-west-1", ARN, ARN[:-7]])
def test_a_name_and_an_arn_of_this_account_are_looked_for_here(secret_id):
    assert secret_errors.account_of(secret_id, HOME) == "111122223333"


def test_another_account_is_the_arn_s():
    assert secret_errors.account_of(ARN.replace("111122223333", "444455556666"), HOME) == "444455556666"


@pytest.mark.parametrize(
    "region", ["EU-WEST-1", "eu-west", "euwest1", "00112233445566778899aabbccddeeff", "", "c2VjcmV0"]
)
def test_what_is_no_region_s_name_is_not_repeated(region):
    with pytest.raises(Refused) as refused:
        secret_errors.account_of(ARN.replace("eu-central-1", region), HOME)

    assert str(refused.value).startswith(
        "SecretId: The secret is in another Region, and the function reads secrets only in its own"
    )


def test_every_property_says_how_the_material_is_read_or_has_nothing_to_do_with_it():
    """A new one belongs to one or the other: where the first kind is faulty, no material may be judged."""
    reading = {
        *("SecretId", "SecretVersionId", "SecretVersionStage", "SecretJsonKey", "MaterialEncoding", "SecretWrapping"),
    }
    attributes = {pointer.rsplit("/", 1)[-1] for pointer in properties.SCHEMA["readOnlyProperties"]}

    assert checks.NOT_FOR_READING | reading == set(properties.SCHEMA["properties"]) - attributes
    assert not checks.NOT_FOR_READING & reading


@pytest.mark.parametrize(
    "algorithm", properties.SCHEMA["properties"]["SecretWrapping"]["properties"]["Algorithm"]["enum"]
)
def test_a_ciphertext_that_does_not_open_gets_the_hints_of_its_own_algorithm(algorithm):
    meanings = secret_errors.of_refused_decrypt(algorithm, "111122223333/orders/master-key")

    said = json.dumps(meanings["InvalidCiphertextException"])
    assert ("encryption context imported-key-material=111122223333/orders/master-key" in said) == (
        "RSA" not in algorithm
    )
    assert ("MGF1" in said) == ("RSA" in algorithm)
    assert ("Java" in said) == algorithm.endswith("SHA_256")
    assert ("RSA block" in said) == ("AES_KEY" in algorithm)
