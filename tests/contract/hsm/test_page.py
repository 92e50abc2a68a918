"""docs/secrets.md is right: the tests run its OpenSSL commands, and import the results as the page declares them."""

import json
import re
from pathlib import Path

import cfnlint.decode.cfn_yaml
import pytest

from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from lab.keys.openssl import openssl
from lab.keys.private_keys import key_for, pkcs8_pem, spki_der
from lab.keys.random_keys import random_key
from lab.kms.materials import encrypts_with
from tests.contract.hsm.test_vectors import transport_key, vector
from tests.unit.test_docs import run, section

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[3] / "docs" / "secrets.md"
KEY = random_key(32)


def blocks(heading, language):
    return re.findall(rf"^```{language}\n(.*?)^```", section(PAGE, heading), re.MULTILINE | re.DOTALL)


def declared(heading, transport):
    """The properties that a section declares, with the transport key's ARN in place of its alias."""
    (example,) = blocks(heading, "yaml")
    properties = json.loads(json.dumps(cfnlint.decode.cfn_yaml.loads(example)))
    assert properties["SecretWrapping"]["KeyId"] == "alias/transport-rsa"
    properties["SecretWrapping"]["KeyId"] = transport
    return properties


@pytest.fixture
def transport(world):
    return world.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")


@pytest.fixture
def folder(world, transport, tmp_path):
    """A custodian's folder, with the transport key's public key and the key for KMS."""
    (tmp_path / "transport.der").write_bytes(world.call("GetPublicKey", KeyId=transport)["PublicKey"])
    (tmp_path / "material.bin").write_bytes(KEY)
    return tmp_path


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
def test_a_private_key_that_is_wrapped_as_the_page_says_arrives(world, transport, folder, spec):
    (folder / "signing.pem").write_text(pkcs8_pem(key_for(spec)))
    (script,) = blocks("### A private key", "console")

    run(script, folder)

    secret = world.secret((folder / "wrapped.bin").read_bytes())
    key = world.external_key(spec)
    answer = world.create(key, SecretId=secret.name, **declared("### A private key", transport))
    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert world.call("GetPublicKey", KeyId=key)["PublicKey"] == spki_der(key_for(spec))
    assert not (folder / "aes.bin").exists()
    assert not (folder / "signing.der").exists()


def arrives(world, folder, script, properties):
    run(script, folder)

    secret = world.secret((folder / "wrapped.bin").read_bytes())
    key = world.external_key()
    answer = world.create(key, SecretId=secret.name, **properties)
    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert encrypts_with(world, key, KEY)
    assert not (folder / "aes.bin").exists()


def test_a_symmetric_key_that_is_wrapped_as_the_page_says_arrives(world, transport, folder):
    heading = "### A symmetric or HMAC key"
    (script,) = blocks(heading, "console")

    arrives(world, folder, script, declared(heading, transport))


@pytest.mark.parametrize(("size", "algorithm"), [(16, "-id-aes128-wrap-pad"), (24, "-id-aes192-wrap-pad")])
def test_what_is_wrapped_with_sha_1_and_a_shorter_aes_key_as_the_page_says_arrives(
    world, transport, folder, size, algorithm
):
    """The page changes the script for a private key. Here it wraps a symmetric key, so nothing makes signing.der of it."""
    (script,) = blocks("### A private key", "console")
    script = script.replace("$ openssl pkcs8 -topk8 -nocrypt -in signing.pem -outform DER -out signing.der\n", "")
    (folder / "signing.der").write_bytes(KEY)
    for old, new in (("sha256", "sha1"), ("rand 32", f"rand {size}"), ("-id-aes256-wrap-pad", algorithm)):
        assert old in script
        script = script.replace(old, new)
    told = " ".join(section(PAGE, "### With SHA-1 and a shorter AES key").split())
    assert all(word in told for word in (algorithm, str(size), "`sha1` in place of `sha256`", "RSA_AES_KEY_WRAP_SHA_1"))

    wrapping = {"Algorithm": "RSA_AES_KEY_WRAP_SHA_1", "KeyId": transport}
    arrives(world, folder, script, {"SecretWrapping": wrapping})


def test_the_public_key_in_pem_is_the_same_key(folder):
    (script,) = [block for block in blocks("## Under an RSA transport key", "console") if "openssl pkey " in block]

    run(script, folder)

    again = openssl("pkey", "-pubin", "-in", "transport.pem", "-outform", "DER", cwd=folder)
    assert again == (folder / "transport.der").read_bytes()


def test_the_check_values_that_openssl_prints_are_those_that_are_compared(folder):
    script, _ = blocks("## Check values", "console")

    cmac, hmac = run(script, folder).split()

    for shown, spec in ((f"CMAC:{cmac[:10]}", "SYMMETRIC_DEFAULT"), (f"HMAC:{hmac[:10]}", "HMAC_256")):
        assert check_value.check_expected_form(shown, key_spec(spec)).matches(KEY)


@pytest.mark.parametrize(
    ("heading", "name", "field", "spec"),
    [
        ("## Azure's BYOK tools", "azure_byok", "byok", "ECC_NIST_P256"),
        ("## Google's import format", "google_import", "request", "SYMMETRIC_DEFAULT"),
    ],
)
def test_what_the_page_declares_for_a_cloud_s_tool_is_right(world, heading, name, field, spec):
    produced = vector(name)
    properties = declared(heading, transport_key(world, produced["transport_key"]))
    named = {"SecretJsonKey": "wrappedKey"} if field == "request" else {}
    secret = world.secret(produced[field])

    answer = world.create(world.external_key(spec), SecretId=secret.name, **named, **properties)

    assert answer["Status"] == "SUCCESS", answer["Reason"]
