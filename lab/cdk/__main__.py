"""Deploys the recorded template, uses the key as the role that may use it, deletes the stack. The last line is `cdk: ok`."""

import secrets
import sys
from pathlib import Path

from botocore.exceptions import ClientError

from lab.demo.evidence import MESSAGE, NotShown
from lab.demo.playing import Play
from lab.demo.story import Story
from lab.kms import ciphertext
from lab.local import deploy, places
from lab.local.clients import client
from lab.local.session import LocalAws
from lab.local.stacks import Stack

STACK = "orders-cdk"
TEMPLATE = places.REPOSITORY / "examples" / "cdk" / f"{STACK}.template.json"
TRANSPORT_KEY = places.REPOSITORY / "examples" / "transport-key.yaml"
BOOTSTRAPPED = (
    "/cdk-bootstrap/hnb659fds/version",
    "30",
)  # `cdk bootstrap` leaves this; CDK's templates ask for 6 or more

OPENING = (
    "The stack of examples/cdk/app.py on a local AWS: a key, its material, an alias, and a role that may use the key."
)


def acts(story: Story, aws: LocalAws, _folder: Path) -> None:
    material = secrets.token_bytes(32)
    with story.act("The application is deployed, and the account is bootstrapped for the CDK"):
        deploy.build()
        deploy.deploy(aws.settings)
        name, value = BOOTSTRAPPED
        aws.client("ssm").put_parameter(Name=name, Value=value, Type="String")
    with story.act("A secret holds the material, wrapped under the transport key"):
        expect(aws.stacks.create("transport-key", TRANSPORT_KEY.read_text()), "CREATE_COMPLETE")
        store(aws, material)
    with story.act(f"The stack {STACK} is deployed"):
        stack = aws.stacks.create(STACK, TEMPLATE.read_text())
        expect(stack, "CREATE_COMPLETE")
        the_grant_waited(stack)
        story.facts({"status": stack.status, **stack.outputs})
    with story.act("The role uses the key, which holds this material"):
        the_role_uses_it(aws, stack, material)
    with story.act("The stack is deleted: the key stays, with its material"):
        expect(aws.stacks.delete(STACK), "DELETE_COMPLETE")
        state = aws.client("kms").describe_key(KeyId=stack.outputs["KeyArn"])["KeyMetadata"]["KeyState"]
        shown(state == "Enabled", f"the key is {state}, not Enabled")
        story.facts({"key state": state})


def store(aws: LocalAws, material: bytes) -> None:
    """As in the README: the encryption context names the secret, and the secret's tag names the stack."""
    secret = f"{STACK}/key"
    wrapped = aws.client("kms").encrypt(
        KeyId="alias/transport",
        Plaintext=material,
        EncryptionContext={"imported-key-material": f"{aws.settings.account}/{secret}"},
    )["CiphertextBlob"]
    aws.client("secretsmanager").create_secret(
        Name=secret, SecretBinary=wrapped, Tags=[{"Key": "imported-key-material", "Value": STACK}]
    )


def the_grant_waited(stack: Stack) -> None:
    """The role's policy names the key by Material.KeyArn, so nobody may use the key before it holds material."""
    told = stack.told()
    filled = max(number for number, event in enumerate(told) if event.startswith("ImportedMaterial"))
    for waits in ("ClerkDefaultPolicy", "ImportedAlias"):
        begun = min(number for number, event in enumerate(told) if event.startswith(waits))
        shown(begun > filled, f"{waits} did not wait for the material: {told}")


def the_role_uses_it(aws: LocalAws, stack: Stack, material: bytes) -> None:
    key = stack.outputs["KeyArn"]
    clerk = client(aws.as_role(stack.outputs["ClerkArn"]), "kms")
    sealed = clerk.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
    shown(
        clerk.decrypt(KeyId=key, CiphertextBlob=sealed)["Plaintext"] == MESSAGE,
        "KMS decrypts its own ciphertext to something else",
    )
    opened = ciphertext.open_sealed(ciphertext.take_apart(sealed), material, {})
    shown(opened == MESSAGE, "the key does not hold the material of the secret")
    try:
        clerk.delete_imported_key_material(KeyId=key)
    except ClientError as refused:
        shown(
            refused.response["Error"]["Code"] == "AccessDeniedException",
            f"the role was refused for another reason: {refused}",
        )
    else:
        raise NotShown("the role, which may only use the key, could empty it")


def expect(stack: Stack, status: str) -> None:
    shown(stack.status == status, f"stack {stack.name} is {stack.status}, not {status}: {' '.join(stack.reasons())}")


def shown(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # as in `assert`
    if not holds:
        raise NotShown(otherwise)


PLAY = Play(name="cdk", opening=OPENING, begins="A local AWS starts", acts=acts, expected=())

if __name__ == "__main__":
    sys.exit(PLAY.run())
