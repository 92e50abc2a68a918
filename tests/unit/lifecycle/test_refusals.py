"""KMS's empty refusals of material become sentences."""

from datetime import UTC, datetime, timedelta

import pytest

from imported_key_material.aws.held_materials import Expiry, HeldMaterials
from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.secret import FoundSecret, Version
from imported_key_material.lifecycle.checks import Prepared
from imported_key_material.lifecycle.refusals import (
    lost_material,
    other_material,
    refused_material,
    superseded_material,
)
from imported_key_material.material.key_specs import KEY_SPECS
from imported_key_material.material.material_check import check
from imported_key_material.material.proof import Proof
from lab.keys.private_keys import key_for, pkcs8_der, rsa_key
from lab.keys.random_keys import random_key
from tests.support.scripted_key import ARN

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
EXPIRES, NEVER = "KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"
PLACE = f"secret orders/master-key, version {'1' * 32}"
READ = f"({PLACE})"
INCORRECT, CIPHERTEXT = "IncorrectKeyMaterialException", "InvalidCiphertextException"


def view(*, state="Enabled", model=NEVER, valid_to=None, replica=False, spec="SYMMETRIC_DEFAULT"):
    metadata = {
        "Arn": ARN,
        "KeySpec": spec,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "Origin": "EXTERNAL",
        "KeyState": state,
        "ExpirationModel": model,
        "CurrentKeyMaterialId": "two",
        "MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA" if replica else "PRIMARY"},
    }
    return KeyView.of_metadata(metadata | ({"ValidTo": valid_to} if valid_to else {}))


# -------------------------------------------------------------------------------------------------------- in our words


def prepared(spec, source, **of_view):
    """The prepared import for a key of this spec. The key holds material unless its state says otherwise."""
    known = KEY_SPECS[spec]
    material = check(source, known)
    return Prepared(
        view=view(spec=spec, **of_view),
        spec=known,
        found=FoundSecret("arn", "orders/master-key", None),
        versions=(Version(),),
        material=material,
        proof=Proof.of(material),
        wrapping_algorithm=known.wrapping[0],
        expiry=Expiry(None),
        secret_version_id="1" * 32,
        place=PLACE,
    )


def refusal(ready, code):
    return refused_material(ready, ready.proof, ready.place, code)


@pytest.mark.parametrize("code", ["AccessDeniedException", "KMSInvalidStateException", CIPHERTEXT])
def test_what_says_nothing_of_the_material_is_left_to_others(code):
    assert refusal(prepared("SYMMETRIC_DEFAULT", random_key(32)), code) is None


def test_other_bytes_for_a_symmetric_key():
    ready = prepared("SYMMETRIC_DEFAULT", random_key(32))

    assert refusal(ready, INCORRECT) == other_material(ready.spec, PLACE)
    assert str(other_material(ready.spec, PLACE)) == (
        f"SecretId {READ}: The secret holds other material than the key holds or ever used (IncorrectKeyMaterialException), "
        "and a symmetric key takes new material only by a rotation, and NewMaterial is REFUSE. Name the secret version that "
        "holds the key's material; or declare NewMaterial: STAGE or ROTATE, which can't be taken back; or declare a new key "
        "for the new material."
    )


def test_other_bytes_for_a_replica():
    ready = prepared("SYMMETRIC_DEFAULT", random_key(32), replica=True)

    assert str(refusal(ready, INCORRECT)) == (
        f"SecretId {READ}: The secret holds other material than the key holds or ever used (IncorrectKeyMaterialException), "
        "and a multi-Region replica takes the bytes that its primary holds. Name the secret version that holds them; new "
        "material is first staged in the primary's Region."
    )


def test_other_bytes_for_an_hmac_key():
    fault = refusal(prepared("HMAC_256", random_key(32)), INCORRECT)

    assert str(fault).endswith(
        "HMAC_256 key never takes other material than its first, not even after a deletion. Name the secret version that holds "
        "the key's material, or declare a new key for the new material."
    )


def test_the_key_s_own_private_key_in_another_encoding():
    """The function has compared the public keys before; otherwise it would not import."""
    fault = refusal(prepared("RSA_2048", pkcs8_der(key_for("RSA_2048"))), INCORRECT)

    assert str(fault) == (
        f"SecretId {READ}: The secret holds the key's own RSA_2048 key in another encoding, and KMS compares the encoding "
        "(IncorrectKeyMaterialException). Name the secret version from which the material was first imported."
    )


def test_an_empty_asymmetric_key_shows_no_public_key_to_compare():
    ready = prepared("RSA_2048", pkcs8_der(key_for("RSA_2048")), state="PendingImport")

    assert refusal(ready, INCORRECT) == other_material(ready.spec, PLACE)


def test_an_rsa_key_with_the_usual_exponent_is_not_blamed_for_it():
    assert refusal(prepared("RSA_2048", pkcs8_der(key_for("RSA_2048"))), CIPHERTEXT) is None


def test_an_rsa_key_that_kms_does_not_take_may_have_another_exponent():
    fault = refusal(prepared("RSA_2048", pkcs8_der(rsa_key(exponent=3))), CIPHERTEXT)

    assert str(fault) == (
        f"SecretId {READ}: KMS does not take this RSA_2048 key (InvalidCiphertextException); its public exponent is 3, "
        "not 65537. Make a key with the public exponent 65537."
    )


def test_superseded_bytes():
    assert str(superseded_material(view(), PLACE)) == (
        f"SecretVersionId {READ}: The key holds these bytes as earlier material; a rotation has made two current, and a key "
        "can't go back. Name the secret version that holds the current material, or declare a new key."
    )


def test_lost_materials_are_listed():
    assert str(lost_material(HeldMaterials.of_entries({"KeyMaterialId": id_} for id_ in ("one", "three")))) == (
        "KeyId: The key lost material that it once had (one, three), and takes new material only once all of it "
        "is there again. PreviousSecretVersionIds names the secret versions that bring it back."
    )
