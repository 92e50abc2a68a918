"""CheckValue is evidence: an answer never has it beside the KeyMaterialId of other bytes.

It is what KMS proves (a public key), or a declared value whose bytes can't have changed since it was verified, or nothing.
"""

import pytest

from imported_key_material.material import check_value
from imported_key_material.material.key_specs import KEY_SPECS
from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_keys
from lab.kms.materials import listed
from lab.wire.transport import Refusal

FIRST, SECOND, FOREIGN = random_keys(32, 3)
SECRET = "orders/master-key"
V1, V2 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2))


def cmac(value):
    return check_value.compute(KEY_SPECS["SYMMETRIC_DEFAULT"], value)


AT_FIRST = {"SecretId": SECRET, "SecretVersionId": V1, "ExpectedCheckValue": cmac(FIRST)}
NEXT = {"SecretId": SECRET, "SecretVersionId": V2, "ExpectedCheckValue": cmac(SECOND)}


@pytest.fixture
def key(world):
    key = world.external_key()
    world.secret(FIRST, version_id=V1)
    answer = world.create(key, **AT_FIRST)
    assert answer["Data"]["CheckValue"] == cmac(FIRST)
    world.secret(SECOND, version_id=V2)
    world.clock.advance(60)
    return key


def pair(answer):
    assert answer["Status"] == "SUCCESS", answer
    return answer["Data"]["KeyMaterialId"], answer["Data"]["CheckValue"]


def current(world, key):
    return world.describe(key)["CurrentKeyMaterialId"]


def test_staged_material_s_check_value_does_not_stand_beside_the_current_one_s_id(world, key):
    assert pair(world.update(key, **NEXT, NewMaterial="STAGE")) == (current(world, key), "")


def test_after_a_rotation_the_log_line_of_the_import_is_the_evidence(world, key):
    answer = world.update(key, **NEXT, NewMaterial="ROTATE")

    assert pair(answer) == (current(world, key), "")
    line = next(line for line in world.log.getvalue().splitlines() if line.startswith("imported") and V2 in line)
    assert f'"key_material_id": "{current(world, key)}"' in line
    assert f'"check_value": "{cmac(SECOND)}"' in line


def test_a_rollback_after_a_rotation_gives_none(world, key):
    world.update(key, **NEXT, NewMaterial="ROTATE")
    world.clock.advance(60)

    assert pair(world.update(key, rollback=True, **AT_FIRST)) == (current(world, key), "")


def test_an_update_with_nothing_to_do_after_a_foreign_rotation_gives_none(world, key):
    """Somebody with KMS rights to import and rotate has put other bytes into the key."""
    import_material(world.session().client("kms"), key, FOREIGN, ImportType="NEW_KEY_MATERIAL")
    world.call("RotateKeyOnDemand", KeyId=key)
    world.clock.advance(600)

    answer = world.update(key, **AT_FIRST, ServiceTimeout="1800")

    assert pair(answer) == (listed(world, key)[1]["KeyMaterialId"], "")
    assert "nothing to do" in world.log.getvalue()


def test_a_duplicate_answers_as_the_first_delivery_did(world):
    key = world.external_key()
    world.secret(FIRST, version_id=V1)
    event = world.create_request(key, **AT_FIRST)

    assert pair(world.invoke(event)) == pair(world.invoke(event)) == (current(world, key), cmac(FIRST))


def test_a_key_that_can_t_be_looked_at_gives_no_check_value(world, key):
    world.aws.faults.inject("DescribeKey", Refusal(400, "AccessDeniedException", "not authorized"), times=10**6)

    answer = world.update(key, rollback=True, **AT_FIRST)

    assert (answer["Data"]["KeyArn"], answer["Data"]["CheckValue"]) == (key, "")
