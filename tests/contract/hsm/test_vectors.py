"""The forms of two clouds' tools, byte by byte as the tools wrote them: Azure's .byok file, Google's import request.

The vectors hold their transport keys. So a test imports the transport key into KMS first, as an RSA key that decrypts. Then the
function imports the material that was wrapped for it.
"""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)

from lab.keys.private_keys import E, pkcs8_der, private_exponent
from lab.kms.materials import encrypts_with

pytestmark = pytest.mark.slow

VECTORS = Path(__file__).parent / "vectors"


def vector(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def transport_key(world, numbers):
    """The ARN of a key in KMS that holds this very RSA key."""
    p, q = (int(numbers[name], 16) for name in "pq")
    d = private_exponent(p, q)
    public = RSAPublicNumbers(E, p * q)
    private = RSAPrivateNumbers(
        p, q, d, rsa_crt_dmp1(d, p), rsa_crt_dmq1(d, q), rsa_crt_iqmp(p, q), public
    ).private_key()
    secret = world.secret(pkcs8_der(private), "transport-key")
    key = world.external_key(f"RSA_{private.key_size}", "ENCRYPT_DECRYPT")
    assert world.create(key, "Transport", SecretId=secret.name)["Status"] == "SUCCESS"
    return key


def test_an_azure_byok_file_is_taken_as_it_is(world):
    """SecretJsonKey names its field; it holds base64 of the URL alphabet, without padding."""
    byok = vector("azure_byok")
    unwrap = transport_key(world, byok["transport_key"])
    secret = world.secret(byok["byok"])
    key = world.external_key("ECC_NIST_P256")

    answer = world.create(
        key,
        SecretId=secret.name,
        SecretJsonKey="ciphertext",
        SecretWrapping={"Algorithm": "RSA_AES_KEY_WRAP_SHA_1", "KeyId": unwrap},
        ExpectedCheckValue=byok["check_value"],
    )

    assert answer["Status"] == "SUCCESS", answer["Reason"]
    public_key = world.call("GetPublicKey", KeyId=key)["PublicKey"]
    assert f"SHA256:{hashlib.sha256(public_key).hexdigest().upper()}" == byok["check_value"]
    assert {"-", "_"} & set(json.loads(byok["byok"])["ciphertext"]), "the vector shows the URL's alphabet"


@pytest.mark.parametrize("form", ["the request", "the wrapped key file"])
def test_what_was_wrapped_for_a_google_import_job_is_taken_as_it_is(world, form):
    google = vector("google_import")
    unwrap = transport_key(world, google["transport_key"])
    wrapped_key_file = base64.b64decode(json.loads(google["request"])["wrappedKey"])
    value, more = {
        "the request": (google["request"], {"SecretJsonKey": "wrappedKey"}),
        "the wrapped key file": (wrapped_key_file, {}),
    }[form]
    secret = world.secret(value)
    key = world.external_key()

    answer = world.create(
        key,
        SecretId=secret.name,
        SecretWrapping={"Algorithm": "RSA_AES_KEY_WRAP_SHA_256", "KeyId": unwrap},
        ExpectedCheckValue=google["check_value"],
        **more,
    )

    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert encrypts_with(world, key, bytes.fromhex(google["material"]))
