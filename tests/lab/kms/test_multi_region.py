"""The strict KMS across Regions: rotation, deletion, another primary (docs/internals/kms-contract.md, C-63, C-64, C-91)."""

from datetime import timedelta

import pytest

from lab.keys.by_hand import parameters, wrap
from tests.support.kms_bench import ACCOUNT, CREATING_SECONDS, OTHER_REGION, REGION, THIRD_REGION

ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))
CURRENT, PENDING = ("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")
WAITING = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
NOT_EVERYWHERE = (
    "Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key."
)


@pytest.fixture
def primary(bench):
    return bench.filled_key(ONE, MultiRegion=True)


def entry(region, key):
    return {"Arn": f"arn:aws:kms:{region}:{ACCOUNT}:key/{key.rpartition('/')[2]}", "Region": region}


# ------------------------------------------------------------------------------------------------------------- rotation


def test_new_material_waits_until_every_replica_has_it(bench, primary):
    replicas = [bench.replica(primary, region) for region in (OTHER_REGION, THIRD_REGION)]
    for replica, kms in replicas:
        bench.put(replica, ONE, kms=kms)
    bench.stage(primary, TWO)
    assert bench.materials(primary) == [CURRENT, (WAITING, "IMPORTED")]

    for replica, kms in replicas:
        assert bench.materials(replica, kms) == [CURRENT, (WAITING, "PENDING_IMPORT")]
        with bench.refuses("KMSInvalidStateException", NOT_EVERYWHERE):
            bench.kms.rotate_key_on_demand(KeyId=primary)
        bench.put(replica, TWO, kms=kms)

    assert bench.materials(primary) == [CURRENT, PENDING]
    bench.rotate(primary)
    for key, kms in [(primary, bench.kms), *replicas]:
        assert bench.materials(key, kms) == [("NON_CURRENT", "IMPORTED"), CURRENT]
        assert bench.state(key, kms) == "Enabled"


def test_without_replicas_new_material_of_a_primary_is_pending_rotation_at_once(bench, primary):
    bench.stage(primary, TWO)

    assert bench.materials(primary) == [CURRENT, PENDING]


def test_a_replica_can_t_rotate(bench, primary):
    replica, kms = bench.replica(primary)
    bench.put(replica, ONE, kms=kms)

    with bench.refuses("UnsupportedOperationException", f"{replica} is not a multi-region primary key."):
        kms.rotate_key_on_demand(KeyId=replica)


def test_the_primary_s_pending_material_is_deleted_everywhere(bench, primary):
    replica, kms = bench.replica(primary)
    bench.put(replica, ONE, kms=kms)
    pending = bench.stage(primary, TWO)
    bench.put(replica, TWO, kms=kms)

    bench.kms.delete_imported_key_material(KeyId=primary, KeyMaterialId=pending)

    assert bench.materials(primary) == bench.materials(replica, kms) == [CURRENT]

    bench.stage(primary, TWO)  # the replica has lost the bytes, too: it must import them again
    assert bench.materials(primary) == [CURRENT, (WAITING, "IMPORTED")]
    assert bench.materials(replica, kms) == [CURRENT, (WAITING, "PENDING_IMPORT")]


def test_a_replica_s_pending_material_is_deleted_only_there(bench, primary):
    replica, kms = bench.replica(primary)
    bench.put(replica, ONE, kms=kms)
    pending = bench.stage(primary, TWO)
    bench.put(replica, TWO, kms=kms)

    kms.delete_imported_key_material(KeyId=replica, KeyMaterialId=pending)

    assert bench.materials(primary) == [CURRENT, (WAITING, "IMPORTED")]
    assert bench.materials(replica, kms) == [CURRENT, (WAITING, "PENDING_IMPORT")]
    assert bench.state(replica, kms) == "Enabled"


def test_material_lost_in_one_region_is_lost_only_there(bench, primary):
    replica, kms = bench.replica(primary)
    bench.put(replica, ONE, kms=kms)

    kms.delete_imported_key_material(KeyId=replica)

    assert bench.state(replica, kms) == "PendingImport"
    assert bench.state(primary) == "Enabled"


def test_a_replica_that_is_made_after_a_rotation_needs_every_material(bench, primary):
    bench.stage(primary, TWO)
    bench.rotate(primary)
    replica, kms = bench.replica(primary)

    bench.put(replica, TWO, kms=kms)
    assert bench.state(replica, kms) == "PendingImport"
    bench.put(replica, ONE, kms=kms)
    assert bench.state(replica, kms) == "Enabled"


# ------------------------------------------------------------------------------------------------ deletion and Updating


def test_a_primary_waits_with_its_deletion_until_its_replicas_are_gone(bench, primary):
    replica, kms = bench.replica(primary)
    answer = bench.kms.schedule_key_deletion(KeyId=primary, PendingWindowInDays=10)
    assert (answer["KeyState"], "DeletionDate" in answer) == ("PendingReplicaDeletion", False)
    assert bench.metadata(primary)["PendingDeletionWindowInDays"] == 10

    kms.schedule_key_deletion(KeyId=replica, PendingWindowInDays=7)
    bench.clock.advance(7 * 86_400)
    assert bench.state(primary) == "PendingDeletion"
    with bench.refuses("NotFoundException", f"Key '{replica}' does not exist"):
        kms.describe_key(KeyId=replica)

    bench.clock.advance(10 * 86_400)
    with bench.refuses("NotFoundException", f"Key '{primary}' does not exist"):
        bench.kms.describe_key(KeyId=primary)


def test_while_a_key_is_updating_it_can_be_imported_into_and_nothing_else(bench, primary):
    replica, kms = bench.replica(primary)
    bench.put(replica, ONE, kms=kms)
    given = parameters(bench.kms, primary)
    bench.kms.update_primary_region(KeyId=primary, PrimaryRegion=OTHER_REGION)
    assert bench.state(primary) == bench.state(replica, kms) == "Updating"

    bench.kms.import_key_material(
        KeyId=primary,
        ImportToken=given["ImportToken"],
        EncryptedKeyMaterial=wrap("RSAES_OAEP_SHA_256", given["PublicKey"], ONE),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )
    with bench.refuses("KMSInvalidStateException", f"{primary} is updating."):
        parameters(bench.kms, primary)
    with bench.refuses("KMSInvalidStateException", f"{primary} is updating."):
        bench.kms.delete_imported_key_material(KeyId=primary)

    bench.clock.advance(CREATING_SECONDS)
    assert bench.state(primary) == "Enabled"
    assert bench.metadata(primary)["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": entry(OTHER_REGION, primary),
        "ReplicaKeys": [entry(REGION, primary)],
    }
    bench.put(replica, THREE, kms=kms, ImportType="NEW_KEY_MATERIAL")


def test_a_key_without_its_material_is_no_more_usable_while_it_is_updating(bench, primary):
    replica, kms = bench.replica(primary)
    bench.put(replica, ONE, kms=kms)
    sealed = bench.kms.encrypt(KeyId=primary, Plaintext=b"message")["CiphertextBlob"]
    bench.kms.update_primary_region(KeyId=primary, PrimaryRegion=OTHER_REGION)
    assert bench.kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"message"

    bench.clock.advance(CREATING_SECONDS)
    bench.put(replica, ONE, kms=kms, ValidTo=bench.clock.now().replace(microsecond=0) + timedelta(seconds=5))
    kms.update_primary_region(KeyId=replica, PrimaryRegion=REGION)
    bench.clock.advance(6)

    assert bench.state(replica, kms) == "Updating"
    with bench.refuses("KMSInvalidStateException", f"{replica} is pending import."):
        kms.decrypt(CiphertextBlob=sealed)


def test_the_primary_moves_only_to_a_region_with_a_replica(bench, primary):
    with bench.refuses("UnsupportedOperationException", f"{primary} has no replica in {OTHER_REGION}."):
        bench.kms.update_primary_region(KeyId=primary, PrimaryRegion=OTHER_REGION)
