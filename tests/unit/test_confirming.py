"""What a key's list and its description say of a material, and KMS's empty refusals in words."""

from datetime import UTC, datetime, timedelta

import pytest

from imported_key_material.confirming import (
    entry_of,
    lost_material,
    lost_of,
    other_material,
    refused_material,
    shows_expiry,
    superseded_material,
)
from imported_key_material.key_specs import KEY_SPECS
from imported_key_material.key_view import KeyView
from imported_key_material.kms_key import Expiry
from imported_key_material.material import check
from imported_key_material.preparation import Prepared
from tests.support.private_keys import key_for, pkcs8_der, rsa_key
from tests.support.random_keys import random_key
from tests.support.scripted_key import ARN

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
EXPIRES, NEVER = "KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"
READ = f"(secret orders/master-key, version {'1' * 32})"
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


def entry(id_, *, imported=True, **more):
    return {"KeyMaterialId": id_, "ImportState": "IMPORTED" if imported else "PENDING_IMPORT"} | more


# ------------------------------------------------------------------------------------------------------------ the list


def test_an_entry_is_found_by_its_id_alone():
    materials = [entry("one"), entry("two")]

    assert entry_of(materials, "two") == materials[1]
    assert entry_of(materials, "three") == {}
    assert entry_of([], "") == {}


def test_lost_is_what_is_not_imported_and_what_has_expired_though_the_list_says_imported():
    materials = [
        entry("there"),
        entry("gone", imported=False),
        entry("expired", ValidTo=NOW),
        entry("expires", ValidTo=NOW + timedelta(seconds=1)),
        entry("gone and expired", imported=False, ValidTo=NOW - timedelta(days=1)),
    ]

    assert lost_of(materials, NOW) == ["gone", "expired", "gone and expired"]


# ------------------------------------------------------------------------------------------------------------- expiry


@pytest.mark.parametrize(
    ("shown", "asked", "same"),
    [
        ((NEVER, None), Expiry(None), True),
        ((EXPIRES, LATER), Expiry(LATER), True),
        ((EXPIRES, LATER), Expiry(LATER + timedelta(microseconds=999_999)), True),  # KMS keeps whole seconds
        ((EXPIRES, LATER), Expiry(LATER + timedelta(seconds=1)), False),
        ((EXPIRES, LATER), Expiry(LATER - timedelta(microseconds=1)), False),
        ((EXPIRES, LATER), Expiry(None), False),
        ((NEVER, None), Expiry(LATER), False),
        (("", None), Expiry(None), False),
    ],
)
def test_an_expiry_is_compared_to_the_whole_second(shown, asked, same):
    model, valid_to = shown

    assert shows_expiry(view(model=model, valid_to=valid_to), asked, [], "") is same
    listed = entry("two", ExpirationModel=model) | ({"ValidTo": valid_to} if valid_to else {})
    assert shows_expiry(view(), asked, [listed], "two") is same


def test_the_list_is_believed_where_the_description_shows_the_earliest_of_several():
    earlier = view(model=EXPIRES, valid_to=NOW + timedelta(days=1))
    materials = [
        entry("one", ExpirationModel=EXPIRES, ValidTo=NOW + timedelta(days=1)),
        entry("two", ExpirationModel=NEVER),
    ]

    assert shows_expiry(earlier, Expiry(None), materials, "two")
    assert not shows_expiry(earlier, Expiry(None), materials, "one")


# -------------------------------------------------------------------------------------------------------- in our words


def prepared(spec, source, **of_view):
    """What stands ready for a key of this spec, which holds material unless its state says otherwise."""
    known = KEY_SPECS[spec]
    return Prepared(
        view=view(spec=spec, **of_view),
        spec=known,
        material=check(source, known),
        earlier=(),
        wrapping_algorithm=known.wrapping[0],
        expiry=Expiry(None),
        secret_version_id="1" * 32,
        secret=f"secret orders/master-key, version {'1' * 32}",
    )


@pytest.mark.parametrize("code", ["AccessDeniedException", "KMSInvalidStateException", CIPHERTEXT])
def test_what_says_nothing_of_the_material_is_left_to_others(code):
    assert refused_material(prepared("SYMMETRIC_DEFAULT", random_key(32)), code) is None


def test_other_bytes_for_a_symmetric_key():
    ready = prepared("SYMMETRIC_DEFAULT", random_key(32))

    assert refused_material(ready, INCORRECT) == other_material(ready)
    assert str(other_material(ready)) == (
        f"SecretId {READ}: The secret holds other material than the key holds or once held (IncorrectKeyMaterialException), "
        "and a symmetric key takes new material only by a rotation, and NewMaterial is REFUSE. Name the secret version that "
        "holds the key's material; or declare NewMaterial: STAGE or ROTATE, which can't be taken back; or declare a new key "
        "for the new material."
    )


def test_other_bytes_for_a_replica():
    ready = prepared("SYMMETRIC_DEFAULT", random_key(32), replica=True)

    assert str(refused_material(ready, INCORRECT)) == (
        f"SecretId {READ}: The secret holds other material than the key holds or once held (IncorrectKeyMaterialException), "
        "and a multi-Region replica takes the bytes that its primary holds. Name the secret version that holds them; new "
        "material is first staged in the primary's Region."
    )


def test_other_bytes_for_an_hmac_key():
    fault = refused_material(prepared("HMAC_256", random_key(32)), INCORRECT)

    assert str(fault).endswith(
        "HMAC_256 key never takes other material than its first, not even after a deletion. Name the secret version that holds "
        "the key's material, or declare a new key for the new material."
    )


def test_the_key_s_own_private_key_in_another_encoding():
    """Its public key was seen to be equal before, or nothing would have been imported."""
    fault = refused_material(prepared("RSA_2048", pkcs8_der(key_for("RSA_2048"))), INCORRECT)

    assert str(fault) == (
        f"SecretId {READ}: The secret holds the key's own RSA_2048 key in another encoding, and KMS compares the encoding "
        "(IncorrectKeyMaterialException). Name the secret version from which the material was first imported."
    )


def test_an_empty_asymmetric_key_shows_no_public_key_to_compare():
    ready = prepared("RSA_2048", pkcs8_der(key_for("RSA_2048")), state="PendingImport")

    assert refused_material(ready, INCORRECT) == other_material(ready)


def test_an_rsa_key_with_the_usual_exponent_is_not_blamed_for_it():
    assert refused_material(prepared("RSA_2048", pkcs8_der(key_for("RSA_2048"))), CIPHERTEXT) is None


def test_an_rsa_key_that_kms_does_not_take_may_have_another_exponent():
    fault = refused_material(prepared("RSA_2048", pkcs8_der(rsa_key(exponent=3))), CIPHERTEXT)

    assert str(fault) == (
        f"SecretId {READ}: KMS does not take this RSA_2048 key (InvalidCiphertextException); its public exponent is 3, "
        "not 65537. Make a key with the public exponent 65537."
    )


def test_superseded_bytes():
    assert str(superseded_material(prepared("SYMMETRIC_DEFAULT", random_key(32)), view())) == (
        f"SecretVersionId {READ}: The key holds these bytes as earlier material; a rotation has made two current, and a key "
        "can't go back. Name the secret version that holds the current material, or declare a new key."
    )


def test_lost_materials_are_listed():
    assert str(lost_material(["one", "three"])) == (
        "KeyId: The key lost material that it once had (one, three), and takes new material only once all of it "
        "is there again. PreviousSecretVersionIds names the secret versions that bring it back."
    )
