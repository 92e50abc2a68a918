"""Check values: a custodian compares the HSM's screen with them by eye, before the import.

For secret keys they are short on purpose: they detect a wrong secret, and do not help to guess the key. No error shows the
actual check value of a secret key. For asymmetric keys it is the whole SHA-256 of the public key, which is no secret.

    SYMMETRIC_DEFAULT  CMAC    leftmost 5 bytes of AES-CMAC over 16 zero bytes   NIST SP 800-38B; ANSI X9.24-1, PCI PIN 15-1
                       ECB     leftmost 3 bytes of AES-ECB of 16 zero bytes      CKA_CHECK_VALUE of PKCS#11
    HMAC_*             HMAC    leftmost 5 bytes of the HMAC of an empty message  RFC 2104, with the key spec's hash
    asymmetric         SHA256  SHA-256 of the SubjectPublicKeyInfo in DER        RFC 5280, section 4.1

A SYMMETRIC_DEFAULT key in China is an SM4 key. No standard defines a check value for it, so none is computed or accepted.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from imported_key_material.errors import Fault, Refused
from imported_key_material.material.key_specs import CipherKey, Form, KeySpec, MacKey
from imported_key_material.material.words import PROPERTIES, Words

Key = bytes | bytearray


def aes_cmac(key: Key, message: bytes) -> bytes:
    """AES-CMAC (NIST SP 800-38B, RFC 4493), 16 bytes."""
    cmac = CMAC(algorithms.AES(key))
    cmac.update(message)
    return cmac.finalize()


def aes_block(key: Key, block: bytes) -> bytes:
    """One block of AES (FIPS 197). ECB mode of a single block is the cipher itself."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  # one block of zeros: a check value
    return encryptor.update(block) + encryptor.finalize()


def hmac_digest(key: Key, message: bytes, hash_name: str) -> bytes:
    """HMAC (RFC 2104) with a hash that hashlib names."""
    return hmac.digest(key, message, hash_name)


class _Method(NamedTuple):
    """One way to compute a check value: how many hex digits it has, and how few may be declared."""

    name: str
    fewest_digits: int
    most_digits: int
    value: Callable[[Key], bytes]

    @property
    def length_words(self) -> str:
        if self.fewest_digits == self.most_digits:
            return f"{self.most_digits} hex digits"
        return f"{self.fewest_digits} to {self.most_digits} hex digits (an even number)"

    def digits(self, key: Key) -> str:
        return self.value(key).hex().upper()[: self.most_digits]


_CMAC = _Method("CMAC", 6, 10, lambda key: aes_cmac(key, bytes(16)))
_ECB = _Method("ECB", 6, 6, lambda key: aes_block(key, bytes(16)))
_SHA256 = _Method("SHA256", 64, 64, lambda public_key: hashlib.sha256(public_key).digest())


def _hmac_method(hash_name: str) -> _Method:
    return _Method("HMAC", 6, 10, lambda key: hmac_digest(key, b"", hash_name))


_BY_CIPHER: Mapping[str, tuple[_Method, ...]] = MappingProxyType({"AES": (_CMAC, _ECB), "SM4": ()})


def _methods(form: Form) -> tuple[_Method, ...]:
    """The methods for a kind of key. `compute` uses the first."""
    if isinstance(form, CipherKey):
        return _BY_CIPHER[form.cipher]
    return (_hmac_method(form.hash_name),) if isinstance(form, MacKey) else (_SHA256,)


def compute(spec: KeySpec, key: Key) -> str:
    """Returns the check value, such as "CMAC:377822C093"; "" where none is defined (SM4).

    `key`: the secret bytes, of a length that the key spec takes; for an asymmetric key its SubjectPublicKeyInfo in DER.
    """
    return next(iter(compute_all(spec, key)), "")


def compute_all(spec: KeySpec, key: Key) -> tuple[str, ...]:
    """Returns the check values of every method for this kind of key, starting with the check value of `compute`."""
    return tuple(f"{method.name}:{method.digits(key)}" for method in _methods(spec.form))


@dataclass(frozen=True, slots=True)
class ExpectedCheckValue:
    """A declared check value whose form is right for one key spec. Made by `check_expected_form`."""

    text: str
    _method: _Method
    _digits: str

    def matches(self, key: Key) -> bool:
        """Compares the declared digits with the key's check value. `key`: as for `compute`."""
        return hmac.compare_digest(self._method.digits(key)[: len(self._digits)], self._digits)


def check_expected_form(value: str, spec: KeySpec, *, words: Words = PROPERTIES) -> ExpectedCheckValue:
    """Refused (check value) where the value is no check value for this key spec. It is not quoted, since it may be a key."""
    methods = _methods(spec.form)
    if not methods:
        problem = f"In China {spec.a_key} is an SM4 key, for which no check value is agreed."
        raise Refused(Fault(words.check_value_place, problem, f"Leave {words.check_value} out."))
    prefix, _, digits = value.upper().partition(":")
    for method in methods:
        fits = method.fewest_digits <= len(digits) <= method.most_digits and len(digits) % 2 == 0
        if value.isascii() and prefix == method.name and fits and re.fullmatch("[0-9A-F]+", digits):
            return ExpectedCheckValue(value, method, digits)
    forms = ", or ".join(f"{method.name}: and {method.length_words}" for method in methods)
    problem = f"The value is not a check value of a key of spec {spec.name}."
    raise Refused(Fault(words.check_value_place, problem, f"Write {forms}."))


def differs(spec: KeySpec, key: Key, *, words: Words) -> Fault:
    """The fault of a key whose check value is not the declared one."""
    where, remedy = words.check_value_place, f"{words.name_the_key}, or correct {words.check_value}."
    if isinstance(spec.form, CipherKey | MacKey):
        return Fault(where, "The material has another check value than the one declared.", remedy)
    problem = f"The public key's check value is {compute(spec, key)}, and another one is declared."
    return Fault(where, problem, remedy)
