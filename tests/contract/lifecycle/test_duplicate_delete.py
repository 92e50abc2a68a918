"""A Delete that comes twice, or late: it removes nothing from a key that is in use again (rules 2 and 9)."""

from lab.keys.by_hand import import_material
from lab.kms.materials import listed
from lab.wire.faults import Moment
from lab.wire.transport import Refusal
from tests.support.delivered import carried_out, delivered_again
from tests.support.pinned import FIRST, SECOND, created


def test_a_duplicate_delete_right_away(world):
    key = created(world)
    event = world.delete_request()
    answer = world.invoke(event)
    world.clock.advance(3)
    world.settle(event, answer)

    assert world.invoke(event) is None  # CloudFormation has its answer
    assert world.state(key) == "PendingImport"


def test_a_duplicate_delete_that_was_answered_within_its_own_second(world):
    """X-Amz-Date has whole seconds: the id may have been deleted before the request, so the function removes nothing."""
    key = created(world)
    event = world.delete_request()
    carried_out(world, event)
    import_material(world.session().client("kms"), key, FIRST)

    answer = delivered_again(world, event)

    assert answer["Reason"] == (
        "CloudFormation does not wait for this Delete request: Material is DELETE_COMPLETE, and CloudFormation shows no "
        "Delete since then. Nothing was removed."
    )


def test_a_duplicate_delete_at_the_same_time(timeline):
    key, secret, stack = timeline.external_key(), timeline.secret(FIRST), timeline.stack()
    timeline.delivers("Delete", "Material", 0.1, 0.12)
    timeline.at(10, lambda: stack.create({"Material": timeline.declared(key, secret)}))
    timeline.at(100, stack.delete)
    timeline.run()

    one, two = timeline.of("Delete")
    assert one.answer["Status"] == two.answer["Status"] == "SUCCESS"
    assert (stack.status, timeline.state(key)) == ("DELETE_COMPLETE", "PendingImport")


def with_pending_material(world):
    """A key with pending material, and that material's id."""
    key = created(world)
    import_material(world.session().client("kms"), key, SECOND, ImportType="NEW_KEY_MATERIAL")
    return key, listed(world, key)[-1]["KeyMaterialId"]


def test_a_duplicate_delete_has_taken_out_the_pending_material_meanwhile_and_kms_has_forgotten_it(world):
    key, pending = with_pending_material(world)
    event = world.delete_request()

    def overtaken(call, moment):
        if (call.operation, moment) == ("DeleteImportedKeyMaterial", Moment.BEFORE):
            world.aws.hooks.remove(overtaken)
            world.call("DeleteImportedKeyMaterial", KeyId=key, KeyMaterialId=pending)

    world.aws.hooks.append(overtaken)
    answer = world.invoke(event)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", key)
    assert world.state(key) == "PendingImport"
    assert not any(one["ImportState"] == "IMPORTED" for one in listed(world, key))


def test_a_refusal_to_take_out_pending_material_that_is_there_still_is_no_success(world):
    key, _ = with_pending_material(world)
    world.aws.faults.inject("DeleteImportedKeyMaterial", Refusal(400, "ValidationException", "no"), times=1)

    answer = world.delete()

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("KeyId: kms:DeleteImportedKeyMaterial was refused with ValidationException")
    assert world.state(key) == "Enabled"


def test_a_duplicate_delete_after_a_later_operation_has_finished(timeline):
    """A deployment removed the resource, and a later one added it again: the material is in use."""
    key, secret, stack = timeline.external_key(), timeline.secret(FIRST), timeline.stack()
    other = timeline.declared(timeline.external_key(), timeline.secret(SECOND, "orders/other"))
    material = timeline.declared(key, secret)
    timeline.delivers("Delete", "Material", 0.1, 500.0)
    timeline.at(10, lambda: stack.create({"Material": material, "Other": other}))
    timeline.at(100, lambda: stack.update({"Other": other}))
    timeline.at(200, lambda: stack.update({"Material": material, "Other": other}))
    timeline.run()

    _, late = timeline.of("Delete")
    assert timeline.seconds(late.started_at) > 500
    assert "DeleteImportedKeyMaterial" not in late.operations
    assert (stack.status, timeline.state(key)) == ("UPDATE_COMPLETE", "Enabled")
    assert f'another resource holds the key: its material stays {{"key_arn": "{key}"' in timeline.log.getvalue()


def test_a_late_delete_while_the_same_logical_id_is_being_created_again(timeline):
    """The Create has imported, but not answered: the list of the stack's resources does not show yet that it holds the key."""
    key, secret, stack = timeline.external_key(), timeline.secret(FIRST), timeline.stack()
    other = timeline.declared(timeline.external_key(), timeline.secret(SECOND, "orders/other"))
    material = timeline.declared(key, secret)
    timeline.delivers("Delete", "Material", 0.1, 160.0)
    timeline.delivers("Create", "Material", 0.1)
    timeline.at(10, lambda: stack.create({"Material": material, "Other": other}))
    timeline.at(100, lambda: stack.update({"Other": other}))
    timeline.at(190, lambda: timeline.pauses("Create", "Material", "ImportKeyMaterial", Moment.AFTER, 200.0))
    timeline.at(200, lambda: stack.update({"Material": material, "Other": other}))
    timeline.run()

    _, again = timeline.of("Create")
    _, late = timeline.of("Delete")
    assert timeline.seconds(again.started_at) < timeline.seconds(late.started_at) < 320
    assert late.answer["Reason"] == (
        "CloudFormation does not wait for this Delete request: it was made before the stack's present operation began. "
        "Nothing was removed."
    )
    assert "DeleteImportedKeyMaterial" not in late.operations
    assert (stack.status, timeline.state(key)) == ("UPDATE_COMPLETE", "Enabled")


def test_a_delete_of_the_same_operation_waits_for_no_create_of_its_logical_id(world):
    """In whichever order they come, the Delete removes nothing from a key that the Create is filling."""
    created(world)
    event = world.delete_request(status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    world.stack.set("Material", "CREATE_IN_PROGRESS", world.clock.now(), physical_id=None)

    answer = delivered_again(world, event)

    assert answer["Reason"] == (
        "CloudFormation does not wait for this Delete request: Material is being created. Nothing was removed."
    )
