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
from lab.role_calls import OTHER_ACCOUNT, Call, Place, needed, refused
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


@pytest.mark.parametrize("role", ["Role", "OnFailureRole"])
def test_only_lambda_assumes_a_role(role):
    trust = Application().properties(role)["AssumeRolePolicyDocument"]["Statement"]

    assert trust == [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]


@pytest.mark.parametrize("role", ["Role", "OnFailureRole"])
def test_a_role_has_no_managed_policy(role):
    assert "ManagedPolicyArns" not in Application().properties(role)


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


# ------------------------------------------------------------------------------------ both, against what the code calls

READS = {f"cloudformation:{name}": xform_name(name) for name in service_model("cloudformation").operation_names}


def reads_of(entry):
    """The CloudFormation actions that an entry point's modules call."""
    program = (
        f"import sys, imported_key_material.{entry}\n"
        "for name, module in sys.modules.items():\n"
        "    if name.startswith('imported_key_material.'): print(module.__file__)"
    )
    home = {"PYTHONPATH": HANDLER, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
    loaded = subprocess.run([sys.executable, "-c", program], env=home, capture_output=True, text=True, check=True)
    called = {
        node.func.attr
        for path in loaded.stdout.split()
        for node in ast.walk(ast.parse(Path(path).read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    return {action for action, method in READS.items() if method in called}


@pytest.mark.parametrize(("role", "entry"), [("Role", "app"), ("OnFailureRole", "on_failure_app")])
def test_a_role_allows_the_reads_of_stacks_that_its_function_makes_and_no_others(role, entry):
    allowed = {action for action in allowed_actions(Application().role_statements(role)) if action.startswith("cloudf")}

    assert allowed == reads_of(entry)
    assert "cloudformation:DescribeStackEvents" in allowed


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
