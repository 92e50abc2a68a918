"""A multi-Region key: each Region's stack imports the same bytes into its own key; the primary's stack rotates both.

Two Regions of one local AWS, the application deployed in each. The stacks come from the examples, except for one resource:
the local AWS has no AWS::KMS::ReplicaKey, so the test calls ReplicateKey, as that resource would.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from samtranslator.yaml_helper import yaml_parse

from lab.keys.random_keys import random_keys
from lab.local.places import REPOSITORY
from tests.support.scene import AWAY, CONSENT, Scene

pytestmark = pytest.mark.xdist_group("multi-region")  # one deployment of the application in the other Region

FIRST, SECOND = random_keys(32, 2)
EXAMPLES = REPOSITORY / "examples"
CURRENT, NON_CURRENT, PENDING = ((state, "IMPORTED") for state in ("CURRENT", "NON_CURRENT", "PENDING_ROTATION"))
ROTATED = [NON_CURRENT, CURRENT]
WAITS = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"  # for what the replica lacks
PATIENCE_SECONDS = 30


class Pair:
    """A primary and its replica, each with FIRST by a stack of its Region. The secret has a version with SECOND, too."""

    def __init__(self, home, away):
        self.home, self.away = home, away
        self.transport = home.key(MultiRegion=True)
        self._replicate(self.transport)
        wrapped = [home.encrypted(material, self.transport) for material in (FIRST, SECOND)]
        self.secret, self.versions = home.versions(*wrapped)
        home.secretsmanager.replicate_secret_to_regions(SecretId=self.secret, AddReplicaRegions=[{"Region": AWAY}])
        created = home.aws.stacks.create(home.name, self._template("primary"), self._parameters(1))
        assert created.status == "CREATE_COMPLETE", created.reasons()
        self.primary = created.outputs["KeyArn"]
        self.replica = self._replicate(self.primary)
        created = away.aws.stacks.create(away.name, self._template("replica"), self._parameters(1, **self._keys))
        assert created.status == "CREATE_COMPLETE", created.reasons()
        self.before = home.seal(self.primary)

    def _replicate(self, key):
        tags = [{"TagKey": CONSENT, "TagValue": self.home.name}]
        made = self.home.kms.replicate_key(KeyId=key, ReplicaRegion=AWAY, Tags=tags)
        return made["ReplicaKeyMetadata"]["Arn"]

    @staticmethod
    def _template(which):
        template = yaml_parse((EXAMPLES / f"multi-region-{which}.yaml").read_text())
        if which == "primary":
            return template
        del template["Resources"]["Key"]
        template["Parameters"]["ReplicaKeyArn"] = {"Type": "String"}
        text = json.dumps(template).replace('{"Fn::GetAtt": ["Key", "Arn"]}', '{"Ref": "ReplicaKeyArn"}')
        return json.loads(text)

    @property
    def _keys(self):
        return {"PrimaryKeyArn": self.primary, "ReplicaKeyArn": self.replica}

    def _parameters(self, version, **more):
        transport = self.transport.rpartition("/")[2]  # the same id in both Regions
        pinned = {"SecretId": self.secret, "SecretVersionId": self.versions[version - 1]}
        return {**pinned, "TransportKeyId": transport, **more}

    def update_home(self, version, new_material):
        parameters = self._parameters(version, NewMaterial=new_material)
        return self.home.aws.stacks.update(self.home.name, self._template("primary"), parameters)

    def update_away(self, version, **more):
        parameters = self._parameters(version, **self._keys, **more)
        return self.away.aws.stacks.update(self.away.name, self._template("replica"), parameters)

    @property
    def materials(self):
        return self.home.materials(self.primary), self.away.materials(self.replica)


@pytest.fixture
def pair(scene, away):
    return Pair(scene, Scene(away, scene.name))


def test_a_replica_gets_its_own_copy_of_the_primarys_material(pair):
    assert pair.replica.split(":")[3] == AWAY
    assert pair.materials == ([CURRENT], [CURRENT])
    assert pair.away.opens(pair.before)
    assert pair.home.opens(pair.away.seal(f"alias/{pair.away.name}"))
    assert pair.home.requests() == [("Create", "Material", None)]
    assert pair.away.requests() == [("Create", "Material", None)]


def test_new_material_is_staged_in_each_region_and_then_rotated_in_the_primarys(pair):
    assert pair.update_home(2, "STAGE").status == "UPDATE_COMPLETE"
    assert pair.materials == ([CURRENT, (WAITS, "IMPORTED")], [CURRENT, (WAITS, "PENDING_IMPORT")])

    assert pair.update_away(2).status == "UPDATE_COMPLETE"
    assert pair.materials == ([CURRENT, PENDING], [CURRENT, PENDING])

    assert pair.update_home(2, "ROTATE").status == "UPDATE_COMPLETE"
    assert pair.materials == (ROTATED, ROTATED)
    assert pair.away.opens(pair.before, pair.home.seal(pair.primary))
    assert pair.home.opens(pair.before, pair.away.seal(pair.replica))


def test_a_rotation_at_once_waits_for_the_replica_which_then_comes_back_from_a_loss(pair):
    with ThreadPoolExecutor(1) as meanwhile:
        rotation = meanwhile.submit(pair.update_home, 2, "ROTATE")
        wait_until(lambda: (WAITS, "IMPORTED") in pair.materials[0])
        assert pair.update_away(2).status == "UPDATE_COMPLETE"
        assert rotation.result().status == "UPDATE_COMPLETE"
    assert pair.materials == (ROTATED, ROTATED)
    blob = pair.home.seal(pair.primary)
    assert pair.away.opens(pair.before, blob)

    pair.away.kms.delete_imported_key_material(KeyId=pair.replica)
    assert (pair.home.state(pair.primary), pair.away.state(pair.replica)) == ("Enabled", "PendingImport")
    assert pair.update_away(2, PreviousSecretVersionIds=pair.versions[0]).status == "UPDATE_COMPLETE"
    assert pair.materials == (ROTATED, ROTATED)
    assert pair.away.opens(pair.before, blob)


def wait_until(seen):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        assert time.monotonic() < deadline, f"not seen in {PATIENCE_SECONDS} s"
        time.sleep(0.1)
