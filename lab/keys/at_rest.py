"""Wraps material for a secret, as a custodian does: with KMS's Encrypt, the library, or the `openssl` program.

It shares no code with the function, which unwraps what it made.
"""

import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.keywrap import aes_key_wrap, aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lab.keys.by_hand import oaep
from lab.keys.openssl import openssl
from lab.world import ACCOUNT, TAG, World


def transport_key(world: World, algorithm: str, **changes: Any) -> str:
    """The ARN of a transport key that the stack may use."""
    spec = "SYMMETRIC_DEFAULT" if algorithm == "SYMMETRIC_DEFAULT" else "RSA_2048"
    return world.key(**{"KeySpec": spec, "KeyUsage": "ENCRYPT_DECRYPT"} | changes)


def encrypted(
    world: World, key: str, material: bytes, *, name: str = "orders/master-key", account: str = ACCOUNT
) -> bytes:
    """kms:Encrypt with the encryption context that binds it to one secret."""
    context = {TAG: f"{account}/{name}"}
    answer = world.call("Encrypt", KeyId=key, Plaintext=material, EncryptionContext=context)
    return bytes(answer["CiphertextBlob"])


def public_key_of(world: World, key: str) -> RSAPublicKey:
    loaded = load_der_public_key(world.call("GetPublicKey", KeyId=key)["PublicKey"])
    if not isinstance(loaded, RSAPublicKey):
        raise TypeError("A transport key that is not symmetric is an RSA key.")
    return loaded


def wrapped(world: World, key: str, algorithm: str, material: bytes, *, aes_key_bytes: int = 32) -> bytes:
    """Wraps by any of the five algorithms."""
    if algorithm == "SYMMETRIC_DEFAULT":
        return encrypted(world, key, material)
    if algorithm.startswith("RSAES_OAEP"):
        return public_key_of(world, key).encrypt(material, oaep(algorithm))
    return b"".join(blocks(world, key, algorithm, material, aes_key_bytes=aes_key_bytes))


def blocks(world: World, key: str, algorithm: str, material: bytes, *, aes_key_bytes: int = 32) -> tuple[bytes, bytes]:
    """CKM_RSA_AES_KEY_WRAP: the RSA block and the AES block."""
    aes_key = os.urandom(aes_key_bytes)
    return public_key_of(world, key).encrypt(aes_key, oaep(algorithm)), aes_key_wrap_with_padding(aes_key, material)


# ---------------------------------------------------------------------------------------------------------------- traps


def with_mgf1_sha_1(world: World, key: str, material: bytes) -> bytes:
    """Java's OAEPWithSHA-256AndMGF1Padding: SHA-256 for the label, SHA-1 for the mask."""
    mgf1 = padding.MGF1(hashes.SHA1())  # noqa: S303  # this is the trap
    return public_key_of(world, key).encrypt(material, padding.OAEP(mgf1, hashes.SHA256(), None))


def with_pkcs7(world: World, key: str, material: bytes) -> bytes:
    """What some HSMs mean by CKM_AES_KEY_WRAP_PAD: PKCS#7 padding, then RFC 3394."""
    aes_key = os.urandom(32)
    fill = 8 - len(material) % 8
    block = aes_key_wrap(aes_key, material + bytes([fill]) * fill)
    return public_key_of(world, key).encrypt(aes_key, oaep("RSA_AES_KEY_WRAP_SHA_256")) + block


# -------------------------------------------------------------------------------------------------------------- openssl

_WRAP_PAD_IV = "A65959A6"  # RFC 5649, section 3; `openssl enc` requires it


def by_openssl(world: World, key: str, algorithm: str, material: bytes, folder: Path, *, aes_bits: int = 256) -> bytes:
    """RSAES_OAEP_* and RSA_AES_KEY_WRAP_*, by the commands that a custodian types."""
    (folder / "unwrap.der").write_bytes(world.call("GetPublicKey", KeyId=key)["PublicKey"])
    digest = "sha256" if algorithm.endswith("SHA_256") else "sha1"

    def rsa(plaintext: bytes) -> bytes:
        options = ("rsa_padding_mode:oaep", f"rsa_oaep_md:{digest}", f"rsa_mgf1_md:{digest}")
        arguments = [word for option in options for word in ("-pkeyopt", option)]
        key_file = ("-pubin", "-keyform", "DER", "-inkey", str(folder / "unwrap.der"))
        return openssl("pkeyutl", "-encrypt", *key_file, *arguments, stdin=plaintext)

    if algorithm.startswith("RSAES_OAEP"):
        return rsa(material)
    aes_key = os.urandom(aes_bits // 8)
    wrap = ("enc", f"-id-aes{aes_bits}-wrap-pad", "-iv", _WRAP_PAD_IV, "-K", aes_key.hex())
    return rsa(aes_key) + openssl(*wrap, stdin=material)
