"""What users may declare: every rule of the schema, all faults at once, and no value in any sentence."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import chain
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imported_key_material.errors import Faults, Refused
from imported_key_material.lifecycle import attributes
from imported_key_material.properties import DECLARABLE, SCHEMA, Properties, SecretWrapping, read

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_ARN = f"arn:aws:kms:eu-central-1:111122223333:key/{KEY_ID}"
MULTI_REGION_ID = "mrk-1234abcd12ab34cd56ef1234567890ab"
VERSION_ID = "a1b2c3d4-5678-90ab-cdef-1234567890ab"
MINIMAL = {"ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:f", "KeyId": KEY_ID, "SecretId": "orders"}
WRAPPING = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": "alias/transport"}

RULES = {
    "ServiceToken": "the ARN of the function",
    "ServiceTimeout": "a whole number of seconds from 120 to 3600",
    "KeyId": "the id or the ARN of a KMS key, not an alias",
    "SecretId": "the name or the ARN of a Secrets Manager secret, at most 2048 characters",
    "SecretVersionId": "a version id of the secret, 32 to 64 characters",
    "SecretVersionStage": "a staging label, 1 to 256 characters",
    "SecretJsonKey": "the name of a field, 1 to 256 characters",
    "MaterialEncoding": "one of RAW, BASE64, HEX, PEM",
    "SecretWrapping": "an object with Algorithm and KeyId",
    "SecretWrapping.Algorithm": (
        "one of SYMMETRIC_DEFAULT, RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, RSA_AES_KEY_WRAP_SHA_1, RSA_AES_KEY_WRAP_SHA_256"
    ),
    "SecretWrapping.KeyId": "the id, the ARN or the alias of a KMS key",
    "WrappingAlgorithm": (
        "one of RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, RSA_AES_KEY_WRAP_SHA_256, RSA_AES_KEY_WRAP_SHA_1"
    ),
    "WrappingKeySpec": "one of RSA_2048, RSA_3072, RSA_4096",
    "ValidTo": "a time in ISO 8601 with its zone, such as 2030-01-31T12:00:00Z",
    "ValidForDays": "a whole number of days from 1 to 364",
    "KeyMaterialDescription": "at most 256 letters, digits, spaces and : / _ . -",
    "PreviousSecretVersionIds": "a list of 1 to 25 different version ids of the secret",
    "NewMaterial": "one of REFUSE, STAGE, ROTATE",
    "ExpectedCheckValue": "CMAC:, ECB:, HMAC: or SHA256:, and hex digits",
    "Trigger": "at most 1024 characters",
}

FITS: dict[str, list[Any]] = {
    "ServiceToken": ["x"],
    "ServiceTimeout": ["120", "199", "200", "999", "1000", "2999", "3000", "3599", "3600", 120, 3600, 300.0],
    "KeyId": [
        KEY_ID,
        KEY_ARN,
        MULTI_REGION_ID,
        KEY_ARN.replace(KEY_ID, MULTI_REGION_ID),
        KEY_ARN.replace(":aws:", ":aws-us-gov:"),
    ],
    "SecretId": [
        "o",
        "orders/master-key",
        "a_b+c=d.e@f!g",
        "s" * 2048,
        "arn:aws:secretsmanager:eu-central-1:999988887777:secret:orders/key-AbCdEf",
    ],
    "SecretVersionId": [VERSION_ID, "v" * 32, "v" * 64],
    "SecretVersionStage": ["AWSCURRENT", "AWSPREVIOUS", "s", "a/b_c+d=e.f@g!h:i-j", "s" * 256],
    "SecretJsonKey": ["k", "a key: with {anything}", "鍵", "k" * 256],
    "MaterialEncoding": ["RAW", "BASE64", "HEX", "PEM"],
    "SecretWrapping.Algorithm": [
        "SYMMETRIC_DEFAULT",
        "RSAES_OAEP_SHA_1",
        "RSAES_OAEP_SHA_256",
        "RSA_AES_KEY_WRAP_SHA_1",
        "RSA_AES_KEY_WRAP_SHA_256",
    ],
    "SecretWrapping.KeyId": [
        KEY_ID,
        f"key/{KEY_ID}",
        KEY_ARN,
        MULTI_REGION_ID,
        "alias/transport",
        "alias/aws/x_y-z",
        "arn:aws:kms:eu-central-1:111122223333:alias/transport",
        f"alias/{'a' * 250}",
    ],
    "WrappingAlgorithm": [
        "RSAES_OAEP_SHA_256",
        "RSAES_OAEP_SHA_1",
        "RSA_AES_KEY_WRAP_SHA_256",
        "RSA_AES_KEY_WRAP_SHA_1",
    ],
    "WrappingKeySpec": ["RSA_2048", "RSA_3072", "RSA_4096"],
    "ValidTo": [
        "2030-01-31T12:00:00Z",
        "2030-01-31T12:00Z",
        "2030-01-31T12:00:00.5Z",
        "2030-01-31T12:00:00.123456+05:30",
        "2030-01-31T12:00:00-08:00",
        "2028-02-29T00:00:00Z",
    ],
    "ValidForDays": ["1", "9", "10", "99", "100", "299", "300", "359", "360", "364", 1, 364, 30.0],
    "KeyMaterialDescription": ["d", "HSM 7, ".replace(",", ":") + "ceremony of 2026-12-01/a_b.c", "d" * 256],
    "PreviousSecretVersionIds": [[VERSION_ID], [VERSION_ID, "v" * 32, "v" * 64], [f"{n:032}" for n in range(25)]],
    "NewMaterial": ["REFUSE"],  # the others need SecretVersionId: below
    "ExpectedCheckValue": ["CMAC:377822C093", "cmac:377822c093", "ECB:F29000", "HMAC:6E99E8", "SHA256:" + "0a" * 32],
    "Trigger": ["", "1", "anything at all: {}, 鍵\n", "t" * 1024],
}

NO_TEXT = [None, True, 17, 1.5, [], ["x"], {}, {"a": "x"}]
NO_NUMBER = [
    None,
    True,
    False,
    1.5,
    [],
    ["30"],
    {},
    {"a": 30},
    "",
    " ",
    "x",
    "30.0",
    "1e2",
    "+30",
    "-30",
    " 30",
    "30 ",
    "30\n",
    "٣٠",
    "030",
]
BREAKS: dict[str, list[Any]] = {
    "ServiceToken": [*NO_TEXT, ""],
    "ServiceTimeout": [*NO_NUMBER, "0", "1", "119", "3601", "3700", "4000", "10000", "0120", 0, 119, 3601, -3600, 10**30],
    "KeyId": [
        *NO_TEXT,
        "",
        "alias/orders",
        "arn:aws:kms:eu-central-1:111122223333:alias/orders",
        f"key/{KEY_ID}",
        KEY_ID.upper(),
        KEY_ID[:-1],
        f"{KEY_ID}0",
        f"{KEY_ID}\n",
        f" {KEY_ID}",
        f"{KEY_ARN}/x",
        KEY_ARN.replace(":kms:", ":s3:"),
        KEY_ARN.replace("eu-central-1", "e" * 31),
        KEY_ARN.replace("arn:aws:", f"arn:aws{'-' * 21}:"),
        KEY_ARN.replace("111122223333", "1111"),
        "mrk-1234",
    ],
    "SecretId": [*NO_TEXT, "", "two words", "orders\n", "ørders", "a,b", "a*", "s" * 2049],
    "SecretVersionId": [*NO_TEXT, "", "v" * 31, "v" * 65, "v" * 32 + "\n", "v_" * 16, "AWSCURRENT"],
    "SecretVersionStage": [*NO_TEXT, "", "s" * 257, "two words", "AWSCURRENT\n"],
    "SecretJsonKey": [*NO_TEXT, "", "k" * 257],
    "MaterialEncoding": [*NO_TEXT, "", "base64", "BASE32", "HEX ", "DER"],
    "SecretWrapping": [None, True, 17, "SYMMETRIC_DEFAULT", [], [WRAPPING]],
    "SecretWrapping.Algorithm": [*NO_TEXT, "", "RSAES_PKCS1_V1_5", "symmetric_default", "SM2PKE"],
    "SecretWrapping.KeyId": [*NO_TEXT, "", "transport", "alias/", "alias/a b", f"alias/{'a' * 251}", f"{KEY_ID}\n"],
    "WrappingAlgorithm": [*NO_TEXT, "", "SYMMETRIC_DEFAULT", "RSAES_PKCS1_V1_5", "rsaes_oaep_sha_256", "SM2PKE"],
    "WrappingKeySpec": [*NO_TEXT, "", "RSA_1024", "RSA_8192", "SM2", "4096"],
    "ValidTo": [
        *NO_TEXT,
        "",
        "2030-01-31",
        "2030-01-31T12:00:00",  # no zone
        "2030-01-31 12:00:00Z",
        "2030-01-31T12:00:00 Z",
        "2030-01-31t12:00:00z",
        "2030-1-31T12:00:00Z",
        "2030-01-31T12:00:00.1234567Z",
        "2030-01-31T12:00:00+01",
        "2030-01-31T12:00:00+0100",
        "2030-01-31T12:00:00Z\n",
        "20300131T120000Z",
        "1896436800",
        "in a year",
    ],
    "ValidForDays": [*NO_NUMBER, "0", "00", "01", "365", "370", "400", "1000", 0, 365, -1, 10**30],
    "KeyMaterialDescription": [
        *(*NO_TEXT, "", "d" * 257, "a, b", "é", "a@b", "(x)"),
        *(f"a{space}b" for space in "\n\r\t\v\f\x1c\x85\u00a0\u2028\u2029\u3000"),  # KMS's own rule takes any white space
        "a\n",
    ],
    "PreviousSecretVersionIds": [
        *(value for value in NO_TEXT if not isinstance(value, list)),
        [],
        "",
        VERSION_ID,
        f"{VERSION_ID},{'v' * 32}",
        [VERSION_ID, VERSION_ID],
        [f"{n:032}" for n in range(26)],
    ],
    "NewMaterial": [*NO_TEXT, "", "stage", "ROTATED", "STAGE,ROTATE", "refuse", "REFUSE "],
    "ExpectedCheckValue": [*NO_TEXT, "", "377822C093", "CMAC:", "CMAC:3", "CMAC:XY", ":377822", "CMAC:377822\n"],
    "Trigger": [*NO_TEXT, "t" * 1025],
}  # fmt: skip


def properties_with(name, value):
    outer, _, inner = name.partition(".")
    return MINIMAL | ({outer: WRAPPING | {inner: value}} if inner else {name: value})


def refusal(declared):
    """All faults of a declaration, in one text."""
    faults = Faults()
    read(declared, faults)
    with pytest.raises(Refused) as refused:
        faults.raise_if_any()
    assert refused.value.__context__ is None
    return str(refused.value)


def sound(declared):
    faults = Faults()
    properties = read(declared, faults)
    faults.raise_if_any()
    return properties


def each(table):
    return [
        pytest.param(name, value, id=f"{name}-{number}")
        for name, values in table.items()
        for number, value in enumerate(values)
    ]


# ------------------------------------------------------------------------------------------------- what is declared


def test_the_least_that_can_be_declared_takes_the_defaults():
    properties = sound(MINIMAL)

    assert properties == Properties(
        key_id=KEY_ID,
        secret_id="orders",
        secret_version_id=None,
        secret_version_stage=None,
        secret_json_key=None,
        material_encoding=None,
        secret_wrapping=None,
        wrapping_algorithm=None,
        wrapping_key_spec="RSA_4096",
        valid_to=None,
        valid_for_days=None,
        key_material_description=None,
        previous_secret_version_ids=(),
        new_material="REFUSE",
        expected_check_value=None,
        trigger=None,
    )


def test_all_that_can_be_declared_is_read():
    properties = sound(
        MINIMAL
        | {
            "ServiceTimeout": "600",
            "KeyId": KEY_ARN,
            "SecretVersionId": VERSION_ID,
            "SecretJsonKey": "key",
            "MaterialEncoding": "HEX",
            "SecretWrapping": WRAPPING,
            "WrappingAlgorithm": "RSAES_OAEP_SHA_1",
            "WrappingKeySpec": "RSA_2048",
            "ValidForDays": "364",
            "KeyMaterialDescription": "HSM 7",
            "PreviousSecretVersionIds": ["v" * 32, "u" * 64],
            "NewMaterial": "ROTATE",
            "ExpectedCheckValue": "CMAC:377822",
            "Trigger": "7",
        }
    )

    assert properties == Properties(
        key_id=KEY_ARN,
        secret_id="orders",
        secret_version_id=VERSION_ID,
        secret_version_stage=None,
        secret_json_key="key",
        material_encoding="HEX",
        secret_wrapping=SecretWrapping("SYMMETRIC_DEFAULT", "alias/transport"),
        wrapping_algorithm="RSAES_OAEP_SHA_1",
        wrapping_key_spec="RSA_2048",
        valid_to=None,
        valid_for_days=364,
        key_material_description="HSM 7",
        previous_secret_version_ids=("v" * 32, "u" * 64),
        new_material="ROTATE",
        expected_check_value="CMAC:377822",
        trigger="7",
    )
    assert sound(MINIMAL | {"SecretVersionStage": "AWSPREVIOUS"}).secret_version_stage == "AWSPREVIOUS"


@pytest.mark.parametrize(("name", "value"), each(FITS))
def test_what_fits_a_property_s_rule_is_taken(name, value):
    assert sound(properties_with(name, value))


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2030-01-31T12:00:00Z", datetime(2030, 1, 31, 12, tzinfo=UTC)),
        ("2030-01-31T12:00Z", datetime(2030, 1, 31, 12, tzinfo=UTC)),
        ("2030-01-31T12:00:00.5Z", datetime(2030, 1, 31, 12, 0, 0, 500000, tzinfo=UTC)),
        ("2030-01-31T12:00:00+05:30", datetime(2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))),
        ("2030-01-31T12:00:00-08:00", datetime(2030, 1, 31, 20, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_a_moment_in_its_own_zone(text, time):
    assert sound(MINIMAL | {"ValidTo": text}).valid_to == time


@pytest.mark.parametrize("days", ["30", 30, 30.0])
def test_days_are_a_number_in_whichever_json_form_they_come(days):
    assert sound(MINIMAL | {"ValidForDays": days}).valid_for_days == 30


# ------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(("name", "value"), each(BREAKS))
def test_what_breaks_a_property_s_rule_is_refused_with_the_rule(name, value):
    assert refusal(properties_with(name, value)) == (
        f"{name}: The value does not fit the property's rule. It must be {RULES[name]}."
    )


@pytest.mark.parametrize("name", ["ServiceToken", "KeyId", "SecretId"])
def test_what_must_be_declared_is_missed(name):
    declared = {other: value for other, value in MINIMAL.items() if other != name}

    assert refusal(declared) == f"{name}: The property is missing. Declare {RULES[name]}."


def test_all_that_is_missing_is_named_at_once():
    assert refusal({}) == (
        "3 things are wrong. (1) KeyId: The property is missing. Declare the id or the ARN of a KMS key, not an alias. (2) "
        "SecretId: The property is missing. Declare the name or the ARN of a Secrets Manager secret, at most 2048 characters. "
        "(3) ServiceToken: The property is missing. Declare the ARN of the function."
    )


@pytest.mark.parametrize("name", ["Algorithm", "KeyId"])
def test_what_must_be_declared_inside_is_missed(name):
    wrapping = {other: value for other, value in WRAPPING.items() if other != name}

    assert refusal(MINIMAL | {"SecretWrapping": wrapping}) == (
        f"SecretWrapping.{name}: The property is missing. Declare {RULES[f'SecretWrapping.{name}']}."
    )


@pytest.mark.parametrize(
    "versions",
    [
        *(
            pytest.param([value], id=f"{value}")
            for value in ("", "v" * 31, "v" * 65, "v_" * 16, None, 17, [VERSION_ID])
        ),
        pytest.param([VERSION_ID, "AWSPREVIOUS"], id="a stage among them"),
    ],
)
def test_each_of_the_previous_versions_is_a_version_id(versions):
    where = f"PreviousSecretVersionIds.{len(versions) - 1}"

    assert refusal(MINIMAL | {"PreviousSecretVersionIds": versions}) == (
        f"{where}: The value does not fit the property's rule. It must be {RULES['SecretVersionId']}."
    )


TOO_LONG = (
    "PreviousSecretVersionIds: The value does not fit the property's rule. "
    f"It must be {RULES['PreviousSecretVersionIds']}."
)


@pytest.mark.parametrize("item", ["v", VERSION_ID, 1, None, "{}", [], {}])
def test_a_list_that_is_too_long_is_one_fault_whatever_is_in_it(item):
    assert refusal(MINIMAL | {"PreviousSecretVersionIds": [item] * 26}) == TOO_LONG


class Untouchable(str):
    """An item whose length and hash nobody may ask for."""

    __slots__ = ()

    def __len__(self):
        raise AssertionError("looked at")

    __hash__ = __eq__ = __len__


def test_no_item_of_a_list_that_is_too_long_is_compared():
    assert refusal(MINIMAL | {"PreviousSecretVersionIds": [Untouchable(VERSION_ID)] * 26}) == TOO_LONG


def test_items_that_are_no_texts_are_not_compared_with_each_other():
    """Ten integers with the same hash; the validator needed 13 seconds to compare 100,000 of them."""
    colliding = [number * (2**61 - 1) for number in range(1, 26)]

    text = refusal(MINIMAL | {"PreviousSecretVersionIds": colliding})

    assert text.startswith("25 things are wrong. (1) PreviousSecretVersionIds.0: The value does not fit")
    assert text.endswith("(10) PreviousSecretVersionIds.9: The value does not fit the property's rule. It must be "
                         f"{RULES['SecretVersionId']}. 15 more are not listed here.")  # fmt: skip


def test_a_list_within_a_list_however_deep_is_one_fault():
    deep = "x"
    for _ in range(5_000):
        deep = [deep]

    assert refusal(MINIMAL | {"PreviousSecretVersionIds": [VERSION_ID, deep]}) == (
        f"PreviousSecretVersionIds.1: The value does not fit the property's rule. It must be {RULES['SecretVersionId']}."
    )


# ---------------------------------------------------------------------------------------- rules between properties


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
def test_new_material_is_taken_only_from_a_pinned_version(new_material):
    pinned = MINIMAL | {"NewMaterial": new_material, "SecretVersionId": VERSION_ID}
    sentence = (
        f"NewMaterial: {new_material} needs a pinned SecretVersionId, since a rotation can't be taken back. Declare "
        "SecretVersionId, the version that holds the new material."
    )

    assert sound(pinned).new_material == new_material
    assert refusal(MINIMAL | {"NewMaterial": new_material}) == sentence
    assert refusal(MINIMAL | {"NewMaterial": new_material, "SecretVersionStage": "AWSCURRENT"}) == sentence


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Keyid", "KeyId"),
        ("keyId", "KeyId"),
        ("KEYID", "KeyId"),
        ("KeyID", "KeyId"),
        ("SecretID", "SecretId"),
        ("SecretArn", "SecretId"),
        ("SecretWraping", "SecretWrapping"),
        ("SecretVersion", "SecretVersionId"),
        ("WrappingAlgoritm", "WrappingAlgorithm"),
        ("ValidForDay", "ValidForDays"),
        ("validto", "ValidTo"),
        ("NEWMATERIAL", "NewMaterial"),
        ("Triggers", "Trigger"),
        ("ServiceTimeOut", "ServiceTimeout"),
    ],
)
def test_a_misspelt_property_is_answered_with_the_right_spelling(wrong, right):
    assert refusal(MINIMAL | {wrong: "x"}) == f"{wrong}: There is no such property. Is it {right}?"


@pytest.mark.parametrize(
    ("wrong", "right"), [("KeyID", "KeyId"), ("KeyArn", "KeyId"), ("algorithm", "Algorithm"), ("Algoritm", "Algorithm")]
)
def test_a_property_misspelt_inside_is_answered_with_its_whole_path(wrong, right):
    assert refusal(MINIMAL | {"SecretWrapping": WRAPPING | {wrong: "x"}}) == (
        f"SecretWrapping.{wrong}: There is no such property. Is it SecretWrapping.{right}?"
    )


@pytest.mark.parametrize("name", ["Foo", "Tags", "x"])
def test_a_property_that_resembles_none_is_to_be_taken_out(name):
    assert refusal(MINIMAL | {name: ["x"]}) == f"{name}: There is no such property. Take it out."


@pytest.mark.parametrize("name", sorted(set(attributes.NONE) - set(DECLARABLE)))
def test_an_attribute_can_not_be_declared(name):
    assert refusal(MINIMAL | {name: "x"}) == (
        f"{name}: This is an attribute, not a property. Take it out, and read it with Fn::GetAtt."
    )


@pytest.mark.parametrize(
    "name", ["", " ", "Key Id", "Key.Id", "Key-Id", "KeyId\n", "KeyId2", "名", "x" * 41, "{{resolve:x}}"]
)
def test_a_name_that_does_not_look_like_one_is_not_quoted(name):
    assert refusal(MINIMAL | {name: "x"}) == (
        "Properties: There is a property that this resource does not have. Take it out."
    )
    assert refusal(MINIMAL | {"SecretWrapping": WRAPPING | {name: "x"}}) == (
        "SecretWrapping: There is a property that this resource does not have. Take it out."
    )


@pytest.mark.parametrize(
    "value",
    [
        "2030-02-30T12:00:00Z",
        "2029-02-29T12:00:00Z",
        "2030-13-01T12:00:00Z",
        "2030-00-01T12:00:00Z",
        "0000-01-01T12:00:00Z",
        "2030-01-31T25:00:00Z",
        "2030-01-31T12:60:00Z",
        "2030-01-31T12:00:60Z",
        "2030-01-31T12:00:00+24:00",
    ],
)
def test_a_time_that_there_is_not_is_refused(value):
    assert refusal(MINIMAL | {"ValidTo": value}) == (
        "ValidTo: There is no such date and time. It must be a time in ISO 8601 with its zone, such as 2030-01-31T12:00:00Z."
    )


def test_an_expiry_can_not_be_declared_in_both_ways():
    assert refusal(MINIMAL | {"ValidTo": "2030-01-31T12:00:00Z", "ValidForDays": "30"}) == (
        "ValidTo: ValidTo and ValidForDays are both declared, and they are two ways to say one thing. Keep one."
    )


TWO_VERSIONS = (
    "SecretVersionId: SecretVersionId and SecretVersionStage are both declared, and they are two ways to say one thing. "
    "Keep SecretVersionId: a pinned version makes updates and rollbacks exact."
)


def test_a_version_can_not_be_declared_in_both_ways():
    assert refusal(MINIMAL | {"SecretVersionId": VERSION_ID, "SecretVersionStage": "AWSCURRENT"}) == TWO_VERSIONS


def test_pem_can_not_be_the_encoding_of_a_ciphertext():
    assert refusal(MINIMAL | {"SecretWrapping": WRAPPING, "MaterialEncoding": "PEM"}) == (
        "MaterialEncoding: PEM can't hold wrapped material. With SecretWrapping, MaterialEncoding is the encoding of the "
        "ciphertext. Use BASE64 or HEX, or leave it out. PEM inside the wrapping is recognized."
    )
    for encoding in ("RAW", "BASE64", "HEX"):
        assert sound(MINIMAL | {"SecretWrapping": WRAPPING, "MaterialEncoding": encoding})


# -------------------------------------------------------------------------------------------- dynamic references

REFERENCE = "{{resolve:secretsmanager:orders/key:SecretString}}"


def unresolved(where):
    return (
        f"{where}: The value contains {{{{resolve:, and CloudFormation does not resolve secretsmanager and ssm-secure "
        "references in custom resources. Name the secret in SecretId; its value never goes through a template."
    )


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("SecretId", REFERENCE, "SecretId"),
        ("Trigger", f"before {REFERENCE} after", "Trigger"),
        ("Trigger", "{{resolve:", "Trigger"),
        ("Trigger", [REFERENCE], "Trigger"),
        ("Trigger", [[["x", REFERENCE]]], "Trigger"),
        ("ValidTo", "{{resolve:ssm-secure:expiry}}", "ValidTo"),
        ("SecretWrapping", REFERENCE, "SecretWrapping"),
        ("SecretWrapping.KeyId", REFERENCE, "SecretWrapping.KeyId"),
        ("SecretWrapping.KeyId", [{"a": [{"b": REFERENCE}]}], "SecretWrapping.KeyId"),
        ("SecretWrapping.Algorithm", REFERENCE, "SecretWrapping.Algorithm"),
    ],
)
def test_a_reference_that_was_not_resolved_is_found_wherever_it_is_and_named_once(name, value, where):
    assert refusal(properties_with(name, value)) == unresolved(where)


def test_an_unknown_property_with_a_reference_gets_both_sentences():
    assert refusal(MINIMAL | {"Material": REFERENCE}) == (
        f"2 things are wrong. (1) Material: There is no such property. Is it NewMaterial? (2) {unresolved('Material')}"
    )


def test_a_reference_under_a_name_that_does_not_look_like_one_is_found_too():
    said = refusal(MINIMAL | {"a b": REFERENCE, "SecretWrapping": WRAPPING | {"c d": REFERENCE}})

    assert unresolved("Properties") in said
    assert unresolved("SecretWrapping") in said


def test_a_declaration_deeper_than_python_s_stack_is_looked_through():
    deep: dict[str, object] = {"a": REFERENCE}
    for _ in range(20_000):
        deep = {"a": deep}

    assert refusal(MINIMAL | {"Foo": deep}) == (
        f"2 things are wrong. (1) Foo: There is no such property. Take it out. (2) {unresolved('Foo.a')}"
    )


# ------------------------------------------------------------------------------------------------ all of it at once


def test_everything_that_is_wrong_is_named_at_once():
    faults = Faults()
    properties = read(
        {
            "ServiceToken": MINIMAL["ServiceToken"],
            "ServiceTimeout": "60",
            "KeyId": "alias/orders",
            "SecretVersionId": VERSION_ID,
            "SecretVersionStage": "AWSCURRENT",
            "SecretWrapping": {"Algorithm": "AES", "KeyID": "alias/transport"},
            "ValidTo": "2030-02-30T12:00:00Z",
            "ValidForDays": "365",
            "PreviousSecretVersionIds": [],
            "NewMaterial": "ROTATED",
            "Trigger": REFERENCE,
            "MaterialEncodin": "HEX",
            "KeyArn": KEY_ARN,
        },
        faults,
    )

    with pytest.raises(Refused) as refused:
        faults.raise_if_any()
    assert sorted(str(fault) for fault in refused.value.faults) == sorted(
        [
            f"SecretId: The property is missing. Declare {RULES['SecretId']}.",
            "SecretWrapping.KeyId: The property is missing. Declare the id, the ARN or the alias of a KMS key.",
            *(
                f"{name}: The value does not fit the property's rule. It must be {RULES[name]}."
                for name in (
                    *("ServiceTimeout", "KeyId", "SecretWrapping.Algorithm", "ValidForDays", "NewMaterial"),
                    "PreviousSecretVersionIds",
                )
            ),
            "KeyArn: This is an attribute, not a property. Take it out, and read it with Fn::GetAtt.",
            "MaterialEncodin: There is no such property. Is it MaterialEncoding?",
            "SecretWrapping.KeyID: There is no such property. Is it SecretWrapping.KeyId?",
            unresolved("Trigger"),
            f"ValidTo: There is no such date and time. It must be {RULES['ValidTo']}.",
            "ValidTo: ValidTo and ValidForDays are both declared, and they are two ways to say one thing. Keep one.",
            TWO_VERSIONS,
        ]
    )
    assert str(refused.value).startswith("15 things are wrong. (1) ")
    assert properties == Properties(
        key_id="",
        secret_id="",
        secret_version_id=VERSION_ID,
        secret_version_stage="AWSCURRENT",
        secret_json_key=None,
        material_encoding=None,
        secret_wrapping=None,
        wrapping_algorithm=None,
        wrapping_key_spec="RSA_4096",
        valid_to=None,
        valid_for_days=None,
        key_material_description=None,
        previous_secret_version_ids=(),
        new_material="REFUSE",
        expected_check_value=None,
        trigger=None,
    )


# -------------------------------------------------------------------------------------------------- nothing is quoted

CANARY = "Zm9vYmFyYmF6cXV4 c29tZXRoaW5n/c2VjcmV0=="


@pytest.mark.parametrize("name", [*RULES, "Foo", "KeyArn", "SecretWrapping.Foo", CANARY, f"SecretWrapping.{CANARY}"])
@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        [CANARY],
        {CANARY: CANARY},
        {"KeyId": CANARY, "Algorithm": CANARY, CANARY: "x"},
        CANARY + REFERENCE,
        [{CANARY: [CANARY + REFERENCE]}],
        {"KeyId": {CANARY: CANARY + REFERENCE}},
    ],
)
def test_no_sentence_and_no_repr_quotes_what_was_declared(name, value):
    faults = Faults()
    properties = read(properties_with(name, value), faults)

    text = str(Refused(*faults._found))

    for part in (CANARY, CANARY[:12], CANARY[-12:], REFERENCE):
        assert part not in text
        assert part not in repr(properties)


def test_the_repr_of_properties_shows_none_of_them():
    properties = sound(MINIMAL | {"Trigger": CANARY, "SecretJsonKey": CANARY, "KeyMaterialDescription": "HSM 7"})

    assert properties.trigger == CANARY
    for shown in (CANARY, KEY_ID, "orders", "HSM 7"):
        assert shown not in repr(properties)


# ------------------------------------------------------------------------------------------------- whatever comes

JSON: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(list(chain(*FITS.values(), *BREAKS.values()))),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Algorithm", "KeyId", "KeyID"]) | st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from([name for name in RULES if "." not in name]) | st.text(max_size=12)


@given(declared=st.dictionaries(NAMES, JSON, max_size=8), minimal=st.booleans())
@example(declared={"ValidForDays": float("nan")}, minimal=True)
@example(declared={"ValidForDays": float("inf")}, minimal=True)
@example(declared={"ValidTo": "9999-12-31T23:59:59-23:59"}, minimal=True)
@example(declared={"ValidTo": "0001-01-01T00:00:00+23:59"}, minimal=True)
def test_whatever_is_declared_is_read_or_refused_and_never_an_error(declared, minimal):
    faults = Faults()

    properties = read(MINIMAL | declared if minimal else declared, faults)

    if not faults:
        assert properties.key_id
        assert properties.secret_id
    assert properties.valid_for_days is None or 1 <= properties.valid_for_days <= 364
    assert properties.valid_to is None or properties.valid_to.tzinfo is not None
    assert properties.wrapping_key_spec in {"RSA_2048", "RSA_3072", "RSA_4096"}
    assert properties.new_material in {"REFUSE", "STAGE", "ROTATE"}
    assert all(isinstance(version_id, str) for version_id in properties.previous_secret_version_ids)
    for text in (properties.key_id, properties.secret_id, properties.secret_version_id, properties.trigger):
        assert text is None or isinstance(text, str)
    if properties.secret_wrapping:
        assert isinstance(properties.secret_wrapping.algorithm, str)
        assert isinstance(properties.secret_wrapping.key_id, str)


# --------------------------------------------------------------------------------------------------- the schema itself


def declarable():
    for name, rule in SCHEMA["properties"].items():
        if f"/properties/{name}" not in SCHEMA["readOnlyProperties"]:
            yield name, rule
            yield from ((f"{name}.{inner}", of_inner) for inner, of_inner in rule.get("properties", {}).items())


def test_each_property_of_the_schema_has_its_rule_in_words_and_is_tested_here():
    assert {name: rule["$comment"] for name, rule in declarable()} == RULES
    assert set(BREAKS) == set(RULES)
    assert set(FITS) == set(RULES) - {"SecretWrapping"}


def test_each_property_and_attribute_of_the_schema_says_what_it_means():
    for name, rule in [*declarable(), *SCHEMA["properties"].items()]:
        assert rule["description"].endswith("."), name


def test_every_attribute_that_the_schema_names_is_one_that_is_answered():
    from imported_key_material.lifecycle.attributes import NONE  # noqa: PLC0415  # the one test that needs more than pure modules

    named = {pointer.removeprefix("/properties/") for pointer in SCHEMA["readOnlyProperties"]}
    assert named | {"KeyId", "ValidTo"} == set(NONE)
