"""Keys that take no material, or not from this stack: the function refuses them before any import, in a sentence.

KMS's own answer would be only a code, and come after the secret was opened. Consent is in test_consent.py.
"""

from typing import Any

import pytest

from lab.keys.random_keys import random_key
from lab.kms.wire import KmsWire
from lab.wire.faults import Moment

KEY = random_key(32)
OTHER_ACCOUNT = "999988887777"
ELSEWHERE = "Deploy the application there, and declare the resource in a stack of that account and Region."
NEW_KEY = "Make a new key with Origin: EXTERNAL; the origin of a key can't be changed."


def of_another_account(world):
    return world.external_key().replace("111122223333", OTHER_ACCOUNT)


def of_another_region(world):
    return world.external_key().replace("eu-central-1", "eu-west-1")


def made_by_kms(world):
    return world.key(KeySpec="SYMMETRIC_DEFAULT")


def of_a_custom_key_store(world):
    key = world.external_key()
    world.kms._store.families[key.rsplit("/", 1)[1]].origin = "AWS_CLOUDHSM"
    return key


def pending_deletion(world):
    key = world.external_key()
    world.call("ScheduleKeyDeletion", KeyId=key)
    return key


@pytest.mark.parametrize(
    ("key_of", "sentence"),
    [
        pytest.param(
            of_another_account,
            "KeyId: The key is in another account (999988887777), and the function imports only into keys of its own account "
            f"(111122223333). {ELSEWHERE}",
            id="another account",
        ),
        pytest.param(
            of_another_region,
            "KeyId: The key is in another Region (eu-west-1), and the function imports only into keys of its own Region "
            f"(eu-central-1). {ELSEWHERE}",
            id="another Region",
        ),
        pytest.param(
            made_by_kms,
            "KeyId: The key's Origin is AWS_KMS, and only a key with Origin EXTERNAL takes imported material. "
            + NEW_KEY,
            id="made by KMS",
        ),
        pytest.param(
            of_a_custom_key_store,
            "KeyId: The key's Origin is AWS_CLOUDHSM, and only a key with Origin EXTERNAL takes imported material. "
            + NEW_KEY,
            id="a custom key store",
        ),
        pytest.param(
            pending_deletion,
            "KeyId: The key is scheduled for deletion. Cancel that with aws kms cancel-key-deletion, or use another "
            "key.",
            id="PendingDeletion",
        ),
        pytest.param(
            lambda _: "1234abcd-12ab-34cd-56ef-1234567890ab",
            "KeyId: There is no such key in account 111122223333 and Region eu-central-1. Check KeyId; !GetAtt Key.Arn "
            "also makes CloudFormation wait for the key.",
            id="no such key",
        ),
    ],
)
def test_a_key_that_takes_no_material_is_refused(world, refused, key_of, sentence):
    key = key_of(world)
    secret = world.secret(KEY)

    assert refused(key, SecretId=secret.name) == sentence
    assert world.aws.count("GetParametersForImport") == 0


class ShowingSpec(KmsWire):
    """A KMS with a key spec that the strict KMS does not model: only DescribeKey shows it."""

    spec = ""

    def _call(self, operation: str, params: Any, caller: Any) -> Any:
        answer = dict(super()._call(operation, params, caller))
        if operation == "DescribeKey":
            answer["KeyMetadata"] = {**answer["KeyMetadata"], "KeySpec": self.spec}
        return answer


IMPORTABLE = "symmetric, HMAC, RSA, ECC_NIST_P256, _P384, _P521, ECC_SECG_P256K1 and ECC_NIST_EDWARDS25519."


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("ML_DSA_44", "KMS takes no imported material for ML-DSA keys."),
        ("ML_KEM_768", "KMS takes no imported material for ML-KEM keys."),
        ("SM2", "SM2 keys, which exist only in China, are not imported by this resource."),
    ],
)
def test_a_key_of_a_spec_that_takes_no_material_is_refused(world, refused, spec, rule):
    key = world.external_key()
    wire = ShowingSpec(world.kms)
    wire.spec = spec
    world.aws.plug(wire)

    reason = refused(key, SecretId=world.secret(KEY).name)

    assert reason == f"KeyId: The key's spec is {spec}. {rule} Name a key of another key spec: {IMPORTABLE}"
    assert world.aws.count("GetSecretValue") == 0


# ------------------------------------------------------------------------------------------------------- rule 7: Disabled

DISABLED = (
    "KeyId: The key is Disabled, and an import would enable it; somebody disabled it for a reason. To import all the "
    "same, enable it first: aws kms enable-key."
)


def test_a_disabled_key_is_not_enabled_by_an_import(world, refused):
    """In KMS an import enables the key; here the function refuses before the import."""
    key, secret = world.external_key(), world.secret(KEY)
    world.create(key, "Another", SecretId=secret.name)
    world.call("DisableKey", KeyId=key)

    assert refused(key, SecretId=secret.name) == DISABLED
    assert world.state(key) == "Disabled"


def just_before_the_import(world, act):
    """Somebody changes the key right after GetParametersForImport."""

    def hook(call, moment):
        if call.operation == "GetParametersForImport" and moment is Moment.AFTER:
            world.aws.hooks.remove(hook)
            act()

    world.aws.hooks.append(hook)


def test_a_key_that_is_disabled_while_its_import_is_prepared_stays_disabled(world):
    """The function reads the state again just before the import."""
    key, secret = world.external_key(), world.secret(KEY)
    world.create(key, "Another", SecretId=secret.name)
    changes = world.changes()
    just_before_the_import(world, lambda: world.call("DisableKey", KeyId=key))

    answer = world.create(key, SecretId=secret.name)

    assert answer["Reason"] == f"{DISABLED} Nothing was imported."
    assert world.changes() == changes
    assert world.state(key) == "Disabled"


def test_a_key_that_is_scheduled_for_deletion_while_its_import_is_prepared_takes_nothing(world):
    key, secret = world.external_key(), world.secret(KEY)
    just_before_the_import(world, lambda: world.call("ScheduleKeyDeletion", KeyId=key))

    answer = world.create(key, SecretId=secret.name)

    assert answer["Reason"] == (
        "KeyId: The key is scheduled for deletion. Cancel that with aws kms cancel-key-deletion, or use another "
        "key. Nothing was imported."
    )
    assert world.changes() == 0
