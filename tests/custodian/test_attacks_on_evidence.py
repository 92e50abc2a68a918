"""Attacks on the evidence of custodians and auditors: false paper, and reports and receipts that somebody changed.

The tool can't know who wrote what it reads. The tests show how far a lie gets, and what the output says about it.
docs/threat-model.md cites each of these tests.
"""

import hashlib
import hmac
import json

import pytest

from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from imported_key_material.material.proof import CONFIRMATION_MESSAGE
from lab.keys.by_hand import oaep
from lab.keys.private_keys import pkcs8_der, rsa_key, spki_der
from lab.keys.random_keys import random_keys
from lab.kms.call import Timing

IMPORTED, ON_PAPER = random_keys(32, 2)
HMAC = ("--key-spec", "HMAC_256")


def paper_of(spec, material):
    return check_value.compute(key_spec(spec, partition="aws"), material)


def receipt(bank, *arguments, code=0):
    done = bank.run("verify", *arguments, "--json")
    assert (done.code, done.err) == (code, "")
    return json.loads(done.out)


# --------------------------------------------------------------------------------------------------------- paper that lies


def test_of_a_symmetric_key_nothing_is_proved_by_an_id_that_stands_beside_another_key_s_check_value(bank):
    """The id is KMS's and the check value another key's. Neither the verdict nor the exit code says PROVED."""
    key = bank.external_key("SYMMETRIC_DEFAULT")
    material_id = bank.import_material(key, "SYMMETRIC_DEFAULT", IMPORTED)
    lie = paper_of("SYMMETRIC_DEFAULT", ON_PAPER)

    told = receipt(bank, key, "--expected-check-value", lie, "--key-material-id", material_id, code=3)

    assert (told["proved"], told["verdict"], told["shown_by"]) == (False, "SAME ID", "KEY_MATERIAL_ID")
    assert told["check_value"] == {"expected": lie, "compared": False, "shown_by_kms": None}
    assert told["does_not_show"].startswith("Whether those bytes have the check value on paper.")


def test_after_a_rotation_by_somebody_else_verify_proves_nothing_of_the_check_value_on_paper(bank):
    """Somebody with rights to import and rotate has put in other bytes; the stack then shows their id."""
    key = bank.external_key("SYMMETRIC_DEFAULT")
    bank.import_material(key, "SYMMETRIC_DEFAULT", ON_PAPER)
    his_own = bank.import_material(key, "SYMMETRIC_DEFAULT", IMPORTED, ImportType="NEW_KEY_MATERIAL")
    bank.kms._backstage.timing = Timing(rotation_seconds=(0.0, 0.0))
    bank.call("RotateKeyOnDemand", KeyId=key)
    paper = paper_of("SYMMETRIC_DEFAULT", ON_PAPER)

    told = receipt(bank, key, "--expected-check-value", paper, "--key-material-id", his_own, code=3)

    assert told["key"]["current_key_material_id"] == his_own
    assert (told["proved"], told["verdict"]) == (False, "SAME ID")
    assert "PROVED" not in bank.run("verify", key, "--expected-check-value", paper, "--key-material-id", his_own).text


def test_a_confirmation_mac_that_kms_itself_made_proves_nothing_of_the_check_value_beside_it(bank):
    """Anyone who may kms:GenerateMac with the key can write a MAC that KMS verifies, whatever the key holds."""
    key = bank.external_key("HMAC_256", IMPORTED)
    mac = bank.call("GenerateMac", KeyId=key, Message=CONFIRMATION_MESSAGE, MacAlgorithm="HMAC_SHA_256")["Mac"]
    lie = paper_of("HMAC_256", ON_PAPER)

    told = receipt(bank, key, "--expected-check-value", lie, "--mac", mac.hex())

    assert told["verdict"] == "PROVED"
    assert told["check_value"] == {"expected": lie, "compared": False, "shown_by_kms": None}
    assert told["does_not_show"].endswith("Only the paper says that the MAC and the check value belong to one key.")


def test_the_material_itself_finds_the_lie(bank):
    key = bank.external_key("HMAC_256", IMPORTED)
    lie = paper_of("HMAC_256", ON_PAPER)

    done = bank.run("verify", key, "--expected-check-value", lie, "--material", bank.file("key.bin", IMPORTED))

    assert (done.code, done.out) == (1, b"")
    assert done.err.startswith("--expected-check-value: The material has another check value than the one declared.")


# ------------------------------------------------------------------------------------------------- where the answers are from


def test_a_receipt_that_was_made_elsewhere_than_at_aws_begins_with_that(bank):
    """AWS_ENDPOINT_URL and similar settings decide whom the tool asks. The tests' KMS can prove anything."""
    key = bank.external_key("HMAC_256", IMPORTED)
    call = ("verify", key, "--expected-check-value", paper_of("HMAC_256", IMPORTED), "--material", "key.bin")
    bank.file("key.bin", IMPORTED)
    address = bank.custodian.environment["AWS_ENDPOINT_URL"]

    as_text, as_json = bank.run(*call), bank.run(*call, "--json")

    assert as_text.text.splitlines()[:3] == [
        f"NOT AWS:        sts was asked at {address}",
        f"                kms was asked at {address}",
        "Verdict:        PROVED (by MAC)",
    ]
    told = json.loads(as_json.out)
    assert told["not_aws"] == {"sts": address, "kms": address}
    assert list(told).index("not_aws") < list(told).index("proved")
    assert told["region"] == "eu-central-1"


# ------------------------------------------------------------------------------------------------------ on the way to put


@pytest.fixture
def on_its_way(bank):
    """The wrapped file of ON_PAPER and its report, before somebody changes both."""
    bank.transport_key()
    bank.file("key.bin", ON_PAPER)
    done = bank.run("wrap", "key.bin", *HMAC, "--wrapping-key", "alias/transport", "--out", "wrapped.bin", "--json")
    assert done.code == 0, done.err
    bank.file("wrapped.json", done.out)
    return json.loads(done.out)


def put(bank, *more):
    to = ("--report", "wrapped.json", "--secret", "orders/mac-key", "--stack", "orders", "--yes", "--json")
    return bank.run("put", "wrapped.bin", *to, *more)


def exchange_both(bank):
    """Somebody on the way wraps their own key, and adds its report."""
    bank.file("other.bin", IMPORTED)
    done = bank.run("wrap", "other.bin", *HMAC, "--wrapping-key", "alias/transport", "--out", "other", "--json")
    assert done.code == 0, done.err
    (bank.folder / "other").rename(bank.folder / "wrapped.bin")
    bank.file("wrapped.json", done.out)


@pytest.mark.usefixtures("on_its_way")
def test_a_report_that_was_exchanged_together_with_its_file_is_believed(bank):
    """The report is not signed. So the template will demand the other key's check value."""
    exchange_both(bank)

    told = json.loads(put(bank).out)

    assert told["properties"]["ExpectedCheckValue"] == paper_of("HMAC_256", IMPORTED)


@pytest.mark.usefixtures("on_its_way")
def test_the_check_value_on_paper_finds_the_exchange_before_anything_is_stored(bank):
    exchange_both(bank)
    paper = paper_of("HMAC_256", ON_PAPER)

    done = put(bank, "--expected-check-value", paper)

    assert (done.code, done.out) == (1, b"")
    assert done.err == (
        f"--expected-check-value: It says {paper}, and the report {paper_of('HMAC_256', IMPORTED)}. Leave it out, or find out "
        "which is right.\n"
    )
    assert bank.secrets.written == []


@pytest.mark.usefixtures("on_its_way")
def test_a_report_that_was_exchanged_is_believed_by_verify_too_and_the_receipt_says_that_it_is_not_signed(bank):
    """The attacker's key is in KMS, and the attacker's report is in the folder. The receipt has the report's SHA-256."""
    exchange_both(bank)
    key = bank.external_key("HMAC_256", IMPORTED)

    told = receipt(bank, key, "--report", "wrapped.json")

    assert told["verdict"] == "PROVED"
    assert told["check_value"]["expected"] == paper_of("HMAC_256", IMPORTED)
    assert told["does_not_show"].endswith(
        "Nor who wrote the report: it is not signed. Compare what it gave with the paper."
    )
    (report,) = told["reports"]
    assert report["sha256"] == hashlib.sha256((bank.folder / "wrapped.json").read_bytes()).hexdigest()


@pytest.mark.usefixtures("on_its_way")
def test_a_mac_in_a_report_with_the_check_value_on_paper_is_not_called_paper(bank):
    """The attacker keeps the check value that everybody knows, and changes the MAC. Typing the check value is not enough."""
    told = json.loads((bank.folder / "wrapped.json").read_text())
    mac = hmac.digest(IMPORTED, CONFIRMATION_MESSAGE, "sha256").hex().upper()
    bank.file("wrapped.json", json.dumps(told | {"confirmation_mac": mac}))
    key = bank.external_key("HMAC_256", IMPORTED)
    paper = ("--report", "wrapped.json", "--expected-check-value", paper_of("HMAC_256", ON_PAPER))

    lied_to = receipt(bank, key, *paper)
    with_mac = receipt(bank, key, *paper, "--mac", mac)

    assert (lied_to["verdict"], lied_to["found"]) == ("PROVED", "KMS verifies the MAC in the report.")
    assert "Only the report says that the MAC and the check value belong to one key." in lied_to["does_not_show"]
    assert lied_to["reports"][0]["gave"] == ["the confirmation MAC"]
    assert with_mac["found"] == "KMS verifies the MAC on paper."
    own = hmac.digest(ON_PAPER, CONFIRMATION_MESSAGE, "sha256").hex()
    refused = bank.run("verify", key, *paper, "--mac", own)
    assert (refused.code, refused.out) == (1, b"")
    assert refused.err.startswith("--mac: It is not the confirmation MAC in wrapped.json. ")


@pytest.mark.usefixtures("on_its_way")
def test_the_check_value_on_paper_finds_a_report_that_was_exchanged_before_kms_is_asked(bank):
    exchange_both(bank)
    key = bank.external_key("HMAC_256", IMPORTED)
    bank.calls.clear()

    done = bank.run("verify", key, "--report", "wrapped.json", "--expected-check-value", paper_of("HMAC_256", ON_PAPER))

    assert (done.code, done.out, bank.calls) == (1, b"", [])
    assert done.err.startswith("--expected-check-value: It is not the check value in wrapped.json, which is HMAC:")


@pytest.mark.usefixtures("on_its_way")
def test_the_piece_of_template_names_no_secret_that_was_made_again_under_the_name_with_the_same_version_id(bank):
    """Somebody who may delete and create secrets chooses the name and the version id, but not the end of the ARN."""
    as_json = json.loads(put(bank).out)
    as_text = bank.run("put", "wrapped.bin", "--report", "wrapped.json", "--secret", "orders/mac-key", "--yes").text
    (before,) = bank.secrets._secrets.values()
    bank.secrets.remove(before)

    again = bank.secret(before.name, b"his own", version_id=as_json["version_id"])

    assert (again.name, as_json["properties"]["SecretId"]) == (before.name, before.arn)
    assert f"SecretId: {before.arn}\n" in as_text
    assert again.arn not in as_text


@pytest.mark.usefixtures("on_its_way")
def test_of_a_key_that_was_imported_before_it_unwraps_the_plan_says_that_somebody_has_its_private_key(bank):
    under = bank.external_key("RSA_2048", pkcs8_der(rsa_key(2048)), usage="ENCRYPT_DECRYPT")
    bank.file("wrapped.bin", rsa_key(2048).public_key().encrypt(ON_PAPER, oaep("RSAES_OAEP_SHA_256")))
    to = (
        "--algorithm",
        "RSAES_OAEP_SHA_256",
        "--wrapping-key",
        under,
        "--secret",
        "orders/mac-key",
        "--stack",
        "orders",
    )

    done = bank.run("put", "wrapped.bin", *HMAC, *to, "--plan")

    assert (
        "  Warning: The wrapping key's Origin is EXTERNAL: its material was imported, and anyone who has a copy can open what "
        "is wrapped under the key, without KMS and its policy. Use a key that KMS made (Origin AWS_KMS).\n"
    ) in done.text


# ------------------------------------------------------------------------------------------------------------- the public key


def test_material_that_was_wrapped_under_an_attacker_s_key_is_his_and_paper_prevents_it(bank):
    """A public key does not show its owner. On its way an attacker replaces it by their own public key."""
    meant = bank.call("GetPublicKey", KeyId=bank.transport_key())["PublicKey"]
    private = rsa_key(2048)
    bank.file("key.bin", ON_PAPER)
    bank.file("transport.der", spki_der(private))
    under = ("--wrapping-key", "transport.der", "--algorithm", "RSAES_OAEP_SHA_256", "--out", "wrapped.bin")

    paper = f"SHA256:{hashlib.sha256(meant).hexdigest()}"

    with_paper = bank.run("wrap", "key.bin", *HMAC, *under, "--wrapping-key-check-value", paper)
    assert (with_paper.code, (bank.folder / "wrapped.bin").exists()) == (1, False)
    assert with_paper.err.startswith("--wrapping-key-check-value: ")

    assert bank.run("wrap", "key.bin", *HMAC, *under).code == 0
    assert private.decrypt((bank.folder / "wrapped.bin").read_bytes(), oaep("RSAES_OAEP_SHA_256")) == ON_PAPER
