"""The strict KMS over HTTP: unmodified boto3, faults on the line, and the program that `make kms` runs."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from lab.clock import VirtualClock
from lab.keys.by_hand import import_material
from lab.kms import KmsWire, StrictKms
from lab.kms.server import MAX_BODY_BYTES, KmsServer
from lab.wire.faults import Faults, Moment
from lab.wire.transport import Fault

ROOT = Path(__file__).parents[3]
ACCOUNT = "111122223333"
START_SECONDS = 20


@pytest.fixture
def server():
    with KmsServer(KmsWire(StrictKms(VirtualClock())), faults=Faults()) as server:
        yield server


def client(url, *, account=ACCOUNT, region="eu-central-1"):
    session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="x", region_name=region)
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    return session.client("kms", endpoint_url=url, config=config)


def test_a_key_gets_its_material_over_http(server):
    kms = client(server.url)
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]

    import_material(kms, key, bytes(range(32)))

    assert key.startswith(f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    with pytest.raises(ClientError) as caught:
        client(server.url, region="us-west-2").describe_key(KeyId=key)
    assert caught.value.response["Error"]["Message"] == "Invalid arn eu-central-1"


def test_many_callers_at_once_get_each_their_own_answer(server):
    made = []

    def make():
        kms = client(server.url)
        made.extend(kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 30


def test_a_lost_answer_is_a_closed_connection_and_the_effect_stands(server):
    kms = client(server.url)
    server.faults.inject("CreateKey", Fault.CONNECTION_CLOSED, Moment.AFTER)

    with pytest.raises(ConnectionClosedError):
        kms.create_key()

    assert len(kms.list_keys()["Keys"]) == 1


def test_any_other_request_is_answered_too(server):
    def ask(method, headers):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
        connection.putrequest(method, "/")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer

    assert ask("GET", {}) == (200, b"strict KMS\n")
    assert ask("POST", {}) == (411, b"")
    assert ask("POST", {"Content-Length": "x"}) == (411, b"")
    assert ask("POST", {"Content-Length": str(MAX_BODY_BYTES + 1)}) == (411, b"")
    assert ask("POST", {"Content-Length": "0"}) == (400, b'{"__type":"UnknownOperationException"}')


# ---------------------------------------------------------------------------------------------------------- the program


def start(*options):
    program = [sys.executable, "-m", "lab.kms", *options]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        program, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_when_it_is_ready_serves_and_stops_cleanly(how):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start("--port", str(port), "--rotation-seconds", "0", "--account", "444455556666")
    try:
        assert process.stdout.readline() == f"ready: http://127.0.0.1:{port} (port {port})\n"
        kms = client(f"http://127.0.0.1:{port}", account="AKIAIOSFODNN7EXAMPLE")
        key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
        import_material(kms, key, bytes(32))
        second = import_material(kms, key, bytes([1]) * 32, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
        kms.rotate_key_on_demand(KeyId=key)
        shown = kms.describe_key(KeyId=key)["KeyMetadata"]
        assert (shown["CurrentKeyMaterialId"], shown["AWSAccountId"]) == (second, "444455556666")
    finally:
        process.send_signal(how)
        out, err = process.communicate(timeout=START_SECONDS)
    assert (process.returncode, out, err) == (0, "", "")


def test_the_program_says_that_its_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("--port", str(port))
        out, err = process.communicate(timeout=START_SECONDS)

    assert (process.returncode, out) == (1, "")
    assert err == f"The port {port} can't be opened: Address already in use. Choose another with --port.\n"
