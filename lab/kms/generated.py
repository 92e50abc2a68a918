"""Material that KMS makes itself, for keys of origin AWS_KMS: transport keys, and bystanders.

All of it comes from the seed, except RSA keys, which can't be seeded. They are made once per process and handed out in order,
so that the keys of one KMS differ from each other, and two runs of one seed get the same keys.
"""

import functools
import threading
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lab.kms.material import PrivateKey, Secret
from lab.kms.specs import Kind, Spec

_making = threading.Lock()


@functools.cache
def _make_rsa(bits: int, number: int) -> RSAPrivateKey:
    del number  # it only distinguishes the cached keys
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class Generator:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._rsa_keys_given: dict[int, int] = {}

    def secret(self, spec: Spec) -> Secret:
        if spec.is_secret:
            return Secret(self._random.randbytes(spec.min_bytes))
        key = self._private_key(spec)
        return Secret(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), key)

    def _private_key(self, spec: Spec) -> PrivateKey:
        if spec.kind is Kind.RSA:
            number = self._rsa_keys_given.get(spec.modulus_bits, 0)
            self._rsa_keys_given[spec.modulus_bits] = number + 1
            with _making:
                return _make_rsa(spec.modulus_bits, number)
        if spec.kind is Kind.EDWARDS or spec.curve is None:
            return Ed25519PrivateKey.from_private_bytes(self._random.randbytes(32))
        # One bit short of the curve's size: below the order of every one of these curves, and never 0 in practice.
        return ec.derive_private_key(1 + self._random.getrandbits(spec.curve.key_size - 2), spec.curve)
