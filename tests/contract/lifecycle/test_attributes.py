"""The attributes for Fn::GetAtt, after each kind of operation: a changed one makes CloudFormation update what uses it.

Attributes come only from KMS and the properties. So a Create, an update that does nothing, a rollback and an adopted key give
the same for the same key; only a real change in KMS changes them.
"""

import hashlib

import pytest

from lab.keys.by_hand import import_material
from lab.keys.private_keys import key_for, pkcs8_pem, spki_der
from lab.keys.random_keys import random_keys
from lab.kms.materials import listed

FIRST, SECOND = random_keys(32, 2)
SECRET = "orders/master-key"
V1, V2 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2))
P256 = "ECC_NIST_P256"
NAMES = {"KeyArn", "KeyId", "KeySpec", "KeyMaterialId", "ExpirationModel", "ValidTo", "CheckValue"}
CASES = [
    pytest.param("SYMMETRIC_DEFAULT", {}, "", id="symmetric"),
    pytest.param("SYMMETRIC_DEFAULT", {"ValidForDays": "30"}, "", id="symmetric, expires"),
    pytest.param("SYMMETRIC_DEFAULT", {"ExpectedCheckValue": "CMAC:9F781F72BE"}, "CMAC:9F781F72BE", id="check value"),
    pytest.param("HMAC_256", {"ValidTo": "2027-03-01T00:00:00Z"}, "", id="HMAC"),
    pytest.param(P256, {}, f"SHA256:{hashlib.sha256(spki_der(key_for(P256))).hexdigest().upper()}", id="asymmetric"),
]


def material_of(spec):
    return pkcs8_pem(key_for(spec)) if spec == P256 else FIRST


@pytest.fixture
def created(world):
    def created(spec, declared):
        key = world.external_key(spec)
        world.secret(material_of(spec), version_id=V1)
        answer = world.create(key, SecretId=SECRET, SecretVersionId=V1, **declared)
        assert set(answer["Data"]) == NAMES
        world.clock.advance(86_400)
        return key, answer["Data"]

    return created


@pytest.mark.parametrize(("spec", "declared", "check_value"), CASES)
def test_get_att_consumers_after_a_no_op(world, created, spec, declared, check_value):
    key, first = created(spec, declared)

    answer = world.update(key, SecretId=SECRET, SecretVersionId=V1, ServiceTimeout="1800", **declared)

    assert answer["Data"] == first
    assert answer["Data"]["CheckValue"] == check_value
    assert world.aws.count("ImportKeyMaterial") == 1


@pytest.mark.parametrize(("spec", "declared", "check_value"), CASES)
def test_get_att_consumers_after_a_rollback(world, created, spec, declared, check_value):
    key, first = created(spec, declared)
    world.update(key, SecretId="orders/none", SecretVersionId=V1, **declared)
    world.clock.advance(60)

    answer = world.update(key, rollback=True, SecretId=SECRET, SecretVersionId=V1, **declared)

    assert answer["Data"] == first
    assert answer["Data"]["CheckValue"] == check_value


@pytest.mark.parametrize(("spec", "declared", "check_value"), CASES)
def test_get_att_consumers_after_a_rollback_of_a_disabled_key(world, created, spec, declared, check_value):
    key, first = created(spec, declared)
    world.call("DisableKey", KeyId=key)

    answer = world.update(key, rollback=True, SecretId=SECRET, SecretVersionId=V1, **declared)

    assert answer["Data"] == first
    assert answer["Data"]["CheckValue"] == check_value


@pytest.mark.parametrize(("spec", "declared", "check_value"), CASES)
def test_get_att_consumers_of_an_adopted_key(world, spec, declared, check_value):
    """They get the ARN, too, though the physical id is the bare one."""
    key = world.external_key(spec)
    if spec == P256:
        world.secret(material_of(spec), version_id=V1)
        assert world.create(key, "Before", SecretId=SECRET, SecretVersionId=V1)["Status"] == "SUCCESS"
        del world.stack.resources["Before"]
    else:
        import_material(world.session().client("kms"), key, FIRST)
        world.secret(FIRST, version_id=V1)
    world.clock.advance(60)
    world.stack.updated_at = world.clock.now()

    answer = world.create(key, SecretId=SECRET, SecretVersionId=V1, **declared)
    world.clock.advance(60)
    again = world.update(key, SecretId=SECRET, SecretVersionId=V1, ServiceTimeout="1800", **declared)

    assert answer["PhysicalResourceId"] == key.rsplit("/", 1)[1]
    assert answer["Data"] == again["Data"]
    assert (answer["Data"]["KeyArn"], answer["Data"]["CheckValue"]) == (key, check_value)


def test_get_att_consumers_after_material_was_staged_see_the_current_one(world, created):
    key, first = created("SYMMETRIC_DEFAULT", {})
    world.secret(SECOND, version_id=V2)

    answer = world.update(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="STAGE")

    assert answer["Data"] == first


def test_get_att_consumers_after_a_rotation_see_the_new_material_s_id(world, created):
    key, first = created("SYMMETRIC_DEFAULT", {})
    world.secret(SECOND, version_id=V2)

    answer = world.update(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="ROTATE")

    assert answer["Data"] == first | {"KeyMaterialId": listed(world, key)[1]["KeyMaterialId"]}
    assert answer["Data"]["KeyMaterialId"] != first["KeyMaterialId"]


@pytest.mark.parametrize(("spec", "declared", "check_value"), CASES)
def test_a_no_op_update_when_the_material_has_gone_meanwhile(world, created, spec, declared, check_value):
    """No property has changed, but KMS lacks the declared material: the update imports it again."""
    key, first = created(spec, declared)
    world.call("DeleteImportedKeyMaterial", KeyId=key)

    answer = world.update(key, SecretId=SECRET, SecretVersionId=V1, ServiceTimeout="1800", **declared)

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"
    assert world.aws.count("ImportKeyMaterial") == 2
    changed = {"ValidTo"} if "ValidForDays" in declared else set()  # counted from the import
    assert {name for name in NAMES if answer["Data"][name] != first[name]} == changed
    assert answer["Data"]["CheckValue"] == check_value
