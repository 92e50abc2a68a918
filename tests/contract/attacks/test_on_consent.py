"""Attacks on the consent tag: names, ids and moments that might make the function use its own rights for somebody else.

The attacker may deploy the stack orders, invoke the function with any event, and has their own keys and secrets. The victim is
the team payments, whose keys and secrets do not name orders. Every attack fails: none of them is changed or opened.
"""

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lab.keys.by_hand import oaep
from lab.keys.random_keys import random_key, random_keys
from lab.kms.materials import states
from lab.wire.faults import Moment
from lab.wire.transport import Fault
from lab.world import ACCOUNT, REGION, TAG

OURS, THEIRS = random_keys(32, 2)
OTHER_ACCOUNT = "999988887777"
OTHER_REGION = "eu-west-1"


def when(world, operation, moment, action):
    """Runs `action` once, at the function's first call of this operation."""

    def hook(call, at):
        if (call.operation, at) == (operation, moment):
            world.aws.hooks.remove(hook)
            action()

    world.aws.hooks.append(hook)


def rsa_transport_key(world, *, tag):
    """An RSA key that decrypts, and a function that encrypts bytes for it."""
    arn = world.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT", tag=tag)
    public_key = load_der_public_key(world.call("GetPublicKey", KeyId=arn)["PublicKey"])
    return arn, lambda plaintext: public_key.encrypt(plaintext, oaep("RSAES_OAEP_SHA_256"))


def wrapped_by(key_id):
    return {"SecretWrapping": {"Algorithm": "RSAES_OAEP_SHA_256", "KeyId": key_id}}


# ------------------------------------------------------------------------------- what moves between the look and the act


def test_an_alias_that_moves_to_the_victim_s_key_after_the_look_opens_nothing(world):
    own_unwrap, _ = rsa_transport_key(world, tag="orders")
    their_unwrap, closed_for_them = rsa_transport_key(world, tag="payments")
    world.call("CreateAlias", AliasName="alias/transport", TargetKeyId=own_unwrap)
    copied = world.secret(closed_for_them(THEIRS))
    when(
        world,
        "Decrypt",
        Moment.BEFORE,
        lambda: world.call("UpdateAlias", AliasName="alias/transport", TargetKeyId=their_unwrap),
    )

    answer = world.create(world.external_key(), SecretId=copied.name, **wrapped_by("alias/transport"))

    assert answer["Status"] == "FAILED"
    assert (
        "kms:Decrypt was refused with InvalidCiphertextException. The transport key does not open" in answer["Reason"]
    )
    assert world.call("ListAliases", KeyId=their_unwrap)["Aliases"]  # it had moved
    assert world.changes() == 0


def test_a_secret_that_is_exchanged_after_the_look_for_the_victim_s_of_the_same_name_is_not_read(world, refused):
    mine = world.secret(OURS, "shared/name")

    def exchange():
        world.secrets.remove(mine)
        world.secret(THEIRS, "shared/name", tag="payments")

    when(world, "DescribeSecret", Moment.AFTER, exchange)

    reason = refused(world.external_key(), SecretId="shared/name")

    assert reason.startswith("SecretId: secretsmanager:GetSecretValue was refused with AccessDeniedException")


def test_consent_that_is_taken_back_while_kms_s_quota_is_waited_for_lets_nothing_in(world):
    key = world.external_key()
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=20)
    when(
        world,
        "GetParametersForImport",
        Moment.AFTER,
        lambda: world.call("TagResource", KeyId=key, Tags=[{"TagKey": TAG, "TagValue": "payments"}]),
    )

    answer = world.create(key, SecretId=world.secret(OURS).name)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "KeyId: The KMS key has the tag imported-key-material, but it does not name the stack orders, so this stack may not "
        "use it. If its owner agrees, set the tag imported-key-material to 'payments orders'. Nothing was imported."
    )
    assert answer["PhysicalResourceId"].startswith("not-imported:")
    assert world.changes() == 0
    assert world.state(key) == "PendingImport"


def test_consent_that_is_taken_back_after_the_staging_keeps_the_key_from_being_rotated(world):
    key = world.external_key()
    secret = world.secret(OURS, version_id="version-with-the-first-material-01")
    world.create(key, SecretId=secret.name)
    world.secret(THEIRS, version_id="version-with-the-other-material-01")

    imports = world.aws.count("ImportKeyMaterial")

    def untag_when_staged(call, at):
        """There are two imports: the re-import, which KMS refuses, and the import of new material."""
        if (call.operation, at) == ("ListKeyRotations", Moment.BEFORE) and world.aws.count(
            "ImportKeyMaterial"
        ) == imports + 2:
            world.aws.hooks.remove(untag_when_staged)
            world.call("UntagResource", KeyId=key, TagKeys=[TAG])

    world.aws.hooks.append(untag_when_staged)

    answer = world.update(
        key, SecretId=secret.name, SecretVersionId="version-with-the-other-material-01", NewMaterial="ROTATE"
    )

    assert answer["Status"] == "FAILED"
    assert "KeyId: The KMS key has no tag imported-key-material, so this stack may not use it." in answer["Reason"]
    assert world.aws.count("RotateKeyOnDemand") == 0
    assert [state for state, _ in states(world, key)] == ["CURRENT", "PENDING_ROTATION"]


# ------------------------------------------------------------------------------------------------- ids that mean two things


def elsewhere(world, **where):
    return world.call("CreateKey", Origin="EXTERNAL", **where)["KeyMetadata"]["Arn"]


def replicated_elsewhere(world):
    return elsewhere(world, MultiRegion=True, region=OTHER_REGION)


def uuid_of(arn):
    return arn.rsplit("/", 1)[1]


def full_width(text):
    return text.translate({ord(digit): 0xFF10 + int(digit) for digit in "0123456789"})


SPELLINGS = {
    "another account's ARN": lambda world, _: elsewhere(world, account=OTHER_ACCOUNT),
    "another account's bare id": lambda world, _: uuid_of(elsewhere(world, account=OTHER_ACCOUNT)),
    "another Region's multi-Region key": lambda world, _: replicated_elsewhere(world),
    "the bare id of a multi-Region key without a replica here": lambda world, _: uuid_of(replicated_elsewhere(world)),
    "its ARN rewritten to this Region": lambda world, _: replicated_elsewhere(world).replace(OTHER_REGION, REGION),
    "an alias": lambda _, __: "alias/orders",
    "an alias's ARN": lambda _, __: f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders",
    "another partition": lambda _, key: key.replace("arn:aws:", "arn:aws-cn:"),
    "upper case": lambda _, key: uuid_of(key).upper(),
    "a newline at the end": lambda _, key: f"{key}\n",
    "a space before it": lambda _, key: f" {key}",
    "key/ before it": lambda _, key: f"key/{uuid_of(key)}",
    "full-width digits": lambda _, key: full_width(key),
    "two keys": lambda _, key: f"{key},{key}",
    "a list": lambda _, key: [key],
    "a path behind it": lambda _, key: f"{key}/../{uuid_of(key)}",
}


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_no_other_spelling_of_a_key_gets_material_in(world, refused, spelled):
    key = world.external_key()
    world.call("CreateAlias", AliasName="alias/orders", TargetKeyId=key)
    key_id = spelled(world, key)

    assert refused(key_id, SecretId=world.secret(OURS).name).startswith("KeyId: ")


@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param("{arn}", id="the ARN"),
        pytest.param("{uuid}", id="the bare id"),
        pytest.param("key/{uuid}", id="key/ and the id"),
        pytest.param("alias/mine", id="an alias of the attacker's for it"),
        pytest.param("key/alias/mine", id="key/ and the alias"),
        pytest.param(f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/mine", id="the alias's ARN"),
    ],
)
def test_the_victim_s_transport_key_opens_nothing_however_it_is_named(world, refused, spelled):
    their_unwrap, closed_for_them = rsa_transport_key(world, tag="payments orders-eu orders-/ order Orders")
    world.call("CreateAlias", AliasName="alias/mine", TargetKeyId=their_unwrap)
    key_id = spelled.format(arn=their_unwrap, uuid=uuid_of(their_unwrap))
    copied = world.secret(closed_for_them(THEIRS))

    reason = refused(world.external_key(), SecretId=copied.name, **wrapped_by(key_id))

    assert reason.startswith(
        "SecretWrapping.KeyId: The transport key has the tag imported-key-material, but it does not name"
    )
    assert world.aws.count("GetSecretValue") == 0
    assert world.aws.count("Decrypt") == 0


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(lambda secret: secret.name, id="name"),
        pytest.param(lambda secret: secret.arn, id="ARN"),
        pytest.param(lambda secret: secret.arn[:-7], id="ARN without its suffix"),
    ],
)
def test_the_victim_s_secret_is_not_read_however_it_is_named(world, refused, reference):
    theirs = world.secret(THEIRS, "payments/master-key", tag="payments")

    reason = refused(world.external_key(), SecretId=reference(theirs))

    assert reason.startswith("SecretId: The secret has the tag imported-key-material, but it does not name")
    assert world.aws.count("GetSecretValue") == 0


def test_a_secret_of_one_s_own_does_not_get_into_the_victim_s_key_with_all_that_is_one_s_own(world, refused):
    """Everything but the key names orders. The refusal says nothing about the secret that was read."""
    key = world.external_key("HMAC_256", tag="payments")

    reason = refused(key, SecretId=world.secret(random_key(32)).name)

    assert reason.startswith("KeyId: The KMS key has the tag imported-key-material, but it does not name")
    assert world.aws.count("VerifyMac") == 0
