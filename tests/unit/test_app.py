"""The entry point, as Lambda imports it: its settings come only from the environment."""

import json
import os
import subprocess
import sys

import boto3

from imported_key_material.aws import calls, clients
from lab.cloudformation.events import REQUEST_ID, SIGNATURE, STACK_ID, event

BOTOCORE_WAITS_SECONDS = 1 + 2  # between three tries, at the most
NOBODY = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_EC2_METADATA_DISABLED": "true"}
PROGRAM = """
import json, sys
from imported_key_material.app import handler
from lab.cloudformation.events import Remaining

context = Remaining()
context.invoked_function_arn = sys.argv[1]
handler(json.loads(sys.argv[2]), context)
"""


def lines(event_, *, region="eu-central-1", partition="aws", **environment):
    """The log of a function that has just started, for one event, in a separate process."""
    home = {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }
    arn = f"arn:{partition}:lambda:{region}:111122223333:function:imported-key-material"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, arn, json.dumps(event_)],
        env=NOBODY | home | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_event_that_is_no_request_is_logged_as_json_and_nobody_is_answered():
    (line,) = lines(event("Create", ResponseURL="https://127.0.0.1:1/x?X-Amz-Signature=" + SIGNATURE))

    assert line["level"] == "WARNING"
    assert line["service"] == "imported_key_material"
    assert line["message"] == (
        "Nothing was done, and nobody was answered. The event's ResponseURL does not lead to CloudFormation in this Region. If "
        "this is a local AWS, deploy the application with its host as the parameter ResponseHost."
    )
    assert SIGNATURE not in json.dumps(line)


def test_every_line_has_the_version_that_its_environment_names():
    (line,) = lines({}, APPLICATION_VERSION="1.2.3")

    assert line["version"] == "1.2.3"


def test_the_function_answers_the_host_of_a_local_aws_that_its_environment_names(bucket):
    """A Delete of an id that acts on nothing: no call to AWS, and a real answer over TLS."""
    delete = event("Delete", PhysicalResourceId="not-imported:Material:r", ResponseURL=bucket.url(f"/x?{SIGNATURE}"))

    said = lines(delete, RESPONSE_HOST=bucket.netloc, AWS_CA_BUNDLE=os.environ["AWS_CA_BUNDLE"])

    (put,) = bucket.received
    answer = json.loads(put.body)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "not-imported:Material:r")
    assert [line["message"] for line in said] == [
        "nothing to remove: the resource owns no material",
        f"SUCCESS Delete of Material as not-imported:Material:r, request {REQUEST_ID}, stack {STACK_ID}.",
    ]
    assert said[0]["physical_id"] == "not-imported:Material:r"
    assert SIGNATURE not in json.dumps(said)


def test_in_china_the_answer_goes_to_china_s_bucket():
    china = "https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn/x"
    stack_id = "arn:aws-cn:cloudformation:cn-north-1:111122223333:stack/orders/0a1b"
    at_home = event("Create", StackId=stack_id, RequestId="/", ResponseURL=china)
    abroad = event("Create", StackId=stack_id, RequestId="/", ResponseURL=china.removesuffix(".cn/x") + "/x")

    said = [lines(one, region="cn-north-1", partition="aws-cn")[0]["message"] for one in (at_home, abroad)]

    assert said == [
        # the host is right, so the next check fails
        "Nothing was done, and nobody was answered. The event is not a CloudFormation request: RequestId is missing or "
        "malformed.",
        "Nothing was done, and nobody was answered. The event's ResponseURL does not lead to CloudFormation in this Region. If "
        "this is a local AWS, deploy the application with its host as the parameter ResponseHost.",
    ]


# ------------------------------------------------------------------------------------------------------------ clients


def made(*fips, region="eu-central-1"):
    session = boto3.session.Session(region_name=region, aws_access_key_id="none", aws_secret_access_key="none")
    return clients.make(session, fips)


def each(of):
    return {
        **{name: getattr(of, name) for name in ("kms", "kms_without_retries", "secrets", "cloudformation")},
        "functions": of.functions.client,
    }


def endpoints(of):
    return {name: client.meta.endpoint_url for name, client in each(of).items()}


def test_clients_call_the_region_s_own_endpoints():
    assert endpoints(made()) == {
        "kms": "https://kms.eu-central-1.amazonaws.com",
        "kms_without_retries": "https://kms.eu-central-1.amazonaws.com",
        "secrets": "https://secretsmanager.eu-central-1.amazonaws.com",
        "cloudformation": "https://cloudformation.eu-central-1.amazonaws.com",
        "functions": "https://lambda.eu-central-1.amazonaws.com",
    }


def test_only_the_named_services_have_fips_endpoints():
    assert endpoints(made("kms", "lambda", region="us-east-1")) == {
        "kms": "https://kms-fips.us-east-1.amazonaws.com",
        "kms_without_retries": "https://kms-fips.us-east-1.amazonaws.com",
        "secrets": "https://secretsmanager.us-east-1.amazonaws.com",
        "cloudformation": "https://cloudformation.us-east-1.amazonaws.com",
        "functions": "https://lambda-fips.us-east-1.amazonaws.com",
    }


def test_lambda_s_client_is_made_once_and_with_its_first_call():
    of = made()

    assert "client" not in vars(of.functions)
    assert of.functions.client is of.functions.client


def test_one_call_can_not_eat_the_time_that_is_kept_for_the_answer():
    configs = {name: client.meta.config for name, client in each(made()).items()}
    assert {name: config.retries["total_max_attempts"] for name, config in configs.items()} == {
        "kms": 3,
        "kms_without_retries": 1,
        "secrets": 3,
        "cloudformation": 3,
        "functions": 3,
    }
    assert {(config.connect_timeout, config.read_timeout, config.retries["mode"]) for config in configs.values()} == {
        (4, 10, "standard")
    }
    longest_seconds = max((config.connect_timeout + config.read_timeout) * 3 for config in configs.values())
    assert longest_seconds + BOTOCORE_WAITS_SECONDS < calls.RESERVE_SECONDS


COLLECTING = "import gc, imported_key_material.app; print(gc.isenabled(), gc.get_freeze_count() > 10_000)"


def test_garbage_is_collected_again_once_the_function_is_loaded():
    home = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "AWS_DEFAULT_REGION": "eu-central-1"}

    done = subprocess.run(
        [sys.executable, "-c", COLLECTING], env=home, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == "True True\n", done.stderr
