"""A first key through the product, its update, its rollback, and its end."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from imported_key_material.consent import TAG
from lab.live.act import Act
from lab.live.one_stack import OneStack, reason, seconds_of, seconds_of_all, told_not_wanted
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged
from lab.local.stacks import Stack

MATERIAL_BYTES: Final = 32
NO_SUCH_VERSION: Final = "00000000-0000-4000-8000-000000000000"
STACK_SECONDS: Final = 120.0  # KMS's own handler waits for a new key
TAG_PATIENCE_SECONDS: Final = 360.0  # aws/calls.py


def first_key(stage: Stage) -> Iterator[Finding]:
    """A stack makes its key, and fills it from a wrapped secret; then another expiry; then its end. The key is retained."""
    kms = stage.client("kms")
    name = stage.made.name("first-key")
    description = stage.made.note("key", "first-key-of-stack")
    transport = stage.made.key("transport", Origin="AWS_KMS", tag=name)
    context = {TAG: f"{stage.account.number}/{name}"}  # binds it to the secret of this name
    wrapped = kms.encrypt(KeyId=transport, Plaintext=_material(stage), EncryptionContext=context)["CiphertextBlob"]
    secret, version = stage.made.secret("first-key", wrapped, tag=name)
    wrapping = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": transport}

    def resources(**more: Any) -> dict[str, Any]:
        material = stage.material({"Fn::GetAtt": ["Key", "Arn"]}, secret, version, SecretWrapping=wrapping, **more)
        return {"Key": _stack_key(description), "Material": material}

    stack = OneStack.begin(stage, "first-key", resources())
    created = stack.wait(STACK_SECONDS)
    shown = stage.client("cloudformation").describe_stack_resources(StackName=stack.stack_id, LogicalResourceId="Key")
    key = shown["StackResources"][0].get("PhysicalResourceId", "")
    encrypts = created.status == "CREATE_COMPLETE" and _encrypts(kms, key)
    yield judged(
        "first-key",
        "The stack is CREATE_COMPLETE, and its key encrypts",
        f"the stack is {created.status}, and its key {'encrypts' if encrypts else 'does not encrypt'}. {reason(created)}",
        holds=encrypts,
        status=created.status,
        seconds=seconds_of_all(created),
        seconds_of_material=seconds_of(created, "Material"),
    )
    if not encrypts:
        return
    valid_to = (stage.now() + timedelta(days=1)).replace(microsecond=0)
    updated = stack.update(resources(ValidTo=f"{valid_to:%Y-%m-%dT%H:%M:%SZ}"), STACK_SECONDS)
    expiry = kms.describe_key(KeyId=key)["KeyMetadata"].get("ValidTo")
    yield judged(
        "first-key-expiry",
        "An update with another ValidTo is UPDATE_COMPLETE, and KMS shows that expiry",
        f"the stack is {updated.status}; KMS shows {'that expiry' if expiry == valid_to else 'another'}. {reason(updated)}",
        holds=updated.status == "UPDATE_COMPLETE" and expiry == valid_to,
        status=updated.status,
        seconds=seconds_of_all(updated),
    )
    deleted = stack.delete(STACK_SECONDS)
    state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    yield judged(
        "first-key-deleted",
        "The stack is DELETE_COMPLETE, and its retained key is PendingImport",
        f"the stack is {deleted.status}; the key is {state}. {reason(deleted)}",
        holds=(deleted.status, state) == ("DELETE_COMPLETE", "PendingImport"),
        status=deleted.status,
        key_state=state,
        seconds=seconds_of_all(deleted),
    )
    yield _wanted("first-key-wanted", [created, updated, deleted])


def rollback(stage: Stage) -> Iterator[Finding]:
    """A key that was tagged a moment ago; then an update that must fail, since the pinned version does not exist."""
    kms = stage.client("kms")
    name = stage.made.name("rollback")
    secret, version = stage.made.secret("rollback", _material(stage), tag=name)
    key = stage.made.key("rollback", tag=name)
    stack = OneStack.begin(stage, "rollback", {"Material": stage.material(key, secret, version)})
    created = stack.wait(STACK_SECONDS)
    took = seconds_of(created, "Material")
    yield judged(
        "key-just-tagged",
        "A key that was made with its tag a moment ago is taken, in less than six minutes",
        f"the stack is {created.status}; the resource took {took:.0f} s. {reason(created)}",
        holds=created.status == "CREATE_COMPLETE" and took < TAG_PATIENCE_SECONDS,
        status=created.status,
        seconds_of_material=took,
    )
    if created.status != "CREATE_COMPLETE":
        return
    blob = kms.encrypt(KeyId=key, Plaintext=b"before")["CiphertextBlob"]
    failed = stack.update({"Material": stage.material(key, secret, NO_SUCH_VERSION)}, STACK_SECONDS)
    opens = kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"before"
    yield judged(
        "rollback-completes",
        "An update that must fail ends as UPDATE_ROLLBACK_COMPLETE, and the key opens what it sealed before",
        f"the stack is {failed.status}; the key {'opens' if opens else 'does not open'} it. {_all_reasons(failed)}",
        holds=failed.status == "UPDATE_ROLLBACK_COMPLETE" and opens,
        status=failed.status,
        seconds=seconds_of_all(failed),
    )
    yield _wanted("rollback-wanted", [created, failed])


def _wanted(assumption: str, stacks: list[Stack]) -> Finding:
    told = told_not_wanted(stacks)
    return judged(
        assumption,
        "The function never says that CloudFormation does not wait for a request",
        f"it said so {len(told)} times. {' '.join(told)}",
        holds=not told,
        told=len(told),
    )


def _all_reasons(stack: Stack) -> str:
    return " ".join(stack.reasons("Material"))


def _material(stage: Stage) -> bytes:
    return stage.secret_bytes(secrets.token_bytes(MATERIAL_BYTES))


def _stack_key(description: str) -> dict[str, Any]:
    """An AWS::KMS::Key that stays, so that its state can be seen after the stack. The run's list has its description."""
    return {
        "Type": "AWS::KMS::Key",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "Origin": "EXTERNAL",
            "Description": description,
            "Tags": [{"Key": TAG, "Value": {"Ref": "AWS::StackName"}}],
        },
    }


def _encrypts(kms: Any, key: str) -> bool:
    try:
        kms.encrypt(KeyId=key, Plaintext=b"something")
    except ClientError:
        return False
    return True


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "first-key",
        "A first key through the product, its update, and its end",
        ("first-key", "first-key-expiry", "first-key-deleted", "first-key-wanted"),
        makes="1 stack, 2 keys, 1 secret",
        deadline_seconds=90,
        play=first_key,
    ),
    Act(
        "rollback",
        "A key that was tagged a moment ago; an update that fails, and its rollback",
        ("key-just-tagged", "rollback-completes", "rollback-wanted"),
        makes="1 stack, 1 key, 1 secret",
        deadline_seconds=80,
        play=rollback,
        short=False,
    ),
)
