"""A rotated key that lost materials is restored: PreviousSecretVersionIds names the older ones.

A key that lost any material, even an earlier one, is PendingImport until every material is there again, each under its own id.
"""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_keys
from lab.kms.materials import encrypts_with, listed, states

FIRST, SECOND, THIRD, OTHER = random_keys(32, 4)
SECRET = "orders/master-key"
V1, V2, V3, V4 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2, 3, 4))
WHOLE = [("NON_CURRENT", "IMPORTED"), ("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
LAST = ("CURRENT", "IMPORTED")


@pytest.fixture
def rotated(world):
    """A key that was rotated twice; the resource on it pins the third version of the secret."""
    key = world.external_key()
    for version, material in ((V1, FIRST), (V2, SECOND), (V3, THIRD), (V4, OTHER)):
        world.secret(material, version_id=version)
    world.create(key, SecretId=SECRET, SecretVersionId=V1)
    for version in (V2, V3):
        world.clock.advance(60)
        answer = world.update(key, SecretId=SECRET, SecretVersionId=version, NewMaterial="ROTATE")
        assert answer["Status"] == "SUCCESS"
    world.clock.advance(60)
    assert states(world, key) == WHOLE
    return key


def lose(world, key, *numbers):
    """A person deletes materials; 0 is the oldest."""
    for number in numbers:
        world.call("DeleteImportedKeyMaterial", KeyId=key, KeyMaterialId=listed(world, key)[number]["KeyMaterialId"])
    assert world.state(key) == "PendingImport"


def brought_back(world, key, previous, **more):
    """Returns the answer to an update that names previous versions, and the ids before and after it."""
    ids = [one["KeyMaterialId"] for one in listed(world, key)]
    answer = world.update(
        key, SecretId=SECRET, SecretVersionId=V3, NewMaterial="ROTATE", PreviousSecretVersionIds=previous, **more
    )
    assert [one["KeyMaterialId"] for one in listed(world, key)] == ids
    return answer


@pytest.mark.parametrize("lost", [(0,), (1,), (2,), (0, 1), (0, 1, 2)], ids=lambda lost: "-".join(map(str, lost)))
def test_a_key_that_lost_materials_comes_back_whole_each_under_its_own_id(world, rotated, lost):
    ciphertext = world.call("Encrypt", KeyId=rotated, Plaintext=b"before")["CiphertextBlob"]
    lose(world, rotated, *lost)

    answer = brought_back(world, rotated, [V1, V2])

    assert answer["Status"] == "SUCCESS"
    assert world.state(rotated) == "Enabled"
    assert states(world, rotated) == WHOLE
    assert encrypts_with(world, rotated, THIRD)
    assert world.call("Decrypt", CiphertextBlob=ciphertext)["Plaintext"] == b"before"
    assert world.aws.count("RotateKeyOnDemand") == 2  # for the two rotations


def test_the_order_in_which_the_versions_are_named_does_not_matter(world, rotated):
    lose(world, rotated, 0, 1)

    answer = brought_back(world, rotated, [V2, V1])

    assert answer["Status"] == "SUCCESS"
    assert states(world, rotated) == WHOLE


def test_a_version_that_is_none_of_the_key_s_is_left_out(world, rotated):
    lose(world, rotated, 0)

    answer = brought_back(world, rotated, [V4, V1])

    assert answer["Status"] == "SUCCESS"
    assert states(world, rotated) == WHOLE  # and nothing was staged


def test_no_previous_version_is_read_while_the_key_is_whole(world, rotated):
    reads = world.aws.count("GetSecretValue")
    world.secrets.forget_version(world.secret(THIRD, version_id=V3), V1)

    answer = brought_back(world, rotated, [V1], Trigger="2")

    assert answer["Status"] == "SUCCESS"
    assert world.aws.count("GetSecretValue") == reads + 1


def test_without_the_previous_versions_the_error_names_what_is_lost_and_what_brings_it_back(world, rotated):
    lose(world, rotated, 1)
    lost = listed(world, rotated)[1]["KeyMaterialId"]

    answer = world.update(rotated, SecretId=SECRET, SecretVersionId=V3, NewMaterial="ROTATE", Trigger="2")

    assert answer["Reason"] == (
        f"KeyId: KMS took the material, and did not confirm it in time: the key is PendingImport, because it lost material "
        f"that it once had ({lost}). PreviousSecretVersionIds names the secret versions that bring it back. KMS may hold "
        f"the material already: a rollback or the next update handles it."
    )
    assert answer["PhysicalResourceId"] == rotated


def test_a_previous_version_that_is_gone_is_named_before_anything_is_imported(world, rotated):
    lose(world, rotated, 0)
    before = world.snapshot()

    answer = brought_back(world, rotated, ["5" * 32])

    assert answer["Reason"] == (
        f"PreviousSecretVersionIds (secret {SECRET}): secretsmanager:GetSecretValue was refused with "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: "
        "<PreviousSecretVersionIds.0>. The secret has no version with the id in entry 1 of the list. aws secretsmanager "
        "list-secret-version-ids --include-deprecated shows its versions. Nothing was imported."
    )
    assert world.snapshot() == before


def test_a_previous_version_that_no_check_lets_pass_is_named_before_anything_is_imported(world, rotated):
    lose(world, rotated, 0)
    world.secret(FIRST + b"\n", version_id="6" * 32, stages=())
    before = world.snapshot()

    answer = brought_back(world, rotated, ["6" * 32])

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(f"PreviousSecretVersionIds (secret {SECRET}, version {'6' * 32}): ")
    assert answer["Reason"].endswith(" Nothing was imported.")
    assert world.snapshot() == before


def test_materials_that_expired_a_moment_ago_come_back_although_the_list_still_shows_them(world):
    """For a while after an expiry ImportState is still IMPORTED."""
    key = world.external_key()
    for version, material in ((V1, FIRST), (V2, SECOND)):
        world.secret(material, version_id=version)
    days = {"SecretId": SECRET, "ValidForDays": "30"}
    world.create(key, SecretVersionId=V1, **days)
    world.clock.advance(86_400 * 10)
    world.update(key, SecretVersionId=V2, NewMaterial="ROTATE", **days)
    world.clock.advance_to(listed(world, key)[0]["ValidTo"])
    world.clock.advance(1)
    assert (world.state(key), states(world, key)[0]) == ("PendingImport", ("NON_CURRENT", "IMPORTED"))

    answer = world.update(
        key, SecretVersionId=V2, NewMaterial="ROTATE", PreviousSecretVersionIds=[V1], Trigger="2", **days
    )

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"
    assert answer["Data"]["ValidTo"] == f"{listed(world, key)[1]['ValidTo']:%Y-%m-%dT%H:%M:%SZ}"


def test_a_create_on_a_rotated_key_that_lost_everything_brings_it_back(world, rotated):
    """A person retained the key, and a new resource declares it."""
    lose(world, rotated, 0, 1, 2)
    world.before.clear()

    answer = world.create(rotated, "TakenUp", SecretId=SECRET, SecretVersionId=V3, PreviousSecretVersionIds=[V1, V2])

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", rotated)
    assert states(world, rotated) == WHOLE


def test_pending_material_that_was_lost_does_not_keep_the_key_from_use(world, rotated):
    kms = world.session().client("kms")
    import_material(kms, rotated, OTHER, ImportType="NEW_KEY_MATERIAL", ValidTo=world.clock.now().replace(hour=23))
    world.clock.advance(86_400)
    assert (world.state(rotated), states(world, rotated)[-1]) == ("Enabled", ("PENDING_ROTATION", "PENDING_IMPORT"))

    answer = brought_back(world, rotated, [V1, V2], Trigger="2")

    assert answer["Status"] == "SUCCESS"
    assert states(world, rotated)[:3] == WHOLE


# ---------------------------------------------------------------------------------------------- their expiry is renewed


def ends(world, key):
    """When each material expires, the oldest first; None where it does not."""
    shown = [one.get("ValidTo") for one in listed(world, key)]
    return [None if end is None else f"{end:%Y-%m-%d %H:%M}" for end in shown]


def test_a_trigger_renews_the_expiry_of_earlier_materials_too(world, rotated):
    """Otherwise the key would be out of use when the first of them expires."""
    brought_back(world, rotated, [V1, V2], ValidForDays="30")
    first = ends(world, rotated)
    world.clock.advance(86_400 * 10)

    answer = brought_back(world, rotated, [V1, V2], ValidForDays="30", Trigger="2")

    assert first == ["2026-12-31 12:08"] * 3
    assert ends(world, rotated) == ["2027-01-10 12:08"] * 3
    assert answer["Data"]["ValidTo"].startswith("2027-01-10T12:08")
    assert states(world, rotated) == WHOLE
    assert world.aws.count("RotateKeyOnDemand") == 2


def test_an_expiry_that_is_removed_is_removed_from_earlier_materials_too(world, rotated):
    brought_back(world, rotated, [V1, V2], ValidTo="2027-03-01T00:00:00Z")
    assert ends(world, rotated) == ["2027-03-01 00:00"] * 3

    answer = brought_back(world, rotated, [V1, V2])

    assert ends(world, rotated) == [None] * 3
    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"


def test_a_rotation_gives_the_material_that_it_supersedes_the_declared_expiry(world, rotated):
    answer = world.update(
        rotated,
        SecretId=SECRET,
        SecretVersionId=V4,
        NewMaterial="ROTATE",
        PreviousSecretVersionIds=[V1, V2, V3],
        ValidTo="2027-03-01T00:00:00Z",
    )

    assert answer["Status"] == "SUCCESS"
    assert ends(world, rotated) == ["2027-03-01 00:00"] * 4


def test_versions_that_are_named_for_the_first_time_get_the_expiry_that_is_declared_already(world, rotated):
    declared = {"SecretId": SECRET, "SecretVersionId": V3, "ValidTo": "2027-03-01T00:00:00Z"}
    world.update(rotated, **declared)
    assert ends(world, rotated) == [None, None, "2027-03-01 00:00"]

    answer = world.update(rotated, **declared, PreviousSecretVersionIds=[V1, V2])

    assert answer["Status"] == "SUCCESS"
    assert ends(world, rotated) == ["2027-03-01 00:00"] * 3


def test_an_earlier_material_that_no_version_names_keeps_its_expiry_and_the_log_warns_of_it(world, rotated):
    brought_back(world, rotated, [V1, V2], ValidTo="2027-03-01T00:00:00Z")

    answer = world.update(rotated, SecretId=SECRET, SecretVersionId=V3, NewMaterial="ROTATE")

    assert ends(world, rotated) == ["2027-03-01 00:00", "2027-03-01 00:00", None]
    assert answer["Data"]["ValidTo"] == "2027-03-01T00:00:00Z"  # what KMS shows for the key
    assert (
        f'earlier material expires before the current one, and the key goes out of use then {{"key_arn": "{rotated}", '
        '"valid_to": "2027-03-01T00:00:00Z"}'
    ) in world.log.getvalue()


def test_versions_that_are_named_are_not_read_where_no_expiry_is_to_change(world, rotated):
    before = len(world.aws.calls)

    brought_back(world, rotated, [V1, V2], Trigger="2")

    assert world.aws.operations()[before:].count("GetSecretValue") == 1
    assert world.aws.operations()[before:].count("ImportKeyMaterial") == 1
