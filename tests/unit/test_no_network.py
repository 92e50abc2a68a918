"""No test reaches AWS: there are no credentials, and no connection leaves this machine."""

import os
import socket
import subprocess
import sys

import boto3
import pytest
from botocore.exceptions import NoCredentialsError

from lab.live import __main__ as command
from lab.live.account import RealAccount


def test_a_connection_to_another_machine_is_refused():
    with socket.socket() as there, pytest.raises(Exception, match=r"must not connect to 192\.0\.2\.1"):
        there.connect(("192.0.2.1", 443))


def test_a_connection_to_this_machine_is_made():
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


def test_the_tests_have_no_credentials_so_no_real_account_is_made():
    with pytest.raises(NoCredentialsError):
        RealAccount.of(boto3.Session(region_name="eu-central-1"))


def test_make_live_of_a_test_ends_before_it_makes_a_plan(monkeypatch, capsys):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)  # this process goes on

    with pytest.raises(SystemExit) as ended:
        command.main(["--yes"])

    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("AWS can't be asked who you are: Unable to locate credentials\n")


def test_a_program_that_a_test_starts_has_no_credentials_either():
    program = "import boto3; print(boto3.Session().get_credentials())"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "None\n"
    assert {name for name in os.environ if name.startswith("AWS_")} >= {"AWS_SHARED_CREDENTIALS_FILE"}
