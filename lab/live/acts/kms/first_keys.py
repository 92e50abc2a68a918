"""The act of the first import of each kind: every key spec that the product imports, wrapped as the product wraps it first."""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from imported_key_material.errors import Refused
from imported_key_material.material.key_specs import (
    AES_WRAP_SHA_256,
    KEY_SPECS,
    OAEP_SHA_256,
    WRAPPING_KEY_SPECS,
    CipherKey,
    KeySpec,
    MacKey,
    choose_wrapping,
    key_spec,
)
from lab.keys.private_keys import key_for, pkcs8_der, spki_der
from lab.keys.random_keys import random_key
from lab.live.act import Act
from lab.live.acts.kms.by_hand import EMPTY, ENABLED, INVALID, SUCCESS, ByHand, code_of
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen

NOT_OFFERED: Final = ("UnsupportedOperationException", INVALID)  # CreateKey, where the Region lacks a key spec
MESSAGE: Final = b"what a key is used for"
# What KMS takes for no key of this spec (docs/internals/kms-contract.md, C-10 to C-13), under an RSA_2048 wrapping public key.
NOT_TAKEN: Final = (
    ("SYMMETRIC_DEFAULT", AES_WRAP_SHA_256),
    ("RSA_2048", OAEP_SHA_256),
    ("ECC_NIST_P521", OAEP_SHA_256),
    ("ECC_NIST_EDWARDS25519", OAEP_SHA_256),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One key spec. `code`: of its first import. `proven`: KMS shows these bytes by a public key or a MAC; None: not asked."""

    spec: KeySpec
    key: str
    wrapping: tuple[str, str]
    is_born_empty: bool
    code: str
    state: str = ""
    shows_material_id: bool | None = None
    proven: bool | None = None

    @property
    def row(self) -> dict[str, Any]:
        algorithm, wrapping_key_spec = self.wrapping
        return {
            "algorithm": algorithm,
            "wrapping_key_spec": wrapping_key_spec,
            "import": self.code,
            "state": self.state,
            "proven": self.proven,
        }


def first_keys(stage: Stage) -> Iterator[Finding]:
    """Each key spec: a new key is empty, takes its material, and shows it."""
    kms = ByHand.of(stage)
    trials, not_offered = list[Trial](), list[str]()
    for spec in _specs(stage.account.partition):
        found = _trial(kms, spec)
        if isinstance(found, Trial):
            trials.append(found)
        else:
            not_offered.append(f"{spec.name} ({found})")
    yield from _imports(trials, not_offered)
    yield from _proofs(trials)
    yield _refusals(kms, trials)


def _specs(partition: str) -> Iterator[KeySpec]:
    """Without those that the product does not import in this partition."""
    for name in KEY_SPECS:
        try:
            yield key_spec(name, partition=partition)
        except Refused:
            continue


def _trial(kms: ByHand, spec: KeySpec) -> Trial | str:
    """The error's code if this Region does not offer the key spec."""
    try:
        key = kms.stage.made.key(f"first-{spec.name.lower().replace('_', '-')}", spec.name)
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        if code not in NOT_OFFERED:
            raise
        return code
    born = kms.describe(key)
    private, material = _material(spec)
    kms.stage.secret_bytes(material)
    wrapping = _wrapping(spec, len(material))
    answer: Mapping[str, Any] = {}

    def import_() -> None:
        nonlocal answer
        sealer = kms.sealer(key, *wrapping)
        answer = kms.known(lambda: sealer.import_(material))

    code = code_of(import_)
    begun = Trial(spec, key, wrapping, _is_empty(born), code)
    if code != SUCCESS:
        return begun
    shown = kms.becomes(key, ENABLED)
    state, material_id = str(shown["KeyState"]), answer.get("KeyMaterialId")
    shows_id = bool(material_id) and shown.get("CurrentKeyMaterialId") == material_id
    has_none = "KeyMaterialId" not in answer and "CurrentKeyMaterialId" not in shown
    is_right = shows_id if isinstance(spec.form, CipherKey) else has_none
    proven = _is_proven(kms, spec, key, private or material) if state == ENABLED else False
    return Trial(spec, key, wrapping, begun.is_born_empty, code, state, is_right, proven)


def _is_empty(metadata: Mapping[str, Any]) -> bool:
    shown = {"ExpirationModel", "ValidTo", "CurrentKeyMaterialId"} & set(metadata)
    return metadata["KeyState"] == EMPTY and not metadata["Enabled"] and not shown


def _material(spec: KeySpec) -> tuple[PrivateKeyTypes | None, bytes]:
    """The private key of an asymmetric spec, and the bytes to import."""
    if isinstance(spec.form, CipherKey | MacKey):
        return None, random_key(spec.form.size_bytes)
    private = key_for(spec.name)
    return private, pkcs8_der(private)


def _wrapping(spec: KeySpec, size_bytes: int) -> tuple[str, str]:
    """The product's first choice of algorithm, and the smallest wrapping key spec with which it works."""
    for wrapping_key_spec in WRAPPING_KEY_SPECS:
        try:
            algorithm = choose_wrapping(
                spec, algorithm=spec.wrapping[0], wrapping_key_spec=wrapping_key_spec, size_bytes=size_bytes
            )
        except Refused:
            continue
        return algorithm, wrapping_key_spec
    raise AssertionError(f"{spec.name}: no wrapping public key is large enough")


def _is_proven(kms: ByHand, spec: KeySpec, key: str, ours: PrivateKeyTypes | bytes) -> bool | None:
    """None for symmetric keys, of which no call shows the bytes."""
    if not isinstance(ours, bytes):
        return bool(kms.at_rest(lambda: kms.client.get_public_key(KeyId=key))["PublicKey"] == spki_der(ours))
    if not isinstance(spec.form, MacKey):
        return None
    given = {"KeyId": key, "Message": MESSAGE, "MacAlgorithm": spec.mac_algorithm}
    mac = hmac.digest(ours, MESSAGE, spec.form.hash_name)
    is_verified = kms.code_at_rest(lambda: kms.client.verify_mac(**given, Mac=mac)) == SUCCESS
    return is_verified and kms.at_rest(lambda: kms.client.generate_mac(**given))["Mac"] == mac


# ------------------------------------------------------------------------------------------------------------- findings


def _imports(trials: list[Trial], not_offered: list[str]) -> Iterator[Finding]:
    not_taken = [f"{one.spec.name} ({one.code})" for one in trials if (one.code, one.state) != (SUCCESS, ENABLED)]
    yield judged(
        "first-keys-taken",
        "KMS takes the material of each key spec that it offers, wrapped as the product's table says",
        f"{len(trials) - len(not_taken)} of {len(trials)} key specs; not taken: {_listed(not_taken)}; "
        f"not offered in this Region: {_listed(not_offered)}",
        holds=bool(trials) and not not_taken,
        table={one.spec.name: one.row for one in trials},
        not_offered=not_offered,
    )
    not_empty = [one.spec.name for one in trials if not one.is_born_empty]
    yield judged(
        "new-key-empty",
        "A new key of Origin EXTERNAL is PendingImport and not Enabled, and shows no expiry and no material",
        f"otherwise: {_listed(not_empty)}",
        holds=not not_empty,
    )


def _proofs(trials: list[Trial]) -> Iterator[Finding]:
    taken = [one for one in trials if one.code == SUCCESS]
    wrong_id = [one.spec.name for one in taken if not one.shows_material_id]
    yield judged(
        "material-id",
        "ImportKeyMaterial and DescribeKey show the same KeyMaterialId for a symmetric key, and none for other keys",
        f"otherwise: {_listed(wrong_id)}",
        holds=not wrong_id,
    )
    for assumption, is_mac, expected in (
        ("public-key-bytes", False, "GetPublicKey is the SubjectPublicKeyInfo of the private key, byte for byte"),
        ("mac-equals", True, "KMS makes and verifies the same MACs as the imported bytes do outside of it"),
    ):
        asked = [one for one in taken if one.proven is not None and isinstance(one.spec.form, MacKey) is is_mac]
        wrong = [one.spec.name for one in asked if not one.proven]
        if asked:
            yield judged(assumption, expected, f"{len(asked)} keys; otherwise: {_listed(wrong)}", holds=not wrong)
        else:
            yield not_seen(assumption, "no such key was taken", expected)


def _refusals(kms: ByHand, trials: list[Trial]) -> Finding:
    keys = {one.spec.name: one.key for one in trials}
    codes = {
        f"{name}, {algorithm}": _offered(kms, keys[name], algorithm) for name, algorithm in NOT_TAKEN if name in keys
    }
    return judged(
        "wrapping-refused",
        f"Where the product's table has no wrapping, GetParametersForImport is a {INVALID}",
        "; ".join(f"{what}: {code}" for what, code in codes.items()),
        holds=set(codes.values()) == {INVALID},
        codes=codes,
    )


def _offered(kms: ByHand, key: str, algorithm: str) -> str:
    return code_of(lambda: kms.sealer(key, algorithm))


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


ACT: Final = Act(
    "first-keys",
    "The first import of each kind",
    (
        "first-keys-taken",
        "new-key-empty",
        "material-id",
        "public-key-bytes",
        "mac-equals",
        "wrapping-refused",
    ),
    makes=f"{len(KEY_SPECS)} keys",
    deadline_seconds=90,
    play=first_keys,
    dollars=0.05,
)
