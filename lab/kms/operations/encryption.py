"""Encryption: with the encryption context for symmetric keys, OAEP for RSA; data keys and random bytes (C-80)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from lab.kms import ciphertext, crypto
from lab.kms.call import Answer, Call, Target
from lab.kms.errors import KmsError, not_modelled, validation
from lab.kms.keys import Material
from lab.kms.material import invalid_ciphertext
from lab.kms.operations.usable import current, private_key_of, require_not_dry, usable
from lab.kms.specs import ENCRYPT

_SYMMETRIC = "SYMMETRIC_DEFAULT"
_DATA_KEY_BYTES = {"AES_256": 32, "AES_128": 16}
_NONCE_BYTES = 12


def encrypt(call: Call) -> Answer:
    algorithm = call.params.get("EncryptionAlgorithm", _SYMMETRIC)
    target = usable(call, ENCRYPT, algorithm)
    require_not_dry(call)
    sealed = _seal(call, target, algorithm, call.params["Plaintext"], call.params.get("EncryptionContext"))
    return {"CiphertextBlob": sealed, "KeyId": target.arn, "EncryptionAlgorithm": algorithm}


def _seal(call: Call, target: Target, algorithm: str, plaintext: bytes, context: Mapping[str, str] | None) -> bytes:
    material, secret = current(target)
    if algorithm == _SYMMETRIC:
        return ciphertext.seal(
            secret.encoded,
            key_id=target.family.key_id,
            material_id=material.id,
            nonce=call.backstage.random.randbytes(_NONCE_BYTES),
            plaintext=plaintext,
            context=context or {},
        )
    private_key = _rsa(target, context)
    return crypto.rsa_encrypt(private_key, algorithm, target.family.spec_name, plaintext)


def _rsa(target: Target, context: Mapping[str, str] | None) -> RSAPrivateKey:
    if context:
        raise validation("EncryptionContext cannot be used with asymmetric KMS keys.")
    private_key = private_key_of(target)
    if not isinstance(private_key, RSAPrivateKey):
        raise AssertionError("an encryption key that is not RSA")
    return private_key


@dataclass(frozen=True, slots=True)
class _Names:
    """The names that Decrypt and ReEncrypt use for the same parameters."""

    key: str
    context: str


def decrypt(call: Call) -> Answer:
    algorithm = call.params.get("EncryptionAlgorithm", _SYMMETRIC)
    names = _Names("KeyId", "EncryptionContext")
    target, material, plaintext = _open(call, algorithm, names)
    require_not_dry(call)
    answer: Answer = {"KeyId": target.arn, "Plaintext": plaintext, "EncryptionAlgorithm": algorithm}
    return answer | ({} if material is None else {"KeyMaterialId": material.id})


def _open(call: Call, algorithm: str, names: _Names) -> tuple[Target, Material | None, bytes]:
    if "CiphertextBlob" not in call.params:
        raise validation("CiphertextBlob is required.")
    blob, context = call.params["CiphertextBlob"], call.params.get(names.context)
    if algorithm != _SYMMETRIC:
        if names.key not in call.params:
            raise validation(f"{names.key} is required for asymmetric KMS keys.")
        target = usable(call, ENCRYPT, algorithm, parameter=names.key)
        return target, None, crypto.rsa_decrypt(_rsa(target, context), algorithm, blob)
    sealed = ciphertext.take_apart(blob)
    target = _key_of(call, sealed.key_id, names.key)
    material, holding = target.family.material(sealed.material_id), target.key.holdings.get(sealed.material_id)
    if material is None or holding is None:
        raise invalid_ciphertext()
    return target, material, ciphertext.open_sealed(sealed, holding.secret.encoded, context or {})


def _key_of(call: Call, key_id: str, parameter: str) -> Target:
    """The key that made a ciphertext. If the caller names a key, it must be that key."""
    if parameter in call.params:
        target = call.target(parameter, by_alias=True, cross_account=True)
        if target.family.key_id != key_id:
            raise KmsError(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            )
        return usable(call, ENCRYPT, _SYMMETRIC, parameter=parameter)
    family = call.store.family(key_id, call.now)
    key = None if family is None else family.keys.get(call.region)
    if key is None:
        raise invalid_ciphertext()
    named = replace(call, params={**call.params, parameter: key.arn})
    return usable(named, ENCRYPT, _SYMMETRIC, parameter=parameter)


def re_encrypt(call: Call) -> Answer:
    source_algorithm = call.params.get("SourceEncryptionAlgorithm", _SYMMETRIC)
    algorithm = call.params.get("DestinationEncryptionAlgorithm", _SYMMETRIC)
    source, material, plaintext = _open(call, source_algorithm, _Names("SourceKeyId", "SourceEncryptionContext"))
    target = usable(call, ENCRYPT, algorithm, parameter="DestinationKeyId")
    require_not_dry(call)
    answer: Answer = {
        "CiphertextBlob": _seal(call, target, algorithm, plaintext, call.params.get("DestinationEncryptionContext")),
        "SourceKeyId": source.arn,
        "KeyId": target.arn,
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
    }
    if material is not None:
        answer["SourceKeyMaterialId"] = material.id
    if algorithm == _SYMMETRIC:
        answer["DestinationKeyMaterialId"] = current(target)[0].id
    return answer


def generate_data_key(call: Call) -> Answer:
    plaintext, answer = _data_key(call)
    return answer | {"Plaintext": plaintext}


def generate_data_key_without_plaintext(call: Call) -> Answer:
    return _data_key(call)[1]


def _data_key(call: Call) -> tuple[bytes, Answer]:
    params = call.params
    if ("KeySpec" in params) == ("NumberOfBytes" in params):
        raise validation("Please specify either number of bytes or key spec.")
    target = usable(call, ENCRYPT, _SYMMETRIC)
    require_not_dry(call)
    size = params["NumberOfBytes"] if "NumberOfBytes" in params else _DATA_KEY_BYTES[params["KeySpec"]]
    plaintext = call.backstage.random.randbytes(size)
    sealed = _seal(call, target, _SYMMETRIC, plaintext, params.get("EncryptionContext"))
    answer = {"CiphertextBlob": sealed, "KeyId": target.arn, "KeyMaterialId": current(target)[0].id}
    return plaintext, answer


def generate_random(call: Call) -> Answer:
    for unknown in ("Recipient", "CustomKeyStoreId"):
        if unknown in call.params:
            raise not_modelled(unknown)
    if "NumberOfBytes" not in call.params:
        raise validation("NumberOfBytes is required.")
    return {"Plaintext": call.backstage.random.randbytes(call.params["NumberOfBytes"])}
