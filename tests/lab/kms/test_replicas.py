"""The strict KMS and replicas: how they are made, and filled (docs/internals/kms-contract.md, C-60 to C-62, C-65, C-66)."""

import pytest

from lab.keys.by_hand import parameters, wrap
from lab.keys.private_keys import ec_key, pkcs8_der
from tests.support.kms_bench import ACCOUNT, CREATING_SECONDS, OTHER_REGION, REGION, THIRD_REGION

ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.fixture
def primary(bench):
    return bench.filled_key(ONE, MultiRegion=True)


def entry(region, key):
    return {"Arn": f"arn:aws:kms:{region}:{ACCOUNT}:key/{key.rpartition('/')[2]}", "Region": region}


def test_an_empty_primary_can_t_be_replicated(bench):
    key = bench.key(MultiRegion=True)

    with bench.refuses("KMSInvalidStateException", f"{key} is pending import."):
        bench.kms.replicate_key(KeyId=key, ReplicaRegion=OTHER_REGION)


def test_a_disabled_primary_can_t_be_replicated(bench, primary):
    bench.kms.disable_key(KeyId=primary)

    with bench.refuses("DisabledException", f"{primary} is disabled."):
        bench.kms.replicate_key(KeyId=primary, ReplicaRegion=OTHER_REGION)


def test_a_key_of_one_region_can_t_be_replicated(bench):
    key = bench.filled_key(ONE)

    with bench.refuses("UnsupportedOperationException", f"{key} is not a multi-region primary key."):
        bench.kms.replicate_key(KeyId=key, ReplicaRegion=OTHER_REGION)


def test_a_replica_can_t_be_replicated(bench, primary):
    replica, kms = bench.replica(primary)
    bench.put(replica, ONE, kms=kms)

    with bench.refuses("UnsupportedOperationException", f"{replica} is not a multi-region primary key."):
        kms.replicate_key(KeyId=replica, ReplicaRegion=THIRD_REGION)


def test_a_region_holds_one_replica(bench, primary):
    bench.replica(primary)
    arn = entry(OTHER_REGION, primary)["Arn"]

    with bench.refuses("AlreadyExistsException", f"{arn} already exists"):
        bench.kms.replicate_key(KeyId=primary, ReplicaRegion=OTHER_REGION)


def test_a_replica_stays_in_its_partition(bench, primary):
    with bench.refuses("ValidationException", "ReplicaRegion cn-north-1 is not in the partition aws."):
        bench.kms.replicate_key(KeyId=primary, ReplicaRegion="cn-north-1")


def test_a_replica_is_born_creating_and_then_waits_for_its_material(bench, primary):
    answer = bench.kms.replicate_key(KeyId=primary, ReplicaRegion=OTHER_REGION)

    shown = answer["ReplicaKeyMetadata"]
    assert (shown["KeyState"], shown["Enabled"], shown["Description"]) == ("Creating", False, "")
    assert shown["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": entry(REGION, primary),
        "ReplicaKeys": [entry(OTHER_REGION, primary)],
    }
    assert bench.metadata(primary)["MultiRegionConfiguration"]["ReplicaKeys"] == [entry(OTHER_REGION, primary)]

    kms = bench.client(OTHER_REGION)
    bench.clock.advance(CREATING_SECONDS - 1)
    assert bench.state(shown["Arn"], kms) == "Creating"
    bench.clock.advance(1)
    assert bench.state(shown["Arn"], kms) == "PendingImport"


def test_a_replica_has_its_own_policy_description_and_tags(bench, primary):
    bench.kms.tag_resource(KeyId=primary, Tags=[{"TagKey": "a", "TagValue": "b"}])
    answer = bench.kms.replicate_key(KeyId=primary, ReplicaRegion=OTHER_REGION, Description="the other one")
    kms = bench.client(OTHER_REGION)

    assert answer["ReplicaTags"] == []
    assert "key-default-1" in answer["ReplicaPolicy"]
    assert kms.describe_key(KeyId=primary.rpartition("/")[2])["KeyMetadata"]["Description"] == "the other one"


def test_a_key_of_another_region_is_not_here(bench, primary):
    kms = bench.client(THIRD_REGION)
    arn = entry(THIRD_REGION, primary)["Arn"]

    with bench.refuses("NotFoundException", f"Key '{arn}' does not exist"):
        kms.describe_key(KeyId=primary.rpartition("/")[2])
    with bench.refuses("NotFoundException", f"Invalid arn {REGION}"):
        kms.describe_key(KeyId=primary)


def test_a_replica_takes_exactly_the_primary_s_bytes(bench, primary):
    replica, kms = bench.replica(primary)

    with bench.refuses("IncorrectKeyMaterialException", bench.other_bytes(replica)):
        bench.put(replica, TWO, kms=kms)
    answer = bench.put(replica, ONE, kms=kms, ImportType="EXISTING_KEY_MATERIAL")

    assert answer["KeyMaterialId"] == bench.metadata(primary)["CurrentKeyMaterialId"]
    assert bench.state(replica, kms) == "Enabled"


def test_a_replica_of_a_private_key_takes_exactly_the_primary_s_bytes(bench):
    primary = bench.filled_key(pkcs8_der(ec_key("ECC_NIST_P256")), "ECC_NIST_P256", MultiRegion=True)
    replica, kms = bench.replica(primary)

    bench.put(replica, pkcs8_der(ec_key("ECC_NIST_P256")), kms=kms)

    here, there = (one.get_public_key(KeyId=primary.rpartition("/")[2])["PublicKey"] for one in (bench.kms, kms))
    assert here == there


def test_a_replica_needs_a_token_of_its_own(bench, primary):
    replica, kms = bench.replica(primary)
    given = parameters(bench.kms, primary)

    with bench.refuses("InvalidImportTokenException", ""):
        kms.import_key_material(
            KeyId=replica,
            ImportToken=given["ImportToken"],
            EncryptedKeyMaterial=wrap("RSAES_OAEP_SHA_256", given["PublicKey"], ONE),
            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        )


def test_a_description_is_only_for_the_primary(bench, primary):
    replica, kms = bench.replica(primary)
    sentence = "Key material description can only be specified on primary Multi-Region keys"

    with bench.refuses("ValidationException", sentence):
        bench.put(replica, ONE, kms=kms, KeyMaterialDescription="from the safe")


def test_a_replica_takes_no_new_material(bench, primary):
    replica, kms = bench.replica(primary)
    sentence = "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys"

    with bench.refuses("ValidationException", sentence):
        bench.put(replica, TWO, kms=kms, ImportType="NEW_KEY_MATERIAL")


def test_what_one_region_encrypts_another_decrypts(bench, primary):
    replica, kms = bench.replica(primary)
    bench.put(replica, ONE, kms=kms)
    sealed = bench.kms.encrypt(KeyId=primary, Plaintext=b"message", EncryptionContext={"a": "b"})["CiphertextBlob"]

    opened = kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "b"})

    assert (opened["Plaintext"], opened["KeyId"]) == (b"message", replica)


def test_replicas_of_kms_s_own_keys_have_their_material_from_the_start(bench):
    primary = bench.key(MultiRegion=True, Origin="AWS_KMS")
    replica, kms = bench.replica(primary)

    assert bench.state(replica, kms) == "Enabled"
    sealed = kms.encrypt(KeyId=replica, Plaintext=b"message")["CiphertextBlob"]
    assert bench.kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"message"
