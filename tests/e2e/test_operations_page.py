"""docs/operations.md: each incident happens on the local AWS, and the page's own commands mend it.

Everything after the alarms is run, except the blocks that the page marks. One Region and one shell serve all stories.
"""

import json
import re
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key
from lab.local import deploy
from lab.local.places import REPOSITORY
from lab.pages.blocks import DOCS, blocks
from lab.pages.reader import NotAsPrintedError, reading
from tests.support.scene import AWAY, Scene

REGION = "eu-south-1"  # only this test uses this Region: the page uses the names of a whole account
STACK = "orders-renewed"
PAGE = DOCS / "operations.md"
RENEWAL = REPOSITORY / "examples" / "renewal"
QUERIES = REPOSITORY / "operations" / "queries"
FIRST_HEADING = "## What each finding means"


class OnCall:
    """A person with the page, a shell and the key that the stack of examples/renewal made."""

    def __init__(self, reader, aws):
        self.reader, self.aws = reader, aws
        self.scene = Scene(aws, STACK)
        self.kms, self.secrets = self.scene.kms, self.scene.secretsmanager
        self.todo = [block for block in _of_operation() if not block.not_run]

    def runs_all(self, blocks_of_a_page):
        for block in blocks_of_a_page:
            self.reader.runs(block)

    def runs(self, heading):
        """All commands of a section, in the page's order. Each section is run once."""
        section = [block for block in self.todo if block.heading.lstrip("# ") == heading]
        assert section, f"{heading}: nothing to run"
        self.todo = [block for block in self.todo if block not in section]
        self.runs_all(section)

    def types(self, script):
        code, printed = self.reader.types(script)
        if code != 0:
            raise NotAsPrintedError(printed)
        return printed.strip()

    @property
    def key(self):
        return self.types("echo $KEY")

    @property
    def transport(self):
        return self.kms.describe_key(KeyId="alias/transport")["KeyMetadata"]["KeyId"]

    def ends(self):
        return self.scene.look(self.key)["ValidTo"]

    def renews(self, trigger):
        """Whether a deployment with a new Trigger succeeds."""
        deploy = "aws cloudformation deploy --stack-name $STACK --template-file $TEMPLATE --parameter-overrides"
        return self.reader.types(f"{deploy} Trigger={trigger}")[0] == 0


def _of_operation():
    """The page's blocks from the findings on."""
    found = blocks(PAGE)
    headings = [line for line in PAGE.read_text().splitlines() if line.startswith("#")]
    ours = set(headings[headings.index(FIRST_HEADING) :])
    return [block for block in found if block.heading in ours]


@pytest.fixture
def on_call(aws, tmp_path):
    (tmp_path / "shell").mkdir()
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "examples").symlink_to(REPOSITORY / "examples")
    there = aws.elsewhere(REGION)
    with reading(tmp_path / "shell", there.settings, tmp_path / "clone") as reader:
        yield OnCall(reader, there)


def test_what_the_page_says_mends_each_incident(on_call):
    """One test: the stories use one account's names, and some of them disable what the others need."""
    on_call.types("aws cloudformation deploy --stack-name transport-key --template-file examples/transport-key.yaml")
    a_pipeline_renews(on_call)
    on_call.runs("What each finding means")
    findings_end(on_call)
    the_function_is_down(on_call)
    on_call.runs("KMS's quota is used up")
    a_key_was_emptied_by_hand(on_call)
    a_secret_is_deleted(on_call)
    the_transport_key_is_disabled(on_call)
    a_rotation_was_wrong(on_call)
    the_transport_key_is_lost(on_call)
    a_region_is_lost(on_call)
    the_audit_queries_find_what_they_ask_for(on_call)
    the_application_was_removed(on_call)
    assert on_call.todo == []


def a_pipeline_renews(on_call):
    """The first run of a month moves the end, the next one changes nothing."""
    on_call.runs_all(blocks(RENEWAL / "README.md"))
    on_call.types(f"KEY=$(aws kms describe-key --key-id alias/{STACK} --query KeyMetadata.Arn --output text)")
    blob = on_call.scene.seal(on_call.key)
    assert on_call.renews("last-month")
    before = on_call.ends()
    on_call.types("sleep 1")  # KMS keeps whole seconds
    [command] = re.findall(r"run: \|\n((?: {10}.*\n)+)", (RENEWAL / "renewal.yml").read_text())

    on_call.types(command)
    after = on_call.ends()
    assert "No changes to deploy" in on_call.types(command)

    assert before < after == on_call.ends()
    assert on_call.scene.opens(blob)


def findings_end(on_call):
    kms, key = on_call.kms, on_call.key
    blob = on_call.scene.seal(key)
    renewed = on_call.ends()
    material = (on_call.reader.folder.parent / "clone" / "renewed.bin").read_bytes()
    import_material(kms, key, material, ValidTo=renewed - timedelta(days=70))
    assert on_call.ends() < renewed

    on_call.runs("Expires")
    assert on_call.ends() >= renewed

    on_call.runs("EndsFirst")

    kms.disable_key(KeyId=key)
    on_call.runs("Disabled")
    assert on_call.scene.opens(blob)

    kms.schedule_key_deletion(KeyId=key)
    on_call.runs("DeletionScheduled")
    assert on_call.scene.opens(blob)

    on_call.runs("NotVisible")


def the_function_is_down(on_call):
    """The commands only: tests/e2e/test_on_failure.py has functions that are down."""
    on_call.runs("The function is down")


def a_key_was_emptied_by_hand(on_call):
    blob = on_call.scene.seal(on_call.key)
    on_call.kms.delete_imported_key_material(KeyId=on_call.key)

    on_call.runs("A key was emptied by hand")

    assert on_call.scene.opens(blob)


def a_secret_is_deleted(on_call):
    """Once it can be restored, and once it can't: the section has a block for each."""
    blob = on_call.scene.seal(on_call.key)
    restored, made_again = [block for block in on_call.todo if block.heading == "### A secret is deleted"]
    on_call.todo = [block for block in on_call.todo if block not in {restored, made_again}]

    on_call.secrets.delete_secret(SecretId=f"{STACK}/key")
    on_call.reader.runs(restored)
    assert on_call.renews("with-secret")

    on_call.secrets.delete_secret(SecretId=f"{STACK}/key", ForceDeleteWithoutRecovery=True)
    on_call.reader.runs(made_again)
    assert on_call.renews("with-a-new-secret")
    assert on_call.scene.opens(blob)


def the_transport_key_is_disabled(on_call):
    on_call.kms.disable_key(KeyId=on_call.transport)

    on_call.runs("The transport key is disabled")

    assert on_call.renews("with-transport-key")


def a_rotation_was_wrong(on_call):
    """The second material of docs/rotation.md is the wrong one."""
    [steps, again] = [block for block in blocks(DOCS / "rotation.md") if block.heading == "## Step by step"]
    on_call.types("KEPT=$STACK")
    on_call.runs_all([steps, again])
    key = on_call.kms.describe_key(KeyId="alias/orders-rotated")["KeyMetadata"]["KeyId"]
    under_the_wrong_one = on_call.scene.seal(key)
    third = again.text.replace("VERSION_2", "VERSION_3").replace("-2", "-3")  # "as before", but for the deployment
    on_call.types(re.sub(r"^\$ ", "", third.partition("$ aws cloudformation")[0], flags=re.MULTILINE))

    on_call.runs("A wrong rotation")

    assert [state for state, _ in on_call.scene.materials(key)] == ["NON_CURRENT", "NON_CURRENT", "CURRENT"]
    assert on_call.scene.opens(under_the_wrong_one, on_call.scene.seal(key))
    on_call.types("STACK=$KEPT")


def the_transport_key_is_lost(on_call):
    blob = on_call.scene.seal(on_call.key)
    on_call.kms.schedule_key_deletion(KeyId=on_call.transport)
    assert on_call.scene.opens(blob)

    on_call.runs("The transport key is lost")

    assert on_call.scene.opens(blob)
    assert on_call.renews("under-the-new-one")


def a_region_is_lost(on_call):
    """The same bytes in a key elsewhere: a MAC is verified, a ciphertext opens nowhere but under its own key."""
    elsewhere = on_call.aws.client("kms", AWAY)
    material = random_key(32)
    hmac = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
    (hmac_lost, hmac_there), (lost, there) = (
        [_filled(kms, material, **kind) for kms in (on_call.kms, elsewhere)] for kind in (hmac, {})
    )
    mac = {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    tag = on_call.kms.generate_mac(KeyId=hmac_lost, **mac)["Mac"]
    blob = on_call.scene.seal(lost)

    assert elsewhere.verify_mac(KeyId=hmac_there, **mac, Mac=tag)["MacValid"]
    with pytest.raises(ClientError, match=r"IncorrectKeyException|InvalidCiphertextException"):
        elsewhere.decrypt(KeyId=there, CiphertextBlob=blob)


def _filled(kms, material, **kind):
    """A key without a stack, with this material."""
    key = kms.create_key(Origin="EXTERNAL", **kind)["KeyMetadata"]["KeyId"]
    import_material(kms, key, material)
    return key


def the_audit_queries_find_what_they_ask_for(on_call):
    """Logs Insights is not here, so: the fields of the first query are those of a line that the function wrote."""
    query = (QUERIES / "imports.txt").read_text()
    fields = re.search(r"\| fields (.*)", query)[1].replace("@timestamp", "timestamp").split(", ")
    lines = [json.loads(line) for line in on_call.aws.logs().splitlines() if '"imported"' in line]

    assert lines
    assert [field for field in fields if field not in lines[-1]] == []


def the_application_was_removed(on_call):
    """Last, since the other stacks import its ServiceToken, and so keep it."""
    stack = Scene(on_call.aws, "orders-written-out")
    key, secret = stack.empty_key(), stack.secret(random_key(32))
    assert stack.create({"Material": stack.material(key, secret)}).status == "CREATE_COMPLETE"
    blob = stack.seal(key)
    for importing in (STACK, "orders-rotated"):
        assert on_call.aws.stacks.delete(importing).status == "DELETE_COMPLETE"
    assert on_call.scene.opens(blob)

    assert on_call.aws.stacks.delete(deploy.APPLICATION_STACK).status == "DELETE_COMPLETE"
    assert stack.opens(blob)
    deploy.deploy(on_call.aws.settings)
    on_call.runs("The application was removed")

    assert deploy.service_token(on_call.aws.settings) == stack.token
    assert stack.update({"Material": stack.material(key, secret, Trigger="again")}).status == "UPDATE_COMPLETE"
    assert stack.opens(blob)
