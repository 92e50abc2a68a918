"""The whole program in its short form, and the acts with the deployed application, on the local AWS: "as assumed", and
"otherwise" for each planted deviation.

Nearly all of their time is waiting, so all are played at once, as soon as the first test needs one of them.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from lab.application import ACCOUNT, REGION, Application
from lab.live import records
from lab.live.acts import ACTS as ACTS_OF_ALL
from lab.live.acts import application
from lab.live.acts.application import owners
from lab.live.verdicts import Verdict
from lab.local import places
from lab.role_calls import Call
from tests.support.identity_policy import allows
from tests.support.other_application import DEVIATIONS
from tests.support.other_application.stages import Stages

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("live-application")]

ACTS = [act for act in application.ACTS if not act.not_local]
NOT_LOCAL = {"architecture-switched"}
NOT_SHORT = [act for act in ACTS if not act.short]
PROGRAM_SECONDS = 300


@pytest.fixture(scope="module")
def played(aws, tmp_path_factory):
    """By name: the findings of each act that the short form leaves out, and of each deviation. The program: how it ended."""
    folder = tmp_path_factory.mktemp("live")
    stages = Stages(aws.settings, folder)
    plays = {act.name: lambda act=act: found(act.play(stages.stage())) for act in NOT_SHORT}
    plays |= {one.name: lambda one=one: found(one.play(stages)) for one in DEVIATIONS}
    plays[PROGRAM] = lambda: short_form(aws.folder, folder)
    with ThreadPoolExecutor(len(plays)) as threads:
        begun = {name: threads.submit(play) for name, play in plays.items()}
    stages.forget()
    return {name: one.result() for name, one in begun.items()}


def found(findings):
    return {one.assumption: one for one in findings}


# --------------------------------------------------------------------------------------------------------- the program

PROGRAM = "make live"


def short_form(aws_folder, folder):
    """Its exit code, what it printed, and its record."""
    command = [sys.executable, "-m", "lab.live", "--settings", aws_folder, "--yes", "--short", "--region2", "eu-west-1"]
    ended = subprocess.run(
        [*command, "--records", folder, "--lists", folder / "lists"],
        cwd=places.REPOSITORY,
        env={**os.environ, "PYTHONPATH": "handler"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    (record,) = folder.glob("live-record-*.json")
    return ended.returncode, ended.stdout + ended.stderr, records.read(record)


def test_the_short_form_of_the_program_ends_with_nothing_otherwise_and_nothing_left(played):
    code, said, record = played[PROGRAM]

    *_, before, last = said.splitlines()
    counts = Counter(one.verdict for one in record.findings)
    settled = [one for act in ACTS_OF_ALL if act.short for one in act.settles]
    assert (code, counts[Verdict.OTHERWISE]) == (0, 0), said
    assert (
        last == f"live: {counts[Verdict.AS_ASSUMED]} as assumed, 0 otherwise, {counts[Verdict.NOT_SEEN]} not seen here"
    )
    assert before.startswith("The record: ")
    assert "and cost nothing until then. Nothing else is left.\n" in said
    assert (record.label, sorted(one.assumption for one in record.findings)) == ("local", sorted(settled))


def test_what_the_local_aws_can_not_show_is_named_with_the_reason(played):
    _, said, record = played[PROGRAM]

    not_seen = {one.assumption: one.seen for one in record.findings if one.verdict is Verdict.NOT_SEEN}
    assert set(not_seen) == {
        *("list-while-created", "last-operations", "create-cancelled", "cancelled-delete"),
        *("secret-foreign-tags", "role-allows", "role-refuses"),
    }
    for assumption, why in not_seen.items():
        assert "The local AWS can't show it: " in why
        assert re.search(rf"not seen: {assumption}\n    expected: .+\n    seen: {re.escape(why)}\n", said)


# ------------------------------------------------------------------------------------- the acts, and the deviations


@pytest.mark.parametrize("act", NOT_SHORT, ids=lambda act: act.name)
def test_on_the_local_aws_everything_is_as_assumed(played, act):
    findings = played[act.name]

    seen = {name: one.seen for name, one in findings.items() if one.verdict is not Verdict.AS_ASSUMED}
    assert seen == {name: findings[name].seen for name in NOT_LOCAL & set(findings)}
    assert all(findings[name].verdict is Verdict.NOT_SEEN for name in NOT_LOCAL & set(findings))
    assert set(findings) == set(act.settles)


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda one: one.name)
def test_a_planted_deviation_is_told_as_otherwise(played, deviation):
    findings = played[deviation.name]

    otherwise = {name: one.seen for name, one in findings.items() if one.verdict is Verdict.OTHERWISE}
    assert set(otherwise) == deviation.assumptions, findings


def test_each_assumption_has_a_planted_deviation():
    planted = {one for deviation in DEVIATIONS for one in deviation.assumptions}

    assert planted == {one for act in ACTS for one in act.settles} - NOT_LOCAL


# ------------------------------------------------------------------------------------- the role, by IAM's own simulation


class Simulator:
    """iam:SimulatePrincipalPolicy for the role of the template. `missing`: an action that it does not have."""

    def __init__(self, missing="", added=()):
        self.statements = [
            {**one, "Action": [action for action in listed(one["Action"]) if action != missing]}
            for one in [*Application().role_statements(), *added]
        ]
        self.role_arns = set()

    def simulate_principal_policy(self, *, PolicySourceArn, ActionNames, ResourceArns, ContextEntries):  # noqa: N803  # AWS's names
        self.role_arns.add(PolicySourceArn)
        context = {
            one["ContextKeyName"]: tuple(one["ContextKeyValues"])
            if one["ContextKeyType"] == "stringList"
            else one["ContextKeyValues"][0]
            for one in ContextEntries
        }
        # The template's log group is a resource of its own; what it is called is only known where it is deployed.
        log_stream = "GetAtt(AWS::Logs::LogGroup:LogGroup.Arn)"
        resource = log_stream if ResourceArns[0].endswith(":log-stream:x") else ResourceArns[0]
        allowed = allows(self.statements, Call(ActionNames[0], resource, context))
        return {"EvaluationResults": [{"EvalDecision": "allowed" if allowed else "implicitDeny"}]}


def listed(value):
    return [value] if isinstance(value, str) else list(value)


def role_findings(simulator):
    account = SimpleNamespace(number=ACCOUNT, region=REGION, partition="aws")
    app = SimpleNamespace(function="imported-key-material", role_arn="arn:aws:iam::111122223333:role/the-role")
    findings = found(
        owners.role_actions(SimpleNamespace(account=account, application=app, client=lambda _service: simulator))
    )
    assert simulator.role_arns == {app.role_arn}
    return findings


def test_the_role_of_the_template_is_as_assumed():
    findings = role_findings(Simulator())

    assert {name: one.seen for name, one in findings.items() if one.verdict is not Verdict.AS_ASSUMED} == {}
    assert set(findings) == {"role-allows", "role-refuses"}


def test_a_role_without_an_action():
    findings = role_findings(Simulator(missing="kms:ImportKeyMaterial"))

    assert findings["role-allows"].verdict is Verdict.OTHERWISE
    assert findings["role-allows"].facts == {"not_allowed": ["imports"]}
    assert findings["role-refuses"].verdict is Verdict.AS_ASSUMED


def test_a_role_that_asks_for_no_tag():
    no_tag = {"Effect": "Allow", "Action": "kms:ImportKeyMaterial", "Resource": "arn:aws:kms:*:*:key/*"}

    findings = role_findings(Simulator(added=[no_tag]))

    assert findings["role-allows"].verdict is Verdict.AS_ASSUMED
    assert findings["role-refuses"].verdict is Verdict.OTHERWISE
    assert "an import into a key without the tag" in findings["role-refuses"].facts["allowed"]
