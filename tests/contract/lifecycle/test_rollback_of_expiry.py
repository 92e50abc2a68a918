"""A rollback and the expiry of the material (rule 6): restored where that risks nothing, and told where it is not."""

from lab.keys.by_hand import import_material
from tests.support.pinned import CHANGES, LEFT, SECOND, V1, V2, created, forget, rolled_back, stood, updated


def test_rollback_restores_the_expiry(world):
    key, first = stood(world, ValidTo="2027-03-01T00:00:00Z")
    updated(world, key, ValidTo="2027-05-01T00:00:00Z")

    answer, operations = rolled_back(world, key, ValidTo="2027-03-01T00:00:00Z")

    assert answer["Data"] == first["Data"]
    assert operations.count("ImportKeyMaterial") == 1
    assert LEFT not in world.log.getvalue()


def test_rollback_when_the_old_valid_to_has_passed(world):
    key = created(world, ValidTo="2026-12-01T13:00:00Z")
    updated(world, key)
    world.clock.advance(3600)

    answer, operations = rolled_back(world, key, ValidTo="2026-12-01T13:00:00Z")

    assert not CHANGES & set(operations)
    assert world.state(key) == "Enabled"
    assert (answer["Data"]["ExpirationModel"], answer["Data"]["ValidTo"]) == ("KEY_MATERIAL_DOES_NOT_EXPIRE", "")
    assert (
        f'{LEFT} {{"problem": "The key\'s expiry could not be brought back. ValidTo: The time has passed, and KMS would '
        f'refuse it. Declare a later time, or ValidForDays. Nothing was imported."}}'
    ) in world.log.getvalue()


def test_rollback_when_the_old_secret_version_is_gone_leaves_the_new_expiry_with_a_warning(world):
    key = created(world)
    updated(world, key, ValidForDays="30")
    forget(world, V1)

    answer, _ = rolled_back(world, key)

    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    said = f'{LEFT} {{"problem": "The key\'s expiry could not be brought back. SecretVersionId (secret orders/master-key): '
    assert said in world.log.getvalue()


def test_rollback_after_a_rotation_that_brought_an_expiry_says_that_it_stays(world):
    """The old bytes can't be made current again, so their expiry is not the key's any more."""
    key = created(world)
    updated(world, key, V2, NewMaterial="ROTATE", ValidForDays="30")

    answer, _ = rolled_back(world, key)

    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert (
        f'{LEFT} {{"problem": "The key\'s expiry is not the earlier one. New material that was staged, or that a rotation has '
        f"made current, stays: a key can't go back.\"}}"
    ) in world.log.getvalue()


def test_rollback_risks_nothing_for_the_expiry_while_material_is_pending(world):
    """A rotation may have been asked for, and would take it."""
    key = created(world)
    updated(world, key, ValidForDays="30")
    import_material(world.session().client("kms"), key, SECOND, ImportType="NEW_KEY_MATERIAL")

    answer, operations = rolled_back(world, key)

    assert not CHANGES & set(operations)
    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert (
        f'{LEFT} {{"problem": "Material that is pending stays pending, and all material keeps its expiry."}}'
    ) in world.log.getvalue()
