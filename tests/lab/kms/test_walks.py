"""The strict KMS through random lives of keys: it answers every call in every order, and its rules hold.

A number determines each walk: imports of a few materials, rotations, deletions, switches, replicas, and time. After each step
the test checks from outside the rules that need no memory of the walk. A walk of the same number always ends alike.
"""

from datetime import timedelta
from random import Random

import pytest

from lab.clock import VirtualClock
from lab.keys.by_hand import wrap
from lab.kms import KmsError, StrictKms
from tests.support.kms_bench import ACCOUNT, OTHER_REGION, REGION

pytestmark = pytest.mark.slow

MATERIALS = tuple(bytes([number]) * 32 for number in range(1, 5))
REGIONS = (REGION, OTHER_REGION)
STEPS = 60
EXPECTED = {
    "NotFoundException",
    "KMSInvalidStateException",
    "DisabledException",
    "IncorrectKeyMaterialException",
    "ValidationException",
    "UnsupportedOperationException",
    "AlreadyExistsException",
    "ConflictException",
    "LimitExceededException",
}


class Walk:
    def __init__(self, number):
        self.dice = Random(number)  # noqa: S311  # dice that repeat
        self.clock = VirtualClock()
        self.kms = StrictKms(self.clock, seed=number)
        self.told = []
        origin = self.dice.choice(["EXTERNAL", "EXTERNAL", "EXTERNAL", "AWS_KMS"])
        made = self.call("CreateKey", REGION, Origin=origin, MultiRegion=self.dice.random() < 0.7)
        self.key = made["KeyMetadata"]["KeyId"]
        self.was_current = []
        self.ciphertexts = []

    def call(self, operation, region, **params):
        """The answer, or the error: both are part of the story."""
        try:
            answer = self.kms.call(operation, params, region=region, account=ACCOUNT)
        except KmsError as error:
            if error.code not in EXPECTED:
                raise
            answer = error
        self.told.append((operation, region, str(answer)))
        return answer

    def step(self):
        here = [where for where in REGIONS if self.kms.key(self.key, region=where, account=ACCOUNT)]
        region = self.dice.choice(here or REGIONS) if self.dice.random() < 0.95 else self.dice.choice(REGIONS)
        self.dice.choice(STEPS_OF_A_WALK)(self, region)
        for where in REGIONS:
            self.check(where)

    # ------------------------------------------------------------------------------------------------------- steps

    def put(self, region):
        given = self.call("GetParametersForImport", region, KeyId=self.key, **HOW)
        if isinstance(given, KmsError):
            return
        more = self.dice.choice([{}, {"ImportType": "NEW_KEY_MATERIAL"}, {"ImportType": "EXISTING_KEY_MATERIAL"}])
        if self.dice.random() < 0.3:
            more = more | {"ValidTo": self.clock.now() + timedelta(seconds=self.dice.choice([1, 100, 1000]))}
        else:
            more = more | {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
        blob = wrap(HOW["WrappingAlgorithm"], given["PublicKey"], self.dice.choice(MATERIALS))
        self.call(
            "ImportKeyMaterial",
            region,
            KeyId=self.key,
            ImportToken=given["ImportToken"],
            EncryptedKeyMaterial=blob,
            **more,
        )

    def delete(self, region):
        named = {}
        listed = self.rotations(region)
        if listed and self.dice.random() < 0.6:
            named = {"KeyMaterialId": self.dice.choice(listed)["KeyMaterialId"]}
        self.call("DeleteImportedKeyMaterial", region, KeyId=self.key, **named)

    def plain(operation, **more):  # noqa: N805  # it makes a step, but is none
        return lambda self, region: self.call(operation, region, KeyId=self.key, **more)

    rotate = plain("RotateKeyOnDemand")
    enable, disable = plain("EnableKey"), plain("DisableKey")
    schedule, cancel = plain("ScheduleKeyDeletion"), plain("CancelKeyDeletion")
    status = plain("GetKeyRotationStatus")

    def replicate(self, region):
        other = REGIONS[1 - REGIONS.index(region)]
        self.call("ReplicateKey", region, KeyId=self.key, ReplicaRegion=other)

    def move_primary(self, region):
        self.call("UpdatePrimaryRegion", region, KeyId=self.key, PrimaryRegion=REGIONS[1 - REGIONS.index(region)])

    def encrypt(self, region):
        answer = self.call("Encrypt", region, KeyId=self.key, Plaintext=b"message")
        if not isinstance(answer, KmsError):
            self.ciphertexts.append(answer["CiphertextBlob"])

    def wait(self, _):
        self.clock.advance(self.dice.choice([1, 10, 100, 100, 200, 1000, 100_000]))

    # ------------------------------------------------------------------------------------------------------ checks

    def rotations(self, region):
        how = {"KeyId": self.key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
        answer = self.call("ListKeyRotations", region, **how)
        return [] if isinstance(answer, KmsError) else answer["Rotations"]

    def check(self, region):
        described = self.call("DescribeKey", region, KeyId=self.key)
        if isinstance(described, KmsError):
            return
        shown, listed = described["KeyMetadata"], self.rotations(region)
        state, current = shown["KeyState"], shown.get("CurrentKeyMaterialId")
        by_state = {one["KeyMaterialState"]: one["KeyMaterialId"] for one in listed}

        assert shown["Enabled"] == (state == "Enabled") or state == "Updating"
        assert by_state.get("CURRENT") == current
        assert sum(one["KeyMaterialState"].startswith("PENDING") for one in listed) <= 1
        if current and (not self.was_current or self.was_current[-1] != current):
            assert current not in self.was_current  # C-47
            self.was_current.append(current)
        if state in ("Enabled", "Disabled") and shown["Origin"] == "EXTERNAL":
            permanent = [one for one in listed if not one["KeyMaterialState"].startswith("PENDING")]
            assert {one["ImportState"] for one in permanent} == {"IMPORTED"}  # C-48
            assert "ExpirationModel" in shown
        if state == "PendingImport":
            assert not {"ExpirationModel", "ValidTo"} & set(shown)  # C-52
        if state == "Enabled":
            for sealed in self.ciphertexts[-3:]:
                opened = self.call("Decrypt", region, CiphertextBlob=sealed)
                assert not isinstance(opened, KmsError)
                assert opened["Plaintext"] == b"message"
        elif self.ciphertexts and state != "Updating":
            assert isinstance(self.call("Decrypt", region, CiphertextBlob=self.ciphertexts[-1]), KmsError)


HOW = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
STEPS_OF_A_WALK = (
    *[Walk.put] * 10,
    *[Walk.rotate] * 3,
    *[Walk.wait] * 5,
    *[Walk.encrypt] * 2,
    *[Walk.delete] * 2,
    *[Walk.enable] * 2,
    Walk.disable,
    Walk.schedule,
    *[Walk.cancel] * 4,
    Walk.status,
    *[Walk.replicate] * 2,
    Walk.move_primary,
)


def walk(number):
    walk = Walk(number)
    for _ in range(STEPS):
        walk.step()
    return walk


@pytest.mark.parametrize("hundred", range(2))
def test_whatever_happens_to_a_key_its_rules_hold(hundred):
    rotated = replicated = 0
    for number in range(100 * hundred, 100 * (hundred + 1)):
        taken = walk(number)
        rotated += len(taken.was_current) > 1
        replicated += any(line[0] == "ReplicateKey" and "ReplicaKeyMetadata" in line[2] for line in taken.told)

    assert rotated > 20  # walks that go nowhere prove nothing
    assert replicated > 20


def test_a_walk_of_one_number_always_ends_alike():
    def ends(number):
        """The walk's story. Ciphertexts also come from the seed; the story leaves out OAEP's output."""
        return walk(number).told

    assert ends(7) == ends(7)
    assert ends(7) != ends(8)
