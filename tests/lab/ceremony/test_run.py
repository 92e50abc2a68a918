"""`make ceremony` plays docs/ceremony.md word for word, and fails where it should."""

import io
import json
import os
import re
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from lab.ceremony import page
from lab.ceremony.__main__ import acts
from lab.ceremony.acts import VERDICTS, Ceremony
from lab.ceremony.parties import ROLES, assumed
from lab.demo.evidence import NotShown
from lab.demo.story import Story
from lab.keys.canaries import Canaries
from lab.local import places
from lab.local.clients import client
from lab.pages.command import Command
from tests.lab.ceremony.test_page import NOT_RUN, headings_with_commands

PATIENCE_SECONDS = 60
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def test_the_ceremony_is_played_as_the_page_says(aws, tmp_path):
    """One test: it is played once, takes a while, and makes roles, secrets and stacks with the page's names."""
    told = io.StringIO()
    ceremony = Ceremony(Story(told), aws, tmp_path)

    acts(ceremony)

    every_command_of_the_page_is_run(ceremony)
    each_act_is_told_with_its_time(ceremony, told)
    no_plaintext_is_told(ceremony, told)
    each_custodian_made_a_component_on_a_machine_without_credentials(ceremony)
    iam_enforces_the_policies_of_the_folder(ceremony, aws)
    the_receipts_name_the_custodian_and_the_version(ceremony)
    the_command_with_which_put_ended_runs_as_it_stands(ceremony)
    a_receipt_with_another_check_value_than_the_paper_ends_the_ceremony(ceremony)
    who_may_do_everything_by_iam_does_not_open_the_secret(ceremony, aws)
    what_should_be_refused_and_is_not_ends_the_ceremony(ceremony)
    what_should_be_let_through_and_is_refused_ends_the_ceremony(ceremony)
    another_output_than_the_page_s_ends_the_ceremony(ceremony)
    the_offline_custodian_has_no_credentials(ceremony)


def every_command_of_the_page_is_run(ceremony):
    on_the_page = {command.text for heading in headings_with_commands() - NOT_RUN for command in page.commands(heading)}

    assert ceremony.commands() == on_the_page


def each_act_is_told_with_its_time(ceremony, told):
    titles = re.findall(r"^\d+\. (.+)$", told.getvalue(), re.MULTILINE)

    assert len(titles) == 15
    assert len(re.findall(r"^   \[\d+\.\d s\]$", told.getvalue(), re.MULTILINE)) == 15


def no_plaintext_is_told(ceremony, told):
    assert set(ceremony.plaintexts) == {"the HMAC key", "Anna's component", "Boris's component", "the master key"}
    assert Canaries(**ceremony.plaintexts).found_in(told.getvalue()) == {}


def each_custodian_made_a_component_on_a_machine_without_credentials(ceremony):
    machines = [ceremony.people[name] for name in ("Anna", "Boris")]

    assert [len(ceremony.plaintexts[f"{one.name}'s component"]) for one in machines] == [32, 32]
    assert [list(one.folder.iterdir()) for one in machines] == [[], []]
    assert not [name for one in machines for name in one.environment if name.startswith("AWS_A")]


def iam_enforces_the_policies_of_the_folder(ceremony, aws):
    for role, file in ROLES.items():
        held = aws.client("iam").get_role_policy(RoleName=role, PolicyName="ceremony")["PolicyDocument"]
        assert held == page.policy(file), role


def the_receipts_name_the_custodian_and_the_version(ceremony):
    for name, shown_by in (("hmac", "MAC"), ("master", "KEY_MATERIAL_ID"), ("signing", "PUBLIC_KEY")):
        receipt = json.loads((ceremony.people["custodian"].folder / f"{name}-receipt.json").read_text())
        assert (receipt["verdict"], receipt["proved"]) == (VERDICTS[name], VERDICTS[name] == "PROVED")
        assert receipt["shown_by"] == shown_by
        assert receipt["by"]["arn"] == "arn:aws:sts::111122223333:assumed-role/orders-custodian/custodian"
        assert receipt["secret"]["version_id"] == ceremony.paper[f"{name.upper()}_VERSION"]


def the_command_with_which_put_ended_runs_as_it_stands(ceremony):
    custodian = ceremony.people["custodian"]
    line = json.loads((custodian.folder / "signing-put.json").read_text())["next"]

    printed = custodian.runs(
        Command(line, ("Verdict: PROVED (by PUBLIC_KEY)",)), {"KEY": ceremony.paper["SIGNING_KEY"]}
    )

    assert f"version {ceremony.paper['SIGNING_VERSION']}, AWSCURRENT\n" in printed


def a_receipt_with_another_check_value_than_the_paper_ends_the_ceremony(ceremony):
    receipt = json.loads((ceremony.people["custodian"].folder / "signing-receipt.json").read_text())
    receipt["check_value"]["expected"] = "SHA256:00"

    with pytest.raises(
        NotShown, match=r"^the receipt of orders-signing has the check value SHA256:00, and the paper SHA256:"
    ):
        ceremony._compares_with_paper(receipt, "signing")


def who_may_do_everything_by_iam_does_not_open_the_secret(ceremony, aws):
    """The transport key's policy gives IAM policies no effect."""
    trust = {"Effect": "Allow", "Principal": {"AWS": aws.settings.account}, "Action": "sts:AssumeRole"}
    iam = aws.client("iam")
    iam.create_role(
        RoleName="orders-everything",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.put_role_policy(RoleName="orders-everything", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    theirs = assumed(aws, "orders-everything", "administrator")

    stored = client(theirs, "secretsmanager").get_secret_value(SecretId="orders/hmac-key")["SecretBinary"]
    with pytest.raises(ClientError, match="is not authorized to perform: kms:Decrypt"):
        client(theirs, "kms").decrypt(
            KeyId=ceremony.paper["TRANSPORT_KEY"], CiphertextBlob=stored, EncryptionAlgorithm="RSAES_OAEP_SHA_256"
        )


def what_should_be_refused_and_is_not_ends_the_ceremony(ceremony):
    with pytest.raises(NotShown, match=r"^auditor: aws kms describe-key .*\nwas not refused:\nEnabled\tEXTERNAL"):
        ceremony.people["auditor"].is_refused("### 9. The auditor looks", **ceremony.paper)


def what_should_be_let_through_and_is_refused_ends_the_ceremony(ceremony):
    auditor = ceremony.people["auditor"]
    auditor.has("transport-key.json", "{}")

    with pytest.raises(
        NotShown, match=r"^auditor: aws kms create-key [\s\S]*\nended with exit code 254:\nAn error occurred"
    ):
        auditor.follows("### 1. The key owner makes the transport key", **ceremony.paper)


def another_output_than_the_page_s_ends_the_ceremony(ceremony):
    [command, *_] = page.commands("### 9. The auditor looks")
    promised = Command(command.text, ("Disabled\tEXTERNAL\t…",))

    with pytest.raises(
        NotShown, match=r"did not print what the page says: Disabled\tEXTERNAL\t…\nbut:\nEnabled\tEXTERNAL"
    ):
        ceremony.people["auditor"].runs(promised, ceremony.paper)


def the_offline_custodian_has_no_credentials(ceremony):
    environment = ceremony.people["offline"].environment

    assert {name for name in environment if name.startswith("AWS_")} == {"AWS_EC2_METADATA_DISABLED"}


def test_a_ceremony_that_fails_says_why_and_ends_with_1(tmp_path):
    environment = {
        **os.environ,
        "LOCAL_AWS_MINISTACK_VENV": str(tmp_path / "none"),
        "PYTHONPATH": str(places.REPOSITORY / "handler"),
        "TMPDIR": str(tmp_path),
    }

    failed = subprocess.run(
        [sys.executable, "-m", "lab.ceremony"],
        cwd=places.REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert failed.returncode == 1
    assert "ceremony: ok" not in failed.stdout
    assert failed.stderr.startswith(f"\nceremony: FAILED. The local AWS did not start. {tmp_path}/none/")
    assert failed.stderr.endswith(" is missing: make .venv-local\n")
    assert list(tmp_path.iterdir()) == []
