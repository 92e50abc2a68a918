"""Resources that version 0.2.0 made: their ids and declarations, under the present function.

The ids and the declaration stand here as 0.2.0 wrote them. An earlier version's forms are never taken out of this file.
"""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key

KEY = random_key(32)
SECRET = "orders/master-key"


def arn(key):
    return key


def bare_id(key):
    return key.rsplit("/", 1)[1]


def not_imported(_):
    return "not-imported:Material:0f8ab7a2-3f4b-4c1e-9b1e-3c1d6f0e7a55"


@pytest.fixture
def left_by(world):
    """A filled key, and a resource that 0.2.0 answered for under this form of id."""

    def left_by(form):
        key = world.external_key()
        import_material(world.session().client("kms"), key, KEY)
        world.secret(KEY)
        world.clock.advance(86_400)
        now = world.clock.now()
        world.stack.set("Material", "CREATE_COMPLETE", now, type="Custom::ImportedKeyMaterial", physical_id=form(key))
        world.before["Material"] = {
            "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:imported-key-material",
            "KeyId": key,
            "SecretId": SECRET,
            "WrappingKeySpec": "RSA_4096",
            "ServiceTimeout": "3600",
        }
        world.clock.advance(86_400)
        return key

    return left_by


@pytest.mark.parametrize("form", [arn, bare_id])
def test_an_update_keeps_the_id_so_that_cloudformation_replaces_nothing(world, left_by, form):
    key = left_by(form)

    answer = world.update(key, SecretId=SECRET, Trigger="2")

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", form(key))
    assert world.state(key) == "Enabled"


@pytest.mark.parametrize(("form", "state"), [(arn, "PendingImport"), (bare_id, "Enabled"), (not_imported, "Enabled")])
def test_a_delete_removes_what_the_id_says_that_the_resource_imported_and_nothing_else(world, left_by, form, state):
    key = left_by(form)

    answer = world.delete()

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", form(key))
    assert world.state(key) == state


def test_a_delete_asks_no_property_so_a_declaration_of_any_version_can_be_deleted(world, left_by):
    key = left_by(arn)
    world.before["Material"] = {"ServiceToken": "x", "KeyId": "an old form", "OldName": {"Any": "value"}}

    assert world.delete()["Status"] == "SUCCESS"

    assert world.state(key) == "PendingImport"
