"""Asks KMS whether a key holds the material whose check value is on paper, and says what the answer proves.

    asymmetric  GetPublicKey: the public key's SHA-256 is the check value. This proves that the key holds
                the private key that belongs to the check value
    HMAC        VerifyMac: a MAC that the material made. KMS takes no empty message and no shortened MAC, so it can't verify the
                check value itself (the MAC of an empty message). The MAC is computed here from the material, or comes from
                the paper, where it stands beside the check value
    symmetric   DescribeKey: CurrentKeyMaterialId, which KMS binds to the key and the bytes. It is compared with the id on
                paper. This is never PROVED: no call of KMS shows a check value of a symmetric key, and the id on paper
                comes from a stack or a log, not from the material. The function's log is the evidence: it has the id beside
                the check value of the imported bytes. (Encrypt and Decrypt would show that the key works, but not with
                which bytes)

All calls only read: nothing here changes a key. PROVED means that KMS proves it, and nothing less. If a value comes from a
report and not from paper, the sentences say so, and that the report itself proves nothing.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from imported_key_material.aws.held_materials import HeldMaterials, State
from imported_key_material.aws.key_view import KeyView
from imported_key_material.errors import ServiceRefused
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import KeySpec, Kind, key_spec
from imported_key_material.material.proof import CONFIRMATION_MESSAGE, Confirmation
from key_custodian.errors import refused
from key_custodian.paper import Paper
from key_custodian.session import Session, if_allowed

WHERE: Final = "KEY"
_BY_LOG: Final = (
    "KMS has no call that shows the check value of a symmetric key. The function's log shows it: its line "
    '"imported" has the key_material_id beside the check_value, which the same invocation computed from the bytes.'
)

_REPORT: Final = "Nor who wrote the report: it is not signed. Compare what it gave with the paper."

_PUBLIC_KEY: Final = "the public key that KMS gives"
_NOT_BY_MAC: Final = "KMS shows no check value of an HMAC key, and the MAC is compared instead"
_NOT_BY_ID: Final = "KMS shows no check value of a symmetric key"


class Verdict(enum.Enum):
    PROVED = "PROVED"
    SAME_ID = "SAME ID"  # KMS shows the KeyMaterialId that is on paper, but not which check value belongs to it
    OTHER = "NOT SO"  # KMS shows that the key holds other material
    NOT_SHOWN = "NOT SHOWN"


@dataclass(frozen=True, slots=True)
class Finding:
    """What KMS showed, and what that proves. `by`: the method, None where KMS showed nothing.

    `compared_with`: what the check value on paper was compared with; if "", `not_compared` says why it was not.
    """

    verdict: Verdict
    by: Confirmation | None
    found: str
    proves: str = ""
    does_not_show: str = ""
    check_value: str = ""  # of the public key that KMS shows
    compared_with: str = ""
    not_compared: str = "KMS showed nothing"


@dataclass(frozen=True, slots=True)
class Key:
    """A key that takes imported material, as DescribeKey shows it."""

    view: KeyView
    spec: KeySpec


def look(session: Session, key_id: str) -> Key:
    """Refused (KEY) where the key takes no imported material."""
    view = session.key(key_id, where=WHERE)
    if view.origin != "EXTERNAL":
        problem = f"The key's Origin is {view.origin}: its material was made in AWS, and not imported."
        raise refused(WHERE, problem, "Name the key with Origin EXTERNAL.")
    return Key(view, key_spec(view.spec, partition=view.arn.split(":")[1]))


def prove(session: Session, key: Key, paper: Paper) -> Finding:
    state = key.view.state
    if state == "PendingImport":
        return Finding(
            Verdict.NOT_SHOWN, None, "The key is PendingImport: it holds no material, or has lost one of its materials."
        )
    if not key.view.holds_material:
        return Finding(Verdict.NOT_SHOWN, None, f"The key is {state}: KMS does not show whether it holds its material.")
    finding = _PROOFS[key.spec.kind](session, key, paper)
    if finding.does_not_show and paper.is_reported:
        return replace(finding, does_not_show=f"{finding.does_not_show} {_REPORT}")
    return finding


def _by_public_key(session: Session, key: Key, paper: Paper) -> Finding:
    public_key: bytes = session.call("kms:GetPublicKey", where=WHERE, KeyId=key.view.arn)["PublicKey"]
    shown = check_value.compute(key.spec, public_key)
    if not paper.expected.matches(public_key):
        return Finding(
            Verdict.OTHER,
            Confirmation.PUBLIC_KEY,
            f"The public key that KMS gives has the check value {shown}, and another one is {paper.place}.",
            proves="The key holds another private key.",
            check_value=shown,
            compared_with=_PUBLIC_KEY,
        )
    return Finding(
        Verdict.PROVED,
        Confirmation.PUBLIC_KEY,
        f"The public key that KMS gives has the check value {shown}.",
        proves=f"The key holds the private key of the public key {paper.place}: the check value is the SHA-256 of the whole "
        "public key, and KMS takes the public key from the private key that was imported.",
        does_not_show="Who else holds the private key.",
        check_value=shown,
        compared_with=_PUBLIC_KEY,
    )


def _by_mac(session: Session, key: Key, paper: Paper) -> Finding:
    other = False
    try:
        session.call(
            "kms:VerifyMac",
            where=WHERE,
            KeyId=key.view.arn,
            Message=CONFIRMATION_MESSAGE,
            Mac=paper.mac,
            MacAlgorithm=key.spec.mac_algorithm,
        )
    except ServiceRefused as error:
        if error.code != "KMSInvalidMacException":
            raise
        other = True
    mac = f"the MAC {paper.whose_mac}"
    material = "the material" if paper.mac_made_here else f"the material that made {mac}"
    compared_with = "the material, here" if paper.mac_made_here else ""
    if other:
        return Finding(
            Verdict.OTHER,
            Confirmation.MAC,
            f"KMS does not verify {mac} (KMSInvalidMacException).",
            proves=f"The key holds other bytes than {material}.",
            compared_with=compared_with,
            not_compared=_NOT_BY_MAC,
        )
    does_not_show = "KMS can't be asked for an HMAC key's check value, the MAC of an empty message. "
    if paper.mac_made_here:
        does_not_show += "It was compared with the material itself, here."
    else:
        does_not_show += paper.who_joins
    return Finding(
        Verdict.PROVED,
        Confirmation.MAC,
        f"KMS verifies {mac}.",
        proves=f"The key holds {material}: other bytes make other MACs (zero bytes behind a key aside, RFC 2104).",
        does_not_show=does_not_show,
        compared_with=compared_with,
        not_compared=_NOT_BY_MAC,
    )


def _by_material_id(session: Session, key: Key, paper: Paper) -> Finding:
    if not key.view.current_material_id:
        return Finding(
            Verdict.NOT_SHOWN,
            None,
            "KMS shows no CurrentKeyMaterialId of the key, so there is nothing to compare with paper.",
            does_not_show=_BY_LOG,
            not_compared=_NOT_BY_ID,
        )
    current = f"The key's current material is {key.view.current_material_id}"
    if not paper.material_id:
        return Finding(
            Verdict.NOT_SHOWN,
            None,
            f"{current}, and no KeyMaterialId was given to compare it with: --key-material-id.",
            does_not_show=_BY_LOG,
            not_compared=_NOT_BY_ID,
        )
    if key.view.current_material_id.lower() != paper.material_id.lower():
        return Finding(
            Verdict.OTHER,
            Confirmation.KEY_MATERIAL_ID,
            f"{current}, and {_another(session, key, paper.material_id)}",
            proves="The key does not use the material on paper.",
            not_compared=_NOT_BY_ID,
        )
    return Finding(
        Verdict.SAME_ID,
        Confirmation.KEY_MATERIAL_ID,
        f"{current}, as on paper.",
        proves="The key holds the same bytes that were imported under that KeyMaterialId: KMS binds the id to the key and the "
        "bytes, and takes no other bytes in their place.",
        does_not_show=f"Whether those bytes have the check value {paper.place}. {_BY_LOG} Look there for this id.",
        not_compared=_NOT_BY_ID,
    )


_OTHER_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        State.SUPERSEDED: "The key holds that one as earlier material: it decrypts what was encrypted before the rotation.",
        State.PENDING: "That one is staged, and becomes current by a rotation.",
        State.PENDING_IN_REPLICAS: "That one is staged, and not in every replica yet.",
    }
)


def _another(session: Session, key: Key, material_id: str) -> str:
    """How the key relates to the material on paper. An id that KMS does not list is not repeated: it may be anything."""
    unlisted = "another one is on paper."
    parameters = {"KeyId": key.view.arn, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
    pages = if_allowed(lambda: session.pages("kms:ListKeyRotations", where=WHERE, **parameters))
    if pages is None:
        return unlisted
    for held in HeldMaterials.of_pages(pages):
        if held.id.lower() == material_id.lower():
            return f"{material_id} is on paper. {_OTHER_STATES.get(held.state, '')}".rstrip()
    return f"{unlisted} The key never had that one."


_PROOFS: Final[Mapping[Kind, Callable[[Session, Key, Paper], Finding]]] = MappingProxyType(
    {
        Kind.SYMMETRIC: _by_material_id,
        Kind.HMAC: _by_mac,
        Kind.RSA: _by_public_key,
        Kind.EC: _by_public_key,
        Kind.EDWARDS: _by_public_key,
    }
)
