"""The entry point of the watch, as Lambda imports it: its settings come only from the environment."""

import json
import os
import subprocess
import sys

import pytest

NOBODY = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_EC2_METADATA_DISABLED": "true"}
SETTINGS = {
    "ALARM_TOPIC_ARN": "arn:aws:sns:eu-central-1:111122223333:alarms",
    "EXPIRY_WARNING_DAYS": "45",
    "SERVICE_TOKEN_EXPORT": "keys-ServiceToken",
}
PROGRAM = """
import json, logging, sys
from imported_key_material.watch_app import handler
from lab.cloudformation.events import Remaining

if sys.argv[1]:
    handler(json.loads(sys.argv[1]), Remaining(300))
else:
    clients = handler.clients
    print(json.dumps([
        [one.meta.endpoint_url for one in (clients.kms, clients.cloudformation, clients.sns)],
        clients.kms.meta.config.retries,
        [handler.settings.topic_arn, handler.settings.warning_days, handler.settings.export],
        logging.getLogger("botocore").level,
    ]))
"""


def run(event=None, *, without="", **environment):
    settings = {name: value for name, value in SETTINGS.items() if name != without}
    home = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "AWS_DEFAULT_REGION": "eu-central-1"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(event) if event else ""],
        env=NOBODY | settings | home | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "kms", "cloudformation"),
    [
        ({}, "https://kms.eu-central-1.amazonaws.com", "https://cloudformation.eu-central-1.amazonaws.com"),
        (
            {"FIPS_SERVICES": "kms,cloudformation", "AWS_DEFAULT_REGION": "us-east-1"},
            "https://kms-fips.us-east-1.amazonaws.com",
            "https://cloudformation-fips.us-east-1.amazonaws.com",
        ),
    ],
)
def test_its_clients_and_settings_are_those_that_its_environment_names(environment, kms, cloudformation):
    done = run(**environment)

    assert done.stderr == ""
    (endpoints, retries, settings, level) = json.loads(done.stdout)
    assert endpoints[:2] == [kms, cloudformation]
    assert endpoints[2].startswith("https://sns.")
    assert retries == {"mode": "standard", "total_max_attempts": 3}
    assert settings == ["arn:aws:sns:eu-central-1:111122223333:alarms", 45, "keys-ServiceToken"]
    assert level == 30


def test_an_event_that_is_nothing_for_it_is_a_line_of_json():
    done = run({"source": "aws.kms", "detail-type": "KMS CMK Rotation", "detail": {"key-id": "x"}})

    assert done.returncode == 0, done.stderr
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (line["level"], line["service"]) == ("INFO", "imported_key_material")
    assert line["message"] == "Looked at nothing. The event of KMS names no key of this account and Region."


@pytest.mark.parametrize("missing", SETTINGS)
def test_without_a_setting_it_does_not_start(missing):
    """Lambda then counts an error for each run, and the alarm on errors sees it."""
    done = run(without=missing)

    assert done.returncode == 1
    assert f"KeyError: '{missing}'" in done.stderr
