"""Loads one private key from DER, and says in words why it can't be loaded.

The cryptography library parses and verifies the key: strict DER, RSA's numbers and primes, EC's range and public point.
This is never switched off. Nothing can stop the library once it computes with large numbers. So algorithms other than RSA, EC
and Ed25519, and numbers longer than KMS takes, are refused before the library gets them.

The library's error texts are for developers ("Please file an issue"), partly wrong (a PKCS#8 without a version is called
encrypted), and may change. Here each cause has its own sentence, chosen by the container's shape (`der.py`).
`private_key_rules.py` checks whether the key fits the key spec.

Sources: RFC 5208, RFC 5958 (PKCS#8), RFC 8017 A.1 (PKCS#1), RFC 5915 (SEC1), RFC 8410 (Ed25519), RFC 4055 (RSA-PSS).
"""

from collections.abc import Callable, Mapping

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key

from imported_key_material.errors import Fault, Refused
from imported_key_material.material import der
from imported_key_material.material.der import Container, Element, Shape
from imported_key_material.material.key_specs import KEY_SPECS, EcKey, EdwardsKey, RsaKey
from imported_key_material.material.looks_like_text import text_in
from imported_key_material.material.words import Words

_RSA = bytes.fromhex("2a864886f70d010101")  # rsaEncryption, 1.2.840.113549.1.1.1
_RSA_PSS = bytes.fromhex("2a864886f70d01010a")  # id-RSASSA-PSS, 1.2.840.113549.1.1.10
_EC = bytes.fromhex("2a8648ce3d0201")  # id-ecPublicKey, 1.2.840.10045.2.1
_ED25519 = bytes.fromhex("2b6570")  # id-Ed25519, 1.3.101.112

RSA_MOST_BITS = max(spec.form.modulus_bits for spec in KEY_SPECS.values() if isinstance(spec.form, RsaKey))
# The numbers of an RSA key (RFC 8017, A.1.2) in their order, and how long each may be. From the first prime on, each number
# belongs to one prime.
_RSA_NUMBERS = (
    ("modulus", RSA_MOST_BITS),
    ("public exponent", RSA_MOST_BITS),
    ("private exponent", RSA_MOST_BITS),
    ("first prime", RSA_MOST_BITS // 2),
    ("second prime", RSA_MOST_BITS // 2),
    ("first CRT exponent", RSA_MOST_BITS // 2),
    ("second CRT exponent", RSA_MOST_BITS // 2),
    ("CRT coefficient", RSA_MOST_BITS // 2),
)
_SCALAR_BYTES = {  # by the curve's object identifier, without tag and length
    spec.form.oid[2:]: spec.form.scalar_bytes for spec in KEY_SPECS.values() if isinstance(spec.form, EcKey)
}

# Remedies. {words...} is filled with the reader's words.
_AGAIN = "Export it again, for example: openssl pkey -in old.pem -out new.pem."
_PRIVATE_KEY_WANTED = "{words.store} the private key in PKCS#8, PKCS#1 or SEC1, as PEM or DER."
_IF_NOT_WRAPPED = "If it is not, name the {words.holder} that holds the key, as PEM or DER."
_WRAPPED_LEAST_BYTES = 128  # wrapped under RSA it has more bytes; a bare private value has fewer
_UNDAMAGED = "Name the {words.holder} with the undamaged key, or make a new one."
_ED25519_VERSION_1 = (
    "{words.store} it in version 1, without the public key (RFC 8410, section 7): the 16 bytes "
    "302e020100300506032b657004220420 in hex, and behind them the 32 bytes of the seed."
)
_NOT_TAKEN = {
    Container.ENCRYPTED_PKCS8: "{words.if_encrypted}",
    Container.PKCS8_WITHOUT_VERSION: "Export it again as PKCS#8 (RFC 5208).",
    Container.PKCS8_VERSION_2: "Export it as PKCS#8 of version 1 (RFC 5208).",
    Container.PKCS1_MORE_PRIMES: "Make an RSA key of two primes: KMS takes no other.",
    Container.DSA: "Name a {words.holder} with an RSA, EC or Ed25519 key: KMS has no DSA keys.",
    Container.PUBLIC_KEY: _PRIVATE_KEY_WANTED,
    Container.CERTIFICATE: _PRIVATE_KEY_WANTED,
    Container.PKCS12: "Take the private key out of it: openssl pkcs12 -in file.p12 -nodes -nocerts.",
}


def load(data: bytearray, *, words: Words) -> PrivateKeyTypes:
    """Returns a valid key. Refused (material) with one reason."""
    encoded = der.without_filling(data)
    shape = _shape(encoded, words)
    fault = _container_fault(shape, words) or _algorithm_fault(shape, words) or _size_fault(shape, words)
    key = _load(encoded) if fault is None else None
    if key is None:
        raise Refused(fault or _diagnosis(shape, words))
    return key


def _fault(words: Words, problem: str, remedy: str) -> Fault:
    return Fault(words.material, problem, remedy.format(words=words))


def _load(encoded: memoryview) -> PrivateKeyTypes | None:
    """None where the library refuses the key. The library's exception ends here, since it may hold material."""
    try:
        return load_der_private_key(encoded, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
        return None


def _shape(encoded: memoryview, words: Words) -> Shape:
    if not encoded:
        raise Refused(_fault(words, "The material is empty.", _PRIVATE_KEY_WANTED))
    try:
        return der.read(encoded)
    except der.NotDerError as not_der:
        reason = str(not_der)
    text = text_in(encoded)
    if text:
        remedy = (
            "{words.store_or_wrap} the key itself. {words.encoding} says how a {words.holder}'s text is encoded; "
            "a PEM needs none."
        )
        raise Refused(_fault(words, f"The material reads as text ({text}), and is neither a PEM nor DER.", remedy))
    if encoded[0] != der.SEQUENCE:
        is_long = len(encoded) >= _WRAPPED_LEAST_BYTES
        remedy = f"{{words.if_wrapped}} {_IF_NOT_WRAPPED}" if is_long else _PRIVATE_KEY_WANTED
        raise Refused(_fault(words, "The material is neither a PEM nor DER.", remedy))
    raise Refused(_fault(words, f"The private key {reason}.", _AGAIN))


# ------------------------------------------------------------------------------------ what the library does not get to see


def _container_fault(shape: Shape, words: Words) -> Fault | None:
    container = shape.container
    if container is None:
        return _fault(words, "The material is DER, but no private key in PKCS#8, PKCS#1 or SEC1.", _PRIVATE_KEY_WANTED)
    if container is Container.PKCS8_VERSION_2 and shape.algorithm == _ED25519:
        return _fault(words, f"The material is {container.value}, and KMS is sent version 1.", _ED25519_VERSION_1)
    if container in _NOT_TAKEN:
        return _fault(words, f"The material is {container.value}.", _NOT_TAKEN[container])
    return None


def _algorithm_fault(shape: Shape, words: Words) -> Fault | None:
    """Only RSA, EC and Ed25519 keys pass: for a DSA key the library could compute for half an hour."""
    if shape.container is not Container.PKCS8:
        return None  # PKCS#1 and SEC1 have one algorithm each
    if shape.algorithm == _RSA_PSS:
        problem = "The private key is for RSA-PSS only (id-RSASSA-PSS), and a KMS key would not keep that limit."
        remedy = (
            "If it may be used without that limit: openssl rsa -traditional -in old.pem | sed s/RSA-PSS/RSA/ > new.pem."
        )
        return _fault(words, problem, remedy)
    if shape.algorithm not in _BY_ALGORITHM:
        problem = "KMS takes no private keys of this algorithm."
        return _fault(words, problem, "Name a {words.holder} with an RSA, EC or Ed25519 key.")
    expected = _WITHIN_PKCS8[shape.algorithm]
    return None if expected is (shape.inner and shape.inner.container) else _diagnosis(shape, words)


def _size_fault(shape: Shape, words: Words) -> Fault | None:
    """The library tests an RSA key's primes first. With large known primes that takes hours."""
    key = _key_in(shape)
    if key is None or key.container is not Container.PKCS1:
        return None
    for number, (what, most_bits) in zip(key.parts[1:], _RSA_NUMBERS, strict=True):
        bits = _bits(number)
        if bits > most_bits:
            problem = (
                f"The RSA key's {what} has {bits:,} bits, and the {what} of the largest key that KMS takes, "
                f"RSA_{RSA_MOST_BITS}, has {most_bits:,} at most."
            )
            return _fault(words, problem, "Name the {words.holder} with a key of the KMS key's own size.")
    return None


def _bits(number: Element) -> int:
    """The length of a number in bits, without the leading zero byte that keeps it positive."""
    first = number.content[:2]
    return int.from_bytes(first, "big").bit_length() + 8 * (len(number.content) - len(first))


def _key_in(shape: Shape) -> Shape | None:
    """The SEQUENCE with the key's numbers: for PKCS#8 the inner one. None where its DER can't be read."""
    return shape.inner if shape.container is Container.PKCS8 else shape


# ----------------------------------------------------------------------------------------- why the library refused a key


def _diagnosis(shape: Shape, words: Words) -> Fault:
    """Names the cause if the shape shows it; otherwise what the library verifies for this kind of key."""
    if shape.container is Container.SEC1:
        problem, remedy = _of_ec(shape)
    elif shape.container is Container.PKCS1:
        problem, remedy = _of_rsa(shape)
    else:
        problem, remedy = _BY_ALGORITHM[shape.algorithm](shape)
    return _fault(words, problem, remedy)


def _of_rsa(shape: Shape) -> tuple[str, str]:
    key, more = _key_in(shape), Container.PKCS1_MORE_PRIMES
    if key is not None and (key.container is more or (key.container is Container.PKCS1 and key.parts[0].is_byte(1))):
        return f"The material is {more.value}.", _NOT_TAKEN[more]
    problem = (
        "The private key is not a valid RSA key: its modulus is not the product of two primes, or its exponents and "
        "coefficient do not belong to them (RFC 8017, section 3.2)."
    )
    return problem, _UNDAMAGED


def _of_ec(shape: Shape) -> tuple[str, str]:
    key = _key_in(shape)
    parts, parameters = key.parts if key is not None else (), shape.parameters
    if shape.container is Container.SEC1:
        parameters = tuple(element for part in parts if part.tag == der.CONTEXT_0 for element in der.elements(part))
    if not parameters:
        return "The private key does not name its curve.", f"{_AGAIN} It must name the curve."
    if parameters[0].tag == der.SEQUENCE:
        problem = (
            "The private key describes its curve by explicit parameters that are not exactly those of P-256, P-384 or "
            "P-521; those of secp256k1 are not read, either."
        )
        return problem, "If it is one of KMS's curves: openssl pkey -in old.pem -ec_param_enc named_curve -out new.pem."
    expected_bytes = _SCALAR_BYTES.get(parameters[0].identifier())
    if expected_bytes is None:
        return "The private key is on a curve that KMS does not have.", "Make a key on the KMS key's own curve."
    scalar_bytes = len(parts[1].content) if len(parts) > 1 else 0
    if scalar_bytes != expected_bytes:
        problem = (
            f"The private value is encoded in {scalar_bytes} bytes, and on this curve it takes {expected_bytes} "
            "(RFC 5915, section 3): some programs strip leading zeros."
        )
        return problem, _AGAIN
    problem = (
        "The private key is not a valid EC key: its private value is zero or not below the order of the group, or its public "
        "point is not the one that belongs to it."
    )
    return problem, _UNDAMAGED


def _of_ed25519(_shape: Shape) -> tuple[str, str]:
    problem = (
        f"The private key is not a valid Ed25519 key: its seed does not have {EdwardsKey().seed_bytes} bytes, or its container "
        "is not that of RFC 8410, section 7."
    )
    return problem, _ED25519_VERSION_1


_About = Callable[[Shape], tuple[str, str]]  # problem, remedy
_BY_ALGORITHM: Mapping[bytes, _About] = {_RSA: _of_rsa, _EC: _of_ec, _ED25519: _of_ed25519}
_WITHIN_PKCS8: Mapping[bytes, Container | None] = {_RSA: Container.PKCS1, _EC: Container.SEC1, _ED25519: None}
