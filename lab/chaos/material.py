"""Key material, and the proof by real cryptography that a key holds it: KMS's result is compared with one made outside.

Symmetric key: KMS encrypts, and the bytes decrypt it outside. HMAC: the same MAC. RSA, EC: the same public key, and a
signature by KMS that verifies.
"""

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from lab.keys.private_keys import pkcs8_der, spki_der
from lab.kms import ciphertext
from lab.kms.errors import KmsError

MESSAGE: Final = b"what the key is used for"
HASH: Final = hashes.SHA256()


class Material(Protocol):
    """`name`: its name in messages. `secret`: the bytes that must be seen nowhere. `content`: the bytes to import."""

    @property
    def name(self) -> str: ...
    @property
    def secret(self) -> bytes: ...
    @property
    def content(self) -> bytes: ...
    @property
    def spec(self) -> dict[str, str]: ...  # KeySpec and KeyUsage of a key for it
    def is_in(self, kms: Any, key: str) -> bool: ...  # the key must be usable


@dataclass(frozen=True)
class Symmetric:
    name: str
    secret: bytes = field(repr=False)

    spec = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}  # noqa: RUF012  # never changed

    @property
    def content(self) -> bytes:
        return self.secret

    def is_in(self, kms: Any, key: str) -> bool:
        blob = kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
        try:
            return ciphertext.open_sealed(ciphertext.take_apart(blob), self.secret, {}) == MESSAGE
        except KmsError:
            return False


@dataclass(frozen=True)
class Mac:
    name: str
    secret: bytes = field(repr=False)

    spec = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}  # noqa: RUF012  # never changed

    @property
    def content(self) -> bytes:
        return self.secret

    def is_in(self, kms: Any, key: str) -> bool:
        mac = kms.generate_mac(KeyId=key, MacAlgorithm="HMAC_SHA_256", Message=MESSAGE)["Mac"]
        return hmac.compare_digest(mac, hmac.digest(self.secret, MESSAGE, "sha256"))


def _signs(kms: Any, key: str, public_key: bytes, algorithm: str, verify: Callable[[bytes], None]) -> bool:
    """Whether KMS shows the public key, and signs with its private key. `verify` raises InvalidSignature."""
    if kms.get_public_key(KeyId=key)["PublicKey"] != public_key:
        return False
    try:
        verify(kms.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"])
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True)
class Rsa:
    name: str
    key: rsa.RSAPrivateKey = field(repr=False)

    spec = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}  # noqa: RUF012  # never changed

    @property
    def secret(self) -> bytes:
        """A prime: it reveals the whole key."""
        return self.key.private_numbers().p.to_bytes(128)

    @property
    def content(self) -> bytes:
        return pkcs8_der(self.key)

    def is_in(self, kms: Any, key: str) -> bool:
        def verify(signed: bytes) -> None:
            pss = padding.PSS(padding.MGF1(HASH), padding.PSS.DIGEST_LENGTH)
            self.key.public_key().verify(signed, MESSAGE, pss, HASH)

        return _signs(kms, key, spki_der(self.key), "RSASSA_PSS_SHA_256", verify)


@dataclass(frozen=True)
class P256:
    name: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    spec = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}  # noqa: RUF012  # never changed

    @property
    def secret(self) -> bytes:
        return self.key.private_numbers().private_value.to_bytes(32)

    @property
    def content(self) -> bytes:
        return pkcs8_der(self.key)

    def is_in(self, kms: Any, key: str) -> bool:
        def verify(signed: bytes) -> None:
            self.key.public_key().verify(signed, MESSAGE, ec.ECDSA(HASH))

        return _signs(kms, key, spki_der(self.key), "ECDSA_SHA_256", verify)


EMPTY: Final = "nothing"


def found_in(kms: Any, key: str, candidates: Iterable[Material]) -> str:
    """The name of the material that the key provably holds; EMPTY; or what is wrong, in words.

    The deletion of a key that is scheduled for it is cancelled for the check, and scheduled again.
    """
    look = kms.describe_key(KeyId=key)["KeyMetadata"]
    fitting = [one for one in candidates if one.spec["KeySpec"] == look["KeySpec"]]
    if look["KeyState"] != "PendingDeletion":
        return _found(kms, key, look["KeyState"], fitting)
    kms.cancel_key_deletion(KeyId=key)
    try:
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        if state == "Disabled":
            kms.enable_key(KeyId=key)
            state = "Enabled"
        return _found(kms, key, state, fitting)
    finally:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


def _found(kms: Any, key: str, state: str, candidates: Iterable[Material]) -> str:
    if state == "PendingImport":
        return EMPTY
    if state != "Enabled":
        return f"a key that is {state}"
    return next((one.name for one in candidates if one.is_in(kms, key)), "material that nobody declared")
