"""What a KMS key does with its material: real MACs, signatures, key agreement and RSA encryption (C-111).

Symmetric ciphertexts are in `ciphertext.py`. Every refusal is KMS's own. State, usage and algorithm are checked before.
"""

import hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from lab.kms.errors import KmsError, not_modelled, validation
from lab.kms.material import PrivateKey, Secret, invalid_ciphertext

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "SHA_1": hashes.SHA1(),  # noqa: S303  # OAEP with SHA-1 is one of KMS's algorithms
    "SHA_224": hashes.SHA224(),
    "SHA_256": hashes.SHA256(),
    "SHA_384": hashes.SHA384(),
    "SHA_512": hashes.SHA512(),
}


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    """The hash that ends an algorithm's name."""
    return _HASHES["_".join(algorithm.split("_")[-2:])]


def mac(secret: Secret, algorithm: str, message: bytes) -> bytes:
    """RFC 2104. `algorithm` ends with the hash's name: HMAC_SHA_256."""
    return hmac.digest(secret.encoded, message, _hash(algorithm).name)


def public_key(private_key: PrivateKey) -> bytes:
    """SubjectPublicKeyInfo, DER."""
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# ----------------------------------------------------------------------------------------------------------- signatures


def sign(private_key: PrivateKey, algorithm: str, message: bytes, message_type: str) -> bytes:
    if isinstance(private_key, Ed25519PrivateKey):
        _require_plain_ed25519(algorithm, message_type)
        return private_key.sign(message)
    hash_ = _signed_hash(algorithm, message, message_type)
    if isinstance(private_key, RSAPrivateKey):
        return private_key.sign(message, _rsa_padding(algorithm), hash_)
    return private_key.sign(message, ec.ECDSA(hash_))


def is_signature(private_key: PrivateKey, algorithm: str, message: bytes, message_type: str, signature: bytes) -> bool:
    try:
        if isinstance(private_key, Ed25519PrivateKey):
            _require_plain_ed25519(algorithm, message_type)
            private_key.public_key().verify(signature, message)
            return True
        hash_ = _signed_hash(algorithm, message, message_type)
        if isinstance(private_key, RSAPrivateKey):
            private_key.public_key().verify(signature, message, _rsa_padding(algorithm), hash_)
        else:
            private_key.public_key().verify(signature, message, ec.ECDSA(hash_))
    except InvalidSignature:
        return False
    return True


def _signed_hash(algorithm: str, message: bytes, message_type: str) -> hashes.HashAlgorithm | Prehashed:
    hash_ = _hash(algorithm)
    if message_type == "RAW":
        return hash_
    if message_type != "DIGEST":
        raise validation(f"MessageType {message_type} is not valid for algorithm {algorithm}.")
    if len(message) != hash_.digest_size:
        raise validation(f"Digest is invalid length for algorithm {algorithm}.")
    return Prehashed(hash_)


def _rsa_padding(algorithm: str) -> padding.PSS | padding.PKCS1v15:
    if algorithm.startswith("RSASSA_PKCS1"):
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(_hash(algorithm)), padding.PSS.DIGEST_LENGTH)


def _require_plain_ed25519(algorithm: str, message_type: str) -> None:
    if algorithm != "ED25519_SHA_512":
        raise not_modelled(algorithm)
    if message_type != "RAW":
        raise validation(f"MessageType {message_type} is not valid for algorithm {algorithm}.")


# ------------------------------------------------------------------------------------------------------- RSA encryption


def _oaep(algorithm: str) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(_hash(algorithm)), _hash(algorithm), None)


def rsa_encrypt(private_key: RSAPrivateKey, algorithm: str, spec_name: str, plaintext: bytes) -> bytes:
    capacity = private_key.key_size // 8 - 2 * _hash(algorithm).digest_size - 2
    if len(plaintext) > capacity:
        raise validation(
            f"Algorithm {algorithm} and key spec {spec_name} cannot encrypt data larger than {capacity} bytes."
        )
    return private_key.public_key().encrypt(plaintext, _oaep(algorithm))


def rsa_decrypt(private_key: RSAPrivateKey, algorithm: str, ciphertext: bytes) -> bytes:
    try:
        return private_key.decrypt(ciphertext, _oaep(algorithm))
    except ValueError:
        raise invalid_ciphertext() from None


# -------------------------------------------------------------------------------------------------------- key agreement


def shared_secret(private_key: EllipticCurvePrivateKey, peer_der: bytes) -> bytes:
    try:
        peer = load_der_public_key(peer_der)
        if not isinstance(peer, EllipticCurvePublicKey):
            raise TypeError("not a key on a curve")
        return private_key.exchange(ec.ECDH(), peer)
    except (ValueError, TypeError):
        raise KmsError("ValidationException", "The public key is not valid for this KMS key.") from None
