"""No input makes the function hang, or use too much memory: every row of lab/hostile/, each in its own process.

The limits are wide here, since a machine that runs tests does much else; `make bench` checks the claimed limits: two
seconds of processor time, 150 MB above an idle process, 20,000 characters of log. The log's limit is the same in both.
"""

import json
import subprocess
import sys

import pytest

from lab.hostile.running import EXACT, LOG_MOST_CHARACTERS, ROWS, WIDE
from lab.local.places import REPOSITORY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limits, and its figures in /proc, are Linux's"),
]

WHERE = ("declaration", "event", "secret")


def told_by(*options):
    """What the program prints about each row."""
    run = subprocess.run(
        [sys.executable, "-m", "lab.hostile", "--json", *options],
        cwd=REPOSITORY,
        env={"PYTHONPATH": "handler:."},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return [json.loads(line) for line in run.stdout.splitlines()], run.stderr


@pytest.mark.parametrize("where", WHERE)
def test_every_input_is_refused_in_time_and_in_few_words(where):
    told, errors = told_by(f"{where}: ")

    assert [each["name"] for each in told] == [row.name for row in ROWS if row.name.startswith(f"{where}: ")], errors
    assert [each["problem"] for each in told if each["problem"]] == []


def test_each_input_is_in_one_of_these_places():
    assert {row.name.partition(": ")[0] for row in ROWS} == set(WHERE)


def test_names_are_unique_and_there_are_enough_of_them():
    assert len({row.name for row in ROWS}) == len(ROWS) >= 60


def test_what_is_claimed_is_what_the_threat_model_says():
    page = " ".join((REPOSITORY / "docs" / "threat-model.md").read_text().split())

    assert f"{EXACT.seconds:.0f} seconds of processor time" in page
    assert f"{EXACT.megabytes:.0f} MB of memory" in page
    assert f"{LOG_MOST_CHARACTERS:,} characters of log" in page
    assert WIDE.seconds >= EXACT.seconds
    assert WIDE.megabytes >= EXACT.megabytes


# ----------------------------------------------------------------------------------------------------- the search itself


def test_what_takes_too_much_is_found():
    """Otherwise the rows above prove nothing."""
    told, errors = told_by("--planted")
    problems = {each["name"]: each["problem"] for each in told}

    assert problems.pop("slow").startswith("slow: processor seconds "), errors
    assert "but got killed by SIGKILL" in problems.pop("endless")
    assert problems.pop("large").startswith("large: megabytes ")
    assert "but got FAILED: The function met an error of its own, MemoryError." in problems.pop("endlessly large")
    assert problems.pop("wordy").startswith("wordy: characters of log 20,")
    assert "expected FAILED, '', but got SUCCESS" in problems.pop("taken although it is to be refused")
    assert problems == {"harmless": ""}
