"""What `key-custodian put` refuses, with its errors, and changes nothing: files, reports, transport keys, AWS, wrong calls."""

import base64
import json

import pytest

from lab.keys.private_keys import pkcs8_der, pkcs8_pem, rsa_key
from lab.keys.random_keys import random_key
from lab.wire.faults import Moment
from lab.wire.transport import Fault, Refusal
from tests.support.online import ACCOUNT, WHO

KEY, BLOB = random_key(32), random_key(256)
TO = ("--secret", "orders/mac-key", "--stack", "orders")
UNDER = ("--wrapping-key", "alias/transport")
HMAC = ("--key-spec", "HMAC_256")
OAEP = (*HMAC, "--algorithm", "RSAES_OAEP_SHA_256", *UNDER)
AES_WRAP = (*HMAC, "--algorithm", "RSA_AES_KEY_WRAP_SHA_256", *UNDER)
SYMMETRIC = (*HMAC, "--algorithm", "SYMMETRIC_DEFAULT", *UNDER)
WRAP_FIRST = "Wrap it first: key-custodian wrap. To store plaintext on purpose: --plaintext.\n"
EMPTY = "The file is empty. The program that should have written it may have failed: check it first.\n"
NAME_A_REPORT = "Name what key-custodian wrap, generate, combine or put printed with --json.\n"
AGAIN = "Check --algorithm and --wrapping-key, or wrap it again: key-custodian wrap.\n"


def refused(bank, data, *arguments, code=1):
    """The error, after a check that nothing has changed."""
    bank.file("wrapped.bin", data)
    ended = bank.run("put", "wrapped.bin", *TO, *arguments, "--yes")
    assert (ended.code, ended.out) == (code, b""), ended.err
    assert bank.secrets.written == []
    assert "Traceback" not in ended.err
    return ended.err


# ----------------------------------------------------------------------------------------------- what is no wrapped file


@pytest.mark.parametrize(
    ("data", "arguments", "problem"),
    [
        (b"", OAEP, EMPTY),
        (KEY, OAEP, f"The file holds 32 bytes, and RSAES_OAEP_SHA_256 gives 256. {AGAIN}"),
        (
            KEY,
            SYMMETRIC,
            f"The file holds 32 bytes, and a ciphertext of KMS of an HMAC_256 key has 60 or more. {WRAP_FIRST}",
        ),
        (
            pkcs8_pem(rsa_key(2048)),
            AES_WRAP,
            f"The file holds a PEM: that is a key in plaintext, not wrapped material. {WRAP_FIRST}",
        ),
        (pkcs8_der(rsa_key(2048)), AES_WRAP, f"The file holds a key in plaintext, not wrapped material. {WRAP_FIRST}"),
        (
            base64.b64encode(BLOB),
            OAEP,
            "The file holds text (printable ASCII), and wrapped material is bytes. If it is base64 or hex, decode it first; if "
            "it is a key, wrap it: key-custodian wrap.\n",
        ),
        (
            BLOB,
            AES_WRAP,
            "The file holds 256 bytes, and RSA_AES_KEY_WRAP_SHA_256 gives 256 bytes of the RSA block and, behind them, a "
            f"multiple of 8, 16 or more, of the AES block. {AGAIN}",
        ),
        (BLOB + KEY, OAEP, f"The file holds 288 bytes, and RSAES_OAEP_SHA_256 gives 256. {AGAIN}"),
        (BLOB * 25, SYMMETRIC, f"The file holds 6400 bytes, and wrapped material has at most 6144. {AGAIN}"),
    ],
    ids=[
        "empty",
        "OAEP of a bare key",
        "KMS of a bare key",
        "PEM",
        "DER",
        "base64",
        "no AES block",
        "two blocks",
        "large",
    ],
)
def test_a_file_that_the_function_could_not_open_is_refused(bank, data, arguments, problem):
    bank.transport_key("SYMMETRIC_DEFAULT" if arguments is SYMMETRIC else "RSA_2048")

    assert refused(bank, data, *arguments) == f"wrapped.bin: {problem}"


def test_the_length_is_that_of_the_key_which_opens_it(bank):
    bank.transport_key("RSA_3072")

    assert refused(bank, BLOB, *OAEP) == (
        f"wrapped.bin: The file holds 256 bytes, and RSAES_OAEP_SHA_256 gives 384. {AGAIN}"
    )


def test_where_the_key_may_not_be_looked_at_any_length_of_an_rsa_key_will_do(bank):
    bank.transport_key("RSA_3072")
    bank.deny("DescribeKey")

    assert refused(bank, BLOB[:255], *OAEP) == (
        f"wrapped.bin: The file holds 255 bytes, and RSAES_OAEP_SHA_256 gives 256 or 384 or 512. {AGAIN}"
    )


def test_oaep_carries_no_rsa_key(bank):
    bank.transport_key()

    assert refused(bank, BLOB, "--key-spec", "RSA_2048", "--algorithm", "RSAES_OAEP_SHA_256", *UNDER) == (
        "--algorithm: RSAES_OAEP_SHA_256 carries no RSA private key: it is too large for that. Wrap it with "
        "RSA_AES_KEY_WRAP_SHA_256.\n"
    )


def test_a_file_that_is_not_there_is_refused_before_anybody_is_asked(bank):
    ended = bank.run("put", "nothing.bin", *OAEP, *TO, "--yes")

    assert ended.code == 1
    assert ended.err.startswith("nothing.bin: The file can't be read: ")
    assert bank.calls == []


# -------------------------------------------------------------------------------------------------------------- reports


@pytest.fixture
def report(bank):
    """Makes the report of a file that was wrapped for orders/mac-key under a symmetric key, with changes."""
    bank.transport_key("SYMMETRIC_DEFAULT")
    bank.file("key.bin", KEY)
    told = bank.run("wrap", "key.bin", *HMAC, *UNDER, *TO[:2], "--out", "made.bin", "--json")
    assert told.code == 0, told.err
    bank.calls.clear()

    def changed(**changes):
        return bank.file("wrapped.json", json.dumps({**json.loads(told.out), **changes}))

    return changed


def made(bank):
    return (bank.folder / "made.bin").read_bytes()


def test_the_report_must_be_this_file_s(bank, report):
    assert refused(bank, made(bank) + b"\0", "--report", report()) == (
        "--report: The report is of another file: the SHA-256 in it is not this file's. Name the report that was printed when "
        "this file was made.\n"
    )


@pytest.mark.parametrize(
    ("option", "given", "reported"),
    [
        ("--key-spec", "HMAC_384", "HMAC_256"),
        ("--algorithm", "RSAES_OAEP_SHA_1", "SYMMETRIC_DEFAULT"),
        ("--expected-check-value", "HMAC:000000", "HMAC:A5EF60B210"),
    ],
)
def test_an_option_that_says_something_else_than_the_report_is_refused(bank, report, option, given, reported):
    assert refused(bank, made(bank), "--report", report(), option, given) == (
        f"{option}: It says {given}, and the report {reported}. Leave it out, or find out which is right.\n"
    )


def test_a_file_is_not_put_into_another_secret_than_the_one_it_opens_in(bank, report):
    bank.file("wrapped.bin", made(bank))

    ended = bank.run(
        "put", "wrapped.bin", "--report", report(), "--secret", "orders/other", "--stack", "orders", "--yes"
    )

    assert (ended.code, ended.err) == (
        1,
        f"--secret: The file opens in the secret {ACCOUNT}/orders/mac-key only (account/name), and this is "
        f"{ACCOUNT}/orders/other. Name that secret, or wrap the material again for this one.\n",
    )
    assert bank.secrets.written == []


def test_another_key_than_the_one_it_was_wrapped_under_is_refused(bank, report):
    other = bank.transport_key("SYMMETRIC_DEFAULT", alias="alias/other")
    arn = json.loads((bank.folder / report()).read_text())["properties"]["SecretWrapping"]["KeyId"]

    assert refused(bank, made(bank), "--report", report(), "--wrapping-key", "alias/other") == (
        f"--wrapping-key: The file was wrapped under {arn}, says the report, and this is {other}. "
        "Leave --wrapping-key out, or find out which is right.\n"
    )


def test_a_report_of_a_key_file_does_not_say_which_key_of_kms_opens_it(bank, report):
    told = refused(bank, made(bank), "--report", report(**of_key(None)), code=2)

    assert told.endswith("Error: Missing --wrapping-key: the report does not say it.\n")


def of_key(key_id):
    wrapping = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": key_id}
    return {"properties": {"SecretWrapping": wrapping, "ExpectedCheckValue": "HMAC:A5EF60B210"}}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"key_spec": "HMAC_1"}, "key_spec"),
        ({"algorithm": "ROT13"}, "algorithm"),
        ({"wrapped_sha256": "\x1b[2J"}, "wrapped_sha256"),
        ({"wrapped_sha256": 0}, "wrapped_sha256"),
        (of_key("arn:aws:kms:eu-central-1:111122223333:key/1; touch PWNED #"), "properties.SecretWrapping.KeyId"),
        (of_key(KEY.hex()), "properties.SecretWrapping.KeyId"),
        ({"properties": 1}, "properties.ExpectedCheckValue"),
        ({"encryption_context": {"imported-key-material": "\x1b[2J"}}, "encryption_context.imported-key-material"),
    ],
)
def test_a_report_that_this_tool_did_not_make_is_refused_and_not_shown(bank, report, changed, field):
    told = refused(bank, made(bank), "--report", report(**changed))

    assert told == (
        f"wrapped.json: The report's field {field} is missing or does not have its form: this tool did not write it so. "
        f"Somebody may have changed the file. {NAME_A_REPORT}"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "The file holds no JSON object, so it is no report."),
        ("Key spec: HMAC_256", "The file holds no JSON object, so it is no report."),
        ('{"properties": 1}', "The file holds a JSON object that is no report of a wrapped file or a stored version."),
    ],
)
def test_what_is_no_report_is_refused(bank, text, problem):
    bank.file("wrapped.json", text)

    assert refused(bank, BLOB, "--report", "wrapped.json") == f"wrapped.json: {problem} {NAME_A_REPORT}"
    assert bank.calls == []


# -------------------------------------------------------------------------------------------- check values, transport keys


def test_a_check_value_of_another_kind_of_key_is_refused(bank):
    assert refused(bank, BLOB, *OAEP, "--expected-check-value", "CMAC:377822C093") == (
        "--expected-check-value: The value is not a check value of a key of spec HMAC_256. Write HMAC: and 6 to 10 hex digits "
        "(an even number).\n"
    )
    assert bank.calls == []


def test_a_key_that_can_t_open_it_is_refused(bank):
    key = bank.transport_key("SYMMETRIC_DEFAULT")
    bank.call("DisableKey", KeyId=key)

    assert refused(bank, BLOB, *OAEP) == (
        "2 things are wrong.\n"
        "--wrapping-key: The key's spec is SYMMETRIC_DEFAULT and its usage ENCRYPT_DECRYPT, and RSAES_OAEP_SHA_256 takes an "
        "RSA key for ENCRYPT_DECRYPT. Name the key under which the material was wrapped, and its algorithm.\n"
        "--wrapping-key: The key is Disabled, and only an Enabled key decrypts. "
        "Make it Enabled (aws kms enable-key, or first cancel-key-deletion), or name another.\n"
    )


def test_a_key_that_is_not_there_is_refused(bank):
    told = refused(bank, BLOB, *OAEP)

    assert told.startswith("--wrapping-key: kms:DescribeKey was refused with NotFoundException: Alias ")
    assert told.endswith(
        " There is no such key in this account and Region. Check the id, and --region: a key id is valid only in its "
        "own Region.\n"
    )


def test_a_new_secret_needs_a_stack(bank):
    bank.transport_key()
    bank.file("wrapped.bin", BLOB)

    ended = bank.run("put", "wrapped.bin", *OAEP, "--secret", "orders/mac-key", "--yes")

    assert (ended.code, ended.err) == (
        1,
        "--stack: A new secret needs a tag that names the stacks which may use it. Name them: --stack orders, more than once "
        "for more of them.\n",
    )


def test_an_arn_of_no_secret_makes_none(bank):
    bank.file("wrapped.bin", BLOB)
    arn = f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:orders/mac-key-AbCdEf"

    ended = bank.run("put", "wrapped.bin", *OAEP, "--secret", arn, "--stack", "orders", "--yes")

    assert ended.code == 1
    assert ended.err.startswith("--secret: secretsmanager:DescribeSecret was refused with ResourceNotFoundException: ")
    assert bank.secrets.written == []


def test_names_that_do_not_fit_into_a_tag_are_refused(bank):
    bank.transport_key()
    names = [f"a-stack-with-a-long-name-{number:03}" for number in range(10)]

    told = refused(bank, BLOB, *OAEP, *(part for name in names for part in ("--stack", name)))

    assert told == (
        "--stack: The names have 296 characters together, and a tag's value has room for 256. A name that ends in / "
        'is a prefix: "pay/" stands for all stacks named pay...\n'
    )


# ------------------------------------------------------------------------------------------------------------------ AWS


def test_a_right_that_is_missing_is_reported_with_aws_s_code(bank):
    bank.transport_key()
    bank.deny("CreateSecret")
    bank.file("wrapped.bin", BLOB)

    ended = bank.run("put", "wrapped.bin", *OAEP, *TO, "--yes")

    assert ended.code == 1
    assert ended.err.endswith(
        "--secret: secretsmanager:CreateSecret was refused with AccessDeniedException: User: "
        f"arn:aws:iam::{ACCOUNT}:user/custodian is not authorized to perform: CreateSecret. These credentials have "
        "no permission for it, or "
        "the policy of the key or secret refuses it. Nothing was changed. Ask its owner for the right, or use "
        "other credentials: --profile.\n"
    )


def test_an_explicit_deny_is_reported_as_that(bank):
    """Another profile does not help if a policy of the organization denies the call."""
    bank.transport_key()
    text = f"User: {WHO} is not authorized to perform: CreateSecret with an explicit deny in a service control policy"
    bank.faults.inject("CreateSecret", Refusal(400, "AccessDeniedException", text))
    bank.file("wrapped.bin", BLOB)

    ended = bank.run("put", "wrapped.bin", *OAEP, *TO, "--yes")

    assert ended.code == 1
    assert ended.err.endswith(
        f"{text}. A service control policy denies it explicitly, and no tag and no permission outweighs that. Nothing was "
        "changed. Take the Deny out of that policy, or except these credentials from it.\n"
    )


def test_a_secret_that_appears_in_between_is_reported(bank):
    """Somebody made it after the plan."""
    bank.transport_key()
    message = "The operation failed because the secret orders/mac-key already exists."
    bank.faults.inject("CreateSecret", Refusal(400, "ResourceExistsException", message))
    bank.file("wrapped.bin", BLOB)

    ended = bank.run("put", "wrapped.bin", *OAEP, *TO, "--yes")

    assert ended.code == 1
    assert ended.err.endswith(
        f"ResourceExistsException: {message} A secret or version of this name exists already, with another value. "
        "Nothing was changed. Run it again: the plan shows what exists.\n"
    )


def test_a_throttle_is_waited_out(bank):
    bank.transport_key()
    bank.faults.inject("DescribeSecret", Fault.THROTTLED, Moment.BEFORE, times=2)
    bank.file("wrapped.bin", BLOB)

    assert bank.run("put", "wrapped.bin", *OAEP, *TO, "--yes").code == 0


def test_without_credentials_it_says_where_they_come_from(bank, custodian):
    bank.file("wrapped.bin", BLOB)

    ended = custodian.run("put", "wrapped.bin", *OAEP, *TO, "--region", "eu-central-1", "--yes")

    assert (ended.code, ended.err) == (
        1,
        "--profile: sts:GetCallerIdentity failed: Unable to locate credentials. There are no credentials. Sign in "
        "as for the AWS CLI, or name a profile: --profile.\n",
    )


# ---------------------------------------------------------------------------------------------------------- wrong calls


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Missing --key-spec and --algorithm and --wrapping-key: or --report, which says it all."),
        ((*HMAC, *UNDER), "Missing --algorithm: or --report, which says it all."),
        ((*OAEP, "--plaintext"), "--plaintext does not go with --algorithm: nothing is wrapped."),
        (("--plaintext",), "Missing --key-spec."),
        ((*OAEP, "--encoding", "HEX"), "--encoding goes with --plaintext: a wrapped file is stored as it is."),
        (
            (*OAEP, "--stack", "two names"),
            "--stack is one stack's name, or the beginning of names followed by /.",
        ),
        ((*OAEP, "--version-id", "short"), "--version-id is 32 to 64 letters, digits and hyphens, such as a UUID."),
        (
            (*OAEP, "--secret", "no such name!"),
            "Invalid value for '--secret': That is no name (letters, digits and /_+=.@-) or ARN of a secret.",
        ),
    ],
    ids=["nothing", "no algorithm", "plaintext", "plaintext of what", "encoding", "stack", "version id", "secret"],
)
def test_a_wrong_call_ends_with_2(bank, arguments, problem):
    assert refused(bank, BLOB, *arguments, code=2).endswith(f"Error: {problem}\n")
    assert bank.calls == []
