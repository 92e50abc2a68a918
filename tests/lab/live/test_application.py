"""The acts with the deployed application, on the local AWS: "as assumed", and "otherwise" for each planted deviation.

The application that all tests of a run share is the run's own here. A deviation gets a deployment for itself: its role or its
configuration is changed, or what its stacks see.
"""

import json
import secrets
from datetime import timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from lab.application import ACCOUNT, REGION, Application
from lab.live import application, one_stack, side_by_side
from lab.live import stage as live_stage
from lab.live.account import LocalAccount
from lab.live.acts.application import first_stacks, lives, owners
from lab.live.made import Made, clean
from lab.live.one_stack import OneStack
from lab.live.run_list import RunList
from lab.live.stage import Shared, Stage
from lab.live.verdicts import Verdict
from lab.local import deploy
from lab.role_calls import Call
from tests.support.identity_policy import allows

SECONDS = 300


class Given(Shared):
    """An application that is there already."""

    def __init__(self, made, app):
        super().__init__(made)
        self.app = app

    @property
    def application(self):
        return self.app


@pytest.fixture
def stage(aws, tmp_path):
    """With the application that all tests share. What the test made is deleted at its end."""
    account = LocalAccount(aws.settings)
    run = secrets.token_hex(4)
    made = Made(account, run, RunList(tmp_path / run))
    yield Stage(
        made, Given(made, application.look(made, deploy.APPLICATION_STACK)), account.now() + timedelta(seconds=SECONDS)
    )
    list(clean(account, made.list.things()))


@pytest.fixture
def alone(stage):
    """With an application of its own, whose role may be changed."""
    made = stage.made
    stack = OneStack(stage, application.copy(made, stage.application, "own"))
    assert stack.wait(SECONDS).status == "CREATE_COMPLETE"
    return Stage(made, Given(made, application.look(made, stack.name)), stage.until)


def found(findings):
    return {one.assumption: one for one in findings}


def verdicts(findings):
    return {name: one.verdict for name, one in found(findings).items()}


def act(module, name):
    [one] = [one for one in module.ACTS if one.name == name]
    return one


# ---------------------------------------------------------------------------------------------------------- as assumed


@pytest.mark.parametrize(
    ("module", "name"), [(first_stacks, "first-key"), (owners, "secrets"), (lives, "more-deployments")]
)
def test_on_the_local_aws_everything_is_as_assumed(stage, module, name):
    played = act(module, name)

    findings = found(played.play(stage))

    not_local = {"architecture-switched"}
    assert set(findings) == set(played.settles)
    assert {name: one.seen for name, one in findings.items() if one.verdict is not Verdict.AS_ASSUMED} == {
        name: findings[name].seen for name in not_local & set(findings)
    }
    assert all(findings[name].verdict is Verdict.NOT_SEEN for name in not_local & set(findings))


# ----------------------------------------------------------------------------------------------------------- otherwise


def without(stage, policy, *sids):
    """Takes statements out of the role: what they allow is refused from now on."""
    iam, role = stage.client("iam"), stage.application.role_arn.rpartition("/")[2]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    kept = [one for one in document["Statement"] if one["Sid"] not in sids]
    assert len(kept) < len(document["Statement"])
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps({**document, "Statement": kept}))


def test_a_secret_s_tag_that_never_counts(alone):
    without(alone, "secrets", "ReadTaggedSecrets")

    [finding] = owners.just_tagged(alone)

    assert finding.verdict is Verdict.OTHERWISE
    assert owners.THREE_CAUSES in finding.seen


def test_a_key_s_tag_that_never_counts(stage, monkeypatch):
    """It is not even shown, so that the function waits for 20 seconds: for a tag that is shown it waits for six minutes."""
    key = Made.key
    monkeypatch.setattr(Made, "key", lambda made, suffix, **more: key(made, suffix, **{**more, "tag": ""}))

    assert verdicts(first_stacks.rollback(stage)) == {"key-just-tagged": Verdict.OTHERWISE}


def test_an_iam_that_lets_everybody_read_secrets(alone):
    role_policy(alone, "everything", {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"})

    findings = side_by_side.play(alone, (owners.missing, owners.untagged))

    assert verdicts(findings) == {"secret-missing": Verdict.OTHERWISE, "secret-untagged": Verdict.OTHERWISE}


def role_policy(stage, name, statement):
    """Gives the role one more policy."""
    stage.client("iam").put_role_policy(
        RoleName=stage.application.role_arn.rpartition("/")[2],
        PolicyName=name,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def test_a_rollback_that_does_not_end_well(alone, monkeypatch):
    """The function can't be loaded any more: neither the update succeeds nor its rollback."""
    update = OneStack.update

    def update_without_function(stack, resources, seconds):
        function = alone.application.function
        alone.client("lambda").update_function_configuration(FunctionName=function, Handler=lives.NOT_LOADED)
        return update(stack, resources, seconds)

    monkeypatch.setattr(OneStack, "update", update_without_function)

    assert verdicts(first_stacks.rollback(alone))["rollback-completes"] is Verdict.OTHERWISE


def shows(monkeypatch, service, method, change):
    """A local AWS whose answers to one call are others: `change` gets the answer and the request."""
    client = LocalAccount.client

    def planted(account, name, region=None):
        made = client(account, name, region)
        if name == service:
            original = getattr(made, method)
            setattr(made, method, lambda **request: change(original(**request), request))
        return made

    monkeypatch.setattr(LocalAccount, "client", planted)


def never_carried_out(monkeypatch, service, method):
    """A local AWS that takes this request, and does nothing."""
    client = LocalAccount.client

    def planted(account, name, region=None):
        made = client(account, name, region)
        if name == service:
            setattr(made, method, lambda **_request: {})
        return made

    monkeypatch.setattr(LocalAccount, "client", planted)


def test_a_filled_key_that_does_not_encrypt(stage, monkeypatch):
    def refuse(answer, request):
        if "EncryptionContext" in request:  # the custodian's own
            return answer
        raise ClientError({"Error": {"Code": "KMSInvalidStateException", "Message": ""}}, "Encrypt")

    shows(monkeypatch, "kms", "encrypt", refuse)

    assert verdicts(first_stacks.first_key(stage)) == {"first-key": Verdict.OTHERWISE}


def test_a_kms_that_keeps_the_old_expiry_and_the_material(stage, monkeypatch):
    def unchanged(answer, _request):
        answer["KeyMetadata"].pop("ValidTo", None)
        answer["KeyMetadata"]["KeyState"] = "Enabled"
        return answer

    shows(monkeypatch, "kms", "describe_key", unchanged)

    assert verdicts(first_stacks.first_key(stage)) == {
        "first-key": Verdict.AS_ASSUMED,
        "first-key-expiry": Verdict.OTHERWISE,
        "first-key-deleted": Verdict.OTHERWISE,
        "first-key-wanted": Verdict.AS_ASSUMED,
    }


def test_a_function_that_says_that_nobody_waits(stage, monkeypatch):
    """CloudFormation shows the reason of an answer in an event. Here it shows that one beside each operation."""
    events = OneStack._events  # what CloudFormation shows

    def with_a_no(stack):
        shown = events(stack)
        told = f"Message returned: {one_stack.NOT_WANTED} Update request: Material is UPDATE_COMPLETE."
        return [*shown, {**shown[-1], "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": told}]

    monkeypatch.setattr(OneStack, "_events", with_a_no)

    told = verdicts(side_by_side.play(stage, (first_stacks.first_key, first_stacks.rollback)))

    assert {name for name, verdict in told.items() if verdict is Verdict.OTHERWISE} == {
        "first-key-wanted",
        "rollback-wanted",
    }


def test_an_on_failure_destination_that_is_not_reached_and_a_function_that_stays(stage, monkeypatch):
    """Nobody answers what Lambda gives up; the product's own error about ServiceTimeout says nothing about memory."""
    monkeypatch.setattr(live_stage, "SERVICE_TIMEOUT", "5")
    monkeypatch.setattr(lives, "SHORT_TIMEOUT_SECONDS", 5)
    deployed = lives._deployed  # the seam of the act

    def without_destination(its_stage, suffix):
        app = deployed(its_stage, suffix)
        its_stage.client("lambda").put_function_event_invoke_config(FunctionName=app.function, MaximumRetryAttempts=1)
        return app

    monkeypatch.setattr(lives, "_deployed", without_destination)
    never_carried_out(monkeypatch, "lambda", "delete_function")

    assert set(verdicts(lives.given_up(stage)).items()) == {
        ("given-up-concurrency", Verdict.OTHERWISE),
        ("given-up-not-loaded", Verdict.OTHERWISE),
        ("given-up-memory", Verdict.OTHERWISE),
        ("function-gone", Verdict.OTHERWISE),
    }


def test_an_upgrade_that_breaks_the_function_and_a_name_that_is_not_given_again(stage, monkeypatch):
    change, copy = lives._change, application.copy  # the seam of the act
    names = iter(["app3", "another"])

    def broken(its_stage, app, **parameters):
        change(its_stage, app, **parameters)
        its_stage.client("lambda").update_function_configuration(FunctionName=app.function, Handler=lives.NOT_LOADED)

    monkeypatch.setattr(lives, "_change", broken)
    monkeypatch.setattr(application, "copy", lambda made, original, _suffix: copy(made, original, next(names)))

    assert verdicts(lives.replaced(stage)) == {"upgraded": Verdict.OTHERWISE, "deployed-again": Verdict.OTHERWISE}


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
