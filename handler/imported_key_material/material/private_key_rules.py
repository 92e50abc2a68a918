"""Checks a private key against a key spec, and encodes it for KMS.

The library has verified that the key is valid (`private_key.py`). This module refuses valid keys that must not be imported:
another type, curve or size than the key spec's; weak RSA keys (close primes, a tiny private exponent, primes of unequal
length); EC and Ed25519 keys whose private value is not random. KMS would take some of these, permanently.

The result is the library's PKCS#8 in DER: version 1, named curve, with EC's public point, without attributes.

Sources: FIPS 186-5, A.1.1 (criteria for RSA keys) and A.2 (EC private values); RFC 5208, RFC 5915, RFC 8410.
"""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from imported_key_material.errors import Fault
from imported_key_material.material.der import SEQUENCE
from imported_key_material.material.key_specs import KEY_SPECS, EcKey, EdwardsKey, KeySpec, RsaKey
from imported_key_material.material.not_random import pattern_in
from imported_key_material.material.pem import PemKey
from imported_key_material.material.words import Words

AsymmetricForm = RsaKey | EcKey | EdwardsKey

PUBLIC_EXPONENT_MOST_BITS = 256  # FIPS 186-5, A.1.1: e < 2^256
EC_LEAST_BITS = 64  # a private value closer than this to 0 or to the order is found by trying

_ANOTHER_KEY = "Make a new key with a well-known generator, for example openssl genpkey."


def faults_of(
    key: PrivateKeyTypes, spec: KeySpec, form: AsymmetricForm, *, pem: PemKey | None, words: Words
) -> Iterator[Fault]:
    """Yields everything that is wrong with a valid key for this key spec. `pem`: the PEM that held the key, if any."""
    found, where = _form_of(key), words.material
    if found != form:
        problem = f"The private key is {_words(key)}, and {spec.a_key} takes {_form_words(form)}."
        remedy = f"Name the {words.holder} that holds the right key, or {words.fitting_key}."
        yield Fault(where, problem, remedy)
    if pem is not None and pem.ec_parameters is not None and not _fit(pem.ec_parameters, found, pem.der):
        problem = "The EC PARAMETERS in the PEM are not of the private key's curve."
        yield Fault(where, problem, "Leave them out: the key names its curve itself.")
    if isinstance(key, RSAPrivateKey):
        yield from _rsa_faults(key, where)
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(found, EcKey):
        yield from _ec_faults(key, found, where)
    if isinstance(key, Ed25519PrivateKey):
        yield from _pattern_faults("seed", key.private_bytes_raw(), where)


def pkcs8(key: PrivateKeyTypes) -> bytearray:
    """Returns PKCS#8 in DER. RSA's private exponent and the order of its primes are not changed."""
    return bytearray(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def public_key(key: PrivateKeyTypes) -> bytes:
    """Returns the SubjectPublicKeyInfo in DER, as GetPublicKey returns it."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public_exponent(key: PrivateKeyTypes) -> int | None:
    """Returns an RSA key's e. No value is refused here. If KMS refuses the key, an e other than 65537 may be the reason."""
    return key.private_numbers().public_numbers.e if isinstance(key, RSAPrivateKey) else None


# ---------------------------------------------------------------------------------------------------- type, curve, size

_CURVES = {spec.form.curve.name: spec.form for spec in KEY_SPECS.values() if isinstance(spec.form, EcKey)}


def _form_of(key: PrivateKeyTypes) -> AsymmetricForm | None:
    """The form of a key; None where no key spec has it. The library also loads some other curves."""
    if isinstance(key, RSAPrivateKey):
        return RsaKey(key.key_size)
    if isinstance(key, EllipticCurvePrivateKey):
        return _CURVES.get(key.curve.name)
    return EdwardsKey() if isinstance(key, Ed25519PrivateKey) else None


def _words(key: PrivateKeyTypes) -> str:
    form = _form_of(key)
    if form is not None:
        return _form_words(form)
    curve = f" (it is on {key.curve.name})" if isinstance(key, EllipticCurvePrivateKey) else ""
    return f"of a kind that KMS does not have{curve}"


def _form_words(form: AsymmetricForm) -> str:
    if isinstance(form, RsaKey):
        return f"an RSA key of {form.modulus_bits} bits"
    return f"an EC key on {form.curve_words}" if isinstance(form, EcKey) else "an Ed25519 key"


def _fit(ec_parameters: bytes, form: AsymmetricForm | None, der: bytearray) -> bool:
    """Whether they name the key's curve, or are the same bytes as in the key, which the library has checked."""
    if not isinstance(form, EcKey):
        return False
    return ec_parameters == form.oid or (ec_parameters.startswith(bytes([SEQUENCE])) and ec_parameters in der)


# ----------------------------------------------------------------------------------------------------- valid, but weak


def _rsa_faults(key: RSAPrivateKey, where: str) -> Iterator[Fault]:
    """The criteria of FIPS 186-5, A.1.1 that the library does not verify. Each fault is a way to factor the modulus."""
    numbers = key.private_numbers()
    half_bits = key.key_size // 2
    if numbers.d >= numbers.public_numbers.n:
        problem = "The RSA key's private exponent is not below the modulus (RFC 8017, section 3.2)."
        yield Fault(where, problem, "Write the key again with a program that reduces it, or make a new one.")
    if numbers.public_numbers.e.bit_length() > PUBLIC_EXPONENT_MOST_BITS:
        problem = f"The RSA key's public exponent is 2^{PUBLIC_EXPONENT_MOST_BITS} or more (FIPS 186-5, A.1.1)."
        yield Fault(where, problem, _ANOTHER_KEY)
    # Equal length means half the modulus: two primes of L bits make a modulus of 2L bits (or 2L - 1, which no key spec has).
    if numbers.p.bit_length() != numbers.q.bit_length():
        problem = "The RSA key's primes are not both half as long as the modulus (FIPS 186-5, A.1.1)."
        yield Fault(where, problem, _ANOTHER_KEY)
    if abs(numbers.p - numbers.q) <= 1 << (half_bits - 100):
        problem = "The RSA key's primes are so close to each other that Fermat's method finds them (FIPS 186-5, A.1.1)."
        yield Fault(where, problem, _ANOTHER_KEY)
    if numbers.d <= 1 << half_bits:
        problem = "The RSA key's private exponent is so small that it can be found (FIPS 186-5, A.1.1)."
        yield Fault(where, problem, _ANOTHER_KEY)


def _ec_faults(key: EllipticCurvePrivateKey, form: EcKey, where: str) -> Iterator[Fault]:
    value = key.private_numbers().private_value
    if min(value, form.curve.group_order - value) < 1 << EC_LEAST_BITS:
        problem = "The private value is so close to zero, or to the order of the group, that it can be found by trying."
        yield Fault(where, problem, _ANOTHER_KEY)
    else:
        yield from _pattern_faults("private value", value.to_bytes(form.scalar_bytes, "big"), where)


def _pattern_faults(what: str, value: bytes, where: str) -> Iterator[Fault]:
    pattern = pattern_in(value)
    if pattern:
        yield Fault(where, f"The private key's {what} is not random: {pattern}.", _ANOTHER_KEY)
