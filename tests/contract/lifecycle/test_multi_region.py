"""Rule 8: each resource works in its own Region. A replica takes the primary key's bytes, by its own import."""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_keys
from lab.kms import ciphertext
from lab.world import REGION, TAG

KEY, OTHER = random_keys(32, 2)
ELSEWHERE = "eu-west-1"


def replica(world, spec="SYMMETRIC_DEFAULT"):
    """A new replica in the stack's Region of a primary key elsewhere, which holds KEY."""
    usage = "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "GENERATE_VERIFY_MAC"
    primary = world.call(
        "CreateKey", region=ELSEWHERE, Origin="EXTERNAL", KeySpec=spec, KeyUsage=usage, MultiRegion=True
    )["KeyMetadata"]["Arn"]
    import_material(world.session(region=ELSEWHERE).client("kms"), primary, KEY)
    tags = [{"TagKey": TAG, "TagValue": "orders"}]
    answer = world.call("ReplicateKey", region=ELSEWHERE, KeyId=primary, ReplicaRegion=REGION, Tags=tags)
    return answer["ReplicaKeyMetadata"]["Arn"], primary


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_a_new_replica_is_waited_for_and_takes_the_primary_key_s_bytes(world, spec):
    """CloudFormation goes on while the replica is still Creating."""
    key, _ = replica(world, spec)
    assert world.state(key) == "Creating"

    answer = world.create(key, SecretId=world.secret(KEY).name)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert world.state(key) == "Enabled"


def test_what_the_primary_encrypts_the_replica_decrypts(world):
    key, primary = replica(world)
    world.create(key, SecretId=world.secret(KEY).name)

    blob = world.call("Encrypt", region=ELSEWHERE, KeyId=primary, Plaintext=b"from afar")["CiphertextBlob"]

    assert world.call("Decrypt", KeyId=key, CiphertextBlob=blob)["Plaintext"] == b"from afar"
    assert ciphertext.open_sealed(ciphertext.take_apart(blob), KEY, {}) == b"from afar"


def test_a_replica_takes_no_bytes_but_the_primary_key_s(world):
    key, _ = replica(world)

    answer = world.create(key, SecretId=world.secret(OTHER).name)

    assert answer["Reason"] == (
        f"SecretId {world.last_read()}: The secret holds other material than the key holds or ever used "
        "(IncorrectKeyMaterialException), and a multi-Region replica takes the bytes that its primary holds. Name the "
        "secret version that holds them; new material is first staged in the primary's Region. Nothing was imported."
    )
    assert answer["PhysicalResourceId"] == f"not-imported:Material:{answer['RequestId']}"
    assert world.state(key) == "PendingImport"


def test_a_description_is_the_primary_key_s_business(world, refused):
    key, _ = replica(world)
    world.clock.advance(60)

    reason = refused(key, SecretId=world.secret(KEY).name, KeyMaterialDescription="from hsm 7")

    assert reason == (
        "KeyMaterialDescription: The key is a multi-Region replica, and KMS takes the description on the primary key "
        "only. Take it out here; KMS copies it from the primary."
    )


def test_deleting_the_resource_of_a_replica_empties_only_its_own_region(world):
    key, primary = replica(world)
    world.create(key, SecretId=world.secret(KEY).name)

    assert world.delete()["Status"] == "SUCCESS"

    assert world.state(key) == "PendingImport"
    there = world.call("DescribeKey", region=ELSEWHERE, KeyId=primary)["KeyMetadata"]
    assert there["KeyState"] == "Enabled"


def test_a_primary_key_that_has_replicas_takes_its_material_like_any_other(world):
    key = world.external_key(MultiRegion=True)

    answer = world.create(key, SecretId=world.secret(KEY).name)
    world.call("ReplicateKey", KeyId=key, ReplicaRegion=ELSEWHERE)
    again = world.update(key, SecretId="orders/master-key", Trigger="2")

    assert answer["Status"] == again["Status"] == "SUCCESS"
    assert again["PhysicalResourceId"] == key
