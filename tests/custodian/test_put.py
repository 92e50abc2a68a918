"""`key-custodian put` against the strict KMS and Secrets Manager over HTTP: new secrets, and what is printed."""

import hashlib
import json
import re

import pytest
from cfnlint.decode import cfn_yaml

from imported_key_material import properties
from imported_key_material.errors import Faults
from lab.keys.private_keys import pkcs8_pem, rsa_key
from lab.keys.random_keys import random_key
from tests.support.online import ACCOUNT, REGION, WHO

KEY = random_key(32)
SPEC = ("--key-spec", "HMAC_256")
VALUE = ("--expected-check-value", "HMAC:D38B42096D")
TO = ("--secret", "orders/mac-key", "--stack", "orders")
OAEP = ("--algorithm", "RSAES_OAEP_SHA_256", "--wrapping-key", "alias/transport")
BLOB = random_key(256)


def wrapped(bank, spec="HMAC_256", key=KEY, *more):
    """The tool makes both. Returns the names of the wrapped file and its report."""
    source = bank.file("key.bin", key)
    wrap = ("wrap", source, "--key-spec", spec, "--wrapping-key", "alias/transport", "--out", "wrapped.bin", "--json")
    done = bank.run(*wrap, *more)
    assert done.code == 0, done.err
    bank.calls.clear()
    return "wrapped.bin", bank.file("wrapped.json", done.out)


def only_secret(bank):
    (secret,) = bank.secrets._secrets.values()
    return secret


def put(bank, *arguments, code=0):
    done = bank.run("put", *arguments, "--yes", "--json")
    assert done.code == code, done.err
    return json.loads(done.out)


def test_a_wrapped_file_becomes_a_secret_that_the_template_can_name(bank):
    key = bank.transport_key()
    file, report = wrapped(bank)

    done = bank.run("put", file, "--report", report, *TO, "--yes")

    secret = only_secret(bank)
    ((version_id, version),) = secret.versions.items()
    check_value = json.loads((bank.folder / report).read_text())["check_values"][0]
    assert (done.code, done.text) == (
        0,
        f"Secret:           {secret.arn}\n"
        f"SecretVersionId:  {version_id}\n"
        "Stages:           AWSCURRENT\n"
        "Key spec:         HMAC_256\n"
        f"Check value:      {check_value}\n"
        f"Stored by:        {WHO}, {stored_at(done.text)}\n"
        "\n"
        "In the template:\n"
        "  Material:\n"
        "    Type: Custom::ImportedKeyMaterial\n"
        "    Properties:\n"
        "      ServiceToken: !ImportValue imported-key-material-ServiceToken\n"
        "      KeyId: !GetAtt Key.Arn\n"
        f"      SecretId: {secret.arn}\n"
        f"      SecretVersionId: {version_id}\n"
        "      SecretWrapping:\n"
        "        Algorithm: RSAES_OAEP_SHA_256\n"
        f"        KeyId: {key}\n"
        f"      ExpectedCheckValue: {check_value}\n"
        "\n"
        "Write down the version id. Next, when the stack is deployed,\n"
        "set KEY to the key's id, ARN or alias/NAME, and run:\n"
        f'  key-custodian verify "$KEY" --report {bank.folder}/wrapped.json --secret {secret.arn} --version-id {version_id}\n',
    )
    assert version.value == (bank.folder / file).read_bytes()
    assert secret.tags == {"imported-key-material": "orders"}


def stored_at(text):
    return re.search(r"Stored by: .*, (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n", text)[1]


def test_the_plan_says_all_that_will_be_done_and_nothing_else_is(bank):
    key = bank.transport_key()
    bank.file("wrapped.bin", BLOB)

    arguments = ("put", "wrapped.bin", *SPEC, *OAEP, *VALUE, *TO, "--kms-key-id", "alias/secrets")
    planned = bank.run(*arguments, "--plan")

    assert (planned.code, planned.err) == (0, "")
    assert bank.secrets.written == []
    done = bank.run(*arguments, "--yes")
    assert done.err == planned.text
    ((operation, parameters),) = bank.secrets.written
    version_id, description = parameters["ClientRequestToken"], parameters["Description"]
    assert planned.text == (
        f"Plan, as {WHO} in {REGION}:\n"
        "  1. Create the secret orders/mac-key.\n"
        "       value: wrapped.bin, 256 bytes, wrapped with RSAES_OAEP_SHA_256 under alias/transport, "
        f"SHA-256 {sha256(BLOB)}\n"
        f"       version: {version_id}, stage AWSCURRENT\n"
        "       tag: imported-key-material = orders\n"
        f"       description: {description}\n"
        "       KMS key: alias/secrets\n"
        "  Warning: NOT AWS: calls to sts and secretsmanager and kms go to "
        f"{bank.custodian.environment['AWS_ENDPOINT_URL']}.\n"
        f"  Note: The transport key is {key} (RSA_2048, Enabled).\n"
    )
    assert (operation, parameters) == (
        "CreateSecret",
        {
            "Name": "orders/mac-key",
            "ClientRequestToken": version_id,
            "Description": (
                f"Key material for AWS KMS. Version {version_id}: HMAC_256, RSAES_OAEP_SHA_256, HMAC:D38B42096D."
            ),
            "KmsKeyId": "alias/secrets",
            "Tags": [{"Key": "imported-key-material", "Value": "orders"}],
        },
    )


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_no_right_to_read_secrets_or_to_decrypt_is_needed(bank):
    bank.transport_key()
    file, report = wrapped(bank)

    put(bank, file, "--report", report, *TO)

    assert bank.calls == [
        "sts:GetCallerIdentity",
        "secrets-manager:DescribeSecret",
        "kms:DescribeKey",
        "kms:ListResourceTags",
        "secrets-manager:CreateSecret",
    ]


def test_the_ids_of_the_calls_are_kept_for_a_search_in_cloudtrail(bank):
    bank.transport_key()
    file, report = wrapped(bank)

    told = put(bank, file, "--report", report, *TO)

    assert [(call["operation"], call.get("refused")) for call in told["requests"]] == [
        ("sts:GetCallerIdentity", None),
        ("secretsmanager:DescribeSecret", "ResourceNotFoundException"),
        ("kms:DescribeKey", None),
        ("kms:ListResourceTags", None),
        ("secretsmanager:CreateSecret", None),
    ]
    assert len({call["request_id"] for call in told["requests"]} - {""}) == 5
    assert (told["by"], told["check_value"]) == (WHO, told["properties"]["ExpectedCheckValue"])


@pytest.mark.parametrize(
    ("algorithm", "spec"),
    [
        ("RSAES_OAEP_SHA_1", "RSA_2048"),
        ("RSA_AES_KEY_WRAP_SHA_256", "RSA_2048"),
        ("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"),
    ],
)
def test_the_function_takes_what_is_printed(bank, algorithm, spec):
    bank.transport_key(spec)
    more = ("--secret", "orders/mac-key") if algorithm == "SYMMETRIC_DEFAULT" else ()
    file, report = wrapped(bank, "HMAC_256", KEY, "--algorithm", algorithm, *more)

    done = bank.run("put", file, "--report", report, *TO, "--yes")
    as_json = put(bank, file, "--report", report, *TO)

    printed = done.text.split("In the template:\n")[1].split("\nWrite down")[0]
    (read,) = [cfn_yaml.loads(printed)["Material"]["Properties"]]
    declared = {**read, "ServiceToken": "arn", "KeyId": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}
    faults = Faults()
    taken = properties.read(declared, faults)
    faults.raise_if_any()
    assert taken.secret_wrapping.algorithm == algorithm
    assert taken.secret_version_id in only_secret(bank).versions
    assert {name: read[name] for name in as_json["properties"]} == as_json["properties"]


def test_a_file_for_one_secret_opens_in_the_secret_where_it_was_put(bank):
    """With SYMMETRIC_DEFAULT, under the encryption context that the function uses."""
    key = bank.transport_key("SYMMETRIC_DEFAULT")
    file, report = wrapped(bank, "HMAC_256", KEY, "--secret", "orders/mac-key")

    done = bank.run("put", file, "--report", report, *TO, "--yes")

    assert (
        "  Note: The file opens in this secret only (encryption context imported-key-material = "
        f"{ACCOUNT}/orders/mac-key), as the report says.\n"
    ) in done.err
    (version,) = only_secret(bank).versions.values()
    context = {"imported-key-material": f"{ACCOUNT}/{only_secret(bank).name}"}
    opened = bank.call("Decrypt", KeyId=key, CiphertextBlob=version.value, EncryptionContext=context)
    assert opened["Plaintext"] == KEY


def test_without_a_report_it_is_said_what_the_file_must_have_been_wrapped_for(bank):
    key = bank.transport_key("SYMMETRIC_DEFAULT")
    context = {"imported-key-material": f"{ACCOUNT}/orders/mac-key"}
    blob = bank.call("Encrypt", KeyId=key, Plaintext=KEY, EncryptionContext=context)["CiphertextBlob"]
    symmetric = ("--algorithm", "SYMMETRIC_DEFAULT", "--wrapping-key", "alias/transport")

    planned = bank.run("put", bank.file("wrapped.bin", blob), *SPEC, *symmetric, *TO, "--plan")

    assert planned.text.endswith(
        "  Note: The file opens in this secret only (encryption context imported-key-material = "
        f"{ACCOUNT}/orders/mac-key), so it must have been wrapped with --secret orders/mac-key.\n"
        f"  Note: The transport key is {key} (SYMMETRIC_DEFAULT, Enabled).\n"
        "  Warning: No check value is given: nothing will detect a wrong key before it is imported permanently.\n"
    )


def test_what_these_credentials_may_not_look_at_is_said_and_no_obstacle(bank):
    bank.transport_key()
    bank.deny("DescribeKey")
    bank.file("wrapped.bin", BLOB)

    done = bank.run("put", "wrapped.bin", *SPEC, *OAEP, *VALUE, *TO, "--yes")

    assert done.code == 0
    assert done.err.endswith(
        "  Note: The transport key alias/transport was not checked: these credentials have no permission for it.\n"
    )


def test_a_transport_key_that_does_not_name_the_stack_is_said(bank):
    bank.transport_key(tag="billing")
    bank.file("wrapped.bin", BLOB)

    done = bank.run("put", "wrapped.bin", *SPEC, *OAEP, *VALUE, *TO, "--stack", "orders-/", "--plan")

    assert done.code == 0
    assert done.text.endswith(
        "  Warning: The tag imported-key-material of the transport key is 'billing': it does not name orders, orders-/. "
        "Its owner sets it.\n"
    )


def test_a_wrapped_file_can_come_through_a_pipe(bank):
    bank.transport_key()

    done = bank.run("put", "-", *SPEC, *OAEP, *VALUE, *TO, "--yes", stdin=BLOB)

    assert done.code == 0
    (version,) = only_secret(bank).versions.values()
    assert version.value == BLOB


# ------------------------------------------------------------------------------------------------------------ plaintext


def test_plaintext_is_stored_only_when_that_is_said(bank):
    bank.file("key.bin", KEY)

    told = bank.run("put", "key.bin", *SPEC, "--plaintext", *TO, "--yes", "--json")

    assert told.code == 0
    assert told.err.endswith(
        "  Warning: The key is stored in PLAINTEXT: anyone who may read the secret has it. key-custodian wrap prevents that.\n"
    )
    properties_ = json.loads(told.out)["properties"]
    assert set(properties_) == {"SecretId", "SecretVersionId", "ExpectedCheckValue"}
    (version,) = only_secret(bank).versions.values()
    assert version.value == KEY


def test_plaintext_is_checked_as_the_function_checks_it(bank):
    bank.file("key.bin", bytes(32))

    done = bank.run("put", "key.bin", *SPEC, "--plaintext", *TO, "--yes")

    assert (done.code, done.err) == (
        1,
        "key.bin: The material is not random: all of its bytes are equal. Give 32 bytes of a random number generator, for "
        "example of openssl rand 32.\n",
    )
    assert bank.calls == []


def test_a_private_key_in_plaintext_is_stored_as_kms_gets_it(bank):
    bank.file("key.pem", pkcs8_pem(rsa_key(2048)))

    told = put(bank, "key.pem", "--key-spec", "RSA_2048", "--plaintext", *TO)

    (version,) = only_secret(bank).versions.values()
    assert version.value.startswith(b"\x30\x82")
    assert told["check_value"].startswith("SHA256:")


def test_the_id_of_a_plaintext_version_says_nothing_of_the_key(bank):
    """If the id depended on the key, somebody could test guesses."""
    bank.file("key.bin", KEY)
    arguments = ("put", "key.bin", *SPEC, "--plaintext", *TO, "--plan")

    first, second = (re.search(r"version: (\S+),", bank.run(*arguments).text)[1] for _ in range(2))

    assert first != second


# ------------------------------------------------------------------------------------------------------------- consent


def test_a_person_is_asked_and_no_means_no(bank):
    bank.transport_key()
    bank.file("wrapped.bin", BLOB)

    with bank.custodian.at_terminal("put", "wrapped.bin", *SPEC, *OAEP, *VALUE, *TO) as terminal:
        terminal.waits_for("Do it? [y/N]: ")
        assert "1. Create the secret orders/mac-key." in terminal.transcript
        terminal.types("")
        terminal.waits_for("Nothing was changed.")
        assert terminal.ends() == 1

    assert bank.secrets.written == []


def test_a_person_is_asked_and_yes_means_yes(bank):
    bank.transport_key()
    bank.file("wrapped.bin", BLOB)

    with bank.custodian.at_terminal("put", "wrapped.bin", *SPEC, *OAEP, *VALUE, *TO) as terminal:
        terminal.waits_for("Do it? [y/N]: ")
        terminal.types("y")
        terminal.waits_for("SecretVersionId:")
        assert terminal.ends() == 0

    assert only_secret(bank).name == "orders/mac-key"


def test_a_script_must_say_yes(bank):
    bank.transport_key()
    bank.file("wrapped.bin", BLOB)

    done = bank.run("put", "wrapped.bin", *SPEC, *OAEP, *VALUE, *TO)

    assert done.code == 2
    assert done.err.endswith(
        "Error: There is no terminal to ask at. Nothing was changed. Add --yes to do what the plan says.\n"
    )
    assert bank.secrets.written == []
