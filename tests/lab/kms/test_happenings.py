"""What the strict KMS does by itself, for the events that KMS sends of it."""

from datetime import timedelta

from lab.keys.by_hand import import_material
from lab.kms.passing import What

FIRST, SECOND = bytes(range(32)), bytes(range(1, 33))


def happened(bench):
    return [(one.what, one.key_arn) for one in bench.strict.take_happenings()]


def test_material_that_expired_is_told_once_without_anybody_looking(bench):
    key = bench.key()
    arn = bench.metadata(key)["Arn"]
    import_material(bench.kms, key, FIRST, ValidTo=bench.clock.now() + timedelta(minutes=1))
    assert happened(bench) == []

    bench.clock.advance(61)

    assert happened(bench) == [(What.EXPIRED, arn)]
    assert happened(bench) == []


def test_a_look_at_the_key_does_not_swallow_what_happened(bench):
    key = bench.key()
    import_material(bench.kms, key, FIRST, ValidTo=bench.clock.now() + timedelta(minutes=1))
    bench.clock.advance(61)
    assert bench.state(key) == "PendingImport"

    assert [what for what, _ in happened(bench)] == [What.EXPIRED]


def test_a_rotation_is_told_when_it_is_complete_with_both_materials(bench):
    key = bench.key()
    import_material(bench.kms, key, FIRST)
    import_material(bench.kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")
    bench.kms.rotate_key_on_demand(KeyId=key)
    assert happened(bench) == []
    bench.clock.advance(300)

    (one,) = bench.strict.take_happenings()

    ids = [entry["KeyMaterialId"] for entry in bench.rotations(key)]
    assert (one.what, [one.previous_material_id, one.current_material_id]) == (What.ROTATED, ids)


def test_a_key_is_told_when_it_is_gone_and_not_when_its_deletion_is_scheduled(bench):
    key = bench.key()
    arn = bench.metadata(key)["Arn"]
    bench.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    bench.clock.advance(6 * 86400)
    assert happened(bench) == []

    bench.clock.advance(2 * 86400)

    assert happened(bench) == [(What.DELETED, arn)]
