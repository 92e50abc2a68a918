"""One local AWS with the application deployed, shared by all e2e tests of a run, between pytest-xdist's workers, too.

A test gets a `Scene`: separate names, so that tests do not meet. A failed test shows the function's log.
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from lab.local import deploy
from lab.local.session import LocalAws
from lab.local.stacks import Stack

CONSENT = "imported-key-material"
AWAY = "eu-west-1"  # every other test works in another Region
MESSAGE = b"what the key is used for"
LOG_TAIL_CHARACTERS = 4000


@pytest.fixture(scope="session")
def aws(testrun_uid: str) -> Iterator[LocalAws]:
    with LocalAws.shared(f"tests-{testrun_uid}") as local:
        yield local


@pytest.fixture(scope="session")
def away(aws: LocalAws) -> LocalAws:
    """The same local AWS from another Region, where the application is deployed, too."""
    return aws.elsewhere(AWAY)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for local in item.funcargs.values():
            if isinstance(local, LocalAws):
                title = f"The function's log, {local.settings.region}"
                report.sections.append((title, local.logs()[-LOG_TAIL_CHARACTERS:]))
    return report


class Scene:
    """One test's part of the world, in one Region. `name` begins the names of its stacks, secrets and keys.

    `application`: the stack of the application that its stacks use.
    """

    def __init__(self, aws: LocalAws, name: str | None = None, *, application: str = deploy.APPLICATION_STACK) -> None:
        self.aws = aws
        self.name = name or f"s{secrets.token_hex(4)}"
        self.kms = aws.client("kms")
        self.secretsmanager = aws.client("secretsmanager")
        self.token = deploy.service_token(aws.settings, stack=application)

    # ------------------------------------------------------------------------------------- what the owners prepare

    def secret(self, value: bytes | str, name: str = "material", *, consent: str | None = "") -> str:
        """A secret's name. `consent`: its tag; "": this scene's stack; None: no tag."""
        full = f"{self.name}/{name}"
        content = {"SecretBinary": value} if isinstance(value, bytes) else {"SecretString": value}
        self.secretsmanager.create_secret(Name=full, **content, Tags=self._tags(consent, "Key", "Value"))
        return full

    def current_version(self, secret: str) -> str:
        stages = self.secretsmanager.describe_secret(SecretId=secret)["VersionIdsToStages"]
        return str(next(id_ for id_, labels in stages.items() if "AWSCURRENT" in labels))

    def versions(self, *values: bytes, name: str = "material") -> tuple[str, list[str]]:
        """A secret's name, and the ids of its versions, oldest first, each with its own stage, so that it stays."""
        full = self.secret(values[0], name)
        ids = [self.secretsmanager.describe_secret(SecretId=full)["VersionIdsToStages"].popitem()[0]]
        for number, value in enumerate(values[1:], start=2):
            stages = ["AWSCURRENT", f"material-{number}"]
            made = self.secretsmanager.put_secret_value(SecretId=full, SecretBinary=value, VersionStages=stages)
            ids.append(made["VersionId"])
        return full, ids

    def encrypted(self, material: bytes, transport: str, name: str = "material") -> bytes:
        """kms:Encrypt with the context that binds it to the secret of this name."""
        context = {CONSENT: f"{self.aws.settings.account}/{self.name}/{name}"}
        answer = self.kms.encrypt(KeyId=transport, Plaintext=material, EncryptionContext=context)
        return bytes(answer["CiphertextBlob"])

    def key(self, *, consent: str | None = "", **parameters: Any) -> str:
        """The ARN of a key that no stack makes."""
        made = self.kms.create_key(**parameters, Tags=self._tags(consent, "TagKey", "TagValue"))
        return str(made["KeyMetadata"]["Arn"])

    def empty_key(self, *, consent: str | None = "", **parameters: Any) -> str:
        return self.key(consent=consent, Origin="EXTERNAL", **parameters)

    def _tags(self, consent: str | None, key: str, value: str) -> list[dict[str, str]]:
        return [] if consent is None else [{key: CONSENT, value: consent or self.name}]

    # ------------------------------------------------------------------------------------------ what the stack declares

    def material(self, key: str | Mapping[str, Any], secret: str, **properties: Any) -> dict[str, Any]:
        """A Custom::ImportedKeyMaterial."""
        more = properties.pop("resource", {})
        declared = {"ServiceToken": self.token, "KeyId": key, "SecretId": secret, "WrappingKeySpec": "RSA_2048"}
        return {"Type": "Custom::ImportedKeyMaterial", "Properties": declared | properties, **more}

    @staticmethod
    def stack_key(spec: str = "SYMMETRIC_DEFAULT", **properties: Any) -> dict[str, Any]:
        """An AWS::KMS::Key without material, which its own stack may fill."""
        tag = {"Key": CONSENT, "Value": {"Ref": "AWS::StackName"}}
        return {
            "Type": "AWS::KMS::Key",
            "Properties": {"Origin": "EXTERNAL", "KeySpec": spec, "Tags": [tag], **properties},
        }

    def create(self, resources: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> Stack:
        return self.aws.stacks.create(self.name, _template(resources, outputs))

    @contextmanager
    def being_created(self, resources: Mapping[str, Any]) -> Iterator[Callable[[], Stack]]:
        """Starts to create the stack. The returned function waits for the end."""
        stack_id = self.aws.stacks.begin(self.name, _template(resources, None))
        yield lambda: self.aws.stacks.wait(stack_id)

    def wait_for_log(self, pattern: str, seconds: float = 30) -> None:
        """Until the function has logged a line that matches."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.aws.logs()):
            if time.monotonic() >= deadline:
                raise TimeoutError(f"the function has not logged {pattern} in {seconds} s")
            time.sleep(0.1)

    def update(self, resources: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> Stack:
        return self.aws.stacks.update(self.name, _template(resources, outputs))

    def delete(self) -> Stack:
        return self.aws.stacks.delete(self.name)

    # ---------------------------------------------------------------------------------------------- what can be seen

    def look(self, key: str) -> dict[str, Any]:
        return dict(self.kms.describe_key(KeyId=key)["KeyMetadata"])

    def state(self, key: str) -> str:
        return str(self.look(key)["KeyState"])

    def materials(self, key: str) -> list[tuple[str, str]]:
        """What a symmetric key holds, oldest first: KeyMaterialState and ImportState of each material."""
        listed = self.kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
        return [(one["KeyMaterialState"], one["ImportState"]) for one in listed]

    def seal(self, key: str) -> bytes:
        """MESSAGE, encrypted under the key. Raises ClientError where the key can't be used."""
        return bytes(self.kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"])

    def opens(self, *blobs: bytes) -> bool:
        """Whether KMS decrypts all of them, in this Region. Raises ClientError where a key can't be used."""
        return all(self.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == MESSAGE for blob in blobs)

    def requests(self) -> list[tuple[str, str, str | None]]:
        """What CloudFormation asked for this stack: type, logical id, physical id."""
        return [
            (entry["RequestType"], entry["LogicalResourceId"], entry.get("PhysicalResourceId"))
            for entry in self.aws.journal("request")
            if self._stack_arn in entry["StackId"]
        ]

    def answers(self) -> list[dict[str, Any]]:
        """What the function answered for this stack, as the journal has it."""
        return [entry for entry in self.aws.journal("answer") if self._stack_arn in entry["to"]]

    @property
    def _stack_arn(self) -> str:
        """How the ARN of this scene's stack begins."""
        settings = self.aws.settings
        return f"arn:aws:cloudformation:{settings.region}:{settings.account}:stack/{self.name}/"

    def reason(self, stack: Stack, logical_id: str = "Material") -> str:
        """The function's own sentence about the failure, without CloudFormation's words around it."""
        [said, *_] = stack.reasons(logical_id)
        begin, end = "Message returned: ", " (RequestId: "
        return said[said.index(begin) + len(begin) : said.rindex(end)]


def _template(resources: Mapping[str, Any], outputs: Mapping[str, Any] | None) -> str:
    named = {name: {"Value": value} for name, value in (outputs or {}).items()}
    return json.dumps({"Resources": resources, **({"Outputs": named} if named else {})})


@pytest.fixture
def scene(aws: LocalAws) -> Scene:
    return Scene(aws)
