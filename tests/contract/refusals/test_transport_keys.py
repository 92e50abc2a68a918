"""The transport key a secret: of this account and Region, fit for the algorithm, Enabled, and with its owner's consent.

Whoever may deploy a stack must not open another's ciphertexts by naming the key. All of it is found before the secret is read.
"""

import pytest

from lab.keys.at_rest import encrypted, transport_key
from lab.keys.random_keys import random_key
from lab.wire.transport import Refusal

SYMMETRIC, OAEP, AES_WRAP = "SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"
KEY = random_key(32)


def declared(algorithm, unwrap):
    return {"SecretWrapping": {"Algorithm": algorithm, "KeyId": unwrap}}


def disabled(world):
    key = transport_key(world, SYMMETRIC)
    world.call("DisableKey", KeyId=key)
    return key


def pending_deletion(world):
    key = transport_key(world, SYMMETRIC)
    world.call("ScheduleKeyDeletion", KeyId=key)
    return key


def of_another_account(world):
    return world.call("CreateKey", account="999988887777", Tags=[{"TagKey": "imported-key-material", "TagValue": "/"}])[
        "KeyMetadata"
    ]["Arn"]


FOREIGN = "SecretWrapping.KeyId: The key is in another account or Region. Name a key in the stack's account and Region."
MAKE_IT_ENABLED = "Make it Enabled (aws kms enable-key, or first cancel-key-deletion), or name another."
NO_SUCH_KEY = "There is no such key or alias in account 111122223333 and Region eu-central-1"
LIST_ALIASES = "Check SecretWrapping.KeyId; aws kms list-aliases shows the aliases there are."
UNFIT = "Name the key under which the material was wrapped, and its algorithm."


@pytest.mark.parametrize(
    ("algorithm", "key_of", "sentence"),
    [
        pytest.param(
            SYMMETRIC,
            disabled,
            f"SecretWrapping.KeyId: The key is Disabled, and only an Enabled key decrypts. {MAKE_IT_ENABLED}",
            id="Disabled",
        ),
        pytest.param(
            SYMMETRIC,
            pending_deletion,
            f"SecretWrapping.KeyId: The key is PendingDeletion, and only an Enabled key decrypts. {MAKE_IT_ENABLED}",
            id="PendingDeletion",
        ),
        pytest.param(SYMMETRIC, of_another_account, FOREIGN, id="of another account"),
        pytest.param(
            SYMMETRIC,
            lambda world: transport_key(world, SYMMETRIC).replace("eu-central-1", "eu-west-1"),
            FOREIGN,
            id="of another Region",
        ),
        pytest.param(
            SYMMETRIC,
            lambda world: transport_key(world, SYMMETRIC, tag=None),
            "SecretWrapping.KeyId: The transport key has no tag imported-key-material, so this stack may "
            "not use it. If its owner agrees, set the tag imported-key-material to 'orders' (in the stack's own template: "
            "!Ref AWS::StackName).",
            id="no consent tag",
        ),
        pytest.param(
            SYMMETRIC,
            lambda world: transport_key(world, SYMMETRIC, tag="payments order"),
            "SecretWrapping.KeyId: The transport key has the tag imported-key-material, but it does not "
            "name the stack orders, so this stack may not use it. If its owner agrees, set the tag "
            "imported-key-material to 'payments order orders'.",
            id="consent for other stacks",
        ),
        pytest.param(
            SYMMETRIC,
            lambda _: "alias/transport",
            "SecretWrapping.KeyId: kms:DescribeKey was refused with NotFoundException: Alias arn:aws:kms:eu-central-1:"
            f"111122223333:<SecretWrapping.KeyId> is not found. {NO_SUCH_KEY}, or it was made a moment ago. {LIST_ALIASES}",
            id="no such alias",
        ),
        pytest.param(
            SYMMETRIC,
            lambda world: transport_key(world, OAEP),
            "SecretWrapping.KeyId: The key's spec is RSA_2048 and its usage ENCRYPT_DECRYPT, and SYMMETRIC_DEFAULT "
            f"takes a SYMMETRIC_DEFAULT key for ENCRYPT_DECRYPT. {UNFIT}",
            id="RSA for SYMMETRIC_DEFAULT",
        ),
        pytest.param(
            OAEP,
            lambda world: transport_key(world, SYMMETRIC),
            "SecretWrapping.KeyId: The key's spec is SYMMETRIC_DEFAULT and its usage ENCRYPT_DECRYPT, and "
            f"RSAES_OAEP_SHA_256 takes an RSA key for ENCRYPT_DECRYPT. {UNFIT}",
            id="symmetric for OAEP",
        ),
        pytest.param(
            AES_WRAP,
            lambda world: transport_key(world, AES_WRAP, KeyUsage="SIGN_VERIFY"),
            "SecretWrapping.KeyId: The key's spec is RSA_2048 and its usage SIGN_VERIFY, and RSA_AES_KEY_WRAP_SHA_256 "
            f"takes an RSA key for ENCRYPT_DECRYPT. {UNFIT}",
            id="RSA for signing",
        ),
    ],
)
def test_a_key_that_may_not_unwrap_is_refused_before_the_secret_is_read(world, refused, algorithm, key_of, sentence):
    unwrap = key_of(world)
    secret = world.secret(KEY)

    assert refused(world.external_key(), SecretId=secret.name, **declared(algorithm, unwrap)) == sentence
    assert world.aws.count("GetSecretValue") == 0
    assert world.aws.count("Decrypt") == 0


def test_an_alias_that_iam_denies_may_not_be_there(world, refused):
    """Where IAM has no key to look at, it may deny instead."""
    world.aws.faults.inject("DescribeKey", Refusal(400, "AccessDeniedException", "not authorized"), skip=1)

    reason = refused(world.external_key(), SecretId=world.secret(KEY).name, **declared(SYMMETRIC, "alias/transport"))

    assert reason == (
        "SecretWrapping.KeyId: kms:DescribeKey was refused with AccessDeniedException: not authorized. "
        f"{NO_SUCH_KEY}, or a policy forbids the function's role to look at it. {LIST_ALIASES}"
    )


def test_all_that_an_transport_key_is_not_is_named_at_once(world, refused):
    unwrap = transport_key(world, OAEP, KeyUsage="SIGN_VERIFY", tag=None)
    world.call("DisableKey", KeyId=unwrap)

    reason = refused(world.external_key(), SecretId=world.secret(KEY).name, **declared(OAEP, unwrap))

    assert reason == (
        "3 things are wrong. "
        "(1) SecretWrapping.KeyId: The key's spec is RSA_2048 and its usage SIGN_VERIFY, and RSAES_OAEP_SHA_256 takes "
        f"an RSA key for ENCRYPT_DECRYPT. {UNFIT} "
        f"(2) SecretWrapping.KeyId: The key is Disabled, and only an Enabled key decrypts. {MAKE_IT_ENABLED} "
        "(3) SecretWrapping.KeyId: The transport key has no tag imported-key-material, so this stack may "
        "not use it. If its owner agrees, set the tag imported-key-material to 'orders' (in the stack's own template: !Ref "
        "AWS::StackName)."
    )


def test_a_ciphertext_copied_from_another_team_does_not_open_under_that_team_s_key(world, refused):
    """The confused deputy: the function may decrypt with the key, and this stack may not ask it to."""
    theirs = transport_key(world, SYMMETRIC, tag="payments")
    copied = world.secret(encrypted(world, theirs, KEY))

    reason = refused(world.external_key(), SecretId=copied.name, **declared(SYMMETRIC, theirs))

    assert reason.startswith("SecretWrapping.KeyId: The transport key has the tag imported-key-material, but ")
    assert world.aws.count("Decrypt") == 0
