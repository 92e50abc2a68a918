"""Deviations in new keys, first imports, deletion, import tokens and encodings."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.keys import der
from lab.kms import material
from lab.kms.call import Answer, Call
from lab.kms.errors import KmsError, invalid_state, not_found, validation
from lab.kms.material import Secret
from lab.kms.operations import imports
from lab.kms.specs import Kind, Spec
from lab.kms.wrapping import Token, Wrapping
from lab.world import World
from tests.support.other_kms.planting import (
    DELETE,
    IMPORT,
    Deviation,
    Patch,
    Run,
    answered,
    in_other_words,
    instead,
    refused,
)

TEN_MINUTES = timedelta(minutes=10)

type Read = Callable[[bytes, Spec], Secret]

# ------------------------------------------------------------------------------------------------------------ new keys


def _shown_late(run: Run, call: Call) -> Answer:
    if call.now < call.target().key.created_at + TEN_MINUTES:
        raise not_found("Key does not exist")
    return run(call)


def _p384_by_oaep(call: Call) -> bool:
    is_oaep = str(call.params["WrappingAlgorithm"]).startswith("RSAES_OAEP")
    return is_oaep and call.target().family.spec_name == "ECC_NIST_P384"


def _born_enabled(answer: Answer, _: Call) -> Answer:
    metadata = answer["KeyMetadata"]
    return {"KeyMetadata": metadata | {"Enabled": True}}


def _other_id(answer: Answer, call: Call) -> Answer:
    return answer | {"KeyMaterialId": "f" * 64} if call.target().family.is_symmetric else answer


def _any_wrapping(_: World, patch: Patch) -> None:
    patch.setattr(imports, "may_wrap", lambda *_: True)


# ------------------------------------------------------------------------------------------- re-import, deletion, tokens


def _once_only(run: Run, call: Call) -> Answer:
    had_material = bool(call.target().key.holdings)
    answer = run(call)
    if had_material:
        raise KmsError("IncorrectKeyMaterialException")
    return answer


def _forgets(run: Run, call: Call) -> Answer:
    answer, family = run(call), call.target().family
    family.materials = []
    return answer


def _stays_empty(run: Run, call: Call) -> Answer:
    target = call.target()
    was_lost = bool(target.family.materials) and not target.key.holdings
    answer = run(call)
    if was_lost:
        target.key.holdings.clear()
    return answer


def _stays_disabled(run: Run, call: Call) -> Answer:
    key = call.target().key
    before = key.switched_on
    answer = run(call)
    key.switched_on = before
    return answer


def _spent(*, by_success: bool) -> Callable[[World, Patch], None]:
    """A token works once: it is spent by a success, or by a refusal."""

    def plant(world: World, patch: Patch) -> None:
        spent: set[bytes] = set()

        def change(run: Run, call: Call) -> Answer:
            token = call.params["ImportToken"]
            if token in spent:
                raise KmsError("InvalidImportTokenException")
            try:
                answer = run(call)
            except KmsError:
                spent.update(set() if by_success else {token})
                raise
            spent.update({token} if by_success else set())
            return answer

        instead("ImportKeyMaterial", change)(world, patch)

    return plant


def _any_token(_: World, patch: Patch) -> None:
    read = Wrapping.read

    def of_any_key(self: Wrapping, token: bytes, key_arn: str, now: Any) -> Token:
        return read(self, token, json.loads(token[32:])[0] or key_arn, now)

    patch.setattr(Wrapping, "read", of_any_key)


# --------------------------------------------------------------------------------------------------------- encodings


def _reads(change: Callable[[Read, bytes, Spec], Secret]) -> Callable[[World, Patch], None]:
    """Unwrapped bytes are read otherwise."""

    def plant(_: World, patch: Patch) -> None:
        read = material.read
        patch.setattr(material, "read", lambda unwrapped, spec: change(read, unwrapped, spec))

    return plant


def _by_numbers(kind: type) -> Callable[[World, Patch], None]:
    """Two encodings of one key are the same material."""

    def change(read: Read, unwrapped: bytes, spec: Spec) -> Secret:
        secret = read(unwrapped, spec)
        if not isinstance(secret.private_key, kind) or secret.private_key is None:
            return secret
        public = secret.private_key.public_key()
        return replace(secret, encoded=public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    return _reads(change)


def _version_2(read: Read, unwrapped: bytes, spec: Spec) -> Secret:
    if spec.kind is not Kind.EDWARDS:
        return read(unwrapped, spec)
    start = unwrapped.index(b"\x04\x22\x04\x20") + 4
    return read(der.ed25519(unwrapped[start : start + 32]), spec)


def _exact_length(read: Read, unwrapped: bytes, spec: Spec) -> Secret:
    if spec.kind is Kind.HMAC and len(unwrapped) != spec.min_bytes:
        raise material.invalid_ciphertext()
    return read(unwrapped, spec)


# ------------------------------------------------------------------------------------------------------------ the list

DEVIATIONS: tuple[Deviation, ...] = (
    Deviation("new-key-visible", "a new key is unknown for ten minutes", instead("DescribeKey", _shown_late)),
    Deviation("tag-shown", "a tag never counts", instead("TagResource", lambda *_: {})),
    Deviation(
        "first-keys-taken",
        "P-384 can't be wrapped by OAEP",
        refused("GetParametersForImport", validation("no OAEP"), _p384_by_oaep),
    ),
    Deviation("new-key-empty", "a new key is Enabled", answered("DescribeKey", _born_enabled)),
    Deviation("material-id", "the import answers another id", answered(IMPORT, _other_id)),
    Deviation(
        "public-key-bytes",
        "the public key has another encoding",
        answered("GetPublicKey", lambda answer, _: answer | {"PublicKey": answer["PublicKey"] + b"\0"}),
    ),
    Deviation(
        "mac-equals",
        "a MAC is made otherwise",
        answered("GenerateMac", lambda answer, _: answer | {"Mac": answer["Mac"][::-1]}),
    ),
    Deviation("wrapping-refused", "every wrapping is taken", _any_wrapping),
    Deviation("re-import-same", "the same bytes are refused", instead(IMPORT, _once_only)),
    Deviation("re-import-other", "a deletion makes the key new", instead(DELETE, _forgets)),
    Deviation(
        "delete-empties",
        "the material stays",
        instead(DELETE, lambda _, call: {"KeyId": call.target().arn}),
    ),
    Deviation(
        "delete-empty-key",
        "there must be something to delete",
        refused(DELETE, invalid_state("nothing there"), lambda call: not call.target().key.holdings),
    ),
    Deviation(
        "delete-unknown-material",
        "an unknown material is refused in other words",
        in_other_words(DELETE, "ValidationException", "ConflictException"),
    ),
    Deviation("restored-by-import", "a key stays empty", instead(IMPORT, _stays_empty)),
    Deviation("import-enables", "a key stays disabled", instead(IMPORT, _stays_disabled)),
    Deviation(
        "refused-import-spends-nothing",
        "a refused import spends the token",
        _spent(by_success=False),
        also=("token-twice",),
    ),
    Deviation("token-twice", "a token works once", _spent(by_success=True)),
    Deviation("token-of-another-key", "a token works for any key", _any_token),
    Deviation("rsa-der-or-numbers", "an RSA key's numbers are compared", _by_numbers(RSAPrivateKey)),
    Deviation("ec-der-or-numbers", "a curve's numbers are compared", _by_numbers(EllipticCurvePrivateKey)),
    Deviation("ed25519-encodings", "version 2 is read, too", _reads(_version_2)),
    Deviation("hmac-lengths", "an HMAC key is as long as its hash", _reads(_exact_length)),
)
