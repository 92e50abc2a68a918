"""A stack's later operations on its material: another expiry, other names, failures and their rollback, removal."""

from datetime import UTC, datetime, timedelta

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key

SOON = timedelta(minutes=5)
NO_SECRET = "arn:of:none"  # refused at once; for an unknown name the function asks for twenty seconds


def test_an_expiry_changes_in_place(scene):
    key = scene.empty_key()
    secret = scene.secret(random_key(32))
    scene.create({"Material": scene.material(key, secret)})
    blob = scene.kms.encrypt(KeyId=key, Plaintext=b"before")["CiphertextBlob"]

    stack = scene.update(
        {"Material": scene.material(key, secret, ValidForDays=30)},
        {"ValidTo": {"Fn::GetAtt": ["Material", "ValidTo"]}},
    )

    assert stack.status == "UPDATE_COMPLETE"
    expires = scene.look(key)["ValidTo"]
    assert abs(expires - datetime.now(UTC) - timedelta(days=30)) < SOON
    assert datetime.fromisoformat(stack.outputs["ValidTo"]) == expires
    assert scene.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"before"
    assert scene.requests() == [("Create", "Material", None), ("Update", "Material", key)]


def test_a_new_trigger_imports_again_what_was_taken_out_by_hand(scene):
    key = scene.empty_key()
    secret = scene.secret(random_key(32))
    scene.create({"Material": scene.material(key, secret)})
    scene.kms.delete_imported_key_material(KeyId=key)

    stack = scene.update({"Material": scene.material(key, secret, Trigger="again")})

    assert stack.status == "UPDATE_COMPLETE"
    assert scene.state(key) == "Enabled"


def test_deleting_the_stack_empties_the_key(scene):
    key = scene.empty_key()
    scene.create({"Material": scene.material(key, scene.secret(random_key(32)))})

    stack = scene.delete()

    assert stack.status == "DELETE_COMPLETE"
    assert scene.state(key) == "PendingImport"


def test_the_stacks_own_key_is_empty_before_it_is_scheduled_for_deletion(scene):
    stack = scene.create(
        {"Key": scene.stack_key(), "Material": scene.material({"Ref": "Key"}, scene.secret(random_key(32)))},
        {"Key": {"Ref": "Key"}},
    )
    key = stack.outputs["Key"]

    deleted = scene.delete()

    assert [event for event in deleted.told() if event.endswith("DELETE_COMPLETE")][:2] == [
        "Material DELETE_COMPLETE",
        "Key DELETE_COMPLETE",
    ]
    assert scene.state(key) == "PendingDeletion"
    scene.kms.cancel_key_deletion(KeyId=key)
    assert scene.state(key) == "PendingImport"


def test_removing_the_resource_empties_the_key(scene):
    key, other = scene.empty_key(), scene.empty_key()
    kept = scene.material(other, scene.secret(random_key(32), "kept"))
    scene.create({"Material": scene.material(key, scene.secret(random_key(32))), "Kept": kept})

    stack = scene.update({"Kept": kept})

    assert stack.status == "UPDATE_COMPLETE"
    assert (scene.state(key), scene.state(other)) == ("PendingImport", "Enabled")
    assert scene.requests()[-1] == ("Delete", "Material", key)


def test_a_renamed_resource_keeps_the_material(scene):
    key = scene.empty_key()
    material = scene.material(key, scene.secret(random_key(32)))
    scene.create({"Material": material})

    stack = scene.update({"Renamed": material})

    assert stack.status == "UPDATE_COMPLETE"
    assert scene.state(key) == "Enabled"
    assert scene.requests()[1:] == [("Create", "Renamed", None), ("Delete", "Material", key)]
    assert scene.delete().status == "DELETE_COMPLETE"
    assert scene.state(key) == "PendingImport"


def test_another_key_is_a_replacement_and_the_old_one_is_emptied(scene):
    old, new = scene.empty_key(), scene.empty_key()
    secret = scene.secret(random_key(32))
    scene.create({"Material": scene.material(old, secret)})

    stack = scene.update({"Material": scene.material(new, secret)})

    assert stack.status == "UPDATE_COMPLETE"
    assert (scene.state(old), scene.state(new)) == ("PendingImport", "Enabled")
    assert scene.requests()[1:] == [("Update", "Material", old), ("Delete", "Material", old)]


def test_a_replacement_that_is_rolled_back_leaves_the_old_key_as_it_was(scene):
    old, new = scene.empty_key(), scene.empty_key()
    secret = scene.secret(random_key(32))
    scene.create({"Material": scene.material(old, secret)})
    fails = scene.material(scene.empty_key(), NO_SECRET, resource={"DependsOn": "Material"})

    stack = scene.update({"Material": scene.material(new, secret), "Fails": fails})

    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert (scene.state(old), scene.state(new)) == ("Enabled", "PendingImport")
    assert [(kind, physical_id) for kind, name, physical_id in scene.requests()[1:] if name == "Material"] == [
        ("Update", old),
        ("Update", new),
        ("Delete", new),
    ]


def test_when_a_later_resource_fails_the_rollback_takes_the_material_out(scene):
    key = scene.empty_key()
    fails = scene.material(scene.empty_key(), NO_SECRET, resource={"DependsOn": "Material"})

    stack = scene.create({"Material": scene.material(key, scene.secret(random_key(32))), "Fails": fails})

    assert stack.status == "ROLLBACK_COMPLETE"
    assert scene.state(key) == "PendingImport"
    assert [request[:2] for request in scene.requests()] == [
        ("Create", "Material"),
        ("Create", "Fails"),
        ("Delete", "Fails"),
        ("Delete", "Material"),
    ]


def test_an_update_that_fails_leaves_the_key_in_use(scene):
    key = scene.empty_key()
    secret = scene.secret(random_key(32))
    scene.create({"Material": scene.material(key, secret)})

    stack = scene.update({"Material": scene.material(key, "there/is/none")})

    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "IAM answers this in three cases: there is no secret of this name in account" in scene.reason(stack)
    assert scene.state(key) == "Enabled"


def test_material_that_the_key_held_before_is_never_removed(scene):
    """An adopted key: the physical id is its bare id, and Delete touches nothing."""
    key = scene.empty_key()
    import_material(scene.kms, key, random_key(32))

    scene.create({"Material": scene.material(key, scene.secret(random_key(32)))})
    assert scene.delete().status == "DELETE_COMPLETE"

    assert scene.state(key) == "Enabled"
    assert scene.requests()[-1] == ("Delete", "Material", key.rpartition("/")[2])
