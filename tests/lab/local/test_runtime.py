"""Deployed functions run here as in Lambda: each in a separate process, which ends as Lambda ends it."""

import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.local import places
from lab.local.clients import client
from lab.local.service import running
from lab.local.settings import REGION

pytestmark = pytest.mark.xdist_group("local-aws-runtime")

CODE = """
import os, sys, time
import ofthelayer
state = {"count": 0}
def handler(event, context):
    state["count"] += 1
    print("this is logged")
    match event["do"]:
        case "exit": os._exit(3)
        case "kill": os.kill(os.getpid(), 9)
        case "raise": raise ValueError("on purpose")
        case "sleep": time.sleep(event["seconds"])
        case "fill memory":
            kept = bytearray(400 * 2**20)
            time.sleep(5)
        case "write":
            open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], "written"), "w")
        case "import": __import__(event["module"])
    return {
        "count": state["count"],
        "pid": os.getpid(),
        "path": sys.path,
        "variables": dict(os.environ),
        "left_ms": context.get_remaining_time_in_millis(),
        "arn": context.invoked_function_arn,
        "layer": ofthelayer.NAME,
    }
"""


def archive(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return content.getvalue()


@pytest.fixture(scope="module")
def function():
    """A function with a layer, and a way to invoke it, which returns the payload and the error's kind."""
    folder = places.temporary_folder("runtime")
    try:
        with running(folder) as (settings, _has_ended):
            lambda_ = client(settings, "lambda")
            trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            role = client(settings, "iam").create_role(
                RoleName="probe", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
            )
            layer = lambda_.publish_layer_version(
                LayerName="probe", Content={"ZipFile": archive(**{"python/ofthelayer.py": "NAME = 'the layer'"})}
            )
            lambda_.create_function(
                FunctionName="probe",
                Runtime="python3.13",
                Role=role["Role"]["Arn"],
                Handler="probe.handler",
                Code={"ZipFile": archive(**{"probe.py": CODE})},
                Layers=[layer["LayerVersionArn"]],
                Timeout=2,
                MemorySize=256,
                Environment={"Variables": {"COLOUR": "blue"}},
            )
            yield Function(lambda_, folder)
    finally:
        places.remove_tree(folder)


class Function:
    def __init__(self, lambda_, folder):
        self.lambda_ = lambda_
        self.folder = folder

    def invoke(self, do="nothing", **event):
        answer = self.lambda_.invoke(FunctionName="probe", Payload=json.dumps({"do": do, **event}).encode())
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def error(self, do, **event):
        payload, kind = self.invoke(do, **event)
        assert kind == "Unhandled"
        return payload["errorType"], payload["errorMessage"].partition("Error: ")[2] or payload["errorMessage"]


def test_a_function_sees_lambdas_world_and_not_this_machines(function):
    seen, error = function.invoke()

    assert error is None
    variables = seen["variables"]
    assert seen["layer"] == "the layer"
    assert seen["arn"] == "arn:aws:lambda:eu-central-1:111122223333:function:probe"
    assert variables["COLOUR"] == "blue"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "probe"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["AWS_REGION"] == "eu-central-1"
    assert variables["_HANDLER"] == "probe.handler"
    assert variables["TZ"] == ":UTC"
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA")  # the role's, not the administrator's
    assert "HOME" not in variables
    assert 0 < seen["left_ms"] <= 2000
    folders = [folder.replace(str(function.folder), "") for folder in seen["path"]]
    assert [folder.split("/")[1] for folder in folders[:4]] == ["code", "code", "code", "runtime-client"]
    assert all(folder.startswith(str(places.base_python().parents[1])) for folder in folders[4:])


@pytest.mark.parametrize("module", ["ministack", "cryptography", "boto3", "pip"])
def test_a_package_that_the_layer_lacks_is_missed(function, module):
    assert function.error("import", module=module) == ("ModuleNotFoundError", f"No module named '{module}'")


def test_a_process_is_used_again(function):
    first, _ = function.invoke()
    second, _ = function.invoke()

    assert (second["pid"], second["count"]) == (first["pid"], first["count"] + 1)


@pytest.mark.parametrize(
    ("do", "error"),
    [
        ("raise", ("ValueError", "on purpose")),
        ("exit", ("Runtime.ExitError", "Runtime exited with error: exit status 3")),
        ("kill", ("Runtime.ExitError", "Runtime exited with error: signal: killed")),
        ("fill memory", ("Runtime.OutOfMemory", "Runtime exited with error: signal: killed")),
    ],
)
def test_an_invocation_that_fails_ends_as_lambda_ends_it(function, do, error):
    assert function.error(do) == error
    assert function.invoke()[1] is None  # the next one has another process


def test_a_function_that_runs_too_long_is_killed(function):
    pid = function.invoke()[0]["pid"]

    begun = time.monotonic()
    assert function.error("sleep", seconds=30) == ("Sandbox.Timedout", "Task timed out after 2.00 seconds")

    assert time.monotonic() - begun < 10
    assert function.invoke()[0]["pid"] != pid


def test_invocations_at_the_same_time_have_processes_of_their_own(function):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _number: function.invoke("sleep", seconds=0.4)[0], range(4)))

    assert len({answer["pid"] for answer in answers}) == 4


def test_a_new_deployment_takes_effect_at_once(function):
    before = function.invoke()[0]

    function.lambda_.update_function_configuration(FunctionName="probe", Environment={"Variables": {"COLOUR": "green"}})

    after = function.invoke()[0]
    assert after["variables"]["COLOUR"] == "green"
    assert after["pid"] != before["pid"]


def test_a_function_that_cannot_be_imported_says_so(function):
    function.lambda_.update_function_configuration(FunctionName="probe", Handler="none.handler")
    try:
        assert function.error("nothing") == (
            "Runtime.ImportModuleError",
            "Unable to import module 'none': No module named 'none'",
        )
    finally:
        function.lambda_.update_function_configuration(FunctionName="probe", Handler="probe.handler")


def test_what_a_function_writes_is_kept(function):
    function.invoke()

    logs = [path.read_text() for path in places.function_logs(function.folder, REGION, "probe").glob("*.log")]
    assert any("this is logged" in log for log in logs)


def test_the_processes_that_live_are_known(function):
    def known():
        return json.loads((places.function_logs(function.folder, REGION, "probe") / "pids.json").read_text())

    pid = function.invoke()[0]["pid"]
    assert pid in known()

    function.error("kill")
    assert pid not in known()
