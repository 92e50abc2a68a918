"""Explains why KMS refused material: its own texts are empty, or do not say why.

`place`: the secret and its version, in Secrets Manager's names (`Fault.found_in`).
"""

from collections.abc import Sequence

from imported_key_material.aws.held_materials import HeldMaterial
from imported_key_material.aws.key_view import KeyView
from imported_key_material.errors import Fault
from imported_key_material.lifecycle.checks import Prepared
from imported_key_material.material.key_specs import KeySpec, Kind
from imported_key_material.material.proof import Proof


def other_material(spec: KeySpec, place: str, *, on_replica: bool = False) -> Fault:
    """The key and the secret hold different bytes, and NewMaterial is REFUSE."""
    if on_replica:
        rule = "a multi-Region replica takes the bytes that its primary holds"
        remedy = "Name the secret version that holds them; new material is first staged in the primary's Region."
    elif spec.kind is Kind.SYMMETRIC:
        rule = "a symmetric key takes new material only by a rotation, and NewMaterial is REFUSE"
        remedy = (
            "Name the secret version that holds the key's material; or declare NewMaterial: STAGE or ROTATE, which can't be "
            "taken back; or declare a new key for the new material."
        )
    else:
        rule = f"{spec.a_key} never takes other material than its first, not even after a deletion"
        remedy = "Name the secret version that holds the key's material, or declare a new key for the new material."
    return Fault(
        "SecretId",
        f"The secret holds other material than the key holds or ever used (IncorrectKeyMaterialException), and {rule}.",
        remedy,
        place,
    )


def lost_material(lost: Sequence[HeldMaterial]) -> Fault:
    """The key is unusable, and new material would not make it usable."""
    return Fault(
        "KeyId",
        f"The key lost material that it once had ({', '.join(one.id for one in lost)}), and takes new material only once all "
        "of it is there again.",
        "PreviousSecretVersionIds names the secret versions that bring it back.",
    )


def superseded_material(view: KeyView, place: str) -> Fault:
    """The key holds the bytes only as earlier material. No fault if the properties that locate the secret are unchanged."""
    return Fault(
        "SecretVersionId",
        f"The key holds these bytes as earlier material; a rotation has made {view.current_material_id} current, "
        "and a key can't go back.",
        "Name the secret version that holds the current material, or declare a new key.",
        place,
    )


def refused_material(prepared: Prepared, proof: Proof, place: str, code: str) -> Fault | None:
    """The fault behind KMS's error code; None if we can't explain it by the material."""
    if code == "IncorrectKeyMaterialException":
        # The DER of an RSA key is not canonical, and `Sealing` has checked that the public keys are equal.
        if proof.public_key is not None and prepared.view.holds_material:
            return Fault(
                "SecretId",
                f"The secret holds the key's own {prepared.spec.name} key in another encoding, and KMS compares the encoding "
                f"({code}).",
                "Name the secret version from which the material was first imported.",
                place,
            )
        return other_material(prepared.spec, place, on_replica=prepared.view.is_replica)
    if code == "InvalidCiphertextException" and prepared.spec.kind is Kind.RSA:
        exponent = proof.public_exponent
        if exponent != 65537:
            return Fault(
                "SecretId",
                f"KMS does not take this {prepared.spec.name} key ({code}); its public exponent is {exponent}, not 65537.",
                "Make a key with the public exponent 65537.",
                place,
            )
    return None
