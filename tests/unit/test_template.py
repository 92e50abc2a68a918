"""The application as it is deployed: template.yaml after SAM's transform. For the role see test_role.py."""

import re
import tomllib

import pytest

from imported_key_material.aws import calls
from imported_key_material.cloudformation import on_failure, stack
from lab.application import ACCOUNT, REGION, TEMPLATE, Application, source

CONFIG, FUNCTION, LAYER, LOG_GROUP, ROLE = (
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Logs::LogGroup",
    "AWS::IAM::Role",
)
LOG_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WAITS_SECONDS = 3600  # CloudFormation, at the most
LAMBDA_LOOKS_AGAIN_SECONDS = 300  # its longest wait between two looks at a throttled event
FIRST_RETRY_SECONDS = 60  # Lambda's wait before the first retry
ON_FAILURE_SECONDS = 300  # the second function's Timeout
SIGNING = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/teams/boundary"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
VERSION = tomllib.loads((TEMPLATE.parent / "pyproject.toml").read_text())["project"]["version"]
READ_BY_BOTH = ("APPLICATION_VERSION", "FIPS_SERVICES", "POWERTOOLS_LOG_LEVEL")


def test_nothing_is_deployed_but_a_layer_and_two_functions_each_with_role_log_group_and_how_it_is_invoked():
    types = sorted(resource["Type"] for resource in Application().resources.values())

    assert types == [*[ROLE] * 2, *[CONFIG] * 2, *[FUNCTION] * 2, LAYER, *[LOG_GROUP] * 2]


# ------------------------------------------------------------------------------------------------------- the function


def test_the_service_token_is_the_unqualified_arn_of_a_function_whose_name_is_fixed():
    application = Application(FunctionName="keys")

    assert application.properties("Function")["FunctionName"] == "keys"
    assert application.outputs["ServiceToken"]["Value"] == f"GetAtt({FUNCTION}:Function.Arn)"


def test_other_stacks_import_the_service_token_and_the_role_by_the_application_s_name():
    outputs = Application().outputs

    assert outputs["ServiceToken"]["Export"]["Name"] == "imported-key-material-ServiceToken"
    assert outputs["RoleArn"]["Export"]["Name"] == "imported-key-material-RoleArn"
    assert outputs["RoleArn"]["Value"] == f"GetAtt({ROLE}:Role.Arn)"


def test_the_function_has_fifteen_minutes_and_is_not_traced():
    function = Application().properties("Function")

    assert function["Timeout"] == 900
    assert "TracingConfig" not in function


def test_concurrency_is_reserved_only_where_it_is_asked_for():
    assert "ReservedConcurrentExecutions" not in Application().properties("Function")
    assert Application(ReservedConcurrency="20").properties("Function")["ReservedConcurrentExecutions"] == "20"


def test_all_functions_take_only_signed_code_where_that_is_asked_for():
    signed = Application(CodeSigningConfigArn=SIGNING, AlarmTopicArn=TOPIC)

    assert [one["CodeSigningConfigArn"] for one in signed.of_type(FUNCTION)] == [SIGNING] * 3
    assert not any("CodeSigningConfigArn" in one for one in Application(AlarmTopicArn=TOPIC).of_type(FUNCTION))


def test_the_environment_holds_what_the_function_reads():
    function = Application(FipsServices="kms,lambda", ResponseHost="127.0.0.1:4566", LogLevel="ERROR").properties(
        "Function"
    )

    assert function["Environment"]["Variables"] == {
        "FIPS_SERVICES": "kms,lambda",
        "RESPONSE_HOST": "127.0.0.1:4566",
        "APPLICATION_VERSION": VERSION,
        "POWERTOOLS_LOG_LEVEL": "ERROR",
        "POWERTOOLS_METRICS_NAMESPACE": "ImportedKeyMaterial",
        "POWERTOOLS_SERVICE_NAME": "imported-key-material",
    }


def test_by_default_no_host_but_cloudformation_s_own_is_answered():
    assert Application().properties("Function")["Environment"]["Variables"]["RESPONSE_HOST"] == ""


def config_of(function):
    (found,) = [one for one in Application().of_type(CONFIG) if one["FunctionName"] == f"Ref({FUNCTION}:{function})"]
    return found


def test_what_lambda_gives_up_goes_to_the_on_failure_function_while_cloudformation_still_waits():
    config = config_of("Function")

    assert config == {
        "DestinationConfig": {"OnFailure": {"Destination": f"GetAtt({FUNCTION}:OnFailureFunction.Arn)"}},
        "FunctionName": f"Ref({FUNCTION}:Function)",
        "MaximumEventAgeInSeconds": 3000,
        "MaximumRetryAttempts": 1,
        "Qualifier": "$LATEST",
    }
    assert config["MaximumEventAgeInSeconds"] + LAMBDA_LOOKS_AGAIN_SECONDS + ON_FAILURE_SECONDS <= WAITS_SECONDS


def test_what_hangs_twice_fails_before_cloudformation_gives_it_up():
    tries = 1 + config_of("Function")["MaximumRetryAttempts"]
    seconds = tries * Application().properties("Function")["Timeout"] + FIRST_RETRY_SECONDS

    assert seconds < config_of("Function")["MaximumEventAgeInSeconds"]
    assert seconds + ON_FAILURE_SECONDS < WAITS_SECONDS


def test_the_on_failure_function_is_tried_three_times():
    assert config_of("OnFailureFunction") == {
        "DestinationConfig": {},
        "FunctionName": f"Ref({FUNCTION}:OnFailureFunction)",
        "MaximumEventAgeInSeconds": WAITS_SECONDS,
        "MaximumRetryAttempts": 2,
        "Qualifier": "$LATEST",
    }


def test_the_on_failure_function_is_the_first_one_s_neighbour_with_code_layer_and_environment_alike():
    application = Application(
        FunctionName="keys", VpcSubnetIds="subnet-0a", VpcSecurityGroupIds="sg-0c", FipsServices="kms"
    )
    first, second = application.properties("Function"), application.properties("OnFailureFunction")

    assert second["FunctionName"] == "keys-on-failure"
    assert second["Handler"] == "imported_key_material.on_failure_app.handler"
    assert second["Role"] == f"GetAtt({ROLE}:OnFailureRole.Arn)"
    assert application.properties("OnFailureLogGroup")["LogGroupName"] == "/aws/lambda/keys-on-failure"
    assert second["LoggingConfig"] == {"LogGroup": f"Ref({LOG_GROUP}:OnFailureLogGroup)"}
    alike = ("Architectures", "Code", "Layers", "Runtime", "VpcConfig")
    assert {name: second[name] for name in alike} == {name: first[name] for name in alike}
    read, given = second["Environment"]["Variables"], first["Environment"]["Variables"]
    assert read == {name: given[name] for name in (*READ_BY_BOTH, "RESPONSE_HOST")}


def test_the_on_failure_function_has_time_for_all_that_it_waits_for():
    longest_call_seconds = 3 * (calls.CONNECT_TIMEOUT_SECONDS + calls.READ_TIMEOUT_SECONDS)
    waits_seconds = stack.BELIEVED_AFTER_SECONDS + on_failure.ANSWER_ARRIVES_SECONDS

    assert Application().properties("OnFailureFunction")["Timeout"] == ON_FAILURE_SECONDS
    left_seconds = ON_FAILURE_SECONDS - waits_seconds
    assert left_seconds > longest_call_seconds + on_failure.DELIVERY_MAX_SECONDS


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_function_and_layer_are_of_one_architecture(architecture):
    application = Application(Architecture=architecture)
    layer = application.only(LAYER)
    (attached,) = application.properties("Function")["Layers"]
    logical_id = attached.removeprefix(f"Ref({LAYER}:").removesuffix(")")

    assert application.properties("Function")["Architectures"] == [architecture]
    assert application.resources[logical_id]["Properties"] == layer
    assert layer["CompatibleArchitectures"] == [architecture]
    assert layer["LayerName"] == f"imported-key-material-dependencies-{architecture}"


def test_each_layer_is_built_for_the_architecture_that_it_is_deployed_for():
    layers = {
        name: resource for name, resource in source()["Resources"].items() if resource["Type"].endswith("LayerVersion")
    }

    assert {
        name: (layer["Metadata"]["BuildArchitecture"], layer["Properties"]["CompatibleArchitectures"])
        for name, layer in layers.items()
    } == {"DependenciesX8664": ("x86_64", ["x86_64"]), "DependenciesArm64": ("arm64", ["arm64"])}


# ------------------------------------------------------------------------------------------- what a parameter switches


def test_without_parameters_there_is_no_vpc_no_boundary_and_no_key_for_the_log_group():
    application = Application()

    assert "VpcConfig" not in application.properties("Function")
    assert "PermissionsBoundary" not in application.properties("Role")
    assert "KmsKeyId" not in application.properties("LogGroup")


def test_the_function_runs_in_the_subnets_given_with_the_security_groups_given():
    application = Application(VpcSubnetIds="subnet-0a,subnet-0b", VpcSecurityGroupIds="sg-0c")

    assert application.properties("Function")["VpcConfig"] == {
        "SubnetIds": ["subnet-0a", "subnet-0b"],
        "SecurityGroupIds": ["sg-0c"],
    }


def test_the_role_stays_within_the_permissions_boundary_given():
    assert Application(PermissionsBoundaryArn=BOUNDARY).properties("Role")["PermissionsBoundary"] == BOUNDARY


def test_the_log_group_is_the_function_s_own_and_keeps_events_as_long_as_given_under_the_key_given():
    application = Application(FunctionName="keys", LogRetentionDays="30", LogGroupKmsKeyArn=LOG_KEY)

    assert application.properties("LogGroup") == {
        "LogGroupName": "/aws/lambda/keys",
        "RetentionInDays": "30",
        "KmsKeyId": LOG_KEY,
    }
    assert application.properties("Function")["LoggingConfig"] == {"LogGroup": f"Ref({LOG_GROUP}:LogGroup)"}


# ------------------------------------------------------------------------------------------------------- the parameters

OPTIONAL = {
    "AlarmTopicArn",
    "CodeSigningConfigArn",
    "FipsServices",
    "LogGroupKmsKeyArn",
    "PermissionsBoundaryArn",
    "ReservedConcurrency",
    "ResponseHost",
    "VpcSecurityGroupIds",
    "VpcSubnetIds",
}

ACCEPTED = [
    ("AlarmTopicArn", TOPIC),
    ("AlarmTopicArn", TOPIC.replace("arn:aws:", "arn:aws-us-gov:")),
    ("CodeSigningConfigArn", SIGNING),
    ("CodeSigningConfigArn", SIGNING.replace("arn:aws:", "arn:aws-us-gov:")),
    ("FunctionName", "keys_2-b"),
    ("LogGroupKmsKeyArn", LOG_KEY),
    ("LogGroupKmsKeyArn", LOG_KEY.replace("arn:aws:", "arn:aws-us-gov:").replace("key/", "key/mrk-")),
    ("PermissionsBoundaryArn", BOUNDARY),
    ("PermissionsBoundaryArn", "arn:aws:iam::aws:policy/PowerUserAccess"),
    ("VpcSubnetIds", "subnet-0a1b2c3d"),
    ("VpcSubnetIds", "subnet-0a1b2c3d,subnet-0a1b2c3d4e5f67890"),
    ("VpcSecurityGroupIds", "sg-0a1b2c3d,sg-0a1b2c3e"),
    ("FipsServices", "kms"),
    ("FipsServices", "kms,secretsmanager,cloudformation,lambda,sns"),
    ("ReservedConcurrency", "1"),
    ("ReservedConcurrency", "200"),
    ("ResponseHost", "127.0.0.1:4566"),
    ("ResponseHost", "s3.local.example"),
]

TURNED_DOWN = [
    ("AlarmTopicArn", "on-call"),
    ("AlarmTopicArn", TOPIC.replace(":sns:", ":sqs:")),
    ("AlarmTopicArn", f"{TOPIC}.fifo"),  # mail and SMS can't subscribe to it
    ("AlarmTopicArn", f"{TOPIC}:6f0c1d2e-1111-2222-3333-444455556666"),  # a subscription
    ("CodeSigningConfigArn", SIGNING[:-1]),
    ("CodeSigningConfigArn", SIGNING.rsplit(":", 1)[1]),
    ("FunctionName", ""),
    ("FunctionName", "n" * 54),  # with -on-failure it is a name of more than 64 characters
    ("FunctionName", "arn:aws:lambda:eu-central-1:111122223333:function:keys"),
    ("LogGroupKmsKeyArn", LOG_KEY.replace("key/", "alias/")),
    ("LogGroupKmsKeyArn", "1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("PermissionsBoundaryArn", BOUNDARY.replace(":policy/", ":role/")),
    ("VpcSubnetIds", "subnet-0a1b2c3d, subnet-0a1b2c3e"),
    ("VpcSubnetIds", "sg-0a1b2c3d"),
    ("VpcSecurityGroupIds", "sg-0a1b2c3d,"),
    ("FipsServices", "KMS"),
    ("FipsServices", "kms,s3"),
    ("ReservedConcurrency", "0"),  # it would never run
    ("ReservedConcurrency", "-1"),
    ("ResponseHost", "https://example.com"),
    ("ResponseHost", "example.com/path"),
    ("ResponseHost", "user@example.com"),
]


def parameters():
    return source()["Parameters"]


def test_the_application_deploys_without_a_parameter():
    assert all("Default" in parameter for parameter in parameters().values())
    assert {name for name, parameter in parameters().items() if parameter["Default"] == ""} == OPTIONAL


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_a_parameter_takes(name, value):
    assert re.fullmatch(parameters()[name]["AllowedPattern"], value)


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_an_optional_parameter_may_be_empty(name):
    assert re.fullmatch(parameters()[name]["AllowedPattern"], "")


@pytest.mark.parametrize(("name", "value"), TURNED_DOWN)
def test_a_parameter_turns_down(name, value):
    assert not re.fullmatch(parameters()[name]["AllowedPattern"], value)


def test_every_parameter_is_described_and_says_what_its_pattern_wants():
    for name, parameter in parameters().items():
        assert len(parameter["Description"]) > 60, name
        assert len(parameter["Description"]) <= 4000, f"{name}: CloudFormation refuses longer ones"
        if "AllowedPattern" in parameter and name != "FunctionName":
            assert parameter["ConstraintDescription"], name


def test_debug_is_no_log_level_since_libraries_log_what_they_receive_at_it():
    assert "DEBUG" not in parameters()["LogLevel"]["AllowedValues"]


# --------------------------------------------------------------------------------------------------------- deploying it


def test_sam_deploys_it_under_the_name_that_the_examples_import_from():
    config = tomllib.loads((TEMPLATE.parent / "samconfig.toml").read_text())["default"]

    assert config["global"]["parameters"]["stack_name"] == "imported-key-material"
    assert config["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


def test_the_template_has_no_yaml_alias_since_cloudformation_takes_none():
    assert not re.findall(r"(?m)(?:^|[\s\[:-])[&*][A-Za-z]\w*", TEMPLATE.read_text())
