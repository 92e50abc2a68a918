"""The line `imported`: the material's id beside the check value of the bytes that the same invocation imported.

For a symmetric key nothing else connects the two: docs/key-custodian.md and `key-custodian verify` send the auditor here.
"""

import json
import re

import pytest

from lab.keys.by_hand import import_material
from lab.keys.openssl import openssl
from lab.keys.random_keys import random_keys
from lab.kms.materials import listed
from tests.support.pinned import FIRST, SECOND, V1, V2, created, updated

OTHER = list(random_keys(32, 3))[2]


def check_value_of(key):
    """By OpenSSL."""
    command = ("mac", "-cipher", "AES-256-CBC", "-macopt", f"hexkey:{key.hex()}", "CMAC")
    return f"CMAC:{openssl(*command, stdin=bytes(16)).decode().strip()[:10]}"


def imports(world):
    """(secret's version, material's id, check value) of each import, in their order."""
    told = [json.loads(line) for line in re.findall(r"^imported (\{.*\})$", world.log.getvalue(), re.MULTILINE)]
    return [(one["secret_version_id"], one["key_material_id"], one["check_value"]) for one in told]


def ids(world, key):
    return [entry["KeyMaterialId"] for entry in listed(world, key)]


@pytest.mark.parametrize("new_material", ["STAGE", "ROTATE"])
def test_each_material_s_id_stands_beside_its_own_check_value(world, new_material):
    key = created(world)
    updated(world, key, V2, NewMaterial=new_material)

    first, second = ids(world, key)

    assert imports(world) == [(V1, first, check_value_of(FIRST)), (V2, second, check_value_of(SECOND))]


def test_staged_bytes_that_are_rotated_to_later_keep_theirs(world):
    key = created(world)
    updated(world, key, V2, NewMaterial="STAGE")
    updated(world, key, V2, NewMaterial="ROTATE")

    first, second = ids(world, key)

    assert set(imports(world)) == {(V1, first, check_value_of(FIRST)), (V2, second, check_value_of(SECOND))}


def test_bytes_that_somebody_else_rotated_to_have_no_line(world):
    key = created(world)
    import_material(world.session().client("kms"), key, OTHER, ImportType="NEW_KEY_MATERIAL")
    world.call("RotateKeyOnDemand", KeyId=key)
    world.clock.advance(300)
    first, his_own = ids(world, key)

    updated(world, key, V1, Trigger="look")

    assert {material_id for _, material_id, _ in imports(world)} == {first}
    assert his_own != first
