"""Multi-Region keys (rule 8): each Region's stack imports the same bytes into its own key, and the primary's stack rotates.

Two stacks on one timeline, one in each Region; the secret is replicated with its version ids, as Secrets Manager does it.
"""

import pytest

from lab.keys.random_keys import random_keys
from lab.kms.materials import encrypts_with, states
from lab.world import REGION

FIRST, SECOND = random_keys(32, 2)
V1, V2 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2))
AWAY = "eu-west-1"
CURRENT, NON_CURRENT, PENDING = ((state, "IMPORTED") for state in ("CURRENT", "NON_CURRENT", "PENDING_ROTATION"))
WAITS_FOR_REPLICAS = ("PENDING_MULTI_REGION_IMPORT_AND_ROTATION", "IMPORTED")

pytestmark = pytest.mark.slow


class Pair:
    """A primary and, ten minutes later, a replica, each with the first bytes; each has a stack that is complete at t=1500."""

    def __init__(self, timeline):
        self.timeline = timeline
        self.primary = timeline.external_key(MultiRegion=True)
        self.replica = self.primary.replace(REGION, AWAY)
        self.home, self.away = timeline.stack("orders"), timeline.stack("orders", region=AWAY)
        self.secrets = {}
        for region in (REGION, AWAY):
            for version, material in ((V1, FIRST), (V2, SECOND)):
                self.secrets[region] = timeline.secret(material, region=region, version_id=version)
        timeline.at(10, lambda: self.home.create(self.at_home(V1)))
        timeline.at(600, lambda: timeline.replica(self.primary, AWAY))
        timeline.at(601, lambda: self.away.create(self.at_replica(V1)))

    def at_home(self, version, **more):
        declared = self.timeline.declared(self.primary, self.secrets[REGION])
        return {"Primary": declared | {"SecretVersionId": version} | more}

    def at_replica(self, version, **more):
        declared = self.timeline.declared(self.replica, self.secrets[AWAY])
        return {"Replica": declared | {"SecretVersionId": version} | more}

    def update_home(self, seconds, version, **more):
        self.timeline.at(seconds, lambda: self.home.update(self.at_home(version, **more)))

    def update_replica(self, seconds, version, **more):
        self.timeline.at(seconds, lambda: self.away.update(self.at_replica(version, **more)))

    def run(self):
        self.timeline.run()
        return self

    @property
    def states(self):
        return states(self.timeline, self.primary), states(self.timeline, self.replica)

    @property
    def usable(self):
        return self.timeline.state(self.primary), self.timeline.state(self.replica)

    def last(self, logical_id, kind="Update"):
        return self.timeline.of(kind, logical_id)[-1]


@pytest.fixture
def pair(timeline):
    return Pair(timeline)


def test_a_replica_takes_the_primary_s_bytes_by_a_resource_of_its_own_region(pair):
    """The replica is still Creating when its resource's Create comes: the function waits."""
    pair.run()

    create = pair.last("Replica", "Create")
    assert (create.answer["Status"], create.answer["PhysicalResourceId"]) == ("SUCCESS", pair.replica)
    assert create.operations.count("DescribeKey") > 3
    assert pair.usable == ("Enabled", "Enabled")
    assert encrypts_with(pair.timeline, pair.replica, FIRST)
    assert {call.region for call in pair.timeline.aws.calls if call.operation == "ImportKeyMaterial"} == {REGION, AWAY}


def test_a_replica_refuses_other_bytes_than_the_primary_s(pair):
    pair.update_replica(2000, V2)
    pair.run()

    assert pair.timeline.of("Update", "Replica")[0].answer["Reason"] == (
        f"SecretId (secret orders/master-key, version {V2}): The secret holds other material than the key holds or ever used "
        "(IncorrectKeyMaterialException), and a multi-Region replica takes the bytes that its primary holds. Name the secret "
        "version that holds them; new material is first staged in the primary's Region. Nothing was imported."
    )
    assert pair.away.status == "UPDATE_ROLLBACK_COMPLETE"
    assert pair.usable == ("Enabled", "Enabled")


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        (
            {"NewMaterial": "STAGE"},
            "KMS takes new material on the primary key only. Stage it in the primary's Region, and take NewMaterial out "
            "here: the resource then imports the same bytes.",
        ),
        (
            {"KeyMaterialDescription": "of a ceremony"},
            "KMS takes the description on the primary key only. Take it out here; KMS copies it from the primary.",
        ),
    ],
    ids=["NewMaterial", "KeyMaterialDescription"],
)
def test_what_only_a_primary_takes_is_refused_on_a_replica(pair, declared, rule):
    pair.update_replica(2000, V1, **declared)
    pair.run()

    forward = pair.timeline.of("Update", "Replica")[0]
    assert forward.answer["Reason"] == (
        f"{next(iter(declared))}: The key is a multi-Region replica, and {rule} Nothing was imported."
    )
    assert "ImportKeyMaterial" not in forward.operations


# ------------------------------------------------------------------------------------------------------------ rotation


def test_stage_in_the_primary_stage_in_the_replica_then_rotate_in_the_primary(pair):
    """The slow way: no stack waits for another."""
    seen: list[tuple[object, object]] = []
    pair.update_home(2000, V2, NewMaterial="STAGE")
    pair.timeline.at(2400, lambda: seen.append(pair.states))
    pair.update_replica(2500, V2)
    pair.timeline.at(2900, lambda: seen.append(pair.states))
    pair.update_home(3000, V2, NewMaterial="ROTATE")
    pair.run()

    assert seen[0][0] == [CURRENT, WAITS_FOR_REPLICAS]
    assert seen[1] == ([CURRENT, PENDING], [CURRENT, PENDING])
    assert pair.states == ([NON_CURRENT, CURRENT], [NON_CURRENT, CURRENT])
    assert (pair.home.status, pair.away.status) == ("UPDATE_COMPLETE", "UPDATE_COMPLETE")
    assert pair.timeline.aws.count("RotateKeyOnDemand") == 1
    assert encrypts_with(pair.timeline, pair.primary, SECOND)
    assert encrypts_with(pair.timeline, pair.replica, SECOND)


def test_rotate_at_once_waits_until_the_replica_has_the_bytes(pair):
    pair.update_home(2000, V2, NewMaterial="ROTATE")
    pair.update_replica(2400, V2)
    pair.run()

    rotation = pair.last("Primary")
    assert rotation.answer["Status"] == "SUCCESS"
    assert pair.last("Replica").answer["Status"] == "SUCCESS"
    assert rotation.operations.count("RotateKeyOnDemand") > 10  # refused until the replica has the bytes
    assert rotation.operations.count("GetKeyRotationStatus") == rotation.operations.count("RotateKeyOnDemand")
    assert pair.states == ([NON_CURRENT, CURRENT], [NON_CURRENT, CURRENT])
    assert pair.usable == ("Enabled", "Enabled")


def test_rotate_at_once_whose_replica_does_not_come_fails_and_lists_the_replicas(pair):
    """The primary's Region does not show which replica lacks the bytes. The rollback leaves them pending."""
    pair.update_home(2000, V2, NewMaterial="ROTATE")
    pair.run()

    *handed_over, forward, back = pair.timeline.of("Update", "Primary")
    assert {one.answer for one in handed_over} == {None}
    assert pair.timeline.seconds(forward.answered_at) == pytest.approx(2000 + 3540, abs=30)
    assert forward.answer["Reason"] == (
        "NewMaterial: The rotation was not finished in time: every replica must import the material first, in "
        "its own Region (eu-west-1); which of them lacks it can't be seen from here. KMS may hold the material already: a "
        "rollback or the next update handles it."
    )
    assert back.answer["Status"] == "SUCCESS"
    assert pair.home.status == "UPDATE_ROLLBACK_COMPLETE"
    assert pair.states[0] == [CURRENT, WAITS_FOR_REPLICAS]
    assert pair.usable == ("Enabled", "Enabled")


def test_rotate_at_once_that_failed_for_want_of_the_replica_goes_on_from_there(pair):
    pair.update_home(2000, V2, NewMaterial="ROTATE", ServiceTimeout="1200")
    pair.update_replica(4000, V2)
    pair.update_home(4500, V2, NewMaterial="ROTATE")
    pair.run()

    assert (pair.home.status, pair.away.status) == ("UPDATE_COMPLETE", "UPDATE_COMPLETE")
    assert pair.states == ([NON_CURRENT, CURRENT], [NON_CURRENT, CURRENT])
    assert pair.timeline.aws.count("DeleteImportedKeyMaterial") == 0


def test_a_replica_that_was_updated_to_staged_bytes_and_rolled_back_can_be_updated_again(pair):
    """Its second resource fails; the pending bytes stay, in both Regions."""
    pair.update_home(2000, V2, NewMaterial="STAGE")
    failing = pair.at_replica(V1)["Replica"] | {"SecretId": "orders/none"}
    pair.timeline.delivers("Create", "Other", 30.0)
    pair.timeline.at(2500, lambda: pair.away.update(pair.at_replica(V2) | {"Other": failing}))
    pair.update_replica(3500, V2)
    pair.update_home(4000, V2, NewMaterial="ROTATE")
    pair.run()

    assert [one.answer["Status"] for one in pair.timeline.of("Update", "Replica")] == ["SUCCESS"] * 3
    assert pair.states == ([NON_CURRENT, CURRENT], [NON_CURRENT, CURRENT])


# --------------------------------------------------------------------------------------------------------- loss, removal


def rotated(pair):
    pair.update_home(2000, V2, NewMaterial="ROTATE")
    pair.update_replica(2100, V2)


def test_material_lost_in_one_region_comes_back_by_that_region_s_resource(pair):
    seen: list[tuple[str, str]] = []
    pair.timeline.at(2000, lambda: pair.timeline.call("DeleteImportedKeyMaterial", KeyId=pair.replica, region=AWAY))
    pair.timeline.at(2001, lambda: seen.append(pair.usable))
    pair.update_replica(2100, V1, ServiceTimeout="1800")
    pair.run()

    assert seen == [("Enabled", "PendingImport")]
    assert pair.usable == ("Enabled", "Enabled")
    assert encrypts_with(pair.timeline, pair.replica, FIRST)


def test_a_second_replica_of_a_rotated_primary_takes_every_material(pair):
    rotated(pair)
    third = pair.primary.replace(REGION, "eu-north-1")
    for version, material in ((V1, FIRST), (V2, SECOND)):
        secret = pair.timeline.secret(material, region="eu-north-1", version_id=version)
    stack = pair.timeline.stack("orders", region="eu-north-1")
    declared = pair.timeline.declared(third, secret, SecretVersionId=V2, PreviousSecretVersionIds=[V1])
    pair.timeline.at(4000, lambda: pair.timeline.replica(pair.primary, "eu-north-1"))
    pair.timeline.at(4100, lambda: stack.create({"Third": declared}))
    pair.run()

    create = pair.last("Third", "Create")
    assert (create.answer["Status"], create.answer["PhysicalResourceId"]) == ("SUCCESS", third)
    assert states(pair.timeline, third) == [NON_CURRENT, CURRENT]
    assert encrypts_with(pair.timeline, third, SECOND)


def test_a_delete_in_one_region_removes_every_material_of_only_that_region(pair):
    rotated(pair)
    pair.timeline.at(4000, pair.away.delete)
    pair.run()

    assert pair.away.status == "DELETE_COMPLETE"
    assert pair.usable == ("Enabled", "PendingImport")
    assert [imported for _, imported in pair.states[1]] == ["PENDING_IMPORT", "PENDING_IMPORT"]
    assert pair.states[0] == [NON_CURRENT, CURRENT]
    assert encrypts_with(pair.timeline, pair.primary, SECOND)


def test_a_delete_of_the_primary_s_resource_takes_the_pending_material_everywhere(pair):
    pair.update_home(2000, V2, NewMaterial="STAGE")
    pair.update_replica(2100, V2)
    pair.timeline.at(3000, pair.home.delete)
    pair.run()

    assert pair.home.status == "DELETE_COMPLETE"
    assert pair.usable == ("PendingImport", "Enabled")
    assert pair.states == ([("CURRENT", "PENDING_IMPORT")], [CURRENT])
