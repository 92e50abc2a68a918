"""The strict KMS and key states: the table, and the way to deletion (docs/internals/kms-contract.md, C-85, C-88, C-90)."""

from datetime import timedelta

import pytest

from tests.support.kms_bench import DAY_SECONDS, OTHER_REGION

MATERIAL = bytes(range(32))


# ------------------------------------------------------------------------------------------------ the table: C-85, C-90


def enabled(bench):
    return bench.filled_key(MATERIAL, MultiRegion=True), bench.kms


def disabled(bench):
    key = bench.filled_key(MATERIAL, MultiRegion=True)
    bench.kms.disable_key(KeyId=key)
    return key, bench.kms


def pending_import(bench):
    return bench.key(MultiRegion=True), bench.kms


def pending_deletion(bench):
    key = bench.filled_key(MATERIAL, MultiRegion=True)
    bench.kms.disable_key(KeyId=key)
    bench.kms.schedule_key_deletion(KeyId=key)
    return key, bench.kms


def pending_replica_deletion(bench):
    key = bench.filled_key(MATERIAL, MultiRegion=True)
    bench.replica(key)
    bench.kms.schedule_key_deletion(KeyId=key)
    return key, bench.kms


def creating(bench):
    key = bench.filled_key(MATERIAL, MultiRegion=True)
    replica = bench.kms.replicate_key(KeyId=key, ReplicaRegion=OTHER_REGION)["ReplicaKeyMetadata"]["Arn"]
    return replica, bench.client(OTHER_REGION)


STATES = (enabled, disabled, pending_import, pending_deletion, pending_replica_deletion, creating)
IN_WORDS = ("enabled", "disabled", "pending import", "pending deletion", "pending replica deletion", "creating")
#                                      E D I P R C     y: works, S: KMSInvalidStateException, D: DisabledException
TABLE = {
    "get_parameters_for_import":    "y y y S S S",
    "import_key_material":          "y y y S S S",
    "delete_imported_key_material": "y y y y y S",
    "enable_key":                   "y y S S S S",
    "disable_key":                  "y y S S S S",
    "schedule_key_deletion":        "y y y S S y",
    "cancel_key_deletion":          "S S S y y S",
    "encrypt":                      "y D S S S S",
    "generate_data_key":            "y D S S S S",
    "tag_resource":                 "y y y S S y",
    "describe_key":                 "y y y y y y",
    "list_resource_tags":           "y y y y y y",
    "list_key_rotations":           "y y y y y y",
    "get_key_policy":               "y y y y y y",
}  # fmt: skip
MORE = {
    "get_parameters_for_import": {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
    "encrypt": {"Plaintext": b"message"},
    "generate_data_key": {"KeySpec": "AES_256"},
    "tag_resource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
}
CELLS = [
    (operation, state, words, cell)
    for operation, row in TABLE.items()
    for state, words, cell in zip(STATES, IN_WORDS, row.split(), strict=True)
]


@pytest.mark.parametrize(
    ("operation", "state", "words", "cell"), CELLS, ids=[f"{cell[0]}-{cell[1].__name__}" for cell in CELLS]
)
def test_each_state_of_a_key_allows_what_the_table_says(bench, operation, state, words, cell):
    key, kms = state(bench)

    def call():
        if operation == "import_key_material" and cell == "y":
            return bench.put(key, MATERIAL, kms=kms)
        if operation == "import_key_material":
            return kms.import_key_material(KeyId=key, ImportToken=b"t", EncryptedKeyMaterial=b"m")
        return getattr(kms, operation)(KeyId=key, **MORE.get(operation, {}))

    if cell == "y":
        call()
        return
    code = {"S": "KMSInvalidStateException", "D": "DisabledException"}[cell]
    with bench.refuses(code, f"{key} is {words}."):
        call()


@pytest.mark.parametrize("state", [disabled, pending_import, pending_deletion, pending_replica_deletion, creating])
def test_a_key_that_is_not_enabled_says_so(bench, state):
    key, kms = state(bench)

    assert bench.metadata(key, kms)["Enabled"] is False


def test_a_disabled_key_that_lost_its_material_is_enabled_by_the_import(bench):
    key, _ = disabled(bench)
    bench.kms.delete_imported_key_material(KeyId=key)
    assert bench.state(key) == "PendingImport"

    bench.put(key, MATERIAL)

    assert bench.state(key) == "Enabled"


def test_a_public_key_is_shown_while_the_key_is_disabled_and_not_while_it_is_empty(bench):
    key = bench.key("ECC_NIST_P256", Origin="AWS_KMS")
    shown = bench.kms.get_public_key(KeyId=key)["PublicKey"]
    bench.kms.disable_key(KeyId=key)
    empty = bench.key("ECC_NIST_P256")

    assert bench.kms.get_public_key(KeyId=key)["PublicKey"] == shown
    with bench.refuses("KMSInvalidStateException", f"{empty} is pending import."):
        bench.kms.get_public_key(KeyId=empty)
    bench.kms.schedule_key_deletion(KeyId=key)
    with bench.refuses("KMSInvalidStateException", f"{key} is pending deletion."):
        bench.kms.get_public_key(KeyId=key)


# ------------------------------------------------------------------------------------------------------- deletion: C-88


def test_a_key_is_gone_when_its_window_has_passed_and_its_aliases_with_it(bench):
    key = bench.filled_key(MATERIAL)
    bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=key)
    answer = bench.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert answer["DeletionDate"] == bench.clock.now() + timedelta(days=7)
    assert (answer["KeyState"], answer["KeyId"]) == ("PendingDeletion", key)

    bench.clock.advance(7 * DAY_SECONDS - 1)
    assert bench.state(key) == "PendingDeletion"
    bench.clock.advance(1)

    with bench.refuses("NotFoundException", f"Key '{key}' does not exist"):
        bench.kms.describe_key(KeyId=key)
    with bench.refuses("NotFoundException", f"Key '{key}' does not exist"):
        bench.kms.delete_imported_key_material(KeyId=key)
    assert bench.kms.list_aliases()["Aliases"] == []
    assert bench.kms.list_keys()["Keys"] == []


def test_deletion_can_t_be_scheduled_twice(bench):
    key = bench.filled_key(MATERIAL)
    bench.kms.schedule_key_deletion(KeyId=key)

    with bench.refuses("KMSInvalidStateException", f"{key} is pending deletion."):
        bench.kms.schedule_key_deletion(KeyId=key)


@pytest.mark.parametrize("days", [6, 31])
def test_the_window_of_a_deletion_is_7_to_30_days(bench, days):
    key = bench.key()

    with bench.refuses("ValidationException", "PendingWindowInDays must be between 7 and 30 days."):
        bench.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)


def test_a_cancelled_deletion_leaves_a_key_with_material_disabled(bench):
    key = bench.filled_key(MATERIAL)
    bench.kms.schedule_key_deletion(KeyId=key)

    assert bench.kms.cancel_key_deletion(KeyId=key)["KeyId"] == key
    assert bench.state(key) == "Disabled"


def test_a_cancelled_deletion_leaves_a_key_without_material_pending_import(bench):
    key = bench.filled_key(MATERIAL)
    bench.kms.schedule_key_deletion(KeyId=key)
    bench.kms.delete_imported_key_material(KeyId=key)

    bench.kms.cancel_key_deletion(KeyId=key)

    assert bench.state(key) == "PendingImport"


def test_material_expires_while_a_key_is_pending_deletion(bench):
    key = bench.key()
    bench.put(key, MATERIAL, ValidTo=bench.clock.now() + timedelta(seconds=5))
    bench.kms.schedule_key_deletion(KeyId=key)
    bench.clock.advance(5)

    bench.kms.cancel_key_deletion(KeyId=key)

    assert bench.state(key) == "PendingImport"
