"""SoftHSM2, a real producer of wrapped keys: over PKCS#11, it makes keys inside that never leave it in the clear.

    with softhsm.token(folder) as hsm:
        key = hsm.ec_key("secp256r1")
        wrapped = hsm.wrap(key, transport_public_key, aes_bits=192).joined

SoftHSM2 has no CKM_RSA_AES_KEY_WRAP. `wrap` does the steps of that mechanism (PKCS#11 v3.1, section 6.1.23): it wraps a
session AES key by CKM_RSA_PKCS_OAEP, wraps the key under that AES key by CKM_AES_KEY_WRAP_PAD, and joins the two blocks.
SoftHSM2's OAEP supports only SHA-1. Tests compare what the HSM computes with a key (check value, MAC, public key, plaintext)
with KMS.

One token at a time in a process: the library reads SOFTHSM2_CONF when it is initialized. All of it is in `folder`.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pkcs11
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from pkcs11 import MGF, Attribute, GCMParams, KeyType, Mechanism
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import decode_rsa_public_key, encode_rsa_public_key

MODULES: Final = tuple(  # Debian's, Fedora's, and those of other builds and Homebrew
    Path(folder) / "libsofthsm2.so"
    for folder in ("/usr/lib/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm", "/opt/homebrew/lib/softhsm")
)
MISSING: Final = (
    "SoftHSM2 is not installed, and these tests wrap keys with it: apt-get install softhsm2 (on macOS: brew install "
    "softhsm). If it is elsewhere, name its libsofthsm2.so in SOFTHSM2_MODULE."
)
_PIN: Final = "1234"
_OAEP_SHA_1: Final = (Mechanism.SHA_1, MGF.SHA1, None)
_BORN: Final = {Attribute.TOKEN: False, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: True}
_TAG_BITS: Final = 128


class SoftHsmMissingError(RuntimeError):
    """SoftHSM2 is not installed. The tests that need it fail, and are never skipped."""


def module(places: Sequence[Path] = MODULES) -> str:
    """The path of SoftHSM2's library."""
    declared = os.environ.get("SOFTHSM2_MODULE")
    for place in (Path(declared),) if declared else places:
        if place.exists():
            return str(place)
    raise SoftHsmMissingError(MISSING)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The RSA block, which holds the AES key, and the AES block, which holds the key."""

    rsa_block: bytes
    aes_block: bytes

    @property
    def joined(self) -> bytes:
        """In the form of CKM_RSA_AES_KEY_WRAP."""
        return self.rsa_block + self.aes_block


@dataclass(frozen=True, slots=True)
class SecretKey:
    """An AES or a generic secret key inside the HSM, with what the HSM does with it."""

    handle: Any  # python-pkcs11 makes its classes at run time

    def check_value(self) -> str:
        """CKA_CHECK_VALUE, as the HSM shows it: for an AES key, the leftmost 3 bytes of an encrypted block of zeros."""
        return bytes(self.handle[Attribute.CHECK_VALUE]).hex()

    def cmac(self, message: bytes) -> bytes:
        return bytes(self.handle.sign(message, mechanism=Mechanism.AES_CMAC))

    def hmac(self, message: bytes, hash_name: str) -> bytes:
        return bytes(self.handle.sign(message, mechanism=getattr(Mechanism, f"{hash_name.upper()}_HMAC")))

    def decrypt_gcm(self, nonce: bytes, ciphertext_and_tag: bytes, associated: bytes) -> bytes:
        parameters = GCMParams(nonce, associated, _TAG_BITS)
        return bytes(self.handle.decrypt(ciphertext_and_tag, mechanism=Mechanism.AES_GCM, mechanism_param=parameters))


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key inside the HSM, and its public key as the HSM gives it: SubjectPublicKeyInfo in DER."""

    handle: Any
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Hsm:
    """A session with a token, logged in."""

    session: Any

    def aes_key(self, bits: int = 256) -> SecretKey:
        usage = {Attribute.SIGN: True, Attribute.DECRYPT: True, Attribute.WRAP: True}
        return SecretKey(self.session.generate_key(KeyType.AES, bits, template=_BORN | usage))

    def generic_secret(self, size_bytes: int) -> SecretKey:
        return SecretKey(
            self.session.generate_key(
                KeyType.GENERIC_SECRET,
                size_bytes * 8,
                template=_BORN | {Attribute.SIGN: True},
                mechanism=Mechanism.GENERIC_SECRET_KEY_GEN,
            )
        )

    def rsa_key(self, bits: int = 2048) -> PrivateKey:
        public, private = self.session.generate_keypair(
            KeyType.RSA, bits, public_template={Attribute.TOKEN: False}, private_template=_BORN
        )
        loaded = load_der_public_key(encode_rsa_public_key(public))  # PKCS#1
        return PrivateKey(private, loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def ec_key(self, curve: str = "secp256r1") -> PrivateKey:
        """`curve`: by its name in SEC 2."""
        named = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
        domain = self.session.create_domain_parameters(KeyType.EC, named, local=True)
        public, private = domain.generate_keypair(
            public_template={Attribute.TOKEN: False}, private_template=_BORN, mechanism=Mechanism.EC_KEY_PAIR_GEN
        )
        return PrivateKey(private, bytes(encode_ec_public_key(public)))

    def wrap(
        self,
        key: SecretKey | PrivateKey,
        transport: RSAPublicKey,
        *,
        aes_bits: int = 256,
        mechanism: Mechanism = Mechanism.AES_KEY_WRAP_PAD,
    ) -> Wrapped:
        """`mechanism` wraps the key. SoftHSM2's CKM_AES_KEY_WRAP_PAD is RFC 5649, its CKM_AES_KEY_WRAP RFC 3394."""
        numbers = decode_rsa_public_key(transport.public_bytes(Encoding.DER, PublicFormat.PKCS1))
        public = self.session.create_object(numbers | {Attribute.TOKEN: False, Attribute.WRAP: True})
        aes_key = self.aes_key(aes_bits).handle
        return Wrapped(
            public.wrap_key(aes_key, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=_OAEP_SHA_1),
            aes_key.wrap_key(key.handle, mechanism=mechanism),
        )


@contextmanager
def token(folder: Path, label: str = "custodian") -> Iterator[Hsm]:
    """A new token in `folder`, and a session with it. Unloads the library at the end; the caller removes the folder."""
    library = module()
    configuration = folder / "softhsm2.conf"
    (folder / "tokens").mkdir()
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    with mock.patch.dict(os.environ, {"SOFTHSM2_CONF": str(configuration)}):
        pins = ("--pin", _PIN, "--so-pin", _PIN)
        _softhsm2_util("--init-token", "--free", "--label", label, "--module", library, *pins)
        try:
            with pkcs11.lib(library).get_token(token_label=label).open(rw=True, user_pin=_PIN) as session:
                yield Hsm(session)
        finally:
            pkcs11.unload(library)


def _softhsm2_util(*arguments: str) -> None:
    """Runs the library's tool, since python-pkcs11 does not have PKCS#11's C_InitToken."""
    try:
        command = ["softhsm2-util", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)  # noqa: S603  # a tool of the tests
    except FileNotFoundError:
        raise SoftHsmMissingError(MISSING) from None
    if done.returncode != 0:
        raise AssertionError(f"softhsm2-util {arguments[0]}: {done.stderr.decode()}")
