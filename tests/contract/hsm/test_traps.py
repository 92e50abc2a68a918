"""The traps of docs/internals/material-checks.md, made with real programs: each has its own error.

The function refuses each before any import. The tests fail if a row of the page's table has no trap here, or a trap no row, or
if an error lacks a sentence of its row.
"""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pkcs11 import Mechanism

from lab.keys import softhsm
from lab.keys.at_rest import blocks, by_openssl, public_key_of, transport_key, with_pkcs7, wrapped
from lab.keys.openssl import openssl
from lab.keys.private_keys import key_for, pkcs8_pem
from lab.keys.random_keys import random_key
from tests.contract.secrets.test_wrapped_secrets_that_do_not_open import DOES_NOT_OPEN
from tests.unit.test_docs import section

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[3] / "docs" / "internals" / "material-checks.md"
SHA_1, SHA_256 = "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"
KEY = random_key(32)
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:transport-AbCdEf"
NOT_BOTH_BLOCKS = (
    "SecretId: The wrapped material is 256 bytes long, and the RSA_AES_KEY_WRAP algorithms give 256 under this RSA key, and "
    "a multiple of 8 behind them, 16 or more. Store both blocks, the RSA block first, wrapped under this key. If it "
    "was wrapped by RSA only, the algorithm is RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1; a TR-31 key block can't be "
    "unwrapped here."
)


@dataclass
class Trap:
    """Makes the secret's value from a world, a transport key and a folder; and the whole error that it gets."""

    value: Any
    sentence: str
    algorithm: str = SHA_256
    spec: str = "SYMMETRIC_DEFAULT"
    more: dict[str, Any] | None = None
    wrapping: dict[str, str] | None = None


def by_softhsm(world, unwrap, folder, *, made=softhsm.Hsm.ec_key, mechanism=Mechanism.AES_KEY_WRAP_PAD):
    with softhsm.token(folder) as hsm:
        return hsm.wrap(made(hsm), public_key_of(world, unwrap), mechanism=mechanism)


def mixed_hashes(world, unwrap, folder):
    (folder / "unwrap.der").write_bytes(world.call("GetPublicKey", KeyId=unwrap)["PublicKey"])
    options = ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha1")
    told = [word for option in options for word in ("-pkeyopt", option)]
    rsa = openssl(
        "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "unwrap.der", *told, stdin=KEY, cwd=folder
    )
    return rsa + blocks(world, unwrap, SHA_256, KEY)[1]


def two_aes_keys(world, unwrap, _folder):
    return blocks(world, unwrap, SHA_256, KEY)[0] + blocks(world, unwrap, SHA_256, KEY)[1]


def byok(world, unwrap, folder):
    ciphertext = base64.urlsafe_b64encode(by_softhsm(world, unwrap, folder).joined).decode().rstrip("=")
    header = {"kid": "https://unused.vault.azure.net/keys/transport/1", "alg": "dir", "enc": "CKM_RSA_AES_KEY_WRAP"}
    return json.dumps({"schema_version": "1.0.0", "header": header, "ciphertext": ciphertext, "generator": "a test"})


def tr_31(*_):
    """An AES key block of version D: header, encrypted key, MAC."""
    return "D0144K0AE00E0000" + os.urandom(48).hex().upper() + os.urandom(16).hex().upper()


TRAPS = {
    "OAEP with SHA-256 over MGF1 with SHA-1": Trap(mixed_hashes, DOES_NOT_OPEN[SHA_256]),
    "SHA-1 declared as SHA_256": Trap(
        lambda *given: by_softhsm(*given).joined, DOES_NOT_OPEN[SHA_256], spec="ECC_NIST_P256"
    ),
    "The AES block first": Trap(
        lambda world, unwrap, _: b"".join(reversed(blocks(world, unwrap, SHA_256, KEY))), DOES_NOT_OPEN[SHA_256]
    ),
    "Wrapped for another RSA key": Trap(
        lambda world, _, folder: by_openssl(world, transport_key(world, SHA_256), SHA_256, KEY, folder),
        DOES_NOT_OPEN[SHA_256],
    ),
    "kms:Encrypt without the encryption context": Trap(
        lambda world, unwrap, _: world.call("Encrypt", KeyId=unwrap, Plaintext=KEY)["CiphertextBlob"],
        DOES_NOT_OPEN["SYMMETRIC_DEFAULT"],
        algorithm="SYMMETRIC_DEFAULT",
    ),
    "Only one block": Trap(
        lambda *given: by_softhsm(*given).rsa_block, NOT_BOTH_BLOCKS, algorithm=SHA_1, spec="ECC_NIST_P256"
    ),
    "Two AES keys": Trap(
        two_aes_keys,
        "SecretId: The material does not open under the AES key in the RSA block: it was not wrapped by RFC 5649, or "
        "was changed. Wrap it with CKM_RSA_AES_KEY_WRAP or CKM_AES_KEY_WRAP_KWP (OpenSSL: -id-aes256-wrap-pad), "
        "under the AES key that is in the RSA block, and store the RSA block first.",
    ),
    "CKM_AES_KEY_WRAP_PAD that means PKCS#7": Trap(
        lambda world, unwrap, _: with_pkcs7(world, unwrap, KEY),
        "SecretId: The material is wrapped by RFC 3394 with PKCS#7 padding, and not by RFC 5649. Some HSMs mean that by "
        "CKM_AES_KEY_WRAP_PAD: wrap it with CKM_AES_KEY_WRAP_KWP, or with CKM_RSA_AES_KEY_WRAP as a whole.",
    ),
    "CKM_AES_KEY_WRAP": Trap(
        lambda *given: by_softhsm(*given, mechanism=Mechanism.AES_KEY_WRAP).joined,
        "SecretId: The material is wrapped by RFC 3394 without padding, and not by RFC 5649. CKM_AES_KEY_WRAP does that: "
        "wrap it with CKM_AES_KEY_WRAP_KWP, or with CKM_RSA_AES_KEY_WRAP as a whole.",
        algorithm=SHA_1,
        spec="ECC_NIST_P256",
    ),
    "An HMAC key that was filled with zeros": Trap(
        lambda *given: by_softhsm(*given, made=lambda hsm: hsm.generic_secret(28)).joined,
        "SecretId: The material is 32 bytes long, and an HMAC_224 key takes 28; a length up to 128 bytes is taken with a "
        "matching ExpectedCheckValue. It ends in zeros: some HSMs pad a key to a multiple of 8 bytes before they wrap it. "
        "Declare the ExpectedCheckValue that the HSM shows: an HMAC key makes the same MACs with these zeros.",
        algorithm=SHA_1,
        spec="HMAC_224",
    ),
    "Base64 in a SecretBinary": Trap(
        lambda world, unwrap, _: base64.encodebytes(wrapped(world, unwrap, SHA_256, KEY)),
        "SecretId: The SecretBinary reads as text, and wrapped material does not: it was encoded, and not decoded again. Set "
        "MaterialEncoding to BASE64 or HEX, or store the decoded bytes.",
    ),
    "A .byok file without SecretJsonKey": Trap(
        byok,
        "SecretJsonKey: It is missing: the secret holds a JSON object, and nothing says which of its fields is the wrapped "
        "material. Name the field (in Azure's .byok files: ciphertext).",
        algorithm=SHA_1,
        spec="ECC_NIST_P256",
    ),
    "A .byok file as SecretBinary": Trap(
        lambda *given: byok(*given).encode(),
        "SecretJsonKey: The secret is a SecretBinary, and only a SecretString has JSON fields. "
        "Store the JSON as a SecretString (--secret-string file://...), or take SecretJsonKey out.",
        algorithm=SHA_1,
        spec="ECC_NIST_P256",
        more={"SecretJsonKey": "ciphertext"},
    ),
    "A TR-31 key block": Trap(
        tr_31,
        "SecretId: The secret holds a TR-31 key block, and KMS can't unwrap those. Have the HSM wrap the key with "
        "CKM_RSA_AES_KEY_WRAP, under the public key of an RSA key in KMS.",
    ),
    "An encrypted PEM": Trap(
        lambda *_: pkcs8_pem(key_for("ECC_NIST_P256"), b"a password"),
        "SecretId: The secret holds an encrypted PEM, whose password would be one more secret beside it. Decrypt it (openssl "
        "pkey -in encrypted.pem -out key.pem), and wrap it under the key of SecretWrapping.KeyId.",
        spec="ECC_NIST_P256",
    ),
    "A PEM that nobody wrapped": Trap(
        lambda *_: pkcs8_pem(key_for("ECC_NIST_P256")).encode(),
        "SecretId: The secret holds a PEM that is not wrapped, and SecretWrapping says that it is. Wrap the key "
        "under the key of SecretWrapping.KeyId, or leave SecretWrapping out.",
        spec="ECC_NIST_P256",
    ),
    "A transport key in another secret": Trap(
        lambda *_: KEY,  # only the first fault is compared: without SecretWrapping these bytes are a key
        "SecretWrapping.KeyId: The value does not fit the property's rule. It must be the id, the ARN or the alias of a KMS "
        "key.",
        wrapping={"Algorithm": SHA_256, "KeyId": SECRET_ARN},
    ),
}


def rows():
    """Trap -> its error, in the page's words."""
    cells = [line.strip("| ").split(" | ") for line in section(PAGE, "### Traps").splitlines() if line.startswith("| ")]
    return {row[0]: row[1] for row in cells[2:]}


def test_the_page_has_a_row_for_every_trap_and_no_other():
    assert sorted(rows()) == sorted(TRAPS)


@pytest.mark.parametrize("name", TRAPS)
def test_the_trap_is_refused_in_its_own_words(world, refused, tmp_path, name):
    trap = TRAPS[name]
    unwrap = transport_key(world, trap.algorithm)
    secret = world.secret(trap.value(world, unwrap, tmp_path))
    wrapping = trap.wrapping or {"Algorithm": trap.algorithm, "KeyId": unwrap}

    reason = refused(world.external_key(trap.spec), SecretId=secret.name, SecretWrapping=wrapping, **(trap.more or {}))

    assert reason == trap.sentence
    assert rows()[name] in reason
    assert world.aws.count("GetParametersForImport") == 0


@pytest.mark.parametrize("kept", [str, str.encode], ids=["SecretString", "SecretBinary"])
@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_512", "RSA_2048"])
def test_a_tr_31_key_block_without_secret_wrapping_is_named_too(world, refused, kept, spec):
    secret = world.secret(kept(tr_31()))

    assert refused(world.external_key(spec), SecretId=secret.name) == TRAPS["A TR-31 key block"].sentence


def test_a_tr_31_key_block_that_was_wrapped_is_named_too(world, refused):
    unwrap = transport_key(world, SHA_256)
    secret = world.secret(wrapped(world, unwrap, SHA_256, tr_31().encode()))

    reason = refused(world.external_key(), SecretId=secret.name, SecretWrapping={"Algorithm": SHA_256, "KeyId": unwrap})

    assert reason == TRAPS["A TR-31 key block"].sentence


def test_json_without_secret_wrapping_gets_the_advice_to_name_its_field(world, refused):
    secret = world.secret(json.dumps({"key": base64.b64encode(KEY).decode()}))

    assert refused(world.external_key(), SecretId=secret.name) == (
        "SecretJsonKey: It is missing: the secret holds a JSON object, and nothing says which of its fields is the material. "
        "Name the field (in Azure's .byok files: ciphertext)."
    )


def test_a_pem_is_named_though_its_letters_read_as_base64(world, refused):
    """Dashes belong to base64's URL alphabet: a decoder would accept the BEGIN line."""
    unwrap = transport_key(world, SHA_256)
    secret = world.secret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")

    reason = refused(
        world.external_key("ECC_NIST_P256"),
        SecretId=secret.name,
        SecretWrapping={"Algorithm": SHA_256, "KeyId": unwrap},
        MaterialEncoding="BASE64",
    )

    assert reason == TRAPS["A PEM that nobody wrapped"].sentence
