"""`key-custodian inventory` and the watch's own look, on a local AWS: they see what a real stack declares."""

import json
from types import SimpleNamespace

import pytest

from imported_key_material.clock import SystemClock
from imported_key_material.watch.calls import Clients
from imported_key_material.watch.run import Settings, Watch
from lab.clock import WallClock
from lab.keys.canaries import Canaries
from lab.keys.random_keys import random_key
from lab.program import Program
from lab.watch.playing import scheduled

TIMEOUT_SECONDS = 300.0


@pytest.fixture
def declaration(scene):
    """A key that the stack makes and fills, with an alias."""
    secret = scene.secret(random_key(32))
    alias = {
        "Type": "AWS::KMS::Alias",
        "Properties": {"AliasName": f"alias/{scene.name}", "TargetKeyId": {"Fn::GetAtt": ["Material", "KeyArn"]}},
    }

    def declaration(trigger):
        key = {"Fn::GetAtt": ["Key", "Arn"]}
        material = scene.material(key, secret, ValidForDays="20", Trigger=trigger)
        return {"Key": scene.stack_key(), "Material": material, "Alias": alias}

    return declaration


@pytest.fixture
def declared(scene, declaration):
    """Its ARN."""
    stack = scene.create(declaration("first"), {"KeyArn": {"Fn::GetAtt": ["Material", "KeyArn"]}})
    assert stack.status == "CREATE_COMPLETE"
    return stack.outputs["KeyArn"]


def test_the_inventory_lists_the_key_of_a_stack(scene, declared, tmp_path):
    done = Program(tmp_path, scene.aws.settings.environment()).run("inventory", "--format", "json")

    assert done.code == 0, done.err
    (place,) = json.loads(done.out)["places"]
    (key,) = [one for one in place["keys"] if one["key_arn"] == declared]
    assert (key["aliases"], key["key_spec"], key["key_state"]) == (
        [f"alias/{scene.name}"],
        "SYMMETRIC_DEFAULT",
        "Enabled",
    )
    (holder,) = key["declared_by"]
    assert (holder["stack"], holder["logical_id"]) == (scene.name, "Material")
    (material,) = key["materials"]
    assert (material["state"], material["imported"], material["ends"]) == ("CURRENT", True, key["ends"])
    assert (key["rotations_left"], key["findings"]) == (25, ["Expires"])
    assert Canaries(material=random_key(32)).found_in(done.out, done.err) == {}


@pytest.fixture
def run(scene):
    """Runs the watch in this process, with clients of the local AWS. Returns what it publishes; other tests have keys, too."""
    published = []
    sns = SimpleNamespace(publish=lambda **message: published.append(message["Message"]) or {})
    watch = Watch(
        Clients(scene.kms, scene.aws.client("cloudformation"), sns),
        Settings("topic", 30, "imported-key-material-ServiceToken"),
        SystemClock(),
        SimpleNamespace(info=lambda *_, **__: None, warning=lambda *_, **__: None),
        lambda *_: None,
    )
    context = SimpleNamespace(
        invoked_function_arn=f"{scene.token}-watch", get_remaining_time_in_millis=lambda: TIMEOUT_SECONDS * 1000
    )

    def run():
        published.clear()
        watch(scheduled(WallClock().now()), context)
        return "".join(published)

    return run


def test_the_watch_sees_a_key_that_was_emptied_by_hand_until_it_is_mended(scene, declared, declaration, run):
    out_of_use = (
        f"expired or was removed.\n"
        f"   Key:        {declared} (alias/{scene.name})\n"
        f"   Stack:      {scene.name}, resource Material, "
    )
    assert out_of_use not in run()

    scene.kms.delete_imported_key_material(KeyId=declared)
    assert out_of_use in run()

    assert scene.update(declaration("second")).status == "UPDATE_COMPLETE"
    assert out_of_use not in run()
