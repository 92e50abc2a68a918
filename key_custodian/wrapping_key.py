"""The key under which material is wrapped: a public RSA key in a file, or a key in KMS.

    public key file    RSA-OAEP or RSA with AES key wrap, computed here; no network
    RSA key in KMS     the same; its public key comes from kms:GetPublicKey
    symmetric in KMS   kms:Encrypt, with the encryption context of the function's Decrypt: for one secret only

A wrong wrapping key gives the material to somebody else. So a public key's check value is always shown, and the user or
--wrapping-key-check-value compares it with paper. If the call goes to another address than AWS's, a warning says so, and
kms:Encrypt, which takes the plaintext, is not sent there without TLS. The function's `wrapping.py` has the algorithms.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from imported_key_material import consent
from imported_key_material.aws.transport_key import SYMMETRIC
from imported_key_material.material import pem, wrapping
from imported_key_material.material.key_specs import WRAPPING_KEY_SPECS, KeySpec, choose_wrapping
from imported_key_material.material.looks_like_text import text_in
from key_custodian import elsewhere, forms, sources, transport_key
from key_custodian.errors import refused
from key_custodian.session import Session

WHERE: Final = "--wrapping-key"
_PRIVATE: Final = re.compile(rf"{pem.HEADER}([A-Z0-9 ]*)PRIVATE KEY-----".encode())
_RSA_SIZES: Final = tuple(int(name.removeprefix("RSA_")) for name in WRAPPING_KEY_SPECS)


@dataclass(frozen=True, slots=True)
class Choice:
    """A SecretWrapping.Algorithm, and the reason for it."""

    algorithm: str
    reason: str


class WrappingKey(Protocol):
    """`words`: its name for people; `kms_key`: its ARN, "" for a file; `check_value`: of a public key, else "".

    `opens_for`: "<account id>/<secret's name>", the only secret in which the result opens; "" for any.
    `warnings`: who else may hold the key; and the address that answered, if it is not AWS's. Empty for a key from a file.
    """

    @property
    def words(self) -> str: ...
    @property
    def kms_key(self) -> str: ...
    @property
    def check_value(self) -> str: ...
    @property
    def opens_for(self) -> str: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...

    def choose(self, spec: KeySpec, size_bytes: int, asked: str | None) -> Choice: ...
    def wrap(self, algorithm: str, material: bytes | bytearray) -> bytes: ...


@dataclass(frozen=True, slots=True)
class RsaWrappingKey:
    """A public RSA key; its private key is in KMS, or will be imported there."""

    public_key: RSAPublicKey
    source: str
    kms_key: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"{self.source} (RSA_{self.public_key.key_size})"

    @property
    def check_value(self) -> str:
        der = self.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"SHA256:{hashlib.sha256(der).hexdigest().upper()}"

    @property
    def opens_for(self) -> str:
        return ""

    def choose(self, spec: KeySpec, size_bytes: int, asked: str | None) -> Choice:
        """The best algorithm for this size: the function chooses in the same way when it wraps for KMS."""
        if asked == SYMMETRIC:
            problem = f"SYMMETRIC_DEFAULT is for a symmetric key in KMS, and {self.source} is an RSA key."
            raise refused("--algorithm", problem, "Leave --algorithm out, or name a symmetric key of KMS.")
        if asked is not None:
            return Choice(asked, "as asked")
        wrapping_key_spec = f"RSA_{self.public_key.key_size}"
        best = choose_wrapping(spec, algorithm=None, wrapping_key_spec=wrapping_key_spec, size_bytes=size_bytes)
        return Choice(best, f"the best for {size_bytes} bytes of {spec.a_key} under {wrapping_key_spec}")

    def wrap(self, algorithm: str, material: bytes | bytearray) -> bytes:
        return wrapping.wrap(algorithm, self.public_key, material, where="--algorithm")


@dataclass(frozen=True, slots=True)
class KmsWrappingKey:
    """A symmetric key in KMS. `opens_for` is the encryption context of the function's Decrypt."""

    session: Session
    kms_key: str
    source: str
    opens_for: str
    warnings: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"{self.source} ({SYMMETRIC})" if self.source == self.kms_key else f"{self.source} = {self.kms_key}"

    @property
    def check_value(self) -> str:
        return ""

    def choose(self, spec: KeySpec, size_bytes: int, asked: str | None) -> Choice:  # noqa: ARG002  # there is only one way
        if asked not in (None, SYMMETRIC):
            problem = f"{asked} is for an RSA key, and {self.source} is a symmetric key of KMS."
            raise refused("--algorithm", problem, "Leave --algorithm out, or name an RSA key.")
        return Choice(SYMMETRIC, "as asked" if asked else "the only one for a symmetric key in KMS")

    def wrap(self, algorithm: str, material: bytes | bytearray) -> bytes:
        answer = self.session.call(
            "kms:Encrypt",
            where=WHERE,
            KeyId=self.kms_key,
            Plaintext=bytes(material),  # boto3 takes a copy that can't be wiped
            EncryptionAlgorithm=algorithm,
            EncryptionContext={consent.TAG: self.opens_for},
        )
        ciphertext: bytes = answer["CiphertextBlob"]
        return ciphertext


def is_of_kms(name: str) -> bool:
    """Whether it names a key in KMS (id, ARN, alias), and not a file. To name a file like that, write ./name."""
    return forms.KMS_KEY.fullmatch(name) is not None


def from_file(source: str) -> RsaWrappingKey:
    """Reads a public RSA key: PEM or DER, SubjectPublicKeyInfo or PKCS#1. Refused (`source`)."""
    data = sources.read_public(source, option=WHERE)
    if _PRIVATE.search(data):
        problem = "The file holds a private key, and material is wrapped under a public one."
        remedy = "Take the public key out of it: openssl pkey -in private.pem -pubout -out public.pem. Guard the private one."
        raise refused(source, problem, remedy)
    if pem.is_in(data, "CERTIFICATE"):
        problem = "The file holds a certificate, and a bare public key is expected."
        raise refused(source, problem, "Take it out: openssl x509 -in certificate.pem -pubkey -noout > public.pem.")
    key = _load(data)
    if key is None and text_in(data) and not pem.is_in(data):
        problem = f"The file holds text ({text_in(data)}), and no PEM: perhaps base64 that was not decoded."
        raise refused(source, problem, "Decode it first: base64 --decode < transport.b64 > transport.der.")
    if not isinstance(key, RSAPublicKey):
        problem = "The file holds no public RSA key in PEM or DER."
        remedy = "aws kms get-public-key gives one in DER (--query PublicKey --output text | base64 --decode)."
        raise refused(source, problem, remedy)
    if key.key_size not in _RSA_SIZES:
        sizes = ", ".join(map(str, _RSA_SIZES))
        problem = f"The RSA key has {key.key_size} bits, and the keys of KMS that unwrap have {sizes}."
        raise refused(source, problem, "Name the public key of an RSA key in KMS.")
    return RsaWrappingKey(key, source)


def _load(data: bytes) -> object:
    load = load_pem_public_key if pem.is_in(data) else load_der_public_key
    try:
        return load(data)
    except (ValueError, UnsupportedAlgorithm):
        return None


def from_kms(name: str, session: Session, *, secret: str | None, account: str | None) -> WrappingKey:
    """Looks at a key in KMS. Refused (--wrapping-key, --secret) unless material can be wrapped under it for a secret.

    `account`: the account of the secret; None for the account of the key.
    """
    address = session.address("kms")
    view = session.key(name, where=WHERE)
    if view.usage != "ENCRYPT_DECRYPT" or not (view.spec == SYMMETRIC or view.spec in WRAPPING_KEY_SPECS):
        problem = f"The key's spec is {view.spec} and its usage {view.usage}, and such a key wraps nothing."
        raise refused(WHERE, problem, "Name a SYMMETRIC_DEFAULT or RSA key for ENCRYPT_DECRYPT.")
    if view.state != "Enabled":
        problem = f"The key is {view.state}, and only an Enabled key wraps."
        raise refused(WHERE, problem, "Enable it, or name another.")
    who_else = transport_key.who_else_holds(view.origin)
    if view.spec == SYMMETRIC:
        if secret is None:
            problem = "Under a symmetric key of KMS, material is wrapped for one secret, whose name is missing."
            raise refused("--secret", problem, "Name it as Secrets Manager will: --secret orders/master-key.")
        elsewhere.require_unseen(address, where=WHERE)
        elsewhere_ = _elsewhere(address, "The plaintext goes there, too.")
        opens_for = f"{account or view.arn.split(':')[4]}/{secret}"
        return KmsWrappingKey(session, view.arn, name, opens_for, (*elsewhere_, *who_else))
    public = session.call("kms:GetPublicKey", where=WHERE, KeyId=view.arn)
    key = load_der_public_key(public["PublicKey"])
    if not isinstance(key, RSAPublicKey):
        raise TypeError("KMS gave another key than an RSA key.")
    elsewhere_ = _elsewhere(address, "The public key comes from there: compare its check value with paper.")
    return RsaWrappingKey(key, name, view.arn, (*elsewhere_, *who_else))


def _elsewhere(address: str, more: str) -> tuple[str, ...]:
    return tuple(f"{line} {more}" for line in elsewhere.warnings({"kms": address} if address else {}))
