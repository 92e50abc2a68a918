"""Keys and secrets that the questions are about, made by the calls of their services, also in the stand-ins."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key
from lab.live.made import DAYS_UNTIL_DELETION, Made

CONTEXT: Final = {"imported-key-material": "asked"}


@dataclass(frozen=True, slots=True)
class Secret:
    """`version`: the id of its first version; "" if it has no value."""

    name: str
    arn: str
    version: str = ""


@dataclass
class Things:
    """`keep`: is called with material, which must not be found in a record."""

    made: Made
    keep: Callable[[bytes], bytes]

    @cached_property
    def kms(self) -> Any:
        return self.made.account.client("kms")

    @cached_property
    def secretsmanager(self) -> Any:
        return self.made.account.client("secretsmanager")

    # ------------------------------------------------------------------------------------------------------- secrets

    @cached_property
    def text(self) -> Secret:
        """SecretString, no tag of the project's."""
        return self._secret("asked-text", "text")

    @cached_property
    def binary(self) -> Secret:
        return self._secret("asked-bytes", b"bytes")

    @cached_property
    def like_a_suffix(self) -> Secret:
        """Its name ends like the suffix of an ARN."""
        return self._secret("asked-abcdef", "text")

    @cached_property
    def put_again(self) -> Secret:
        """It has a second version, which is AWSCURRENT."""
        secret = self._secret("asked-put-again", b"first")
        self.secretsmanager.put_secret_value(SecretId=secret.name, SecretBinary=b"second")
        return secret

    @cached_property
    def marked(self) -> Secret:
        """It is marked for deletion."""
        secret = self._secret("asked-marked", "text")
        self.secretsmanager.delete_secret(SecretId=secret.name, RecoveryWindowInDays=DAYS_UNTIL_DELETION)
        return secret

    @cached_property
    def bare(self) -> Secret:
        """No value, no tag."""
        name = self.made.note("secret", "asked-bare")
        return Secret(name, str(self.secretsmanager.create_secret(Name=name)["ARN"]))

    def _secret(self, suffix: str, value: bytes | str) -> Secret:
        name, version = self.made.secret(suffix, value)
        return Secret(name, str(self.secretsmanager.describe_secret(SecretId=name)["ARN"]), version)

    # ---------------------------------------------------------------------------------------------------------- keys

    @cached_property
    def empty(self) -> str:
        """A symmetric key that never had material. No question may import into it."""
        return self.made.key("asked-empty")

    @cached_property
    def material(self) -> bytes:
        return self.keep(random_key(32))

    @cached_property
    def filled(self) -> str:
        """A symmetric key that holds `material`. Questions may import it again, and nothing else."""
        key = self.made.key("asked-filled")
        import_material(self.kms, key, self.material)
        return key

    @cached_property
    def hmac(self) -> str:
        """An empty key, HMAC_256."""
        return self.made.key("asked-hmac", "HMAC_256")

    @cached_property
    def rsa(self) -> str:
        """An empty key, RSA_2048."""
        return self.made.key("asked-rsa", "RSA_2048")

    @cached_property
    def going(self) -> str:
        """A key that is scheduled for deletion."""
        key = self.made.key("asked-going")
        self.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=DAYS_UNTIL_DELETION)
        return key

    @cached_property
    def of_kms(self) -> str:
        """A key whose material KMS has made."""
        return self.made.key("asked-of-kms", Origin="AWS_KMS")

    @cached_property
    def ciphertext(self) -> bytes:
        """What `filled` has encrypted under CONTEXT."""
        made = self.kms.encrypt(KeyId=self.filled, Plaintext=b"plaintext", EncryptionContext=CONTEXT)
        return bytes(made["CiphertextBlob"])

    # --------------------------------------------------------------------------------------------------------- clean

    def name(self, suffix: str) -> str:
        """A name that nothing has."""
        return self.made.name(f"asked-no-{suffix}")
