"""Wraps key material for KMS, and opens the AES block of a wrapped secret: RSA-OAEP, and RSA with AES key wrap.

    RSAES_OAEP_SHA_x        RFC 8017, section 7.1: one hash for OAEP and MGF1, the label empty
    RSA_AES_KEY_WRAP_SHA_x  PKCS#11, CKM_RSA_AES_KEY_WRAP: a fresh AES-256 key by RSA-OAEP, followed by the material,
                            wrapped under it by AES key wrap with padding (RFC 5649, CKM_AES_KEY_WRAP_KWP)

The library does all cryptography; its exceptions become sentences here. This module gets no RSA private key: KMS opens the RSA
blocks. `key_specs.py` says which algorithm is for which key. A block that does not open gives no reason, so refusals name
the well-known mistakes. Pure.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from imported_key_material.errors import Fault, Refused
from imported_key_material.material.key_specs import AES_WRAP_SHA_1, AES_WRAP_SHA_256, OAEP_SHA_1, OAEP_SHA_256

AES_KEY_BYTES = 32  # what KMS requires; the AES key of a wrapped secret may have any AES length
AES_KEY_SIZES = (16, 24, 32)
AES_BLOCK_LEAST_BYTES = 16  # RFC 5649, section 3: one semiblock of header, one of material
SEMIBLOCK_BYTES = 8

_SHA_1 = hashes.SHA1()  # noqa: S303  # OAEP does not need collision resistance (RFC 8017, B.1); KMS offers it
_SHA_256 = hashes.SHA256()
_OAEP_HASH: Mapping[str, hashes.HashAlgorithm] = MappingProxyType({OAEP_SHA_1: _SHA_1, OAEP_SHA_256: _SHA_256})
_AES_WRAP_HASH: Mapping[str, hashes.HashAlgorithm] = MappingProxyType(
    {AES_WRAP_SHA_1: _SHA_1, AES_WRAP_SHA_256: _SHA_256}
)

_WITH_PKCS7 = (
    "The material is wrapped by RFC 3394 with PKCS#7 padding, and not by RFC 5649.",
    "Some HSMs mean that by CKM_AES_KEY_WRAP_PAD",
)
_WITHOUT_PADDING = (
    "The material is wrapped by RFC 3394 without padding, and not by RFC 5649.",
    "CKM_AES_KEY_WRAP does that",
)


def wrap(
    algorithm: str, public_key: RSAPublicKey, material: bytes | bytearray, *, where: str = "WrappingAlgorithm"
) -> bytes:
    """Returns what ImportKeyMaterial takes as EncryptedKeyMaterial.

    Refused (`where`) where the algorithm is not one of the four, or where the material is too long for OAEP.
    """
    if algorithm in _OAEP_HASH:
        return _encrypt(public_key, material, _OAEP_HASH[algorithm], where)
    hash_ = _aes_wrap_hash(algorithm, where)
    aes_key = bytearray(os.urandom(AES_KEY_BYTES))
    try:
        return _encrypt(public_key, aes_key, hash_, where) + aes_key_wrap_with_padding(aes_key, material)
    finally:
        aes_key[:] = bytes(AES_KEY_BYTES)


def split_rsa_aes(wrapped: bytes, modulus_bytes: int) -> tuple[bytes, bytes]:
    """Returns the RSA block, which holds the AES key, and the AES block, which holds the material.

    `modulus_bytes`: of the RSA transport key. Refused (SecretId) where the length can't be that of both blocks.
    """
    aes_bytes = len(wrapped) - modulus_bytes
    if aes_bytes < AES_BLOCK_LEAST_BYTES or aes_bytes % SEMIBLOCK_BYTES:
        problem = (
            f"The wrapped material is {len(wrapped)} bytes long, and the RSA_AES_KEY_WRAP algorithms give {modulus_bytes} "
            f"under this RSA key, and a multiple of {SEMIBLOCK_BYTES} behind them, {AES_BLOCK_LEAST_BYTES} or more."
        )
        remedy = (
            "Store both blocks, the RSA block first, wrapped under this key. If it was wrapped by RSA only, the "
            "algorithm is RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1; a TR-31 key block can't be unwrapped here."
        )
        raise Refused(Fault("SecretId", problem, remedy))
    return wrapped[:modulus_bytes], wrapped[modulus_bytes:]


def unwrap_with_aes(aes_key: bytes | bytearray, block: bytes) -> bytearray:
    """Returns what is wrapped in `block` under an AES key of 16, 24 or 32 bytes (RFC 5649). Refused (SecretId)."""
    if len(aes_key) not in AES_KEY_SIZES:
        problem = f"The RSA block holds {len(aes_key)} bytes, and an AES key has 16, 24 or 32."
        remedy = (
            "Wrap an AES key by RSA, and the material under that AES key. If the material itself was wrapped by RSA, the "
            "algorithm is RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1."
        )
        raise Refused(Fault("SecretId", problem, remedy))
    material = _unwrap(aes_key, block)
    if material is not None:
        return material
    trap = _rfc_3394_trap(aes_key, block)
    if trap is not None:
        raise Refused(trap)
    problem = (
        "The material does not open under the AES key in the RSA block: it was not wrapped by RFC 5649, or was changed."
    )
    remedy = (
        "Wrap it with CKM_RSA_AES_KEY_WRAP or CKM_AES_KEY_WRAP_KWP (OpenSSL: -id-aes256-wrap-pad), under the AES key that "
        "is in the RSA block, and store the RSA block first."
    )
    raise Refused(Fault("SecretId", problem, remedy))


def _aes_wrap_hash(algorithm: str, where: str) -> hashes.HashAlgorithm:
    if algorithm not in _AES_WRAP_HASH:
        names = ", ".join((*_OAEP_HASH, *_AES_WRAP_HASH))
        raise Refused(Fault(where, "The value is not a known wrapping algorithm.", f"Set one of {names}."))
    return _AES_WRAP_HASH[algorithm]


def _encrypt(public_key: RSAPublicKey, material: bytes | bytearray, hash_: hashes.HashAlgorithm, where: str) -> bytes:
    most_bytes = public_key.key_size // 8 - 2 * hash_.digest_size - 2  # RFC 8017, section 7.1.1
    if len(material) > most_bytes:
        problem = (
            f"OAEP under this wrapping public key carries {most_bytes} bytes at most, and the material has "
            f"{len(material)}."
        )
        raise Refused(Fault(where, problem, "Use a larger wrapping public key, or RSA_AES_KEY_WRAP_SHA_256."))
    # The library takes only bytes: this copy can't be wiped.
    return public_key.encrypt(bytes(material), OAEP(mgf=MGF1(hash_), algorithm=hash_, label=None))


def _unwrap(aes_key: bytes | bytearray, block: bytes) -> bytearray | None:
    try:
        return bytearray(aes_key_unwrap_with_padding(aes_key, block))
    except InvalidUnwrap:
        return None


def _rfc_3394_trap(aes_key: bytes | bytearray, block: bytes) -> Fault | None:
    """Names the mistake; the opened bytes are dropped. PKCS#7 padding: n bytes of value n, 1 to 8 of them.

    This is no padding oracle: RFC 3394 verifies the whole block first, so without the AES key nobody reaches the padding.
    """
    try:
        padded = bytearray(aes_key_unwrap(aes_key, block))
    except InvalidUnwrap:
        return None
    last = padded[-1]
    has_pkcs7 = 1 <= last <= SEMIBLOCK_BYTES and padded.endswith(bytes([last]) * last)
    padded[:] = bytes(len(padded))
    problem, cause = _WITH_PKCS7 if has_pkcs7 else _WITHOUT_PADDING
    remedy = f"{cause}: wrap it with CKM_AES_KEY_WRAP_KWP, or with CKM_RSA_AES_KEY_WRAP as a whole."
    return Fault("SecretId", problem, remedy)
