"""New material for a symmetric key in use: refused, staged, made current; and a rotated key that is restored.

The strict KMS serves it: a rotation takes two seconds, and it refuses what AWS refuses.
"""

import pytest
from botocore.exceptions import ClientError

from lab.keys.random_keys import random_keys
from lab.kms import ciphertext
from lab.local.places import REPOSITORY
from tests.support.scene import MESSAGE

FIRST, SECOND = random_keys(32, 2)
ROTATED = [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
OUTPUTS = {name: {"Fn::GetAtt": ["Material", name]} for name in ("KeyArn", "KeyMaterialId")}


class KeyInUse:
    """A key, and a stack that imported FIRST into it. The two versions of its secret hold FIRST and SECOND."""

    def __init__(self, scene):
        self.scene = scene
        self.secret, self.versions = scene.versions(FIRST, SECOND)
        self.arn = scene.empty_key()
        self.created = scene.create(self.declared(1), OUTPUTS)
        self.before = scene.seal(self.arn)

    def declared(self, version, **more):
        pinned = {"SecretVersionId": self.versions[version - 1]}
        return {"Material": self.scene.material(self.arn, self.secret, **pinned, **more)}

    def update(self, version, **more):
        return self.scene.update(self.declared(version, **more), OUTPUTS)

    def encrypts_with(self, material):
        """Whether these bytes decrypt, outside of KMS, what KMS encrypts."""
        return ciphertext.open_sealed(ciphertext.take_apart(self.scene.seal(self.arn)), material, {}) == MESSAGE


@pytest.fixture
def key(scene):
    return KeyInUse(scene)


class Example:
    """A stack of examples/rotation.yaml, whose secret holds FIRST and SECOND, wrapped."""

    def __init__(self, scene):
        self.scene = scene
        self.template = (REPOSITORY / "examples" / "rotation.yaml").read_text()
        self.transport = scene.key()
        wrapped = [scene.encrypted(material, self.transport) for material in (FIRST, SECOND)]
        self.secret, self.versions = scene.versions(*wrapped)

    def create(self):
        return self.scene.aws.stacks.create(self.scene.name, self.template, self._parameters(1, "REFUSE"))

    def update(self, version, new_material, **more):
        parameters = self._parameters(version, new_material, **more)
        return self.scene.aws.stacks.update(self.scene.name, self.template, parameters)

    def _parameters(self, version, new_material, **more):
        pinned = {"SecretId": self.secret, "SecretVersionId": self.versions[version - 1]}
        return {**pinned, "TransportKeyId": self.transport, "NewMaterial": new_material, **more}


@pytest.fixture
def example(scene):
    return Example(scene)


def test_the_example_stages_new_material_then_rotates_to_it_and_retains_all_of_it(scene, example):
    created = example.create()
    assert created.status == "CREATE_COMPLETE"
    key = created.outputs["KeyArn"]
    before = scene.seal(key)

    staged = example.update(2, "STAGE")
    assert staged.status == "UPDATE_COMPLETE"
    assert scene.materials(key) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]
    assert staged.outputs == created.outputs
    between = scene.seal(key)

    rotated = example.update(2, "ROTATE")
    assert rotated.status == "UPDATE_COMPLETE"
    assert scene.materials(key) == ROTATED
    assert rotated.outputs == {"KeyArn": key, "KeyMaterialId": scene.look(key)["CurrentKeyMaterialId"]}
    assert rotated.outputs != created.outputs
    assert scene.opens(before, between, scene.seal(f"alias/{scene.name}"))

    assert scene.delete().status == "DELETE_COMPLETE"
    assert scene.opens(before, between)


def test_the_example_brings_back_a_rotated_key_that_lost_its_earlier_material(scene, example):
    created = example.create()
    key = created.outputs["KeyArn"]
    blobs = [scene.seal(key)]
    assert example.update(2, "ROTATE").status == "UPDATE_COMPLETE"
    blobs.append(scene.seal(key))
    scene.kms.delete_imported_key_material(KeyId=key, KeyMaterialId=created.outputs["KeyMaterialId"])
    with pytest.raises(ClientError, match=r"is pending import\.$"):
        scene.opens(blobs[1])

    stack = example.update(2, "ROTATE", PreviousSecretVersionIds=example.versions[0])

    assert stack.status == "UPDATE_COMPLETE"
    assert scene.materials(key) == ROTATED
    assert scene.opens(*blobs)


def test_new_material_becomes_current_at_once_and_a_delete_takes_out_both(scene, key):
    stack = key.update(2, NewMaterial="ROTATE", KeyMaterialDescription="second ceremony")

    assert stack.status == "UPDATE_COMPLETE"
    assert scene.materials(key.arn) == ROTATED
    assert stack.outputs["KeyMaterialId"] == scene.look(key.arn)["CurrentKeyMaterialId"]
    assert key.encrypts_with(SECOND)
    assert scene.opens(key.before)

    assert scene.delete().status == "DELETE_COMPLETE"
    assert scene.state(key.arn) == "PendingImport"
    assert scene.materials(key.arn) == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "PENDING_IMPORT")]


def test_other_material_is_refused_and_the_key_stays_in_use(scene, key):
    stack = key.update(2)

    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert scene.reason(stack) == (
        f"SecretId (secret {key.secret}, version {key.versions[1]}): The secret holds other material than the key holds or "
        "ever used (IncorrectKeyMaterialException), and a symmetric key takes new material only by a rotation, and "
        "NewMaterial is REFUSE. Name the secret version that holds the key's material; or declare NewMaterial: STAGE or "
        "ROTATE, which can't be taken back; or declare a new key for the new material. Nothing was imported."
    )
    assert scene.materials(key.arn) == [("CURRENT", "IMPORTED")]
    assert key.encrypts_with(FIRST)
    assert scene.opens(key.before)


def test_a_rollback_after_the_rotation_leaves_the_key_rotated_and_usable(scene, key):
    fails = scene.material(scene.empty_key(), "arn:of:none", resource={"DependsOn": "Material"})

    stack = scene.update(key.declared(2, NewMaterial="ROTATE") | {"Fails": fails}, OUTPUTS)

    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert scene.materials(key.arn) == ROTATED
    assert key.encrypts_with(SECOND)
    assert scene.opens(key.before)
    again = key.update(2, NewMaterial="ROTATE")
    assert again.status == "UPDATE_COMPLETE"
    assert again.outputs["KeyMaterialId"] == scene.look(key.arn)["CurrentKeyMaterialId"]
    assert scene.materials(key.arn) == ROTATED
