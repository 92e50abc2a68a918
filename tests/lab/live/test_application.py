"""The acts with the deployed application, on the local AWS: "as assumed", and "otherwise" for each planted deviation.

Nearly all of their time is waiting, so all are played at once, as soon as the first test needs one of them.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from lab.application import ACCOUNT, REGION, Application
from lab.live.acts.application import first_stacks, lives, owners
from lab.live.verdicts import Verdict
from lab.role_calls import Call
from tests.support.identity_policy import allows
from tests.support.other_application import DEVIATIONS, Stages

pytestmark = pytest.mark.xdist_group("live-application")

ACTS = [act for act in (*first_stacks.ACTS, *owners.ACTS, *lives.ACTS) if not act.not_local]
NOT_LOCAL = {"architecture-switched"}


def timed(play):
    started = time.monotonic()
    findings = {one.assumption: one for one in play()}
    return findings, time.monotonic() - started


@pytest.fixture(scope="module")
def played(aws, tmp_path_factory):
    """The findings of each act and of each deviation, by name."""
    stages = Stages(aws.settings, tmp_path_factory.mktemp("live"))
    plays = {act.name: lambda act=act: act.play(stages.stage()) for act in ACTS}
    plays |= {one.name: lambda one=one: one.play(stages) for one in DEVIATIONS}
    with ThreadPoolExecutor(len(plays)) as threads:
        begun = {name: threads.submit(timed, play) for name, play in plays.items()}
    stages.forget()
    return {name: one.result()[0] for name, one in begun.items()}


def found(findings):
    return {one.assumption: one for one in findings}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
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
