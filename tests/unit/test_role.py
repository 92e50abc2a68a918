"""What the function's role may do, and what it may not: "Consent" of docs/internals/design.md, its second lock."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from botocore import xform_name

from imported_key_material.aws import cloudformation_reads
from imported_key_material.aws.cloudformation_reads import CloudFormation
from lab.application import ACCOUNT, REGION, Application
from lab.role_calls import OTHER_ACCOUNT, TAGGED, Call, Place, needed, refused
from lab.wire.aws_json import service_model
from tests.support.identity_policy import allows

HANDLER = str(Path(cloudformation_reads.__file__).parents[2])
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/orders/5a1c"
ON_FAILURE = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:imported-key-material-on-failure"
PLACE = Place(ACCOUNT, REGION, "imported-key-material", log_stream="GetAtt(AWS::Logs::LogGroup:LogGroup.Arn)")
NEEDED, REFUSED = needed(PLACE), refused(PLACE)

NETWORK_ACTIONS = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}


@pytest.fixture(scope="module")
def role():
    return Application().role_statements()


def in_a_vpc(role="Role"):
    return Application(VpcSubnetIds="subnet-0a1b2c3d", VpcSecurityGroupIds="sg-0a1b2c3d").role_statements(role)


@pytest.mark.parametrize("call", NEEDED.values(), ids=NEEDED)
def test_the_role_lets_the_function_do_its_work(role, call):
    assert allows(role, call)


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_the_role_refuses(role, call):
    assert not allows(role, call)


def allowed_actions(statements):
    return {
        action
        for statement in statements
        if statement["Effect"] == "Allow"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def test_the_role_allows_no_other_action_than_those_needed(role):
    assert allowed_actions(role) == {call.action for call in NEEDED.values()}


def test_in_a_vpc_the_role_gains_the_network_interfaces_that_lambda_attaches(role):
    assert allowed_actions(in_a_vpc()) - allowed_actions(role) == NETWORK_ACTIONS


@pytest.mark.parametrize("action", sorted(NETWORK_ACTIONS))
def test_lambda_attaches_network_interfaces_and_the_function_itself_can_not(action):
    role = in_a_vpc()
    by_lambda = Call(action, "*")
    by_the_function = by_lambda.with_(
        **{"lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:imported-key-material"}
    )

    assert allows(role, by_lambda)
    assert not allows(role, by_the_function)


@pytest.mark.parametrize("role", ["Role", "OnFailureRole", "WatchRole"])
def test_only_lambda_assumes_a_role(role):
    trust = Application(AlarmTopicArn=TOPIC).properties(role)["AssumeRolePolicyDocument"]["Statement"]

    assert trust == [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]


@pytest.mark.parametrize("role", ["Role", "OnFailureRole", "WatchRole"])
def test_a_role_has_no_managed_policy(role):
    assert "ManagedPolicyArns" not in Application(AlarmTopicArn=TOPIC).properties(role)


# ------------------------------------------------------------------------------------------------ the second function's

ON_FAILURE_LOG_STREAM = "GetAtt(AWS::Logs::LogGroup:OnFailureLogGroup.Arn)"
ON_FAILURE_NEEDED = {
    "looks at a stack": Call("cloudformation:DescribeStacks", STACK),
    "looks at a stack's resource": Call("cloudformation:DescribeStackResource", STACK),
    "reads a stack's events": Call("cloudformation:DescribeStackEvents", STACK),
    "begins a log stream": Call("logs:CreateLogStream", ON_FAILURE_LOG_STREAM),
    "logs": Call("logs:PutLogEvents", ON_FAILURE_LOG_STREAM),
}


@pytest.mark.parametrize("call", ON_FAILURE_NEEDED.values(), ids=ON_FAILURE_NEEDED)
def test_the_role_of_the_on_failure_function_lets_it_do_its_work(call):
    assert allows(Application().role_statements("OnFailureRole"), call)


def test_the_on_failure_function_has_no_right_to_a_key_a_secret_or_a_function():
    role = Application().role_statements("OnFailureRole")

    assert allowed_actions(role) == {call.action for call in ON_FAILURE_NEEDED.values()}
    assert [name for name, call in NEEDED.items() if allows(role, call)] == [
        "looks at a stack",
        "looks at a stack's resource",
        "reads a stack's events",
    ]


# ---------------------------------------------------------------------------------------------------------- the watch's

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
WATCH_LOG_STREAM = "GetAtt(AWS::Logs::LogGroup:WatchLogGroup.Arn)"
KEY = PLACE.key
FOR_A_SECRET = {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}
FOR_THE_TOPIC = {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}
WATCH_NEEDED = {
    "lists keys": Call("kms:ListKeys", "*"),
    "lists aliases": Call("kms:ListAliases", "*"),
    "looks at any key": Call("kms:DescribeKey", KEY),
    "reads any key's tags": Call("kms:ListResourceTags", KEY),
    "lists any key's materials": Call("kms:ListKeyRotations", KEY),
    "lists the stacks that import the ServiceToken": Call("cloudformation:ListImports", "*"),
    "lists a stack's resources": Call("cloudformation:ListStackResources", STACK),
    "publishes": Call("sns:Publish", TOPIC),
    "publishes to an encrypted topic": Call("kms:GenerateDataKey", KEY, FOR_THE_TOPIC),
    "publishes to an encrypted topic, second": Call("kms:Decrypt", KEY, FOR_THE_TOPIC),
    "publishes to a topic under another account's key": Call(
        "kms:GenerateDataKey", KEY.replace(ACCOUNT, OTHER_ACCOUNT), FOR_THE_TOPIC
    ),
    "begins a log stream": Call("logs:CreateLogStream", WATCH_LOG_STREAM),
    "logs": Call("logs:PutLogEvents", WATCH_LOG_STREAM),
}
WATCH_REFUSED = {
    "a look at another account's key": Call("kms:DescribeKey", KEY.replace(ACCOUNT, OTHER_ACCOUNT)),
    "a look at a key of another Region": Call("kms:DescribeKey", KEY.replace(REGION, "us-east-1")),
    "decrypting": Call("kms:Decrypt", KEY, TAGGED),
    "decrypting by way of Secrets Manager": Call("kms:Decrypt", KEY, FOR_A_SECRET),
    "a data key": Call("kms:GenerateDataKey", KEY, TAGGED),
    "another account's stacks": Call("cloudformation:ListStackResources", STACK.replace(ACCOUNT, OTHER_ACCOUNT)),
    "another topic": Call("sns:Publish", f"{TOPIC}-2"),
    "the topic's policy": Call("sns:SetTopicAttributes", TOPIC),
    "another function's log": Call("logs:PutLogEvents", PLACE.log_stream),
}


def watch_role(**parameters):
    return Application(AlarmTopicArn=TOPIC, **parameters).role_statements("WatchRole")


@pytest.mark.parametrize("call", WATCH_NEEDED.values(), ids=WATCH_NEEDED)
def test_the_role_of_the_watch_lets_it_do_its_work(call):
    assert allows(watch_role(), call)


@pytest.mark.parametrize("call", WATCH_REFUSED.values(), ids=WATCH_REFUSED)
def test_the_role_of_the_watch_refuses(call):
    assert not allows(watch_role(), call)


def test_the_watch_reads_publishes_and_logs_and_has_no_right_besides():
    role = watch_role()

    assert allowed_actions(role) == {call.action for call in WATCH_NEEDED.values()}
    assert [name for name, call in NEEDED.items() if allows(role, call)] == [
        "looks at any key",
        "reads any key's tags",
        "lists a key's materials",
        "lists a stack's resources",
    ]


@pytest.mark.parametrize("action", sorted(NETWORK_ACTIONS))
def test_in_a_vpc_lambda_attaches_the_watch_and_it_can_not_itself(action):
    role = watch_role(VpcSubnetIds="subnet-0a1b2c3d", VpcSecurityGroupIds="sg-0a1b2c3d")
    by_lambda = Call(action, "*")

    assert allows(role, by_lambda)
    assert not allows(role, by_lambda.with_(**{"lambda:SourceFunctionArn": f"{PLACE.function}-watch"}))


# ------------------------------------------------------------------------------------- all, against what the code calls

READS = {f"cloudformation:{name}": xform_name(name) for name in service_model("cloudformation").operation_names}


def reads_of(entry):
    """The CloudFormation actions that an entry point's modules call."""
    program = (
        f"import sys, imported_key_material.{entry}\n"
        "for name, module in sys.modules.items():\n"
        "    if name.startswith('imported_key_material.'): print(module.__file__)"
    )
    watch = {
        "ALARM_TOPIC_ARN": TOPIC,
        "EXPIRY_WARNING_DAYS": "30",
        "SERVICE_TOKEN_EXPORT": "imported-key-material-ServiceToken",
    }
    home = {"PYTHONPATH": HANDLER, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", **watch}
    loaded = subprocess.run([sys.executable, "-c", program], env=home, capture_output=True, text=True, check=True)
    named = {
        node.attr
        for path in loaded.stdout.split()
        for node in ast.walk(ast.parse(Path(path).read_text()))
        if isinstance(node, ast.Attribute)
    }
    return {action for action, method in READS.items() if method in named}


ENTRIES = {"app": "Role", "on_failure_app": "OnFailureRole", "watch_app": "WatchRole"}


@pytest.mark.parametrize(("entry", "role"), ENTRIES.items(), ids=ENTRIES)
def test_a_role_allows_the_reads_of_stacks_that_its_function_makes_and_no_others(entry, role):
    actions = allowed_actions(Application(AlarmTopicArn=TOPIC).role_statements(role))

    assert {action for action in actions if action.startswith("cloudformation:")} == reads_of(entry) != set()


def test_the_calls_of_cloudformation_that_are_declared_are_those_that_the_first_function_makes():
    assert {action for action, method in READS.items() if hasattr(CloudFormation, method)} == reads_of("app")


def test_the_on_failure_function_sees_only_the_stacks_of_its_own_account_and_region():
    role = Application().role_statements("OnFailureRole")

    assert not allows(role, Call("cloudformation:DescribeStacks", STACK.replace(ACCOUNT, OTHER_ACCOUNT)))
    assert not allows(role, Call("cloudformation:DescribeStacks", STACK.replace(REGION, "us-east-1")))


@pytest.mark.parametrize("action", sorted(NETWORK_ACTIONS))
def test_in_a_vpc_lambda_attaches_the_on_failure_function_and_it_can_not_itself(action):
    role = in_a_vpc("OnFailureRole")
    by_lambda = Call(action, "*")

    assert allows(role, by_lambda)
    assert not allows(role, by_lambda.with_(**{"lambda:SourceFunctionArn": ON_FAILURE}))
