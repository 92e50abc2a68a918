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
from lab.wire.aws_json import service_model
from tests.support.identity_policy import Call, allows

HANDLER = str(Path(cloudformation_reads.__file__).parents[2])
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:orders/master-key-AbCdEf"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/orders/5a1c"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:imported-key-material"
ON_FAILURE = f"{FUNCTION}-on-failure"
LOG_STREAM = "GetAtt(AWS::Logs::LogGroup:LogGroup.Arn)"
OTHER_ACCOUNT = "444455556666"

TAG = "aws:ResourceTag/imported-key-material"
CONTEXT_KEY = "kms:EncryptionContext:imported-key-material"
TAGGED = {TAG: "orders"}
TARGET = {**TAGGED, "kms:KeyOrigin": "EXTERNAL"}
SYMMETRIC = {
    **TAGGED,
    "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    CONTEXT_KEY: f"{ACCOUNT}/orders/master-key",
    "kms:EncryptionContextKeys": ("imported-key-material",),
}
PARAMETERS = {**TARGET, "kms:WrappingAlgorithm": "RSAES_OAEP_SHA_256", "kms:WrappingKeySpec": "RSA_4096"}
FOR_A_SECRET = {
    "kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com",
    "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    "kms:EncryptionContextKeys": ("SecretARN", "SecretVersionId"),
}

NEEDED = {
    "looks at any key": Call("kms:DescribeKey", KEY),
    "reads any key's tags": Call("kms:ListResourceTags", KEY),
    "gets parameters": Call("kms:GetParametersForImport", KEY, PARAMETERS),
    "imports": Call("kms:ImportKeyMaterial", KEY, TARGET),
    "removes": Call("kms:DeleteImportedKeyMaterial", KEY, TARGET),
    "rotates": Call("kms:RotateKeyOnDemand", KEY, TARGET),
    "lists a key's materials": Call("kms:ListKeyRotations", KEY, TARGET),
    "sees a rotation under way": Call("kms:GetKeyRotationStatus", KEY, TARGET),
    "confirms by public key": Call("kms:GetPublicKey", KEY, TARGET),
    "confirms by MAC": Call("kms:VerifyMac", KEY, TARGET),
    "unwraps a KMS ciphertext": Call("kms:Decrypt", KEY, SYMMETRIC),
    "unwraps an RSA ciphertext": Call("kms:Decrypt", KEY, {**TAGGED, "kms:EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}),
    "looks at a secret": Call("secretsmanager:DescribeSecret", SECRET, {**TAGGED, "aws:ResourceAccount": ACCOUNT}),
    "reads a secret": Call("secretsmanager:GetSecretValue", SECRET, {**TAGGED, "aws:ResourceAccount": ACCOUNT}),
    "reads a secret under a customer key": Call("kms:Decrypt", KEY, FOR_A_SECRET),
    "looks at another account's secret": Call(
        "secretsmanager:DescribeSecret", SECRET.replace(ACCOUNT, OTHER_ACCOUNT), {"aws:ResourceAccount": OTHER_ACCOUNT}
    ),
    "reads another account's secret": Call(
        "secretsmanager:GetSecretValue", SECRET.replace(ACCOUNT, OTHER_ACCOUNT), {"aws:ResourceAccount": OTHER_ACCOUNT}
    ),
    "reads another account's secret under its key": Call(
        "kms:Decrypt", KEY.replace(ACCOUNT, OTHER_ACCOUNT), FOR_A_SECRET
    ),
    "looks at a stack": Call("cloudformation:DescribeStacks", STACK),
    "looks at a stack's resource": Call("cloudformation:DescribeStackResource", STACK),
    "reads a stack's events": Call("cloudformation:DescribeStackEvents", STACK),
    "lists a stack's resources": Call("cloudformation:ListStackResources", STACK),
    "hands a request over to itself": Call("lambda:InvokeFunction", FUNCTION),
    "has Lambda hand over what failed": Call("lambda:InvokeFunction", ON_FAILURE),
    "begins a log stream": Call("logs:CreateLogStream", LOG_STREAM),
    "logs": Call("logs:PutLogEvents", LOG_STREAM),
}

REFUSED = {
    "parameters of a key without the tag": NEEDED["gets parameters"].without(TAG),
    "an import into a key without the tag": NEEDED["imports"].without(TAG),
    "a removal from a key without the tag": NEEDED["removes"].without(TAG),
    "a rotation of a key without the tag": NEEDED["rotates"].without(TAG),
    "an import into a key of KMS's own material": NEEDED["imports"].with_(**{"kms:KeyOrigin": "AWS_KMS"}),
    "a rotation of a key of KMS's own material": NEEDED["rotates"].with_(**{"kms:KeyOrigin": "AWS_KMS"}),
    "a removal where the origin is unknown": NEEDED["removes"].without("kms:KeyOrigin"),
    "PKCS #1 v1.5 wrapping": NEEDED["gets parameters"].with_(**{"kms:WrappingAlgorithm": "RSAES_PKCS1_V1_5"}),
    "an SM2 wrapping public key": NEEDED["gets parameters"].with_(**{"kms:WrappingKeySpec": "SM2"}),
    "an import in another account": Call("kms:ImportKeyMaterial", KEY.replace(ACCOUNT, OTHER_ACCOUNT), TARGET),
    "an import in another Region": Call("kms:ImportKeyMaterial", KEY.replace(REGION, "us-east-1"), TARGET),
    "unwrapping by a key without the tag": NEEDED["unwraps a KMS ciphertext"].without(TAG),
    "RSA unwrapping by a key without the tag": NEEDED["unwraps an RSA ciphertext"].without(TAG),
    "unwrapping without encryption context": NEEDED["unwraps a KMS ciphertext"]
    .without(CONTEXT_KEY)
    .without("kms:EncryptionContextKeys"),
    "a ciphertext made for something else": Call(
        "kms:Decrypt",
        KEY,
        {
            **TAGGED,
            "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "kms:EncryptionContext:app": "x",
            "kms:EncryptionContextKeys": ("app",),
        },
    ),
    "a ciphertext whose context has more keys": NEEDED["unwraps a KMS ciphertext"].with_(
        **{"kms:EncryptionContextKeys": ("app", "imported-key-material")}
    ),
    "a context key in another case": NEEDED["unwraps a KMS ciphertext"].with_(
        **{"kms:EncryptionContextKeys": ("Imported-Key-Material",)}
    ),
    "SM2 unwrapping": NEEDED["unwraps an RSA ciphertext"].with_(**{"kms:EncryptionAlgorithm": "SM2PKE"}),
    "a transport key of another account": Call("kms:Decrypt", KEY.replace(ACCOUNT, OTHER_ACCOUNT), SYMMETRIC),
    "a secret's key asked directly": Call("kms:Decrypt", KEY, {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
    "a key by way of another service": NEEDED["reads a secret under a customer key"].with_(
        **{"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    ),
    "a secret without the tag": NEEDED["reads a secret"].without(TAG),
    "a look at a secret without the tag": NEEDED["looks at a secret"].without(TAG),
    "a secret without the tag, where its account is unknown": Call("secretsmanager:GetSecretValue", SECRET),
    "a secret in another Region": Call(
        "secretsmanager:GetSecretValue", SECRET.replace(REGION, "us-east-1"), {**TAGGED, "aws:ResourceAccount": ACCOUNT}
    ),
    "another account's stacks": Call("cloudformation:DescribeStacks", STACK.replace(ACCOUNT, OTHER_ACCOUNT)),
    "a stack set": Call(
        "cloudformation:DescribeStacks", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stackset/orders:5a1c"
    ),
    "another function": Call("lambda:InvokeFunction", f"{FUNCTION}-on-fire"),
    "a version of itself": Call("lambda:InvokeFunction", f"{FUNCTION}:1"),
    "another log group": Call("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/other:*"),
}

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
FOR_THE_TOPIC = {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}
WATCH_NEEDED = {
    "lists keys": Call("kms:ListKeys", "*"),
    "lists aliases": Call("kms:ListAliases", "*"),
    "looks at any key": Call("kms:DescribeKey", KEY),
    "reads any key's tags": Call("kms:ListResourceTags", KEY),
    "lists any key's materials": Call("kms:ListKeyRotations", KEY),
    "lists the stacks that import the ServiceToken": Call("cloudformation:ListImports", "*"),
    "looks at a stack": Call("cloudformation:DescribeStacks", STACK),
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
    "another account's stacks": Call("cloudformation:DescribeStacks", STACK.replace(ACCOUNT, OTHER_ACCOUNT)),
    "another topic": Call("sns:Publish", f"{TOPIC}-2"),
    "the topic's policy": Call("sns:SetTopicAttributes", TOPIC),
    "another function's log": Call("logs:PutLogEvents", LOG_STREAM),
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
        "looks at a stack",
        "lists a stack's resources",
    ]


@pytest.mark.parametrize("action", sorted(NETWORK_ACTIONS))
def test_in_a_vpc_lambda_attaches_the_watch_and_it_can_not_itself(action):
    role = watch_role(VpcSubnetIds="subnet-0a1b2c3d", VpcSecurityGroupIds="sg-0a1b2c3d")
    by_lambda = Call(action, "*")

    assert allows(role, by_lambda)
    assert not allows(role, by_lambda.with_(**{"lambda:SourceFunctionArn": f"{FUNCTION}-watch"}))


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
