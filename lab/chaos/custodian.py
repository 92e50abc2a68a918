"""Prepares what a stack needs: material from the seed, wrapped and stored in secrets, and the keys to wrap it with."""

import threading
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from lab.chaos.material import P256, Mac, Material, Rsa, Symmetric
from lab.keys.by_hand import import_material, wrap
from lab.keys.private_keys import rsa_key
from lab.local.session import LocalAws

CONSENT: Final = "imported-key-material"


@dataclass
class Custodian:
    """Called from several threads. `materials`: all that was made; none of it may show up anywhere."""

    aws: LocalAws
    dice: Random
    materials: list[Material] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.kms: Any = self.aws.client("kms")
        self._secrets: Any = self.aws.client("secretsmanager")
        tags = self._tags("/", "TagKey", "TagValue")  # every stack may use these two keys to open its secrets
        transport = self.kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"]
        self.kms.create_alias(AliasName="alias/transport", TargetKeyId=transport)
        rsa = self.kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT", Tags=tags)["KeyMetadata"]["KeyId"]
        self.kms.create_alias(AliasName="alias/transport-rsa", TargetKeyId=rsa)
        self._public_key: bytes = self.kms.get_public_key(KeyId=rsa)["PublicKey"]

    # ----------------------------------------------------------------------------------------------------- material

    def symmetric(self, name: str) -> Symmetric:
        return self._kept(Symmetric(name, self._bytes(32)))

    def mac(self, name: str) -> Mac:
        return self._kept(Mac(name, self._bytes(32)))

    def p256(self, name: str) -> P256:
        return self._kept(P256(name, ec.derive_private_key(1 + int.from_bytes(self._bytes(31)), ec.SECP256R1())))

    def rsa(self, name: str) -> Rsa:
        """One key for all stories: making one takes a quarter of a second, and an RSA key can't come from a seed."""
        return self._kept(Rsa(name, rsa_key()))

    def _bytes(self, size: int) -> bytes:
        with self._lock:
            return self.dice.randbytes(size)

    def _kept[M: Material](self, material: M) -> M:
        with self._lock:
            self.materials.append(material)
        return material

    # ---------------------------------------------------------------------------------------------- secrets and keys

    def encrypted(self, content: bytes, secret: str) -> bytes:
        """kms:Encrypt, bound to the secret that will hold it."""
        context = {CONSENT: f"{self.aws.settings.account}/{secret}"}
        answer = self.kms.encrypt(KeyId="alias/transport", Plaintext=content, EncryptionContext=context)
        return bytes(answer["CiphertextBlob"])

    def by_oaep(self, content: bytes) -> bytes:
        return wrap("RSAES_OAEP_SHA_256", self._public_key, content)

    def as_an_hsm(self, content: bytes) -> bytes:
        return wrap("RSA_AES_KEY_WRAP_SHA_256", self._public_key, content)

    def store(self, secret: str, content: bytes, stack: str) -> str:
        """Returns the id of the first version."""
        tags = self._tags(stack, "Key", "Value")
        return str(self._secrets.create_secret(Name=secret, SecretBinary=content, Tags=tags)["VersionId"])

    def store_next(self, secret: str, content: bytes, stage: str) -> str:
        stages = ["AWSCURRENT", stage]
        return str(
            self._secrets.put_secret_value(SecretId=secret, SecretBinary=content, VersionStages=stages)["VersionId"]
        )

    def key(self, material: Material, stack: str) -> str:
        """The ARN of an empty key that belongs to no stack."""
        tags = self._tags(stack, "TagKey", "TagValue")
        return str(self.kms.create_key(Origin="EXTERNAL", Tags=tags, **material.spec)["KeyMetadata"]["Arn"])

    def fill(self, key: str, material: Material) -> None:
        """Imports as the key's owner does by hand, before any stack."""
        import_material(self.kms, key, material.content)

    def lose(self, key: str) -> None:
        """Deletes a key's material, as a person does by hand."""
        self.kms.delete_imported_key_material(KeyId=key)

    @staticmethod
    def _tags(stack: str, name: str, value: str) -> list[dict[str, str]]:
        return [{name: CONSENT, value: stack}]
