"""The material's expiry: set, changed, removed, renewed; and reached, in real time."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from lab.keys.random_keys import random_key

SOON = timedelta(minutes=1)
LIFETIME = timedelta(seconds=8)  # enough for an update of two resources on a busy machine
PATIENCE_SECONDS = 20
NEVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", "ValidTo": ""}
OUTPUTS = {name: {"Fn::GetAtt": ["Material", name]} for name in NEVER}


class ExpiringKey:
    """A key, and a stack with its material, whose expiry each update declares again."""

    def __init__(self, scene):
        self.scene = scene
        self.secret, [self.version] = scene.versions(random_key(32))
        self.arn = scene.empty_key()

    def declared(self, **expiry):
        return {"Material": self.scene.material(self.arn, self.secret, SecretVersionId=self.version, **expiry)}

    def create(self, **expiry):
        return self.scene.create(self.declared(**expiry), OUTPUTS)

    def update(self, **expiry):
        stack = self.scene.update(self.declared(**expiry), OUTPUTS)
        assert stack.status == "UPDATE_COMPLETE"
        return stack

    def imports(self):
        return sum(self.arn in line and '"imported"' in line for line in self.scene.aws.logs().splitlines())


@pytest.fixture
def key(scene):
    return ExpiringKey(scene)


def in_(period):
    """An ISO 8601 time, in whole seconds as KMS keeps it."""
    return (datetime.now(UTC) + period).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_expiry_is_set_changed_and_removed(scene, key):
    assert key.create().outputs == NEVER
    blob = scene.seal(key.arn)

    set_ = key.update(ValidForDays=30)
    assert set_.outputs["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert abs(scene.look(key.arn)["ValidTo"] - datetime.now(UTC) - timedelta(days=30)) < SOON
    assert datetime.fromisoformat(set_.outputs["ValidTo"]) == scene.look(key.arn)["ValidTo"]

    later = in_(timedelta(days=300))
    assert key.update(ValidTo=later).outputs == {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": later}
    assert scene.look(key.arn)["ValidTo"] == datetime.fromisoformat(later)

    assert key.update().outputs == NEVER
    assert "ValidTo" not in scene.look(key.arn)
    assert scene.opens(blob)


def test_days_count_from_the_import_and_only_a_trigger_renews_them(scene, key):
    key.create(ValidForDays=30)
    first = scene.look(key.arn)["ValidTo"]

    key.update(ValidForDays=30, ServiceTimeout=600)
    assert scene.look(key.arn)["ValidTo"] == first
    assert key.imports() == 1

    time.sleep(1)  # KMS keeps whole seconds
    key.update(ValidForDays=30, ServiceTimeout=600, Trigger="renewed")
    assert scene.look(key.arn)["ValidTo"] > first
    assert key.imports() == 2


def test_material_that_expired_comes_back_with_an_update(scene):
    """A symmetric and an HMAC key in one test, so that the test waits only once."""
    symmetric = scene.empty_key()
    hmac = scene.empty_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    secret, [version] = scene.versions(random_key(32))

    def declared(**expiry):
        return {
            name: scene.material(key, secret, SecretVersionId=version, **expiry)
            for name, key in {"Symmetric": symmetric, "Hmac": hmac}.items()
        }

    scene.create(declared())
    blob = scene.seal(symmetric)
    mac = {"KeyId": hmac, "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    tag = scene.kms.generate_mac(**mac)["Mac"]

    valid_to = in_(LIFETIME)
    assert scene.update(declared(ValidTo=valid_to)).status == "UPDATE_COMPLETE"
    assert scene.opens(blob)
    wait_for_the_end(scene, valid_to, symmetric, hmac)
    with pytest.raises(ClientError, match=r"is pending import\.$"):
        scene.opens(blob)

    stack = scene.update(declared())

    assert stack.status == "UPDATE_COMPLETE"
    assert scene.opens(blob)
    assert scene.kms.verify_mac(**mac, Mac=tag)["MacValid"]


def wait_for_the_end(scene, valid_to, *keys):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while {scene.state(key) for key in keys} != {"PendingImport"}:
        assert time.monotonic() < deadline, f"the material did not expire at {valid_to}"
        time.sleep(0.1)
    assert datetime.now(UTC) >= datetime.fromisoformat(valid_to)
