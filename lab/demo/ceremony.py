"""A key custodian's work before anything is deployed: makes material, wraps it, puts it into Secrets Manager.

Everything here except the calls of AWS works on a machine without a network. The material stays in a separate folder, which
the demo removes.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from lab.demo import openssl
from lab.local.session import LocalAws

CONSENT = "imported-key-material"  # the tag, and the name in the encryption context
STACKS = "demo-/"  # every stack whose name begins with demo-


@dataclass(frozen=True, slots=True)
class Materials:
    """The material. `folder` holds the private keys; nothing of it is printed."""

    folder: Path
    symmetric: bytes
    hmac: bytes
    rsa: Path
    ec: Path

    @property
    def check_value(self) -> str:
        """The symmetric key's check value: the leftmost 5 bytes of its CMAC over 16 zero bytes (ANSI X9.24-1)."""
        cmac = CMAC(AES(self.symmetric))
        cmac.update(bytes(16))
        return f"CMAC:{cmac.finalize()[:5].hex().upper()}"

    def secrets(self) -> dict[str, bytes]:
        """All that must never be seen, by name."""
        return {
            "the symmetric key": self.symmetric,
            "the HMAC key": self.hmac,
            "the RSA key": openssl.as_der(self.rsa),
            "the P-256 key": openssl.as_der(self.ec),
        }


def make(folder: Path) -> Materials:
    return Materials(
        folder=folder,
        symmetric=secrets.token_bytes(32),
        hmac=secrets.token_bytes(32),
        rsa=openssl.private_key(folder / "rsa.pem", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        ec=openssl.private_key(folder / "ec.pem", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    )


class Custodian:
    """Wraps under the transport keys, and stores."""

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        self._kms: Any = aws.client("kms")
        self._secrets: Any = aws.client("secretsmanager")
        self._account = aws.settings.account
        self._public_key = folder / "transport.pem"

    def make_transport_keys(self) -> None:
        """Two keys that KMS generates, for the way from the custodian to the function."""
        tags = [{"TagKey": CONSENT, "TagValue": STACKS}]
        symmetric = self._kms.create_key(Description="opens secrets", Tags=tags)["KeyMetadata"]["KeyId"]
        self._kms.create_alias(AliasName="alias/transport", TargetKeyId=symmetric)
        rsa = self._kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT", Tags=tags)["KeyMetadata"]["KeyId"]
        self._kms.create_alias(AliasName="alias/transport-rsa", TargetKeyId=rsa)
        der = self._kms.get_public_key(KeyId=rsa)["PublicKey"]
        self._public_key.write_bytes(openssl.openssl("pkey", "-pubin", "-inform", "DER", "-pubout", stdin=der))

    def encrypt(self, material: bytes, secret: str) -> bytes:
        """SYMMETRIC_DEFAULT: the encryption context binds the ciphertext to the secret that will hold it."""
        context = {CONSENT: f"{self._account}/{secret}"}
        answer = self._kms.encrypt(KeyId="alias/transport", Plaintext=material, EncryptionContext=context)
        return bytes(answer["CiphertextBlob"])

    def encrypt_oaep(self, material: bytes) -> bytes:
        """RSAES_OAEP_SHA_256, by OpenSSL."""
        return openssl.oaep_sha256(self._public_key, material)

    def wrap_as_an_hsm(self, private_key: Path) -> bytes:
        """RSA_AES_KEY_WRAP_SHA_256 (CKM_RSA_AES_KEY_WRAP), by OpenSSL: the RSA block, then the AES block."""
        aes_key = secrets.token_bytes(32)
        return self.encrypt_oaep(aes_key) + openssl.aes_key_wrap(aes_key, private_key)

    def store(self, secret: str, content: bytes, *, for_stack: str) -> None:
        """The tag is the owner's consent: this stack may use the secret, no other."""
        self._secrets.create_secret(Name=secret, SecretBinary=content, Tags=[{"Key": CONSENT, "Value": for_stack}])
