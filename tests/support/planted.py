"""Secrets with canaries in them: the material bare, in a text, in a PEM, within a wrapping. For tests that look for leaks."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from lab.keys.at_rest import encrypted, transport_key, wrapped
from lab.keys.canaries import Canaries
from lab.keys.private_keys import key_for, pkcs8_der, pkcs8_pem
from lab.keys.random_keys import random_key
from lab.world import SIGNATURE, World

KEY = random_key(32)
P256, RSA = "ECC_NIST_P256", "RSA_2048"
SYMMETRIC, AES_WRAP = "SYMMETRIC_DEFAULT", "RSA_AES_KEY_WRAP_SHA_256"
# What a user put where no plaintext belongs. No words of the function's own sentences.
IN_A_VALUE = "7=+/& krokodil quer zitrone"
IN_A_NAME = "8=+/& jugendstil vexierbild"

# Here each property holds 32 or 16 random bytes in a form that the property's rule accepts, so that AWS is called.
# Without ExpectedCheckValue: it is an attribute, so it is shown on purpose.
_MISTAKEN = random_key(33)[1:]
_HEX = _MISTAKEN.hex()
IN_ITS_FORM = {
    "KeyId": f"mrk-{_HEX[:32]}",
    "SecretId": base64.b64encode(_MISTAKEN).decode(),
    "SecretVersionId": _HEX,
    "SecretVersionStage": base64.b64encode(_MISTAKEN).decode(),
    "SecretJsonKey": base64.b64encode(_MISTAKEN).decode(),
    "SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": f"alias/{_HEX}"},
    "KeyMaterialDescription": _HEX,
    "PreviousSecretVersionIds": [_HEX],
    "Trigger": base64.b64encode(_MISTAKEN).decode(),
}


@dataclass(frozen=True)
class Planted:
    """A secret's value, how it is declared, and what of it must not come out."""

    spec: str
    value: bytes | str
    declared: dict[str, Any]
    canaries: Canaries

    def create(self, world: World, **more: Any) -> dict[str, Any]:
        secret = world.secret(self.value)
        declared = {"SecretId": secret.name} | self.declared | more
        return world.create_request(world.external_key(self.spec), **declared)


def planted(spec: str, value: bytes | str, *, of: dict[str, bytes], **declared: Any) -> Planted:
    canaries = Canaries(signature=SIGNATURE, in_a_value=IN_A_VALUE, in_a_name=IN_A_NAME, in_its_form=_MISTAKEN, **of)
    return Planted(spec, value, declared, canaries)


def _private_parts(spec: str) -> dict[str, bytes]:
    key = key_for(spec)
    if isinstance(key, RSAPrivateKey):
        return {"prime": key.private_numbers().p.to_bytes(128)}
    if isinstance(key, EllipticCurvePrivateKey):
        return {"private_value": key.private_numbers().private_value.to_bytes(32)}
    raise TypeError(spec)


def raw(_world: World) -> Planted:
    return planted(SYMMETRIC, KEY, of={"material": KEY})


def in_base64(_world: World) -> Planted:
    return planted("HMAC_256", base64.b64encode(KEY).decode(), of={"material": KEY})


def in_json(_world: World) -> Planted:
    value = json.dumps({"key": KEY.hex()})
    return planted("HMAC_256", value, of={"material": KEY}, SecretJsonKey="key", MaterialEncoding="HEX")


def in_pem(_world: World) -> Planted:
    return planted(RSA, pkcs8_pem(key_for(RSA)), of=_private_parts(RSA))


def in_der(_world: World) -> Planted:
    return planted(P256, pkcs8_der(key_for(P256)), of=_private_parts(P256))


def wrapped_by_kms(world: World) -> Planted:
    unwrap = transport_key(world, SYMMETRIC)
    blob = encrypted(world, unwrap, KEY)
    wrapping = {"Algorithm": SYMMETRIC, "KeyId": unwrap}
    return planted(SYMMETRIC, blob, of={"material": KEY, "blob": blob[-60:]}, SecretWrapping=wrapping)


def wrapped_by_an_hsm(world: World) -> Planted:
    unwrap = transport_key(world, AES_WRAP)
    blob = wrapped(world, unwrap, AES_WRAP, pkcs8_pem(key_for(P256)).encode())
    of = {**_private_parts(P256), "rsa_block": blob[:60], "aes_block": blob[-60:]}
    return planted(P256, blob, of=of, SecretWrapping={"Algorithm": AES_WRAP, "KeyId": unwrap})


KINDS: list[Callable[[World], Planted]] = [
    raw,
    in_base64,
    in_json,
    in_pem,
    in_der,
    wrapped_by_kms,
    wrapped_by_an_hsm,
]
