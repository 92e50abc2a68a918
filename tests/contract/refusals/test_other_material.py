"""Rules 4 and 5: the first material is permanent. The function refuses a secret with other bytes, in a sentence.

KMS has one answer for all such cases. A public key or a MAC shows before the import which bytes the key holds. So the function
asks for it first, and does not call ImportKeyMaterial for other bytes.
"""

from math import lcm

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lab.keys import der
from lab.keys.by_hand import import_material
from lab.keys.private_keys import key_for, pkcs8_der, pkcs8_pem
from lab.keys.random_keys import random_keys
from lab.wire.transport import Refusal

KEY, OTHER = random_keys(32, 2)
SECRET = "orders/master-key"
P256, RSA = "ECC_NIST_P256", "RSA_2048"

SYMMETRIC_RULE = (
    "a symmetric key takes new material only by a rotation, and NewMaterial is REFUSE. Name the secret version that holds "
    "the key's material; or declare NewMaterial: STAGE or ROTATE, which can't be taken back; or declare a new key for the "
    "new material."
)
RULE = (
    "an {} key never takes other material than its first, not even after a deletion. Name the secret version that holds "
    "the key's material, or declare a new key for the new material."
)


def sentence(world, spec):
    rule = SYMMETRIC_RULE if spec == "SYMMETRIC_DEFAULT" else RULE.format(spec)
    return (
        f"SecretId {world.last_read()}: The secret holds other material than the key holds or ever used "
        f"(IncorrectKeyMaterialException), and {rule} Nothing was imported."
    )


def values(spec):
    """Two secrets for a key spec, with different keys."""
    if spec in ("SYMMETRIC_DEFAULT", "HMAC_256"):
        return KEY, OTHER
    if spec == RSA:
        return pkcs8_pem(key_for(RSA)), pkcs8_pem(another_rsa_key())
    return pkcs8_pem(key_for(P256)), pkcs8_pem(another_ec_key())


def another_ec_key():
    return ec.generate_private_key(ec.SECP256R1())


def another_rsa_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256", RSA, P256])
def test_other_bytes_than_the_key_s_are_refused_and_the_key_stays_as_it_is(world, spec):
    first, second = values(spec)
    key = world.external_key(spec)
    world.create(key, SecretId=world.secret(first).name)
    world.secret(second)
    before = world.snapshot()

    answer = world.update(key, SecretId=SECRET)

    assert answer["Reason"] == sentence(world, spec)
    assert answer["PhysicalResourceId"] == key
    assert world.snapshot() == before


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256", RSA, P256])
def test_an_emptied_key_takes_nothing_but_its_first_material(world, spec):
    first, second = values(spec)
    key = world.external_key(spec)
    world.create(key, SecretId=world.secret(first).name)
    world.delete()
    world.secret(second)
    before = world.snapshot()

    answer = world.create(key, SecretId=SECRET)

    assert answer["Reason"] == sentence(world, spec)
    assert answer["PhysicalResourceId"] == f"not-imported:Material:{answer['RequestId']}"
    assert world.snapshot() == before


@pytest.mark.parametrize("spec", ["HMAC_256", RSA, P256])
def test_what_a_usable_key_shows_of_itself_is_compared_before_anything_is_asked_of_the_import(world, spec):
    """The function spends no request of the scarce quota, and does not ask KMS to import what it would refuse."""
    first, second = values(spec)
    key = world.external_key(spec)
    world.create(key, SecretId=world.secret(first).name)
    world.secret(second)
    calls = len(world.aws.calls)

    world.update(key, SecretId=SECRET)

    assert not {"GetParametersForImport", "ImportKeyMaterial"} & set(world.aws.operations()[calls:])


def test_a_symmetric_key_never_gets_a_second_material_by_an_import_that_is_meant_as_the_same(world):
    """The import says EXISTING_KEY_MATERIAL: KMS refuses other bytes instead of staging them."""
    key = world.external_key()
    world.create(key, SecretId=world.secret(KEY).name)
    world.secret(OTHER)

    world.update(key, SecretId=SECRET)

    listed = world.call("ListKeyRotations", KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [one["KeyMaterialState"] for one in listed] == ["CURRENT"]


def test_an_earlier_material_of_a_rotated_key_can_t_become_current_again(world):
    """Somebody rotated the key and the stack followed; now it names the first version again."""
    first, second = "11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"
    key = world.external_key()
    world.secret(KEY, version_id=first)
    world.secret(OTHER, version_id=second)
    world.create(key, SecretId=SECRET, SecretVersionId=first)
    import_material(world.session().client("kms"), key, OTHER, ImportType="NEW_KEY_MATERIAL")
    world.call("RotateKeyOnDemand", KeyId=key)
    world.clock.advance(180)
    current = world.describe(key)["CurrentKeyMaterialId"]
    assert world.update(key, SecretId=SECRET, SecretVersionId=second)["Data"]["KeyMaterialId"] == current

    answer = world.update(key, SecretId=SECRET, SecretVersionId=first)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        f"SecretVersionId (secret {SECRET}, version {first}): The key holds these bytes as earlier material; a rotation has "
        f"made {current} current, and a key can't go back. Name the secret version that holds the current material, or "
        "declare a new key. No new material was imported."
    )
    assert answer["PhysicalResourceId"] == key
    assert world.describe(key)["CurrentKeyMaterialId"] == current
    assert world.state(key) == "Enabled"


def test_the_same_rsa_key_in_another_encoding_is_called_that(world):
    """RSA's DER is not canonical: the private exponent may be larger by lambda(n), and KMS compares bytes."""
    numbers = key_for(RSA).private_numbers()
    p, q, n = numbers.p, numbers.q, numbers.public_numbers.n
    step = lcm(p - 1, q - 1)
    same = numbers.d + step if numbers.d + step < n else numbers.d - step
    key = world.external_key(RSA)
    world.create(key, SecretId=world.secret(pkcs8_der(key_for(RSA))).name)
    world.secret(der.pkcs1(der.rsa_numbers(p, q, numbers.public_numbers.e, same)))
    before = world.snapshot()

    answer = world.update(key, SecretId=SECRET)

    assert answer["Reason"] == (
        f"SecretId {world.last_read()}: The secret holds the key's own RSA_2048 key in another encoding, and KMS compares the "
        "encoding (IncorrectKeyMaterialException). Name the secret version from which the material was first imported. "
        "Nothing was imported."
    )
    assert world.snapshot() == before


# ----------------------------------------------------------------------------------------- a mismatch that KMS itself proves


def test_a_key_that_shows_other_bytes_right_after_the_import_fails_under_its_arn(world):
    """Somebody else's import came first. Only a proven mismatch is a failure, and a Delete must find the key."""
    world.aws.faults.inject("VerifyMac", Refusal(400, "KMSInvalidMacException", None), times=10**6)
    key = world.external_key("HMAC_256")

    answer = world.create(key, SecretId=world.secret(KEY).name)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        f"SecretId {world.last_read()}: The secret holds other material than the key holds or ever used "
        f"(IncorrectKeyMaterialException), and {RULE.format('HMAC_256')} KMS may hold the material already: a "
        "rollback or the next update handles it."
    )
    assert answer["PhysicalResourceId"] == key
