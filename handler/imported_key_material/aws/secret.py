"""Reads a secret and unwraps it: the result is the bytes or the text that hold the material.

It first looks at the secret and at the transport key, and requires the consent tags of both (docs/internals/design.md,
"Consent") before it reads or decrypts anything. Right before an import it requires these two tags again. It keeps nothing: no
cache, no copy. The value goes straight into the checks of `material_check.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from imported_key_material.aws import kms_reads, secret_errors, transport_key
from imported_key_material.aws.calls import TAGGED, Caller
from imported_key_material.aws.consent_tags import ConsentTags
from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.transport_key import SYMMETRIC
from imported_key_material.errors import Fault, Faults, Refused, ServiceRefused, found_in
from imported_key_material.key_id import Home
from imported_key_material.material import wrapping
from imported_key_material.material.wrapped_value import ciphertext_of
from imported_key_material.properties import Properties, SecretWrapping

# SecretWrapping.Algorithm -> (the EncryptionAlgorithm of kms:Decrypt, whether it opens an AES key that wraps the material)
_DECRYPT: Final[Mapping[str, tuple[str, bool]]] = {
    SYMMETRIC: (SYMMETRIC, False),
    "RSAES_OAEP_SHA_1": ("RSAES_OAEP_SHA_1", False),
    "RSAES_OAEP_SHA_256": ("RSAES_OAEP_SHA_256", False),
    "RSA_AES_KEY_WRAP_SHA_1": ("RSAES_OAEP_SHA_1", True),
    "RSA_AES_KEY_WRAP_SHA_256": ("RSAES_OAEP_SHA_256", True),
}


class SecretsManager(Protocol):
    """The calls of boto3's client that are used."""

    def describe_secret(self, **parameters: object) -> Mapping[str, Any]: ...
    def get_secret_value(self, **parameters: object) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Source:
    """What the secret held, as the checks take it. They wipe a bytearray.

    `place`: the secret and the version, in Secrets Manager's names.
    """

    value: bytes | bytearray | str
    encoding: str | None
    json_key: str | None
    version_id: str
    place: str
    unwrapped: bool


class Version(NamedTuple):
    """One version of the declared secret. `id`: "" for the version that SecretVersionId or SecretVersionStage names.

    `entry`: its place in PreviousSecretVersionIds, from 0; None if it is not in that list.
    """

    id: str = ""
    entry: int | None = None

    @property
    def where(self) -> str:
        """The property that a fault of this version names."""
        return "SecretId" if self.entry is None else "PreviousSecretVersionIds"


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """A secret that this stack may use, and its transport key if it is wrapped."""

    arn: str
    name: str
    transport_key: KeyView | None


@dataclass(frozen=True, slots=True)
class SecretReader:
    """Reads the secret that the properties name, for one stack."""

    secrets: SecretsManager
    kms: kms_reads.Kms
    caller: Caller
    home: Home
    consent_tags: ConsentTags

    def find(self, properties: Properties) -> FoundSecret:
        """Raises Refused with every fault of the secret and of the transport key. Reads no value."""
        faults = Faults()
        transport_key: KeyView | None = None
        with faults.collected():
            description = self._describe_usable(properties.secret_id)
        if properties.secret_wrapping:
            with faults.collected():
                transport_key = self._transport_key(properties.secret_wrapping)
        faults.raise_if_any()
        return FoundSecret(description["ARN"], description["Name"], transport_key)

    def require_consent(self, found: FoundSecret) -> None:
        """Reads the tags of the secret and of its transport key again. Raises Refused unless both name the stack."""
        self._describe_usable(found.arn)
        if found.transport_key is not None:
            self._require_consent_of(found.transport_key)

    def open(self, found: FoundSecret, properties: Properties, version: Version) -> Source:
        """Reads one version, and unwraps it."""
        with found_in(secret_errors.place(found.name)):
            answer = self._value(found.arn, properties, version)
        value: bytes | str = answer["SecretBinary"] if "SecretBinary" in answer else answer["SecretString"]
        version_id, wrapped = answer["VersionId"], properties.secret_wrapping
        place = secret_errors.place(found.name, version_id)
        encoding, json_key = properties.material_encoding, properties.secret_json_key
        if wrapped is None or found.transport_key is None:
            return Source(value, encoding, json_key, version_id, place, unwrapped=False)
        with found_in(place):
            opened = self._unwrap(
                ciphertext_of(value, encoding=encoding, json_key=json_key),
                wrapped.algorithm,
                found.transport_key,
                context=f"{Home.of_arn(found.arn).account}/{found.name}",
            )
        return Source(opened, None, None, version_id, place, unwrapped=True)

    def _describe_usable(self, secret_id: str) -> Mapping[str, Any]:
        """DescribeSecret's answer. Raises Refused unless the secret is there and its owner consents.

        IAM denies DescribeSecret without the tag, so an AccessDenied may also mean a tag that is missing for a moment.
        """
        account = secret_errors.account_of(secret_id, self.home)
        answer: Mapping[str, Any] = {}
        denied: ServiceRefused | None = None

        def tags() -> Mapping[str, str]:
            nonlocal answer, denied
            try:
                answer = self._describe(secret_id, account)
            except ServiceRefused as refused:
                if refused.code != "AccessDeniedException":
                    raise
                denied = refused
                return {}
            denied = None
            return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}

        seen = self.consent_tags.read(tags)
        if denied is not None:
            raise denied
        with found_in(secret_errors.place(answer["Name"])):
            if "DeletedDate" in answer:
                raise Refused(
                    Fault(
                        "SecretId",
                        "The secret is marked for deletion, and Secrets Manager does not give its value.",
                        "aws secretsmanager restore-secret takes that back.",
                    )
                )
            self.consent_tags.require_in(seen, where="SecretId", what="the secret")
        return answer

    def _describe(self, secret_id: str, account: str) -> Mapping[str, Any]:
        return self.caller.call(
            "secretsmanager:DescribeSecret",
            lambda: self.secrets.describe_secret(SecretId=secret_id),
            where="SecretId",
            meanings=secret_errors.of_missing_secret(account, self.home),
        )

    def _require_consent_of(self, transport_key: KeyView) -> None:
        where = "SecretWrapping.KeyId"
        self.consent_tags.require(
            lambda: kms_reads.tags(transport_key.arn, self.kms, self.caller, where=where),
            where=where,
            what="the transport key",
        )

    def _value(self, secret_arn: str, properties: Properties, version: Version) -> Mapping[str, Any]:
        which: dict[str, str] = {}
        version_id = version.id or properties.secret_version_id
        if version_id is not None:
            which["VersionId"] = version_id
        elif properties.secret_version_stage is not None:
            which["VersionStage"] = properties.secret_version_stage
        return self.caller.call(
            "secretsmanager:GetSecretValue",
            lambda: self.secrets.get_secret_value(SecretId=secret_arn, **which),
            where=version.where,
            waits=TAGGED,
            meanings=secret_errors.of_missing_version(which, version.entry),
        )

    def _transport_key(self, declared: SecretWrapping) -> KeyView:
        """Raises Refused unless the key is in this account and Region, fits the algorithm, and its tag names the stack."""
        where = "SecretWrapping.KeyId"
        there = Home.of_named(declared.key_id, self.home)
        if (there.region, there.account) != (self.home.region, self.home.account):
            raise Refused(
                Fault(
                    where,
                    "The key is in another account or Region.",
                    "Name a key in the stack's account and Region.",
                )
            )
        key_id = declared.key_id.removeprefix("key/")
        missing = secret_errors.of_missing_transport_key(self.home)
        view = kms_reads.look(key_id, self.kms, self.caller, where=where, waits={}, meanings=missing)
        faults = Faults()
        with faults.collected():
            transport_key.require_fit(view, declared.algorithm, where=where)
        with faults.collected():
            self._require_consent_of(view)
        faults.raise_if_any()
        return view

    def _unwrap(self, ciphertext: bytes, algorithm: str, key: KeyView, context: str) -> bytes | bytearray:
        decrypt_algorithm, opens_aes_key = _DECRYPT[algorithm]
        wrapped_material = b""
        if opens_aes_key:
            ciphertext, wrapped_material = wrapping.split_rsa_aes(ciphertext, transport_key.modulus_bytes(key.spec))
        parameters: dict[str, object] = {
            "KeyId": key.arn,
            "CiphertextBlob": ciphertext,
            "EncryptionAlgorithm": decrypt_algorithm,
        }
        if decrypt_algorithm == SYMMETRIC:
            parameters["EncryptionContext"] = {secret_errors.CONTEXT_KEY: context}
        answer = self.caller.call(
            "kms:Decrypt",
            lambda: self.kms.decrypt(**parameters),
            where="SecretWrapping",
            waits=TAGGED,
            meanings=secret_errors.of_refused_decrypt(algorithm, context),
        )
        plaintext: bytes = answer["Plaintext"]
        return wrapping.unwrap_with_aes(plaintext, wrapped_material) if opens_aes_key else plaintext
