"""KMS's answers that are lost, before or after the effect. The function can't tell the two apart, so both must end well.

KMS accepts the same bytes again, so the function repeats the import. When time runs out without an answer, the material may be
in the key. Then the answer is FAILED under the key's ARN, so that CloudFormation's own Delete finds it.
"""

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_keys
from lab.kms.materials import encrypts_with, states
from lab.wire.faults import Moment
from lab.wire.transport import Fault

pytestmark = pytest.mark.slow

KEY, OTHER = random_keys(32, 2)
ALWAYS = 10**6
LOST = [Fault.READ_TIMEOUT, Fault.CONNECTION_CLOSED, Fault.INTERNAL_ERROR, Fault.DEPENDENCY_TIMEOUT]
BY_ITSELF = "KMS may hold the material already: a rollback or the next update handles it."


def created(world, spec="SYMMETRIC_DEFAULT"):
    key = world.external_key(spec)
    return key, world.create(key, SecretId=world.secret(KEY).name)


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("fault", LOST)
def test_an_import_whose_answer_is_lost_is_tried_again_and_ends_well(world, spec, fault, moment):
    world.aws.faults.inject("ImportKeyMaterial", fault, moment, times=3)

    key, answer = created(world, spec)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key
    assert world.aws.count("ImportKeyMaterial") == 4
    assert world.state(key) == "Enabled"


@pytest.mark.parametrize("moment", Moment)
def test_an_import_that_is_never_answered_fails_under_the_arn_and_its_delete_leaves_the_key_empty(world, moment):
    world.aws.faults.inject("ImportKeyMaterial", Fault.READ_TIMEOUT, moment, times=ALWAYS)

    key, answer = created(world)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "KeyId: kms:ImportKeyMaterial got no answer (ReadTimeoutError). The service could not be reached. If the "
        "function runs in a VPC, it needs a way to KMS, Secrets Manager, CloudFormation, Lambda and CloudFormation's bucket in "
        f"S3 (endpoints or NAT). {BY_ITSELF}"
    )
    assert answer["PhysicalResourceId"] == key
    assert world.state(key) == {Moment.BEFORE: "PendingImport", Moment.AFTER: "Enabled"}[moment]

    assert world.delete(status="ROLLBACK_IN_PROGRESS")["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


def test_a_refusal_after_a_lost_answer_still_fails_under_the_arn(world):
    """The first try may have imported, even if KMS refuses the second."""
    world.aws.faults.inject("ImportKeyMaterial", Fault.READ_TIMEOUT, Moment.AFTER)
    key = world.external_key()

    def disable(call, moment):
        if call.operation == "ImportKeyMaterial" and moment is Moment.AFTER:
            world.call("DisableKey", KeyId=key)

    world.aws.hooks.append(disable)
    answer = world.create(key, SecretId=world.secret(KEY).name)

    assert answer["Reason"] == (
        "KeyId: The key is Disabled, and an import would enable it; somebody disabled it for a reason. To import "
        f"all the same, enable it first: aws kms enable-key. {BY_ITSELF}"
    )
    assert answer["PhysicalResourceId"] == key
    assert world.state(key) == "Disabled"


def test_a_lost_answer_was_a_refusal_where_the_next_try_shows_that_somebody_else_filled_the_key(world):
    """Two stacks that the tag names race for an empty key. By the ARN the loser's Delete would remove the winner's material."""
    key = world.external_key()

    def somebody_else(call, moment):
        if call.operation == "ImportKeyMaterial" and moment is Moment.BEFORE:
            world.aws.hooks.remove(somebody_else)
            import_material(world.session().client("kms"), key, OTHER)
            world.aws.faults.inject("ImportKeyMaterial", Fault.READ_TIMEOUT, Moment.AFTER)

    world.aws.hooks.append(somebody_else)
    answer = world.create(key, SecretId=world.secret(KEY).name)

    other = f"SecretId {world.last_read()}: The secret holds other material than the key holds or ever used"
    assert answer["Reason"].startswith(other)
    assert answer["Reason"].endswith("Nothing was imported.")
    assert answer["PhysicalResourceId"].startswith("not-imported:Material:")
    assert world.aws.count("ImportKeyMaterial") >= 2
    assert world.delete(status="ROLLBACK_IN_PROGRESS")["Status"] == "SUCCESS"
    assert encrypts_with(world, key, OTHER)


@pytest.mark.parametrize(
    ("moment", "tail"),
    [
        (Moment.BEFORE, "Nothing was imported."),
        (Moment.AFTER, "If KMS imported it in a call whose answer was lost, it was removed since."),
    ],
)
def test_where_pending_material_is_removed_during_its_import_the_answer_says_only_what_the_function_can_know(
    world, moment, tail
):
    """The function tries the current material's id, then the pending one's. KMS forgets pending material that is removed."""
    key, _ = created(world)
    kms = world.session().client("kms")
    pending = import_material(kms, key, OTHER, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    calls: list[Moment] = []

    def remove(call, at):
        if call.operation == "ImportKeyMaterial" and at is moment:
            calls.append(at)
            if len(calls) == 2:
                world.call("DeleteImportedKeyMaterial", KeyId=key, KeyMaterialId=pending)

    world.aws.hooks.append(remove)
    world.aws.faults.inject(
        "ImportKeyMaterial", Fault.READ_TIMEOUT, Moment.AFTER, skip=1, times=int(moment is Moment.AFTER)
    )
    answer = world.update(key, SecretId=world.secret(OTHER, "orders/other").name)

    assert answer["Reason"] == (
        f"SecretId {world.last_read()}: The secret holds other material than the key holds or ever used "
        "(IncorrectKeyMaterialException), and a symmetric key takes new material only by a rotation, and NewMaterial is "
        "REFUSE. Name the secret version that holds the key's material; or declare NewMaterial: STAGE or ROTATE, which "
        f"can't be taken back; or declare a new key for the new material. {tail}"
    )
    assert answer["PhysicalResourceId"] == key
    assert len(states(world, key)) == 1
    assert encrypts_with(world, key, KEY)


def test_a_key_that_held_material_before_a_lost_answer_stays_adopted(world):
    """This invocation may have imported what the key holds after the first try, but not what the key held before."""
    key = world.external_key()
    import_material(world.session().client("kms"), key, KEY)
    world.clock.advance(1)
    world.stack.updated_at = world.clock.now()
    world.aws.faults.inject("ImportKeyMaterial", Fault.READ_TIMEOUT, Moment.AFTER, times=ALWAYS)

    answer = world.create(key, SecretId=world.secret(KEY).name)

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == key.rsplit("/", 1)[1]
    assert world.delete(status="ROLLBACK_IN_PROGRESS")["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"


def test_an_update_whose_import_is_never_answered_fails_under_its_own_id(world):
    key, _ = created(world)
    world.aws.faults.inject("ImportKeyMaterial", Fault.READ_TIMEOUT, Moment.AFTER, times=ALWAYS)

    answer = world.update(key, SecretId="orders/master-key", ValidForDays="30")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].endswith(BY_ITSELF)
    assert answer["PhysicalResourceId"] == key


def test_an_import_that_kms_took_and_does_not_show_fails_under_the_arn(world):
    """The function can't confirm the import: KMS never answers VerifyMac."""
    world.aws.faults.inject("VerifyMac", Fault.READ_TIMEOUT, times=ALWAYS)

    key, answer = created(world, "HMAC_256")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("KeyId: kms:VerifyMac got no answer (ReadTimeoutError).")
    assert answer["Reason"].endswith(BY_ITSELF)
    assert answer["PhysicalResourceId"] == key


# ------------------------------------------------------------------------------------------------------ every other call

READ = [
    "DescribeStacks",
    "DescribeStackResource",
    "DescribeKey",
    "ListResourceTags",
    "DescribeSecret",
    "GetSecretValue",
    "GetParametersForImport",
    "ListKeyRotations",
]


@pytest.mark.parametrize("operation", READ)
@pytest.mark.parametrize("fault", [Fault.READ_TIMEOUT, Fault.INTERNAL_ERROR, Fault.THROTTLED])
def test_any_call_that_is_not_answered_a_few_times_is_made_again(world, operation, fault):
    """botocore tries most calls three times; here it gives up twice."""
    world.aws.faults.inject(operation, fault, times=7)

    key, answer = created(world)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == key


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("fault", LOST)
def test_a_removal_whose_answer_is_lost_is_made_again(world, fault, moment):
    key, _ = created(world)
    world.aws.faults.inject("DeleteImportedKeyMaterial", fault, moment, times=7)

    answer = world.delete()

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"


@pytest.mark.parametrize("moment", Moment)
def test_a_removal_that_is_never_answered_does_not_say_that_nothing_was_removed(world, moment):
    key, _ = created(world)
    world.aws.faults.inject("DeleteImportedKeyMaterial", Fault.READ_TIMEOUT, moment, times=ALWAYS)

    answer = world.delete()

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == key
    assert answer["Reason"].startswith("KeyId: kms:DeleteImportedKeyMaterial got no answer (ReadTimeoutError).")
    assert answer["Reason"].endswith("Some material may already have been removed.")


# ---------------------------------------------------------------------------------------------------------- little time


@pytest.mark.parametrize("seconds", [0.5, 5.0, 60.0, 151.0])
def test_an_invocation_with_little_time_left_answers_all_the_same(world, seconds):
    """A request that was queued may have little time left; the function keeps half of it for the answer."""
    key = world.external_key()
    event = world.create_request(key, SecretId=world.secret(KEY).name)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)
    started = world.clock.now()

    answer = world.invoke(event, seconds=seconds)

    assert answer["Status"] == "FAILED"
    assert "GetParametersForImport request rate" in answer["Reason"]
    assert (world.clock.now() - started).total_seconds() <= max(seconds / 2, seconds - 75)
