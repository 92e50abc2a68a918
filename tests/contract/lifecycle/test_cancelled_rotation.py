"""An update with NewMaterial ROTATE that is cancelled before or after KMS has accepted the rotation, and what comes next.

Nobody can stop an accepted rotation. It takes the material that is pending when KMS carries it out, minutes later.
"""

import pytest

from lab.keys.random_keys import random_keys
from lab.kms.materials import encrypts_with, states
from lab.wire.faults import Moment

FIRST, SECOND, THIRD = random_keys(32, 3)


@pytest.fixture
def key(timeline):
    return timeline.external_key()


@pytest.fixture
def stack(timeline):
    return timeline.stack()


@pytest.fixture
def versions(timeline, key):
    """Templates that pin the first, the second and the third bytes."""
    secret = timeline.secret(FIRST)
    first = timeline.declared(key, secret)
    timeline.secret(SECOND)
    second = timeline.declared(key, secret, NewMaterial="ROTATE")
    timeline.secret(THIRD)
    return {"Material": first}, {"Material": second}, {"Material": timeline.declared(key, secret, NewMaterial="STAGE")}


def test_an_update_cancelled_after_rotate_key_on_demand_was_accepted(timeline, stack, versions, key):
    """Nobody can stop an accepted rotation: the rollback touches nothing."""
    first, second, _ = versions
    timeline.at(10, lambda: stack.create(first))
    timeline.at(100, lambda: stack.update(second))
    timeline.at(110, stack.cancel)

    timeline.run()

    forward, back = timeline.of("Update")
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert back.answer["Status"] == "SUCCESS"
    assert not {"GetSecretValue", "ImportKeyMaterial", "RotateKeyOnDemand", "DeleteImportedKeyMaterial"} & set(
        back.operations
    )
    assert (timeline.seconds(back.started_at) < 115, forward.operations.count("RotateKeyOnDemand")) == (True, 1)
    assert states(timeline, key) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
    assert encrypts_with(timeline, key, SECOND)


def test_an_update_cancelled_before_the_rotation_does_not_rotate(timeline, stack, versions, key):
    first, second, _ = versions
    timeline.pauses(
        "Update", "Material", "ImportKeyMaterial", Moment.AFTER, 5.0
    )  # an import to find out whether the key knows the bytes
    timeline.at(10, lambda: stack.create(first))
    timeline.at(100, lambda: stack.update(second))
    timeline.at(103, stack.cancel)

    timeline.run()

    forward, back = timeline.of("Update")
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert back.answer["Status"] == "SUCCESS"
    assert forward.answer is None  # by then the resource is complete again, so nobody waits
    assert timeline.aws.count("RotateKeyOnDemand") == 0
    assert states(timeline, key) == [("CURRENT", "IMPORTED")]


def test_rotate_cancelled_then_stage_of_other_bytes_within_a_minute(timeline, stack, versions, key):
    """The accepted rotation would take any pending bytes: the other bytes wait until it has taken the first ones."""
    first, second, third = versions
    timeline.at(10, lambda: stack.create(first))
    timeline.at(100, lambda: stack.update(second))
    timeline.at(110, stack.cancel)
    timeline.at(130, lambda: stack.update(third))

    timeline.run()

    assert stack.status == "UPDATE_COMPLETE"
    assert timeline.aws.count("DeleteImportedKeyMaterial") == 0
    assert timeline.aws.count("RotateKeyOnDemand") == 1
    assert states(timeline, key) == [
        ("NON_CURRENT", "IMPORTED"),
        ("CURRENT", "IMPORTED"),
        ("PENDING_ROTATION", "IMPORTED"),
    ]
    assert encrypts_with(timeline, key, SECOND)


def test_rotate_cancelled_before_it_was_accepted_then_stage_of_other_bytes_within_a_minute(
    timeline, stack, versions, key
):
    """Nothing shows that no rotation is coming. So the other bytes become pending only after five quiet minutes."""
    first, second, third = versions
    timeline.pauses("Update", "Material", "GetKeyRotationStatus", Moment.BEFORE, 60.0)
    timeline.at(10, lambda: stack.create(first))
    timeline.at(100, lambda: stack.update(second))
    timeline.at(110, stack.cancel)
    timeline.at(130, lambda: stack.update(third))

    timeline.run()

    last = timeline.of("Update")[-1]
    assert stack.status == "UPDATE_COMPLETE"
    assert timeline.aws.count("RotateKeyOnDemand") == 0
    assert last.operations.count("DeleteImportedKeyMaterial") == 1
    assert last.operations.count("GetKeyRotationStatus") >= 15
    assert states(timeline, key) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]
    assert encrypts_with(timeline, key, FIRST)
