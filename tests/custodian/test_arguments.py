"""Key material given as an argument, in each form in which a shell may give it: no error repeats it."""

import base64
import re

import pytest

from key_custodian import output
from key_custodian.redaction import is_quotable
from lab.keys.canaries import Canaries
from lab.keys.private_keys import ec_key, pkcs8_pem, rsa_key
from lab.keys.random_keys import random_key

KEY, LONG = random_key(32), random_key(200)
HMAC = ("--key-spec", "HMAC_256")
GROUPS = KEY.hex(" ", 2)
REMEDY = (
    "If it is: other programs see arguments, and the shell keeps them in its history, "
    "so treat this key as compromised. Give material as a file, through a pipe, or at the prompt: -."
)
LOOKS_LIKE_A_KEY = re.escape(f"One of the arguments looks like key material. {REMEDY}")
NO_OPTION = r"No such option\."
COMMANDS = "The commands are check, generate, wrap, split, combine, put, verify, inventory."
NO_COMMAND = re.escape(f"No such command. {COMMANDS}")
NO_MATCH = r"The arguments do not match the usage above\."
FORMS = {
    "hex": KEY.hex(),
    "hex in groups": GROUPS,
    "hex with colons": KEY.hex(":"),
    "hex of three lines": KEY.hex("\n", 12),
    "400 hex digits": LONG.hex(),
    "base64": base64.b64encode(KEY).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(KEY).decode(),
    "PEM of an EC key": pkcs8_pem(ec_key()),
    "PEM of an RSA key": pkcs8_pem(rsa_key(2048)),
}
CANARIES = Canaries(
    key=KEY,
    long=LONG,
    scalar=ec_key().private_numbers().private_value.to_bytes(32, "big"),
    prime=rsa_key(2048).private_numbers().p.to_bytes(128, "big"),
)


def require_silent(text, form):
    """The output has no part of the key: no eight characters in a row, however they are grouped or quoted."""
    said, given = (re.sub(r"\\n|[^A-Za-z0-9+/=_]", "", one) for one in (text, form.replace("PRIVATE KEY", "")))
    parts = {given[at : at + 8] for at in range(0, len(given), 8)} - {given[-(len(given) % 8) :]}
    assert not [part for part in parts if part in said and part not in "BEGINEND"]
    assert "-----BEGIN" not in text
    assert CANARIES.found_in(text) == {}


@pytest.mark.parametrize("form", FORMS)
def test_as_the_file_s_name_it_is_not_repeated(custodian, form):
    done = custodian.run("check", *HMAC, "--", FORMS[form])

    assert done.code == 1
    assert re.fullmatch(
        r"FILE: The file can't be read: (it does not exist|File name too long)\. Its name is not repeated: it may be key "
        rf"material\. {re.escape(REMEDY)}\n",
        done.err,
    )
    require_silent(done.err, FORMS[form])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("KEY",), f"({NO_OPTION}|{NO_COMMAND})"),
        (("check", *HMAC, "key.bin", "KEY"), f"({NO_OPTION}|{NO_MATCH})"),
        (("check", "key.bin", "--key-spec", "KEY"), r"Invalid value for '--key-spec': it is not one of [A-Z0-9_, ]+\."),
        (
            ("combine", *HMAC, "--components", "KEY"),
            r"Invalid value for '--components': it is not a number from 2 to 9\.",
        ),
        (("check", "key.bin", *HMAC, "--json=KEY", "--KEY"), f"({NO_OPTION}|{NO_MATCH})"),
        (("check", "key.bin", *HMAC, "--KEY"), NO_OPTION),
    ],
)
def test_in_a_wrong_call_it_is_not_repeated(custodian, arguments, problem, form):
    done = custodian.run(*(one.replace("KEY", FORMS[form]) for one in arguments))

    assert (done.code, done.out) == (2, b"")
    require_silent(done.err, FORMS[form])
    if "does not take a value" not in done.err:  # click prints this error without the usage
        assert done.err.startswith("Usage: key-custodian ")
        error = done.err.splitlines()[-1]
        assert re.fullmatch(f"Error: {problem} {LOOKS_LIKE_A_KEY}", error), error


@pytest.mark.parametrize("words", [GROUPS.split(), KEY.hex(" ").split()])
def test_what_the_shell_took_for_many_words_is_not_repeated(custodian, words):
    done = custodian.run("check", *HMAC, *words)

    assert done.code == 2
    require_silent(done.err, KEY.hex())
    assert re.search(f"\nError: {NO_MATCH} {LOOKS_LIKE_A_KEY}\n$", done.err)


def test_as_a_process_it_is_not_repeated_either(custodian_process):
    done = custodian_process.run("check", FORMS["PEM of an EC key"], *HMAC)

    assert (done.code, done.out) == (2, b"")
    require_silent(done.err, FORMS["PEM of an EC key"])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("chek", "key.bin"),
            f"No such command. Did you mean check? {COMMANDS}",
        ),
        (
            ("VERFY",),
            f"No such command. Did you mean verify? {COMMANDS}",
        ),
        (("sign",), f"No such command. {COMMANDS}"),
        (("check", "key.bin", "--jsn"), "No such option. Did you mean --json or --json-key?"),
        (("check", "key.bin", "--frobnicate"), "No such option."),
        (("check", "key.bin", "other.bin", *HMAC), "The arguments do not match the usage above."),
        (("--",), "The arguments do not match the usage above."),
        (("check", "key.bin", *HMAC, "--json=other"), "Option '--json' does not take a value."),
        (("combine", *HMAC, "--components", "12"), "Invalid value for '--components': it is not a number from 2 to 9."),
        (
            ("check", "key.bin", *HMAC, "--encoding", "TEXT"),
            "Invalid value for '--encoding': it is not one of RAW, BASE64, HEX, PEM.",
        ),
    ],
)
def test_a_wrong_call_says_what_there_is_and_not_what_was_given(custodian, arguments, error):
    done = custodian.run(*arguments)

    assert (done.code, done.out) == (2, b"")
    assert done.err.splitlines()[-1] == f"Error: {error}"


@pytest.mark.parametrize(
    "name", ["key.bin", "/media/usb/orders/2026/master-key.bin", "my key", "schlüssel.pem", "a" * 31]
)
def test_a_file_s_name_may_be_repeated(name):
    assert is_quotable(name)


@pytest.mark.parametrize("name", ["x" * 32, "." * 101, "key\x1b[2J.bin", "-----BEGIN", "0011-2233:4455 6677" * 2])
def test_what_may_be_a_key_may_not(name):
    assert not is_quotable(name)


# ------------------------------------------------------------------------------------------------- what an argument takes

VERIFY = ("verify", "alias/orders", "--expected-check-value", "CMAC:377822C093")
WRAP = ("wrap", "key.bin", *HMAC, "--out", "wrapped.bin")
PUT = ("put", "key.bin", *HMAC, "--plaintext", "--yes", "--stack", "orders")
NO_KEY = "That is no id, ARN or alias/NAME of a key in KMS."


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((*VERIFY, "--region", "Frankfurt"), "'--region': That is no Region, such as eu-central-1."),
        ((*VERIFY, "--region", "eu-central-1\n"), "'--region': That is no Region, such as eu-central-1."),
        ((*VERIFY, "--profile", KEY.hex()), f"'--profile': That is no name. {'It is not repeated'}"),
        (("verify", "orders", *VERIFY[2:]), f"'KEY': {NO_KEY}"),
        (("verify", "arn:aws:kms:eu-central-1:111122223333:key/x", *VERIFY[2:]), f"'KEY': {NO_KEY}"),
        ((*VERIFY, "--key-material-id", "0d2e..."), "'--key-material-id': That is no KeyMaterialId: 64 hex digits."),
        ((*WRAP, "--wrapping-key", "alias/no such"), f"'--wrapping-key': {NO_KEY}"),
        ((*WRAP, "--wrapping-key", "arn:aws:iam::111122223333:root"), f"'--wrapping-key': {NO_KEY}"),
        ((*PUT, "--secret", "a", "--kms-key-id", "a"), f"'--kms-key-id': {NO_KEY}"),
        ((*PUT, "--secret", "a b"), "'--secret': That is no name (letters, digits and /_+=.@-) or ARN of a secret."),
        (
            ("generate", *HMAC, "--plaintext-out", KEY.hex()),
            "'--plaintext-out': No file gets such a name. It is not repeated",
        ),
    ],
)
def test_what_does_not_fit_is_a_wrong_call_and_goes_nowhere(bank, arguments, problem):
    bank.file("key.bin", KEY)

    done = bank.run(*arguments)

    assert (done.code, done.out, bank.calls) == (2, b"", [])
    assert f"\nError: Invalid value for {problem}" in done.err
    assert [path.name for path in bank.folder.iterdir()] == ["key.bin"]


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("verify", "alias/orders", "--report", "wrapped.json"), "--mac"),
        (("verify", "alias/orders", "--report", "wrapped.json"), "--expected-check-value"),
        (("verify", "alias/orders", "--report", "stored.json"), "--version-id"),
        (("put", "wrapped.bin", "--report", "wrapped.json", "--secret", "a"), "--expected-check-value"),
        (("check", "key.bin", *HMAC), "--expected-check-value"),
        (WRAP, "--wrapping-key-check-value"),
        (VERIFY, "--profile"),
    ],
)
def test_an_empty_value_is_no_missing_option(bank, arguments, option):
    """What counts would be the report's value, and nobody would see it."""
    done = bank.run(*arguments, option, "")

    assert (done.code, done.out, bank.calls) == (2, b"", [])
    assert done.err.endswith(f"\nError: {option} is empty: is a variable of the shell not set?\n")


@pytest.mark.parametrize(
    "arguments", [("wrap", "key.bin", *HMAC, "--wrapping-key", "KEY", "--out", "x"), ("put", "KEY")]
)
def test_a_file_that_is_no_secret_is_not_named_either_where_it_may_be_a_key(bank, arguments):
    bank.file("key.bin", KEY)
    more = ("--algorithm", "RSAES_OAEP_SHA_256", *HMAC, "--wrapping-key", "alias/a", "--secret", "a")

    done = bank.run(
        *(KEY.hex() if one == "KEY" else one for one in arguments), *(more if arguments[0] == "put" else ())
    )

    where = "FILE" if arguments[0] == "put" else "--wrapping-key"
    assert (done.code, bank.calls) == (1, [])
    assert done.err.startswith(f"{where}: The file can't be read: it does not exist. Its name is not repeated: ")
    require_silent(done.err, KEY.hex())


# ------------------------------------------------------------------------------------------- whatever else would repeat it


def test_a_line_that_would_repeat_a_key_says_what_it_is_about_instead(capsys):
    with output.without(["--mac", KEY.hex(":"), f"--x={LONG.hex()}", "alias/orders"]):
        output.say("--mac: it is nothing.", err=True)
        output.say(f"--mac: '{KEY.hex().upper()}' is nothing.", err=True)
        output.say(f"the answer is {LONG.hex()}", err=True)
        output.say("alias/orders: is told.", err=True)
    output.say(KEY.hex(), err=True)

    assert capsys.readouterr().err.splitlines() == [
        "--mac: it is nothing.",
        f"--mac: This line would repeat an argument. It is not repeated: it may be key material. {REMEDY}",
        f"This line would repeat an argument. It is not repeated: it may be key material. {REMEDY}",
        "alias/orders: is told.",
        KEY.hex(),
    ]
