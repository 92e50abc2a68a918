"""Checks a wrapped file without opening it, before `key-custodian put` stores it.

Only the function opens the file, so other mistakes appear only at the deployment. This module finds plaintext instead of
wrapped material, text that was not decoded, and a length that the algorithm never gives.
"""

from collections.abc import Iterator
from typing import Final

from imported_key_material.aws import transport_key
from imported_key_material.aws.transport_key import SYMMETRIC
from imported_key_material.errors import Fault, Refused
from imported_key_material.material import der, wrapping
from imported_key_material.material.key_specs import (
    AES_WRAP_SHA_1,
    AES_WRAP_SHA_256,
    OAEP_CAPACITY_BYTES,
    WRAPPING_KEY_SPECS,
    CipherKey,
    KeySpec,
    Kind,
    MacKey,
)
from imported_key_material.material.looks_like_text import text_in

MOST_BYTES: Final = 6144  # of a CiphertextBlob of kms:Decrypt
GCM_BYTES: Final = 12 + 16  # nonce and tag: a ciphertext of KMS is at least this much longer than the plaintext
_MODULUS_BYTES: Final = tuple(map(transport_key.modulus_bytes, WRAPPING_KEY_SPECS))
_AES_WRAPS: Final = (AES_WRAP_SHA_256, AES_WRAP_SHA_1)
_WRAP_FIRST: Final = "Wrap it first: key-custodian wrap. To store plaintext on purpose: --plaintext."
_MAKE_AGAIN: Final = "Check --algorithm and --wrapping-key, or wrap it again: key-custodian wrap."


def check(data: bytes, spec: KeySpec, algorithm: str, *, modulus_bytes: int | None, where: str) -> None:
    """Refused (`where`) with the first reason why the function can't open it with `algorithm`.

    `modulus_bytes`: of the transport key; None where it is not known.
    """
    found = next(_faults(data, spec, algorithm, modulus_bytes, where), None)
    if found is not None:
        raise Refused(found)


def _faults(data: bytes, spec: KeySpec, algorithm: str, modulus_bytes: int | None, where: str) -> Iterator[Fault]:
    """The clearest reason first."""
    if b"-----BEGIN " in data:
        yield Fault(where, "The file holds a PEM: that is a key in plaintext, not wrapped material.", _WRAP_FIRST)
    text = text_in(data)
    if text:
        problem = f"The file holds text ({text}), and wrapped material is bytes."
        yield Fault(
            where, problem, "If it is base64 or hex, decode it first; if it is a key, wrap it: key-custodian wrap."
        )
    if _is_container(data):
        yield Fault(where, "The file holds a key in plaintext, not wrapped material.", _WRAP_FIRST)
    if len(data) > MOST_BYTES:
        problem = f"The file holds {len(data)} bytes, and wrapped material has at most {MOST_BYTES}."
        yield Fault(where, problem, _MAKE_AGAIN)
    if algorithm in OAEP_CAPACITY_BYTES and spec.kind is Kind.RSA:
        problem = f"{algorithm} carries no RSA private key: it is too large for that."
        yield Fault("--algorithm", problem, f"Wrap it with {AES_WRAP_SHA_256}.")
    yield from _size_faults(data, spec, algorithm, modulus_bytes, where)


def _is_container(data: bytes) -> bool:
    try:
        return der.read(data).container is not None
    except der.NotDerError:
        return False


def _size_faults(data: bytes, spec: KeySpec, algorithm: str, modulus_bytes: int | None, where: str) -> Iterator[Fault]:
    size, moduli = len(data), _MODULUS_BYTES if modulus_bytes is None else (modulus_bytes,)
    if algorithm == SYMMETRIC:
        least = spec.form.size_bytes + GCM_BYTES if isinstance(spec.form, CipherKey | MacKey) else GCM_BYTES
        if size < least:
            problem = f"The file holds {size} bytes, and a ciphertext of KMS of {spec.a_key} has {least} or more."
            yield Fault(where, problem, _WRAP_FIRST)
    elif algorithm in _AES_WRAPS:
        if not any(_splits(data, modulus) for modulus in moduli):
            sizes = " or ".join(map(str, moduli))
            problem = (
                f"The file holds {size} bytes, and {algorithm} gives {sizes} bytes of the RSA block and, behind them, a "
                "multiple of 8, 16 or more, of the AES block."
            )
            yield Fault(where, problem, _MAKE_AGAIN)
    elif size not in moduli:
        sizes = " or ".join(map(str, moduli))
        yield Fault(where, f"The file holds {size} bytes, and {algorithm} gives {sizes}.", _MAKE_AGAIN)


def _splits(data: bytes, modulus_bytes: int) -> bool:
    try:
        wrapping.split_rsa_aes(data, modulus_bytes)
    except Refused:
        return False
    return True
