"""`key-custodian verify` against the strict KMS over HTTP: what it proves for each kind of key, and the receipt."""

import hashlib
import json
import re
import stat

import pytest

from imported_key_material.aws.key_view import KeyView
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from imported_key_material.material.proof import CONFIRMATION_MESSAGE
from key_custodian import session
from key_custodian.aws import Connection
from key_custodian.evidence import Key, Verdict, prove
from key_custodian.paper import Paper
from key_custodian.session import Session
from lab.keys.openssl import openssl
from lab.keys.private_keys import ec_key, key_for, pkcs8_der, rsa_key, spki_der
from lab.keys.random_keys import random_keys
from lab.kms.server import KmsServer
from lab.program import Program
from lab.sts import Sts
from lab.wire.one_endpoint import OneEndpoint
from lab.wire.transport import Refusal, Response
from tests.support.online import ACCOUNT, WHO

KEY, OTHER = random_keys(32, 2)
SECRET_VERSION = "00000000-0000-4000-8000-00000000000a"
SAME_ID = "0" * 64
SHOWN = {
    "Arn": "arn:aws:kms:eu-central-1:111122223333:key/1",
    "KeySpec": "SYMMETRIC_DEFAULT",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "Origin": "EXTERNAL",
    "KeyState": "Enabled",
}


def sha256_of(private_key):
    return f"SHA256:{hashlib.sha256(spki_der(private_key)).hexdigest().upper()}"


def hmac_of(key, message=b""):
    """By OpenSSL."""
    return openssl("mac", "-digest", "sha256", "-macopt", f"hexkey:{key.hex()}", "HMAC", stdin=message).decode().strip()


def cmac_of(key):
    command = ("mac", "-cipher", "AES-256-CBC", "-macopt", f"hexkey:{key.hex()}", "CMAC")
    return f"CMAC:{openssl(*command, stdin=bytes(16)).decode().strip()[:10]}"


def receipt(bank, *arguments, code=0):
    done = bank.run("verify", *arguments, "--json")
    assert (done.code, done.err) == (code, "")
    return json.loads(done.out)


def on_paper(check_value):
    return ("--expected-check-value", check_value)


# ------------------------------------------------------------------------------------------------------------ asymmetric


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"])
def test_the_public_key_proves_a_private_key(bank, spec):
    key = bank.external_key(spec, pkcs8_der(key_for(spec)))
    paper = sha256_of(key_for(spec))

    told = receipt(bank, key, *on_paper(paper.lower()))

    assert (told["proved"], told["verdict"], told["shown_by"]) == (True, "PROVED", "PUBLIC_KEY")
    assert told["found"] == f"The public key that KMS gives has the check value {paper}."
    assert told["check_value"] == {"expected": paper.lower(), "compared": True, "shown_by_kms": paper}


def test_another_private_key_is_not_so(bank):
    key = bank.external_key("RSA_2048", pkcs8_der(rsa_key(2048)))
    shown, paper = sha256_of(rsa_key(2048)), sha256_of(rsa_key(3072))

    told = receipt(bank, key, *on_paper(paper), code=1)

    assert (told["proved"], told["verdict"]) == (False, "NOT SO")
    assert told["found"] == f"The public key that KMS gives has the check value {shown}, and another one is on paper."
    assert told["proves"] == "The key holds another private key."


def test_a_disabled_key_shows_its_public_key_all_the_same(bank):
    key = bank.external_key("ECC_NIST_P256", pkcs8_der(ec_key()))
    bank.call("DisableKey", KeyId=key)

    told = receipt(bank, key, *on_paper(sha256_of(ec_key())))

    assert (told["verdict"], told["key"]["key_state"]) == ("PROVED", "Disabled")


# ------------------------------------------------------------------------------------------------------------------ HMAC


def hmac_key(bank, material=KEY):
    return bank.external_key("HMAC_256", material)


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_a_mac_on_paper_proves_an_hmac_key(bank, case):
    paper = f"HMAC:{hmac_of(KEY)[:10]}"

    told = receipt(bank, hmac_key(bank), *on_paper(paper), "--mac", case(hmac_of(KEY, CONFIRMATION_MESSAGE)))

    assert (told["verdict"], told["shown_by"]) == ("PROVED", "MAC")
    assert told["found"] == "KMS verifies the MAC on paper."
    assert told["does_not_show"] == (
        "KMS can't be asked for an HMAC key's check value, the MAC of an empty message. Only the paper says that the MAC "
        "and the check value belong to one key."
    )


def test_the_mac_that_the_tool_prints_is_the_one_that_proves(bank):
    bank.file("key.bin", KEY)
    printed = json.loads(bank.run("check", "key.bin", "--key-spec", "HMAC_256", "--json").out)

    (check_value,) = printed["check_values"]
    told = receipt(bank, hmac_key(bank), *on_paper(check_value), "--mac", printed["confirmation_mac"])

    assert told["verdict"] == "PROVED"


def test_the_material_itself_proves_an_hmac_key_and_its_check_value(bank):
    paper = on_paper(f"HMAC:{hmac_of(KEY)[:10]}")

    told = receipt(bank, hmac_key(bank), *paper, "--material", bank.file("key.bin", KEY))

    assert (told["verdict"], told["found"]) == ("PROVED", "KMS verifies the MAC that the material made.")
    assert told["does_not_show"] == (
        "KMS can't be asked for an HMAC key's check value, the MAC of an empty message. It was compared with the material "
        "itself, here."
    )


def test_the_material_can_come_through_a_pipe(bank):
    key, paper = hmac_key(bank), on_paper(f"HMAC:{hmac_of(KEY)[:10]}")

    done = bank.run("verify", key, *paper, "--material", "-", "--encoding", "HEX", stdin=KEY.hex().encode())

    assert done.code == 0
    assert "\nVerdict:        PROVED (by MAC)\n" in done.text


def test_another_hmac_key_is_not_so_and_cloudtrail_s_id_of_the_refusal_is_kept(bank):
    paper = on_paper(f"HMAC:{hmac_of(KEY)[:10]}")

    told = receipt(bank, hmac_key(bank, OTHER), *paper, "--mac", hmac_of(KEY, CONFIRMATION_MESSAGE), code=1)

    assert told["verdict"] == "NOT SO"
    assert told["found"] == "KMS does not verify the MAC on paper (KMSInvalidMacException)."
    assert told["requests"][-1]["operation"] == "kms:VerifyMac"
    assert told["requests"][-1]["refused"] == "KMSInvalidMacException"
    assert told["requests"][-1]["request_id"]


def test_the_key_itself_in_place_of_its_mac_is_not_sent_to_kms(bank):
    """The key has as many digits as the MAC. The check value on paper shows that it is the key."""
    paper = on_paper(f"HMAC:{hmac_of(KEY)[:10]}")

    told = refused(bank, hmac_key(bank), *paper, "--mac", KEY.hex())

    assert told == (
        "--mac: It looks like the key itself, not its MAC: it has the check value on paper. It was not sent to KMS. "
        "If it is: other programs see arguments, and the shell keeps them in its history, "
        "so treat this key as compromised. Give material as a file, through a pipe, or at the prompt: -.\n"
    )
    assert "kms:VerifyMac" not in bank.calls


def test_other_material_than_on_paper_is_refused_and_kms_is_not_asked(bank):
    paper = on_paper(f"HMAC:{hmac_of(KEY)[:10]}")
    key = hmac_key(bank)

    done = bank.run("verify", key, *paper, "--material", bank.file("key.bin", OTHER))

    assert (done.code, done.out) == (1, b"")
    assert done.err == (
        "--expected-check-value: The material has another check value than the one declared. Name the file that "
        "holds the right key, or correct --expected-check-value.\n"
    )
    assert "kms:VerifyMac" not in bank.calls


# ------------------------------------------------------------------------------------------------------------- symmetric


@pytest.fixture
def symmetric(bank):
    """(ARN, KeyMaterialId) of a key that holds KEY."""
    key = bank.external_key("SYMMETRIC_DEFAULT")
    return key, bank.import_material(key, "SYMMETRIC_DEFAULT", KEY)


def test_the_id_on_paper_is_compared_and_proves_nothing_of_the_check_value_beside_it(bank, symmetric):
    key, material_id = symmetric

    told = receipt(bank, key, *on_paper(cmac_of(KEY)), "--key-material-id", material_id, code=3)

    assert (told["proved"], told["verdict"], told["shown_by"]) == (False, "SAME ID", "KEY_MATERIAL_ID")
    assert told["found"] == f"The key's current material is {material_id}, as on paper."
    assert told["does_not_show"] == (
        "Whether those bytes have the check value on paper. KMS has no call that shows the check value of a symmetric key. "
        'The function\'s log shows it: its line "imported" has the key_material_id beside the check_value, which the same '
        "invocation computed from the bytes. Look there for this id."
    )


def test_without_an_id_nothing_is_shown_and_the_id_is_reported(bank, symmetric):
    key, material_id = symmetric

    told = receipt(bank, key, *on_paper(cmac_of(KEY)), code=1)

    assert (told["proved"], told["verdict"], told["shown_by"]) == (False, "NOT SHOWN", None)
    assert told["found"] == (
        f"The key's current material is {material_id}, and no KeyMaterialId was given to compare it with: --key-material-id."
    )


def test_a_list_of_materials_that_never_ends_is_left(monkeypatch):
    monkeypatch.setattr(session, "_PAGES_MAX", 3)
    asked = []

    class Endless(Session):
        def call(self, operation, *, where, **parameters):
            asked.append((operation, where, parameters.get("Marker")))
            return {"Rotations": [], "Truncated": True, "NextMarker": str(len(asked))}

    assert Endless(Connection()).pages("kms:ListKeyRotations", where="KEY") == [
        {"Rotations": [], "Truncated": True, "NextMarker": str(number)} for number in (1, 2, 3)
    ]
    assert [marker for _, _, marker in asked] == [None, "1", "2"]


@pytest.mark.parametrize("on_paper", ["", SAME_ID])
def test_where_kms_shows_no_id_nothing_is_shown(on_paper):
    spec = key_spec("SYMMETRIC_DEFAULT", partition="aws")
    key = Key(KeyView.of_metadata(SHOWN), spec)
    paper = Paper(check_value.check_expected_form(cmac_of(KEY), spec), material_id=on_paper)

    found = prove(Session(Connection()), key, paper)

    assert (found.verdict, found.by, found.proves) == (Verdict.NOT_SHOWN, None, "")
    assert found.found == ("KMS shows no CurrentKeyMaterialId of the key, so there is nothing to compare with paper.")
    assert found.not_compared == "KMS shows no check value of a symmetric key"


def test_the_receipt_names_the_tool_as_the_tool_names_itself(bank, symmetric):
    key, material_id = symmetric

    told = receipt(bank, key, *on_paper(cmac_of(KEY)), "--key-material-id", material_id, code=3)

    assert f"{told['tool']}\n" == bank.run("--version").text


def test_an_id_that_the_key_never_had_is_not_so(bank, symmetric):
    key, material_id = symmetric

    told = receipt(bank, key, *on_paper(cmac_of(KEY)), "--key-material-id", SAME_ID, code=1)

    assert told["verdict"] == "NOT SO"
    assert told["found"] == (
        f"The key's current material is {material_id}, and another one is on paper. The key never had that one."
    )


def test_staged_material_is_not_what_the_key_uses(bank, symmetric):
    key, _ = symmetric
    staged = bank.import_material(key, "SYMMETRIC_DEFAULT", OTHER, ImportType="NEW_KEY_MATERIAL")

    told = receipt(bank, key, *on_paper(cmac_of(OTHER)), "--key-material-id", staged, code=1)

    assert told["found"].endswith(f"{staged} is on paper. That one is staged, and becomes current by a rotation.")


def test_without_the_right_to_list_materials_it_is_reported_without_them(bank, symmetric):
    key, _ = symmetric
    bank.deny("ListKeyRotations")

    told = receipt(bank, key, *on_paper(cmac_of(OTHER)), "--key-material-id", SAME_ID, code=1)

    assert told["found"].endswith(", and another one is on paper.")


# ----------------------------------------------------------------------------------------------- keys without material


def test_an_empty_key_shows_nothing(bank):
    key = bank.external_key("RSA_2048")

    told = receipt(bank, key, *on_paper(sha256_of(rsa_key(2048))), code=1)

    assert (told["verdict"], told["found"]) == (
        "NOT SHOWN",
        "The key is PendingImport: it holds no material, or has lost one of its materials.",
    )


def test_a_symmetric_key_that_lost_its_material_shows_nothing_though_kms_keeps_the_id(bank, symmetric):
    key, material_id = symmetric
    bank.call("DeleteImportedKeyMaterial", KeyId=key)

    told = receipt(bank, key, *on_paper(cmac_of(KEY)), "--key-material-id", material_id, code=1)

    assert told["key"]["current_key_material_id"] == material_id
    assert told["verdict"] == "NOT SHOWN"


def test_a_key_that_is_to_be_deleted_shows_nothing(bank, symmetric):
    key, material_id = symmetric
    bank.call("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)

    told = receipt(bank, key, *on_paper(cmac_of(KEY)), "--key-material-id", material_id, code=1)

    assert told["found"] == "The key is PendingDeletion: KMS does not show whether it holds its material."


# ------------------------------------------------------------------------------------------------------------- the receipt


def test_the_receipt_shows_who_when_which_key_and_which_version(bank):
    key = bank.external_key("ECC_NIST_P256", pkcs8_der(ec_key()))
    secret = bank.secret("orders/signing-key", b"wrapped", version_id=SECRET_VERSION)
    version = ("--secret", "orders/signing-key", "--version-id", SECRET_VERSION)
    paper = sha256_of(ec_key())

    done = bank.run("verify", key, *on_paper(paper), *version)

    time = re.search(r"Time: +(\S+) ", done.text)[1]
    ids = re.findall(r"(?:sts|kms|secretsmanager):[A-Z]\w+ ([0-9a-f-]{36})$", done.text, re.MULTILINE)
    assert (done.code, done.err, len(ids)) == (0, "", 4)
    address = bank.custodian.environment["AWS_ENDPOINT_URL"]
    tool = re.search(r"^Tool: +(.+)$", done.text, re.MULTILINE)[1]
    assert done.text == (
        f"NOT AWS:        sts was asked at {address}\n"
        f"                kms was asked at {address}\n"
        f"                secretsmanager was asked at {address}\n"
        "Verdict:        PROVED (by PUBLIC_KEY)\n"
        f"Found:          The public key that KMS gives has the check value {paper}.\n"
        "Proves:         The key holds the private key of the public key on paper: the check value is the SHA-256 of the whole "
        "public key, and KMS takes the public key from the private key that was imported.\n"
        "Does not show:  Who else holds the private key.\n"
        f"Check value:    {paper} (on paper; compared with the public key that KMS gives)\n"
        f"Key:            {key}\n"
        "                ECC_NIST_P256, SIGN_VERIFY, Enabled\n"
        "                KEY_MATERIAL_DOES_NOT_EXPIRE\n"
        f"Secret:         {secret.arn}\n"
        f"                version {SECRET_VERSION}, AWSCURRENT\n"
        f"Asked by:       {WHO}\n"
        "Region:         eu-central-1\n"
        f"Time:           {time} (this machine), {time_of_aws(done.text)} (AWS)\n"
        f"Requests:       sts:GetCallerIdentity {ids[0]}\n"
        f"                kms:DescribeKey {ids[1]}\n"
        f"                secretsmanager:DescribeSecret {ids[2]}\n"
        f"                kms:GetPublicKey {ids[3]}\n"
        f"Tool:           {tool}\n"
        "NOT AWS:        the answers of sts and kms and secretsmanager, see above\n"
    )


SYMMETRIC_NOT = "on paper; not compared: KMS shows no check value of a symmetric key"
BY_PUBLIC_KEY = "on paper; compared with the public key that KMS gives"
BY_MATERIAL = "on paper; compared with the material, here"
BY_MAC = "on paper; not compared: KMS shows no check value of an HMAC key, and the MAC is compared instead"
MAC_OF_KEY, MAC_OF_OTHER = (hmac_of(key, CONFIRMATION_MESSAGE) for key in (KEY, OTHER))


@pytest.mark.parametrize(
    ("spec", "paper", "beside", "verdict", "said"),
    [
        ("ECC_NIST_P256", sha256_of(ec_key()), (), "PROVED", BY_PUBLIC_KEY),
        ("ECC_NIST_P256", sha256_of(rsa_key(2048)), (), "NOT SO", BY_PUBLIC_KEY),
        ("HMAC_256", f"HMAC:{hmac_of(KEY)[:10]}", ("--material", "key.bin"), "PROVED", BY_MATERIAL),
        ("HMAC_256", f"HMAC:{hmac_of(OTHER)[:10]}", ("--material", "other.bin"), "NOT SO", BY_MATERIAL),
        ("HMAC_256", f"HMAC:{hmac_of(KEY)[:10]}", ("--mac", MAC_OF_KEY), "PROVED", BY_MAC),
        ("HMAC_256", f"HMAC:{hmac_of(KEY)[:10]}", ("--mac", MAC_OF_OTHER), "NOT SO", BY_MAC),
        ("SYMMETRIC_DEFAULT", cmac_of(KEY), ("--key-material-id", "THAT"), "SAME ID", SYMMETRIC_NOT),
        ("SYMMETRIC_DEFAULT", cmac_of(KEY), ("--key-material-id", SAME_ID), "NOT SO", SYMMETRIC_NOT),
        ("SYMMETRIC_DEFAULT", cmac_of(KEY), (), "NOT SHOWN", SYMMETRIC_NOT),
        ("PendingImport", cmac_of(KEY), (), "NOT SHOWN", "on paper; not compared: KMS showed nothing"),
    ],
)
def test_the_receipt_says_with_what_the_check_value_was_compared_if_with_anything(
    bank, spec, paper, beside, verdict, said
):
    key, empty = (
        (bank.external_key("SYMMETRIC_DEFAULT"), True) if spec == "PendingImport" else (bank.external_key(spec), False)
    )
    material_id = (
        "" if empty else bank.import_material(key, spec, pkcs8_der(ec_key()) if spec.startswith("ECC") else KEY)
    )
    bank.file("key.bin", KEY)
    bank.file("other.bin", OTHER)
    call = ("verify", key, *on_paper(paper), *(material_id if one == "THAT" else one for one in beside))

    as_text, as_json = bank.run(*call), json.loads(bank.run(*call, "--json").out)

    assert as_json["verdict"] == verdict
    assert f"Check value:    {paper} ({said})\n" in as_text.text
    assert as_json["check_value"]["compared"] is said.startswith("on paper; compared")


def time_of_aws(text):
    return re.search(r"\(this machine\), (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) \(AWS\)", text)[1]


def test_the_receipt_is_written_as_json_to_a_new_file_that_only_its_owner_reads(bank):
    key = bank.external_key("ECC_NIST_P256", pkcs8_der(ec_key()))

    told = receipt(bank, key, *on_paper(sha256_of(ec_key())), "--out", "receipt.json")

    path = bank.folder / "receipt.json"
    assert json.loads(path.read_text()) == told
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(told) == {
        *("receipt", "receipt_version", "proved", "verdict", "shown_by", "found", "proves", "does_not_show"),
        *("check_value", "reports", "key", "secret", "by", "region", "not_aws", "time", "aws_time", "requests", "tool"),
        "confirmation_mac",
    }
    assert told["by"] == {"account": ACCOUNT, "arn": WHO}
    assert told["key"]["arn"] == key


def test_a_receipt_of_what_is_not_so_is_written_too(bank):
    key = bank.external_key("ECC_NIST_P256", pkcs8_der(ec_key()))

    receipt(bank, key, *on_paper(sha256_of(rsa_key(2048))), "--out", "receipt.json", code=1)

    assert json.loads((bank.folder / "receipt.json").read_text())["proved"] is False


def test_an_expiry_is_in_the_receipt(bank):
    key = bank.external_key("SYMMETRIC_DEFAULT")
    valid_to = bank.call("DescribeKey", KeyId=key)["KeyMetadata"]["CreationDate"].replace(microsecond=0)
    valid_to = valid_to.replace(year=valid_to.year + 1, day=1)
    expiring = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to}
    material_id = bank.import_material(key, "SYMMETRIC_DEFAULT", KEY, **expiring)

    told = receipt(bank, key, *on_paper(cmac_of(KEY)), "--key-material-id", material_id, code=3)

    assert told["key"]["valid_to"] == valid_to.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_only_reading_calls_are_made(bank):
    key = hmac_key(bank)
    paper = on_paper(f"HMAC:{hmac_of(KEY)[:10]}")

    receipt(bank, key, *paper, "--mac", hmac_of(KEY, CONFIRMATION_MESSAGE))

    assert bank.calls == ["sts:GetCallerIdentity", "kms:DescribeKey", "kms:VerifyMac"]


def test_a_name_of_a_key_in_kms_will_do(bank):
    key = bank.external_key("ECC_NIST_P256", pkcs8_der(ec_key()))
    bank.call("CreateAlias", AliasName="alias/signing", TargetKeyId=key)

    assert receipt(bank, "alias/signing", *on_paper(sha256_of(ec_key())))["key"]["arn"] == key


# --------------------------------------------------------------------------------------------------------------- refused


def refused(bank, *arguments, code=1):
    done = bank.run("verify", *arguments)
    assert (done.code, done.out) == (code, b""), done.text
    assert "Traceback" not in done.err
    return done.err


def test_a_key_that_aws_made_has_no_material_on_paper(bank):
    key = bank.transport_key("SYMMETRIC_DEFAULT")

    assert refused(bank, key, *on_paper(cmac_of(KEY))) == (
        "KEY: The key's Origin is AWS_KMS: its material was made in AWS, and not imported. Name the key with Origin EXTERNAL.\n"
    )


def test_a_check_value_of_another_kind_of_key_is_refused(bank, symmetric):
    assert refused(bank, symmetric[0], *on_paper("HMAC:D38B42096D")) == (
        "--expected-check-value: The value is not a check value of a key of spec SYMMETRIC_DEFAULT. Write CMAC: and 6 to 10 "
        "hex digits (an even number), or ECB: and 6 hex digits.\n"
    )


def test_a_version_that_the_secret_has_not_is_refused(bank, symmetric):
    bank.secret("orders/master-key", b"wrapped")
    version = ("--secret", "orders/master-key", "--version-id", SECRET_VERSION)

    assert refused(bank, symmetric[0], *on_paper(cmac_of(KEY)), *version) == (
        f"--version-id: The secret orders/master-key has no version {SECRET_VERSION}, or the version has no stage. "
        "aws secretsmanager list-secret-version-ids --include-deprecated shows all.\n"
    )


def test_a_file_that_is_there_is_refused_before_anybody_is_asked(bank, symmetric):
    bank.file("receipt.json", "an older one")

    told = refused(bank, symmetric[0], *on_paper(cmac_of(KEY)), "--out", "receipt.json")

    assert told.startswith("--out: receipt.json exists, ")
    assert bank.calls == []
    assert (bank.folder / "receipt.json").read_text() == "an older one"


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("GetCallerIdentity", "--profile: sts:GetCallerIdentity was refused with "),
        ("DescribeKey", "KEY: kms:DescribeKey was refused with "),
        ("GetPublicKey", "KEY: kms:GetPublicKey was refused with "),
    ],
)
def test_a_right_that_is_missing_is_reported(bank, operation, said):
    key = bank.external_key("ECC_NIST_P256", pkcs8_der(ec_key()))
    bank.deny(operation)

    told = refused(bank, key, *on_paper(sha256_of(ec_key())), "--out", "receipt.json")

    assert told.startswith(f"{said}AccessDeniedException: ")
    assert not (bank.folder / "receipt.json").exists()


def test_a_disabled_hmac_key_verifies_nothing_and_the_remedy_is_reported(bank):
    key = hmac_key(bank)
    bank.call("DisableKey", KeyId=key)
    paper = on_paper(f"HMAC:{hmac_of(KEY)[:10]}")

    assert refused(bank, key, *paper, "--mac", hmac_of(KEY, CONFIRMATION_MESSAGE)) == (
        f"KEY: kms:VerifyMac was refused with DisabledException: {key} is disabled. The key is disabled. "
        "Enable it, if it was not disabled for a reason.\n"
    )


def test_an_answer_of_a_proxy_is_reported_without_its_text(tmp_path, bank):
    class Proxy(OneEndpoint):
        def handle(self, _request):
            return Response(200, {}, b"<html>Sign in to the guest network")

    with KmsServer(Proxy(Sts())) as proxy:
        credentials = {**bank.custodian.environment, "AWS_ENDPOINT_URL": proxy.url}
        done = Program(tmp_path, credentials).run("verify", "alias/signing", *on_paper(sha256_of(ec_key())))

    assert (done.code, done.err) == (
        1,
        "--profile: sts:GetCallerIdentity got an answer that is not from AWS. Often a proxy answers in its place. Check the "
        "network, and AWS_ENDPOINT_URL.\n",
    )


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"AWS_ENDPOINT_URL": "no address"},
            "--region: connecting to sts failed: Invalid endpoint configuration: Invalid endpoint: no address. "
            "Check --region, and AWS_ENDPOINT_URL.\n",
        ),
        (
            {"AWS_DEFAULT_REGION": "no region"},
            "--region: connecting to sts failed: Provided region_name 'no region' doesn't match a supported "
            "format. Name a Region, such as eu-central-1: --region.\n",
        ),
    ],
    ids=["endpoint", "Region"],
)
def test_settings_that_name_no_place_are_reported(tmp_path, bank, settings, problem):
    program = Program(tmp_path, {**bank.custodian.environment, **settings})

    done = program.run("verify", "alias/signing", *on_paper(sha256_of(ec_key())))

    assert (done.code, done.err) == (1, problem)


def test_a_code_that_nobody_knows_is_reported_with_where_to_look(bank):
    key = bank.external_key("ECC_NIST_P256", pkcs8_der(ec_key()))
    bank.faults.inject("GetPublicKey", Refusal(400, "NewException", None))

    assert refused(bank, key, *on_paper(sha256_of(ec_key()))) == (
        "KEY: kms:GetPublicKey was refused with NewException. Look the code up in the API reference of that operation.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            (),
            "An HMAC key's check value is the MAC of an empty message, which KMS does not compute. Give the confirmation "
            "MAC on paper (--mac), the report of the wrapped file (--report), or the material itself (--material).",
        ),
        (("--mac", "00" * 31), "--mac has 64 hex digits for an HMAC_256 key."),
        (("--mac", "no hex"), "--mac has 64 hex digits for an HMAC_256 key."),
        (("--mac", "00" * 32, "--material", "key.bin"), "--mac and --material do the same: give only one."),
        (("--key-material-id", SAME_ID), "--key-material-id is for symmetric keys, and this is an HMAC_256 key."),
        (("--encoding", "HEX"), "--encoding and --json-key go with --material."),
        (("--secret", "orders/mac-key"), "--secret and --version-id go together: a receipt names one version."),
        (("--out", "-"), "--out is a new file; --json prints the receipt."),
    ],
    ids=["nothing", "a short MAC", "no hex", "both", "an id", "encoding", "no version", "stdout"],
)
def test_a_wrong_call_of_an_hmac_key_ends_with_2(bank, arguments, problem):
    told = refused(bank, hmac_key(bank), *on_paper("HMAC:D38B42096D"), *arguments, code=2)

    assert " ".join(told.split()).endswith(f"Error: {problem}")


def test_a_mac_is_only_for_hmac_keys(bank, symmetric):
    told = refused(bank, symmetric[0], *on_paper(cmac_of(KEY)), "--mac", "00" * 32, code=2)

    assert told.endswith("Error: --mac and --material are for HMAC keys, and this is a SYMMETRIC_DEFAULT key.\n")
