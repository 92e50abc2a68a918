"""`key-custodian generate`: all key specs, directly in the wrapped form, decrypted as KMS does it."""

import json
import stat

import pytest

from imported_key_material.material import material_check
from imported_key_material.material.key_specs import KEY_SPECS
from lab.keys.by_hand import unwrap
from lab.keys.openssl import openssl
from lab.keys.private_keys import rsa_key

TO_FILE = ("--wrapping-key", "transport.pem", "--out", "wrapped.bin")


def opened(folder, algorithm):
    return unwrap(algorithm, rsa_key(2048), (folder / "wrapped.bin").read_bytes())


@pytest.mark.parametrize("spec", KEY_SPECS)
@pytest.mark.usefixtures("transport")
def test_new_material_of_every_key_spec_is_what_the_function_takes(custodian, tmp_path, spec):
    done = custodian.run("generate", "--key-spec", spec, *TO_FILE, "--json")

    assert done.code == 0, done.err
    said = json.loads(done.out)
    found = material_check.check(opened(tmp_path, said["algorithm"]), KEY_SPECS[spec])
    assert said["check_values"][0] == found.check_value
    assert said["material_bytes"] == len(found.encoded)
    expected = {
        "SecretWrapping": {"Algorithm": said["algorithm"], "KeyId": None},
        "ExpectedCheckValue": found.check_value,
    }
    assert said["properties"] == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["transport.pem", "wrapped.bin"]


@pytest.mark.usefixtures("transport")
def test_no_two_keys_are_alike(custodian, tmp_path):
    keys = set()
    for _ in range(2):
        assert custodian.run("generate", "--key-spec", "SYMMETRIC_DEFAULT", *TO_FILE).code == 0
        keys.add(opened(tmp_path, "RSAES_OAEP_SHA_256"))
        (tmp_path / "wrapped.bin").unlink()

    assert len(keys) == 2


def test_without_a_wrapping_key_nothing_is_made(custodian, tmp_path):
    done = custodian.run("generate", "--key-spec", "HMAC_256")

    assert (done.code, done.out) == (2, b"")
    assert (
        "Error: Missing --wrapping-key and --out: material is written wrapped, under a key, to a new file.\n"
        in done.err
    )
    assert list(tmp_path.iterdir()) == []


def test_a_plaintext_file_is_written_only_for_its_owner_and_is_called_what_it_is(custodian, tmp_path):
    done = custodian.run("generate", "--key-spec", "SYMMETRIC_DEFAULT", "--plaintext-out", "key.bin")

    key = (tmp_path / "key.bin").read_bytes()
    assert (done.code, len(key)) == (0, 32)
    assert done.err == "key.bin holds the material in PLAINTEXT.\n"
    assert stat.S_IMODE((tmp_path / "key.bin").stat().st_mode) == 0o600
    cmac = openssl("mac", "-cipher", "AES-256-CBC", "-macopt", f"hexkey:{key.hex()}", "CMAC", stdin=bytes(16))
    assert f"CMAC:{cmac.decode().strip()[:10]}" in done.text


def test_a_private_key_in_plaintext_is_pem_that_openssl_reads(custodian):
    done = custodian.run("generate", "--key-spec", "ECC_NIST_P384", "--plaintext-out", "key.pem", "--json")

    public_key = openssl("pkey", "-in", "key.pem", "-pubout", cwd=custodian.folder).decode()
    assert json.loads(done.out)["public_key"] == public_key


def test_plaintext_goes_into_a_pipe_and_its_report_to_stderr(custodian):
    done = custodian.run("generate", "--key-spec", "HMAC_512", "--plaintext-out", "-")

    assert (done.code, len(done.out)) == (0, 64)
    assert done.err.startswith("Standard output holds the material in PLAINTEXT.\nKey spec:          HMAC_512\n")


def test_plaintext_is_not_shown_on_a_terminal(custodian):
    with custodian.at_terminal("generate", "--key-spec", "HMAC_256", "--plaintext-out", "-") as terminal:
        assert terminal.ends() == 1

    assert terminal.transcript == (
        "--plaintext-out: These are bytes, and standard output is a terminal. "
        "Name a file, or send standard output into one or into a pipe.\n"
    )


@pytest.mark.usefixtures("transport")
def test_plaintext_and_wrapping_are_not_mixed(custodian, tmp_path):
    done = custodian.run("generate", "--key-spec", "HMAC_256", "--plaintext-out", "key.bin", *TO_FILE)

    assert done.code == 2
    assert "Error: --plaintext-out does not go with --wrapping-key: nothing is wrapped.\n" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["transport.pem"]
