"""What CloudFormation keeps of a key: the forms of its id, and the attributes for Fn::GetAtt."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from imported_key_material.aws import key_kind
from imported_key_material.aws.key_view import KeyView
from imported_key_material.errors import Faults
from imported_key_material.lifecycle import attributes
from imported_key_material.lifecycle.attributes import Evidence
from imported_key_material.material.key_specs import Kind
from imported_key_material.properties import read
from lab.cloudformation.events import KEY_ARN

KEY_ID = KEY_ARN.rsplit("/", 1)[-1]
MATERIAL_ID = "0123456789abcdef" * 4


def view(**changes):
    """A key as DescribeKey shows it."""
    metadata = {
        "Arn": KEY_ARN,
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "Origin": "EXTERNAL",
        "KeyState": "Enabled",
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "CurrentKeyMaterialId": MATERIAL_ID,
    }
    return KeyView.of_metadata({name: value for name, value in (metadata | changes).items() if value is not None})


def declared(**properties):
    return read({"ServiceToken": "arn", "KeyId": KEY_ID, "SecretId": "orders/key"} | properties, Faults())


# --------------------------------------------------------------------------------------------------------- attributes


def test_a_symmetric_key_shows_its_material_s_id():
    assert attributes.of(view(), declared(), None) == {
        "KeyArn": KEY_ARN,
        "KeyId": KEY_ID,
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": MATERIAL_ID,
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "ValidTo": "",
        "CheckValue": "",
    }


def test_an_expiry_is_shown_in_utc_and_whole_seconds_as_kms_keeps_it():
    berlin = datetime(2027, 1, 31, 12, 30, 15, 999999, tzinfo=timezone(timedelta(hours=1)))
    shown = attributes.of(view(ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=berlin), declared(), None)

    assert shown["ValidTo"] == "2027-01-31T11:30:15Z"
    assert shown["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"


def test_what_is_shown_as_expiry_can_be_declared_as_expiry():
    valid_to = datetime(2027, 1, 31, 12, 0, 0, tzinfo=UTC)
    shown = attributes.of(view(ValidTo=valid_to), declared(), None)

    faults = Faults()
    again = read({"ServiceToken": "arn", "KeyId": KEY_ID, "SecretId": "s", "ValidTo": shown["ValidTo"]}, faults)
    assert not faults
    assert again.valid_to == valid_to


def test_an_asymmetric_key_shows_the_hash_of_its_public_key_whatever_is_expected():
    public_key = b"a SubjectPublicKeyInfo in DER"
    expected = f"SHA256:{hashlib.sha256(public_key).hexdigest().upper()}"

    shown = attributes.of(
        view(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", CurrentKeyMaterialId=None),
        declared(ExpectedCheckValue=expected.lower().replace("sha256", "SHA256")),
        Evidence(public_key=public_key),
    )

    assert (shown["KeySpec"], shown["KeyMaterialId"], shown["CheckValue"]) == ("ECC_NIST_P256", "", expected)


EXPECTED = "CMAC:377822C093"


def check_value(evidence, **changes):
    return attributes.of(view(**changes), declared(ExpectedCheckValue=EXPECTED), evidence)["CheckValue"]


def test_a_symmetric_key_that_has_had_one_material_only_shows_the_declared_check_value():
    assert check_value(Evidence(material_ids=(MATERIAL_ID,))) == EXPECTED


@pytest.mark.parametrize(
    "material_ids",
    [(), ("f" * 64,), (MATERIAL_ID, "f" * 64), ("f" * 64, MATERIAL_ID)],
    ids=["none listed", "another is listed", "one is staged or superseded", "it is not the first"],
)
def test_a_declared_check_value_may_belong_to_other_bytes(material_ids):
    """If a key was rotated, or has pending material, nobody knows to which material the value belongs."""
    assert check_value(Evidence(material_ids=material_ids)) == ""


def test_an_hmac_key_shows_the_declared_check_value_since_its_bytes_are_permanent():
    hmac = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC", "CurrentKeyMaterialId": None}

    assert check_value(Evidence(), **hmac) == EXPECTED


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256", "RSA_2048", "ML_DSA_44"])
def test_without_consent_there_is_no_check_value(spec):
    assert check_value(None, KeySpec=spec) == ""


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048", "SM2", "ML_DSA_44"])
def test_an_asymmetric_key_whose_public_key_was_not_read_has_none(spec):
    assert check_value(Evidence(), KeySpec=spec, CurrentKeyMaterialId=None) == ""


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_a_key_that_lost_its_material_has_none(spec):
    assert check_value(Evidence(material_ids=(MATERIAL_ID,)), KeySpec=spec, KeyState="PendingImport") == ""


@pytest.mark.parametrize(
    ("spec", "kind", "is_asymmetric"),
    [
        ("SYMMETRIC_DEFAULT", Kind.SYMMETRIC, False),
        ("HMAC_384", Kind.HMAC, False),
        ("RSA_3072", Kind.RSA, True),
        ("ECC_NIST_P521", Kind.EC, True),
        ("ECC_NIST_EDWARDS25519", Kind.EDWARDS, True),
        ("ML_DSA_65", None, False),  # takes no imported material
    ],
)
def test_the_kind_of_a_key_follows_from_its_spec(spec, kind, is_asymmetric):
    assert (key_kind.kind_of(view(KeySpec=spec)), key_kind.is_asymmetric(view(KeySpec=spec))) == (kind, is_asymmetric)


def test_a_key_without_material_shows_every_name_all_the_same():
    empty = view(KeyState="PendingImport", ExpirationModel=None, CurrentKeyMaterialId=None)

    shown = attributes.of(empty, declared(), None)

    assert shown == attributes.NONE | {"KeyArn": KEY_ARN, "KeyId": KEY_ID, "KeySpec": "SYMMETRIC_DEFAULT"}
    assert list(shown) == list(attributes.NONE)
