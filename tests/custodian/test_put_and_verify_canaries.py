"""put and verify never show, write or send material, also when they fail; except plaintext that is stored on purpose."""

import pytest

from lab.keys.canaries import Canaries
from lab.keys.private_keys import pkcs8_der, pkcs8_pem, rsa_key
from lab.keys.random_keys import random_keys

KEY, OTHER = random_keys(32, 2)
PRIME = rsa_key(2048).private_numbers().p.to_bytes(128, "big")
CANARIES = Canaries(key=KEY, other=OTHER, prime=PRIME, private_key=pkcs8_der(rsa_key(2048)))

HMAC, RSA = ("--key-spec", "HMAC_256"), ("--key-spec", "RSA_2048")
TO = ("--secret", "orders/key", "--stack", "orders", "--yes")
UNDER = ("--wrapping-key", "alias/transport", "--algorithm", "RSA_AES_KEY_WRAP_SHA_256")
PUTS = {
    "a key that nobody wrapped": (KEY, (*HMAC, *UNDER)),
    "a PEM that nobody wrapped": (pkcs8_pem(rsa_key(2048)), (*RSA, *UNDER)),
    "a DER that nobody wrapped": (pkcs8_der(rsa_key(2048)), (*RSA, *UNDER)),
    "hex that nobody wrapped": (KEY.hex(), (*HMAC, *UNDER)),
    "a key for a report": (KEY, ("--report", "key.bin")),
    "a key on a wrong call": (KEY, ()),
    "plaintext of another length": (KEY, ("--key-spec", "HMAC_512", "--plaintext")),
    "plaintext with another check value": (KEY, (*HMAC, "--plaintext", "--expected-check-value", "HMAC:000000")),
}
VERIFIES = {
    "the material on paper": (KEY, "HMAC:A5EF60B210"),
    "other material": (OTHER, "HMAC:A5EF60B210"),
    "hex that nobody decoded": (KEY.hex(), "HMAC:A5EF60B210"),
    "another kind": (pkcs8_pem(rsa_key(2048)), "HMAC:A5EF60B210"),
}


def files(bank_process):
    return [path.read_bytes() for path in bank_process.folder.rglob("*") if path.is_file() and path.name != "key.bin"]


@pytest.mark.parametrize("case", PUTS)
def test_no_material_comes_out_of_put_nor_goes_to_aws(bank_process, case):
    data, arguments = PUTS[case]
    bank_process.transport_key()

    done = bank_process.run("put", bank_process.file("key.bin", data), *TO, *arguments)

    assert done.code in {1, 2}, done.err
    assert CANARIES.found_in(done.out, done.err, *files(bank_process), *bank_process.sent) == {}


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["as text", "as JSON"])
def test_plaintext_goes_into_the_secret_and_nowhere_else(bank_process, as_json):
    done = bank_process.run("put", bank_process.file("key.bin", KEY), *HMAC, "--plaintext", *TO, *as_json)

    assert done.code == 0
    assert CANARIES.found_in(done.out, done.err, *files(bank_process)) == {}
    assert CANARIES.found_in(*bank_process.sent) == {"key": "in base64"}  # so the search does find a key


@pytest.mark.parametrize("case", VERIFIES)
@pytest.mark.parametrize("held", [KEY, OTHER])
def test_no_material_comes_out_of_verify_nor_goes_to_aws(bank_process, case, held):
    data, paper = VERIFIES[case]
    key = bank_process.external_key("HMAC_256", held)
    arguments = (
        "--expected-check-value",
        paper,
        "--material",
        bank_process.file("key.bin", data),
        "--out",
        "receipt.json",
    )

    done = bank_process.run("verify", key, *arguments)

    assert "Traceback" not in done.err
    assert CANARIES.found_in(done.out, done.err, *files(bank_process), *bank_process.sent) == {}
    assert (bank_process.folder / "receipt.json").exists() == (case == "the material on paper")
