"""Imports by hand, as a person with a key file and the SDK does: to set up keys, and to test the KMS itself.

It shares no code with the function under test: it wraps only with the library.
"""

import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding, aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

DEFAULT_ALGORITHM = "RSAES_OAEP_SHA_256"
FOR_EVER = "KEY_MATERIAL_DOES_NOT_EXPIRE"


def oaep(algorithm: str) -> padding.OAEP:
    hash_: hashes.HashAlgorithm = hashes.SHA256() if algorithm.endswith("SHA_256") else hashes.SHA1()  # noqa: S303  # KMS's
    return padding.OAEP(padding.MGF1(hash_), hash_, None)


def wrap(algorithm: str, public_key_der: bytes, material: bytes) -> bytes:
    """RSAES_OAEP_SHA_* (RFC 8017) or RSA_AES_KEY_WRAP_SHA_* (RSA block, then RFC 5649 block)."""
    public_key = load_der_public_key(public_key_der)
    if not isinstance(public_key, RSAPublicKey):
        raise TypeError("A wrapping public key is an RSA key.")
    if algorithm.startswith("RSAES_OAEP"):
        return public_key.encrypt(material, oaep(algorithm))
    aes_key = os.urandom(32)
    return public_key.encrypt(aes_key, oaep(algorithm)) + aes_key_wrap_with_padding(aes_key, material)


def unwrap(algorithm: str, private_key: RSAPrivateKey, wrapped: bytes) -> bytes:
    """Unwraps as KMS does. Raises ValueError or InvalidUnwrap if the material does not open."""
    if algorithm.startswith("RSAES_OAEP"):
        return private_key.decrypt(wrapped, oaep(algorithm))
    modulus_bytes = private_key.key_size // 8
    aes_key = private_key.decrypt(wrapped[:modulus_bytes], oaep(algorithm))
    return aes_key_unwrap_with_padding(aes_key, wrapped[modulus_bytes:])


def parameters(kms: Any, key_id: str, algorithm: str = DEFAULT_ALGORITHM, wrapping_key_spec: str = "RSA_2048") -> Any:
    """One answer of GetParametersForImport. `kms`: a boto3 client."""
    return kms.get_parameters_for_import(KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_key_spec)


def import_material(kms: Any, key_id: str, material: bytes, *, algorithm: str = DEFAULT_ALGORITHM, **more: Any) -> Any:
    """Gets parameters, wraps and imports; without expiry, unless `more` has one. Returns ImportKeyMaterial's answer."""
    given = parameters(kms, key_id, algorithm)
    if "ValidTo" not in more:
        more.setdefault("ExpirationModel", FOR_EVER)
    return kms.import_key_material(
        KeyId=key_id,
        ImportToken=given["ImportToken"],
        EncryptedKeyMaterial=wrap(algorithm, given["PublicKey"], material),
        **more,
    )
