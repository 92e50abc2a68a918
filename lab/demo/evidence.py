"""Shows that KMS holds the material: OpenSSL checks KMS's results outside of KMS, with the custodian's own copy."""

import hashlib
from pathlib import Path
from typing import Any

from lab.demo import openssl
from lab.demo.ceremony import Materials
from lab.local.session import LocalAws

MESSAGE = b"An order over 42 screws"


class NotShown(Exception):
    """Something that the demo must show is not true."""


class Evidence:
    def __init__(self, aws: LocalAws, materials: Materials) -> None:
        self._kms: Any = aws.client("kms")
        self._materials = materials

    def mac_is_the_same_outside(self, key: str) -> str:
        """Compares GenerateMac with openssl dgst -mac HMAC. Returns the beginning of the MAC."""
        answer = self._kms.generate_mac(KeyId=key, MacAlgorithm="HMAC_SHA_256", Message=MESSAGE)
        if answer["Mac"] != openssl.hmac_sha256(self._materials.hmac, MESSAGE):
            raise NotShown("KMS computes another MAC than OpenSSL")
        return f"{answer['Mac'].hex()[:16]}..."

    def public_key_is_equal(self, key: str, private_key: Path) -> str:
        """Compares GetPublicKey with openssl pkey -pubout, byte for byte. Returns the beginning of its hash."""
        public = self._kms.get_public_key(KeyId=key)["PublicKey"]
        if public != openssl.public_der(private_key):
            raise NotShown("KMS has another public key than OpenSSL")
        return f"SHA256:{hashlib.sha256(public).hexdigest()[:16]}..."

    def signature_verifies_outside(self, key: str, private_key: Path, algorithm: str, *options: str) -> None:
        """KMS signs, and openssl dgst -verify accepts the signature; but not for another message."""
        signed = self._kms.sign(KeyId=key, Message=MESSAGE, MessageType="RAW", SigningAlgorithm=algorithm)
        folder = self._materials.folder
        public, message, signature = folder / "public.pem", folder / "message", folder / "signature"
        public.write_bytes(openssl.openssl("pkey", "-in", private_key, "-pubout"))
        signature.write_bytes(signed["Signature"])
        message.write_bytes(MESSAGE)
        if not openssl.verify(public, message, signature, *options):
            raise NotShown("OpenSSL does not accept KMS's signature")
        message.write_bytes(MESSAGE + b".")
        if openssl.verify(public, message, signature, *options):
            raise NotShown("OpenSSL accepts KMS's signature for another message")

    def seal(self, key: str) -> bytes:
        return bytes(self._kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"])

    def opens(self, ciphertext: bytes) -> None:
        if self._kms.decrypt(CiphertextBlob=ciphertext)["Plaintext"] != MESSAGE:
            raise NotShown("KMS opens its own ciphertext to something else")

    def state(self, key: str) -> str:
        return str(self._kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"])

    def expires(self, key: str) -> str:
        metadata = self._kms.describe_key(KeyId=key)["KeyMetadata"]
        return metadata["ValidTo"].strftime("%Y-%m-%d") if "ValidTo" in metadata else "never"

    def is_empty(self, key: str) -> None:
        """The state of a key that is scheduled for deletion does not show whether it holds material. So cancel that first."""
        self._kms.cancel_key_deletion(KeyId=key)
        state = self.state(key)
        if state != "PendingImport":
            raise NotShown(f"the key is {state}, not PendingImport")
        self._kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
