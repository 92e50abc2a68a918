"""Import parameters: wrapping public keys, import tokens that bind them to a key, unwrapping (C-14, C-15, C-20 to C-22).

Key pairs are made once per process and size, since an RSA_4096 pair takes a second. There are two of each size, and answers
get them in turn: a caller that mixes one answer's token with another's public key fails. A token names its pair and is signed,
so that nobody can make one up.
"""

import functools
import hashlib
import hmac
import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.kms.errors import KmsError
from lab.kms.material import invalid_ciphertext
from lab.kms.specs import AES_WRAP, WRAPPING_BITS

TOKEN_LIFETIME = timedelta(hours=24)
PAIRS_PER_SIZE = 2
_AES_KEY_BYTES = 32

_making = threading.Lock()


@functools.cache
def _make_pair(bits: int, number: int) -> RSAPrivateKey:
    del number  # it only distinguishes the cached pairs
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def key_pair(bits: int, number: int) -> RSAPrivateKey:
    """The `number`-th pair of this size. The lock prevents that two threads each make one."""
    with _making:
        return _make_pair(bits, number)


@functools.cache
def _public_der(bits: int, number: int) -> bytes:
    return key_pair(bits, number).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class Parameters:
    """One answer of GetParametersForImport."""

    token: bytes
    public_key: bytes
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """The content of a token whose signature was checked."""

    key_arn: str
    algorithm: str
    bits: int
    pair: int
    valid_to: datetime


class Wrapping:
    """Gives parameters, and reads the tokens that come back."""

    def __init__(self, random: Random) -> None:
        self._signing_key = random.randbytes(32)
        self._random = random
        self._given_out = 0

    def parameters(self, key_arn: str, algorithm: str, wrapping_key_spec: str, now: datetime) -> Parameters:
        bits, pair = WRAPPING_BITS[wrapping_key_spec], self._given_out % PAIRS_PER_SIZE
        self._given_out += 1
        valid_to = now + TOKEN_LIFETIME
        fields = [key_arn, algorithm, bits, pair, valid_to.timestamp(), self._random.randbytes(16).hex()]
        body = json.dumps(fields).encode()
        return Parameters(self._sign(body) + body, _public_der(bits, pair), valid_to)

    def read(self, token: bytes, key_arn: str, now: datetime) -> Token:
        """C-22: no message if it is corrupt or another key's. Too old: ExpiredImportTokenException. It stays usable (C-21)."""
        signature, body = token[:32], token[32:]
        if not hmac.compare_digest(signature, self._sign(body)):
            raise KmsError("InvalidImportTokenException")
        arn, algorithm, bits, pair, valid_to, _ = json.loads(body)
        if arn != key_arn:
            raise KmsError("InvalidImportTokenException")
        read = Token(arn, algorithm, bits, pair, datetime.fromtimestamp(valid_to, UTC))
        if read.valid_to <= now:
            raise KmsError("ExpiredImportTokenException")
        return read

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._signing_key, body, hashlib.sha256)


def unwrap(token: Token, wrapped: bytes) -> bytes:
    """C-14, C-15. Raises InvalidCiphertextException, whatever is wrong (C-30)."""
    private_key = key_pair(token.bits, token.pair)
    hash_: hashes.HashAlgorithm = hashes.SHA256() if token.algorithm.endswith("SHA_256") else hashes.SHA1()  # noqa: S303  # C-14
    oaep = padding.OAEP(padding.MGF1(hash_), hash_, None)
    modulus_bytes = token.bits // 8
    try:
        if token.algorithm not in AES_WRAP:
            return private_key.decrypt(wrapped, oaep)
        aes_key = private_key.decrypt(wrapped[:modulus_bytes], oaep)
        if len(aes_key) != _AES_KEY_BYTES:
            raise invalid_ciphertext()
        return aes_key_unwrap_with_padding(aes_key, wrapped[modulus_bytes:])
    except (ValueError, InvalidUnwrap):
        raise invalid_ciphertext() from None
