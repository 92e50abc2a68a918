"""Symmetric ciphertexts: AES-256-GCM (SM4-GCM in China) with the encryption context bound in.

    version (1) | key id (16) | multi-Region (1) | material id (32) | nonce (12) | ciphertext and tag (16)

The whole head and the encryption context are authenticated. Key id and material id are inside, as in a real ciphertext, so
Decrypt needs neither. The layout is this KMS's own: the real layout is not public, and nothing may depend on it.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lab.kms.material import invalid_ciphertext

_VERSION = b"\x01"
_HEAD_BYTES = 1 + 16 + 1 + 32
_NONCE_BYTES = 12
_TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sealed:
    """A parsed ciphertext. Nothing in it is trusted yet."""

    key_id: str
    material_id: str
    head: bytes
    nonce: bytes
    body: bytes


def seal(
    material: bytes, *, key_id: str, material_id: str, nonce: bytes, plaintext: bytes, context: Mapping[str, str]
) -> bytes:
    multi_region = key_id.startswith("mrk-")
    head = _VERSION + uuid.UUID(key_id.removeprefix("mrk-")).bytes + bytes([multi_region]) + bytes.fromhex(material_id)
    return head + nonce + _encrypt(material, nonce, plaintext, head + _canonical(context))


def take_apart(ciphertext: bytes) -> Sealed:
    if len(ciphertext) < _HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES or ciphertext[:1] != _VERSION:
        raise invalid_ciphertext()
    raw_id, multi_region = uuid.UUID(bytes=ciphertext[1:17]), ciphertext[17]
    head, rest = ciphertext[:_HEAD_BYTES], ciphertext[_HEAD_BYTES:]
    return Sealed(
        key_id=f"mrk-{raw_id.hex}" if multi_region else str(raw_id),
        material_id=head[18:].hex(),
        head=head,
        nonce=rest[:_NONCE_BYTES],
        body=rest[_NONCE_BYTES:],
    )


def open_sealed(sealed: Sealed, material: bytes, context: Mapping[str, str]) -> bytes:
    try:
        return _decrypt(material, sealed.nonce, sealed.body, sealed.head + _canonical(context))
    except InvalidTag:
        raise invalid_ciphertext() from None


def _canonical(context: Mapping[str, str]) -> bytes:
    """The order of the pairs does not matter; everything else does."""
    return json.dumps(sorted(context.items())).encode()


def _encrypt(material: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    if len(material) == 32:
        return AESGCM(material).encrypt(nonce, plaintext, associated)
    encryptor = Cipher(algorithms.SM4(material), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag


def _decrypt(material: bytes, nonce: bytes, body: bytes, associated: bytes) -> bytes:
    if len(material) == 32:
        return AESGCM(material).decrypt(nonce, body, associated)
    decryptor = Cipher(algorithms.SM4(material), modes.GCM(nonce, body[-_TAG_BYTES:])).decryptor()
    decryptor.authenticate_additional_data(associated)
    return decryptor.update(body[:-_TAG_BYTES]) + decryptor.finalize()
