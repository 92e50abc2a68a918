"""`key-custodian verify --report` compares what wrap, generate, combine and put printed with the key: nothing is typed."""

import hashlib
import hmac as mac
import json
import os
import shlex
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from imported_key_material.material.proof import CONFIRMATION_MESSAGE
from lab.keys.by_hand import oaep
from lab.keys.private_keys import ec_key, pkcs8_der, pkcs8_pem, rsa_key, spki_der
from lab.keys.random_keys import random_key, random_keys

KEY, OTHER = random_keys(32, 2)
UNDER = ("--wrapping-key", "alias/transport")
TO = ("--secret", "orders/mac-key", "--stack", "orders", "--yes", "--json")
FIND_OUT = "Find out which is right: it may be the report of other material, or somebody changed it.\n"
NAME_A_REPORT = "Name what key-custodian wrap, generate, combine or put printed with --json.\n"
KEY_WAS_PASSED_ON = (
    "If it is: a report is passed on, and anyone who got this one has the key, so treat this key as compromised.\n"
)
BOTH = ("--report", "wrapped.json", "--report", "stored.json")


def printed(bank, name, *arguments):
    """Runs a command, and keeps what it prints in a file. Returns it."""
    done = bank.run(*arguments)
    assert done.code == 0, done.err
    bank.file(name, done.out)
    return json.loads(done.out)


def wrap(bank, spec, material, name="wrapped"):
    source = bank.file("key.bin", material)
    return printed(bank, f"{name}.json", "wrap", source, "--key-spec", spec, *UNDER, "--out", f"{name}.bin", "--json")


def put(bank, *more):
    return printed(bank, "stored.json", "put", "wrapped.bin", *(more or ("--report", "wrapped.json")), *TO)


@pytest.fixture
def hmac(bank):
    """The ARN of an HMAC key that holds KEY, which was wrapped and stored: wrapped.json and stored.json."""
    bank.transport_key()
    wrap(bank, "HMAC_256", KEY)
    put(bank)
    key = bank.external_key("HMAC_256", KEY)
    bank.calls.clear()
    return key


def verify(bank, key, *arguments, code=0):
    done = bank.run("verify", key, *arguments, "--json")
    assert (done.code, done.err) == (code, "")
    return json.loads(done.out)


def refused(bank, key, *arguments, code=1):
    done = bank.run("verify", key, *arguments)
    assert (done.code, done.out) == (code, b""), done.text
    assert "kms:VerifyMac" not in bank.calls
    return done.err


def sha256(bank, name):
    return hashlib.sha256((bank.folder / name).read_bytes()).hexdigest()


def says(bank, name):
    return json.loads((bank.folder / name).read_text())


def changed(bank, name, **fields):
    bank.file(name, json.dumps(says(bank, name) | fields))


# --------------------------------------------------------------------------------------------------- nothing is typed


def test_two_reports_prove_an_hmac_key_and_the_receipt_names_what_each_gave(bank, hmac):
    told = verify(bank, hmac, *BOTH)

    assert (told["verdict"], told["shown_by"]) == ("PROVED", "MAC")
    assert told["found"] == "KMS verifies the MAC in the report."
    assert told["proves"].startswith("The key holds the material that made the MAC in the report: ")
    assert told["does_not_show"] == (
        "KMS can't be asked for an HMAC key's check value, the MAC of an empty message. Only the report says that the MAC and "
        "the check value belong to one key. Nor who wrote the report: it is not signed. Compare what it gave with the paper."
    )
    assert told["reports"] == [
        {
            "file": "wrapped.json",
            "sha256": sha256(bank, "wrapped.json"),
            "gave": ["the check value", "the confirmation MAC"],
        },
        {"file": "stored.json", "sha256": sha256(bank, "stored.json"), "gave": ["the secret", "the version"]},
    ]
    stored = says(bank, "stored.json")
    assert (told["secret"]["arn"], told["secret"]["version_id"]) == (stored["secret"], stored["version_id"])
    assert told["check_value"]["expected"] == stored["check_value"]


def test_the_receipt_as_text_names_the_reports_too(bank, hmac):
    value = says(bank, "wrapped.json")["check_values"][0]

    shown = bank.run("verify", hmac, *BOTH).text

    assert (
        f"Check value:    {value} (in the report; not compared: KMS shows no check value of an HMAC key, and the MAC is "
        "compared instead)\n"
        f"MAC:            {says(bank, 'wrapped.json')['confirmation_mac']} (in the report: compare it with the paper)\n"
        "Report:         wrapped.json gave the check value and the confirmation MAC\n"
        f"                its SHA-256 {sha256(bank, 'wrapped.json')}\n"
        "Report:         stored.json gave the secret and the version\n"
        f"                its SHA-256 {sha256(bank, 'stored.json')}\n"
        f"Key:            {hmac}\n"
    ) in shown


def test_the_receipt_shows_the_mac_that_decided_so_that_a_forged_report_is_found_on_paper(bank, hmac):
    """Somebody let KMS hold his own bytes, and changed only the MAC in the report."""
    on_paper = says(bank, "wrapped.json")["confirmation_mac"]
    his = mac.digest(OTHER, CONFIRMATION_MESSAGE, "sha256").hex()
    changed(bank, "wrapped.json", confirmation_mac=his)

    told = verify(bank, bank.external_key("HMAC_256", OTHER), *BOTH)

    assert told["verdict"] == "PROVED"
    assert told["confirmation_mac"] == {"expected": his.upper(), "place": "in the report: compare it with the paper"}
    assert his.upper() != on_paper


@pytest.mark.parametrize("instead", ["--mac", "--material"])
def test_the_receipt_shows_no_mac_that_is_not_the_report_s(bank, hmac, instead):
    value = {"--mac": says(bank, "wrapped.json")["confirmation_mac"], "--material": "key.bin"}[instead]

    assert verify(bank, hmac, *BOTH, instead, value)["confirmation_mac"] is None


def test_the_order_of_the_reports_does_not_matter(bank, hmac):
    told = verify(bank, hmac, *BOTH[2:], *BOTH[:2])

    assert [one["gave"] for one in told["reports"]] == [
        ["the check value", "the secret", "the version"],
        ["the confirmation MAC"],
    ]


def test_without_the_report_of_put_the_receipt_names_no_secret(bank, hmac):
    told = verify(bank, hmac, *BOTH[:2])

    assert (told["verdict"], told["secret"]) == ("PROVED", None)


def test_the_report_of_put_alone_has_no_mac_for_an_hmac_key(bank, hmac):
    told = refused(bank, hmac, *BOTH[2:], code=2)

    assert " ".join(told.split()).endswith(
        "MAC on paper (--mac), the report of the wrapped file (--report), or the material itself (--material)."
    )


def test_a_mac_from_paper_joins_the_report_of_put(bank, hmac):
    told = verify(bank, hmac, *BOTH[2:], "--mac", says(bank, "wrapped.json")["confirmation_mac"].lower())

    assert told["found"] == "KMS verifies the MAC on paper."
    assert (
        "Nothing says that the MAC on paper and the check value in the report belong to one key."
        in told["does_not_show"]
    )


@pytest.mark.parametrize("command", ["generate", "combine"])
def test_the_report_of_a_key_that_nobody_saw_will_do(bank, command):
    first, second = bank.file("first", KEY), bank.file("second", OTHER)
    values = [check_value.compute(key_spec("HMAC_256", partition="aws"), part) for part in (KEY, OTHER)]
    parts = [word for value in values for word in ("--component-check-value", value)]
    bank.file("transport.der", spki_der(rsa_key(2048)))
    more = ("--component", first, "--component", second, *parts) if command == "combine" else ()
    to = ("--wrapping-key", "transport.der", "--algorithm", "RSAES_OAEP_SHA_256", "--out", "wrapped.bin", "--json")
    printed(bank, "wrapped.json", command, "--key-spec", "HMAC_256", *more, *to)
    made = rsa_key(2048).decrypt((bank.folder / "wrapped.bin").read_bytes(), oaep("RSAES_OAEP_SHA_256"))

    assert verify(bank, bank.external_key("HMAC_256", made), *BOTH[:2])["verdict"] == "PROVED"


def test_the_report_of_put_is_enough_for_a_key_of_an_hsm(bank):
    """Nothing but put has printed anything about it."""
    bank.transport_key()
    bank.file("wrapped.bin", random_key(400))
    value = check_value.compute(key_spec("ECC_NIST_P256", partition="aws"), spki_der(ec_key()))
    put(
        bank,
        *("--key-spec", "ecc_nist_p256", "--algorithm", "RSA_AES_KEY_WRAP_SHA_256", *UNDER),
        *("--expected-check-value", value),
    )

    told = verify(bank, bank.external_key("ECC_NIST_P256", pkcs8_der(ec_key())), *BOTH[2:])

    assert (told["verdict"], told["shown_by"]) == ("PROVED", "PUBLIC_KEY")
    assert told["proves"].startswith("The key holds the private key of the public key in the report: ")
    assert told["does_not_show"].startswith("Who else holds the private key. Nor who wrote the report: ")
    assert told["reports"][0]["gave"] == ["the check value", "the secret", "the version"]


def test_another_private_key_than_in_the_report_is_not_so(bank):
    bank.transport_key()
    wrap(bank, "ECC_NIST_P256", pkcs8_pem(ec_key()))
    another = pkcs8_der(ec.generate_private_key(ec.SECP256R1()))

    told = verify(bank, bank.external_key("ECC_NIST_P256", another), *BOTH[:2], code=1)

    assert told["verdict"] == "NOT SO"
    assert told["found"].endswith(", and another one is in the report.")


def test_the_reports_of_a_symmetric_key_prove_as_little_as_paper(bank):
    bank.transport_key()
    wrap(bank, "SYMMETRIC_DEFAULT", KEY)
    put(bank)
    key = bank.external_key("SYMMETRIC_DEFAULT")
    material_id = bank.import_material(key, "SYMMETRIC_DEFAULT", KEY)

    told = verify(bank, key, *BOTH, "--key-material-id", material_id, code=3)

    assert (told["proved"], told["verdict"]) == (False, "SAME ID")
    assert told["does_not_show"].startswith("Whether those bytes have the check value in the report. KMS has no call ")
    assert told["check_value"]["compared"] is False
    assert verify(bank, key, *BOTH, code=1)["verdict"] == "NOT SHOWN"


def test_a_report_of_version_0_2_0_will_do(bank, hmac):
    """It had no kind, no version, and put's report no hash of the file."""
    for name, added in {"wrapped.json": (), "stored.json": ("wrapped_sha256", "next")}.items():
        old = says(bank, name)
        bank.file(name, json.dumps({k: v for k, v in old.items() if k not in {"report", "report_version", *added}}))

    assert verify(bank, hmac, *BOTH)["verdict"] == "PROVED"


# --------------------------------------------------------------------------------------------------- what is typed counts


def test_what_is_typed_from_paper_counts_and_the_receipt_says_so(bank, hmac):
    report = says(bank, "wrapped.json")
    typed = ("--expected-check-value", report["check_values"][0][:11].lower(), "--mac", report["confirmation_mac"])

    told = verify(bank, hmac, *BOTH, *typed)

    assert told["found"] == "KMS verifies the MAC on paper."
    assert told["check_value"]["expected"] == typed[1]
    assert "report" not in told["does_not_show"]
    assert [one["gave"] for one in told["reports"]] == [[], ["the secret", "the version"]]
    assert (
        "Report:         wrapped.json gave nothing, and agrees with what was typed\n"
        in bank.run("verify", hmac, *BOTH, *typed).text
    )


def test_the_material_itself_is_compared_with_the_report(bank, hmac):
    told = verify(bank, hmac, *BOTH, "--material", "key.bin")

    assert (told["verdict"], told["found"]) == ("PROVED", "KMS verifies the MAC that the material made.")
    changed(bank, "wrapped.json", confirmation_mac="00" * 32)
    assert refused_after_look(bank, hmac, *BOTH, "--material", "key.bin") == (
        f"--report: The report's confirmation MAC is not the one that the material makes. {FIND_OUT}"
    )


def refused_after_look(bank, key, *arguments):
    bank.calls.clear()
    return refused(bank, key, *arguments)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (
            ("--expected-check-value", "HMAC:000000"),
            "--expected-check-value: It is not the check value in wrapped.json, which is {value}.",
        ),
        (
            ("--expected-check-value", "CMAC:000000"),
            "--expected-check-value: It is not the check value in wrapped.json, which is {value}.",
        ),
        (("--mac", "00" * 32), "--mac: It is not the confirmation MAC in wrapped.json."),
        (
            ("--version-id", "0" * 32),
            "--version-id: It is not the version in stored.json, which is {version}.",
        ),
    ],
)
def test_what_is_typed_and_contradicts_a_report_is_refused_before_anybody_is_asked(bank, hmac, typed, problem):
    stored = says(bank, "stored.json")
    expected = problem.format(value=stored["check_value"], version=stored["version_id"])

    assert refused(bank, hmac, *BOTH, *typed, "--out", "receipt.json") == f"{expected} {FIND_OUT}"
    assert bank.calls == []
    assert not (bank.folder / "receipt.json").exists()


def test_another_secret_than_in_the_report_is_refused(bank, hmac):
    other = bank.secret("orders/other", b"wrapped")

    assert refused(bank, hmac, *BOTH, "--secret", "orders/other") == (
        f"--secret: It is {other.arn}, and the report is of {says(bank, 'stored.json')['secret']}. {FIND_OUT}"
    )


def test_the_same_secret_may_be_named_by_its_name(bank, hmac):
    assert verify(bank, hmac, *BOTH, "--secret", "orders/mac-key")["secret"]["name"] == "orders/mac-key"


def test_a_secret_that_was_made_again_under_the_name_is_not_the_one_in_the_report(bank, hmac):
    (before,) = bank.secrets._secrets.values()
    bank.secrets.remove(before)
    bank.secret(before.name, b"his own", version_id=says(bank, "stored.json")["version_id"])

    told = refused(bank, hmac, *BOTH)

    assert told.startswith("--secret: secretsmanager:DescribeSecret was refused with ResourceNotFoundException: ")


def test_the_report_of_another_kind_of_key_is_refused(bank, hmac):
    key = bank.external_key("HMAC_384")

    assert refused(bank, key, *BOTH) == (
        "--report: The report is of HMAC_256 material, and KEY is an HMAC_384 key. Name the report of this key's material, or "
        "the right key.\n"
    )


def test_the_key_itself_in_place_of_its_mac_is_not_sent_from_a_report_either(bank, hmac):
    changed(bank, "wrapped.json", confirmation_mac=KEY.hex())

    told = refused_after_look(bank, hmac, *BOTH)

    assert told.startswith("--report: It looks like the key itself, not its MAC: it has the check value in the report.")
    assert told.endswith(" It was not sent to KMS. " + KEY_WAS_PASSED_ON)
    assert KEY.hex() not in told


# ---------------------------------------------------------------------------------------------------- what is no report


def test_two_reports_of_different_material_are_refused(bank, hmac):
    wrap(bank, "HMAC_256", OTHER, "other")

    assert refused(bank, hmac, "--report", "other.json", *BOTH[2:]) == (
        f"--report: other.json and stored.json are not of the same wrapped file. {FIND_OUT}"
    )


@pytest.mark.parametrize("again", ["wrapped", "stored"])
def test_two_reports_of_one_kind_are_refused(bank, hmac, again):
    assert refused(bank, hmac, "--report", f"{again}.json", "--report", f"{again}.json") == (
        f"--report: {again}.json and {again}.json are reports of the same kind. Name one of wrap, generate or combine, and one "
        "of put.\n"
    )


def test_the_same_material_wrapped_twice_gives_two_files(bank, hmac):
    """The check values agree. The SHA-256 shows that put stored the other file."""
    wrap(bank, "HMAC_256", KEY, "again")

    assert refused(bank, hmac, "--report", "again.json", *BOTH[2:]) == (
        f"--report: again.json and stored.json are not of the same wrapped file. {FIND_OUT}"
    )


def test_three_reports_are_too_many(bank, hmac):
    told = refused(bank, hmac, *BOTH, "--report", "wrapped.json", code=2)

    assert " ".join(told.split()).endswith(
        "Error: --report is given once or twice: for the wrapped file, and for the stored version."
    )


def test_neither_a_check_value_nor_a_report_is_a_wrong_call(bank, hmac):
    assert refused(bank, hmac, code=2).endswith("Error: Missing --expected-check-value: or --report, which says it.\n")


def test_a_report_of_a_guessable_key_has_no_check_value(bank, hmac):
    changed(bank, "wrapped.json", check_values=[], properties={"SecretWrapping": {}})

    assert refused(bank, hmac, *BOTH[:2], code=2).endswith(
        "Error: Missing --expected-check-value: the report does not say it.\n"
    )


def test_a_receipt_and_a_report_of_check_are_called_by_name(bank, hmac):
    bank.file("receipt.json", bank.run("verify", hmac, *BOTH, "--json").out)
    bank.file("check.json", bank.run("check", "key.bin", "--key-spec", "HMAC_256", "--json").out)
    bank.calls.clear()

    assert refused(bank, hmac, "--report", "receipt.json") == (
        "receipt.json: The file is a receipt of verify, and no report: it says what KMS showed, not what to compare. "
        f"{NAME_A_REPORT}"
    )
    assert refused(bank, hmac, "--report", "check.json") == (
        f"check.json: The file is a report of check, and not the report of a wrapped file or a stored version. {NAME_A_REPORT}"
    )
    done = bank.run("put", "wrapped.bin", "--report", "stored.json", *TO)
    assert (done.code, done.err) == (
        1,
        "stored.json: The file is a report of put, and not the report of a wrapped file. Name what key-custodian wrap, "
        "generate or combine printed with --json.\n",
    )
    assert bank.calls == []


@pytest.mark.parametrize("other", [2, True, 1.0])
@pytest.mark.parametrize("name", ["wrapped.json", "stored.json"])
def test_a_report_of_a_later_version_is_called_by_name(bank, hmac, name, other):
    changed(bank, name, report_version=other)

    assert refused(bank, hmac, "--report", name) == (
        f"{name}: The report has another version than 1, which this tool reads. Use the version of the tool that made it.\n"
    )


EVIL = "\x1b[2J"


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        ("wrapped.json", {"key_spec": None}, "key_spec"),
        ("wrapped.json", {"check_values": "HMAC:D38B42096D"}, "check_values"),
        ("wrapped.json", {"check_values": [f"HMAC:D38B42096D{EVIL}"]}, "check_values"),
        ("wrapped.json", {"check_values": ["CMAC:377822C093"]}, "check_values"),
        ("wrapped.json", {"check_values": [1]}, "check_values"),
        ("wrapped.json", {"check_values": ["HMAC:D38B42096D", "HMAC:377822C093"]}, "check_values"),
        ("wrapped.json", {"check_values": ["HMAC:D38B42096D", "hmac:D38B42"]}, "check_values"),
        ("wrapped.json", {"check_values": ["HMAC:D38B42096D"]}, "properties.ExpectedCheckValue"),
        ("wrapped.json", {"confirmation_mac": "00" * 31}, "confirmation_mac"),
        ("wrapped.json", {"confirmation_mac": EVIL}, "confirmation_mac"),
        ("wrapped.json", {"confirmation_mac": ["00" * 32]}, "confirmation_mac"),
        ("stored.json", {"key_spec": "HMAC_1"}, "key_spec"),
        ("stored.json", {"check_value": "CMAC:377822C093"}, "check_value"),
        ("stored.json", {"check_value": "HMAC:D38B42096D"}, "properties.ExpectedCheckValue"),
        ("stored.json", {"secret": "orders/mac-key"}, "secret"),
        (
            "stored.json",
            {"secret": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/a-AbCdEf"},
            "properties.SecretId",
        ),
        ("stored.json", {"version_id": "1; touch PWNED"}, "version_id"),
        ("stored.json", {"version_id": "0" * 32}, "properties.SecretVersionId"),
        ("stored.json", {"wrapped_sha256": "0"}, "wrapped_sha256"),
    ],
)
def test_a_changed_field_is_called_by_name_and_not_repeated(bank, hmac, name, fields, field):
    changed(bank, name, **fields)

    assert refused(bank, hmac, "--report", name) == (
        f"{name}: The report's field {field} is missing or does not have its form: this tool did not write it so. "
        f"Somebody may have changed the file. {NAME_A_REPORT}"
    )
    assert bank.calls == []


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "The file is empty. The program that should have written it may have failed: check it first.\n"),
        (b" " * 65_536 + b"{", f"It holds more than 65,536 bytes, so it is no report. {NAME_A_REPORT}"),
        (
            b'{"report": "wrapped file", "properties": {"a": 1, "a": 1}}',
            "A field is in the report twice: this tool did not write it so. Somebody may have changed the file. "
            f"{NAME_A_REPORT}",
        ),
        (b"[" * 60_000, f"The file holds no JSON object, so it is no report. {NAME_A_REPORT}"),
        (b"\xff\xfe", f"The file holds no JSON object, so it is no report. {NAME_A_REPORT}"),
        (
            b'{"report": ["wrapped file"]}',
            f"The file holds a JSON object that is no report of a wrapped file or a stored version. {NAME_A_REPORT}",
        ),
    ],
)
def test_a_file_that_is_no_report_is_refused(bank, hmac, data, problem):
    bank.file("wrapped.json", data)

    assert refused(bank, hmac, *BOTH[:2]) == f"wrapped.json: {problem}"


def test_a_pipe_is_no_report_and_nobody_waits_for_it(bank, hmac):
    (bank.folder / "wrapped.json").unlink()
    os.mkfifo(bank.folder / "wrapped.json")

    assert refused(bank, hmac, *BOTH[:2]) == f"wrapped.json: It is no regular file, so it is no report. {NAME_A_REPORT}"


# ----------------------------------------------------------------------------------- the command with which put ends


def in_a_shell(bank, line, **variables):
    """Runs a line as a user's shell does. Returns the exit code, and both outputs."""
    program = bank.folder / "bin" / "key-custodian"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m key_custodian "$@"\n')
    program.chmod(0o755)
    environment = bank.custodian._env() | {"PATH": f"{program.parent}:{os.environ['PATH']}"} | variables
    done = subprocess.run(
        ["/bin/sh", "-euc", line], cwd=bank.folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def next_of(bank, *arguments):
    """The line at the end of put's text, after a look that the JSON has the same."""
    arguments = ("put", *arguments, "--stack", "orders", "--yes")
    done = bank.run(*arguments)
    assert done.code == 0, done.err
    *_, line = done.text.splitlines()
    again = json.loads(bank.run(*arguments, "--json").out)
    assert line == f"  {again['next']}"
    return again["next"]


def test_the_line_that_put_prints_runs_as_it_stands(bank):
    """Whatever the names are: each stays one word."""
    bank.transport_key()
    name = "my $(touch PWNED) 'report' \"1\";#.json"
    wrap(bank, "HMAC_256", KEY)
    (bank.folder / "wrapped.json").rename(bank.folder / name)
    line = next_of(bank, "wrapped.bin", "--report", name, "--secret", "orders/mac+key@1", "--region", "eu-central-1")
    key = bank.external_key("HMAC_256", KEY)

    code, shown, error = in_a_shell(bank, f"cd /; {line}", KEY=key)

    assert (code, error) == (0, "")
    assert "\nVerdict:        PROVED (by MAC)\n" in shown
    assert line.endswith(" --region eu-central-1")
    assert not (bank.folder / "PWNED").exists()


@pytest.mark.parametrize("name", ["a\x1b[2J.json", "a\u202enosj.b", "a\nb.json"])
def test_a_report_whose_name_can_t_be_printed_is_a_variable(bank, name):
    bank.transport_key()
    wrap(bank, "HMAC_256", KEY)
    (bank.folder / "wrapped.json").rename(bank.folder / name)
    to = ("--secret", "orders/mac-key", "--stack", "orders", "--yes")

    lead, line = bank.run("put", "wrapped.bin", "--report", name, *to).text.splitlines()[-2:]
    code, _, error = in_a_shell(bank, line, KEY=bank.external_key("HMAC_256", KEY), REPORT=name)

    assert lead == "set KEY to the key's id, ARN or alias/NAME, and REPORT to the report's file, and run:"
    assert line.startswith('  key-custodian verify "$KEY" --report "$REPORT" --secret arn:')
    assert (code, error) == (0, "")


def test_a_line_whose_key_was_not_set_asks_nobody(bank):
    bank.transport_key()
    wrap(bank, "HMAC_256", KEY)
    line = next_of(bank, "wrapped.bin", "--report", "wrapped.json", "--secret", "orders/mac-key")
    bank.calls.clear()

    code, shown, error = in_a_shell(bank, f"KEY=; {line}")

    assert (code, shown, bank.calls) == (2, "", [])
    assert "Error: Invalid value for 'KEY': That is no id, ARN or alias/NAME of a key in KMS." in error


def test_of_a_symmetric_key_the_line_asks_for_the_id_too(bank):
    bank.transport_key()
    wrap(bank, "SYMMETRIC_DEFAULT", KEY)
    done = bank.run(
        "put", "wrapped.bin", "--report", "wrapped.json", "--secret", "orders/master-key", "--stack", "orders", "--yes"
    )
    key = bank.external_key("SYMMETRIC_DEFAULT")
    material_id = bank.import_material(key, "SYMMETRIC_DEFAULT", KEY)

    lead, line = done.text.splitlines()[-2:]
    code, shown, _ = in_a_shell(bank, line, KEY=key, KEY_MATERIAL_ID=material_id)

    assert lead == (
        "set KEY to the key's id, ARN or alias/NAME, and KEY_MATERIAL_ID to the resource's attribute KeyMaterialId, and run:"
    )
    assert (code, "\nVerdict:        SAME ID (by KEY_MATERIAL_ID)\n" in shown) == (3, True)


def test_without_a_report_the_line_has_the_check_value_and_asks_for_the_rest(bank):
    bank.transport_key()
    report = wrap(bank, "HMAC_256", KEY)
    said = ("--key-spec", "HMAC_256", "--algorithm", report["algorithm"], *UNDER)
    value = report["check_values"][0]
    key = bank.external_key("HMAC_256", KEY)
    to = ("--secret", "orders/mac-key")

    known = next_of(bank, "wrapped.bin", *said, "--expected-check-value", value, *to)
    unknown = next_of(bank, "wrapped.bin", *said, *to)

    begins = 'key-custodian verify "$KEY" --expected-check-value'
    assert known.startswith(f'{begins} {value} --mac "$CONFIRMATION_MAC" --secret arn:')
    assert unknown.startswith(f'{begins} "$CHECK_VALUE" --mac "$CONFIRMATION_MAC" --secret arn:')
    code, shown, _ = in_a_shell(bank, unknown, KEY=key, CONFIRMATION_MAC=report["confirmation_mac"], CHECK_VALUE=value)
    assert (code, "\nVerdict:        PROVED (by MAC)\n" in shown) == (0, True)


def test_a_key_in_plaintext_gets_a_line_too(bank):
    bank.file("key.bin", pkcs8_pem(ec_key()))

    done = bank.run("put", "key.bin", "--key-spec", "ECC_NIST_P256", "--plaintext", *TO)

    told = json.loads(done.out)
    assert told["wrapped_sha256"] is None
    key = bank.external_key("ECC_NIST_P256", pkcs8_der(ec_key()))
    code, _, error = in_a_shell(bank, told["next"], KEY=key)
    assert (code, error) == (0, "")
    bank.file("stored.json", done.out)
    assert verify(bank, key, *BOTH[2:])["verdict"] == "PROVED"
