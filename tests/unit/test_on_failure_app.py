"""The entry point of the on-failure function, as Lambda imports it: its settings come only from the environment."""

import json
import logging
import os
import subprocess
import sys

import pytest

from lab.cloudformation.events import HOME, SIGNATURE, event

NOBODY = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_EC2_METADATA_DISABLED": "true"}
PROGRAM = """
import json, logging, sys
from imported_key_material.on_failure_app import handler
from lab.cloudformation.events import Remaining

if sys.argv[1]:
    handler(json.loads(sys.argv[1]), Remaining(300))
else:
    config = handler.cloudformation.meta.config
    print(json.dumps([
        handler.cloudformation.meta.endpoint_url, config.connect_timeout, config.read_timeout, config.retries,
        handler.response_host, handler.dns_suffix, logging.getLogger("urllib3").level,
    ]))
"""


def lines(record=None, **environment):
    """The log of a function that has just started, for one record; without a record, a description of its parts."""
    home = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "AWS_DEFAULT_REGION": HOME.region}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(record) if record else ""],
        env=NOBODY | home | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_has_the_version_that_its_environment_names():
    (line,) = lines({"requestContext": {}, "requestPayload": {}}, APPLICATION_VERSION="1.2.3")

    assert line["version"] == "1.2.3"


def test_a_record_of_what_is_no_request_is_logged_as_json_and_nobody_is_answered():
    forged = event("Create", ResponseURL="https://127.0.0.1:1/x?X-Amz-Signature=" + SIGNATURE)

    (line,) = lines({"requestContext": {}, "requestPayload": forged})

    assert line["level"] == "WARNING"
    assert line["service"] == "imported_key_material"
    assert line["message"] == (
        "Nothing was done, and nobody was answered. The event's ResponseURL does not lead to CloudFormation in this Region. If "
        "this is a local AWS, deploy the application with its host as the parameter ResponseHost."
    )
    assert SIGNATURE not in json.dumps(line)


@pytest.mark.parametrize(
    ("environment", "endpoint", "host"),
    [
        ({}, "https://cloudformation.eu-central-1.amazonaws.com", ""),
        (
            {"FIPS_SERVICES": "kms,cloudformation", "AWS_DEFAULT_REGION": "us-east-1"},
            "https://cloudformation-fips.us-east-1.amazonaws.com",
            "",
        ),
        ({"RESPONSE_HOST": "127.0.0.1:4566"}, "https://cloudformation.eu-central-1.amazonaws.com", "127.0.0.1:4566"),
    ],
)
def test_its_client_and_hosts_are_those_that_its_environment_names(environment, endpoint, host):
    (made,) = lines(**environment)

    assert made == [
        endpoint,
        4,
        10,
        {"mode": "standard", "total_max_attempts": 3},
        host,
        "amazonaws.com",
        logging.WARNING,
    ]
