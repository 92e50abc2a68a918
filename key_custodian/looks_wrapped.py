"""Recognizes material that is already wrapped, where a key is expected. Only the words of an error depend on it, no check.

The beginning is certain. A size is not: a key or random bytes of the same size must never be stored as if they were wrapped.

The checks call text and containers of keys by name before these words are used.

    kms:Encrypt   the ciphertext holds a CMS EncryptedData (RFC 5652, section 8) near its beginning. AWS documents no layout;
                  all ciphertexts that people have published are like this
    RSA           as long as a modulus of KMS's RSA keys, or with RSA_AES_KEY_WRAP longer by the AES block (RFC 5649)
"""

from typing import Final

from imported_key_material.aws import transport_key
from imported_key_material.material.key_specs import WRAPPING_KEY_SPECS

_ENCRYPTED_DATA: Final = bytes.fromhex("06092a864886f70d010706")  # 1.2.840.113549.1.7.6 in DER
_HEAD_BYTES: Final = 160
_SEMIBLOCK_BYTES: Final = 8
_AES_LEAST_BYTES: Final = 16
_SURELY: Final = "Only KMS opens it, and it can't be checked here: key-custodian put stores it."
_PERHAPS: Final = (
    "If it is a key, never store it so: wrap it. If you know that it is wrapped, key-custodian put stores it."
)


def words(data: bytes) -> str:
    """Says what it looks like, and what to do; "" if it does not look wrapped."""
    if data.find(_ENCRYPTED_DATA, 0, _HEAD_BYTES) >= 0:
        return f"It looks wrapped: it begins like a ciphertext of kms:Encrypt. {_SURELY}"
    how = _by_size(len(data))
    return f"It may be wrapped: {how}. {_PERHAPS}" if how else ""


def _by_size(size_bytes: int) -> str:
    moduli = {transport_key.modulus_bytes(spec): spec for spec in WRAPPING_KEY_SPECS}
    if size_bytes in moduli:
        return f"{size_bytes} bytes are what RSA-OAEP gives under an {moduli[size_bytes]} key"
    for modulus, spec in moduli.items():
        more = size_bytes - modulus
        if more >= _AES_LEAST_BYTES and more % _SEMIBLOCK_BYTES == 0:
            return f"{size_bytes} bytes are what RSA_AES_KEY_WRAP gives, for example under an {spec} key"
    return ""
