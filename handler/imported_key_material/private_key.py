"""Loads one private key of DER, and says in words why it can't be.

The cryptography library parses and verifies: strict DER, RSA's numbers and primes, EC's range and public point. It is never
told to skip that. Its own error texts are for developers ("Please file an issue"), wrong in places (a PKCS#8 without a version
is called encrypted), and may change: here each cause has a sentence of ours, found by the container's shape (`der.py`).
What a key must be for a key spec is checked in `asymmetric.py`.

Sources: RFC 5208, RFC 5958 (PKCS#8), RFC 8017 A.1 (PKCS#1), RFC 5915 (SEC1), RFC 8410 (Ed25519), RFC 4055 (RSA-PSS).
"""

from collections.abc import Callable, Mapping

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key

from imported_key_material import der
from imported_key_material.der import Container, Element
from imported_key_material.errors import Fault, Refused
from imported_key_material.key_specs import KEY_SPECS, EcKey, EdwardsKey, RsaKey
from imported_key_material.pem import DECRYPT_FIRST
from imported_key_material.readable import text_in

_RSA = bytes.fromhex("2a864886f70d010101")  # rsaEncryption, 1.2.840.113549.1.1.1
_RSA_PSS = bytes.fromhex("2a864886f70d01010a")  # id-RSASSA-PSS, 1.2.840.113549.1.1.10
_EC = bytes.fromhex("2a8648ce3d0201")  # id-ecPublicKey, 1.2.840.10045.2.1
_ED25519 = bytes.fromhex("2b6570")  # id-Ed25519, 1.3.101.112

RSA_MOST_BITS = max(spec.form.modulus_bits for spec in KEY_SPECS.values() if isinstance(spec.form, RsaKey))
_SCALAR_BYTES = {spec.form.oid: spec.form.scalar_bytes for spec in KEY_SPECS.values() if isinstance(spec.form, EcKey)}

_AGAIN = "Export it again, for example: openssl pkey -in old.pem -out new.pem."
_PRIVATE_KEY_WANTED = "Store the private key in PKCS#8, PKCS#1 or SEC1, as PEM or DER."
_ED25519_VERSION_1 = (
    "Store it in version 1, without the public key (RFC 8410, section 7): the 16 bytes 302e020100300506032b657004220420 in "
    "hex, and behind them the 32 bytes of the seed."
)
_NOT_TAKEN = {
    Container.ENCRYPTED_PKCS8: DECRYPT_FIRST,
    Container.PKCS8_WITHOUT_VERSION: "Export it again as PKCS#8 (RFC 5208).",
    Container.PKCS8_VERSION_2: "Export it as PKCS#8 of version 1 (RFC 5208).",
    Container.PKCS1_MORE_PRIMES: "Make an RSA key of two primes: KMS takes no other.",
    Container.DSA: "Name a secret with an RSA, EC or Ed25519 key: KMS has no DSA keys.",
    Container.PUBLIC_KEY: _PRIVATE_KEY_WANTED,
    Container.CERTIFICATE: _PRIVATE_KEY_WANTED,
    Container.PKCS12: "Take the private key out of it: openssl pkcs12 -in file.p12 -nodes -nocerts.",
}


def load(data: bytes | bytearray, *, where: str) -> PrivateKeyTypes:
    """Returns the key; its numbers are those of a valid key. Refused (`where`) with the one reason."""
    data = der.without_filling(data)
    parts = _parts(data, where)
    fault = _refused_by_shape(parts, where) or _too_large(parts, where)
    if fault is not None:
        raise Refused(fault)
    key = _loaded(data)
    if key is None:
        raise Refused(_diagnosis(parts, where))
    return key


def _loaded(data: bytes | bytearray) -> PrivateKeyTypes | None:
    """None where the library refuses. What it raises ends here: it may hold more than its text."""
    try:
        return load_der_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
        return None


def _parts(data: bytes | bytearray, where: str) -> tuple[Element, ...]:
    if not data:
        raise Refused(Fault(where, "The material is empty.", _PRIVATE_KEY_WANTED))
    try:
        return der.sequence(bytes(data))
    except der.NotDerError as not_der:
        reason = str(not_der)
    text = text_in(data)
    if text:
        remedy = "Store or wrap the key itself. MaterialEncoding says how a secret's text is encoded; a PEM needs none."
        raise Refused(Fault(where, f"The material reads as text ({text}), and is neither a PEM nor DER.", remedy))
    if data[0] != der.SEQUENCE:
        raise Refused(Fault(where, "The material is neither a PEM nor DER.", _PRIVATE_KEY_WANTED))
    raise Refused(Fault(where, f"The private key {reason}.", _AGAIN))


def _refused_by_shape(parts: tuple[Element, ...], where: str) -> Fault | None:
    container = der.container(parts)
    if container is None:
        return Fault(where, "The material is DER, but no private key in PKCS#8, PKCS#1 or SEC1.", _PRIVATE_KEY_WANTED)
    if container is Container.PKCS8_VERSION_2 and der.algorithm(parts[1]) == _ED25519:
        return Fault(where, f"The material is {container.value}, and KMS is sent version 1.", _ED25519_VERSION_1)
    if container in _NOT_TAKEN:
        return Fault(where, f"The material is {container.value}.", _NOT_TAKEN[container])
    if container is Container.PKCS8 and der.algorithm(parts[1]) == _RSA_PSS:
        problem = "The private key is for RSA-PSS alone (id-RSASSA-PSS), a limit that a KMS key does not keep."
        remedy = "If it may be used without it: openssl rsa -traditional -in old.pem | sed s/RSA-PSS/RSA/ > new.pem."
        return Fault(where, problem, remedy)
    return None


def _too_large(parts: tuple[Element, ...], where: str) -> Fault | None:
    """The library tests both primes before anything else, and nothing stops it: with known large ones it takes hours."""
    if der.container(parts) is Container.PKCS8:
        parts = _inner(parts[2]) if der.algorithm(parts[1]) == _RSA else ()
    bits = 8 * max((len(part.content) for part in parts if part.tag == der.INTEGER), default=0)
    if bits <= RSA_MOST_BITS + 8:  # a leading zero byte keeps a number positive
        return None
    problem = f"The private key has a number of {bits:,} bits, and the largest key that KMS takes is RSA of {RSA_MOST_BITS:,}."
    return Fault(where, problem, "Name the secret with a key of the KMS key's own size.")


# ----------------------------------------------------------------------------------------- why the library refused a key


def _diagnosis(parts: tuple[Element, ...], where: str) -> Fault:
    """Finds the cause as far as the shape shows it; else names what the library verifies for this kind of key."""
    if der.container(parts) is Container.SEC1:
        problem, remedy = _of_ec(parts, None)
    elif der.container(parts) is Container.PKCS1:
        problem, remedy = _of_rsa(parts)
    else:
        algorithm, inner = parts[1], parts[2]
        about = _BY_ALGORITHM.get(der.algorithm(algorithm), _of_another)
        problem, remedy = about(_inner(inner), algorithm)
    return Fault(where, problem, remedy)


def _inner(octets: Element) -> tuple[Element, ...]:
    """The parts of the key within PKCS#8; none where they can't be read."""
    try:
        return der.sequence(octets.content)
    except der.NotDerError:
        return ()


def _of_rsa(parts: tuple[Element, ...], _algorithm: Element | None = None) -> tuple[str, str]:
    if der.container(parts) is Container.PKCS1_MORE_PRIMES or (parts and parts[0].content == b"\1"):
        return f"The material is {Container.PKCS1_MORE_PRIMES.value}.", _NOT_TAKEN[Container.PKCS1_MORE_PRIMES]
    problem = (
        "The private key is not a valid RSA key: its modulus is not the product of two primes, or its exponents and "
        "coefficient do not belong to them (RFC 8017, section 3.2)."
    )
    return problem, "Name the secret with the undamaged key, or make a new one."


def _of_ec(parts: tuple[Element, ...], algorithm: Element | None) -> tuple[str, str]:
    if algorithm is not None:
        parameters = _elements(algorithm)[1:2]
    else:
        parameters = tuple(element for part in parts if part.tag == der.CONTEXT_0 for element in _elements(part))
    if not parameters:
        return "The private key does not name its curve.", f"{_AGAIN} It must name the curve."
    if parameters[0].tag == der.SEQUENCE:
        problem = (
            "The private key describes its curve by explicit parameters that are not exactly those of P-256, P-384 or "
            "P-521; those of secp256k1 are not read, either."
        )
        return problem, "If it is one of KMS's curves: openssl pkey -in old.pem -ec_param_enc named_curve -out new.pem."
    curve = bytes([parameters[0].tag, len(parameters[0].content)]) + parameters[0].content
    expected_bytes = _SCALAR_BYTES.get(curve)
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
    return problem, "Name the secret with the undamaged key, or make a new one."


def _of_ed25519(_inner_parts: tuple[Element, ...], _algorithm: Element) -> tuple[str, str]:
    problem = (
        f"The private key is not a valid Ed25519 key: its seed does not have {EdwardsKey().seed_bytes} bytes, or its container "
        "is not that of RFC 8410, section 7."
    )
    return problem, _ED25519_VERSION_1


def _of_another(_inner_parts: tuple[Element, ...], _algorithm: Element) -> tuple[str, str]:
    return (
        "The private key is of an algorithm that KMS takes no keys of.",
        "Name a secret with an RSA, EC or Ed25519 key.",
    )


_About = Callable[[tuple[Element, ...], Element], tuple[str, str]]  # the key's parts, its algorithm: problem, remedy
_BY_ALGORITHM: Mapping[bytes, _About] = {_RSA: _of_rsa, _EC: _of_ec, _ED25519: _of_ed25519}


def _elements(element: Element) -> tuple[Element, ...]:
    try:
        return der.elements(element.content)
    except der.NotDerError:
        return ()
