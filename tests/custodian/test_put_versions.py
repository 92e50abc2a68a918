"""`key-custodian put` to an existing secret: it moves no stage unasked, loses no version, and leaves the owner's tags."""

import json

import pytest

from lab.keys.random_keys import random_keys
from lab.wire.faults import Moment
from lab.wire.transport import Fault, Refusal
from tests.support.online import ACCOUNT

OLD, BLOB, NEXT = random_keys(256, 3)
OLD_ID = "00000000-0000-4000-8000-00000000000a"
OLDER_ID = "00000000-0000-4000-8000-00000000000b"
SECRET = ("--secret", "orders/mac-key")
OAEP = ("--key-spec", "HMAC_256", "--algorithm", "RSAES_OAEP_SHA_256", "--wrapping-key", "alias/transport")
VALUE = ("--expected-check-value", "HMAC:D38B42096D")
PUT = ("put", "wrapped.bin", *OAEP, *VALUE, *SECRET)


@pytest.fixture
def bank(bank):
    bank.transport_key()
    bank.file("wrapped.bin", BLOB)
    return bank


@pytest.fixture
def secret(bank):
    return bank.secret("orders/mac-key", OLD, version_id=OLD_ID, tags={"imported-key-material": "orders"})


def done(bank, *arguments):
    ended = bank.run(*PUT, *arguments, "--yes", "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def refused(bank, *arguments):
    """The error, after a check that nothing has changed."""
    before = len(bank.secrets.written)
    ended = bank.run(*PUT, *arguments, "--yes")
    assert (ended.code, ended.out) == (1, b""), ended.err
    assert len(bank.secrets.written) == before
    return ended.err


def stages(secret):
    return {id_: sorted(version.stages) for id_, version in secret.versions.items()}


# ---------------------------------------------------------------------------------------------------------------- stages


def test_a_new_version_gets_a_stage_of_its_own_and_current_stays(bank, secret):
    told = done(bank)

    new = told["version_id"]
    assert stages(secret) == {OLD_ID: ["AWSCURRENT"], new: [f"imported-key-material-{new}"]}
    assert secret.versions[new].value == BLOB
    assert told["stages"] == [f"imported-key-material-{new}"]
    assert told["properties"]["SecretVersionId"] == new


def test_the_plan_says_that_current_stays(bank, secret):
    planned = bank.run(*PUT, "--plan").text

    assert "  1. Add a version to the secret orders/mac-key.\n" in planned
    assert f"       AWSCURRENT stays at {OLD_ID}\n" in planned
    assert bank.secrets.written == []


def test_current_moves_when_that_is_asked_and_the_plan_says_from_where(bank, secret):
    planned = bank.run(*PUT, "--move-current", "--plan").text
    told = done(bank, "--move-current")

    assert (
        f"       AWSCURRENT moves away from {OLD_ID}\n"
        f"       AWSPREVIOUS moves to {OLD_ID}\n"
        "       resources that pin no SecretVersionId take the new version at their next update\n"
    ) in planned
    new = told["version_id"]
    assert stages(secret) == {OLD_ID: ["AWSPREVIOUS"], new: ["AWSCURRENT", f"imported-key-material-{new}"]}


def test_no_version_is_left_without_a_stage(bank, secret):
    bank.secret("orders/mac-key", NEXT, version_id=OLDER_ID)

    assert stages(secret) == {OLD_ID: ["AWSPREVIOUS"], OLDER_ID: ["AWSCURRENT"]}
    assert refused(bank, "--move-current") == (
        f"--move-current: AWSPREVIOUS would move, too, and leave the version {OLD_ID} without a stage: Secrets Manager would "
        "remove it, and a KMS key that loses its material might need it. Give it its own stage first: aws secretsmanager "
        f"update-secret-version-stage --secret-id orders/mac-key --version-stage imported-key-material-{OLD_ID} "
        f"--move-to-version-id {OLD_ID}.\n"
    )


def test_versions_of_this_tool_can_move_on_without_end(bank, secret):
    """Each version keeps its own stage, so that none is lost."""
    first = done(bank, "--move-current")["version_id"]
    bank.secrets.move_stage(secret, f"imported-key-material-{OLD_ID}", OLD_ID)
    bank.file("wrapped.bin", NEXT)

    second = done(bank, "--move-current")["version_id"]

    assert stages(secret) == {
        OLD_ID: [f"imported-key-material-{OLD_ID}"],
        first: ["AWSPREVIOUS", f"imported-key-material-{first}"],
        second: ["AWSCURRENT", f"imported-key-material-{second}"],
    }


def test_the_first_version_of_an_empty_secret_is_current(bank, secret):
    secret.versions.clear()

    new = done(bank)["version_id"]

    assert stages(secret) == {new: ["AWSCURRENT", f"imported-key-material-{new}"]}


# ------------------------------------------------------------------------------------------------------------ twice is once


def test_the_same_file_twice_is_one_version(bank, secret):
    first = done(bank)
    second = done(bank)

    assert second["version_id"] == first["version_id"]
    assert second["stages"] == first["stages"]
    assert len(secret.versions) == 2
    assert second["done"] == [
        f"Confirm that the version {first['version_id']} of orders/mac-key holds these bytes. It exists; nothing changes."
    ]


def test_a_new_secret_twice_is_one_secret(bank):
    first = done(bank, "--stack", "orders")
    second = done(bank, "--stack", "orders")

    assert second["version_id"] == first["version_id"]
    assert (first["stages"], second["stages"]) == (["AWSCURRENT"], ["AWSCURRENT"])


def test_a_lost_answer_is_no_harm(bank, secret):
    bank.faults.inject("PutSecretValue", Fault.CONNECTION_CLOSED, Moment.AFTER)

    told = done(bank)

    assert len(secret.versions) == 2
    assert told["stages"] == [f"imported-key-material-{told['version_id']}"]


def test_an_answer_that_never_comes_leaves_it_open_and_running_again_ends_it(bank, secret):
    bank.faults.inject("PutSecretValue", Fault.CONNECTION_CLOSED, Moment.AFTER, times=3)

    ended = bank.run(*PUT, "--yes")

    assert (ended.code, ended.out) == (1, b"")
    new = done(bank)["version_id"]
    assert ended.err.endswith(
        f" It is not known whether AWS did it: run it again with --version-id {new}, and nothing is stored twice. "
        "Check the network, then run it again.\n"
    )
    assert len(secret.versions) == 2


def test_a_version_that_lost_its_stages_is_reported(bank, secret):
    """Secrets Manager does not show it, and storing it again does nothing."""
    new = done(bank)["version_id"]
    secret.versions[new].stages.clear()

    ended = bank.run(*PUT, "--yes")

    assert ended.code == 1
    assert ended.err.endswith(
        f"--secret: The version {new} existed already, and does not have the stage imported-key-material-{new}. Give it: "
        "aws secretsmanager update-secret-version-stage --secret-id orders/mac-key --version-stage "
        f"imported-key-material-{new} --move-to-version-id {new}.\n"
    )


def test_current_does_not_move_to_a_version_that_is_there(bank, secret):
    new = done(bank)["version_id"]

    assert refused(bank, "--move-current") == (
        f"--move-current: The version {new} exists already, and AWSCURRENT is at another version. Move it: aws secretsmanager "
        f"update-secret-version-stage --secret-id orders/mac-key --version-stage AWSCURRENT --move-to-version-id {new} "
        f"--remove-from-version-id {OLD_ID}.\n"
    )


def test_an_id_that_is_another_version_s_changes_nothing(bank, secret):
    ended = bank.run(*PUT, "--version-id", OLD_ID, "--yes")

    assert ended.code == 1
    assert ended.err.endswith(
        "--secret: secretsmanager:PutSecretValue was refused with ResourceExistsException: You can't modify an existing "
        "version, you can only create new ones. A secret or version of this name exists "
        "already, with another value. Nothing was changed. Run it again: the plan shows what exists.\n"
    )
    assert secret.versions[OLD_ID].value == OLD


# ------------------------------------------------------------------------------------------------------- tag, description


def test_a_tag_that_names_the_stack_stays_as_it_is(bank, secret):
    secret.tags["imported-key-material"] = "billing orders-/"

    done(bank, "--stack", "orders-eu", "--stack", "billing")

    assert secret.tags == {"imported-key-material": "billing orders-/"}


def test_a_tag_is_not_replaced_unasked(bank, secret):
    assert refused(bank, "--stack", "orders", "--stack", "billing") == (
        "--stack: The secret's tag imported-key-material is 'orders', and does not name billing. If its owner "
        "agrees, give all names for the "
        "tag with --stack, and add --replace-tag.\n"
    )
    assert secret.tags == {"imported-key-material": "orders"}


def test_a_tag_is_replaced_when_that_is_asked_and_the_plan_shows_both(bank, secret):
    arguments = ("--stack", "billing", "--replace-tag")

    planned = bank.run(*PUT, *arguments, "--plan").text
    done(bank, *arguments)

    assert "  1. Set the tag imported-key-material of orders/mac-key from 'orders' to 'billing'.\n" in planned
    assert secret.tags == {"imported-key-material": "billing"}


def test_a_tag_that_is_missing_is_added_and_others_stay(bank, secret):
    secret.tags = {"cost-center": "7"}

    planned = bank.run(*PUT, "--stack", "orders", "--plan").text
    done(bank, "--stack", "orders")

    assert "  1. Set the tag imported-key-material of orders/mac-key to 'orders' (there is none).\n" in planned
    assert secret.tags == {"cost-center": "7", "imported-key-material": "orders"}


def test_each_version_is_added_to_the_description(bank):
    first = done(bank, "--stack", "orders")["version_id"]
    bank.file("wrapped.bin", NEXT)
    second = done(bank)["version_id"]

    (described,) = bank.secrets._beside.values()
    assert described.description == (
        f"Key material for AWS KMS. Version {first}: HMAC_256, RSAES_OAEP_SHA_256, HMAC:D38B42096D. "
        f"Version {second}: HMAC_256, RSAES_OAEP_SHA_256, HMAC:D38B42096D."
    )


def test_another_s_description_is_left_alone(bank, secret):
    bank.secrets.describe(secret, description="Ask the payments team.")

    done(bank)

    assert [operation for operation, _ in bank.secrets.written] == ["PutSecretValue"]


def test_a_description_that_may_not_be_changed_is_a_warning(bank, secret):
    bank.deny("UpdateSecret")

    ended = bank.run(*PUT, "--yes")

    assert ended.code == 0
    assert len(secret.versions) == 2
    assert "UpdateSecret" not in ended.text
    assert "Warning: --secret: secretsmanager:UpdateSecret was refused with AccessDeniedException: " in ended.err
    assert ended.err.endswith(" The version was stored.\n")


# --------------------------------------------------------------------------------------------------------------- refused


def test_a_step_that_is_refused_says_what_was_done_before(bank, secret):
    secret.tags = {}
    bank.faults.inject("PutSecretValue", Refusal(400, "EncryptionFailure", "KMS says no."))

    ended = bank.run(*PUT, "--stack", "orders", "--yes")

    assert (ended.code, ended.out) == (1, b"")
    assert ended.err.endswith(
        "--secret: secretsmanager:PutSecretValue was refused with EncryptionFailure: KMS says no. Secrets Manager can't "
        "encrypt with the secret's KMS key. Done before it: Set the tag imported-key-material of orders/mac-key to 'orders' "
        "(there is none). Look at the key's state and policy, and whether these credentials may use it "
        "(kms:GenerateDataKey, kms:Decrypt).\n"
    )


def test_a_secret_that_a_service_owns_is_left_to_it(bank, secret):
    bank.secrets.describe(secret, owning_service="rds")

    assert (
        refused(bank) == "--secret: The secret belongs to the service rds, which changes it by itself. Name another.\n"
    )


def test_a_secret_that_is_rotated_is_reported(bank, secret):
    bank.secrets.describe(secret, is_rotated=True)

    assert (
        "  Warning: Secrets Manager rotates this secret, and will put other values into it: let templates pin the version id.\n"
    ) in bank.run(*PUT, "--plan").text


def test_all_that_stands_against_it_is_said_at_once(bank, secret):
    bank.secrets.mark_for_deletion(secret)
    bank.secrets.describe(secret, kms_key_id="alias/secrets")

    assert refused(bank, "--kms-key-id", "alias/other", "--stack", "billing") == (
        "3 things are wrong.\n"
        "--secret: The secret is marked for deletion, and takes no value. aws secretsmanager restore-secret cancels "
        "the deletion.\n"
        "--kms-key-id: The secret is encrypted under alias/secrets, and that is not changed here. Leave it out, or change it "
        "first: aws secretsmanager update-secret.\n"
        "--stack: The secret's tag imported-key-material is 'orders', and does not name billing. If its owner "
        "agrees, give all names for the "
        "tag with --stack, and add --replace-tag.\n"
    )


def test_a_full_secret_is_reported_with_the_remedy(bank, secret):
    for number in range(19):
        bank.secrets.move_stage(secret, f"stage-{number}", OLD_ID)

    ended = bank.run(*PUT, "--yes")

    assert ended.code == 1
    assert ended.err.endswith(
        "The secret has all the versions or stages that it may have (20 stages on all versions together). Nothing was "
        "changed. Remove the stages of versions that no key needs any more: aws secretsmanager "
        "update-secret-version-stage.\n"
    )


def test_a_secret_of_another_account_is_named_by_its_arn(bank):
    other = bank.secrets.put(
        "orders/mac-key",
        OLD,
        version_id=OLD_ID,
        tags={"imported-key-material": "orders"},
        account="999988887777",
        region="eu-central-1",
    )
    other.readers.add(ACCOUNT)

    ended = bank.run("put", "wrapped.bin", *OAEP, *VALUE, "--secret", other.arn, "--yes", "--json")

    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["properties"]["SecretId"] == other.arn
