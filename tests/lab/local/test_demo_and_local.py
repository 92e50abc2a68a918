"""`make demo` and `make local`: what a new user runs first."""

import io
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from lab.demo.__main__ import acts
from lab.demo.acts import Demo, forms
from lab.demo.story import Story
from lab.local import places
from lab.local.session import LocalAws

PATIENCE_SECONDS = 60
REGION = "eu-south-2"  # its own: there the watch sees only the demo's keys


def test_the_demo_shows_its_story_and_no_secret(aws, tmp_path):
    told = io.StringIO()
    demo = Demo.of(Story(told), LocalAws(aws.folder, REGION), tmp_path)

    acts(demo)

    text = told.getvalue()
    titles = re.findall(r"^\d+\. (.+)$", text, re.MULTILINE)
    assert len(titles) == 15
    assert len(re.findall(r"^   \[\d+\.\d s\]$", text, re.MULTILINE)) == 15  # each act's time
    assert "   | 1. The key expires in 20 days, on " in text
    assert re.search(
        r"^   \| [0-9a-f-]{36}  alias/demo-symmetric .* Enabled .* demo-symmetric/Material ", text, re.MULTILINE
    )
    assert "takes exactly 32" in text.replace("\n   > ", " ")
    assert "does not name the stack other-team" in text.replace("\n   > ", " ")
    assert "X-Amz-Signature" not in text
    for material in demo.materials.secrets().values():
        assert [form for form in forms(material) if form in text.encode()] == []


def test_a_demo_that_fails_says_why_and_ends_with_1(tmp_path):
    environment = {**os.environ, "LOCAL_AWS_MINISTACK_VENV": str(tmp_path / "none")}

    demo = subprocess.run(
        [sys.executable, "-m", "lab.demo"],
        cwd=places.REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert demo.returncode == 1
    assert "demo: ok" not in demo.stdout
    assert demo.stderr.startswith(f"\ndemo: FAILED. The local AWS did not start. {tmp_path}/none/")
    assert demo.stderr.endswith(" is missing: make .venv-local\n")


def test_what_make_local_prints_leads_to_the_local_aws_and_ctrl_c_ends_it():
    local = subprocess.Popen(
        [sys.executable, "-m", "lab.local"],
        cwd=places.REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        printed = read_up_to(local.stdout, "The function's logs are in")
        [settings_file] = re.findall(r"^source (.+)$", printed, re.MULTILINE)
        exports = dict(re.findall(r"^export (AWS_\w+)=(.+)$", Path(settings_file).read_text(), re.MULTILINE))
        settings = {name: shlex.split(value)[0] for name, value in exports.items()}
        asked = subprocess.run(
            [sys.executable, "-c", ASK],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **settings},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert asked.stdout.split() == ["111122223333", "aws-sam-cli-managed-default", "imported-key-material"]
        folder = Path(settings["AWS_CA_BUNDLE"]).parents[2]  # FOLDER/tmp/ministack-tls/server.crt
        assert folder == Path(settings_file).parent
        assert folder.exists()
        assert f"type {settings['AWS_ENDPOINT_URL'].removeprefix('https://')}. With Enter it becomes empty" in printed

        local.send_signal(signal.SIGINT)
        assert local.wait(PATIENCE_SECONDS) == 0
        assert local.stdout.read().endswith("The local AWS has ended, and nothing is left of it.\n")
        assert not folder.exists()
    finally:
        local.kill()
        local.wait()
        local.stdout.close()


ASK = """
import boto3
stacks = boto3.client("cloudformation").describe_stacks()["Stacks"]
print(boto3.client("sts").get_caller_identity()["Account"], *sorted(stack["StackName"] for stack in stacks))
"""


def read_up_to(stream, mark):
    lines = []
    for line in stream:
        lines.append(line)
        if mark in line:
            break
    return "".join(lines)
