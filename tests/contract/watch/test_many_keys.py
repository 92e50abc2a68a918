"""The watch over 10,000 keys in virtual time, with KMS's quotas: its calls, its time, its memory."""

import json
import os
import subprocess
import sys

import pytest

from lab.watch.playing import EXPORT, TOPIC_ARN

pytestmark = pytest.mark.slow

KEYS = 10_000
CALLS_A_KEY, MINUTES, MEGABYTES = 3.2, 10, 200
IDLE = """
import os
from imported_key_material import watch_app
from lab.bench.process import peak_megabytes
print(peak_megabytes(os.getpid()))
"""
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "ALARM_TOPIC_ARN": TOPIC_ARN,
    "EXPIRY_WARNING_DAYS": "30",
    "SERVICE_TOKEN_EXPORT": EXPORT,
}


def printed(*arguments):
    environment = ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def idle_megabytes():
    return printed("-c", IDLE)


@pytest.mark.parametrize("others", [0.0, 0.8], ids=["nobody else calls", "others use 80% of the smallest quota"])
def test_ten_thousand_keys_take_few_calls_and_ten_minutes_and_a_small_function(idle_megabytes, others):
    run = printed("-m", "lab.watch.many", str(KEYS), str(others))

    assert run["calls"]["DescribeKey"] == KEYS
    assert (run["findings"], run["messages"]) == (10, 1)
    assert 3 < run["calls_a_key"] <= CALLS_A_KEY
    assert run["minutes"] <= MINUTES
    assert idle_megabytes + run["peak_megabytes"] <= MEGABYTES  # the second one has all the keys of the stand-in in it
