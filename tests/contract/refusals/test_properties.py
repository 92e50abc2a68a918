"""What a declaration may not say: FAILED with property, rule and remedy, and nothing whatever happens to a key.

No sentence repeats a declared value, since anything may have been put there, and each names the property as the user wrote it.
"""

import pytest

from lab.keys.random_keys import random_key

KEY = random_key(32)
RULE = "The value does not fit the property's rule. It must be"
RESOLVE = (
    "The value contains {{resolve:, and CloudFormation does not resolve secretsmanager and ssm-secure references in "
    "custom resources. Name the secret in SecretId; its value never goes through a template."
)
WRAPPING = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": "alias/transport"}
VERSION = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        # --- names
        pytest.param({"Colour": "blue"}, "Colour: There is no such property. Take it out."),
        pytest.param({"SecretVersonId": "1"}, "SecretVersonId: There is no such property. Is it SecretVersionId?"),
        pytest.param({"validToDays": "1"}, "validToDays: There is no such property. Is it ValidForDays?"),
        pytest.param(
            {"KeyArn": "x"}, "KeyArn: This is an attribute, not a property. Take it out, and read it with Fn::GetAtt."
        ),
        pytest.param(
            {"correct horse battery": "x"},
            "Properties: There is a property that this resource does not have. Take it out.",
        ),
        pytest.param(
            {"SecretWrapping": WRAPPING | {"Context": "x"}},
            "SecretWrapping.Context: There is no such property. Take it out.",
        ),
        pytest.param(
            {"SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT"}},
            "SecretWrapping.KeyId: The property is missing. Declare the id, the ARN or the alias of a KMS key.",
        ),
        pytest.param(
            {"SecretId": None},
            "SecretId: The property is missing. Declare the name or the ARN of a Secrets Manager secret, at most 2048 "
            "characters.",
        ),
        # --- values
        pytest.param(
            {"SecretWrapping": "SYMMETRIC_DEFAULT"}, f"SecretWrapping: {RULE} an object with Algorithm and KeyId."
        ),
        pytest.param(
            {"SecretWrapping": WRAPPING | {"Algorithm": "RSAES_PKCS1_V1_5"}},
            f"SecretWrapping.Algorithm: {RULE} one of SYMMETRIC_DEFAULT, RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, "
            "RSA_AES_KEY_WRAP_SHA_1, RSA_AES_KEY_WRAP_SHA_256.",
        ),
        pytest.param({"ServiceTimeout": "119"}, f"ServiceTimeout: {RULE} a whole number of seconds from 120 to 3600."),
        pytest.param({"ServiceTimeout": "3601"}, f"ServiceTimeout: {RULE} a whole number of seconds from 120 to 3600."),
        pytest.param({"ValidForDays": "0"}, f"ValidForDays: {RULE} a whole number of days from 1 to 364."),
        pytest.param({"ValidForDays": "365"}, f"ValidForDays: {RULE} a whole number of days from 1 to 364."),
        pytest.param({"ValidForDays": "1.5"}, f"ValidForDays: {RULE} a whole number of days from 1 to 364."),
        pytest.param({"MaterialEncoding": "base64"}, f"MaterialEncoding: {RULE} one of RAW, BASE64, HEX, PEM."),
        pytest.param(
            {"WrappingAlgorithm": "RSAES_PKCS1_V1_5"},
            f"WrappingAlgorithm: {RULE} one of RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, RSA_AES_KEY_WRAP_SHA_256, "
            "RSA_AES_KEY_WRAP_SHA_1.",
        ),
        pytest.param({"WrappingKeySpec": "SM2"}, f"WrappingKeySpec: {RULE} one of RSA_2048, RSA_3072, RSA_4096."),
        pytest.param({"NewMaterial": "REPLACE"}, f"NewMaterial: {RULE} one of REFUSE, STAGE, ROTATE."),
        pytest.param(
            {"NewMaterial": "ROTATE"},
            "NewMaterial: ROTATE needs a pinned SecretVersionId, since a rotation can't be taken back. Declare "
            "SecretVersionId, the version that holds the new material.",
        ),
        pytest.param(
            {"PreviousSecretVersionIds": [VERSION, VERSION]},
            f"PreviousSecretVersionIds: {RULE} a list of 1 to 25 different version ids of the secret.",
        ),
        pytest.param(
            {"SecretVersionId": "1"}, f"SecretVersionId: {RULE} a version id of the secret, 32 to 64 characters."
        ),
        pytest.param({"SecretJsonKey": ""}, f"SecretJsonKey: {RULE} the name of a field, 1 to 256 characters."),
        pytest.param(
            {"KeyMaterialDescription": "a, b"},
            f"KeyMaterialDescription: {RULE} at most 256 letters, digits, spaces and : / _ . -.",
        ),
        pytest.param({"Trigger": "x" * 1025}, f"Trigger: {RULE} at most 1024 characters."),
        pytest.param(
            {"ExpectedCheckValue": "377822"},
            f"ExpectedCheckValue: {RULE} CMAC:, ECB:, HMAC: or SHA256:, and hex digits.",
        ),
        pytest.param(
            {"ExpectedCheckValue": "CMAC:37782"},
            "ExpectedCheckValue: The value is not a check value of a key of spec SYMMETRIC_DEFAULT. Write CMAC: and 6 "
            "to 10 hex digits (an even number), or ECB: and 6 hex digits.",
        ),
        # --- expiry; the clock stands at 2026-12-01T12:00:00Z
        pytest.param(
            {"ValidTo": "2027-01-31T12:00:00"},
            f"ValidTo: {RULE} a time in ISO 8601 with its zone, such as 2030-01-31T12:00:00Z.",
        ),
        pytest.param(
            {"ValidTo": "2027-02-30T12:00:00Z"},
            "ValidTo: There is no such date and time. It must be a time in ISO 8601 with its zone, such as "
            "2030-01-31T12:00:00Z.",
        ),
        pytest.param(
            {"ValidTo": "2026-12-01T12:00:00Z"},
            "ValidTo: The time has passed, and KMS would refuse it. Declare a later time, or ValidForDays.",
        ),
        pytest.param(
            {"ValidTo": "2026-12-01T12:30:00+01:00"},
            "ValidTo: The time has passed, and KMS would refuse it. Declare a later time, or ValidForDays.",
        ),
        pytest.param(
            {"ValidTo": "2027-12-01T12:00:00Z"},
            "ValidTo: The time is 365 days away or more, and KMS takes less than that. Declare an earlier time, or "
            "ValidForDays (at most 364).",
        ),
        pytest.param(
            {"ValidTo": "2027-01-31T12:00:00Z", "ValidForDays": "10"},
            "ValidTo: ValidTo and ValidForDays are both declared, and they are two ways to say one thing. Keep one.",
        ),
        # --- dynamic references that CloudFormation hands over as they are
        pytest.param({"SecretId": "{{resolve:secretsmanager:orders}}"}, f"SecretId: {RESOLVE}"),
        pytest.param({"Trigger": "v-{{resolve:ssm-secure:/orders/v:1}}"}, f"Trigger: {RESOLVE}"),
        pytest.param(
            {"SecretWrapping": WRAPPING | {"KeyId": "{{resolve:ssm-secure:/k}}"}}, f"SecretWrapping.KeyId: {RESOLVE}"
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_a_declaration_that_breaks_a_rule_is_refused(world, refused, declared, sentence):
    properties = {"SecretId": world.secret(KEY).name} | declared

    assert refused(world.external_key(), **properties) == sentence


@pytest.mark.parametrize("key_id", ["alias/orders", "arn:aws:kms:eu-central-1:111122223333:alias/orders", "orders", ""])
def test_an_alias_is_no_key_id(world, refused, key_id):
    key = world.external_key()
    world.call("CreateAlias", AliasName="alias/orders", TargetKeyId=key)

    reason = refused(key_id, SecretId=world.secret(KEY).name)

    assert reason == f"KeyId: {RULE} the id or the ARN of a KMS key, not an alias."


@pytest.mark.parametrize("spec", ["HMAC_256", "RSA_2048", "ECC_NIST_P256"])
@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        (
            {"KeyMaterialDescription": "hsm 7"},
            "KMS keeps a description of the material for symmetric encryption keys only",
        ),
        ({"NewMaterial": "STAGE"}, "KMS takes new material for symmetric encryption keys only"),
        ({"PreviousSecretVersionIds": [VERSION]}, "KMS keeps earlier material of symmetric encryption keys only"),
    ],
    ids=["KeyMaterialDescription", "NewMaterial", "PreviousSecretVersionIds"],
)
def test_what_is_for_symmetric_keys_alone_is_refused_on_others(world, refused, spec, declared, rule):
    secret = world.secret(random_key(32), version_id=VERSION)

    reason = refused(world.external_key(spec), SecretId=secret.name, SecretVersionId=VERSION, **declared)

    assert f"{next(iter(declared))}: {rule}, and this is {spec}. Take it out." in reason


@pytest.mark.parametrize(
    ("spec", "forms"),
    [
        ("HMAC_256", "HMAC: and 6 to 10 hex digits (an even number)"),
        ("ECC_NIST_P256", "SHA256: and 64 hex digits"),
    ],
)
def test_a_check_value_of_another_kind_of_key_is_refused(world, refused, spec, forms):
    reason = refused(world.external_key(spec), SecretId=world.secret(KEY).name, ExpectedCheckValue="CMAC:377822")

    assert f"ExpectedCheckValue: The value is not a check value of a key of spec {spec}. Write {forms}." in reason


def test_two_ways_to_name_a_version_are_one_too_many(world, refused):
    secret = world.secret(KEY, version_id="11111111-2222-3333-4444-555555555555")

    reason = refused(
        world.external_key(),
        SecretId=secret.name,
        SecretVersionId="11111111-2222-3333-4444-555555555555",
        SecretVersionStage="AWSCURRENT",
    )

    assert reason == (
        "SecretVersionId: SecretVersionId and SecretVersionStage are both declared, and they are two ways to say one "
        "thing. Keep SecretVersionId: a pinned version makes updates and rollbacks exact."
    )


def test_a_faulty_declaration_does_not_keep_the_key_and_the_secret_from_being_looked_at(world, refused):
    """All that is wrong is named at once, with a number each."""
    key = world.external_key(tag="payments")
    world.call("ScheduleKeyDeletion", KeyId=key)
    secret = world.secret(KEY + b"\n")

    reason = refused(
        key,
        SecretId=secret.name,
        ServiceTimeout="90",
        ValidForDays="400",
        ExpectedCheckValue="HMAC:000000",
        WrappingAlgorithm="RSA_AES_KEY_WRAP_SHA_1",
    )

    assert reason == (
        "7 things are wrong. "
        "(1) ServiceTimeout: The value does not fit the property's rule. It must be a whole number of seconds from 120 to "
        "3600. (2) ValidForDays: The value does not fit the property's rule. It must be a whole number of days from 1 to 364. "
        "(3) KeyId: The key is scheduled for deletion. Cancel that with aws kms cancel-key-deletion, or use another "
        "key. (4) KeyId: The KMS key has the tag imported-key-material, but it does not name the stack orders, so this "
        "stack may not use it. If its owner agrees, set the tag imported-key-material to 'payments orders'. "
        "(5) ExpectedCheckValue: The value is not a check value of a key of spec SYMMETRIC_DEFAULT. Write CMAC: and 6 "
        "to 10 hex digits (an even number), or ECB: and 6 hex digits. "
        "(6) SecretId: The material is 33 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. Often a newline "
        "was stored, too: write it with printf, not echo. "
        "(7) WrappingAlgorithm: KMS does not take RSA_AES_KEY_WRAP_SHA_1 for SYMMETRIC_DEFAULT keys here. Set one of "
        "RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, or leave WrappingAlgorithm out."
    )


NO_SUCH = "There is no such property."


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        pytest.param({"SecretWraping": WRAPPING}, f"SecretWraping: {NO_SUCH} Is it SecretWrapping?", id="misspelt"),
        pytest.param({"Colour": "blue"}, f"Colour: {NO_SUCH} Take it out.", id="like nothing"),
        pytest.param(
            {"Secret Wrapping": WRAPPING},
            "Properties: There is a property that this resource does not have. Take it out.",
            id="no name",
        ),
        pytest.param(
            {"SecretWrapping": WRAPPING | {"KeyID": "alias/transport"}},
            f"SecretWrapping.KeyID: {NO_SUCH} Is it SecretWrapping.KeyId?",
            id="misspelt inside",
        ),
        pytest.param(
            {"SecretWrapping": "SYMMETRIC_DEFAULT"},
            f"SecretWrapping: {RULE} an object with Algorithm and KeyId.",
            id="SecretWrapping",
        ),
        pytest.param(
            {"MaterialEncoding": "base64"}, f"MaterialEncoding: {RULE} one of RAW, BASE64, HEX, PEM.", id="encoding"
        ),
        pytest.param(
            {"SecretJsonKey": ""}, f"SecretJsonKey: {RULE} the name of a field, 1 to 256 characters.", id="field"
        ),
        pytest.param(
            {"SecretVersionId": "1"},
            f"SecretVersionId: {RULE} a version id of the secret, 32 to 64 characters.",
            id="version",
        ),
        pytest.param(
            {"SecretVersionStage": ""}, f"SecretVersionStage: {RULE} a staging label, 1 to 256 characters.", id="stage"
        ),
        pytest.param(
            {"MaterialEncoding": "{{resolve:ssm-secure:/encoding}}"}, f"MaterialEncoding: {RESOLVE}", id="unresolved"
        ),
    ],
)
def test_material_is_not_judged_where_the_declaration_leaves_open_how_to_read_it(world, refused, declared, sentence):
    """Wrapped bytes, judged as if they were the material, would get the advice to store others in their place."""
    secret = world.secret(random_key(110))

    assert refused(world.external_key(), SecretId=secret.name, **declared) == sentence
    assert world.aws.count("GetSecretValue") == 0
